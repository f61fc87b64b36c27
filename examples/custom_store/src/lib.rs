//! A store of one's own in under 100 lines of code: a row a user, in a JSON file that each commit replaces.
//!
//! It is for one process and some thousand users, and shows what [`Store`]'s rules come to. With a database in the place
//! of map and file, [`FileStore::commit`] is a transaction, and [`Row::change`] a column with an index.

use std::{collections::BTreeMap, fs, io, net::IpAddr, path::PathBuf, sync::Arc};

use lastseen::store::{Change, Changes, Cursor, Page};
use lastseen::{Profile, Record, Seen, Store, Timestamp, UserId};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// What is kept of a user. Dates are in microseconds since 1970.
#[derive(Default, Serialize, Deserialize)]
struct Row {
    seen: Option<(i64, Option<IpAddr>)>,
    left_at: Option<i64>,
    /// Name, active, hidden.
    profile: Option<(Option<String>, bool, bool)>,
    /// When the user was erased. It stays, so that nothing older brings them back.
    forgotten_at: Option<i64>,
    /// The number of this row's last change, higher than all before: what a cursor points at.
    change: u64,
}

impl Row {
    fn record(&self, user: &UserId) -> Record {
        let seen = self.seen.map(|(at, ip)| Seen { at: Timestamp::from_micros(at), ip });
        Record { user: user.clone(), seen, left_at: self.left_at.map(Timestamp::from_micros) }
    }

    fn profile(&self) -> Option<Profile> {
        let (name, active, hidden) = self.profile.clone()?;
        Some(name.map_or_else(Profile::new, Profile::named).active(active).hidden(hidden))
    }

    fn forgotten_at(&self) -> Option<Timestamp> {
        self.forgotten_at.map(Timestamp::from_micros)
    }
}

type Rows = BTreeMap<UserId, Row>;

/// Keeps records in a JSON file. A clone is another handle on it.
#[derive(Clone)]
pub struct FileStore(PathBuf, Arc<Mutex<Rows>>);

impl FileStore {
    /// Opens a file; where there is none, the first commit makes it.
    ///
    /// # Errors
    ///
    /// Where it can't be read, or holds something else.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let kept = if path.exists() { fs::read(&path)? } else { "{}".into() };
        let rows: BTreeMap<String, Row> = serde_json::from_slice(&kept)?;
        let rows: Result<Rows, _> = rows.into_iter().map(|(id, row)| Ok((UserId::new(&id)?, row))).collect();
        Ok(Self(path, Arc::new(Mutex::new(rows.map_err(io::Error::other::<lastseen::Error>)?))))
    }

    /// Changes the row of each record's user, and puts a whole new file in the place of the old one. Where that fails, the
    /// next commit has these changes too.
    fn commit(&self, records: &[Record], edit: impl Fn(&mut Row, &Record)) -> io::Result<()> {
        let mut rows = self.1.lock();
        for (change, record) in (last(&rows) + 1..).zip(records) {
            let row = rows.entry(record.user.clone()).or_default();
            edit(row, record);
            row.change = change;
        }
        let by_id: BTreeMap<_, _> = rows.iter().map(|(user, row)| (user.as_str(), row)).collect();
        let new = self.0.with_extension("new");
        fs::write(&new, serde_json::to_vec(&by_id)?)?;
        fs::rename(new, &self.0)
    }
}

fn last(rows: &Rows) -> u64 {
    rows.values().map(|row| row.change).max().unwrap_or(0)
}

impl Store for FileStore {
    type Error = io::Error;

    async fn write(&self, batch: &[Record], now: Timestamp) -> io::Result<()> {
        self.commit(batch, |row, incoming| {
            let (mut record, mut incoming) = (row.record(&incoming.user), incoming.clone());
            incoming.forget_until(row.forgotten_at().unwrap_or(Timestamp::MIN));
            record.merge(&incoming, now);
            row.seen = record.seen.map(|seen| (seen.at.as_micros(), seen.ip));
            row.left_at = record.left_at.map(Timestamp::as_micros);
        })
    }

    async fn read(&self, user: &UserId) -> io::Result<Option<Record>> {
        Ok(self.1.lock().get(user).map(|row| row.record(user)).filter(|record| !record.is_empty()))
    }

    async fn recent(&self, since: Timestamp, _: Option<&Cursor>) -> io::Result<Page> {
        let rows = self.1.lock();
        let records = rows.iter().map(|(user, row)| row.record(user)).filter(|record| record.latest() >= Some(since));
        let forgotten = rows.iter().filter_map(|(user, row)| Some((user.clone(), row.forgotten_at()?))).collect();
        Ok(Page { records: records.collect(), forgotten, next: None })
    }

    async fn follow(&self, cursor: Option<&Cursor>) -> io::Result<Changes> {
        let rows = self.1.lock();
        let end = last(&rows);
        // Where a cursor isn't ours, nothing is known of what its reader has missed.
        let start = cursor.map_or(Some(end), |cursor| cursor.as_str().parse().ok().filter(|change| *change <= end));
        let mut changes = Vec::new();
        for (user, row) in rows.iter().filter(|(_, row)| row.change > start.unwrap_or(end)) {
            changes.extend(row.forgotten_at().map(|at| Change::Forgotten(user.clone(), at)));
            changes.extend(Some(row.record(user)).filter(|record| !record.is_empty()).map(Change::Record));
            changes.extend(row.profile().map(|profile| Change::Profile(user.clone(), profile)));
        }
        Ok(Changes { changes, cursor: Cursor::new(end.to_string()), missed: start.is_none() })
    }

    async fn forget(&self, user: &UserId, at: Timestamp) -> io::Result<()> {
        self.commit(&[Record::empty(user.clone())], |row, _| {
            *row = Row { forgotten_at: row.forgotten_at.max(Some(at.as_micros())), ..Row::default() };
        })
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> io::Result<()> {
        self.commit(&[Record::empty(user.clone())], |row, _| {
            row.profile = Some((profile.name().map(Into::into), profile.is_active(), profile.is_hidden()));
        })
    }

    async fn profiles(&self, users: &[UserId]) -> io::Result<Vec<(UserId, Profile)>> {
        let profile = |user| self.1.lock().get(user)?.profile();
        Ok(users.iter().filter_map(|user| Some((user.clone(), profile(user)?))).collect())
    }
}
