//! A user's name in the site's own words, validated once.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use crate::Error;

/// Ids up to this many bytes are held inline: decimal keys, UUIDs, ULIDs and most names.
const INLINE: usize = 38;

/// Which user: the site's own key as text, 1 to 128 bytes of UTF-8 without control characters.
///
/// Ids of up to 38 bytes (a UUID's text has 36) are held inline, so making one allocates nothing; a clone of a longer
/// one shares its text.
///
/// ```
/// use lastseen::UserId;
///
/// let by_name = UserId::new("ada")?;
/// let by_key = UserId::from(42_u64);
/// assert_eq!((by_name.as_str(), by_key.as_str()), ("ada", "42"));
/// assert!(UserId::new("two\nlines").is_err());
/// # Ok::<(), lastseen::Error>(())
/// ```
#[derive(Clone)]
pub struct UserId(Text);

#[derive(Clone)]
enum Text {
    Inline { length: u8, bytes: [u8; INLINE] },
    Shared(Arc<str>),
}

impl UserId {
    /// The most bytes that an id may have.
    pub const MAX_BYTES: usize = 128;

    /// Takes a user's key.
    ///
    /// # Errors
    ///
    /// Where it is empty, longer than [`MAX_BYTES`](Self::MAX_BYTES), or has a control character.
    #[inline]
    pub fn new(id: &str) -> Result<Self, Error> {
        let control = |byte: &u8| *byte < 0x20 || *byte == 0x7f;
        let length = 1..=Self::MAX_BYTES;
        // Bytes below 0x80 stand for themselves, and only from there on need characters be looked at.
        if length.contains(&id.len())
            && !id.as_bytes().iter().any(control)
            && (id.is_ascii() || !id.chars().any(char::is_control))
        {
            return Ok(Self::from_valid(id));
        }
        Err(Self::refuse(id))
    }

    #[cold]
    fn refuse(id: &str) -> Error {
        if id.is_empty() {
            return Error::invalid("a user id is empty: it must have 1 to 128 bytes");
        }
        if id.len() > Self::MAX_BYTES {
            let start: String = id.chars().take(20).collect();
            return Error::invalid(format!(
                "the user id {start:?}... has {} bytes: it may have at most {}",
                id.len(),
                Self::MAX_BYTES
            ));
        }
        Error::invalid(format!("the user id {id:?} has a control character: it may have none"))
    }

    #[inline]
    fn from_valid(id: &str) -> Self {
        Self(match u8::try_from(id.len()) {
            Ok(length) if id.len() <= INLINE => {
                let mut bytes = [0; INLINE];
                bytes[..id.len()].copy_from_slice(id.as_bytes());
                Text::Inline { length, bytes }
            }
            _ => Text::Shared(id.into()),
        })
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // Inline bytes are copied from a `str` whole, so this can't fail.
            Text::Inline { length, bytes } => std::str::from_utf8(&bytes[..usize::from(*length)]).unwrap_or_default(),
            Text::Shared(text) => text,
        }
    }

    /// The id that had these bytes.
    pub(crate) fn from_valid_bytes(id: &[u8]) -> Self {
        Self::from_valid(std::str::from_utf8(id).unwrap_or_default())
    }

    /// The id that had this text.
    pub(crate) fn from_shared(id: Arc<str>) -> Self {
        if id.len() <= INLINE { Self::from_valid(&id) } else { Self(Text::Shared(id)) }
    }

    /// The id's text, shared with it where it is long.
    pub(crate) fn to_shared(&self) -> Arc<str> {
        match &self.0 {
            Text::Inline { .. } => self.as_str().into(),
            Text::Shared(text) => Arc::clone(text),
        }
    }

    /// The bytes of an id of at most sixteen, padded with zeros.
    pub(crate) fn padded(&self) -> Option<[u8; 16]> {
        match &self.0 {
            // What lies behind an inline id is zeros already, so the length to copy is fixed.
            Text::Inline { length: 0..=16, bytes } => bytes.first_chunk().copied(),
            _ => None,
        }
    }

    /// The id's bytes, without the check that [`as_str`](Self::as_str) must make.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Text::Inline { length, bytes } => &bytes[..usize::from(*length)],
            Text::Shared(text) => text.as_bytes(),
        }
    }
}

/// By the bytes of the text, as every store orders them.
impl Ord for UserId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl PartialOrd for UserId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for UserId {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for UserId {}

/// As `str` hashes, so that a map keyed by ids can be asked with text.
impl Hash for UserId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Borrow<str> for UserId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for UserId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl FromStr for UserId {
    type Err = Error;

    fn from_str(id: &str) -> Result<Self, Error> {
        Self::new(id)
    }
}

impl TryFrom<&str> for UserId {
    type Error = Error;

    fn try_from(id: &str) -> Result<Self, Error> {
        Self::new(id)
    }
}

impl TryFrom<String> for UserId {
    type Error = Error;

    fn try_from(id: String) -> Result<Self, Error> {
        Self::new(&id)
    }
}

/// Numeric keys, as their decimal text.
macro_rules! from_integer {
    ($($integer:ty),*) => {$(
        impl From<$integer> for UserId {
            fn from(id: $integer) -> Self {
                Self::from_valid(itoa::Buffer::new().format(id))
            }
        }
    )*};
}

from_integer!(u32, i32, u64, i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_128_bytes() {
        assert!(UserId::new("").is_err());
        assert!(UserId::new(&"é".repeat(64)).is_ok());
        let error = UserId::new(&"x".repeat(129)).unwrap_err();
        assert!(error.to_string().contains("129 bytes"), "{error}");
    }

    #[test]
    fn control_characters_are_named() {
        for id in ["a\0b", "tab\t", "\u{85}"] {
            let error = UserId::new(id).unwrap_err();
            assert!(error.to_string().contains(&format!("{id:?}")), "{error}");
        }
    }

    #[test]
    fn text_survives_at_every_length() {
        for length in 1..=UserId::MAX_BYTES {
            let text: String = ('a'..='z').cycle().take(length).collect();
            let id = UserId::new(&text).unwrap();
            assert_eq!(id.as_str(), text);
            assert_eq!(id.clone(), id);
        }
    }

    #[test]
    fn order_is_the_texts() {
        let mut ids = ["b", "a", "10", "9", "é"].map(|id| UserId::new(id).unwrap());
        ids.sort();
        assert_eq!(ids.map(|id| id.to_string()), ["10", "9", "a", "b", "é"]);
    }

    #[test]
    fn integers_are_decimal() {
        assert_eq!(UserId::from(i64::MIN).as_str(), "-9223372036854775808");
        assert_eq!(UserId::from(u64::MAX).as_str(), "18446744073709551615");
    }
}
