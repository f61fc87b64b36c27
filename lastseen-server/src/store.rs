//! A tracker on the store that the settings name.

use std::error::Error;

use lastseen::{Clock, MemoryStore, PostgresStore, RedisStore, SqliteStore, Store, Tracker};

use crate::Failure;
use crate::settings::{Settings, StoreUrl};

/// Opens the store and starts a tracker on it.
///
/// # Errors
///
/// Where the store can't be opened, or the settings contradict each other.
pub async fn start_tracker(settings: &Settings, clock: impl Clock) -> Result<Tracker, Failure> {
    match &settings.store {
        StoreUrl::Memory => start(settings, MemoryStore::new(), clock).await,
        StoreUrl::Sqlite(path) => match SqliteStore::open(path).await {
            Ok(store) => start(settings, store, clock).await,
            Err(error) => Err(Failure::runtime(with_causes(&error))),
        },
        StoreUrl::Postgres(url) => match PostgresStore::connect(url).await {
            Ok(store) => start(settings, store, clock).await,
            Err(error) => Err(Failure::runtime(with_causes(&error))),
        },
        StoreUrl::Redis(url) => match RedisStore::connect(url).await {
            Ok(store) => start(settings, store, clock).await,
            Err(error) => Err(Failure::runtime(with_causes(&error))),
        },
    }
}

async fn start(settings: &Settings, store: impl Store, clock: impl Clock) -> Result<Tracker, Failure> {
    let tracker = Tracker::builder(store)
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
