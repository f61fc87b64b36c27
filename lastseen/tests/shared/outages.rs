//! A site whose store fails, and what it must not notice.

use std::time::{Duration, Instant};

use lastseen::{OnlineUser, Store, Tracker, UserId};
use lastseen_harness::{cases, eventually};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// From the moment at which the server serves again to that at which all who came meanwhile are stored.
pub(crate) const RECOVERY: Duration = Duration::from_secs(2);

/// A site, and as many visitors as there have been.
pub(crate) struct Site<K> {
    pub tracker: Tracker,
    pub visitors: u32,
    /// Where its records are, whatever becomes of the tracker's way there.
    pub kept: K,
}

/// Says what is in a site's store.
pub(crate) trait Kept {
    /// How many are stored; 0 where nobody says.
    async fn stored(&self) -> u32;

    /// The store has the last that is known of this user.
    async fn has(&self, user: &OnlineUser) -> bool;
}

impl<K: Kept> Site<K> {
    pub(crate) async fn with(store: impl Store, kept: K) -> Self {
        let tracker = Tracker::builder(store).granularity(Duration::from_secs(1)).start().await.unwrap();
        Self { tracker, visitors: 0, kept }
    }

    /// It works from the start.
    pub(crate) async fn opens(&mut self) {
        self.visits();
        self.catches_up(PATIENCE).await;
    }

    /// A hundred new people visit, and all who came before click again. No request waits, and all are seen.
    pub(crate) fn visits(&mut self) {
        self.visitors += 100;
        let visitors = self.visitors;
        let started = Instant::now();
        for user in 0..visitors {
            self.tracker.touch(&UserId::from(user), "203.0.113.7".parse().ok());
        }
        // Whoever waited for the store would do so for a second at least.
        assert!(started.elapsed() < Duration::from_millis(500), "{:?} for {visitors}", started.elapsed());
        assert_eq!(self.tracker.count(), visitors as usize);
        assert!(self.tracker.is_online(&UserId::from(visitors - 1)));
    }

    /// The status tells why the store fails, in these words.
    pub(crate) async fn fails(&self, says: &str) {
        let error = async || self.tracker.status().store_error.unwrap_or_default().to_string();
        eventually(PATIENCE, error, |error| error.contains(says)).await;
        assert!(!self.tracker.status().is_ready());
    }

    /// The outage lasts: for half a minute with `LASTSEEN_TEST_FULL=1`. People come as before, and all are seen.
    pub(crate) async fn goes_on(&mut self) {
        let (started, lasts) = (Instant::now(), Duration::from_secs(cases(0, 30)));
        let clicks = async || {
            self.tracker.touch(&UserId::from(0_u32), None);
            assert_eq!(self.tracker.count(), self.visitors as usize);
            assert!(!self.tracker.status().is_ready());
            started.elapsed()
        };
        eventually(lasts + PATIENCE, clicks, |elapsed| *elapsed >= lasts).await;
        self.visits();
    }

    /// All who came are stored, and then the last that is known of each; the status says so.
    pub(crate) async fn catches_up(&self, within: Duration) {
        eventually(within, async || self.kept.stored().await, |stored| *stored == self.visitors).await;
        let status = async || self.tracker.status();
        eventually(PATIENCE, status, |status| status.is_ready() && status.pending == 0).await;
        for user in self.tracker.online(3).users {
            assert!(self.kept.has(&user).await, "{user:?}");
        }
    }
}
