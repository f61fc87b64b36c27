//! How exactly others than administrators are told when somebody was active.

use std::cmp::Reverse;
use std::fmt;

use lastseen::{Day, Online, OnlineUser, Resolution, Timestamp};

use crate::api::MAX_LIMIT;
use crate::value::{Value, one_of};

/// How exactly. Whatever tells more than the date would tell the date: the order of a list, who has just moved up in it,
/// who is in it by a window of one's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dates {
    /// To the microsecond.
    #[default]
    Exact,
    /// To the minute.
    Minute,
    /// To the hour.
    Hour,
    /// To the day, in UTC.
    Day,
}

impl Dates {
    const ALL: [Self; 4] = [Self::Exact, Self::Minute, Self::Hour, Self::Day];

    pub(crate) fn are_exact(self) -> bool {
        self == Self::Exact
    }

    /// The date as it is shown: where its minute, hour or day began.
    pub(crate) fn show(self, at: Timestamp) -> Timestamp {
        match self {
            Self::Exact => at,
            Self::Minute => Resolution::Minute.start_of(at),
            Self::Hour => Resolution::Hour.start_of(at),
            Self::Day => Day::of(at).start(),
        }
    }

    /// How many of the newest must be looked at to list so many. Where dates are not exact, so many that on all but the
    /// largest sites whoever moves up was among them before.
    pub(crate) fn enough(self, limit: usize) -> usize {
        if self.are_exact() { limit } else { limit.max(MAX_LIMIT) }
    }

    /// Those to be listed, in the order of what is shown of them.
    pub(crate) fn list(self, online: &Online, limit: usize) -> Vec<&OnlineUser> {
        let mut users: Vec<&OnlineUser> = online.iter().collect();
        if !self.are_exact() {
            users.sort_by_key(|user| (Reverse(self.show(user.at)), &user.user));
        }
        users.truncate(limit);
        users
    }
}

impl fmt::Display for Dates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        })
    }
}

impl Value for Dates {
    fn read(text: &str) -> Result<Self, String> {
        one_of(Self::ALL, text)
            .ok_or_else(|| format!("{text:?} is not how exact dates are: there are exact, minute, hour and day"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_where_its_minute_hour_or_day_began_on_both_sides_of_1970() {
        for (at, shown) in [
            ("2026-11-24T03:15:59.999999Z", ["2026-11-24T03:15:00Z", "2026-11-24T03:00:00Z", "2026-11-24T00:00:00Z"]),
            ("2026-11-24T00:00:00Z", ["2026-11-24T00:00:00Z"; 3]),
            ("1969-12-31T23:59:59Z", ["1969-12-31T23:59:00Z", "1969-12-31T23:00:00Z", "1969-12-31T00:00:00Z"]),
        ] {
            let at: Timestamp = at.parse().unwrap();
            assert_eq!(Dates::Exact.show(at), at);
            let dates = [Dates::Minute, Dates::Hour, Dates::Day];
            assert_eq!(dates.map(|dates| dates.show(at).to_string()), shown);
        }
        for dates in Dates::ALL {
            for at in [Timestamp::MIN, Timestamp::MAX] {
                assert!(dates.show(at) <= at);
            }
        }
    }
}
