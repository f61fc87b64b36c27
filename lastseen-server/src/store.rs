//! A tracker on the store that the settings name.

use std::error::Error;
use std::path::PathBuf;

use lastseen::store::{PostgresBuilder, PostgresError, RedisError, SqliteError};
use lastseen::{Clock, MemoryStore, PostgresStore, RedisStore, SqliteStore, Store, Tracker};

use crate::settings::{Kept, Settings, StoreKey, StoreUrl, StoreUsers};
use crate::{Failure, demo};

/// Opens the store and starts a tracker on it.
///
/// # Errors
///
/// Where the store can't be opened, or the settings contradict each other.
pub async fn start_tracker(settings: &Settings, clock: impl Clock) -> Result<Tracker, Failure> {
    match &settings.store {
        StoreUrl::Memory => start(settings, memory(settings, &clock).await, clock).await,
        StoreUrl::Sqlite(path) => start(settings, SqliteStore::open(path).await?, clock).await,
        StoreUrl::Postgres(url) => start(settings, postgres(url, settings).connect().await?, clock).await,
        StoreUrl::Redis(url) => start(settings, RedisStore::connect(url).await?, clock).await,
    }
}

/// A demonstration begins with a past; in a store that stays, it would stay too.
async fn memory(settings: &Settings, clock: &impl Clock) -> MemoryStore {
    let store = MemoryStore::new();
    if settings.demo > 0 {
        let Ok(()) = demo::invent(&store, settings.demo, clock.now()).await;
    }
    store
}

/// Opens the SQLite file. One that is damaged or another program's is given another name, which this says, and a new one begun.
///
/// # Errors
///
/// Where the store is none, or the file can't be renamed or is unusable for another reason.
pub(crate) async fn recover(settings: &Settings) -> Result<(SqliteStore, Option<PathBuf>), Failure> {
    let StoreUrl::Sqlite(path) = &settings.store else {
        let store = &settings.store;
        return Err(Failure::usage(format!("--recover is for a SQLite file, and the store is {store}: leave it out")));
    };
    Ok(SqliteStore::recover(path).await?)
}

impl From<SqliteError> for Failure {
    fn from(error: SqliteError) -> Self {
        let way_out = if error.is_damaged() { " (`lastseen serve --recover` does that)" } else { "" };
        Self::runtime(with_causes(&error) + way_out)
    }
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        of_server(&error, error.is_invalid())
    }
}

impl From<PostgresError> for Failure {
    fn from(error: PostgresError) -> Self {
        of_server(&error, error.is_invalid())
    }
}

/// A URL that can't be read is the caller's to mend; everything else is between the server and its operator.
fn of_server(error: &dyn Error, is_invalid: bool) -> Failure {
    let message = with_causes(error);
    if is_invalid { Failure::usage(message) } else { Failure::runtime(message) }
}

/// The PostgreSQL store at this URL, as the settings have it.
pub(crate) fn postgres(url: &str, settings: &Settings) -> PostgresBuilder {
    let mut builder = PostgresStore::builder(url);
    if let StoreKey::Is(key) = settings.store_key {
        builder = builder.key(key);
    }
    if let StoreUsers::In { table, column } = &settings.store_users {
        builder = builder.references(table, column);
    }
    builder
}

/// Starts a tracker on a store that is open.
pub(crate) async fn start(settings: &Settings, store: impl Store, clock: impl Clock) -> Result<Tracker, Failure> {
    let mut builder = Tracker::builder(store);
    if let Kept(Some(time)) = settings.keep_addresses {
        builder = builder.keep_addresses(time);
    }
    if let Kept(Some(time)) = settings.keep_records {
        builder = builder.keep_records(time);
    }
    let tracker = builder
        .window(settings.window.0)
        .granularity(settings.granularity.0)
        .flush_every(settings.flush_every.0)
        .follow_every(settings.follow_every.0)
        .horizon(settings.horizon.0)
        .capacity(settings.capacity)
        .clock(clock)
        .start()
        .await?;
    Ok(tracker)
}

/// An error's text, and those of its causes after it.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
