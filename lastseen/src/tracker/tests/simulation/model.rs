//! What was reported, and what may and must have become of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Record, Seen, Timestamp, UserId};

/// For each user, whatever is known without looking into any process.
#[derive(Default)]
pub(super) struct Model {
    users: BTreeMap<UserId, Known>,
}

struct Known {
    /// The merge of all that was ever reported.
    reported: Record,
    /// The merge of what the store has acknowledged.
    acknowledged: Record,
    /// The merge of what each process has been told since it was started.
    told: BTreeMap<usize, Record>,
    /// Every activity that was reported.
    seen: BTreeSet<Seen>,
    /// Up to when the user may have been erased, and up to when they were.
    erasing: Timestamp,
    erased: Timestamp,
}

impl Model {
    fn known(&mut self, user: &UserId) -> &mut Known {
        let empty = Record::empty(user.clone());
        self.users.entry(user.clone()).or_insert_with(|| Known {
            reported: empty.clone(),
            acknowledged: empty,
            told: BTreeMap::new(),
            seen: BTreeSet::new(),
            erasing: Timestamp::MIN,
            erased: Timestamp::MIN,
        })
    }

    /// A process was told this.
    pub(super) fn report(&mut self, process: usize, record: &Record) {
        let known = self.known(&record.user);
        known.seen.extend(record.seen);
        merge(&mut known.reported, record);
        merge(known.told.entry(process).or_insert_with(|| Record::empty(record.user.clone())), record);
    }

    /// The store has acknowledged this.
    pub(super) fn acknowledge(&mut self, record: &Record) {
        merge(&mut self.known(&record.user).acknowledged, record);
    }

    /// A process begins to erase a user with all that is dated up to `at`.
    pub(super) fn begin_to_erase(&mut self, user: &UserId, at: Timestamp) {
        let known = self.known(user);
        known.erasing = known.erasing.max(at);
    }

    /// It has been told that this is done.
    pub(super) fn erase(&mut self, user: &UserId, at: Timestamp) {
        let known = self.known(user);
        known.erased = known.erased.max(at);
    }

    /// A process is gone, with what it alone knew.
    pub(super) fn crash(&mut self, process: usize) {
        self.users.values_mut().for_each(|known| drop(known.told.remove(&process)));
    }

    /// Whether an activity was reported just so.
    pub(super) fn has(&self, user: &UserId, seen: Seen) -> bool {
        self.users.get(user).is_some_and(|known| known.seen.contains(&seen))
    }

    /// Whether what was known of a user may have become this: later, or erased.
    pub(super) fn may_follow(&self, before: &Record, after: &Record) -> bool {
        let mut before = before.clone();
        before.forget_until(self.users[&before.user].erasing);
        has_all_of(after, &before)
    }

    /// Whether this may be known of a user in the end, by everybody.
    pub(super) fn may_end(&self, end: &Record) -> bool {
        let Some(known) = self.users.get(&end.user) else { return end.is_empty() };
        let mut least = known.acknowledged.clone();
        known.told.values().for_each(|told| merge(&mut least, told));
        least.forget_until(known.erasing);
        let mut most = known.reported.clone();
        most.forget_until(known.erased);
        has_all_of(end, &least) && end.seen <= most.seen && end.left_at <= most.left_at
    }

    pub(super) fn users(&self) -> impl Iterator<Item = &UserId> {
        self.users.keys()
    }
}

/// Whether nothing of what is known in `less` is missing; a sign-out needn't be there once an activity came after it.
fn has_all_of(more: &Record, less: &Record) -> bool {
    less.seen <= more.seen && less.left_at <= more.latest()
}

/// No clock is so far ahead here that a date would count for nothing.
fn merge(record: &mut Record, other: &Record) {
    record.merge(other, Timestamp::MAX);
}
