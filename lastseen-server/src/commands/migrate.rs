//! `lastseen migrate`: the store's tables, brought to this version.

use std::path::Path;

use clap::Args;
use lastseen::{RedisStore, SqliteStore, SystemClock};
use serde::Serialize;

use crate::Failure;
use crate::settings::{Settings, StoreUrl};
use crate::store::{postgres, start_tracker, with_causes};

#[derive(Args, Debug, Serialize)]
pub(super) struct Migrate {
    /// Store whose tables to bring up to date [default: that of the settings]
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// PostgreSQL: type of the users' keys: text, bigint or uuid [default: auto, as they are]
    #[arg(long, value_name = "TYPE")]
    store_key: Option<String>,
    /// PostgreSQL: the site's users, as TABLE.COLUMN or SCHEMA.TABLE.COLUMN, to whom records belong [default: none]
    #[arg(long, value_name = "TABLE.COLUMN")]
    store_users: Option<String>,
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
        let version = || SqliteStore::schema(path).map_err(|error| Failure::runtime(with_causes(&error)));
        let before = version()?;
        if before.version == before.latest {
            return Ok(format!("{} is at version {} already\n", settings.store, before.version));
        }
        crate::way::runtime()?.block_on(async {
            start_tracker(&settings, SystemClock::new()).await?.shutdown().await.map_err(Failure::from)
        })?;
        Ok(format!("{} went from version {} to {}\n", settings.store, before.version, version()?.version))
    }
}

/// Connecting makes the tables, or brings them up to date.
fn migrate_postgres(url: &str, settings: &Settings) -> Result<String, Failure> {
    crate::way::runtime()?.block_on(async { postgres(url, settings).connect().await?.ready().await })?;
    Ok(format!("{} has the tables of this version\n", settings.store))
}

/// There is nothing to bring up to date; connecting tells whether it can be used.
fn look_at_redis(url: &str, shown: &StoreUrl) -> Result<String, Failure> {
    crate::way::runtime()?.block_on(async {
        let failed = |error| Failure::runtime(with_causes(&error));
        RedisStore::connect(url).await.map_err(failed)?.ready().await.map_err(failed)
    })?;
    Ok(format!("{shown} has no tables, and can be used\n"))
}
