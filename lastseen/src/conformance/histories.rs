//! All rules at once: histories by chance, on several handles, against a model.

use std::collections::BTreeMap;
use std::time::Duration;

use super::sample::{Chance, FUTURE, Handle, handle, ip, users};
use crate::store::{Change, Cursor};
use crate::{Profile, Record, Seen, Store, Timestamp, UserId, VOID_AHEAD};

const HISTORIES: u64 = 12;
const STEPS: usize = 60;

/// Writes, forgettings, profiles and reopenings in an order given by chance, the same in every run: at the end of each
/// history every way of reading agrees with a plain map, and so does what a follower was told.
///
/// # Panics
///
/// Where the store and the model differ, or the store fails.
pub async fn histories<S: Store>(open: impl AsyncFn() -> S) {
    for seed in 0..HISTORIES {
        let mut chance = Chance::new(seed);
        let users = users(&format!("history {seed}"), 9);
        let mut handles = [handle(&open).await, handle(&open).await];
        let mut follower = Follower::new(handle(&open).await).await;
        let mut model = Model::new();
        let mut clock = FUTURE;
        for _ in 0..STEPS {
            clock = tick(clock, &mut chance);
            let store = chance.pick(&handles);
            match chance.below(20) {
                0..12 => {
                    let batch = batch(&users, clock, &mut chance);
                    store.write_at(&batch, clock).await;
                    model.write(&batch, clock);
                }
                12..14 => {
                    let user = chance.pick(&users);
                    // Of what came in lately some is later.
                    let at = clock - Duration::from_secs(chance.below(30));
                    store.forget_at(user, at, clock).await;
                    model.forget(user, at, clock);
                }
                14..16 => {
                    let user = chance.pick(&users);
                    let profile = Profile::named(format!("name {}", chance.below(99))).active(chance.once_in(2));
                    store.set_profile(user, &profile).await;
                    model.profiles.insert(user.clone(), profile);
                }
                16..19 => follower.catch_up().await,
                _ => handles[chance.index(2)] = handle(&open).await,
            }
        }
        follower.catch_up().await;
        let story = format!("history {seed} of {HISTORIES}");
        model.compare(&handles[0], &users, &story).await;
        follower.compare(&model, &users, &story);
    }
}

/// The next moment: some seconds on, now and then some back.
fn tick(clock: Timestamp, chance: &mut Chance) -> Timestamp {
    if chance.once_in(10) { clock - Duration::from_secs(5) } else { clock + Duration::from_secs(chance.below(20)) }
}

/// Records of some of the users, in whole seconds so that ties happen, and some of them far ahead.
fn batch(users: &[UserId], now: Timestamp, chance: &mut Chance) -> Vec<Record> {
    let at = |chance: &mut Chance| {
        let ago = Duration::from_secs(chance.below(30));
        if chance.once_in(10) { now + VOID_AHEAD * 2 + ago } else { now - ago }
    };
    let mut batch = Vec::new();
    for user in users {
        if chance.once_in(2) {
            let ip = ip(u32::try_from(chance.below(3)).unwrap_or(0)).filter(|_| !chance.once_in(4));
            let seen = Seen { at: at(chance), ip };
            let left_at = chance.once_in(4).then(|| at(chance));
            batch.push(Record { user: user.clone(), seen: Some(seen).filter(|_| !chance.once_in(6)), left_at });
        }
    }
    batch
}

/// What the contract comes to, as plain maps.
struct Model {
    records: BTreeMap<UserId, Record>,
    forgotten: BTreeMap<UserId, Timestamp>,
    profiles: BTreeMap<UserId, Profile>,
}

impl Model {
    fn new() -> Self {
        Self { records: BTreeMap::new(), forgotten: BTreeMap::new(), profiles: BTreeMap::new() }
    }

    fn write(&mut self, batch: &[Record], now: Timestamp) {
        for record in batch {
            let mut incoming = record.clone();
            if let Some(at) = self.forgotten.get(&record.user) {
                incoming.forget_until(*at);
            }
            let stored = self.records.entry(record.user.clone()).or_insert_with(|| Record::empty(record.user.clone()));
            stored.merge(&incoming, now);
        }
    }

    fn forget(&mut self, user: &UserId, at: Timestamp, now: Timestamp) {
        if let Some(record) = self.records.get_mut(user) {
            *record = record.clone().plausible(now);
            record.forget_until(at);
        }
        self.profiles.remove(user);
        let forgotten_at = self.forgotten.entry(user.clone()).or_insert(at);
        *forgotten_at = at.max(*forgotten_at);
    }

    fn record(&self, user: &UserId) -> Option<&Record> {
        self.records.get(user).filter(|record| !record.is_empty())
    }

    async fn compare<S: Store>(&self, handle: &Handle<S>, users: &[UserId], story: &str) {
        let recent = handle.recent(Timestamp::UNIX_EPOCH).await;
        let profiles = handle.profiles(users).await;
        for user in users {
            assert_eq!(
                handle.read(user).await.as_ref(),
                self.record(user),
                "rules 1, 4 and 8: {user}, read after {story}"
            );
            let listed = recent.get(user).filter(|record| !record.is_empty());
            assert_eq!(listed, self.record(user), "rule 5, recent: {user}, after {story}");
        }
        assert_eq!(profiles, self.profiles, "rule 9, profiles: after {story}");
    }
}

/// A process that writes nothing and knows what it was told.
struct Follower<S> {
    store: Handle<S>,
    cursor: Cursor,
    records: BTreeMap<UserId, Record>,
    profiles: BTreeMap<UserId, Profile>,
}

impl<S: Store> Follower<S> {
    async fn new(store: Handle<S>) -> Self {
        let cursor = store.start().await;
        Self { store, cursor, records: BTreeMap::new(), profiles: BTreeMap::new() }
    }

    /// Changes come in any order, so what was forgotten is taken out of what comes beside it.
    async fn catch_up(&mut self) {
        let told = self.store.follow(&self.cursor).await;
        assert!(!told.missed, "rule 6, follow: a few changes were missed");
        self.cursor = told.cursor;
        for change in &told.changes {
            if let Change::Forgotten(user, at) = change {
                self.profiles.remove(user);
                if let Some(record) = self.records.get_mut(user) {
                    record.forget_until(*at);
                }
            }
        }
        for change in told.changes {
            match change {
                Change::Record(record) => drop(self.records.insert(record.user.clone(), record)),
                Change::Profile(user, profile) => drop(self.profiles.insert(user, profile)),
                Change::Forgotten(..) => {}
            }
        }
    }

    fn compare(&self, model: &Model, users: &[UserId], story: &str) {
        for user in users {
            let told = self.records.get(user).filter(|record| !record.is_empty());
            assert_eq!(told, model.record(user), "rules 6 and 8, follow: {user}, after {story}");
        }
        assert_eq!(self.profiles, model.profiles, "rules 6 and 9, follow: profiles, after {story}");
    }
}
