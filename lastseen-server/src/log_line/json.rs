//! A JSON object a line, as nginx writes it with `escape=json`.

use std::borrow::Cow;
use std::fmt;
use std::str;

use lastseen::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::{Fault, LogLine, somebody};

pub(super) fn read(line: &[u8]) -> Result<LogLine<'_>, Fault> {
    if let Ok(line) = str::from_utf8(line) {
        return read_text(line);
    }
    // nginx passes bytes on as the client sent them.
    let text = String::from_utf8_lossy(line);
    let line = read_text(&text)?;
    let is_whole = |text: &str| !text.contains(char::REPLACEMENT_CHARACTER);
    if !line.user.as_deref().is_none_or(is_whole) {
        return Err(Fault::User);
    }
    let whole = |text: Cow<'_, str>| if is_whole(&text) { text.into_owned().into() } else { Cow::Borrowed("") };
    Ok(LogLine {
        user: line.user.map(whole),
        ip: line.ip,
        forwarded: whole(line.forwarded),
        method: whole(line.method),
        target: whole(line.target),
        status: line.status,
        at: line.at,
    })
}

fn read_text(line: &str) -> Result<LogLine<'_>, Fault> {
    let fields: Fields<'_> = serde_json::from_str(line).map_err(|_| Fault::NotJson)?;
    let Scalar(time) = fields.time;
    Ok(LogLine {
        user: somebody(fields.user.0),
        ip: fields.ip.0.parse().ok(),
        forwarded: fields.forwarded.0,
        method: fields.method.0,
        target: fields.uri.0,
        status: fields.status.0.parse().ok(),
        at: if time.is_empty() { None } else { Some(date(&time).ok_or(Fault::Date)?) },
    })
}

/// `1795490100.123`, or RFC 3339; within the calendar's years, so that there is a span between any two dates.
fn date(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) {
        return text.parse().ok();
    }
    // Six digits are microseconds.
    let micros = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    let micros = micros.fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0'));
    let micros = seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)?;
    let at = jiff::Timestamp::from_microsecond(micros).ok()?;
    Some(Timestamp::from_micros(at.as_microsecond()))
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    user: Scalar<'a>,
    #[serde(borrow, default)]
    ip: Scalar<'a>,
    #[serde(borrow, default)]
    forwarded: Scalar<'a>,
    #[serde(borrow, default)]
    method: Scalar<'a>,
    #[serde(borrow, default)]
    uri: Scalar<'a>,
    #[serde(borrow, default)]
    status: Scalar<'a>,
    #[serde(borrow, default)]
    time: Scalar<'a>,
}

/// Text, a number as text, or nothing as no text.
#[derive(Default)]
struct Scalar<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Scalar<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a number")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
                Ok(Scalar(text.into()))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Scalar<'de>, E> {
                Ok(Scalar(text.to_owned().into()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar<'de>, E> {
                Ok(Scalar(number.to_string().into()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar<'de>, E> {
                Ok(Scalar(number.to_string().into()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Scalar<'de>, E> {
                Ok(Scalar(number.to_string().into()))
            }

            fn visit_unit<E: Error>(self) -> Result<Scalar<'de>, E> {
                Ok(Scalar::default())
            }
        }

        from.deserialize_any(Text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_fields_are_those_that_are_documented() {
        let line = br#"{"user":"ada","ip":"203.0.113.7","method":"GET","uri":"/about?x=\"1\"","status":"200","time":"1795490100.123","forwarded":"1.1.1.1"}"#;
        assert_eq!(
            read(line),
            Ok(LogLine {
                user: Some("ada".into()),
                ip: "203.0.113.7".parse().ok(),
                forwarded: "1.1.1.1".into(),
                method: "GET".into(),
                target: "/about?x=\"1\"".into(),
                status: Some(200),
                at: Some(Timestamp::from_micros(1_795_490_100_123_000)),
            })
        );
    }

    #[test]
    fn numbers_may_be_bare_and_fields_left_out_or_added() {
        let read = |line: &'static str| read(line.as_bytes()).unwrap();
        let bare = read(r#"{"user":42,"status":200,"time":1795490100.123,"agent":{"name":["x"]}}"#);
        assert_eq!((bare.user.as_deref(), bare.status), (Some("42"), Some(200)));
        assert_eq!(bare.at, Some(Timestamp::from_micros(1_795_490_100_123_000)));
        assert_eq!(read(r#"{"user":"","ip":"unix:","time":null}"#), LogLine::default());
        let iso = read(r#"{"user":"-","time":"2026-11-24T04:15:00+01:00"}"#);
        assert_eq!((iso.user, iso.at), (None, "2026-11-24T03:15:00Z".parse().ok()));
    }

    #[test]
    fn other_lines_are_refused() {
        for (line, fault) in [
            (&b""[..], Fault::NotJson),
            (b"{", Fault::NotJson),
            (b"{}", Fault::NotJson),
            (br#"{"user":["ada"]}"#, Fault::NotJson),
            (br#"{"user":"ada"} x"#, Fault::NotJson),
            (br#"{"user":"ada","time":"noon"}"#, Fault::Date),
            (br#"{"user":"ada","time":"9223372036854.775807"}"#, Fault::Date),
            (br#"{"user":"ada","time":"99999999999999999999"}"#, Fault::Date),
            (b"{\"user\":\"a\xff\"}", Fault::User),
        ] {
            assert_eq!(read(line), Err(fault), "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn rule_10_a_path_that_is_not_utf_8_is_in_doubt() {
        let line = read(b"{\"user\":\"ada\",\"uri\":\"/static/\xff\"}").unwrap();
        assert_eq!((line.user.as_deref(), &*line.target), (Some("ada"), ""));
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_nothing_panics(bytes: Vec<u8>, cut in 0_usize..60, put in any::<u8>()) {
            let _ = read(&bytes);
            let mut line = br#"{"user":"ada","status":"200","time":"1795490100.123","uri":"/"}"#.to_vec();
            line[cut] = put;
            let _ = read(&line);
            line.truncate(cut);
            let _ = read(&line);
        }

        #[test]
        fn every_user_is_read_as_it_was_written(user: String) {
            let line = serde_json::json!({ "user": &user }).to_string();
            prop_assert_eq!(read(line.as_bytes()).unwrap().user, somebody(user.into()));
        }
    }
}
