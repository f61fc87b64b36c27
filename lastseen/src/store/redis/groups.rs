//! Which group a user belongs to, and where in a Cluster a group lies.

use crate::{Day, UserId};

/// How many slots a Cluster has.
const SLOTS: u32 = 16_384;

/// The most groups that a store may have.
pub(super) const MOST: u16 = 1_024;

/// A store's groups: a part of the users each, which lives on one server.
///
/// A key has its group's tag in braces, by which a Cluster finds the slot; no part of it comes from a user. The tag of group
/// `i` of `n` is the least number whose slot is `(2 i + 1) * 16384 / (2 n)`: so the groups lie evenly over the slots, and
/// masters with as many slots have as many groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Groups {
    groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub slot: u16,
    pub keys: Keys,
}

/// The keys of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    /// Sorted set: users by the date of their last activity.
    pub seen: String,
    /// Hash: users' addresses, of 4 or 16 bytes.
    pub ips: String,
    /// Sorted set: users by the date of their last sign-out.
    pub left: String,
    /// Sorted set: erased users, by up to when.
    pub forgotten: String,
    /// Hash: users' profiles.
    pub profiles: String,
    /// Stream: the changes.
    pub feed: String,
    /// String: the first position of the feed that is surely there.
    pub trimmed: String,
    /// Hash: users' numbers, by which the days know them; and of nobody, the last that was given.
    pub numbers: String,
    /// What the keys of the days begin with: strings, with a bit a user.
    active: String,
}

impl Groups {
    /// `count` groups, whose keys begin with `prefix`.
    pub(super) fn new(prefix: &str, count: u16) -> Self {
        let groups = tags(count).into_iter().map(|(slot, tag)| Group { slot, keys: Keys::new(prefix, &tag) });
        Self { groups: groups.collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter()
    }

    pub(super) fn get(&self, index: usize) -> &Group {
        &self.groups[index]
    }

    /// The user's group.
    pub(super) fn index_of(&self, user: &UserId) -> usize {
        let count = self.groups.len() as u64;
        usize::try_from(hash(user.as_bytes()) % count).unwrap_or(0)
    }

    pub(super) fn of(&self, user: &UserId) -> &Group {
        &self.groups[self.index_of(user)]
    }

    /// Each group, and those of these whose user is of it.
    pub(super) fn divide<'a, T>(
        &self,
        all: &'a [T],
        user: impl Fn(&T) -> &UserId,
    ) -> impl Iterator<Item = (&Group, Vec<&'a T>)> {
        let mut by_group: Vec<Vec<&T>> = vec![Vec::new(); self.groups.len()];
        for one in all {
            by_group[self.index_of(user(one))].push(one);
        }
        self.groups.iter().zip(by_group)
    }
}

impl Keys {
    pub(super) fn new(prefix: &str, tag: &str) -> Self {
        let key = |name: &str| format!("{prefix}:{{{tag}}}:{name}");
        Self {
            seen: key("seen"),
            ips: key("ip"),
            left: key("left"),
            forgotten: key("forgotten"),
            profiles: key("profile"),
            feed: key("feed"),
            trimmed: key("trimmed"),
            numbers: key("number"),
            active: key("active"),
        }
    }

    /// In the order in which the scripts that write take them.
    pub(super) fn all(&self) -> [&str; 8] {
        let Self { seen, ips, left, forgotten, profiles, feed, trimmed, numbers, active: _ } = self;
        [seen, ips, left, forgotten, profiles, feed, trimmed, numbers]
    }

    /// The same, and behind them days.
    pub(super) fn with(&self, days: impl IntoIterator<Item = Day>) -> Vec<String> {
        let days = days.into_iter().map(|day| self.active(day));
        self.all().into_iter().map(str::to_owned).chain(days).collect()
    }

    /// The key of who was active on a day.
    pub(super) fn active(&self, day: Day) -> String {
        format!("{}:{day}", self.active)
    }
}

/// The tag of each of `count` groups, and its slot.
fn tags(count: u16) -> Vec<(u16, String)> {
    let count = usize::from(count);
    let mut wanted = vec![None; SLOTS as usize];
    for group in 0..count {
        wanted[(2 * group + 1) * SLOTS as usize / (2 * count)] = Some(group);
    }
    let mut tags = vec![(0, String::new()); count];
    let mut found = 0;
    for number in 0_u32.. {
        if found == count {
            break;
        }
        let tag = number.to_string();
        let slot = slot(tag.as_bytes());
        if let Some(group) = wanted[usize::from(slot)].take() {
            tags[group] = (slot, tag);
            found += 1;
        }
    }
    tags
}

/// The slot that a tag leads to: by CRC16 as XMODEM has it.
pub(super) fn slot(tag: &[u8]) -> u16 {
    let mut crc = 0_u16;
    for byte in tag {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
        }
    }
    crc % 16_384
}

/// The same in every process and version, since it says where a user's record is: FNV-1a of 64 bits, and then the mixing of
/// `SplitMix64`, without which its low bits say little of short ids.
fn hash(id: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in id {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_cluster_specification() {
        // 0x31C3 is the check value of CRC16/XMODEM.
        assert_eq!(slot(b"123456789"), 0x31c3);
        assert_eq!(slot(b"foo"), 12_182);
        assert_eq!(slot(b""), 0);
    }

    #[test]
    fn groups_lie_evenly_over_the_slots() {
        for count in [1, 2, 3, 64, 100, MOST] {
            let groups = Groups::new("lastseen", count);
            assert_eq!(groups.len(), usize::from(count));
            let width = 16_384 / usize::from(count);
            for (number, group) in groups.iter().enumerate() {
                let begin = number * 16_384 / usize::from(count);
                assert!((begin..=begin + width).contains(&usize::from(group.slot)), "{number} of {count}: {group:?}");
                let tag = group.keys.seen.strip_prefix("lastseen:{").unwrap().strip_suffix("}:seen").unwrap();
                assert_eq!(slot(tag.as_bytes()), group.slot, "{tag}");
            }
        }
    }

    /// What is stored is found by this: it must never change.
    #[test]
    fn where_a_user_is_stays_the_same() {
        let groups = Groups::new("lastseen", 64);
        let found = ["1", "2", "ada", "{0}", "ä"].map(|id| groups.index_of(&UserId::new(id).unwrap()));
        assert_eq!(found, [31, 34, 29, 48, 13]);
        assert_eq!(groups.get(0).keys.seen, "lastseen:{40821}:seen");
        assert_eq!(groups.get(63).keys.feed, "lastseen:{802}:feed");
    }

    #[test]
    fn users_are_spread_evenly() {
        let groups = Groups::new("lastseen", 64);
        let mut users = vec![0_u32; 64];
        for number in 0..64_000_u32 {
            users[groups.index_of(&UserId::from(number))] += 1;
        }
        assert!(users.iter().all(|users| (850..1_150).contains(users)), "{users:?}");
    }
}
