//! What is kept of the past, through a tracker, with real tasks under a clock that stands still until it is moved.

use std::convert::Infallible;
use std::time::Duration;

use lastseen::conformance::{Fault, Faults, Faulty, Operation};
use lastseen::store::{Changes, Cursor, KeptSince, Page};
use lastseen::{
    Clock, Day, ManualClock, MemoryStore, MostOnline, OnlineSpan, Profile, Record, Resolution, Store, Timestamp,
    Tracker, UserId,
};

/// Ten minutes before midnight UTC.
const START: &str = "2026-11-23T23:50:00Z";
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

fn at(text: &str) -> Timestamp {
    format!("2026-11-{text}Z").parse().unwrap()
}

fn id(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

/// A process of a site, whose store fails on demand.
struct Process {
    clock: ManualClock,
    faults: Faults,
    tracker: Tracker,
}

impl Process {
    async fn on(store: &MemoryStore, clock: &ManualClock) -> Self {
        let failing = Faulty::new(store.another());
        let faults = failing.faults();
        let tracker = Tracker::builder(failing).clock(clock.clone()).start().await.unwrap();
        let process = Self { clock: clock.clone(), faults, tracker };
        process.settle().await;
        process
    }

    async fn alone() -> Self {
        Self::on(&MemoryStore::new(), &ManualClock::new(START.parse().unwrap())).await
    }

    /// Lets time pass, and the tasks have a turn each time.
    async fn pass(&self, times: u32, time: Duration) {
        for _ in 0..times {
            self.clock.advance(time);
            self.settle().await;
        }
    }

    async fn seconds(&self, seconds: u32) {
        self.pass(seconds, Duration::from_secs(1)).await;
    }

    /// On a runtime of one thread every task that can run has run after some turns.
    async fn settle(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    fn touch(&self, users: &[&str]) {
        for user in users {
            self.tracker.touch(&id(user), None);
        }
    }

    /// `online` and `peak` of each span, by its beginning.
    async fn spans(&self, resolution: Resolution) -> Vec<(String, u32, u32)> {
        let spans = self.tracker.history_by(resolution, Timestamp::MIN, Timestamp::MAX).await.unwrap();
        spans.into_iter().map(|span| (span.at.to_string()[8..16].to_owned(), span.online, span.peak)).collect()
    }

    async fn active(&self, first: &str, last: &str) -> u64 {
        let day = |text: &str| format!("2026-11-{text}").parse::<Day>().unwrap();
        self.tracker.active_users(day(first)..=day(last)).await.unwrap()
    }
}

fn spans(expected: &[(&str, u32, u32)]) -> Vec<(String, u32, u32)> {
    expected.iter().map(|(at, online, peak)| ((*at).to_owned(), *online, *peak)).collect()
}

#[tokio::test]
async fn a_minute_has_its_count_and_its_peak() {
    let site = Process::alone().await;
    site.touch(&["ada"]);
    site.seconds(30).await;
    site.touch(&["bob", "eve"]);
    site.seconds(10).await;
    site.tracker.leave(&id("bob"));
    site.seconds(25).await;
    assert_eq!(site.spans(Resolution::Minute).await, spans(&[("23T23:50", 1, 3), ("23T23:51", 2, 2)]));
    assert_eq!(site.spans(Resolution::TenMinutes).await, spans(&[("23T23:50", 2, 3)]));
    assert_eq!(site.spans(Resolution::Hour).await, spans(&[("23T23:00", 2, 3)]));
    let most = MostOnline { online: 3, at: at("23T23:50:31") };
    assert_eq!(site.tracker.most_online().await.unwrap(), Some(most));
}

#[tokio::test]
async fn the_finest_that_reaches_back_is_given_and_nothing_of_the_future() {
    let site = Process::alone().await;
    site.touch(&["ada"]);
    site.seconds(90).await;
    let now = site.clock.now();
    for (back, resolution) in
        [(2 * DAY, Resolution::Minute), (3 * DAY, Resolution::TenMinutes), (30 * DAY, Resolution::Hour)]
    {
        let found = site.tracker.history(now - back, now + DAY).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(|span| span.resolution == resolution), "{back:?}: {found:?}");
    }
    let within = site.tracker.history(now - Duration::from_secs(1), now).await.unwrap();
    assert_eq!(within.len(), 1, "the span in which the first moment lies");
    assert_eq!(site.tracker.history(now, now - HOUR).await.unwrap(), []);
}

/// Each coarser span outlives the finer ones it was made of.
#[tokio::test]
async fn resolution_falls_with_age() {
    let site = Process::alone().await;
    site.touch(&["ada"]);
    site.seconds(61).await;
    for (later, kept) in [(DAY, [2, 1, 1]), (2 * DAY, [0, 1, 1]), (6 * DAY, [0, 0, 1]), (24 * DAY, [0, 0, 0])] {
        let first = at("24T00:00:00");
        site.pass(1, later).await;
        site.seconds(1).await;
        let mut found = Vec::new();
        for resolution in Resolution::ALL {
            found.push(site.tracker.history_by(resolution, Timestamp::MIN, first).await.unwrap().len());
        }
        assert_eq!(found, kept, "at {}", site.clock.now());
    }
    assert_eq!(site.tracker.most_online().await.unwrap().map(|most| most.online), Some(1));
}

#[tokio::test]
async fn a_restart_keeps_what_was_and_invents_nothing_for_the_time_between() {
    let store = MemoryStore::new();
    let clock = ManualClock::new(START.parse().unwrap());
    let before = Process::on(&store, &clock).await;
    before.touch(&["ada", "bob"]);
    before.seconds(5).await;
    before.tracker.shutdown().await.unwrap();
    drop(before);

    clock.advance(HOUR);
    let after = Process::on(&store, &clock).await;
    after.touch(&["ada"]);
    after.seconds(5).await;
    assert_eq!(after.spans(Resolution::Minute).await, spans(&[("23T23:50", 2, 2), ("24T00:50", 1, 1)]));
    let most = MostOnline { online: 2, at: at("23T23:50:01") };
    assert_eq!(after.tracker.most_online().await.unwrap(), Some(most));
}

#[tokio::test]
async fn two_processes_agree() {
    let store = MemoryStore::new();
    let clock = ManualClock::new(START.parse().unwrap());
    let (one, other) = (Process::on(&store, &clock).await, Process::on(&store, &clock).await);
    one.touch(&["ada"]);
    other.touch(&["bob", "eve"]);
    // The first look is before either has heard of the other.
    one.seconds(65).await;
    other.touch(&["joe"]);
    one.seconds(61).await;
    for resolution in Resolution::ALL {
        assert_eq!(one.spans(resolution).await, other.spans(resolution).await);
    }
    let minutes = [("23T23:50", 2, 3), ("23T23:51", 3, 4), ("23T23:52", 4, 4)];
    assert_eq!(one.spans(Resolution::Minute).await, spans(&minutes));
    let most = one.tracker.most_online().await.unwrap();
    assert_eq!(most.map(|most| most.online), Some(4));
    assert_eq!(other.tracker.most_online().await.unwrap(), most);
}

#[tokio::test]
async fn what_an_outage_of_the_store_held_up_is_written_after_it() {
    let store = MemoryStore::new();
    let clock = ManualClock::new(START.parse().unwrap());
    let site = Process::on(&store, &clock).await;
    site.seconds(1).await;
    site.faults.inject(Fault::every());
    for minute in 0..30 {
        site.touch(&["ada", "bob", "eve"][..=minute % 3]);
        site.pass(6, Duration::from_secs(10)).await;
    }
    let stored = async || store.history(Resolution::Minute, Timestamp::MIN, Timestamp::MAX).await.unwrap().len();
    assert_eq!(stored().await, 0);
    assert!(site.tracker.status().store_error.is_some());
    assert!(site.tracker.history(Timestamp::MIN, site.clock.now()).await.unwrap_err().is_store());

    site.faults.heal();
    site.seconds(2).await;
    assert_eq!(stored().await, 31);
    assert_eq!(site.tracker.status().store_error, None);

    let writes = site.faults.calls(Operation::WriteHistory);
    site.pass(4, Duration::from_secs(30)).await;
    assert_eq!(site.faults.calls(Operation::WriteHistory) - writes, 2, "once a minute");
}

/// The answer to a write is lost: it is written again, and comes to the same.
#[tokio::test]
async fn what_is_written_twice_counts_once() {
    let site = Process::alone().await;
    site.touch(&["ada", "bob"]);
    site.faults.inject(Fault::next(2).on(Operation::WriteHistory).answer_lost());
    site.seconds(63).await;
    assert_eq!(site.faults.calls(Operation::WriteHistory), 3);
    assert_eq!(site.spans(Resolution::Hour).await, spans(&[("23T23:00", 2, 2)]));
}

/// Before the recent records are read a count would be too low.
#[tokio::test]
async fn nobody_counts_before_the_store_has_answered() {
    let store = MemoryStore::new();
    let clock = ManualClock::new(START.parse().unwrap());
    let failing = Faulty::new(store.another());
    let faults = failing.faults();
    faults.inject(Fault::every());
    let tracker = Tracker::builder(failing).clock(clock.clone()).start().await.unwrap();
    let site = Process { clock, faults, tracker };
    site.touch(&["ada"]);
    site.seconds(120).await;
    site.faults.heal();
    site.seconds(60).await;
    let minutes: Vec<_> = site.spans(Resolution::Minute).await.into_iter().map(|(at, ..)| at).collect();
    assert_eq!(minutes, ["23T23:52", "23T23:53"]);
}

#[tokio::test]
async fn rule_12_who_is_hidden_is_not_counted_online() {
    let site = Process::alone().await;
    site.tracker.set_profile(&id("bob"), Profile::new().hidden(true)).await.unwrap();
    site.tracker.set_profile(&id("eve"), Profile::new().active(false)).await.unwrap();
    site.touch(&["ada", "bob", "eve"]);
    site.seconds(61).await;
    assert_eq!(site.spans(Resolution::Hour).await, spans(&[("23T23:00", 1, 1)]));
    assert_eq!(site.active("23", "23").await, 3, "and was active all the same");
}

#[tokio::test]
async fn active_users_are_counted_once_however_many_days_they_come() {
    let site = Process::alone().await;
    site.touch(&["ada", "bob"]);
    site.seconds(2).await;
    assert_eq!(site.active("23", "23").await, 2);
    assert_eq!(site.active("24", "24").await, 0);

    // Over midnight on the same session: both days are theirs.
    site.pass(10, Duration::from_mins(1)).await;
    site.touch(&["ada", "eve"]);
    site.seconds(2).await;
    assert_eq!((site.active("23", "23").await, site.active("24", "24").await), (2, 2));
    assert_eq!(site.active("23", "24").await, 3);

    site.tracker.forget(&id("ada")).await.unwrap();
    assert_eq!((site.active("23", "23").await, site.active("24", "24").await), (1, 1));
    assert_eq!(site.active("23", "24").await, 2);

    let day = Day::of(site.clock.now());
    let error = site.tracker.active_users(day..=day - 1).await.unwrap_err();
    assert!(error.is_invalid() && error.to_string().contains("2026-11-23"), "{error}");
}

/// A store that keeps no more than a store must.
struct Plain(MemoryStore);

impl Store for Plain {
    type Error = Infallible;

    async fn write(&self, batch: &[Record], now: Timestamp) -> Result<(), Infallible> {
        self.0.write(batch, now).await
    }

    async fn read(&self, user: &UserId) -> Result<Option<Record>, Infallible> {
        self.0.read(user).await
    }

    async fn recent(&self, since: Timestamp, page: Option<&Cursor>) -> Result<Page, Infallible> {
        self.0.recent(since, page).await
    }

    async fn follow(&self, cursor: Option<&Cursor>) -> Result<Changes, Infallible> {
        self.0.follow(cursor).await
    }

    async fn forget(&self, user: &UserId, at: Timestamp, now: Timestamp) -> Result<(), Infallible> {
        self.0.forget(user, at, now).await
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), Infallible> {
        self.0.set_profile(user, profile).await
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, Infallible> {
        self.0.profiles(users).await
    }

    async fn expire(
        &self,
        since: KeptSince,
        now: Timestamp,
        page: Option<&Cursor>,
    ) -> Result<Option<Cursor>, Infallible> {
        self.0.expire(since, now, page).await
    }
}

#[tokio::test]
async fn a_store_without_history_says_so() {
    let store = Plain(MemoryStore::new());
    assert_eq!(store.history(Resolution::Hour, Timestamp::MIN, Timestamp::MAX).await, Ok(Vec::<OnlineSpan>::new()));
    let tracker = Tracker::builder(store).start().await.unwrap();
    let day = Day::of(tracker.now());
    for error in [
        tracker.history(tracker.now(), tracker.now()).await.unwrap_err(),
        tracker.most_online().await.unwrap_err(),
        tracker.active_users(day..=day).await.unwrap_err(),
    ] {
        assert!(error.is_unsupported(), "{error}");
        assert_eq!(error.to_string(), "the store keeps no history");
    }
    tracker.shutdown().await.unwrap();
}
