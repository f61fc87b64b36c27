//! A store of one's own in under 100 lines of code: a row a user, in a JSON file that each commit replaces.
//!
//! It is for one process and some thousand users, and shows what [`Store`]'s rules come to. With a database in the place
//! of map and file, `FileStore::commit` is a transaction, and `Row::change` a column with an index.

use std::{collections::BTreeMap, fs, io, path::PathBuf, sync::Arc};

use lastseen::store::{Change, Changes, Cursor, KeptSince, Page};
use lastseen::{Profile, Record, Store, Timestamp, UserId};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// What the file has.
#[derive(Default, Serialize, Deserialize)]
struct Data {
    /// The number of the last change: where the feed ends.
    last: u64,
    rows: BTreeMap<UserId, Row>,
}

/// What is kept of a user.
#[derive(Default, Serialize, Deserialize)]
struct Row {
    record: Option<Record>,
    profile: Option<Profile>,
    /// When the user was erased. It stays, so that nothing older brings them back.
    forgotten_at: Option<Timestamp>,
    /// The number of this row's last change: a cursor before it has yet to be told.
    change: u64,
}

impl Data {
    /// The user's row, which is about to change.
    fn change(&mut self, user: &UserId) -> &mut Row {
        self.last += 1;
        let row = self.rows.entry(user.clone()).or_default();
        row.change = self.last;
        row
    }

    /// Merges into the user's row what is dated after their erasure.
    fn merge(&mut self, mut record: Record, now: Timestamp) {
        let row = self.change(&record.user);
        record.forget_until(row.forgotten_at.unwrap_or(Timestamp::MIN));
        row.record.get_or_insert_with(|| Record::empty(record.user.clone())).merge(&record, now);
    }
}

/// Keeps records in a JSON file. A clone is another handle on it.
#[derive(Clone)]
pub struct FileStore(PathBuf, Arc<Mutex<Data>>);

impl FileStore {
    /// Opens a file; where there is none, the first commit makes it.
    ///
    /// # Errors
    ///
    /// Where it can't be read, or holds something else.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let data = if path.exists() { serde_json::from_slice(&fs::read(&path)?)? } else { Data::default() };
        Ok(Self(path, Arc::new(Mutex::new(data))))
    }

    /// Changes the rows, and puts a whole new file in the place of the old one. Where that fails, the next commit writes
    /// these changes too.
    fn commit(&self, change: impl FnOnce(&mut Data)) -> io::Result<()> {
        let mut data = self.1.lock();
        change(&mut data);
        let new = self.0.with_extension("new");
        fs::write(&new, serde_json::to_vec(&*data)?)?;
        fs::rename(new, &self.0)
    }
}

impl Store for FileStore {
    type Error = io::Error;

    async fn write(&self, batch: &[Record], now: Timestamp) -> io::Result<()> {
        self.commit(|data| batch.iter().cloned().for_each(|record| data.merge(record, now)))
    }

    async fn read(&self, user: &UserId) -> io::Result<Option<Record>> {
        Ok(self.1.lock().rows.get(user).and_then(|row| row.record.clone()).filter(|record| !record.is_empty()))
    }

    async fn recent(&self, since: Timestamp, _: Option<&Cursor>) -> io::Result<Page> {
        let mut page = Page::default();
        for (user, row) in &self.1.lock().rows {
            page.records.extend(row.record.clone().filter(|record| record.latest() >= Some(since)));
            page.forgotten.extend(row.forgotten_at.map(|at| (user.clone(), at)));
        }
        Ok(page)
    }

    async fn follow(&self, cursor: Option<&Cursor>) -> io::Result<Changes> {
        let Data { last, rows } = &*self.1.lock();
        // Where a cursor isn't ours, nothing is known of what its reader has missed.
        let start = cursor.map_or(Some(*last), |cursor| cursor.as_str().parse().ok().filter(|start| start <= last));
        let mut changes = Vec::new();
        for (user, row) in rows.iter().filter(|(_, row)| row.change > start.unwrap_or(*last)) {
            changes.extend(row.forgotten_at.map(|at| Change::Forgotten(user.clone(), at)));
            changes.extend(row.record.clone().filter(|record| !record.is_empty()).map(Change::Record));
            changes.extend(row.profile.clone().map(|profile| Change::Profile(user.clone(), profile)));
        }
        Ok(Changes { changes, cursor: Cursor::new(last.to_string()), missed: start.is_none() })
    }

    async fn forget(&self, user: &UserId, at: Timestamp, now: Timestamp) -> io::Result<()> {
        self.commit(|data| {
            let row = data.change(user);
            let known = row.record.take().unwrap_or_else(|| Record::empty(user.clone()));
            *row = Row { forgotten_at: row.forgotten_at.max(Some(at)), ..Row::default() };
            data.merge(known, now);
        })
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> io::Result<()> {
        self.commit(|data| data.change(user).profile = Some(profile.clone()))
    }

    async fn profiles(&self, users: &[UserId]) -> io::Result<Vec<(UserId, Profile)>> {
        let rows = &self.1.lock().rows;
        Ok(users.iter().filter_map(|user| Some((user.clone(), rows.get(user)?.profile.clone()?))).collect())
    }

    async fn expire(&self, since: KeptSince, _: Timestamp, _: Option<&Cursor>) -> io::Result<Option<Cursor>> {
        self.commit(|data| {
            data.rows.retain(|_, row| {
                let Some(record) = row.record.as_mut().filter(|record| !record.is_empty()) else { return true };
                record.seen.as_mut().filter(|seen| Some(seen.at) < since.addresses).map(|seen| seen.ip.take());
                record.latest() >= since.records
            });
        })
        .map(|()| None)
    }
}
