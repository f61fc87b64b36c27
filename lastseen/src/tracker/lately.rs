//! What was written past the queue within the last half a minute, to be written again after a failover.

use std::collections::VecDeque;
use std::time::Duration;

use crate::{Profile, Timestamp, UserId};

/// How long a server may take to hand what it has acknowledged to the replica that takes its place.
pub(super) const LATELY: Duration = Duration::from_secs(30);

/// Erasures and profiles, in the order in which they were acknowledged.
#[derive(Default)]
pub(super) struct Lately(VecDeque<(Duration, Written)>);

/// Something that the store has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Erasure(UserId, Timestamp),
    Profile(UserId, Profile),
}

impl Lately {
    /// Notes what was acknowledged at this monotonic time.
    pub(super) fn note(&mut self, now: Duration, written: Written) {
        while self.0.pop_front_if(|(at, _)| *at + LATELY < now).is_some() {}
        if let Written::Erasure(erased, _) = &written {
            // Nothing of who is erased stays, a failover or not.
            self.0.retain(|(_, written)| !matches!(written, Written::Profile(user, _) if user == erased));
        }
        self.0.push_back((now, written));
    }

    /// All of it, in order.
    pub(super) fn all(&self) -> Vec<Written> {
        self.0.iter().map(|(_, written)| written.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_minute_is_kept_in_order() {
        let user = UserId::from(1);
        let mut lately = Lately::default();
        let erased_at = |second| Written::Erasure(user.clone(), Timestamp::from_micros(second));
        for second in [0_i64, 10, 30, 31] {
            lately.note(Duration::from_secs(second.unsigned_abs()), erased_at(second));
        }
        assert_eq!(lately.all(), [erased_at(10), erased_at(30), erased_at(31)]);
    }

    #[test]
    fn the_profile_of_who_is_erased_goes_at_once() {
        let [ada, bob] = [1, 2].map(UserId::from);
        let profile = |user: &UserId| Written::Profile(user.clone(), Profile::named("x"));
        let mut lately = Lately::default();
        for user in [&ada, &bob] {
            lately.note(Duration::ZERO, profile(user));
        }
        let erasure = Written::Erasure(ada.clone(), Timestamp::UNIX_EPOCH);
        lately.note(Duration::ZERO, erasure.clone());
        assert_eq!(lately.all(), [profile(&bob), erasure]);
    }
}
