//! What goes out to the store, and what its answer changes.

use super::{Outgoing, Shard, Shared};
use crate::Record;
use crate::tracker::key::Key;
use crate::tracker::users::{Flags, Sent};

impl Shard {
    /// Lets a slot go with the next batch.
    pub(super) fn make_due(&mut self, slot: u32) {
        let user = &mut self.users[slot];
        if !user.flags.has(Flags::DUE) {
            user.flags.set(Flags::DUE, true);
            self.queue.push(slot);
        }
    }

    /// Notes that the store has a user as of the monotonic microsecond `now`: for a granularity there is no hurry.
    pub(super) fn note_sent(&mut self, slot: u32, now: i64) {
        let tick = self.queue.sent(slot, self.queue.tick(now));
        self.users[slot].sent = Sent::in_tick(tick);
    }

    /// Lets everything go with the next batches that the store lacks.
    pub(in crate::tracker) fn make_all_due(&mut self) {
        let users = &self.users;
        let dirty = |slot: &u32| users.get(*slot).is_some_and(|user| user.flags.has(Flags::DIRTY));
        let waiting: Vec<u32> = self.queue.all_sent().filter(dirty).collect();
        for slot in waiting {
            self.make_due(slot);
        }
    }

    /// Lets everything go once more that this process has sent lately: the store may have lost it.
    pub(in crate::tracker) fn resend(&mut self) {
        let lately: Vec<u32> = self.queue.sent_lately().collect();
        for slot in lately {
            // The slot may have been freed, or taken again; or another process has written the user since.
            let Some(user) = self.users.get_mut(slot).filter(|user| user.flags.has(Flags::SENT_HERE)) else { continue };
            self.pending += usize::from(!user.flags.is_pending());
            user.flags.set(Flags::DIRTY, true);
            self.make_due(slot);
        }
    }

    /// Adds to `batch` what is due at the monotonic microsecond `now`, until the batch has `most` records.
    pub(in crate::tracker) fn take_due(&mut self, now: i64, most: usize, shard: usize, batch: &mut Vec<Outgoing>) {
        while let Some((tick, slots)) = self.queue.over(self.queue.tick(now)) {
            for slot in slots {
                // Unless the slot has been freed, taken again, or sent again since.
                let Some(user) = self.users.get_mut(slot).filter(|user| user.sent == Sent::in_tick(tick)) else {
                    continue;
                };
                user.sent = Sent::LONG_AGO;
                if user.flags.has(Flags::DIRTY) {
                    self.make_due(slot);
                }
            }
        }
        let mut due = Vec::new();
        self.queue.take(most.saturating_sub(batch.len()), &mut due);
        for slot in due {
            // The slot may have been freed, taken again or stored since it was queued.
            let Some(user) = self.users.get_mut(slot) else { continue };
            user.flags.set(Flags::DUE, false);
            if !user.flags.has(Flags::DIRTY) {
                continue;
            }
            user.flags.set(Flags::DIRTY, false);
            user.flags.set(Flags::IN_FLIGHT | Flags::SENT_HERE, true);
            self.note_sent(slot, now);
            batch.push(Outgoing { record: self.record(slot), shard, slot });
        }
    }

    /// The store has acknowledged something by the monotonic microsecond `now`, of this shard or of another.
    pub(in crate::tracker) fn acknowledged(&mut self, now: i64) {
        self.queue.acknowledged(self.queue.tick(now));
    }

    /// The store has answered, or failed to.
    pub(in crate::tracker) fn answered(&mut self, shared: &Shared, sent: &Outgoing, stored: bool) {
        // Erased meanwhile, and the slot taken by another user or by the same one anew.
        if !self.users.is(sent.slot, &shared.key(&sent.record.user)) {
            return;
        }
        let user = &mut self.users[sent.slot];
        if !user.flags.has(Flags::IN_FLIGHT) {
            return;
        }
        user.flags.set(Flags::IN_FLIGHT, false);
        if !stored {
            user.flags.set(Flags::DIRTY, true);
            self.make_due(sent.slot);
            return;
        }
        if !user.flags.is_pending() {
            self.pending -= 1;
            self.stuck = false;
        }
    }

    /// The store has this very record, written past the queue. Of a user who was erased lately the queue writes it again: it
    /// may have been there before it was erased.
    pub(in crate::tracker) fn stored_directly(&mut self, shared: &Shared, key: &Key<'_>, record: &Record) {
        let Some(slot) = self.find(key).filter(|_| !self.forgotten.contains_key(key.id)) else { return };
        let known = self.record(slot);
        let user = &mut self.users[slot];
        if user.flags.has(Flags::DIRTY) && known.seen <= record.seen && known.left_at <= record.left_at {
            user.flags.set(Flags::DIRTY, false);
            self.pending -= usize::from(!user.flags.is_pending());
            self.stuck = false;
            self.users[slot].flags.set(Flags::SENT_HERE, true);
            self.note_sent(slot, shared.monotonic());
        }
    }
}
