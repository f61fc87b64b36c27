//! `lastseen migrate`: the store's tables, brought to this version.

use std::path::Path;

use clap::Args;
use lastseen::{RedisStore, SqliteStore, SystemClock};
use serde::Serialize;

use crate::Failure;
use crate::settings::{Settings, StoreKeyFlags, StoreUrl};
use crate::store::{postgres, start_tracker};

#[derive(Args, Debug, Serialize)]
pub(super) struct Migrate {
    /// Store whose tables to bring up to date [default: that of the settings]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    #[command(flatten)]
    #[serde(flatten)]
    keys: StoreKeyFlags,
}

impl Migrate {
    pub(super) fn run(self, file: Option<&Path>) -> Result<String, Failure> {
        let (settings, _) = Settings::load(file, &self)?;
        let path = match &settings.store {
            StoreUrl::Sqlite(path) => path,
            StoreUrl::Memory => return Ok(format!("{} has no tables\n", settings.store)),
            StoreUrl::Postgres(url) => return migrate_postgres(url, &settings),
            StoreUrl::Redis(url) => return look_at_redis(url, &settings.store),
        };
        let before = SqliteStore::schema(path)?;
        if before.version == before.latest {
            return Ok(format!("{} is at version {} already\n", settings.store, before.version));
        }
        crate::way::runtime()?.block_on(async {
            start_tracker(&settings, SystemClock::new()).await?.shutdown().await.map_err(Failure::from)
        })?;
        Ok(format!(
            "{} went from version {} to {}\n",
            settings.store,
            before.version,
            SqliteStore::schema(path)?.version
        ))
    }
}

/// Connecting makes the tables, or brings them up to date.
fn migrate_postgres(url: &str, settings: &Settings) -> Result<String, Failure> {
    crate::way::runtime()?.block_on(async { postgres(url, settings).connect().await?.ready().await })?;
    Ok(format!("{} has the tables of this version\n", settings.store))
}

/// There is nothing to bring up to date; connecting tells whether it can be used.
fn look_at_redis(url: &str, shown: &StoreUrl) -> Result<String, Failure> {
    crate::way::runtime()?.block_on(async { RedisStore::connect(url).await?.ready().await })?;
    Ok(format!("{shown} has no tables, and can be used\n"))
}
