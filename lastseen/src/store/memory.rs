//! A store in memory: it outlives trackers, not the process.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::Mutex;

use super::random::random;
use super::{Change, Changes, Cursor, KeptSince, Page, Store, tombstone};
use crate::history::Spans;
use crate::{ACTIVE_DAYS, Day, MostOnline, OnlineSpan, Profile, Record, Resolution, Timestamp, UserId};

/// How many changes are kept for others to follow, unless [`MemoryStore::with_feed`] says otherwise.
const FEED: usize = 100_000;

/// How many records a page of [`Store::recent`] looks at.
const PAGE: usize = 1_000;

/// No handle's: they are numbered from 0.
const NOBODY: u64 = u64::MAX;

/// Keeps records in this process's memory: for tests, and for sites that can do without dates after a restart.
///
/// A clone is the same handle. [`another`](Self::another) makes a second handle on the same data, as a second process
/// has it: each follows what the other writes.
///
/// ```
/// use lastseen::{Record, Seen, Store, Timestamp, UserId, store::MemoryStore};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let here = MemoryStore::new();
/// let there = here.another();
/// let start = there.follow(None).await?.cursor;
///
/// let now = Timestamp::from_micros(1_000);
/// let ada = Record { seen: Some(Seen { at: now, ip: None }), ..Record::empty(UserId::new("ada")?) };
/// here.write(&[ada.clone()], now).await?;
///
/// assert_eq!(there.read(&ada.user).await?, Some(ada));
/// assert_eq!(there.follow(Some(&start)).await?.changes.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    data: Arc<Mutex<Data>>,
    origin: u64,
}

struct Data {
    /// Tells its cursors from those of another store, such as the one of the process before.
    name: u64,
    records: BTreeMap<UserId, Record>,
    profiles: BTreeMap<UserId, Profile>,
    forgotten: BTreeMap<UserId, Timestamp>,
    /// Changes in the order of writing, numbered upwards.
    feed: VecDeque<Entry>,
    feed_length: usize,
    /// The number of the last change ever made.
    last: u64,
    /// The number of the last change that made way for newer ones.
    dropped: u64,
    handles: u64,
    spans: Spans,
    most: Option<MostOnline>,
    /// Who was active on which day.
    active: BTreeMap<Day, BTreeSet<UserId>>,
}

struct Entry {
    number: u64,
    origin: u64,
    user: UserId,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Record,
    Forgotten(Timestamp),
    Profile,
}

impl MemoryStore {
    /// An empty store that keeps the last 100,000 changes for other handles to follow.
    #[must_use]
    pub fn new() -> Self {
        Self::with_feed(FEED)
    }

    /// An empty store that keeps the last `changes` changes for other handles to follow. Whoever is further behind is
    /// told that changes were missed.
    #[must_use]
    pub fn with_feed(changes: usize) -> Self {
        let data = Data {
            name: random(),
            records: BTreeMap::new(),
            profiles: BTreeMap::new(),
            forgotten: BTreeMap::new(),
            feed: VecDeque::new(),
            feed_length: changes,
            last: 0,
            dropped: 0,
            handles: 1,
            spans: Spans::default(),
            most: None,
            active: BTreeMap::new(),
        };
        Self { data: Arc::new(Mutex::new(data)), origin: 0 }
    }

    /// Another handle on the same data, such as a second process would have.
    #[must_use]
    pub fn another(&self) -> Self {
        let mut data = self.data.lock();
        let origin = data.handles;
        data.handles += 1;
        Self { data: Arc::clone(&self.data), origin }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Data {
    fn cursor(&self) -> Cursor {
        Cursor::new(format!("{:x}-{}", self.name, self.last))
    }

    /// The last change that a reader has come to; `None` where that isn't known, or what came after isn't kept.
    fn reached(&self, cursor: &Cursor) -> Option<u64> {
        let (name, number) = cursor.as_str().split_once('-')?;
        let is_ours = u64::from_str_radix(name, 16) == Ok(self.name);
        number.parse().ok().filter(|reached| is_ours && (self.dropped..=self.last).contains(reached))
    }

    fn publish(&mut self, origin: u64, user: &UserId, kind: Kind) {
        self.last += 1;
        self.feed.push_back(Entry { number: self.last, origin, user: user.clone(), kind });
        while self.feed.len() > self.feed_length {
            self.dropped = self.feed.pop_front().map_or(self.dropped, |entry| entry.number);
        }
    }

    fn merge(&mut self, origin: u64, record: &Record, now: Timestamp) {
        let mut incoming = record.clone();
        if let Some(&forgotten_at) = self.forgotten.get(&record.user).filter(|at| tombstone::holds(**at, now, now)) {
            incoming.forget_until(forgotten_at);
        }
        let before = self.records.get(&record.user);
        let incoming = incoming.plausible(now);
        // Of the day of what is stored the user is counted already.
        if let Some(day) = incoming.day().filter(|day| before.and_then(Record::day) != Some(*day)) {
            self.active.entry(day).or_default().insert(record.user.clone());
            self.active = self.active.split_off(&(Day::of(now) - (ACTIVE_DAYS - 1)));
        }
        let mut after = before.cloned().unwrap_or_else(|| Record::empty(record.user.clone()));
        after.merge(&incoming, now);
        if before == Some(&after) || (before.is_none() && after.is_empty()) {
            return;
        }
        if after.is_empty() {
            self.records.remove(&record.user);
        } else {
            self.records.insert(record.user.clone(), after);
        }
        self.publish(origin, &record.user, Kind::Record);
    }

    /// The change as it is now; `None` where a later change has undone it.
    fn change(&self, user: &UserId, kind: Kind) -> Option<Change> {
        Some(match kind {
            Kind::Record => Change::Record(self.records.get(user)?.clone()),
            Kind::Forgotten(at) => Change::Forgotten(user.clone(), at),
            Kind::Profile => Change::Profile(user.clone(), self.profiles.get(user)?.clone()),
        })
    }
}

impl Store for MemoryStore {
    type Error = Infallible;

    async fn write(&self, batch: &[Record], now: Timestamp) -> Result<(), Infallible> {
        let mut data = self.data.lock();
        for record in batch {
            data.merge(self.origin, record, now);
        }
        Ok(())
    }

    async fn read(&self, user: &UserId) -> Result<Option<Record>, Infallible> {
        Ok(self.data.lock().records.get(user).cloned())
    }

    async fn recent(&self, since: Timestamp, page: Option<&Cursor>) -> Result<Page, Infallible> {
        let data = self.data.lock();
        let after = page.map_or(Bound::Unbounded, |last| Bound::Excluded(last.as_str()));
        let looked_at: Vec<&Record> =
            data.records.range::<str, _>((after, Bound::Unbounded)).map(|(_, record)| record).take(PAGE).collect();
        let next = looked_at.last().filter(|_| looked_at.len() == PAGE).map(|last| Cursor::new(last.user.as_str()));
        let recent = |record: &Record| record.seen.map(|seen| seen.at).max(record.left_at) >= Some(since);
        let records = looked_at.into_iter().filter(|record| recent(record)).cloned().collect();
        let forgotten = match page {
            None => data.forgotten.iter().map(|(user, at)| (user.clone(), *at)).collect(),
            Some(_) => Vec::new(),
        };
        Ok(Page { records, forgotten, next })
    }

    async fn follow(&self, cursor: Option<&Cursor>) -> Result<Changes, Infallible> {
        let data = self.data.lock();
        let end = data.cursor();
        let Some(cursor) = cursor else { return Ok(Changes { changes: Vec::new(), cursor: end, missed: false }) };
        let reached = data.reached(cursor);
        let after = reached.unwrap_or(data.dropped);
        let start = data.feed.partition_point(|entry| entry.number <= after);
        let mut told = BTreeSet::new();
        let changes = data
            .feed
            .range(start..)
            .filter(|entry| entry.origin != self.origin && told.insert((&entry.user, entry.kind)))
            .filter_map(|entry| data.change(&entry.user, entry.kind))
            .collect();
        Ok(Changes { changes, cursor: end, missed: reached.is_none() })
    }

    async fn forget(&self, user: &UserId, at: Timestamp, now: Timestamp) -> Result<(), Infallible> {
        let mut data = self.data.lock();
        let known = data.records.remove(user);
        data.profiles.remove(user);
        for users in data.active.values_mut() {
            users.remove(user);
        }
        data.feed.retain(|entry| entry.user != *user);
        data.forgotten.retain(|_, forgotten_at| !tombstone::has_expired(*forgotten_at, now));
        let before = data.forgotten.get(user).filter(|before| !tombstone::is_void(**before, now));
        let forgotten_at = before.map_or(at, |before| at.max(*before));
        data.forgotten.insert(user.clone(), forgotten_at);
        // An erasure that is another's is news to this handle too.
        let origin = if forgotten_at > at { NOBODY } else { self.origin };
        data.publish(origin, user, Kind::Forgotten(forgotten_at));
        if let Some(mut later) = known {
            later.forget_until(at);
            data.merge(NOBODY, &later, now);
        }
        Ok(())
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), Infallible> {
        let mut data = self.data.lock();
        data.profiles.insert(user.clone(), profile.clone());
        data.publish(self.origin, user, Kind::Profile);
        Ok(())
    }

    async fn expire(
        &self,
        since: KeptSince,
        _now: Timestamp,
        _page: Option<&Cursor>,
    ) -> Result<Option<Cursor>, Infallible> {
        let mut data = self.data.lock();
        if let Some(addresses) = since.addresses {
            let old = data.records.values_mut().filter_map(|record| record.seen.as_mut());
            old.filter(|seen| seen.at < addresses).for_each(|seen| seen.ip = None);
        }
        if let Some(records) = since.records {
            let is_old = |_: &UserId, record: &mut Record| record.latest() < Some(records);
            let gone: BTreeSet<UserId> = data.records.extract_if(.., is_old).map(|(user, _)| user).collect();
            data.profiles.retain(|user, _| !gone.contains(user));
            data.feed.retain(|entry| matches!(entry.kind, Kind::Forgotten(_)) || !gone.contains(&entry.user));
            data.active = data.active.split_off(&Day::of(records));
            data.active.values_mut().for_each(|users| users.retain(|user| !gone.contains(user)));
        }
        Ok(None)
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, Infallible> {
        let data = self.data.lock();
        Ok(users.iter().filter_map(|user| Some((user.clone(), data.profiles.get(user)?.clone()))).collect())
    }

    fn keeps_history(&self) -> bool {
        true
    }

    async fn write_history(
        &self,
        spans: &[OnlineSpan],
        most: Option<MostOnline>,
        now: Timestamp,
    ) -> Result<(), Infallible> {
        let mut data = self.data.lock();
        for span in spans {
            data.spans.merge(*span);
        }
        data.spans.drop_old(now);
        data.most = match (data.most, most) {
            (Some(before), Some(most)) => Some(before.merged(most)),
            (before, most) => before.or(most),
        };
        Ok(())
    }

    async fn history(
        &self,
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OnlineSpan>, Infallible> {
        Ok(self.data.lock().spans.within(resolution, from, to))
    }

    async fn most_online(&self) -> Result<Option<MostOnline>, Infallible> {
        Ok(self.data.lock().most)
    }

    async fn active_users(&self, from: Day, to: Day) -> Result<u64, Infallible> {
        let data = self.data.lock();
        let users: BTreeSet<&UserId> =
            data.active.iter().filter(|(day, _)| (from..=to).contains(*day)).flat_map(|(_, users)| users).collect();
        Ok(users.len() as u64)
    }

    async fn active_days(&self, user: &UserId, _now: Timestamp) -> Result<Vec<Day>, Infallible> {
        let data = self.data.lock();
        Ok(data.active.iter().filter(|(_, users)| users.contains(user)).map(|(day, _)| *day).collect())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = self.data.lock();
        f.debug_struct("MemoryStore")
            .field("records", &data.records.len())
            .field("changes", &data.last)
            .field("origin", &self.origin)
            .finish()
    }
}
