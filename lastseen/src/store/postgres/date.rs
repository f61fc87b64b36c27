//! Moments as PostgreSQL's `timestamptz`.

use std::error::Error as StdError;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use crate::Timestamp;

/// 2000-01-01, from where PostgreSQL counts microseconds.
const EPOCH: i64 = 946_684_800_000_000;

/// The first and the last moment that PostgreSQL has: in 4714 BC and in 294276 AD.
const FIRST: i64 = -211_813_488_000_000_000;
const LAST: i64 = 9_223_371_331_199_999_999;

/// A moment on its way to or from the server. One that PostgreSQL doesn't have becomes the nearest that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date(pub Timestamp);

impl Date {
    fn to_server(self) -> i64 {
        self.0.as_micros().saturating_sub(EPOCH).clamp(FIRST, LAST)
    }

    /// Also of `infinity` and `-infinity`, which only somebody else can have written.
    fn from_server(micros: i64) -> Self {
        Self(Timestamp::from_micros(micros.saturating_add(EPOCH)))
    }
}

impl ToSql for Date {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        out.extend_from_slice(&self.to_server().to_be_bytes());
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Date {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self::from_server(i64::from_be_bytes(raw.try_into()?)))
    }

    accepts!(TIMESTAMPTZ);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_back_and_those_beyond_the_calendar_stay_in_order() {
        for micros in [-1, 0, EPOCH, 1_795_490_100_123_456, i64::MAX] {
            let at = Timestamp::from_micros(micros);
            assert_eq!(Date::from_server(Date(at).to_server()), Date(at));
        }
        assert_eq!(Date(Timestamp::MIN).to_server(), FIRST);
        assert!(Date(Timestamp::MAX).to_server() <= LAST);
        assert_eq!(Date::from_server(i64::MAX), Date(Timestamp::MAX));
        assert!(Date::from_server(i64::MIN).0 < Date::from_server(FIRST).0);
    }
}
