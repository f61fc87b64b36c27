//! A site goes on while another process holds its file and stands still, and loses nothing.
#![cfg(feature = "sqlite")]

#[path = "shared/asked.rs"]
mod asked;
#[path = "shared/outages.rs"]
mod outages;

use std::path::PathBuf;

use lastseen::OnlineUser;
use lastseen::store::SqliteStore;
use rusqlite::Connection;
use tempfile::tempdir;

use outages::{Kept, RECOVERY, Site};

impl Kept for PathBuf {
    async fn stored(&self) -> u32 {
        asked::stored(&SqliteStore::open(self).await.unwrap()).await.unwrap()
    }

    async fn has(&self, user: &OnlineUser) -> bool {
        asked::has(&SqliteStore::open(self).await.unwrap(), user).await.unwrap()
    }
}

#[tokio::test]
async fn a_process_that_holds_the_lock_and_stands_still() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("lastseen.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let mut site = Site::with(store, path.clone()).await;
    site.opens().await;

    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    site.visits();
    site.fails("stayed locked by another process while writing").await;
    site.goes_on().await;
    holder.execute_batch("ROLLBACK").unwrap();
    site.catches_up(RECOVERY).await;
}
