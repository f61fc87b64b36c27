//! Dates of last activity that a site's own database keeps already, read to be taken over.

use std::fmt;
use std::net::IpAddr;

use jiff::civil;
use jiff::tz::TimeZone;

use crate::{SqlDirectoryError, Timestamp};

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

/// How many rows are in memory at a time.
const PAGE: usize = 10_000;

/// Reads the last activities that a site's own database keeps, however many there are, a page at a time.
///
/// The query gives two or three columns, in this order, whatever their names: the user's key, a date and, if there is a third,
/// an address.
///
/// ```no_run
/// # #[cfg(feature = "sqlite")]
/// # async fn sqlite() -> Result<(), Box<dyn std::error::Error>> {
/// use lastseen::SqlActivities;
///
/// let mut activities = SqlActivities::sqlite("db.sqlite3", "SELECT id, last_login FROM auth_user").await?;
/// loop {
///     let page = activities.next().await?;
///     if page.is_empty() {
///         break;
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// A date may be a `timestamptz`, a `timestamp` or a `date`, an RFC 3339 text, such a text without an offset, or a number of
/// seconds since 1970. Those that name no time zone are taken as UTC, in which frameworks keep them. The database is only read,
/// in one transaction.
pub struct SqlActivities(Source);

enum Source {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlite::Source),
    #[cfg(feature = "postgres")]
    Postgres(Box<postgres::Source>),
}

/// A row: who, when, from where. `None` for what is NULL, and as an error the text that can't be read as what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlActivity {
    /// The user's key as text; `None` of a guest, for example.
    pub user: Result<Option<String>, String>,
    /// The date.
    pub at: Result<Option<Timestamp>, String>,
    /// The address, unwrapped where it is IPv4 in IPv6.
    pub ip: Result<Option<IpAddr>, String>,
}

impl SqlActivities {
    /// The next 10,000 rows, or as many as are left: none at the end.
    ///
    /// # Errors
    ///
    /// Where the database can't be read to the end.
    pub async fn next(&mut self) -> Result<Vec<SqlActivity>, SqlDirectoryError> {
        match &mut self.0 {
            #[cfg(feature = "sqlite")]
            Source::Sqlite(source) => source.next().await.map_err(SqlDirectoryError::new),
            #[cfg(feature = "postgres")]
            Source::Postgres(source) => source.next().await.map_err(SqlDirectoryError::new),
        }
    }
}

impl fmt::Debug for SqlActivities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Source::Sqlite(source) => source.fmt(f),
            #[cfg(feature = "postgres")]
            Source::Postgres(source) => source.fmt(f),
        }
    }
}

/// A date as databases and frameworks write it.
fn date(text: &str) -> Result<Option<Timestamp>, String> {
    let text = text.trim();
    let with_offset = || text.parse().ok();
    let without = || text.parse::<civil::DateTime>().ok().and_then(|date| TimeZone::UTC.to_timestamp(date).ok());
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(Some(Timestamp::from_micros(seconds.saturating_mul(1_000_000))));
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds_of(seconds).ok_or_else(|| text.to_owned()).map(Some);
    }
    let date: Option<jiff::Timestamp> = with_offset().or_else(without);
    date.map(|date| Some(Timestamp::from_micros(date.as_microsecond()))).ok_or_else(|| text.to_owned())
}

/// The moment so many seconds after 1970; `None` for what is no number.
#[expect(clippy::cast_possible_truncation, reason = "what is beyond an i64 becomes its end")]
fn seconds_of(seconds: f64) -> Option<Timestamp> {
    seconds.is_finite().then(|| Timestamp::from_micros((seconds * 1e6).round() as i64))
}

/// An address as text; nothing where it is empty.
fn address(text: &str) -> Result<Option<IpAddr>, String> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(|ip: IpAddr| Some(ip.to_canonical())).map_err(|_| text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_frameworks_write_them() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (text, is) in [
            ("2026-11-24 03:15:00.123456", "2026-11-24T03:15:00.123456Z"),
            ("2026-11-24T03:15:00", "2026-11-24T03:15:00Z"),
            ("2026-11-24", "2026-11-24T00:00:00Z"),
            ("2026-11-24 03:15:00+02", "2026-11-24T01:15:00Z"),
            ("2026-11-24 03:15:00.1234567+00:00", "2026-11-24T03:15:00.123456Z"),
            ("2026-11-24T03:15:00Z", "2026-11-24T03:15:00Z"),
            ("1795490100", "2026-11-24T03:15:00Z"),
            ("1795490100.25", "2026-11-24T03:15:00.25Z"),
        ] {
            assert_eq!(date(text), Ok(Some(at(is))), "{text}");
        }
        for text in ["", "never", "24.11.2026", "2026-13-01", "NaN", "2026-11-24 03:15:00 Europe/Berlin"] {
            assert_eq!(date(text), Err(text.to_owned()));
        }
    }

    #[test]
    fn addresses_are_unwrapped() {
        assert_eq!(address(" "), Ok(None));
        assert_eq!(address("::ffff:203.0.113.7"), Ok("203.0.113.7".parse().ok()));
        assert_eq!(address("203.0.113.7:80"), Err("203.0.113.7:80".into()));
    }
}
