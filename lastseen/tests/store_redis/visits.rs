//! A site whose tracker is on a Redis that fails, and as many visitors as there have been.

use std::time::Duration;

use lastseen::store::RedisStore;
use lastseen::{OnlineUser, Store, Timestamp, Tracker};

use crate::outages::{Outage, PATIENCE};

pub(crate) struct Site {
    pub tracker: Tracker,
    /// The way to the store that doesn't fail but with the server itself.
    pub url: String,
    pub visitors: u32,
}

impl Site {
    /// One on which all went well until now.
    pub(crate) async fn open(url: &str) -> Self {
        let mut site = Self::by_way_of(url, url).await;
        site.visits();
        site.catches_up(PATIENCE).await;
        site
    }

    /// One that comes to the store by another way.
    pub(crate) async fn by_way_of(way: &str, url: &str) -> Self {
        let store = RedisStore::builder(way)
            .connect_timeout(Duration::from_secs(1))
            .timeout(Duration::from_secs(1))
            .connect()
            .await
            .unwrap();
        let tracker = Tracker::builder(store).granularity(Duration::from_secs(1)).start().await.unwrap();
        Self { tracker, url: url.into(), visitors: 0 }
    }
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
        let Ok(store) = RedisStore::builder(&self.url).timeout(Duration::from_secs(1)).connect().await else {
            return 0;
        };
        let (mut stored, mut next) = (0, None);
        loop {
            let Ok(page) = store.recent(Timestamp::MIN, next.as_ref()).await else { return 0 };
            stored += u32::try_from(page.records.len()).unwrap();
            next = page.next;
            if next.is_none() {
                return stored;
            }
        }
    }
    async fn has(&self, user: &OnlineUser) -> bool {
        let store = RedisStore::connect(&self.url).await.unwrap();
        let stored = store.read(&user.user).await.unwrap().unwrap();
        stored.seen.map(|seen| seen.at) == Some(user.at)
    }
}
