//! A day of the calendar, in UTC.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Timestamp};

/// Microseconds.
const LENGTH: i64 = 24 * 3600 * 1_000_000;

/// A day from midnight to midnight UTC.
///
/// Prints and parses as `2026-11-24`. Arithmetic saturates.
///
/// ```
/// use lastseen::{Day, Timestamp};
///
/// let day = Day::of("2026-11-24T23:59:59Z".parse::<Timestamp>()?);
/// assert_eq!(day, "2026-11-24".parse()?);
/// assert_eq!((day - 30).to_string(), "2026-10-25");
/// # Ok::<(), lastseen::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// The day in which `at` lies.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        // 64 bits of microseconds are 213 million days: they fit.
        Self(i32::try_from(at.as_micros().div_euclid(LENGTH)).unwrap_or(i32::MAX))
    }

    /// The day this many days after 1970-01-01.
    #[must_use]
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn as_days(self) -> i32 {
        self.0
    }

    /// Its first moment.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_micros(i64::from(self.0).saturating_mul(LENGTH))
    }
}

impl std::ops::Add<u32> for Day {
    type Output = Self;

    fn add(self, days: u32) -> Self {
        Self(self.0.saturating_add_unsigned(days))
    }
}

impl std::ops::Sub<u32> for Day {
    type Output = Self;

    fn sub(self, days: u32) -> Self {
        Self(self.0.saturating_sub_unsigned(days))
    }
}

/// The date. Outside the years -9999 to 9999: bare days since 1970.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.start().as_micros()) {
            Ok(start) => fmt::Display::fmt(&jiff::tz::Offset::UTC.to_datetime(start).date(), f),
            Err(_) => write!(f, "{}d", self.0),
        }
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A date such as `2026-11-24`, and nothing beside it.
impl FromStr for Day {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        // The parser would also take a time after the date, and drop it.
        let is_bare = text.len() == "2026-11-24".len();
        match text.parse::<jiff::civil::Date>() {
            Ok(date) if is_bare => {
                let start = jiff::tz::Offset::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight()));
                start.map(|start| Self::of(Timestamp::from_micros(start.as_microsecond()))).map_err(|error| {
                    Error::invalid(format!("{text:?} is not a day that can be told apart in UTC")).because(error)
                })
            }
            _ => Err(Error::invalid(format!("{text:?} is not a day: write it as 2026-11-24"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_on_both_sides_of_1970() {
        let day = |text: &str| Day::of(text.parse::<Timestamp>().unwrap()).to_string();
        assert_eq!(day("2026-11-24T00:00:00Z"), "2026-11-24");
        assert_eq!(day("2026-11-23T23:59:59.999999Z"), "2026-11-23");
        assert_eq!(day("1969-12-31T23:59:59.999999Z"), "1969-12-31");
        assert_eq!(day("2026-11-24T01:00:00+02:00"), "2026-11-23");
        assert_eq!(Day::of(Timestamp::UNIX_EPOCH).as_days(), 0);
    }

    #[test]
    fn days_are_read_as_they_are_printed_and_others_are_refused_by_name() {
        for days in [-719_000, -1, 0, 20_781, 2_932_000] {
            let day = Day::from_days(days);
            assert_eq!(day.to_string().parse::<Day>().unwrap(), day);
        }
        for text in ["", "today", "2026-11-31", "2026-11-24T00:00:00", "24.11.2026", "2026-1-1"] {
            let error = text.parse::<Day>().unwrap_err();
            assert!(error.is_invalid() && error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Day::from_days(i32::MAX) + 1, Day::from_days(i32::MAX));
        assert_eq!(Day::from_days(i32::MIN) - 1, Day::from_days(i32::MIN));
        assert_eq!(Day::from_days(i32::MAX).start(), Timestamp::MAX);
        assert_eq!(Day::from_days(i32::MAX).to_string(), format!("{}d", i32::MAX));
    }
}
