//! Values that are read from text, wherever it stood: in a flag, a variable, the settings file, a query.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use axum::http::HeaderName;
use ipnet::IpNet;
use lastseen::{Day, ForwardedHeader, Resolution, Timestamp};
use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

/// What can be read from text, with a word to people where it can't.
pub(crate) trait Value: fmt::Display + Sized {
    /// The value that `text` stands for, or why it stands for none and what would.
    fn read(text: &str) -> Result<Self, String>;
}

fn read_as<T: FromStr>(text: &str, what: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is not {what}"))
}

/// The one of all values that is written as `text`.
pub(crate) fn one_of<T: fmt::Display, const N: usize>(all: [T; N], text: &str) -> Option<T> {
    all.into_iter().find(|value| value.to_string() == text)
}

/// A duration that people write: `15m`, `90s`, `1h 30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl Value for Span {
    fn read(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text)
            .map(Self)
            .map_err(|_| format!("{text:?} is not a duration with its unit, such as 15m or 90s"))
    }
}

impl Value for SocketAddr {
    fn read(text: &str) -> Result<Self, String> {
        read_as(text, "an address with a port, such as 127.0.0.1:7700 or [::1]:7700")
    }
}

impl Value for IpNet {
    fn read(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(address.into());
        }
        read_as(text, "a network, such as 10.0.0.0/8 or fd00::/8")
    }
}

impl Value for HeaderName {
    fn read(text: &str) -> Result<Self, String> {
        read_as(text, "the name of a header, such as Remote-User")
    }
}

impl Value for ForwardedHeader {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: lastseen::Error| error.to_string())
    }
}

impl Value for Timestamp {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: lastseen::Error| error.to_string())
    }
}

impl Value for Day {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: lastseen::Error| error.to_string())
    }
}

impl Value for Resolution {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: lastseen::Error| error.to_string())
    }
}

impl Value for usize {
    fn read(text: &str) -> Result<Self, String> {
        read_as(text, "a whole number")
    }
}

/// A name as it stands in a `Host` header, in lower case and without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// Whether this is the name that a client wrote, in whatever case.
    #[must_use]
    pub fn is(&self, host: &str) -> bool {
        self.0.eq_ignore_ascii_case(host)
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Value for HostName {
    fn read(text: &str) -> Result<Self, String> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if text.is_empty() || !text.bytes().all(is_allowed) {
            return Err(format!("{text:?} is not the bare name of a host, such as presence.example.com"));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

/// A file, or none where the text is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionalFile(pub Option<PathBuf>);

impl fmt::Display for OptionalFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|path| path.display().fmt(f))
    }
}

impl Value for OptionalFile {
    fn read(text: &str) -> Result<Self, String> {
        Ok(Self((!text.is_empty()).then(|| text.into())))
    }
}

/// Expressions are checked all together, once they are a set of rules.
impl Value for String {
    fn read(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

/// A single value.
pub(crate) mod one {
    use super::{Deserializer, OneVisitor, Value, fmt};
    use serde::Serializer;
    use std::marker::PhantomData;

    pub(crate) fn serialize<T: fmt::Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T: Value, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        from.deserialize_any(OneVisitor(PhantomData))
    }
}

/// A list: in the file an array; in a variable, values with white space between them.
pub(crate) mod many {
    use super::{Deserializer, ManyVisitor, Value, fmt};
    use serde::Serializer;
    use std::marker::PhantomData;

    pub(crate) fn serialize<T: fmt::Display, S: Serializer>(list: &[T], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(list.iter().map(ToString::to_string))
    }

    pub(crate) fn deserialize<'de, T: Value, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
        from.deserialize_any(ManyVisitor(PhantomData))
    }
}

/// A single value, where no field says how to read it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(bound = "T: Value")]
pub(crate) struct Text<T>(#[serde(deserialize_with = "one::deserialize")] pub(crate) T);

struct OneVisitor<T>(std::marker::PhantomData<T>);

impl<T: Value> Visitor<'_> for OneVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a single value")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::read(text).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<T, E> {
        self.visit_str(&truth.to_string())
    }
}

struct ManyVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Value> Visitor<'de> for ManyVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of values")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
        text.split_whitespace().map(T::read).collect::<Result<_, _>>().map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(text) = items.next_element::<String>()? {
            list.push(T::read(&text).map_err(de::Error::custom)?);
        }
        Ok(list)
    }
}
