//! lastseen itself, on a store that keeps nothing: what is measured is memory.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lastseen::store::{Changes, Cursor, KeptSince, Page};
use lastseen::{
    Activity, Clock, Online, Profile, Record, Store, SystemClock, Timestamp, Tracker, TrackerBuilder, UserId,
};
use tokio::runtime::{EnterGuard, Runtime};

use crate::contender::Contender;
use crate::population::WINDOW;

/// A tracker, and the runtime of the tasks behind it. They run while [`settle`](Contender::settle) does and at no other
/// time, so that a round measures what a request pays.
pub struct Lastseen {
    pub tracker: Tracker,
    runtime: Runtime,
}

impl Contender for Lastseen {
    const NAME: &'static str = "lastseen";
    type Newest = Online;

    fn new(users: u32) -> Self {
        // Shards are never exactly even.
        Self::with(SystemClock::new(), (users as usize * 5 / 4).max(1 << 20))
    }

    fn touch(&self, id: &str, ip: IpAddr) {
        self.tracker.touch(&user(id), Some(ip));
    }

    fn touch_at(&self, id: &str, ip: IpAddr, at: i64) {
        let activity = Activity { user: user(id), at: Timestamp::from_micros(at), ip: Some(ip) };
        self.tracker.touch_at(activity).expect("there is room, and the date has passed");
    }

    fn newest(&self, window: Duration, limit: usize) -> Online {
        self.tracker.online_within(window, limit).expect("memory reaches back a day")
    }

    fn ids(newest: Online) -> Vec<String> {
        newest.users.into_iter().map(|user| user.user.to_string()).collect()
    }

    fn count(&self, window: Duration) -> usize {
        self.tracker.count_within(window).expect("memory reaches back a day")
    }

    fn settle(&self) {
        self.runtime.block_on(async {
            self.tracker.resolve_profiles().await.expect("the store has no profiles");
            self.tracker.flush().await.expect("the store takes everything");
            // Lets the timers that came due meanwhile fire.
            tokio::time::sleep(Duration::from_millis(2)).await;
        });
    }
}

impl Lastseen {
    pub fn with(clock: impl Clock, capacity: usize) -> Self {
        Self::start(Tracker::builder(KeepsNothing::default()).clock(clock), capacity)
    }

    /// One that does the same in every run.
    pub fn counted(clock: impl Clock, capacity: usize) -> Self {
        Self::start(Tracker::builder(KeepsNothing::default()).clock(clock).fixed_hashes(), capacity)
    }

    fn start(builder: TrackerBuilder, capacity: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let builder = builder.window(WINDOW).capacity(capacity);
        let tracker = runtime.block_on(builder.start()).expect("the settings are valid");
        Self { tracker, runtime }
    }

    /// Until what this gives is dropped, futures that are polled here may use timers.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Writes all that the store lacks.
    pub fn flush(&self) {
        self.runtime.block_on(self.tracker.flush()).expect("the store takes everything");
    }
}

pub fn user(id: &str) -> UserId {
    UserId::new(id).expect("the id is valid")
}

/// A store that forgets at once, and counts the records that it is given.
#[derive(Default)]
pub struct KeepsNothing {
    written: Written,
}

/// How many records a store has been given.
#[derive(Clone, Default)]
pub struct Written(Arc<AtomicU32>);

impl Written {
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl KeepsNothing {
    pub fn written(&self) -> Written {
        self.written.clone()
    }
}

impl Store for KeepsNothing {
    type Error = Infallible;

    async fn write(&self, batch: &[Record], _: Timestamp) -> Result<(), Infallible> {
        self.written.0.fetch_add(u32::try_from(batch.len()).expect("a batch is small"), Ordering::Relaxed);
        Ok(())
    }

    async fn read(&self, _: &UserId) -> Result<Option<Record>, Infallible> {
        Ok(None)
    }

    async fn recent(&self, _: Timestamp, _: Option<&Cursor>) -> Result<Page, Infallible> {
        Ok(Page::default())
    }

    async fn follow(&self, _: Option<&Cursor>) -> Result<Changes, Infallible> {
        Ok(Changes { changes: Vec::new(), cursor: Cursor::new("0"), missed: false })
    }

    async fn forget(&self, _: &UserId, _: Timestamp, _: Timestamp) -> Result<(), Infallible> {
        Ok(())
    }

    async fn set_profile(&self, _: &UserId, _: &Profile) -> Result<(), Infallible> {
        Ok(())
    }

    async fn profiles(&self, _: &[UserId]) -> Result<Vec<(UserId, Profile)>, Infallible> {
        Ok(Vec::new())
    }

    async fn expire(&self, _: KeptSince, _: Timestamp, _: Option<&Cursor>) -> Result<Option<Cursor>, Infallible> {
        Ok(None)
    }
}
