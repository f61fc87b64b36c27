//! Ids and dates as serde has them: text, as people write them.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::{Timestamp, UserId};

/// The id's text.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Text that [`UserId::new`] takes.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text("a user id", PhantomData))
    }
}

/// RFC 3339 in UTC. A moment outside the years -9999 to 9999 is an error.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let at = jiff::Timestamp::from_microsecond(self.as_micros()).map_err(S::Error::custom)?;
        serializer.collect_str(&at)
    }
}

/// RFC 3339 with an offset.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text("a date in RFC 3339", PhantomData))
    }
}

/// Reads what is said to be expected, as its type parses it.
struct Text<T>(&'static str, PhantomData<T>);

impl<T: FromStr<Err = crate::Error>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;

    use super::*;
    use crate::{Activity, Profile, Record, Seen};

    fn both_ways<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, json: &str) {
        assert_eq!(serde_json::to_string(value).unwrap(), json);
        assert_eq!(serde_json::from_str::<T>(json).unwrap(), *value);
    }

    #[test]
    fn ids_and_dates_are_text() {
        both_ways(&UserId::new("ad\"a").unwrap(), r#""ad\"a""#);
        both_ways(&Timestamp::from_micros(1_795_490_100_123_456), r#""2026-11-24T03:15:00.123456Z""#);
        for wrong in [r#""""#, "42", r#""two\nlines""#] {
            assert!(serde_json::from_str::<UserId>(wrong).is_err(), "{wrong}");
        }
        let error = serde_json::from_str::<Timestamp>(r#""yesterday""#).unwrap_err();
        assert!(error.to_string().contains("RFC 3339"), "{error}");
        assert!(serde_json::to_string(&Timestamp::MAX).is_err());
    }

    #[test]
    fn records_and_profiles_are_what_their_fields_are() {
        let (user, at) = (UserId::from(42_u32), Timestamp::UNIX_EPOCH);
        let ip = "2001:db8::7".parse().ok();
        let date = r#""1970-01-01T00:00:00Z""#;
        both_ways(
            &Activity { user: user.clone(), at, ip },
            &format!(r#"{{"user":"42","at":{date},"ip":"2001:db8::7"}}"#),
        );
        both_ways(
            &Record { user, seen: Some(Seen { at, ip: None }), left_at: Some(at) },
            &format!(r#"{{"user":"42","seen":{{"at":{date},"ip":null}},"left_at":{date}}}"#),
        );
        both_ways(&Profile::named("Ada").hidden(true), r#"{"name":"Ada","active":true,"hidden":true}"#);
        assert_eq!(serde_json::from_str::<Profile>("{}").unwrap(), Profile::new());
    }
}
