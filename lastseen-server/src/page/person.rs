//! One person on the page: what to call them, the letters and colour of their avatar, how long ago they were here.

use std::net::IpAddr;

use lastseen::{OnlineUser, Timestamp};

use crate::words;

/// How many colours avatars have: the classes `hue-0` up in the style sheet.
const HUES: u32 = 8;

pub(super) struct Person {
    pub(super) user: String,
    pub(super) label: String,
    pub(super) initials: String,
    pub(super) hue: u32,
    pub(super) at: Timestamp,
    pub(super) ago: String,
    pub(super) ip: Option<IpAddr>,
}

impl Person {
    pub(super) fn of(online: &OnlineUser, as_of: Timestamp) -> Self {
        let (user, label) = (online.user.as_str(), online.label());
        Self {
            user: user.to_owned(),
            label: label.to_owned(),
            initials: initials(label),
            hue: hue(user),
            at: online.at,
            ago: words::ago(as_of.since(online.at)),
            ip: online.ip,
        }
    }

    /// Whether the id says more than the label does.
    pub(super) fn has_name(&self) -> bool {
        self.label != self.user
    }
}

/// The first letters of the first and the last word; a lone word gives one.
fn initials(label: &str) -> String {
    let first = |word: &str| word.chars().find(|letter| letter.is_alphanumeric());
    let mut letters = label.split_whitespace().filter_map(first);
    let start = letters.next();
    let initials: String = start.into_iter().chain(letters.next_back()).flat_map(char::to_uppercase).collect();
    if initials.is_empty() { "·".to_owned() } else { initials }
}

/// The same colour for a user wherever they turn up: FNV-1a of the id.
fn hue(user: &str) -> u32 {
    user.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)) % HUES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_last_word() {
        for (label, letters) in [
            ("Ada Lovelace", "AL"),
            ("ada", "A"),
            ("Juana Inés de la Cruz", "JC"),
            ("42", "4"),
            ("李 小龍", "李小"),
            ("<script>alert(1)</script>", "S"),
            ("  ", "·"),
            ("!?", "·"),
        ] {
            assert_eq!(initials(label), letters, "{label}");
        }
    }

    #[test]
    fn hues_stay_and_differ() {
        assert_eq!(hue("ada"), hue("ada"));
        let hues: std::collections::BTreeSet<_> = (0..100).map(|number| hue(&number.to_string())).collect();
        assert_eq!(hues, (0..HUES).collect());
    }
}
