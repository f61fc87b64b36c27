//! One person on the page: what to call them, the letters and colour of their avatar, how long ago they were here.

use lastseen::Timestamp;

use crate::api::{LastSeenAnswer, OnlineUserAnswer};
use crate::words;

/// How many colours avatars have: the classes `hue-0` up in the style sheet.
const HUES: u32 = 8;

#[derive(Default)]
pub(super) struct Person {
    pub(super) user: String,
    pub(super) label: String,
    pub(super) initials: String,
    pub(super) hue: u32,
    pub(super) at: String,
    pub(super) ago: String,
    /// Nothing where it isn't known, or not for this viewer.
    pub(super) ip: String,
}

impl Person {
    pub(super) fn online(answer: &OnlineUserAnswer, as_of: Timestamp) -> Self {
        let OnlineUserAnswer { user, name, last_activity_date: at, last_activity_ip: ip } = answer;
        let ip = ip.map_or_else(String::new, |ip| ip.to_string());
        Self::new(user.as_str(), name.as_deref(), *at, ip, as_of)
    }

    pub(super) fn seen(answer: &LastSeenAnswer) -> Self {
        let ip = answer.last_activity_ip.map_or_else(String::new, |ip| ip.to_string());
        Self::new(answer.user.as_str(), answer.name.as_deref(), answer.last_activity_date, ip, answer.as_of)
    }

    /// The script makes the same of the same: see `dress` there.
    fn new(user: &str, name: Option<&str>, at: Timestamp, ip: String, as_of: Timestamp) -> Self {
        let label = name.unwrap_or(user);
        Self {
            user: user.to_owned(),
            label: label.to_owned(),
            initials: initials(label),
            hue: hue(user),
            at: at.to_string(),
            ago: words::ago(as_of.since(at)),
            ip,
        }
    }

    /// The id, where it says more than the label does.
    pub(super) fn id(&self) -> &str {
        if self.label == self.user { "" } else { &self.user }
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
