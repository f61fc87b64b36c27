//! What is asked: who is online, how many, who is the newest.

use super::{Shard, Shared};
use crate::Timestamp;
use crate::tracker::OnlineUser;
use crate::tracker::key::Key;

impl Shard {
    pub(in crate::tracker) fn is_online(&mut self, key: &Key<'_>, window: i64, now: i64) -> bool {
        self.settle(now);
        let (from, to) = Shared::edges(window, now);
        self.find(key).is_some_and(|slot| self.is_within(slot, from, to))
    }

    pub(in crate::tracker) fn count(&mut self, window: i64, now: i64) -> usize {
        self.settle(now);
        let (from, to) = Shared::edges(window, now);
        self.timeline.count(from, to)
    }

    /// The date and slot of those online from `from` to `to`, the newest `limit` of them among them.
    pub(in crate::tracker) fn newest(&mut self, from: i64, to: i64, limit: usize) -> impl Iterator<Item = (i64, u32)> {
        self.timeline.newest(from, to, limit)
    }

    pub(in crate::tracker) fn online_user(&self, slot: u32) -> OnlineUser {
        OnlineUser {
            user: self.users.id(slot),
            name: self.names.get(&slot).and_then(|name| name.text.clone()),
            at: Timestamp::from_micros(self.at(slot)),
            ip: self.users.ip(slot),
        }
    }
}
