//! What time does to the users in a shard.

use super::{EARLY_FOR, FORGOTTEN_FOR, Shard, Shared};

impl Shard {
    /// Tells listeners who came into and fell out of the window since the last sweep, lets go of who is past the
    /// horizon, and puts the timeline in order.
    pub(in crate::tracker) fn sweep(&mut self, shared: &Shared, now: i64) {
        self.settle(now);
        let (from, to) = Shared::edges(shared.times.window, now);
        let (swept_from, swept_to) = self.swept.replace((from, to)).unwrap_or((i64::MIN, to));
        let mut turned: Vec<u32> = Vec::new();
        for (one, other) in [(swept_from, from), (swept_to, to)] {
            turned.extend(self.timeline.within(one.min(other), one.max(other)).map(|(_, slot)| slot));
        }
        for slot in turned {
            self.reconsider(shared, slot, now);
        }

        let horizon = now.saturating_sub(shared.times.horizon);
        let users = &self.users;
        let gone: Vec<u32> = self
            .timeline
            .within(i64::MIN, horizon.saturating_sub(1))
            .map(|(_, slot)| slot)
            .filter(|slot| !users[*slot].flags.is_pending())
            .collect();
        for slot in gone {
            self.evict(shared, slot, now);
        }

        self.early.retain(|_, early| now.abs_diff(early.set_at) < EARLY_FOR);
        self.forgotten.retain(|_, at| *at > now.saturating_sub(FORGOTTEN_FOR));
        let users = &mut self.users;
        self.timeline.tidy(now, |slot, place| users[slot].place = place);
        users.provide();
    }
    /// Lets go of the addresses of activities before `since`, stored or not. What is in flight may bring one to the store
    /// once more, where it goes the next time.
    pub(in crate::tracker) fn expire_addresses(&mut self, since: i64) {
        let present = self.timeline.within(i64::MIN, since.saturating_sub(1)).map(|(_, slot)| slot);
        // Their place in time is that of the sign-out.
        let left = self.left.iter().filter(|(_, left)| left.at < since).map(|(slot, _)| *slot);
        let old: Vec<u32> = present.chain(left).collect();
        for slot in old {
            self.users.set_ip(slot, None);
        }
    }
}
