//! A user id as memory holds and finds it: sixteen bytes, whatever its text.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::SeedableRandomState;

use crate::UserId;

/// An id's sixteen bytes. What they mean is told by a [`Kind`] beside them.
pub(super) type Words = [u64; 2];

/// How an id is put into [`Words`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Up to 16 bytes of text, padded with zeros, which no id contains.
    Short,
    /// The bytes of a UUID whose text is in lower case with hyphens.
    Uuid,
    /// The hash of the text, and where in [`LongIds`] it is.
    Long,
}

/// An id, ready to be looked for.
pub(super) struct Key<'a> {
    pub id: &'a UserId,
    pub hash: u64,
    pub words: Words,
    pub kind: Kind,
}

impl<'a> Key<'a> {
    #[inline]
    pub(super) fn new(id: &'a UserId, hasher: &SeedableRandomState) -> Self {
        if let Some(padded) = id.padded() {
            return Self::of_words(id, words(padded), Kind::Short, hasher);
        }
        let bytes = id.as_bytes();
        if let Some(uuid) = uuid::parse(bytes) {
            return Self::of_words(id, uuid, Kind::Uuid, hasher);
        }
        let hash = hasher.hash_one(bytes);
        Self { id, hash, words: [hash, 0], kind: Kind::Long }
    }

    #[inline]
    fn of_words(id: &'a UserId, words: Words, kind: Kind, hasher: &SeedableRandomState) -> Self {
        Self { id, hash: hash(words, kind, hasher), words, kind }
    }
}

/// The hash of an id that is held so.
#[inline]
pub(super) fn hash(words: Words, kind: Kind, hasher: &SeedableRandomState) -> u64 {
    match kind {
        Kind::Short | Kind::Uuid => {
            let mut hasher = hasher.build_hasher();
            hasher.write_u64(words[0]);
            hasher.write_u64(words[1]);
            hasher.finish()
        }
        Kind::Long => words[0],
    }
}

fn words(bytes: [u8; 16]) -> Words {
    halves(u128::from_be_bytes(bytes))
}

fn bytes(words: Words) -> [u8; 16] {
    whole(words).to_be_bytes()
}

/// The upper and the lower half.
#[expect(clippy::cast_possible_truncation, reason = "each cast takes one half")]
pub(super) const fn halves(bits: u128) -> [u64; 2] {
    [(bits >> 64) as u64, bits as u64]
}

/// What was taken apart by [`halves`].
pub(super) fn whole(halves: [u64; 2]) -> u128 {
    u128::from(halves[0]) << 64 | u128::from(halves[1])
}

/// The texts of long ids, by number.
#[derive(Default)]
pub(super) struct LongIds {
    texts: Vec<Option<Arc<str>>>,
    free: Vec<u64>,
}

impl LongIds {
    /// The words to hold for a key, which for a long one means keeping its text.
    pub(super) fn hold(&mut self, key: &Key<'_>) -> Words {
        if key.kind != Kind::Long {
            return key.words;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.texts.push(None);
            self.texts.len() as u64 - 1
        });
        self.texts[place(number)] = Some(key.id.to_shared());
        [key.hash, number]
    }

    /// Lets go of what was held for words of a kind.
    pub(super) fn release(&mut self, words: Words, kind: Kind) {
        if kind == Kind::Long {
            self.texts[place(words[1])] = None;
            self.free.push(words[1]);
        }
    }

    /// Whether the words of a long id are held for this key.
    #[inline(never)]
    pub(super) fn is(&self, words: Words, key: &Key<'_>) -> bool {
        words[0] == key.hash && self.text(words).as_bytes() == key.id.as_bytes()
    }

    pub(super) fn id(&self, words: Words, kind: Kind) -> UserId {
        match kind {
            Kind::Short => {
                let padded = bytes(words);
                let length = padded.iter().position(|byte| *byte == 0).unwrap_or(padded.len());
                UserId::from_valid_bytes(&padded[..length])
            }
            Kind::Uuid => UserId::from_valid_bytes(&uuid::text(words)),
            Kind::Long => UserId::from_shared(self.text(words).clone()),
        }
    }

    fn text(&self, words: Words) -> &Arc<str> {
        self.texts[place(words[1])].as_ref().expect("the text is kept as long as its words")
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).expect("it was a vector's length")
}

/// The 36 characters of a UUID, eight hexadecimal digits at a time.
mod uuid {
    use super::Words;

    const HYPHENS: [usize; 4] = [8, 13, 18, 23];

    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }

    /// The UUID, if this is its text in lower case with hyphens.
    pub(super) fn parse(text: &[u8]) -> Option<Words> {
        let text: &[u8; 36] = text.try_into().ok()?;
        let hyphens = HYPHENS.iter().fold(0, |all, place| all | (text[*place] ^ b'-'));
        let four = |start: usize| text[start..].first_chunk().map_or(0, |four| u64::from(u32::from_be_bytes(*four)));
        let digits = |start: usize, then: usize| number(four(start) << 32 | four(then));
        let eights = [digits(0, 4), digits(9, 14), digits(19, 24), digits(28, 32)];
        // One question for all, whose answer is nearly always the same.
        let wrong = eights.iter().fold(u64::from(hyphens), |all, (_, wrong)| all | wrong);
        let [(one, _), (two, _), (three, _), (four, _)] = eights;
        (wrong == 0).then_some([one << 32 | two, three << 32 | four])
    }

    /// Eight hexadecimal digits as a number, all at once, a byte of the word each; and zero if that is what they are.
    #[inline]
    fn number(digits: u64) -> (u64, u64) {
        let low = digits & each(0x0f);
        // 1 where there is a letter: 0x61 to 0x66, against 0x30 to 0x39.
        let letter = digits >> 6 & each(1);
        let other = digits ^ (low + each(0x30) + letter * 0x30);
        // Bit 4 is set by a digit above 9 and by a letter above f; `too_low` by what lies before a.
        let too_high = low + letter * 9 + (each(1) - letter) * 6;
        let too_low = letter & !((low + each(0x0f)) >> 4);
        let wrong = other | (too_high & each(0x10)) | (too_low & each(1));
        let nibbles = low + letter * 9;
        let pairs = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff;
        let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
        ((fours | fours >> 16) & 0xffff_ffff, wrong)
    }

    pub(super) fn text(words: Words) -> [u8; 36] {
        let mut text = [b'-'; 36];
        let mut place = 0;
        for byte in super::bytes(words) {
            if HYPHENS.contains(&place) {
                place += 1;
            }
            text[place] = b"0123456789abcdef"[usize::from(byte >> 4)];
            text[place + 1] = b"0123456789abcdef"[usize::from(byte & 0xf)];
            place += 2;
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn held(id: &str) -> (Kind, UserId) {
        let hasher = SeedableRandomState::default();
        let id = UserId::new(id).unwrap();
        let key = Key::new(&id, &hasher);
        let mut long = LongIds::default();
        let words = long.hold(&key);
        assert!(if key.kind == Kind::Long { long.is(words, &key) } else { words == key.words });
        assert_eq!(hash(words, key.kind, &hasher), key.hash);
        (key.kind, long.id(words, key.kind))
    }

    proptest! {
        #[test]
        fn any_id_comes_back(id in "\\PC{1,30}") {
            let (_, held) = held(&id);
            prop_assert_eq!(held.as_str(), id);
        }

        #[test]
        fn uuids_take_sixteen_bytes(bits: u128) {
            let digits = format!("{bits:032x}");
            let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
            let text = parts.join("-");
            let (kind, id) = held(&text);
            prop_assert_eq!(kind, Kind::Uuid);
            prop_assert_eq!(id.as_str(), text);
        }

        /// One character of a UUID is replaced: what comes back is what went in, as a UUID only where it is one.
        #[test]
        fn what_is_nearly_a_uuid_is_text(place in 0_usize..36, byte in 0x20_u8..0x7f) {
            let mut text = *b"01234567-89ab-cdef-0123-456789abcdef";
            text[place] = byte;
            let text = std::str::from_utf8(&text).unwrap();
            let (kind, id) = held(text);
            prop_assert_eq!(id.as_str(), text);
            let hyphen = [8, 13, 18, 23].contains(&place);
            let fits = if hyphen { byte == b'-' } else { matches!(byte, b'0'..=b'9' | b'a'..=b'f') };
            prop_assert_eq!(kind == Kind::Uuid, fits);
        }
    }

    #[test]
    fn ids_that_begin_alike_are_told_apart() {
        let hasher = SeedableRandomState::default();
        let mut long = LongIds::default();
        let ids = ["a", "aa", "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaa", "00000000-0000-0000-0000-000000000000", "é"];
        let ids = ids.map(|id| UserId::new(id).unwrap());
        let keys: Vec<Key<'_>> = ids.iter().map(|id| Key::new(id, &hasher)).collect();
        let held: Vec<Words> = keys.iter().map(|key| long.hold(key)).collect();
        for (one, key) in keys.iter().enumerate() {
            for (other, words) in held.iter().enumerate() {
                let same = keys[other].kind == key.kind
                    && if key.kind == Kind::Long { long.is(*words, key) } else { *words == key.words };
                assert_eq!(same, one == other);
            }
        }
    }

    #[test]
    fn the_place_of_a_text_that_is_gone_is_taken_again() {
        let hasher = SeedableRandomState::default();
        let mut long = LongIds::default();
        let id = UserId::new(&"x".repeat(100)).unwrap();
        let key = Key::new(&id, &hasher);
        for _ in 0..3 {
            let words = long.hold(&key);
            long.release(words, Kind::Long);
        }
        assert_eq!(long.texts.len(), 1);
    }
}
