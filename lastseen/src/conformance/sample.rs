//! What the suite's functions share: users, records, chance, and calls that must not fail.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::store::{Change, Changes, Cursor, KeptSince, Page};
use crate::{Day, MostOnline, OnlineSpan, Profile, Record, Resolution, Seen, Store, Timestamp, UserId};

/// The writers' wall time where a rule doesn't say otherwise: a day in 2026.
pub(super) const NOW: Timestamp = Timestamp::from_micros(1_795_490_100_123_456);

/// Where a test turns on what is void: a day in 2100, which no store's own clock has come to.
pub(super) const FUTURE: Timestamp = Timestamp::from_micros(4_131_000_000_123_456);

/// `seconds` after [`NOW`], or before it.
pub(super) fn at(seconds: i64) -> Timestamp {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { NOW - distance } else { NOW + distance }
}

pub(super) fn user(id: &str) -> UserId {
    UserId::new(id).unwrap_or_else(|error| panic!("the suite's own user: {error}"))
}

#[allow(clippy::unnecessary_wraps, reason = "as a record has it")]
pub(super) fn ip(number: u32) -> Option<IpAddr> {
    Some(Ipv4Addr::from(number).into())
}

pub(super) fn seen(user: &UserId, at: Timestamp, ip: Option<IpAddr>) -> Record {
    Record { user: user.clone(), seen: Some(Seen { at, ip }), left_at: None }
}

pub(super) fn left(user: &UserId, at: Timestamp) -> Record {
    Record { user: user.clone(), seen: None, left_at: Some(at) }
}

/// `count` users whose ids begin with `prefix`, in order.
pub(super) fn users(prefix: &str, count: usize) -> Vec<UserId> {
    (0..count).map(|number| user(&format!("{prefix} {number:06}"))).collect()
}

/// A store whose failures end the test.
pub(super) struct Handle<S>(S);

pub(super) async fn handle<S: Store>(open: &impl AsyncFn() -> S) -> Handle<S> {
    Handle(open().await)
}

fn succeed<T, E: std::error::Error>(answer: Result<T, E>, doing: &str) -> T {
    answer.unwrap_or_else(|error| {
        let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        panic!("the store failed while {doing}: {error}{source}")
    })
}

impl<S: Store> Handle<S> {
    /// Writes a batch at [`NOW`], sorted as the contract has it.
    pub(super) async fn write(&self, batch: &[Record]) {
        self.write_at(batch, NOW).await;
    }

    pub(super) async fn write_at(&self, batch: &[Record], now: Timestamp) {
        let mut batch = batch.to_vec();
        batch.sort_by(|a, b| a.user.cmp(&b.user));
        succeed(self.0.write(&batch, now).await, "writing");
    }

    /// What is known of a user; `None` also for a record without a date in it.
    pub(super) async fn read(&self, user: &UserId) -> Option<Record> {
        succeed(self.0.read(user).await, "reading").filter(|record| !record.is_empty())
    }

    /// All pages of recent records. Of a user who comes twice the last stays.
    pub(super) async fn recent(&self, since: Timestamp) -> BTreeMap<UserId, Record> {
        let records = self.pages(since).await.into_iter().flat_map(|page| page.records);
        records.map(|record| (record.user.clone(), record)).collect()
    }

    /// Who was erased within the last day, by all pages.
    pub(super) async fn erasures(&self) -> BTreeMap<UserId, Timestamp> {
        self.pages(Timestamp::MIN).await.into_iter().flat_map(|page| page.forgotten).collect()
    }

    async fn pages(&self, since: Timestamp) -> Vec<Page> {
        let mut pages = Vec::new();
        let mut next: Option<Cursor> = None;
        for _ in 0..100_000 {
            let page = succeed(self.0.recent(since, next.as_ref()).await, "listing what is recent");
            next.clone_from(&page.next);
            pages.push(page);
            if next.is_none() {
                return pages;
            }
        }
        panic!("rule 5, recent: after 100,000 pages there is still another");
    }

    pub(super) async fn start(&self) -> Cursor {
        let start = succeed(self.0.follow(None).await, "following");
        assert_eq!(start.changes, [], "rule 6, follow: the first call, without a cursor, gives no changes");
        start.cursor
    }

    pub(super) async fn follow(&self, cursor: &Cursor) -> Changes {
        succeed(self.0.follow(Some(cursor)).await, "following")
    }

    /// Erases a user up to `at`, at [`NOW`].
    pub(super) async fn forget(&self, user: &UserId, at: Timestamp) {
        self.forget_at(user, at, NOW).await;
    }

    pub(super) async fn forget_at(&self, user: &UserId, at: Timestamp, now: Timestamp) {
        succeed(self.0.forget(user, at, now).await, "forgetting");
    }

    pub(super) async fn set_profile(&self, user: &UserId, profile: &Profile) {
        succeed(self.0.set_profile(user, profile).await, "setting a profile");
    }

    pub(super) async fn profiles(&self, users: &[UserId]) -> BTreeMap<UserId, Profile> {
        succeed(self.0.profiles(users).await, "reading profiles").into_iter().collect()
    }

    pub(super) async fn profile(&self, user: &UserId) -> Option<Profile> {
        self.profiles(std::slice::from_ref(user)).await.remove(user)
    }

    /// Takes away what is kept no longer, to the last page.
    pub(super) async fn expire(&self, since: KeptSince) {
        let mut page: Option<Cursor> = None;
        for _ in 0..100_000 {
            page = succeed(self.0.expire(since, NOW, page.as_ref()).await, "taking away what is kept no longer");
            if page.is_none() {
                return;
            }
        }
        panic!("rule 16, expiry: after 100,000 pages there is still another");
    }

    pub(super) fn keeps_history(&self) -> bool {
        self.0.keeps_history()
    }

    pub(super) async fn write_history(&self, spans: &[OnlineSpan], most: Option<MostOnline>) {
        succeed(self.0.write_history(spans, most, NOW).await, "writing the history");
    }

    pub(super) async fn history(&self, resolution: Resolution, from: Timestamp, to: Timestamp) -> Vec<OnlineSpan> {
        succeed(self.0.history(resolution, from, to).await, "reading the history")
    }

    pub(super) async fn most_online(&self) -> Option<MostOnline> {
        succeed(self.0.most_online().await, "reading the most ever online")
    }

    pub(super) async fn active_users(&self, from: Day, to: Day) -> u64 {
        succeed(self.0.active_users(from, to).await, "counting active users")
    }

    pub(super) async fn active_days(&self, user: &UserId) -> Vec<Day> {
        succeed(self.0.active_days(user, NOW).await, "reading when a user was active")
    }
}

/// Whose change it is.
pub(super) fn changed(change: &Change) -> &UserId {
    match change {
        Change::Record(record) => &record.user,
        Change::Forgotten(user, _) | Change::Profile(user, _) => user,
    }
}

/// Numbers that look random and are the same in every run.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number less than `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64, by its published constants.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// Whether something that happens once in `times` happens now.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    pub(super) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }
}
