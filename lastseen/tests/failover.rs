//! A store whose server is replaced by another that lacks what it acknowledged last, and one that wakes its followers.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lastseen::conformance::{Fault, Faults, Faulty, Operation};
use lastseen::store::{Changes, Cursor, KeptSince, Page};
use lastseen::{Activity, Clock, ManualClock, MemoryStore, Profile, Record, Store, Timestamp, Tracker, UserId};
use parking_lot::Mutex;
use tokio::sync::Notify;

const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const GRANULARITY: Duration = Duration::from_secs(3);

fn id(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

/// A server that others can take the place of.
#[derive(Clone, Default)]
struct Server(Arc<State>);

#[derive(Default)]
struct State {
    primary: Mutex<MemoryStore>,
    failovers: AtomicU64,
    writes: AtomicU64,
    changed: Notify,
}

impl Server {
    fn primary(&self) -> MemoryStore {
        self.0.primary.lock().clone()
    }

    /// A replica takes over that has been handed nothing at all.
    fn fail_over(&self) {
        *self.0.primary.lock() = MemoryStore::new();
        self.0.failovers.fetch_add(1, Ordering::SeqCst);
    }

    async fn has(&self, user: &str) -> bool {
        self.primary().read(&id(user)).await.unwrap().is_some()
    }
}

impl Store for Server {
    type Error = Infallible;

    async fn write(&self, batch: &[Record], now: Timestamp) -> Result<(), Infallible> {
        self.primary().write(batch, now).await?;
        self.0.writes.fetch_add(batch.len() as u64, Ordering::SeqCst);
        self.0.changed.notify_waiters();
        Ok(())
    }

    async fn read(&self, user: &UserId) -> Result<Option<Record>, Infallible> {
        self.primary().read(user).await
    }

    async fn recent(&self, since: Timestamp, page: Option<&Cursor>) -> Result<Page, Infallible> {
        self.primary().recent(since, page).await
    }

    async fn follow(&self, cursor: Option<&Cursor>) -> Result<Changes, Infallible> {
        self.primary().another().follow(cursor).await
    }

    async fn forget(&self, user: &UserId, at: Timestamp, now: Timestamp) -> Result<(), Infallible> {
        self.primary().forget(user, at, now).await
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), Infallible> {
        self.primary().set_profile(user, profile).await
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, Infallible> {
        self.primary().profiles(users).await
    }

    async fn expire(
        &self,
        since: KeptSince,
        now: Timestamp,
        page: Option<&Cursor>,
    ) -> Result<Option<Cursor>, Infallible> {
        self.primary().expire(since, now, page).await
    }

    async fn changed(&self) {
        self.0.changed.notified().await;
    }

    fn failovers(&self) -> u64 {
        self.0.failovers.load(Ordering::SeqCst)
    }
}

struct Site {
    clock: ManualClock,
    server: Server,
    faults: Faults,
    tracker: Tracker,
}

impl Site {
    async fn on(server: Server, clock: ManualClock, follow_every: Duration) -> Self {
        let store = Faulty::new(server.clone());
        let faults = store.faults();
        let tracker = Tracker::builder(store)
            .clock(clock.clone())
            .window(Duration::from_mins(15))
            .granularity(GRANULARITY)
            .follow_every(follow_every)
            .start()
            .await
            .unwrap();
        let site = Self { clock, server, faults, tracker };
        site.pass(0).await;
        site
    }

    async fn new() -> Self {
        Self::on(Server::default(), ManualClock::new(START), Duration::from_millis(500)).await
    }

    /// Lets seconds pass one at a time, and the tasks have their turns.
    async fn pass(&self, seconds: u32) {
        for second in 0..=seconds {
            self.clock.advance(Duration::from_secs(u64::from(second > 0)));
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
        }
    }
}

#[tokio::test]
async fn what_was_written_within_the_last_half_a_minute_is_written_again_after_a_failover() {
    let site = Site::new().await;
    site.tracker.touch(&id("long ago"), None);
    site.pass(40).await;
    site.tracker.touch(&id("ada"), None);
    site.tracker.record(Activity { user: id("bob"), at: site.clock.now(), ip: None }).await.unwrap();
    site.tracker.forget(&id("eve")).await.unwrap();
    site.tracker.set_profile(&id("ada"), Profile::new().hidden(true)).await.unwrap();
    // Longer than the granularity, so that nothing of this waits to be written any more.
    site.pass(20).await;
    assert!(site.server.has("ada").await && site.server.has("bob").await && site.server.has("long ago").await);

    site.server.fail_over();
    assert!(!site.server.has("ada").await);
    site.pass(2).await;
    assert!(site.server.has("ada").await && site.server.has("bob").await);
    assert!(!site.server.has("long ago").await, "a replica has that for long");
    let page = site.server.primary().recent(START, None).await.unwrap();
    assert_eq!(page.forgotten.len(), 1, "an erasure holds too");
    let profiles = site.server.primary().profiles(&[id("ada")]).await.unwrap();
    assert!(profiles[0].1.is_hidden(), "and so does a profile");

    let written = site.server.0.writes.load(Ordering::SeqCst);
    site.pass(10).await;
    assert_eq!(site.server.0.writes.load(Ordering::SeqCst), written, "once");
}

#[tokio::test]
async fn an_outage_before_the_failover_of_any_length_loses_nothing_more() {
    let site = Site::new().await;
    site.tracker.touch(&id("ada"), None);
    site.pass(2).await;
    assert!(site.server.has("ada").await);
    site.faults.inject(Fault::every().on(Operation::Write));
    site.tracker.touch(&id("bob"), None);
    site.pass(600).await;
    site.server.fail_over();
    site.faults.heal();
    site.pass(2).await;
    assert!(site.server.has("ada").await, "acknowledged right before the outage");
    assert!(site.server.has("bob").await, "pending since");
}

#[tokio::test]
async fn after_a_failover_each_process_writes_its_own_alone() {
    let one = Site::new().await;
    let other = Site::on(one.server.clone(), one.clock.clone(), Duration::from_millis(500)).await;
    one.tracker.touch(&id("ada"), None);
    one.pass(5).await;
    assert!(other.tracker.is_online(&id("ada")));
    other.tracker.touch(&id("bob"), None);
    one.pass(5).await;
    let written = one.server.0.writes.load(Ordering::SeqCst);
    one.server.fail_over();
    one.pass(2).await;
    assert!(one.server.has("ada").await && one.server.has("bob").await);
    assert_eq!(one.server.0.writes.load(Ordering::SeqCst), written + 2);
}

#[tokio::test]
async fn a_store_that_tells_of_changes_is_followed_before_the_interval_is_over() {
    let minute = Duration::from_mins(1);
    let writer = Site::on(Server::default(), ManualClock::new(START), minute).await;
    let follower = Site::on(writer.server.clone(), writer.clock.clone(), minute).await;
    // A quarter of the interval after the last time, so that a busy site doesn't make a process follow all the time.
    writer.pass(10).await;
    writer.tracker.touch(&id("ada"), None);
    writer.pass(3).await;
    assert!(!follower.tracker.is_online(&id("ada")));
    writer.pass(10).await;
    writer.tracker.touch(&id("bob"), None);
    writer.pass(2).await;
    assert!(follower.tracker.is_online(&id("ada")) && follower.tracker.is_online(&id("bob")));
}
