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
    #[expect(clippy::inline_always, reason = "a call's copy of the result takes longer than the rest")]
    #[inline(always)]
    pub fn new(id: &str) -> Result<Self, Error> {
        let length = id.len();
        // Each case makes the id where it is returned: to copy it would cost as much as the rest.
        if let Some(padded) = plain::short(id.as_bytes()) {
            let mut bytes = [0; INLINE];
            bytes[..16].copy_from_slice(&padded.to_le_bytes());
            #[expect(clippy::cast_possible_truncation, reason = "at most 16")]
            return Ok(Self(Text::Inline { length: length as u8, bytes }));
        }
        if let Some(uuid) = plain::as_long_as_a_uuid(id.as_bytes()) {
            let mut bytes = [0; INLINE];
            bytes[..36].copy_from_slice(uuid);
            return Ok(Self(Text::Inline { length: 36, bytes }));
        }
        Self::checked(id)
    }

    /// Takes a key of another length, or with more than printable ASCII in it.
    #[cold]
    fn checked(id: &str) -> Result<Self, Error> {
        if (1..=Self::MAX_BYTES).contains(&id.len()) && !id.chars().any(char::is_control) {
            return Ok(Self::from_valid(id));
        }
        Err(Self::refuse(id))
    }

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

/// The ids that most sites have, of printable ASCII, looked at some bytes at a time.
mod plain {
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }

    /// One to sixteen bytes padded with zeros, the first lowest. What is read twice makes up for lengths that no register
    /// has.
    #[inline]
    pub(super) fn short(id: &[u8]) -> Option<u128> {
        let length = id.len();
        let (padded, all) = match length {
            8..=16 => {
                let (first, last) = (u64::from_le_bytes(*id.first_chunk()?), u64::from_le_bytes(*id.last_chunk()?));
                (u128::from(first) | u128::from(last) << (8 * (length - 8)), others(first) | others(last))
            }
            4..8 => {
                let (first, last) = (u32::from_le_bytes(*id.first_chunk()?), u32::from_le_bytes(*id.last_chunk()?));
                let (first, last) = (u64::from(first), u64::from(last));
                ((first | last << (8 * (length - 4))).into(), others(first | last << 32))
            }
            1..4 => {
                let [first, middle, last] = [0, length / 2, length - 1].map(|place| u64::from(id[place]));
                let padded = first | middle << (8 * (length / 2)) | last << (8 * (length - 1));
                (padded.into(), others(first | middle << 8 | last << 16 | each(b' ') << 24))
            }
            _ => return None,
        };
        (all == 0).then_some(padded)
    }

    /// The 36 bytes of a UUID's text, which needn't be one.
    #[inline]
    pub(super) fn as_long_as_a_uuid(id: &[u8]) -> Option<&[u8; 36]> {
        let uuid: &[u8; 36] = id.try_into().ok()?;
        let (chunks, _) = uuid.as_chunks();
        let chunks = chunks.iter().chain(uuid.last_chunk());
        let all = chunks.fold(0, |all, chunk| all | others(u64::from_le_bytes(*chunk)));
        (all == 0).then_some(uuid)
    }

    /// Zero where all bytes of a word are printable ASCII: of others, the lowest sets its upper bit, whatever lies above.
    #[inline]
    const fn others(word: u64) -> u64 {
        (word.wrapping_sub(each(0x20)) | word.wrapping_add(each(0x01)) | word) & each(0x80)
    }
}

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
            assert_eq!(id.padded().is_some(), length <= 16);
            let padded: Vec<u8> = text.bytes().chain(std::iter::repeat(0)).take(16).collect();
            assert!(id.padded().is_none_or(|bytes| bytes[..] == padded));
        }
    }

    /// Each byte at each place of ids of each length: refused where it is a control character, kept otherwise.
    #[test]
    fn what_is_refused_is_refused_anywhere() {
        for length in 1..=48 {
            for place in 0..length {
                for byte in 0..0x80_u8 {
                    let mut text = vec![b'~'; length];
                    text[place] = byte;
                    let text = String::from_utf8(text).unwrap();
                    let id = UserId::new(&text);
                    assert_eq!(id.is_err(), byte.is_ascii_control(), "{text:?}");
                    assert!(id.is_err() || id.unwrap().as_str() == text);
                }
                let text = format!("{}é{}", " ".repeat(place), " ".repeat(length - 1 - place));
                assert_eq!(UserId::new(&text).unwrap().as_str(), text);
            }
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
