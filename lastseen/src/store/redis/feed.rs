//! The feeds of all groups: places in them as a cursor, and what their entries say.

use std::fmt::Write;
use std::str::FromStr;

use ::redis::Value;

use super::answer;
use crate::store::{Change, Cursor};
use crate::{Timestamp, UserId};

/// A position in a group's feed: `publish.lua` says what its two numbers are. The least, `0-0`, is before all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    era: u64,
    number: u64,
}

/// Where a reader stands in a group's feed, and in whose history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub position: Position,
    /// Tells data that a reader may have read more of than is there.
    pub history: u32,
}

impl Position {
    pub(super) fn of(value: &Value) -> Option<Self> {
        answer::text(value)?.parse().ok()
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (era, number) = text.split_once('-').ok_or(())?;
        Ok(Self { era: era.parse().map_err(drop)?, number: number.parse().map_err(drop)? })
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.era, self.number)
    }
}

impl Position {
    /// Whether some of what comes after may be gone, where `trimmed` is the first that is surely there.
    pub(super) fn is_before_gap(self, trimmed: Self) -> bool {
        // Of a feed that was begun anew the entries themselves tell.
        match self.era {
            0 => trimmed.number > 0,
            era => era == trimmed.era && self.number.saturating_add(1) < trimmed.number,
        }
    }

    /// Whether `next` belongs to a feed that was begun anew since.
    pub(super) fn is_of_other_feed(self, next: Self) -> bool {
        self.era != 0 && self.era != next.era
    }
}

/// The history of a lineage.
pub(super) fn history(lineage: &str) -> u32 {
    // FNV-1a: it only has to differ.
    lineage.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The places of all groups, in order.
pub(super) fn cursor(places: &[Place]) -> Cursor {
    let mut text = String::new();
    for Place { position, history } in places {
        let separator = if text.is_empty() { "" } else { " " };
        let _ = write!(text, "{separator}{position}@{history:x}");
    }
    Cursor::new(text)
}

/// The places that a cursor stands for; `None` for one of another store.
pub(super) fn places(cursor: &Cursor, groups: usize) -> Option<Vec<Place>> {
    let place = |text: &str| {
        let (position, history) = text.split_once('@')?;
        Some(Place { position: position.parse().ok()?, history: u32::from_str_radix(history, 16).ok()? })
    };
    let places = cursor.as_str().split(' ').map(place).collect::<Option<Vec<_>>>()?;
    (places.len() == groups).then_some(places)
}

/// What an entry tells, and of whom.
pub(super) struct Entry {
    pub origin: u64,
    pub user: UserId,
    pub change: Change,
}

impl Entry {
    /// `None` for what no part of lastseen can have written.
    pub(super) fn of(fields: &Value) -> Option<Self> {
        let [_, entry] = answer::list(fields)? else { return None };
        let mut lines = answer::bytes(entry)?.splitn(3, |byte| *byte == b'\n');
        let (head, user, rest) = (lines.next()?, answer::user(lines.next()?)?, lines.next()?);
        let (kind, origin) = head.split_first()?;
        let origin = u64::from_str_radix(std::str::from_utf8(origin).ok()?, 16).ok()?;
        let change = match kind {
            b'r' => {
                let mut parts = rest.splitn(3, |byte| *byte == b'\n');
                let (at, left_at, ip) = (parts.next()?, parts.next()?, parts.next()?);
                Change::Record(answer::record(user.clone(), at, ip, left_at))
            }
            b'p' => Change::Profile(user.clone(), answer::profile(rest)?),
            b'f' => Change::Forgotten(user.clone(), answer::timestamp(rest).unwrap_or(Timestamp::MIN)),
            _ => return None,
        };
        Some(Self { origin, user, change })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whoever else writes to the feed makes no change but one that lastseen could have written.
        #[test]
        fn an_entry_is_a_change_or_none(kind in ".?", user in any::<Vec<u8>>(), rest in any::<Vec<u8>>()) {
            let text = [kind.as_bytes(), b"0\n", &user, b"\n", &rest].concat();
            let entry = |bytes: &[u8]| {
                Entry::of(&Value::Array(vec![Value::BulkString(b"c".to_vec()), Value::BulkString(bytes.to_vec())]))
            };
            for cut in 0..=text.len() {
                if let Some(entry) = entry(&text[..cut]) {
                    prop_assert!(matches!(kind.as_str(), "r" | "p" | "f"));
                    prop_assert!(text[..cut].windows(entry.user.as_str().len()).any(|part| part == entry.user.as_str().as_bytes()));
                }
            }
            let _ = (answer::profile(&rest), answer::user(&user), answer::timestamp(&rest));
        }
    }

    #[test]
    fn places_come_back_from_their_cursor_and_nothing_else_does() {
        let place = |era, number, lineage| Place { position: Position { era, number }, history: history(lineage) };
        let all = vec![place(0, 0, ""), place(1_795_490_100_123, u64::MAX, "a/b")];
        assert_eq!(places(&cursor(&all), 2), Some(all.clone()));
        assert_eq!(places(&cursor(&all), 3), None);
        for text in ["", "0", "1-0", "1-0@", "1-0@x", "-@1", "0-0@1 ", "0-0@1  0-0@1"] {
            assert_eq!(places(&Cursor::new(text), 1), None, "{text}");
        }
    }

    #[test]
    fn a_feed_begun_anew_is_told_from_the_one_before() {
        let at = |text: &str| text.parse::<Position>().unwrap();
        assert!(at("5-9").is_of_other_feed(at("6-0")));
        assert!(!at("5-9").is_of_other_feed(at("5-10")));
        assert!(!at("0-0").is_of_other_feed(at("5-0")), "who has read nothing has read of no other");
    }

    #[test]
    fn a_gap_is_told_from_the_next_entry() {
        let at = |text: &str| text.parse::<Position>().unwrap();
        for (place, trimmed, is_before) in [
            ("5-9", "0-0", false),
            ("5-9", "5-9", false),
            ("5-9", "5-10", false),
            ("5-9", "5-11", true),
            ("5-9", "6-99", false),
            ("0-0", "0-0", false),
            ("0-0", "5-0", false),
            ("0-0", "5-1", true),
        ] {
            assert_eq!(at(place).is_before_gap(at(trimmed)), is_before, "{place} before {trimmed}");
        }
    }
}
