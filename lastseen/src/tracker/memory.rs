//! All users in memory: which shard has whom, and answers that span the shards.

use std::cmp::Ordering;
use std::ops::Deref;
use std::time::Duration;

use super::answers::Online;
use super::key::Key;
use super::shard::{Full, Outgoing, Shard, Shared, Told};
use super::sync::Mutex;
use crate::timestamp::micros;
use crate::{Profile, Record, Seen, Timestamp, UserId};

/// The most records that one write takes to the store.
pub(super) const BATCH: usize = 10_000;

pub(super) struct Memory {
    pub shared: Shared,
    /// A power of two.
    shards: Box<[Mutex<Shard>]>,
}

/// Somebody who may be among the newest.
struct Found {
    at: i64,
    shard: usize,
    slot: u32,
}

/// By date, and by id where that is the same.
fn newest_first(shards: &[impl Deref<Target = Shard>], a: &Found, b: &Found) -> Ordering {
    let id = |found: &Found| shards[found.shard].users.id(found.slot);
    b.at.cmp(&a.at).then_with(|| id(a).cmp(&id(b)))
}

/// How many users there are, and what has happened to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub users: usize,
    pub pending: usize,
    pub touches: u64,
    pub refused: u64,
    pub evicted: u64,
}

impl Memory {
    /// `shards` is rounded up to a power of two.
    pub(super) fn new(shared: Shared, shards: usize) -> Self {
        let shards = (0..shards.next_power_of_two()).map(|_| Mutex::new(Shard::new(&shared))).collect();
        Self { shared, shards }
    }

    fn shard(&self, key: &Key<'_>) -> &Mutex<Shard> {
        // Bits that the shard's own table uses last.
        let index = usize::try_from(key.hash >> 44).unwrap_or(0) & (self.shards.len() - 1);
        &self.shards[index]
    }

    /// The most users that memory holds.
    pub(super) fn capacity(&self) -> usize {
        self.shared.capacity * self.shards.len()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    pub(super) fn touch(&self, user: &UserId, seen: Seen, now: Timestamp) -> Result<(), Full> {
        let key = self.shared.key(user);
        self.shard(&key).lock().touch(&self.shared, &key, seen, now)
    }

    /// What is known of the user now, sign-out included.
    pub(super) fn leave(&self, user: &UserId, now: Timestamp) -> Result<Record, Full> {
        let key = self.shared.key(user);
        self.shard(&key).lock().leave(&self.shared, &key, now)
    }

    pub(super) fn forget(&self, user: &UserId, at: Timestamp) {
        let key = self.shared.key(user);
        self.shard(&key).lock().forget(&self.shared, &key, at, self.now());
    }

    /// A record as the store has it.
    pub(super) fn absorb(&self, record: &Record) {
        let key = self.shared.key(&record.user);
        self.shard(&key).lock().absorb(&self.shared, &key, record, self.now());
    }

    pub(super) fn resolve(&self, user: &UserId, profile: &Profile, told: Told) {
        let key = self.shared.key(user);
        self.shard(&key).lock().resolve(&self.shared, &key, profile, told, self.now().as_micros());
    }

    // --- Answers -------------------------------------------------------------------------------------------------------

    /// The newest `limit` users online within `window`, and how many there are in all.
    pub(super) fn online(&self, window: Duration, limit: usize) -> Online {
        let as_of = self.now();
        let now = as_of.as_micros();
        let window_micros = micros(window);
        let (mut from, to) = Shared::edges(window_micros, now);
        // All at once, so that list and count are of one moment. Nobody else holds two shards, so none waits for another.
        let mut shards: Vec<_> = self.shards.iter().map(Mutex::lock).collect();
        let count = shards.iter_mut().map(|shard| shard.count(window_micros, now)).sum();
        let mut found: Vec<Found> = Vec::new();
        for index in 0..shards.len() {
            found.extend(shards[index].newest(from, to, limit).map(|(at, slot)| Found { at, shard: index, slot }));
            if found.len() > limit && limit > 0 {
                // Who is older than this last one can't be among the newest any more.
                from = found.select_nth_unstable_by(limit - 1, |a, b| newest_first(&shards, a, b)).1.at;
            }
            found.truncate(limit);
        }
        found.sort_unstable_by(|a, b| newest_first(&shards, a, b));
        let users = found.iter().map(|found| shards[found.shard].online_user(found.slot)).collect();
        Online { as_of, window, count, users }
    }

    pub(super) fn count(&self, window: Duration) -> usize {
        let now = self.now().as_micros();
        let window = micros(window);
        self.shards.iter().map(|shard| shard.lock().count(window, now)).sum()
    }

    pub(super) fn is_online(&self, user: &UserId) -> bool {
        let key = self.shared.key(user);
        let now = self.now().as_micros();
        self.shard(&key).lock().is_online(&key, self.shared.times.window, now)
    }

    /// What memory knows of a user: the record, whether they are online, the profile where it is resolved.
    pub(super) fn look_up(&self, user: &UserId, as_of: Timestamp) -> Option<(Record, bool, Option<Profile>)> {
        let key = self.shared.key(user);
        let mut shard = self.shard(&key).lock();
        let slot = shard.find(&key)?;
        let online = shard.is_online(&key, self.shared.times.window, as_of.as_micros());
        Some((shard.record(slot), online, shard.profile(slot)))
    }

    /// A record as the store has it, without what was erased meanwhile.
    pub(super) fn remembered(&self, record: Record) -> Record {
        self.shard(&self.shared.key(&record.user)).lock().remembered(record)
    }

    pub(super) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for shard in &self.shards {
            let shard = shard.lock();
            totals.users += shard.users.len();
            totals.pending += shard.pending();
            totals.touches += shard.touches;
            totals.refused += shard.refused;
            totals.evicted += shard.evicted;
        }
        totals
    }

    // --- For the tasks -------------------------------------------------------------------------------------------------

    /// Lets everything go with the next batches that the store lacks.
    pub(super) fn make_all_due(&self) {
        self.shards.iter().for_each(|shard| shard.lock().make_all_due());
    }

    /// Lets everything go once more that this process has sent lately.
    pub(super) fn resend(&self) {
        self.shards.iter().for_each(|shard| shard.lock().resend());
    }

    /// The next batch of what is due for the store, sorted by user.
    pub(super) fn take_batch(&self) -> Vec<Outgoing> {
        let now = micros(self.shared.clock.monotonic());
        let mut batch = Vec::new();
        for (index, shard) in self.shards.iter().enumerate() {
            if batch.len() >= BATCH {
                break;
            }
            shard.lock().take_due(now, BATCH, index, &mut batch);
        }
        batch.sort_unstable_by(|a, b| a.record.user.cmp(&b.record.user));
        batch
    }

    /// The store has a batch, or failed to take it.
    pub(super) fn answered(&self, batch: &[Outgoing], stored: bool) {
        for sent in batch {
            self.shards[sent.shard].lock().answered(&self.shared, sent, stored);
        }
        if stored {
            self.acknowledged();
        }
    }

    /// The store has these records, written past the queue.
    pub(super) fn stored_directly(&self, records: &[Record]) {
        for record in records {
            let key = self.shared.key(&record.user);
            self.shard(&key).lock().stored_directly(&self.shared, &key, record);
        }
        self.acknowledged();
    }

    fn acknowledged(&self) {
        let now = self.shared.monotonic();
        self.shards.iter().for_each(|shard| shard.lock().acknowledged(now));
    }

    pub(super) fn sweep(&self) {
        for shard in &self.shards {
            shard.lock().sweep(&self.shared, self.now().as_micros());
        }
    }

    /// Lets go of the addresses of activities before this date.
    pub(super) fn expire_addresses(&self, since: Timestamp) {
        self.shards.iter().for_each(|shard| shard.lock().expire_addresses(since.as_micros()));
    }

    /// Takes up to `most` users whose profile is to be asked for.
    pub(super) fn take_unresolved(&self, most: usize) -> Vec<UserId> {
        let mut wanted = Vec::new();
        for shard in &self.shards {
            shard.lock().take_unresolved(most - wanted.len(), &mut wanted);
            if wanted.len() >= most {
                break;
            }
        }
        wanted
    }

    /// These users' profiles could not be asked for; they are to be taken again.
    pub(super) fn put_back_unresolved(&self, users: &[UserId]) {
        for user in users {
            let key = self.shared.key(user);
            self.shard(&key).lock().put_back_unresolved(&key);
        }
    }

    /// Everybody who is online, a shard at a time.
    pub(super) fn present(&self) -> impl Iterator<Item = Vec<UserId>> {
        self.shards.iter().map(|shard| shard.lock().present(&self.shared, self.now().as_micros()))
    }
}
