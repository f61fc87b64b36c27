//! The users of a shard, each in a numbered slot that stays where it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use foldhash::fast::SeedableRandomState;

use super::key::{self, Key, Kind, LongIds, Words, halves, whole};
use super::timeline::Place;
use crate::UserId;

/// Slots come in chunks, so that growing neither moves users nor doubles memory.
const CHUNK: usize = 1 << 10;

type Chunk = Box<[User; CHUNK]>;

/// For how many addresses between two sweeps there is room.
const SPARE_IPS: usize = 256;

/// What memory keeps of one user, in 32 bytes of one cache line. The date is where the timeline has it.
#[repr(align(32))]
#[derive(Clone, Copy)]
pub(super) struct User {
    words: Words,
    /// Where the timeline has this user.
    pub place: Place,
    /// As the flags say: nothing, an IPv4 address, or where among the longer ones it is.
    ip: u32,
    /// When the store was last sent this user, or gave it, in the queue's notation.
    pub sent: Sent,
    pub flags: Flags,
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
    /// What an empty slot has.
    const NOBODY: Self = Self { words: [0; 2], place: Place::NONE, ip: 0, sent: Sent::LONG_AGO, flags: Flags(0) };

    #[inline]
    fn kind(&self) -> Kind {
        match (self.flags.has(Flags::UUID), self.flags.has(Flags::LONG)) {
            (true, _) => Kind::Uuid,
            (_, true) => Kind::Long,
            _ => Kind::Short,
        }
    }

    /// Whether lists and counts may show this user, dates apart.
    #[inline]
    pub(super) fn is_counted(&self) -> bool {
        !self.flags.has(Flags::LEFT | Flags::INACTIVE | Flags::HIDDEN)
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
    #[inline]
    pub(super) fn has(self, any: u16) -> bool {
        self.0 & any != 0
    }

    #[inline]
    pub(super) fn set(&mut self, flag: u16, on: bool) {
        if on {
            self.0 |= flag;
        } else {
            self.0 &= !flag;
        }
    }

    /// Whether there is nothing to tell of a touch: listeners know that this user is online, and the store hears of it
    /// anyway.
    #[inline]
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
    chunks: Vec<Chunk>,
    /// Slots at or after this one were never taken.
    next: u32,
    free: Vec<u32>,
    long_ids: LongIds,
    long_ips: LongIps,
    len: usize,
}

/// The addresses that don't fit into a user, by number.
#[derive(Default)]
struct LongIps {
    bits: Vec<Words>,
    free: Vec<u32>,
}

impl Users {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Puts a user into a free slot, who has no place in time yet. The caller sees to it that slots don't run out.
    pub(super) fn insert(&mut self, key: &Key<'_>, flags: Flags) -> u32 {
        let words = self.long_ids.hold(key);
        let mut user = User { words, place: Place::NONE, ip: 0, sent: Sent::LONG_AGO, flags };
        user.flags.set(Flags::TAKEN, true);
        user.flags.set(Flags::UUID, key.kind == Kind::Uuid);
        user.flags.set(Flags::LONG, key.kind == Kind::Long);
        self.len += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            if self.next as usize == self.chunks.len() * CHUNK {
                let chunk = vec![User::NOBODY; CHUNK].into_boxed_slice();
                self.chunks.push(chunk.try_into().unwrap_or_else(|_| unreachable!("it is as long as a chunk")));
            }
            self.next += 1;
            self.next - 1
        });
        self[slot] = user;
        slot
    }

    pub(super) fn remove(&mut self, slot: u32) {
        self.set_ip(slot, None);
        let user = &mut self[slot];
        let (words, kind) = (user.words, user.kind());
        *user = User::NOBODY;
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
        let user = &self[slot];
        match key.kind {
            Kind::Long => user.kind() == Kind::Long && self.long_ids.is(user.words, key),
            kind => user.words == key.words && user.kind() == kind,
        }
    }

    pub(super) fn hash(&self, slot: u32, hasher: &SeedableRandomState) -> u64 {
        let user = &self[slot];
        key::hash(user.words, user.kind(), hasher)
    }

    /// The hash and slot of each user, in the order in which they lie in memory.
    pub(super) fn hashes(&self, hasher: &SeedableRandomState) -> impl Iterator<Item = (u64, u32)> {
        let slots = (0_u32..).zip(self.chunks.iter().flat_map(|chunk| chunk.iter()));
        slots
            .filter(|(_, user)| user.flags.has(Flags::TAKEN))
            .map(|(slot, user)| (key::hash(user.words, user.kind(), hasher), slot))
    }

    pub(super) fn ip(&self, slot: u32) -> Option<IpAddr> {
        let user = &self[slot];
        if user.flags.has(Flags::IPV4) {
            return Some(Ipv4Addr::from_bits(user.ip).into());
        }
        user.flags.has(Flags::IPV6).then(|| Ipv6Addr::from_bits(whole(self.long_ips.bits[user.ip as usize])).into())
    }

    #[inline]
    pub(super) fn set_ip(&mut self, slot: u32, ip: Option<IpAddr>) {
        let user = &mut self[slot];
        match ip {
            Some(IpAddr::V4(ip)) if user.flags.has(Flags::IPV4) => user.ip = ip.to_bits(),
            _ => self.change_ip(slot, ip),
        }
    }

    /// The same where there may be another kind of address before or after.
    #[inline(never)]
    fn change_ip(&mut self, slot: u32, ip: Option<IpAddr>) {
        let user = &mut self.chunks[slot as usize / CHUNK][slot as usize % CHUNK];
        let before = user.flags.has(Flags::IPV6).then_some(user.ip);
        user.flags.set(Flags::IPV4 | Flags::IPV6, false);
        let (family, bits) = match ip {
            None => (0, 0),
            Some(IpAddr::V4(ip)) => (Flags::IPV4, ip.to_bits()),
            Some(IpAddr::V6(ip)) => (Flags::IPV6, self.long_ips.put(before, halves(ip.to_bits()))),
        };
        user.flags.set(family, true);
        user.ip = bits;
        if family != Flags::IPV6 {
            self.long_ips.free.extend(before);
        }
    }

    /// Sees to it that addresses may grow longer, and shorter, without an allocation.
    pub(super) fn provide(&mut self) {
        self.long_ips.bits.reserve(SPARE_IPS);
        self.long_ips.free.reserve(SPARE_IPS);
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

impl LongIps {
    /// Keeps an address, in the place of one before if there was one; gives its number.
    fn put(&mut self, before: Option<u32>, bits: Words) -> u32 {
        if let Some(number) = before.or_else(|| self.free.pop()) {
            self.bits[number as usize] = bits;
            return number;
        }
        self.bits.push(bits);
        u32::try_from(self.bits.len() - 1).expect("no more addresses than slots")
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
    fn a_user_takes_half_a_cache_line() {
        assert_eq!((size_of::<User>(), align_of::<User>()), (32, 32));
    }

    #[test]
    fn addresses_come_back_whatever_was_there_before() {
        let hasher = SeedableRandomState::default();
        let ips = ["0.0.0.0", "203.0.113.7", "255.255.255.255", "::", "::1", "::ffff:1.2.3.4", "2001:db8::7"];
        let ips: Vec<Option<IpAddr>> = ips.iter().map(|ip| ip.parse().ok()).chain([None]).collect();
        let mut users = Users::default();
        let slots = [1_u32, 2].map(|id| users.insert(&Key::new(&UserId::from(id), &hasher), Flags::default()));
        for before in &ips {
            for ip in &ips {
                users.set_ip(slots[0], *before);
                users.set_ip(slots[1], *ip);
                users.set_ip(slots[0], *ip);
                assert_eq!((users.ip(slots[0]), users.ip(slots[1])), (*ip, *ip));
            }
        }
        assert!(users.long_ips.bits.len() <= 2, "places are taken again");
        for slot in slots {
            users.remove(slot);
        }
        assert_eq!(users.long_ips.free.len(), users.long_ips.bits.len());
    }
}
