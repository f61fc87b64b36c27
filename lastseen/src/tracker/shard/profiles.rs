//! What the directory says of the users in a shard.

use super::{Early, Name, Shard, Shared, Told};
use crate::tracker::key::Key;
use crate::tracker::users::Flags;
use crate::{Profile, UserId};

/// The most profiles that wait for their users.
const EARLY: usize = 1024;

impl Shard {
    pub(super) fn want_profile(&mut self, shared: &Shared, slot: u32) {
        self.unresolved.push(slot);
        shared.profiles_wanted.notify_one();
    }

    /// Takes up to `most` users whose profile is to be asked for.
    pub(in crate::tracker) fn take_unresolved(&mut self, most: usize, wanted: &mut Vec<UserId>) {
        let keep = self.unresolved.len().saturating_sub(most);
        for slot in self.unresolved.drain(keep..) {
            wanted.extend(self.users.get(slot).map(|_| self.users.id(slot)));
        }
    }

    pub(in crate::tracker) fn put_back_unresolved(&mut self, key: &Key<'_>) {
        self.unresolved.extend(self.find(key));
    }

    /// Everybody who is online, seen or not.
    pub(in crate::tracker) fn present(&mut self, shared: &Shared, now: i64) -> Vec<UserId> {
        let (from, to) = Shared::edges(shared.times.window, now);
        self.timeline.within(from, to).map(|(_, slot)| self.users.id(slot)).collect()
    }

    /// Takes a profile over. One that was set by hand stays where the directory was asked before that, and waits for a user
    /// who is about to come in: the one who is just signing in, say.
    pub(in crate::tracker) fn resolve(
        &mut self,
        shared: &Shared,
        key: &Key<'_>,
        profile: &Profile,
        told: Told,
        now: i64,
    ) {
        match (self.find(key), told) {
            (Some(slot), _) => {
                self.take_profile(slot, profile, told);
                self.reconsider(shared, slot, now);
            }
            (None, Told::ByHand { set }) if self.early.len() < EARLY => {
                self.early.insert(key.id.clone(), Early { profile: profile.clone(), set, set_at: now });
            }
            (None, _) => {}
        }
    }

    pub(super) fn take_profile(&mut self, slot: u32, profile: &Profile, told: Told) {
        let text = profile.shared_name().cloned();
        match told {
            Told::ByDirectory { asked } if self.names.get(&slot).is_some_and(|name| name.set > asked) => return,
            Told::ByDirectory { .. } if text.is_none() => self.names.remove(&slot),
            Told::ByDirectory { .. } => self.names.insert(slot, Name { text, set: 0 }),
            Told::ByHand { set } => self.names.insert(slot, Name { text, set }),
        };
        let user = &mut self.users[slot];
        user.flags.set(Flags::RESOLVED, true);
        user.flags.set(Flags::INACTIVE, !profile.is_active());
        user.flags.set(Flags::HIDDEN, profile.is_hidden());
        self.timeline.set_counted(user.place, user.is_counted());
    }

    /// The profile as last resolved; `None` where it never was.
    pub(in crate::tracker) fn profile(&self, slot: u32) -> Option<Profile> {
        let user = &self.users[slot];
        let profile =
            self.names.get(&slot).and_then(|name| name.text.clone()).map_or_else(Profile::new, Profile::named);
        let profile = profile.active(!user.flags.has(Flags::INACTIVE)).hidden(user.flags.has(Flags::HIDDEN));
        user.flags.has(Flags::RESOLVED).then_some(profile)
    }
}
