//! What is known of a user, and the one rule by which two pieces of it merge.

use std::net::IpAddr;
use std::time::Duration;

use crate::{Day, Timestamp, UserId};

/// How far ahead of this machine's clock a date from outside may lie: 5 seconds.
pub const MAX_AHEAD: Duration = Duration::from_secs(5);

/// How far ahead a date that is already inside may lie before it counts as never written: 1 minute.
///
/// Such dates come from a clock that was wrong and has been set right, here or on another machine. Without this a
/// user stamped twenty years ahead would be online for twenty years, and no touch could mend it. It is wider than
/// [`MAX_AHEAD`] so that machines whose clocks differ by some seconds still see each other's users.
pub const VOID_AHEAD: Duration = Duration::from_mins(1);

/// One activity: who, when, from where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Activity {
    /// Who was active.
    pub user: UserId,
    /// When (`last_activity_date`).
    pub at: Timestamp,
    /// From where, where that is known (`last_activity_ip`).
    pub ip: Option<IpAddr>,
}

/// When and from where a user was last active. Ordered by date, then by address: no address, then IPv4, then IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// From where, where that is known.
    pub ip: Option<IpAddr>,
}

/// All that a store keeps of one user's activity.
///
/// A record merges field by field, and every field by maximum, so merging is idempotent, commutative and associative:
/// retries, duplicates, reordering and concurrent writers can neither lose nor turn back a date.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Record {
    /// Whose.
    pub user: UserId,
    /// The last activity; `None` where only a sign-out is known.
    pub seen: Option<Seen>,
    /// When the user last signed out, if ever. An activity later than it brings the user back.
    pub left_at: Option<Timestamp>,
}

impl Record {
    /// A record of which nothing is known yet: what everything merges into.
    #[must_use]
    pub const fn empty(user: UserId) -> Self {
        Self { user, seen: None, left_at: None }
    }

    /// Whether nothing is known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.seen.is_none() && self.left_at.is_none()
    }

    /// The latest date in it: of the activity, or of the sign-out where that is later.
    #[must_use]
    pub fn latest(&self) -> Option<Timestamp> {
        self.seen.map(|seen| seen.at).max(self.left_at)
    }

    /// The day of the last activity.
    pub(crate) fn day(&self) -> Option<Day> {
        self.seen.map(|seen| Day::of(seen.at))
    }

    /// The record without dates more than [`VOID_AHEAD`] after `now`: they come from a clock that was wrong.
    #[must_use]
    pub fn plausible(self, now: Timestamp) -> Self {
        let mut plausible = Self::empty(self.user.clone());
        plausible.merge(&self, now);
        plausible
    }

    /// Takes in what `other` knows of the same user.
    ///
    /// The later activity stays, and its address with it; of two at the same microsecond the greater address stays.
    /// The later sign-out stays. First, in either record, a date more than [`VOID_AHEAD`] after `now` is dropped.
    ///
    /// ```
    /// use lastseen::{Record, Seen, Timestamp, UserId};
    ///
    /// let now = Timestamp::from_micros(1_000_000_000);
    /// let seen = |micros| Some(Seen { at: Timestamp::from_micros(micros), ip: None });
    /// let ada = UserId::new("ada")?;
    ///
    /// let mut record = Record { user: ada.clone(), seen: seen(7), left_at: None };
    /// record.merge(&Record { user: ada.clone(), seen: seen(5), left_at: None }, now);
    /// assert_eq!(record.seen, seen(7));
    /// record.merge(&Record { user: ada, seen: seen(9), left_at: None }, now);
    /// assert_eq!(record.seen, seen(9));
    /// # Ok::<(), lastseen::Error>(())
    /// ```
    pub fn merge(&mut self, other: &Self, now: Timestamp) {
        let limit = now + VOID_AHEAD;
        let seen = |record: &Self| record.seen.filter(|seen| seen.at <= limit);
        let left_at = |record: &Self| record.left_at.filter(|left_at| *left_at <= limit);
        // `None` is less than every `Some`.
        self.seen = seen(self).max(seen(other));
        self.left_at = left_at(self).max(left_at(other));
    }

    /// Drops what happened at or before the moment at which the user was forgotten.
    pub fn forget_until(&mut self, forgotten_at: Timestamp) {
        self.seen = self.seen.filter(|seen| seen.at > forgotten_at);
        self.left_at = self.left_at.filter(|left_at| *left_at > forgotten_at);
    }
}

impl From<Activity> for Record {
    fn from(activity: Activity) -> Self {
        Self { user: activity.user, seen: Some(Seen { at: activity.at, ip: activity.ip }), left_at: None }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(0);

    fn ip() -> impl Strategy<Value = Option<IpAddr>> {
        prop_oneof![
            Just(None),
            (0_u32..3).prop_map(|bits| Some(IpAddr::V4(bits.into()))),
            (0_u128..3).prop_map(|bits| Some(IpAddr::V6(bits.into()))),
        ]
    }

    /// Dates on both sides of what is void at [`NOW`], few enough that ties happen.
    fn at() -> impl Strategy<Value = Timestamp> {
        let limit = (NOW + VOID_AHEAD).as_micros();
        prop_oneof![-3_i64..3, limit - 1..limit + 3].prop_map(Timestamp::from_micros)
    }

    fn record() -> impl Strategy<Value = Record> {
        (proptest::option::of((at(), ip())), proptest::option::of(at())).prop_map(|(seen, left_at)| Record {
            user: UserId::from(1_u32),
            seen: seen.map(|(at, ip)| Seen { at, ip }),
            left_at,
        })
    }

    fn merged(mut a: Record, b: &Record) -> Record {
        a.merge(b, NOW);
        a
    }

    proptest! {
        #[test]
        fn rule_1_merge_is_idempotent_commutative_associative(a in record(), b in record(), c in record()) {
            let ab = merged(a.clone(), &b);
            prop_assert_eq!(merged(ab.clone(), &b), ab.clone());
            prop_assert_eq!(merged(b.clone(), &a), ab.clone());
            prop_assert_eq!(merged(ab, &c), merged(a, &merged(b, &c)));
        }

        #[test]
        fn rule_1_a_date_never_goes_back(a in record(), b in record()) {
            let before = merged(Record::empty(a.user.clone()), &a);
            let after = merged(a, &b);
            prop_assert!(after.seen >= before.seen);
            prop_assert!(after.left_at >= before.left_at);
        }
    }

    #[test]
    fn rule_1_on_a_tie_the_greater_address_stays() {
        let seen = |ip: &str| Record {
            user: UserId::from(1_u32),
            seen: Some(Seen { at: NOW, ip: ip.parse().ok() }),
            left_at: None,
        };
        for (less, greater) in [("", "9.9.9.9"), ("9.9.9.9", "10.0.0.1"), ("255.255.255.255", "::1")] {
            assert_eq!(merged(seen(less), &seen(greater)), seen(greater));
            assert_eq!(merged(seen(greater), &seen(less)), seen(greater));
        }
    }

    #[test]
    fn rule_4_a_date_far_ahead_gives_way_to_any_other() {
        let at = |micros| Record {
            user: UserId::from(1_u32),
            seen: Some(Seen { at: Timestamp::from_micros(micros), ip: None }),
            left_at: None,
        };
        assert_eq!(merged(at(i64::MAX), &at(-5)), at(-5));
    }
}
