//! A store in a site's own PostgreSQL database, for any number of processes and machines.

mod active;
mod builder;
mod date;
mod error;
mod history;
mod key;
mod listener;
mod names;
mod place;
pub(crate) mod pool;
mod read;
mod row;
mod schema;
mod servers;
mod tables;
pub(crate) mod target;
mod tls;
mod write;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use super::random::random;
use super::{Changes, Cursor, KeptSince, Page, Store};
use crate::{Day, MostOnline, OnlineSpan, Profile, Record, Resolution, Timestamp, UserId};

pub use builder::PostgresBuilder;
pub(crate) use date::Date;
pub(crate) use error::Kind;
pub use error::PostgresError;
pub use key::PostgresKey;
use listener::Listener;
use pool::{Param, Pool};
use schema::Wanted;
use servers::Servers;
use tables::Tables;

/// How often a statement is tried that another transaction got in the way of.
const TRIES: usize = 3;

/// Keeps records in a PostgreSQL database, the site's own as a rule: PostgreSQL 13 or newer.
///
/// Any number of processes may share it, and follow each other. The tables are made where there are none; two processes
/// that start at once wait for each other. A batch is one statement, and so one transaction and one round to the server.
/// No session state is used, so a pooler such as PgBouncer in transaction mode may sit in between.
///
/// A connection that is lost is made again, at most one attempt a second. A clone is the same handle.
///
/// On one more connection a tracker is told when another process has written, so it looks before its interval is over:
/// [`listen`](PostgresBuilder::listen). When another server has taken over, or the same one has been started again, what was
/// acknowledged within the last half a minute is written once more: a standby is handed commits after they are answered,
/// and a server may have been told not to wait for its disk.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use lastseen::{PostgresStore, Tracker};
///
/// let store = PostgresStore::builder("postgres://site:secret@db.example/site?sslmode=verify-full")
///     .references("auth_user", "id")
///     .connect()
///     .await?;
/// let tracker = Tracker::builder(store).start().await?;
/// # Ok(())
/// # }
/// ```
///
/// # The URL
///
/// `postgres://ROLE:PASSWORD@HOST:PORT/DATABASE`, with `%` sequences for special characters, several hosts separated by
/// commas, and the parameters of [tokio-postgres](tokio_postgres::Config). Hosts are tried in their order, each for as long as
/// a connection may take; with `target_session_attrs=read-write` the first that takes writes is picked, so that a standby
/// that takes over is found. `sslmode` means what it means to libpq:
/// `disable`, `prefer` (the default: encrypted where the server offers it, without looking at its certificate),
/// `require` (encrypted), `verify-ca` (by a server whose certificate is trusted) and `verify-full` (and is for this
/// host). Trusted are the certificates in the PEM file `sslrootcert`, by default this machine's.
///
/// # For people
///
/// `user_activity` has a row a user: `user_id`, `last_activity_date`, `last_activity_ip`, and `left_at`, when the user last
/// signed out. `SELECT * FROM user_activity_readable` shows beside them how long ago that was, and whether the user has
/// signed out since. `LISTEN user_activity` tells of each batch that changed something.
#[derive(Clone)]
pub struct PostgresStore(Arc<Handle>);

struct Handle {
    pool: Pool,
    wanted: Wanted,
    /// Tells this handle's changes from others' in the feed.
    origin: i64,
    /// `None` until the server has been reached.
    tables: Mutex<Option<Arc<Tables>>>,
    dropped: AtomicU64,
    servers: Servers,
    /// `None` where it is not wanted.
    listener: Option<Listener>,
    prune_at: Mutex<Instant>,
}

impl PostgresStore {
    /// Connects to the database that the URL names, and makes sure of the tables.
    ///
    /// A server that can't be reached, or takes no writes, is no error here: the store is there, and each call fails
    /// until it can be done. [`ready`](Self::ready) is for who would rather not go on without.
    ///
    /// # Errors
    ///
    /// Where trying again can't help: the URL is wrong, the role is refused or lacks a privilege, the database isn't
    /// there, the tables are another's, newer, or of another key.
    pub async fn connect(url: &str) -> Result<Self, PostgresError> {
        Self::builder(url).connect().await
    }

    /// Begins the settings of a store, for another key than text, a foreign key to the site's users, or other limits.
    pub fn builder(url: &str) -> PostgresBuilder {
        PostgresBuilder::new(url)
    }

    /// Makes sure that the server can be reached and has the tables, making them or bringing them up to date.
    ///
    /// # Errors
    ///
    /// Where it can't be reached, or as [`connect`](Self::connect).
    pub async fn ready(&self) -> Result<(), PostgresError> {
        self.0.tables().await.map(drop)
    }

    /// How many records and profiles this handle was given and has dropped, since the site has no such user or since
    /// [the id can be no key](PostgresKey).
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

impl Handle {
    fn new(pool: Pool, wanted: Wanted, listens: bool) -> Self {
        Self {
            pool,
            wanted,
            origin: random().cast_signed(),
            tables: Mutex::new(None),
            dropped: AtomicU64::new(0),
            servers: Servers::default(),
            listener: listens.then(Listener::new),
            prune_at: Mutex::new(Instant::now()),
        }
    }

    /// The statements on the tables, which are found, or made, at the first call that reaches the server.
    async fn tables(&self) -> Result<Arc<Tables>, PostgresError> {
        if let Some(tables) = &*self.tables.lock() {
            return Ok(tables.clone());
        }
        // Several may do it at the same time; they come to the same. Boxed, as what connects: seldom run and large, it
        // would be a part of every caller's future.
        let found = Box::pin(schema::prepare(&self.pool, &self.wanted)).await?;
        let tables = Arc::new(Tables::new(&found));
        *self.tables.lock() = Some(tables.clone());
        Ok(tables)
    }

    /// Asks a statement, and again where another transaction got in its way.
    async fn ask(&self, doing: &str, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, PostgresError> {
        let mut tries = 1;
        loop {
            match self.pool.query(doing, sql, params).await {
                Err(error) if tries < TRIES && is_clash(&error) => tries += 1,
                Err(error) if error.is_missing() => {
                    // Whoever restores a backup takes the tables away for a while: they are looked for anew.
                    *self.tables.lock() = None;
                    return Err(error);
                }
                outcome => return outcome,
            }
        }
    }

    /// Notes which server has answered, as its column says, before what it answered is believed.
    fn note_server(&self, row: &Row) -> Result<(), tokio_postgres::Error> {
        if self.servers.note(row.try_get("server")?) {
            tracing::warn!(target = %self.pool.target(), "another PostgreSQL server answers, or the same after a restart");
            self.pool.end_idle();
        }
        Ok(())
    }

    fn unreadable(&self, doing: &str, error: tokio_postgres::Error) -> PostgresError {
        self.pool.target().failed(doing, error)
    }
}

/// Whether the same statement may well succeed at once: a user was deleted between the look at the user table and the
/// check of the foreign key, or the database's own default is a stricter isolation than the statements need.
fn is_clash(error: &PostgresError) -> bool {
    [SqlState::FOREIGN_KEY_VIOLATION, SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED]
        .iter()
        .any(|code| error.is(code))
}

impl Store for PostgresStore {
    type Error = PostgresError;

    async fn write(&self, batch: &[Record], now: Timestamp) -> Result<(), PostgresError> {
        self.0.write(batch, now).await
    }

    async fn read(&self, user: &UserId) -> Result<Option<Record>, PostgresError> {
        self.0.read(user).await
    }

    async fn recent(&self, since: Timestamp, page: Option<&Cursor>) -> Result<Page, PostgresError> {
        self.0.recent(since, page).await
    }

    async fn follow(&self, cursor: Option<&Cursor>) -> Result<Changes, PostgresError> {
        self.0.follow(cursor).await
    }

    async fn forget(&self, user: &UserId, at: Timestamp, now: Timestamp) -> Result<(), PostgresError> {
        self.0.forget(user, at, now).await
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), PostgresError> {
        self.0.set_profile(user, profile).await
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, PostgresError> {
        self.0.profiles(users).await
    }

    async fn expire(
        &self,
        since: KeptSince,
        now: Timestamp,
        page: Option<&Cursor>,
    ) -> Result<Option<Cursor>, PostgresError> {
        self.0.expire(since, now, page).await
    }

    async fn changed(&self) {
        self.0.changed().await;
    }

    fn failovers(&self) -> u64 {
        self.0.servers.changes()
    }

    fn keeps_history(&self) -> bool {
        true
    }

    async fn write_history(
        &self,
        spans: &[OnlineSpan],
        most: Option<MostOnline>,
        now: Timestamp,
    ) -> Result<(), PostgresError> {
        self.0.write_history(spans, most, now).await
    }

    async fn history(
        &self,
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OnlineSpan>, PostgresError> {
        self.0.history(resolution, from, to).await
    }

    async fn most_online(&self) -> Result<Option<MostOnline>, PostgresError> {
        self.0.most_online().await
    }

    async fn active_users(&self, from: Day, to: Day) -> Result<u64, PostgresError> {
        self.0.active_users(from, to).await
    }

    async fn active_days(&self, user: &UserId, now: Timestamp) -> Result<Vec<Day>, PostgresError> {
        self.0.active_days(user, now).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("target", &self.0.pool.target().to_string())
            .field("wanted", &self.0.wanted)
            .finish_non_exhaustive()
    }
}
