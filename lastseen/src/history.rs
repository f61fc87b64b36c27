//! What is kept of the past: how many were online when, the most ever, and on which days users were active.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::timestamp::micros;
use crate::{Error, Timestamp};

mod day;
mod spans;

pub use day::Day;
pub(crate) use spans::Spans;

/// How many days the users active on a day are kept, that day included: 92, so that any day of the last two months has
/// its month.
pub const ACTIVE_DAYS: u32 = 92;

/// How many were online during a minute, ten minutes or an hour.
///
/// Spans merge field by field, and every field by maximum: what several processes have counted, and what is written
/// twice, comes to the same in any order. A span in which no process counted isn't there at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OnlineSpan {
    /// How long it is.
    pub resolution: Resolution,
    /// When it began: a multiple of its length since 1970 UTC.
    pub at: Timestamp,
    /// How many were online at the first look in the minute; of a longer span, in its busiest minute.
    pub online: u32,
    /// The most who were online at any look. There is one a second.
    pub peak: u32,
}

/// How long the spans are that are asked for. All three are kept from the first moment on, the longer ones for longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// A minute, kept for 2 days.
    Minute,
    /// Ten minutes, kept for 8 days.
    TenMinutes,
    /// An hour, kept for 31 days.
    Hour,
}

impl Resolution {
    /// From the finest to the coarsest.
    pub const ALL: [Self; 3] = [Self::Minute, Self::TenMinutes, Self::Hour];

    /// How long a span is.
    #[must_use]
    pub const fn width(self) -> Duration {
        match self {
            Self::Minute => Duration::from_mins(1),
            Self::TenMinutes => Duration::from_mins(10),
            Self::Hour => Duration::from_hours(1),
        }
    }

    /// For how long a span is kept after it began.
    #[must_use]
    pub const fn kept(self) -> Duration {
        match self {
            Self::Minute => Duration::from_hours(2 * 24),
            Self::TenMinutes => Duration::from_hours(8 * 24),
            Self::Hour => Duration::from_hours(31 * 24),
        }
    }

    /// When the span began in which `at` lies.
    #[must_use]
    pub fn start_of(self, at: Timestamp) -> Timestamp {
        let at = at.as_micros();
        Timestamp::from_micros(at.saturating_sub(at.rem_euclid(micros(self.width()))))
    }

    /// The finest that at `now` still reaches back to `from`; hours where none does.
    ///
    /// ```
    /// use std::time::Duration;
    /// use lastseen::{Resolution, Timestamp};
    ///
    /// let now: Timestamp = "2026-11-24T03:15:00Z".parse()?;
    /// assert_eq!(Resolution::finest(now - Duration::from_hours(24), now), Resolution::Minute);
    /// assert_eq!(Resolution::finest(now - Duration::from_hours(30 * 24), now), Resolution::Hour);
    /// # Ok::<(), lastseen::Error>(())
    /// ```
    #[must_use]
    pub fn finest(from: Timestamp, now: Timestamp) -> Self {
        Self::ALL.into_iter().find(|resolution| from >= resolution.oldest(now)).unwrap_or(Self::Hour)
    }

    /// The earliest beginning of a span that is still kept at `now`.
    pub(crate) fn oldest(self, now: Timestamp) -> Timestamp {
        now - self.kept()
    }

    /// The length in seconds, by which stores know it.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn seconds(self) -> i32 {
        i32::try_from(self.width().as_secs()).unwrap_or(i32::MAX)
    }
}

/// `1m`, `10m` or `1h`.
impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "1m",
            Self::TenMinutes => "10m",
            Self::Hour => "1h",
        })
    }
}

/// As it is printed.
impl FromStr for Resolution {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|resolution| resolution.to_string() == text)
            .ok_or_else(|| Error::invalid(format!("{text:?} is not a resolution: there are 1m, 10m and 1h")))
    }
}

/// The most users who were ever online at once, and when that was reached first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MostOnline {
    /// How many.
    pub online: u32,
    /// When, by the clock that it had then.
    pub at: Timestamp,
}

impl MostOnline {
    /// The greater of two; of the same number the earlier.
    ///
    /// ```
    /// use lastseen::{MostOnline, Timestamp};
    ///
    /// let most = |online, at| MostOnline { online, at: Timestamp::from_micros(at) };
    /// assert_eq!(most(7, 5).merged(most(9, 6)), most(9, 6));
    /// assert_eq!(most(9, 6).merged(most(9, 7)), most(9, 6));
    /// ```
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        if (other.online, std::cmp::Reverse(other.at)) > (self.online, std::cmp::Reverse(self.at)) {
            other
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_begins_on_the_grid_on_both_sides_of_1970() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (resolution, start) in
            [(Resolution::Minute, "03:17:00"), (Resolution::TenMinutes, "03:10:00"), (Resolution::Hour, "03:00:00")]
        {
            for day in ["1969-12-31", "2026-11-24"] {
                let within = at(&format!("{day}T03:17:42.5Z"));
                let start = at(&format!("{day}T{start}Z"));
                assert_eq!(resolution.start_of(within), start);
                assert_eq!(resolution.start_of(start), start);
            }
        }
        assert_eq!(Resolution::Hour.start_of(Timestamp::MIN), Timestamp::MIN);
    }

    #[test]
    fn a_resolution_is_read_as_it_is_printed_and_others_are_refused_by_name() {
        for resolution in Resolution::ALL {
            assert_eq!(resolution.to_string().parse::<Resolution>().unwrap(), resolution);
        }
        let error = "1d".parse::<Resolution>().unwrap_err();
        assert!(error.is_invalid() && error.to_string().contains("\"1d\""), "{error}");
    }
}
