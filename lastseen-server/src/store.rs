//! A tracker on the store that the settings name, and the same store for other processes.

use std::error::Error;
use std::future::ready;
use std::path::PathBuf;
use std::pin::Pin;

use futures_util::TryFutureExt;
use lastseen::store::{PostgresBuilder, PostgresError, RedisError, SqliteError};
use lastseen::{Clock, MemoryStore, PostgresStore, RedisStore, SqliteStore, Store, Tracker};

use crate::settings::{Kept, Settings, StoreKey, StoreUrl, StoreUsers};
use crate::{Failure, demo};

mod shared;

pub use shared::Shared;

/// Opens the store and starts a tracker on it.
///
/// # Errors
///
/// Where the store can't be opened, or the settings contradict each other.
pub async fn start_tracker(settings: &Settings, clock: impl Clock) -> Result<Tracker, Failure> {
    start_shared(settings, clock).await.map(|(tracker, _)| tracker)
}

/// The same, and what shares the store with other processes.
pub(crate) async fn start_shared(settings: &Settings, clock: impl Clock) -> Result<(Tracker, Shared), Failure> {
    match settings.store.clone() {
        StoreUrl::Memory => {
            let store = memory(settings, &clock).await;
            both(settings, clock, move || ready(Ok(store.another()))).await
        }
        StoreUrl::Sqlite(path) => both(settings, clock, sqlite(path)).await,
        StoreUrl::Postgres(url) => {
            let store = postgres(&url, settings);
            both(settings, clock, move || store.clone().connect().map_err(Failure::from)).await
        }
        StoreUrl::Redis(url) => {
            both(settings, clock, move || {
                let url = url.clone();
                async move { Ok(RedisStore::connect(&url).await?) }
            })
            .await
        }
    }
}

/// A tracker on a handle of its own, and others' handles.
async fn both<S, F>(
    settings: &Settings,
    clock: impl Clock,
    open: impl Fn() -> F + Send + Sync + 'static,
) -> Result<(Tracker, Shared), Failure>
where
    S: Store,
    F: Future<Output = Result<S, Failure>> + Send + 'static,
{
    let tracker = start(settings, open().await?, clock).await?;
    Ok((tracker, Shared::by(settings.addresses, open)))
}

/// What opens handles on a SQLite file.
fn sqlite(path: PathBuf) -> impl Fn() -> Pin<Box<dyn Future<Output = Result<SqliteStore, Failure>> + Send>> {
    move || {
        let path = path.clone();
        Box::pin(async move { Ok(SqliteStore::open(path).await?) })
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

/// Makes sure that the SQLite file can be opened. One that is damaged or another program's is given another name, which this
/// says, and a new one begun.
///
/// # Errors
///
/// Where the store is none, or the file can't be renamed or is unusable for another reason.
pub(crate) async fn recover(settings: &Settings) -> Result<Option<PathBuf>, Failure> {
    let StoreUrl::Sqlite(path) = &settings.store else {
        let store = &settings.store;
        return Err(Failure::usage(format!("--recover is for a SQLite file, and the store is {store}: leave it out")));
    };
    Ok(SqliteStore::recover(path).await?.1)
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
async fn start(settings: &Settings, store: impl Store, clock: impl Clock) -> Result<Tracker, Failure> {
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
