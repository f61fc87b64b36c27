//! One slot's state: how dates are written, and how users come into memory and leave it.

use super::{Left, NEVER, Shard, Shared, Told};
use crate::tracker::events::Presence;
use crate::tracker::key::Key;
use crate::tracker::users::{Flags, Sent};
use crate::{Record, Seen, Timestamp};

impl Shard {
    /// All that memory knows of a user. A sign-out before the last activity is not kept: it can't matter again.
    pub(in crate::tracker) fn record(&self, slot: u32) -> Record {
        let left_at = self.left.get(&slot).map(|left| Timestamp::from_micros(left.left_at));
        Record { user: self.users.id(slot), seen: self.seen(slot), left_at }
    }

    /// When a user was last active, in microseconds; [`NEVER`] where only a sign-out is known.
    #[inline]
    pub(super) fn at(&self, slot: u32) -> i64 {
        let user = &self.users[slot];
        if user.flags.has(Flags::LEFT) { self.left[&slot].at } else { self.timeline.at(user.place) }
    }

    pub(super) fn seen(&self, slot: u32) -> Option<Seen> {
        let at = self.at(slot);
        (at != NEVER).then(|| Seen { at: Timestamp::from_micros(at), ip: self.users.ip(slot) })
    }

    /// Merges into a slot what a record says; whether that changed anything.
    pub(super) fn merge(&mut self, slot: u32, record: &Record, now: i64) -> bool {
        let before = self.record(slot);
        let mut merged = before.clone();
        merged.merge(record, Timestamp::from_micros(now));
        if merged == before {
            return false;
        }
        self.place(slot, merged.seen, merged.left_at.map(Timestamp::as_micros));
        true
    }

    /// Writes a slot's dates and moves it to where they belong.
    pub(super) fn place(&mut self, slot: u32, seen: Option<Seen>, left_at: Option<i64>) {
        let order = self.set_dates(slot, seen, left_at);
        let user = &mut self.users[slot];
        self.timeline.set_counted(user.place, user.is_counted());
        user.place = self.timeline.shift(slot, user.place, order, user.is_counted());
    }

    /// Writes a slot's dates, but for what the timeline keeps. Gives its place in time: the last activity, or the sign-out
    /// after it.
    fn set_dates(&mut self, slot: u32, seen: Option<Seen>, left_at: Option<i64>) -> i64 {
        self.users.set_ip(slot, seen.and_then(|seen| seen.ip));
        let at = seen.map_or(NEVER, |seen| seen.at.as_micros());
        let left = left_at.filter(|left_at| *left_at >= at).map(|left_at| Left { left_at, at });
        self.users[slot].flags.set(Flags::LEFT, left.is_some());
        match left {
            Some(left) => self.left.insert(slot, left),
            None => self.left.remove(&slot),
        };
        left.map_or(at, |left| left.left_at)
    }

    /// Takes in a user of whom memory knows nothing; `None` where it is full of users whom the store lacks, or where the
    /// record is empty.
    pub(super) fn admit(&mut self, shared: &Shared, key: &Key<'_>, record: &Record) -> Option<u32> {
        record.latest()?;
        if self.users.len() >= shared.capacity && !self.make_room(shared) {
            self.refused += 1;
            return None;
        }
        if self.index.is_full() {
            self.index.grow(self.users.hashes(&shared.hasher));
        }
        let slot = self.users.insert(key, Flags::default());
        self.index.insert(key.hash, slot);
        let order = self.set_dates(slot, record.seen, record.left_at.map(Timestamp::as_micros));
        self.users[slot].place = self.timeline.insert(slot, order, self.users[slot].is_counted());
        if let Some(early) = self.early.remove(key.id) {
            self.take_profile(slot, &early.profile, Told::ByHand { set: early.set });
        }
        // Asked for whether online or not: wider windows than the usual one show users who aren't.
        self.want_profile(shared, slot);
        Some(slot)
    }

    /// Lets the longest-unseen stored users leave, a few more than needed so that the search pays. Whether any could.
    pub(super) fn make_room(&mut self, shared: &Shared) -> bool {
        if self.stuck {
            return false;
        }
        let enough = shared.capacity / 1024 + 1;
        let users = &self.users;
        let stored = |(_, slot): &(i64, u32)| !users[*slot].flags.is_pending();
        let leaving: Vec<u32> =
            self.timeline.within(i64::MIN, i64::MAX).filter(stored).take(enough).map(|(_, slot)| slot).collect();
        self.stuck = leaving.is_empty();
        self.evicted += leaving.len() as u64;
        for slot in leaving {
            self.evict(shared, slot, self.latest);
        }
        !self.stuck
    }

    /// Frees a slot. Listeners learn that whoever was in it is no longer in any list.
    pub(super) fn evict(&mut self, shared: &Shared, slot: u32, now: i64) {
        let user = &self.users[slot];
        let (flags, place) = (user.flags, user.place);
        let name = self.names.remove(&slot).and_then(|name| name.text);
        if flags.has(Flags::ANNOUNCED) {
            let at = Timestamp::from_micros(now);
            shared.announcer.announce(Presence::WentOffline, &self.users.id(slot), name.as_ref(), at);
        }
        self.timeline.remove(place);
        let hash_of = |slot| self.users.hash(slot, &shared.hasher);
        self.index.remove(hash_of(slot), slot, hash_of);
        self.left.remove(&slot);
        self.users.remove(slot);
        self.pending -= usize::from(flags.is_pending());
    }

    /// Whether a user is to be shown in a list from `from` to `to`.
    pub(super) fn is_within(&self, slot: u32, from: i64, to: i64) -> bool {
        let user = &self.users[slot];
        user.is_counted() && (from..=to).contains(&self.timeline.at(user.place))
    }

    /// Tells listeners where a user's presence is no longer what they were told; whether it was.
    pub(super) fn reconsider(&mut self, shared: &Shared, slot: u32, now: i64) -> bool {
        let (from, to) = Shared::edges(shared.times.window, now);
        let online = self.is_within(slot, from, to);
        let user = &mut self.users[slot];
        if online == user.flags.has(Flags::ANNOUNCED) {
            return false;
        }
        user.flags.set(Flags::ANNOUNCED, online);
        let resolved = user.flags.has(Flags::RESOLVED);
        let change = if online { Presence::CameOnline } else { Presence::WentOffline };
        let name = self.names.get(&slot).and_then(|name| name.text.as_ref());
        shared.announcer.announce(change, &self.users.id(slot), name, Timestamp::from_micros(now));
        // Who was never asked for is queued since coming in.
        if online && resolved {
            self.want_profile(shared, slot);
        }
        true
    }

    /// Memory has learned something of a slot: listeners and the store are to hear of it. The store hears at once of
    /// whoever comes or goes, and once a granularity of whoever stays.
    pub(super) fn changed(&mut self, shared: &Shared, slot: u32, now: i64) {
        let turned = self.reconsider(shared, slot, now);
        let user = &mut self.users[slot];
        self.pending += usize::from(!user.flags.is_pending());
        user.flags.set(Flags::DIRTY, true);
        if turned || user.flags.has(Flags::LEFT) || user.sent == Sent::LONG_AGO {
            self.make_due(slot);
        }
    }
}
