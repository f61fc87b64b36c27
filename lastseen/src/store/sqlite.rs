//! A store in a SQLite file, for one machine and any number of processes on it.

mod active;
mod error;
mod expire;
pub(crate) mod file;
mod history;
mod read;
mod row;
mod schema;
mod worker;
mod write;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::oneshot;

use super::{Changes, Cursor, KeptSince, Page, Store};
use crate::{Day, MostOnline, OnlineSpan, Profile, Record, Resolution, Timestamp, UserId};

pub(crate) use error::Kind;
pub use error::SqliteError;
pub use schema::SqliteSchema;
pub(crate) use schema::open_to_read;
pub(crate) use worker::{Read, Worker};
use writer::Write;

/// Keeps records in a SQLite file. Any number of processes on the machine may share it, and follow each other.
///
/// The file must lie on a local disk. It is created where there is none, readable by its owner alone, and its tables
/// are brought up to date. SQLite itself is built in.
///
/// All writes go through one thread: what waits at the same time is committed together, and each `write` returns after
/// its commit has reached the disk, so that neither the end of the process nor a loss of power undoes it. Reads have a
/// thread and a connection of their own, and neither side waits for the other. A lock of another process's is waited on
/// for 5 seconds.
///
/// A clone is the same handle. When the last is dropped, it waits until all that was handed in is committed and the
/// file is closed.
///
/// ```
/// use lastseen::{Record, SqliteStore, Store, Timestamp, UserId};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("lastseen.db");
/// let store = SqliteStore::open(&path).await?;
/// let now = Timestamp::from_micros(1_000);
/// let left = Record { left_at: Some(now), ..Record::empty(UserId::new("ada")?) };
/// store.write(&[left.clone()], now).await?;
///
/// let reopened = SqliteStore::open(&path).await?;
/// assert_eq!(reopened.read(&left.user).await?, Some(left));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// # For people
///
/// `SELECT * FROM user_activity_readable` shows users with their dates in RFC 3339.
#[derive(Clone)]
pub struct SqliteStore(Arc<Handle>);

struct Handle {
    path: PathBuf,
    /// Tells this handle's changes from others' in the feed.
    origin: i64,
    // Dropped in this order: the last to close can put the log away, and must be able to write.
    reader: Worker<Read>,
    writer: Worker<Write>,
}

impl SqliteStore {
    /// Opens the file at `path`, creating it where there is none.
    ///
    /// A file with older tables is brought up to date, in one transaction. Before that all of it is read, to be sure that it
    /// is whole: about a second for some million users.
    ///
    /// # Errors
    ///
    /// Where the file is damaged, or no database, or another application's, or has a newer schema, or can't be written, or
    /// its directory can't: it is left as it was. Where another process holds it for longer than 5 seconds.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        let path = file::absolute(path.as_ref())?;
        let writer = Worker::start(
            &path,
            {
                let path = path.clone();
                move || schema::open(&path)
            },
            {
                let path = path.clone();
                move |connection, queue| writer::write_all(connection, queue, &path)
            },
        )
        .await?;
        let reader = Worker::start(
            &path,
            {
                let path = path.clone();
                move || schema::open_to_read(&path)
            },
            Worker::read_all,
        )
        .await?;
        let random = |connection: &rusqlite::Connection| connection.query_row("SELECT random()", (), |row| row.get(0));
        let origin = reader.read(&path, "opening it", random).await?;
        Ok(Self(Arc::new(Handle { path, origin, reader, writer })))
    }

    /// Opens the file at `path` as [`open`](Self::open) does; but where it is damaged, or no database of this crate's, gives it
    /// another name and begins a new one. Gives that name too, which is its own with `.aside-` and the time at the end.
    ///
    /// No other process may have the file open: it would go on to write to the one set aside.
    ///
    /// ```
    /// use lastseen::SqliteStore;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("lastseen.db");
    /// std::fs::write(&path, "no database at all")?;
    /// assert!(SqliteStore::open(&path).await.unwrap_err().is_foreign());
    ///
    /// let (store, aside) = SqliteStore::recover(&path).await?;
    /// assert_eq!(std::fs::read_to_string(aside.unwrap())?, "no database at all");
    /// # drop(store);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) for any other reason, a newer schema among them. Where the file can't be renamed.
    pub async fn recover(path: impl AsRef<Path>) -> Result<(Self, Option<PathBuf>), SqliteError> {
        let path = path.as_ref();
        match Self::open(path).await {
            Ok(store) => Ok((store, None)),
            Err(error) if error.is_damaged() || error.is_foreign() && path.is_file() => {
                let aside = file::set_aside(&file::absolute(path)?, SystemTime::now().into())?;
                Ok((Self::open(path).await?, Some(aside)))
            }
            Err(error) => Err(error),
        }
    }

    /// Which version of the tables the file at `path` has. It is read only, and left as it is.
    ///
    /// This reads one page on the calling thread.
    ///
    /// # Errors
    ///
    /// Where the file is no database, or another application's, or has a newer schema.
    pub fn schema(path: impl AsRef<Path>) -> Result<SqliteSchema, SqliteError> {
        schema::look(path.as_ref())
    }

    /// The file's whole path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    async fn change(
        &self,
        change: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), SqliteError> {
        self.0.writer.write(&self.0.path, change).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, SqliteError> {
        self.0.reader.read(&self.0.path, "reading", question).await
    }
}

impl Store for SqliteStore {
    type Error = SqliteError;

    async fn write(&self, batch: &[Record], now: Timestamp) -> Result<(), SqliteError> {
        let (batch, origin) = (batch.to_vec(), self.0.origin);
        self.change(move |connection| write::write(connection, &batch, now, origin)).await
    }

    async fn read(&self, user: &UserId) -> Result<Option<Record>, SqliteError> {
        let user = user.clone();
        self.ask(move |connection| read::read(connection, &user)).await
    }

    async fn recent(&self, since: Timestamp, page: Option<&Cursor>) -> Result<Page, SqliteError> {
        let page = page.cloned();
        self.ask(move |connection| read::recent(connection, since, page.as_ref())).await
    }

    async fn follow(&self, cursor: Option<&Cursor>) -> Result<Changes, SqliteError> {
        let (cursor, origin) = (cursor.cloned(), self.0.origin);
        self.ask(move |connection| read::follow(connection, cursor.as_ref(), origin)).await
    }

    async fn forget(&self, user: &UserId, at: Timestamp, now: Timestamp) -> Result<(), SqliteError> {
        let (user, origin) = (user.clone(), self.0.origin);
        self.change(move |connection| write::forget(connection, &user, at, now, origin)).await
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), SqliteError> {
        let (user, profile, origin) = (user.clone(), profile.clone(), self.0.origin);
        self.change(move |connection| write::set_profile(connection, &user, &profile, origin)).await
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, SqliteError> {
        let users = users.to_vec();
        self.ask(move |connection| read::profiles(connection, &users)).await
    }

    async fn expire(
        &self,
        since: KeptSince,
        _now: Timestamp,
        page: Option<&Cursor>,
    ) -> Result<Option<Cursor>, SqliteError> {
        let page = page.cloned();
        let (tell, told) = oneshot::channel();
        let expire = move |connection: &rusqlite::Connection| {
            // Nobody waits any more where the call was given up.
            let _ = tell.send(expire::expire(connection, since, page.as_ref())?);
            Ok(())
        };
        self.change(expire).await?;
        Ok(told.await.unwrap_or_default())
    }

    fn keeps_history(&self) -> bool {
        true
    }

    async fn write_history(
        &self,
        spans: &[OnlineSpan],
        most: Option<MostOnline>,
        now: Timestamp,
    ) -> Result<(), SqliteError> {
        let spans = spans.to_vec();
        self.change(move |connection| history::write(connection, &spans, most, now)).await
    }

    async fn history(
        &self,
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OnlineSpan>, SqliteError> {
        self.ask(move |connection| history::read(connection, resolution, from, to)).await
    }

    async fn most_online(&self) -> Result<Option<MostOnline>, SqliteError> {
        self.ask(history::most).await
    }

    async fn active_users(&self, from: Day, to: Day) -> Result<u64, SqliteError> {
        self.ask(move |connection| active::count(connection, from, to)).await
    }

    async fn active_days(&self, user: &UserId, now: Timestamp) -> Result<Vec<Day>, SqliteError> {
        let user = user.clone();
        self.ask(move |connection| active::days_of(connection, &user, now)).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.0.path).finish_non_exhaustive()
    }
}
