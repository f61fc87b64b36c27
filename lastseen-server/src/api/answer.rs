//! The answers' JSON, for the server that writes it and the client that reads it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use lastseen::{Day, Export, MostOnline, OnlineSpan, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// What became of reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TakenAnswer {
    /// So many are known in memory, and will be in the store.
    Accepted(usize),
    /// So many has the store committed.
    Stored(usize),
}

impl IntoResponse for TakenAnswer {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Accepted(_) => StatusCode::ACCEPTED,
            Self::Stored(_) => StatusCode::OK,
        };
        (status, Json(self)).into_response()
    }
}

/// Who is online.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnlineAnswer {
    /// How many, and for when and what window that holds.
    #[serde(flatten)]
    pub count: CountAnswer,
    /// The newest of them.
    pub users: Vec<OnlineUserAnswer>,
}

/// How many are online.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountAnswer {
    /// When this was so.
    #[serde(with = "text")]
    pub as_of: Timestamp,
    /// How recent an activity had to be.
    #[serde(rename = "window_seconds", with = "seconds")]
    pub window: Duration,
    /// How many users are online.
    pub count: usize,
}

/// One user who is online.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlineUserAnswer {
    /// Who.
    #[serde(with = "text")]
    pub user: UserId,
    /// The name to show, where one is known.
    pub name: Option<Arc<str>>,
    /// When last active.
    #[serde(with = "text")]
    pub last_activity_date: Timestamp,
    /// From where, where that is known.
    pub last_activity_ip: Option<IpAddr>,
}

/// What is known of one user's last activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSeenAnswer {
    /// When this was so.
    #[serde(with = "text")]
    pub as_of: Timestamp,
    /// Who.
    #[serde(with = "text")]
    pub user: UserId,
    /// The name to show, where one is known.
    pub name: Option<Arc<str>>,
    /// Whether online.
    pub online: bool,
    /// When last active.
    #[serde(with = "text")]
    pub last_activity_date: Timestamp,
    /// From where, where that is known.
    pub last_activity_ip: Option<IpAddr>,
    /// When last signed out, where that is known.
    #[serde(with = "text::optional")]
    pub left_at: Option<Timestamp>,
}

/// All that is known of one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportAnswer {
    /// When this was so.
    #[serde(with = "text")]
    pub as_of: Timestamp,
    /// Who.
    #[serde(with = "text")]
    pub user: UserId,
    /// When last active, where that is known.
    #[serde(with = "text::optional")]
    pub last_activity_date: Option<Timestamp>,
    /// From where.
    pub last_activity_ip: Option<IpAddr>,
    /// When last signed out.
    #[serde(with = "text::optional")]
    pub left_at: Option<Timestamp>,
    /// What the site says of the user.
    pub profile: Option<ExportedProfile>,
    /// The days, in UTC, on which the user was active.
    pub active_days: Vec<String>,
}

/// What the site says of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedProfile {
    /// The name to show.
    pub name: Option<String>,
    /// Whether the account is active.
    pub active: bool,
    /// Whether the user hides.
    pub hidden: bool,
}

impl From<Export> for ExportAnswer {
    fn from(export: Export) -> Self {
        let profile = export.profile.map(|profile| ExportedProfile {
            name: profile.name().map(str::to_owned),
            active: profile.is_active(),
            hidden: profile.is_hidden(),
        });
        Self {
            as_of: export.as_of,
            user: export.user,
            last_activity_date: export.seen.map(|seen| seen.at),
            last_activity_ip: export.seen.and_then(|seen| seen.ip),
            left_at: export.left_at,
            profile,
            active_days: export.active_days.iter().map(Day::to_string).collect(),
        }
    }
}

/// What guests see of who is online.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GuestAnswer {
    /// How many, and for when and what window that holds.
    #[serde(flatten)]
    pub count: CountAnswer,
    /// The newest of those who have a name, where guests may see names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<GuestUserAnswer>>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GuestUserAnswer {
    /// The name, and nothing else.
    pub name: Arc<str>,
}

/// How many were online over some time, and the most ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryAnswer {
    /// When this was so.
    #[serde(with = "text")]
    pub as_of: Timestamp,
    /// From when on.
    #[serde(with = "text")]
    pub from: Timestamp,
    /// Until when.
    #[serde(with = "text")]
    pub to: Timestamp,
    /// How long each span is.
    #[serde(rename = "resolution_seconds", with = "seconds")]
    pub resolution: Duration,
    /// Oldest first. Those in which nobody counted are absent.
    pub spans: Vec<OnlineSpanAnswer>,
    /// The most who were ever online at once.
    pub most_online: Option<MostOnlineAnswer>,
}

/// How many were online during a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlineSpanAnswer {
    /// When it began.
    #[serde(with = "text")]
    pub at: Timestamp,
    /// How many were online at the minute; of a longer span, at its busiest.
    pub online: u32,
    /// The most who were online at any second.
    pub peak: u32,
}

/// The most who were ever online at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MostOnlineAnswer {
    /// How many.
    pub online: u32,
    /// When that was reached first.
    #[serde(with = "text")]
    pub at: Timestamp,
}

/// How many different users were active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveAnswer {
    /// When this was so.
    #[serde(with = "text")]
    pub as_of: Timestamp,
    /// The day, in UTC.
    #[serde(with = "text")]
    pub day: Day,
    /// On that day.
    pub daily: Option<u64>,
    /// Within 7 days, that day the last; none where they aren't all kept any more.
    pub weekly: Option<u64>,
    /// Within 30 days, likewise.
    pub monthly: Option<u64>,
}

impl From<OnlineSpan> for OnlineSpanAnswer {
    fn from(span: OnlineSpan) -> Self {
        let OnlineSpan { at, online, peak, .. } = span;
        Self { at, online, peak }
    }
}

impl From<MostOnline> for MostOnlineAnswer {
    fn from(most: MostOnline) -> Self {
        let MostOnline { online, at } = most;
        Self { online, at }
    }
}

/// What prints and parses, as text.
mod text {
    use std::borrow::Cow;
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        Cow::<'de, str>::deserialize(from)?.parse().map_err(de::Error::custom)
    }

    /// The same, where there may be nothing.
    pub(super) mod optional {
        use super::{Deserialize, Deserializer, Display, FromStr, Serializer, de};

        #[expect(clippy::ref_option, reason = "serde's signature")]
        pub(in super::super) fn serialize<T: Display, S: Serializer>(
            value: &Option<T>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => to.collect_str(value),
                None => to.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
        where
            T: FromStr<Err: Display>,
            D: Deserializer<'de>,
        {
            Option::<String>::deserialize(from)?.map(|text| text.parse()).transpose().map_err(de::Error::custom)
        }
    }
}

/// A duration as seconds: a whole number where it is one.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        match duration.subsec_nanos() {
            0 => to.serialize_u64(duration.as_secs()),
            _ => to.serialize_f64(duration.as_secs_f64()),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(from)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn online(window: Duration) -> OnlineAnswer {
        OnlineAnswer {
            count: CountAnswer { as_of: Timestamp::from_micros(1_795_490_100_000_000), window, count: 2 },
            users: vec![OnlineUserAnswer {
                user: UserId::from(42_u32),
                name: Some("Ada".into()),
                last_activity_date: Timestamp::from_micros(1_795_490_099_500_000),
                last_activity_ip: "203.0.113.7".parse().ok(),
            }],
        }
    }

    #[test]
    fn the_fields_are_those_that_are_documented() {
        assert_eq!(
            serde_json::to_value(online(Duration::from_mins(15))).unwrap(),
            serde_json::json!({
                "as_of": "2026-11-24T03:15:00Z",
                "window_seconds": 900,
                "count": 2,
                "users": [{
                    "user": "42",
                    "name": "Ada",
                    "last_activity_date": "2026-11-24T03:14:59.5Z",
                    "last_activity_ip": "203.0.113.7",
                }],
            })
        );
    }

    #[test]
    fn what_is_written_can_be_read() {
        for window in [Duration::from_mins(15), Duration::from_millis(1500)] {
            let answer = online(window);
            let json = serde_json::to_string(&answer).unwrap();
            assert_eq!(serde_json::from_str::<OnlineAnswer>(&json).unwrap(), answer);
        }
        let seen = LastSeenAnswer {
            as_of: Timestamp::UNIX_EPOCH,
            user: UserId::from(42_u32),
            name: None,
            online: false,
            last_activity_date: Timestamp::UNIX_EPOCH,
            last_activity_ip: None,
            left_at: Some(Timestamp::UNIX_EPOCH),
        };
        let json = serde_json::to_string(&seen).unwrap();
        assert_eq!(serde_json::from_str::<LastSeenAnswer>(&json).unwrap(), seen);
    }
}
