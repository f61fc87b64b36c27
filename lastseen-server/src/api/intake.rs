//! Touches as they come in: one JSON object, or one a line; all of them right, or none is taken.

use std::fmt;
use std::iter;
use std::net::IpAddr;

use lastseen::{Activity, MAX_AHEAD, Timestamp, UserId};
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, Visitor};

use super::Problem;
use super::body::{JsonBody, Notation, from_json};

/// `{"user":1}` and its end.
const SHORTEST_LINE: usize = 11;

/// One touch. Reading it allocates nothing for an id of the usual length.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Touch {
    #[serde(deserialize_with = "user_id")]
    user: UserId,
    #[serde(default, deserialize_with = "address")]
    ip: Option<IpAddr>,
    #[serde(default, deserialize_with = "date")]
    at: Option<Timestamp>,
}

/// The activities that a body reports; those without a date are of `now`.
pub(super) fn activities(body: &JsonBody, now: Timestamp) -> Result<Vec<Activity>, Problem> {
    if !has_lines(body) {
        return Ok(vec![activity(&body.bytes, now)?]);
    }
    // To let it grow is to copy it some times over; and blank lines, which may be many, need no room.
    let ends = memchr::memchr_iter(b'\n', &body.bytes).count();
    let mut activities = Vec::with_capacity(ends.min(body.bytes.len() / SHORTEST_LINE) + 1);
    for (number, line) in lines(&body.bytes) {
        activities.push(activity(line, now).map_err(|problem| problem.at_line(number))?);
    }
    if activities.is_empty() {
        return Err(nothing());
    }
    Ok(activities)
}

/// A single object may be spread over lines; where the first line is whole by itself, each of them is one.
fn has_lines(body: &JsonBody) -> bool {
    if body.notation == Notation::NdJson {
        return true;
    }
    // As a rule there is no other, and that is told sooner than where lines end.
    if memchr::memchr(b'\n', &body.bytes).is_none() {
        return false;
    }
    let mut lines = lines(&body.bytes);
    let first = lines.next();
    let has_more = lines.next().is_some();
    has_more && first.is_some_and(|(_, line)| serde_json::from_slice::<IgnoredAny>(line).is_ok())
}

/// The lines that aren't blank, and their numbers from 1.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = Some(bytes);
    let lines = iter::from_fn(move || {
        let text = rest?;
        let end = memchr::memchr(b'\n', text);
        rest = end.map(|end| &text[end + 1..]);
        Some(&text[..end.unwrap_or(text.len())])
    });
    (1..).zip(lines).filter(|(_, line)| !line.trim_ascii().is_empty())
}

fn nothing() -> Problem {
    Problem::unreadable(r#"the body is empty: send {"user": "42"}"#)
}

fn activity(json: &[u8], now: Timestamp) -> Result<Activity, Problem> {
    match json.trim_ascii_start().first() {
        None => return Err(nothing()),
        // Derived code would read an array as the fields in their order.
        Some(b'[') => return Err(Problem::invalid("an array is not taken: send one object a line")),
        Some(_) => {}
    }
    let Touch { user, ip, at } = serde_json::from_slice(json).map_err(|error| from_json(&error))?;
    let at = at.unwrap_or(now);
    if at > now + MAX_AHEAD {
        return Err(Problem::invalid(format!(
            "the date {at} is more than {} s ahead of this server's clock, which says {now}",
            MAX_AHEAD.as_secs()
        )));
    }
    Ok(Activity { user, at, ip })
}

/// A user's key, as text or as a whole number.
pub(super) fn user_id<'de, D: Deserializer<'de>>(from: D) -> Result<UserId, D::Error> {
    struct UserVisitor;

    impl Visitor<'_> for UserVisitor {
        type Value = UserId;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a user id, which is text or a whole number")
        }

        fn visit_str<E: de::Error>(self, id: &str) -> Result<UserId, E> {
            UserId::new(id).map_err(E::custom)
        }

        fn visit_u64<E: de::Error>(self, id: u64) -> Result<UserId, E> {
            Ok(id.into())
        }

        fn visit_i64<E: de::Error>(self, id: i64) -> Result<UserId, E> {
            Ok(id.into())
        }
    }

    from.deserialize_any(UserVisitor)
}

fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<IpAddr>, D::Error> {
    from.deserialize_option(Parsed("an address such as 203.0.113.7 or 2001:db8::7", |text| text.parse().ok()))
}

fn date<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    from.deserialize_option(Parsed("a date in RFC 3339 such as 2026-11-24T03:15:00Z", |text| text.parse().ok()))
}

/// What may be absent or null, and otherwise is text that stands for a `T`: a word for what, and how to read it.
struct Parsed<T>(&'static str, fn(&str) -> Option<T>);

impl<'de, T> Visitor<'de> for Parsed<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_none<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Option<T>, D::Error> {
        from.deserialize_str(self)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<T>, E> {
        (self.1)(text).map(Some).ok_or_else(|| E::custom(format!("{text:?} is not {}", self.0)))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_490_100_000_000);

    fn read(notation: Notation, body: &str) -> Result<Vec<Activity>, Problem> {
        activities(&JsonBody { notation, bytes: body.to_owned().into() }, NOW)
    }

    fn users(notation: Notation, body: &str) -> Vec<String> {
        read(notation, body).unwrap().into_iter().map(|activity| activity.user.to_string()).collect()
    }

    #[test]
    fn one_object_may_spread_over_lines() {
        let body = "{\n \"user\": \"ada\",\n \"ip\": \"203.0.113.7\",\n \"at\": \"2026-11-24T03:14:00Z\"\n}\n";
        let activity = Activity {
            user: UserId::new("ada").unwrap(),
            at: "2026-11-24T03:14:00Z".parse().unwrap(),
            ip: "203.0.113.7".parse().ok(),
        };
        assert_eq!(read(Notation::Json, body).unwrap(), [activity]);
    }

    #[test]
    fn ids_may_be_numbers_and_the_rest_absent_or_null() {
        let activities = read(Notation::Json, r#"{"user":42,"ip":null,"at":null}"#).unwrap();
        assert_eq!(activities, [Activity { user: UserId::from(42_u32), at: NOW, ip: None }]);
        assert_eq!(users(Notation::Json, r#"{"user":-1}"#), ["-1"]);
        assert_eq!(users(Notation::Json, r#"{"user":"\u00e9\ud83d\ude00"}"#), ["é😀"]);
    }

    #[test]
    fn several_lines_are_several_touches_whatever_they_are_called() {
        let body = "{\"user\":\"a\"}\r\n\n  {\"user\":2}\n";
        for notation in [Notation::Json, Notation::NdJson] {
            assert_eq!(users(notation, body), ["a", "2"]);
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let long = format!(r#"{{"user":"{}"}}"#, "x".repeat(129));
        for (line, status, named) in [
            (r#"{"user":"#, StatusCode::BAD_REQUEST, "not JSON, at column 8"),
            (r#"{"user":""}"#, StatusCode::UNPROCESSABLE_ENTITY, "empty"),
            (long.as_str(), StatusCode::UNPROCESSABLE_ENTITY, "129 bytes"),
            (r#"{"user":"a\u0007"}"#, StatusCode::UNPROCESSABLE_ENTITY, r#""a\u{7}""#),
            (r#"{"user":1.5}"#, StatusCode::UNPROCESSABLE_ENTITY, "1.5"),
            (r#"{"user":null}"#, StatusCode::UNPROCESSABLE_ENTITY, "user id"),
            (r#"{"ip":"203.0.113.7"}"#, StatusCode::UNPROCESSABLE_ENTITY, "`user`"),
            (r#"{"user":1,"time":2}"#, StatusCode::UNPROCESSABLE_ENTITY, "`time`"),
            (r#"{"user":1,"ip":"999.1.1.1"}"#, StatusCode::UNPROCESSABLE_ENTITY, "\"999.1.1.1\" is not an address"),
            (r#"{"user":1,"at":"noon"}"#, StatusCode::UNPROCESSABLE_ENTITY, "\"noon\" is not a date"),
            (r#"{"user":1,"at":7}"#, StatusCode::UNPROCESSABLE_ENTITY, "date"),
            (r#"{"user":1,"at":"2026-11-24T03:15:05.000001Z"}"#, StatusCode::UNPROCESSABLE_ENTITY, "more than 5 s"),
            (r#"["a"]"#, StatusCode::UNPROCESSABLE_ENTITY, "array"),
        ] {
            let problem = read(Notation::Json, line).unwrap_err();
            assert_eq!(problem.status(), status, "{line}");
            assert!(problem.detail().contains(named), "{line}: {problem:?}");

            let body = format!("{{\"user\":1}}\n\n{line}\n{{\"user\":2}}");
            let problem = read(Notation::NdJson, &body).unwrap_err();
            assert!(problem.detail().starts_with("line 3: "), "{problem:?}");
            assert!(problem.detail().contains(named), "{line}: {problem:?}");
        }
    }

    #[test]
    fn five_seconds_ahead_is_let_pass() {
        assert!(read(Notation::Json, r#"{"user":1,"at":"2026-11-24T03:15:05Z"}"#).is_ok());
    }

    #[test]
    fn an_empty_body_says_what_to_send() {
        for notation in [Notation::Json, Notation::NdJson] {
            for body in ["", " \n\n"] {
                assert!(read(notation, body).unwrap_err().detail().contains(r#"{"user": "42"}"#));
            }
        }
    }
}
