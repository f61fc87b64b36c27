//! A site whose tracker is on a Redis that fails, and as many visitors as there have been.

use std::time::{Duration, Instant};

use lastseen::store::RedisStore;
use lastseen::{Store, Timestamp, Tracker, UserId};
use lastseen_harness::eventually;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// From the moment at which the server serves again to that at which all who came meanwhile are stored.
pub(crate) const RECOVERY: Duration = Duration::from_secs(2);

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

    /// A hundred new people visit, and all who came before click again. No request waits, and all are seen.
    pub(crate) fn visits(&mut self) {
        self.visitors += 100;
        let started = Instant::now();
        for user in 0..self.visitors {
            self.tracker.touch(&UserId::from(user), "203.0.113.7".parse().ok());
        }
        assert!(started.elapsed() < Duration::from_millis(100), "{:?} for {}", started.elapsed(), self.visitors);
        assert_eq!(self.tracker.count(), self.visitors as usize);
        assert!(self.tracker.is_online(&UserId::from(self.visitors - 1)));
    }

    /// The status tells why the store fails, in these words.
    pub(crate) async fn fails(&self, says: &str) {
        let error = async || self.tracker.status().store_error.unwrap_or_default().to_string();
        eventually(PATIENCE, error, |error| error.contains(says)).await;
        assert!(!self.tracker.status().is_ready());
    }

    /// All who came are stored, and then the last that is known of each; the status says so.
    pub(crate) async fn catches_up(&self, within: Duration) {
        eventually(within, async || self.stored().await, |stored| *stored == self.visitors).await;
        let status = async || self.tracker.status();
        eventually(PATIENCE, status, |status| status.is_ready() && status.pending == 0).await;
        let store = RedisStore::connect(&self.url).await.unwrap();
        for user in self.tracker.online(3).users {
            let stored = store.read(&user.user).await.unwrap().unwrap();
            assert_eq!(stored.seen.map(|seen| seen.at), Some(user.at), "{user:?}");
        }
    }

    /// How many are stored; 0 where nobody says.
    pub(crate) async fn stored(&self) -> u32 {
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
}
