//! A moment of wall time: microseconds since 1970 UTC.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Error;

/// A moment of wall time, in microseconds since 1970-01-01T00:00:00 UTC.
///
/// Prints and parses as RFC 3339. Arithmetic saturates: a clock that jumps can never make it panic.
///
/// ```
/// use std::time::Duration;
/// use lastseen::Timestamp;
///
/// let at: Timestamp = "2026-11-24T03:15:00Z".parse()?;
/// assert_eq!(at.as_micros(), 1_795_490_100_000_000);
/// assert_eq!(at + Duration::from_secs(60), "2026-11-24T03:16:00Z".parse()?);
/// # Ok::<(), lastseen::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00 UTC.
    pub const UNIX_EPOCH: Self = Self(0);
    /// Earlier than every activity.
    pub const MIN: Self = Self(i64::MIN);
    /// Later than every activity.
    pub const MAX: Self = Self(i64::MAX);

    /// The moment `micros` microseconds after 1970 UTC.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970 UTC.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero where it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A duration as microseconds, the longest that fit where there are more.
pub(crate) fn micros(duration: Duration) -> i64 {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    seconds.saturating_mul(1_000_000).saturating_add(i64::from(duration.subsec_micros()))
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros(duration)))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(micros(duration)))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(micros(after)),
            Err(before) => Self(-micros(before.duration())),
        }
    }
}

/// The nearest moment that the platform's `SystemTime` can hold.
impl From<Timestamp> for SystemTime {
    fn from(at: Timestamp) -> Self {
        let distance = Duration::from_micros(at.0.unsigned_abs());
        let time = if at.0 < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
        time.unwrap_or(UNIX_EPOCH)
    }
}

/// RFC 3339 in UTC, with as many digits of a second as it needs. Outside the years -9999 to 9999: bare microseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(at) => fmt::Display::fmt(&at, f),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// RFC 3339 with an offset, such as `2026-11-24T03:15:00Z`; digits beyond microseconds are cut off.
impl FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.parse::<jiff::Timestamp>() {
            Ok(at) => Ok(Self(at.as_microsecond())),
            Err(error) => Err(Error::invalid(format!(
                "{text:?} is not a date: write RFC 3339 with an offset, such as 2026-11-24T03:15:00Z"
            ))
            .because(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Timestamp::MAX + Duration::MAX, Timestamp::MAX);
        assert_eq!(Timestamp::MIN - Duration::MAX, Timestamp::MIN);
        assert_eq!(Timestamp::MIN.since(Timestamp::MAX), Duration::ZERO);
        assert_eq!(Timestamp::MAX.to_string(), format!("{}us", i64::MAX));
    }

    #[test]
    fn system_time_round_trips_on_both_sides_of_1970() {
        for micros in [-1_500_000, -1, 0, 1, 1_795_490_100_000_001] {
            let at = Timestamp::from_micros(micros);
            assert_eq!(Timestamp::from(SystemTime::from(at)), at);
        }
    }

    #[test]
    fn a_date_without_offset_is_refused_by_name() {
        let error = "2026-11-24 03:15".parse::<Timestamp>().unwrap_err();
        assert!(error.is_invalid());
        assert!(error.to_string().contains("\"2026-11-24 03:15\""), "{error}");
    }
}
