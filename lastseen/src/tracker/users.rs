//! The users of a shard, each in a numbered slot that stays where it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use foldhash::fast::RandomState;

use super::key::{self, Key, Kind, LongIds, Words, halves, whole};
use crate::{Seen, Timestamp, UserId};

/// Slots come in chunks, so that growing neither moves users nor doubles memory.
const CHUNK: usize = 1 << 10;

/// Earlier than every activity.
pub(super) const NEVER: i64 = i64::MIN;

/// What memory keeps of one user, in 48 bytes.
pub(super) struct User {
    words: Words,
    /// When last active, in microseconds; [`NEVER`] where only a sign-out is known.
    pub at: i64,
    /// Where the timeline has this user.
    pub position: u32,
    /// When the store was last sent this user, or gave it, in the queue's notation.
    pub sent: Sent,
    pub flags: Flags,
    /// As the flags say: none, the lower 32 bits, or all.
    ip: [u64; 2],
}

/// A tick of the queue, as short as will do: entries of the queue don't live long enough for two to be confused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent(u16);

impl Sent {
    /// A granularity ago or longer.
    pub(super) const LONG_AGO: Self = Self(0);

    /// So many ticks must pass before a number comes again.
    pub(super) const TICKS: i64 = u16::MAX as i64;

    pub(super) fn in_tick(tick: i64) -> Self {
        Self(u16::try_from(tick.rem_euclid(Self::TICKS) + 1).unwrap_or(0))
    }
}

impl User {
    pub(super) fn seen(&self) -> Option<Seen> {
        (self.at != NEVER).then(|| Seen { at: Timestamp::from_micros(self.at), ip: self.ip() })
    }

    pub(super) fn ip(&self) -> Option<IpAddr> {
        if self.flags.has(Flags::IPV4) {
            u32::try_from(self.ip[1]).ok().map(|bits| Ipv4Addr::from_bits(bits).into())
        } else {
            self.flags.has(Flags::IPV6).then(|| Ipv6Addr::from_bits(whole(self.ip)).into())
        }
    }

    #[inline]
    pub(super) fn set_ip(&mut self, ip: Option<IpAddr>) {
        let (family, bits) = match ip {
            None => (0, [0; 2]),
            Some(IpAddr::V4(ip)) => (Flags::IPV4, [0, ip.to_bits().into()]),
            Some(IpAddr::V6(ip)) => (Flags::IPV6, halves(ip.to_bits())),
        };
        self.flags.set(Flags::IPV4 | Flags::IPV6, false);
        self.flags.set(family, true);
        self.ip = bits;
    }

    #[inline]
    fn kind(&self) -> Kind {
        match (self.flags.has(Flags::UUID), self.flags.has(Flags::LONG)) {
            (true, _) => Kind::Uuid,
            (_, true) => Kind::Long,
            _ => Kind::Short,
        }
    }

    /// Whether lists and counts may show this user, dates apart.
    pub(super) fn is_counted(&self) -> bool {
        !self.flags.has(Flags::LEFT | Flags::INACTIVE | Flags::HIDDEN)
    }

    /// Whether a later activity has nothing to reckon with but the one before: no sign-out, no date from a wrong clock.
    pub(super) fn is_plain(&self, limit: i64) -> bool {
        !self.flags.has(Flags::LEFT) && self.at <= limit
    }
}

/// A user's state, a bit each.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags(u16);

impl Flags {
    /// Memory knows something that the store hasn't been sent.
    pub(super) const DIRTY: u16 = 1;
    /// The store has been sent this user and has not answered.
    pub(super) const IN_FLIGHT: u16 = 2;
    /// Signed out since the last activity; the shard keeps when.
    pub(super) const LEFT: u16 = 4;
    /// The account is switched off.
    pub(super) const INACTIVE: u16 = 8;
    /// The user wants not to be seen.
    pub(super) const HIDDEN: u16 = 16;
    /// Listeners have been told that this user is online.
    pub(super) const ANNOUNCED: u16 = 32;
    /// The directory has answered for this user.
    pub(super) const RESOLVED: u16 = 64;
    /// Queued to go with the next batch, so that nobody queues it twice.
    pub(super) const DUE: u16 = 128;
    /// The slot is taken; otherwise nothing else means anything.
    const TAKEN: u16 = 256;
    /// What the words are: a UUID, a long text, or else a short one.
    const UUID: u16 = 512;
    const LONG: u16 = 1024;
    /// What the address is, if there is one.
    const IPV4: u16 = 2048;
    const IPV6: u16 = 4096;
    /// What the store has of this user it has from this process.
    pub(super) const SENT_HERE: u16 = 8192;

    /// Whether any of these is set.
    pub(super) fn has(self, any: u16) -> bool {
        self.0 & any != 0
    }

    pub(super) fn set(&mut self, flag: u16, on: bool) {
        if on {
            self.0 |= flag;
        } else {
            self.0 &= !flag;
        }
    }

    /// Whether there is nothing to tell of a touch: listeners know that this user is online, and the store hears of it
    /// anyway.
    pub(super) fn is_told(self) -> bool {
        const QUIET: u16 = Flags::ANNOUNCED | Flags::DIRTY;
        self.0 & (QUIET | Self::LEFT | Self::INACTIVE | Self::HIDDEN) == QUIET
    }

    /// Whether the store lacks something, or may.
    pub(super) fn is_pending(self) -> bool {
        self.has(Self::DIRTY | Self::IN_FLIGHT)
    }
}

/// Users by slot.
#[derive(Default)]
pub(super) struct Users {
    chunks: Vec<Vec<User>>,
    free: Vec<u32>,
    long_ids: LongIds,
    len: usize,
}

impl Users {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Puts a user into a free slot. The caller sees to it that there are fewer than 2^31.
    pub(super) fn insert(&mut self, key: &Key<'_>, seen: Option<Seen>, flags: Flags) -> u32 {
        let mut user = User {
            words: self.long_ids.hold(key),
            at: seen.map_or(NEVER, |seen| seen.at.as_micros()),
            position: 0,
            sent: Sent::LONG_AGO,
            flags,
            ip: [0; 2],
        };
        user.flags.set(Flags::TAKEN, true);
        user.flags.set(Flags::UUID, key.kind == Kind::Uuid);
        user.flags.set(Flags::LONG, key.kind == Kind::Long);
        user.set_ip(seen.and_then(|seen| seen.ip));
        self.len += 1;
        if let Some(slot) = self.free.pop() {
            self.chunks[slot as usize / CHUNK][slot as usize % CHUNK] = user;
            return slot;
        }
        if self.chunks.last().is_none_or(|last| last.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let last = self.chunks.last_mut().expect("there is one with room");
        last.push(user);
        u32::try_from(before + last.len() - 1).expect("slots are bounded by the capacity")
    }

    pub(super) fn remove(&mut self, slot: u32) {
        let user = &mut self[slot];
        let (words, kind) = (user.words, user.kind());
        user.flags = Flags::default();
        self.long_ids.release(words, kind);
        self.free.push(slot);
        self.len -= 1;
    }

    pub(super) fn id(&self, slot: u32) -> UserId {
        let user = &self[slot];
        self.long_ids.id(user.words, user.kind())
    }

    /// Whether a slot is taken by the user of this key.
    #[inline]
    pub(super) fn is(&self, slot: u32, key: &Key<'_>) -> bool {
        self.get(slot).is_some_and(|user| self.long_ids.are(user.words, user.kind(), key))
    }

    pub(super) fn hash(&self, slot: u32, hasher: &RandomState) -> u64 {
        let user = &self[slot];
        key::hash(user.words, user.kind(), hasher)
    }

    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&User> {
        self.chunks.get(slot as usize / CHUNK)?.get(slot as usize % CHUNK).filter(|user| user.flags.has(Flags::TAKEN))
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut User> {
        self.chunks
            .get_mut(slot as usize / CHUNK)?
            .get_mut(slot as usize % CHUNK)
            .filter(|user| user.flags.has(Flags::TAKEN))
    }
}

/// A slot that the index or the timeline gives is taken: that is their invariant.
impl std::ops::Index<u32> for Users {
    type Output = User;

    fn index(&self, slot: u32) -> &User {
        &self.chunks[slot as usize / CHUNK][slot as usize % CHUNK]
    }
}

impl std::ops::IndexMut<u32> for Users {
    fn index_mut(&mut self, slot: u32) -> &mut User {
        &mut self.chunks[slot as usize / CHUNK][slot as usize % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_takes_48_bytes() {
        assert_eq!(size_of::<User>(), 48);
    }

    #[test]
    fn addresses_come_back() {
        let hasher = RandomState::default();
        let id = UserId::from(1_u32);
        for ip in ["0.0.0.0", "203.0.113.7", "255.255.255.255", "::", "::1", "::ffff:1.2.3.4", "2001:db8::7"] {
            let ip = Some(ip.parse().unwrap());
            let mut users = Users::default();
            let seen = Some(Seen { at: Timestamp::UNIX_EPOCH, ip });
            let slot = users.insert(&Key::new(&id, &hasher), seen, Flags::default());
            assert_eq!(users[slot].ip(), ip);
            users[slot].set_ip(None);
            assert_eq!(users[slot].ip(), None);
        }
    }
}
