//! A site goes on while another process holds its file and stands still, and loses nothing.
#![cfg(feature = "sqlite")]

#[path = "shared/outages.rs"]
mod outages;

use std::path::PathBuf;
use std::time::Duration;

use lastseen::store::SqliteStore;
use lastseen::{OnlineUser, Store, Timestamp, Tracker};
use rusqlite::Connection;
use tempfile::tempdir;

use outages::{Outage, PATIENCE, RECOVERY};

struct Site {
    tracker: Tracker,
    path: PathBuf,
    visitors: u32,
}

impl Outage for Site {
    fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    fn visitors(&self) -> u32 {
        self.visitors
    }

    fn welcome(&mut self, more: u32) {
        self.visitors += more;
    }

    async fn stored(&self) -> u32 {
        let (store, mut stored, mut next) = (SqliteStore::open(&self.path).await.unwrap(), 0, None);
        loop {
            let page = store.recent(Timestamp::MIN, next.as_ref()).await.unwrap();
            stored += u32::try_from(page.records.len()).unwrap();
            next = page.next;
            if next.is_none() {
                return stored;
            }
        }
    }

    async fn has(&self, user: &OnlineUser) -> bool {
        let stored = SqliteStore::open(&self.path).await.unwrap().read(&user.user).await.unwrap();
        stored.and_then(|record| record.seen).map(|seen| seen.at) == Some(user.at)
    }
}

#[tokio::test]
async fn a_process_that_holds_the_lock_and_stands_still() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("lastseen.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let tracker = Tracker::builder(store).granularity(Duration::from_secs(1)).start().await.unwrap();
    let mut site = Site { tracker, path: path.clone(), visitors: 0 };
    site.visits();
    site.catches_up(PATIENCE).await;

    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    site.visits();
    site.fails("stayed locked by another process while writing").await;
    site.goes_on().await;
    holder.execute_batch("ROLLBACK").unwrap();
    site.catches_up(RECOVERY).await;
}
