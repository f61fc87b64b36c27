//! Common log format, read from both ends of what a client may have put into it.

use std::borrow::Cow;
use std::str;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use lastseen::Timestamp;
use memchr::{memchr, memchr_iter};

use super::{Fault, LogLine, somebody};

/// The bytes of `[24/Nov/2026:03:15:00 +0000] "`.
const DATE: usize = 30;

pub(super) fn read(line: &[u8]) -> Result<LogLine<'_>, Fault> {
    let host = memchr(b' ', line).ok_or(Fault::NotCommon)?;
    // A user may have spaces and brackets in their name, but no quote, which servers escape.
    let (date, at) = memchr_iter(b'[', line)
        .filter(|start| *start > host && line[start - 1] == b' ')
        .find_map(|start| Some((start, date(line.get(start..start + DATE)?)?)))
        .ok_or(Fault::NotCommon)?;
    let user = line.get(host + 1..date - 1).and_then(|both| Some(&both[memchr(b' ', both)? + 1..]));
    let user = unescaped(user.ok_or(Fault::NotCommon)?).ok_or(Fault::User)?;
    let rest = &line[date + DATE..];
    let request = &rest[..closing_quote(rest).ok_or(Fault::NotCommon)?];
    let (method, target) = method_and_target(request);
    Ok(LogLine {
        user: somebody(user).filter(|user| user != "\"\""),
        ip: str::from_utf8(&line[..host]).ok().and_then(|host| host.parse().ok()),
        forwarded: Cow::Borrowed(""),
        method: unescaped(method).unwrap_or_default(),
        target: unescaped(target).unwrap_or_default(),
        status: rest.get(request.len() + 2..).and_then(status),
        at: Some(at),
    })
}

fn date(text: &[u8]) -> Option<Timestamp> {
    let text: &[u8; DATE] = text.try_into().ok()?;
    // The places of digits are checked by `number`.
    let frame =
        [(0, b'['), (3, b'/'), (7, b'/'), (12, b':'), (15, b':'), (18, b':'), (21, b' '), (27, b']'), (28, b' ')];
    if text[DATE - 1] != b'"' || frame.iter().any(|(place, byte)| text[*place] != *byte) {
        return None;
    }
    let month = match &text[4..7] {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    };
    let two = |place: usize| number(&text[place..place + 2]).and_then(|number| i8::try_from(number).ok());
    // A leap second is the last of its minute.
    let second = two(19)?.min(59);
    let local = DateTime::new(number(&text[8..12])?, month, two(1)?, two(13)?, two(16)?, second, 0).ok()?;
    let east = match text[22] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let offset = i32::from(two(23)?) * 3600 + i32::from(two(25)?) * 60;
    let at = Offset::from_seconds(east * offset).ok()?.to_timestamp(local).ok()?;
    Some(Timestamp::from_micros(at.as_microsecond()))
}

fn number(digits: &[u8]) -> Option<i16> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + i16::from(digit))
    })
}

/// Where the quote is that ends a quoted field, given the text after the one that begins it.
fn closing_quote(text: &[u8]) -> Option<usize> {
    memchr_iter(b'"', text).find(|quote| {
        let escapes = text[..*quote].iter().rev().take_while(|byte| **byte == b'\\').count();
        escapes % 2 == 0
    })
}

/// Of `GET /about HTTP/1.1`; both empty where it is nothing of the kind.
fn method_and_target(request: &[u8]) -> (&[u8], &[u8]) {
    let Some(space) = memchr(b' ', request) else { return (b"", b"") };
    let (method, rest) = (&request[..space], &request[space + 1..]);
    let protocol = rest.iter().rposition(|byte| *byte == b' ').filter(|space| rest[space + 1..].starts_with(b"HTTP/"));
    (method, &rest[..protocol.unwrap_or(rest.len())])
}

/// Three digits that nothing goes on after.
fn status(text: &[u8]) -> Option<u16> {
    let digits = text.get(..3).filter(|_| text.get(3).is_none_or(|byte| *byte == b' '))?;
    number(digits).and_then(|status| u16::try_from(status).ok())
}

/// Text without the escapes of Apache and nginx: `\xHH` for a byte, a backslash before quotes and itself. `None` where
/// that is not UTF-8.
fn unescaped(text: &[u8]) -> Option<Cow<'_, str>> {
    let Some(first) = memchr(b'\\', text) else { return str::from_utf8(text).ok().map(Cow::Borrowed) };
    let mut plain = text[..first].to_vec();
    let mut rest = &text[first..];
    loop {
        rest = match rest {
            [] => return String::from_utf8(plain).ok().map(Cow::Owned),
            [b'\\', b'x', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |digit: &u8| (*digit as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                plain.push(digit(high)? << 4 | digit(low)?);
                rest
            }
            [b'\\', escaped @ (b'"' | b'\\'), rest @ ..] => {
                plain.push(*escaped);
                rest
            }
            [byte, rest @ ..] => {
                plain.push(*byte);
                rest
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(user: &str, request: &str) -> String {
        format!(r#"203.0.113.7 - {user} [24/Nov/2026:04:15:00 +0100] "{request}" 200 5120 "-" "a "b" [c] \"d""#)
    }

    fn read_text(line: &str) -> LogLine<'_> {
        read(line.as_bytes()).unwrap_or_else(|fault| panic!("{line}: {fault}"))
    }

    #[test]
    fn the_fields_are_found() {
        assert_eq!(
            read_text(&line("ada", "GET /about?x=1 HTTP/1.1")),
            LogLine {
                user: Some("ada".into()),
                ip: "203.0.113.7".parse().ok(),
                forwarded: "".into(),
                method: "GET".into(),
                target: "/about?x=1".into(),
                status: Some(200),
                at: "2026-11-24T03:15:00Z".parse().ok(),
            }
        );
        let short = read_text(r#"::1 - - [24/Nov/2026:03:15:00 +0000] "GET /" 200"#);
        assert_eq!((short.user, short.ip, &*short.target), (None, "::1".parse().ok(), "/"));
        assert_eq!(short.status, Some(200));
    }

    #[test]
    fn nothing_is_copied_unless_it_was_escaped() {
        let line = line("ada", "GET /about HTTP/1.1");
        let read = read_text(&line);
        assert!(matches!((read.user, read.target), (Some(Cow::Borrowed(_)), Cow::Borrowed(_))));
    }

    #[test]
    fn zones_are_taken_off() {
        for (date, utc) in [
            ("24/Nov/2026:04:15:00 +0100", "2026-11-24T03:15:00Z"),
            ("23/Nov/2026:17:45:00 -0930", "2026-11-24T03:15:00Z"),
            ("31/Dec/2016:23:59:60 +0000", "2016-12-31T23:59:59Z"),
            ("29/Feb/2024:00:00:00 +0000", "2024-02-29T00:00:00Z"),
        ] {
            let line = format!(r#"::1 - - [{date}] "GET / HTTP/1.0" 200 1"#);
            assert_eq!(read_text(&line).at, utc.parse().ok(), "{line}");
        }
    }

    #[test]
    fn who_writes_what_into_their_name_stays_in_it() {
        for (written, user) in [
            ("ada lovelace", "ada lovelace"),
            (r"J\xc3\xbcrgen", "Jürgen"),
            (r#"a\"b\\"#, r#"a"b\"#),
            ("[x]", "[x]"),
            (r"eve [24/Nov/2020:03:15:00 +0000] \x22GET", "eve [24/Nov/2020:03:15:00 +0000] \"GET"),
        ] {
            assert_eq!(read_text(&line(written, "GET / HTTP/1.1")).user.as_deref(), Some(user));
        }
        for nobody in ["-", "", "\"\""] {
            assert_eq!(read_text(&line(nobody, "GET / HTTP/1.1")).user, None);
        }
        assert_eq!(read(line(r"\xff", "GET / HTTP/1.1").as_bytes()), Err(Fault::User));
    }

    #[test]
    fn requests_that_are_none_have_no_target() {
        for (request, method, target) in [
            (r"\x16\x03\x01", "", ""),
            ("", "", ""),
            ("-", "", ""),
            (r"GET /\xff HTTP/1.1", "GET", ""),
            (r#"GET /a\"b HTTP/1.1"#, "GET", "/a\"b"),
            ("GET /a b HTTP/1.1", "GET", "/a b"),
            ("GET http://a/b HTTP/1.1", "GET", "http://a/b"),
        ] {
            let line = line("ada", request);
            let read = read_text(&line);
            assert_eq!((&*read.method, &*read.target), (method, target), "{request}");
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for line in [
            "",
            " ",
            "no log",
            r#"::1 - ada [24/Nov/2026:03:15:00] "GET / HTTP/1.1" 200 1"#,
            r#"::1 - ada [31/Nov/2026:03:15:00 +0000] "GET / HTTP/1.1" 200 1"#,
            r#"::1 - ada [24/Nov/2026:24:15:00 +0000] "GET / HTTP/1.1" 200 1"#,
            r#"::1 - ada [24/Nov/2026:03:15:00 +0000] "GET / HTTP/1.1"#,
            r#"::1 [24/Nov/2026:03:15:00 +0000] "GET / HTTP/1.1" 200 1"#,
        ] {
            assert_eq!(read(line.as_bytes()), Err(Fault::NotCommon), "{line}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_nothing_panics(bytes: Vec<u8>, cut in 0_usize..120, put in any::<u8>()) {
            let _ = read(&bytes);
            let mut line = line("ada", "GET /about HTTP/1.1").into_bytes();
            let place = cut.min(line.len() - 1);
            line[place] = put;
            let _ = read(&line);
            line.truncate(place);
            let _ = read(&line);
        }

        #[test]
        fn every_second_is_read_as_it_was_written(second in 0_i64..4_102_444_800, offset in -720_i32..=840) {
            let at = jiff::Timestamp::from_second(second).unwrap();
            let date = Offset::from_seconds(offset * 60).unwrap().to_datetime(at).strftime("%d/%b/%Y:%H:%M:%S");
            let sign = if offset < 0 { '-' } else { '+' };
            let zone = format!("{sign}{:02}{:02}", offset.abs() / 60, offset.abs() % 60);
            let line = format!(r#"::1 - ada [{date} {zone}] "GET / HTTP/1.0" 200 1"#);
            prop_assert_eq!(read_text(&line).at, Some(Timestamp::from_micros(second * 1_000_000)));
        }

        #[test]
        fn every_user_is_read_as_nginx_writes_it(user in "\\PC{1,20}") {
            let written: String = user.bytes().map(|byte| match byte {
                b'"' | b'\\' | 0x7f.. => format!("\\x{byte:02X}"),
                byte => char::from(byte).to_string(),
            }).collect();
            let line = line(&written, "GET / HTTP/1.1");
            prop_assert_eq!(read_text(&line).user, somebody(user.into()));
        }
    }
}
