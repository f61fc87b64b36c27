//! The rules, each through the public interface, with real tasks under a clock that stands still until it is moved.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use lastseen::conformance::{Fault, Faults, Faulty, Operation};
use lastseen::{
    Activity, Clock, ManualClock, MemoryStore, Presence, Profile, Record, Seen, Store, Timestamp, Tracker, UserId,
};

const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const WINDOW: Duration = Duration::from_mins(15);
const GRANULARITY: Duration = Duration::from_secs(30);

fn id(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

const IP: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7)));

fn activity(user: &str, at: Timestamp) -> Activity {
    Activity { user: id(user), at, ip: IP }
}

/// A tracker whose store fails on demand.
struct Site {
    clock: ManualClock,
    store: MemoryStore,
    faults: Faults,
    tracker: Tracker,
}

impl Site {
    async fn new() -> Self {
        Self::on(MemoryStore::new(), ManualClock::new(START)).await
    }

    async fn on(store: MemoryStore, clock: ManualClock) -> Self {
        let failing = Faulty::new(store.clone());
        let faults = failing.faults();
        let tracker = Tracker::builder(failing).clock(clock.clone()).start().await.unwrap();
        let site = Self { clock, store, faults, tracker };
        // The tasks have begun to wait.
        site.settle().await;
        site
    }

    async fn stored(&self, user: &str) -> Option<Seen> {
        self.store.read(&id(user)).await.unwrap().and_then(|record| record.seen)
    }

    /// Lets time pass a second at a time, and the tasks have their turns.
    async fn pass(&self, time: Duration) {
        for _ in 0..time.as_secs() {
            self.clock.advance(Duration::from_secs(1));
            self.settle().await;
        }
    }

    /// On a runtime of one thread every task that can run has run after some turns.
    async fn settle(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    fn names(&self) -> Vec<String> {
        self.tracker.online(100).iter().map(|user| user.user.to_string()).collect()
    }
}

/// The post's story: signed in at 1:00, active until 1:35, back on the old session at 3:00, a post at 3:15.
#[tokio::test]
async fn the_story_of_the_post() {
    let clock = ManualClock::new("2009-03-01T01:00:00Z".parse().unwrap());
    let site = Site::on(MemoryStore::new(), clock).await;
    site.tracker.touch(&id("ada"), IP);
    site.pass(Duration::from_mins(35)).await;
    site.tracker.touch(&id("ada"), IP);
    assert_eq!(site.names(), ["ada"]);
    site.pass(Duration::from_mins(25)).await;
    assert_eq!(site.names(), [""; 0], "at 2:00");
    site.pass(Duration::from_hours(1)).await;
    site.tracker.touch(&id("ada"), IP);
    site.pass(Duration::from_mins(15)).await;
    site.tracker.touch(&id("ada"), IP);
    assert_eq!(site.names(), ["ada"], "at 3:15");
    let seen = site.tracker.last_seen(&id("ada")).await.unwrap().unwrap();
    assert_eq!(seen.at, "2009-03-01T03:15:00Z".parse().unwrap());
}

#[tokio::test]
async fn rule_1_an_older_date_never_replaces_a_newer_one() {
    let site = Site::new().await;
    for ago in [5, 60, 1, 300] {
        site.tracker.touch_at(activity("ada", START - Duration::from_secs(ago))).unwrap();
    }
    site.tracker.flush().await.unwrap();
    assert_eq!(site.stored("ada").await.unwrap().at, START - Duration::from_secs(1));
    let older = Record::from(activity("ada", START - Duration::from_secs(9)));
    site.store.write(&[older], START).await.unwrap();
    assert_eq!(site.stored("ada").await.unwrap().at, START - Duration::from_secs(1));
}

#[tokio::test]
async fn rule_2_the_edge_of_the_window_counts() {
    let site = Site::new().await;
    site.tracker.touch(&id("ada"), None);
    site.clock.advance(WINDOW);
    assert!(site.tracker.is_online(&id("ada")));
    assert_eq!((site.names(), site.tracker.count()), (vec!["ada".to_owned()], 1));
    site.clock.advance(Duration::from_micros(1));
    assert!(!site.tracker.is_online(&id("ada")));
    assert_eq!((site.names().len(), site.tracker.count()), (0, 0));
    assert_eq!(site.tracker.count_within(WINDOW * 2).unwrap(), 1);
}

#[tokio::test]
async fn rule_2_an_account_switched_off_is_neither_listed_nor_counted() {
    let site = Site::new().await;
    site.tracker.touch(&id("ada"), None);
    site.tracker.touch(&id("bob"), None);
    site.tracker.set_profile(&id("ada"), Profile::named("Ada").active(false)).await.unwrap();
    assert_eq!((site.names(), site.tracker.count()), (vec!["bob".to_owned()], 1));
    site.tracker.set_profile(&id("ada"), Profile::named("Ada")).await.unwrap();
    let online = site.tracker.online(10);
    assert_eq!(online.count, 2);
    assert_eq!(online.users[0].label(), "Ada");
}

#[tokio::test]
async fn rule_3_leaving_ends_it_at_once_and_a_later_touch_brings_the_user_back() {
    let site = Site::new().await;
    site.tracker.touch(&id("ada"), None);
    site.tracker.leave(&id("ada"));
    assert_eq!(site.names(), [""; 0]);
    // The request that signed out may report itself late: it was before.
    site.tracker.touch_at(activity("ada", START)).unwrap();
    assert_eq!(site.names(), [""; 0]);
    site.clock.advance(Duration::from_micros(1));
    site.tracker.touch(&id("ada"), None);
    assert_eq!(site.names(), ["ada"]);
}

#[tokio::test]
async fn rule_3_a_sign_out_reaches_other_processes() {
    let here = Site::new().await;
    let there = Site::on(here.store.another(), here.clock.clone()).await;
    here.tracker.touch(&id("ada"), None);
    here.pass(Duration::from_secs(3)).await;
    assert_eq!(there.names(), ["ada"]);
    there.tracker.leave(&id("ada"));
    here.pass(Duration::from_secs(3)).await;
    assert_eq!(here.names(), [""; 0]);
}

#[tokio::test]
async fn rule_4_a_date_far_ahead_is_refused_by_name() {
    let site = Site::new().await;
    site.tracker.touch_at(activity("ada", START + Duration::from_secs(5))).unwrap();
    let error = site.tracker.touch_at(activity("bob", START + Duration::from_secs(6))).unwrap_err();
    assert!(error.is_invalid());
    assert!(error.to_string().contains("\"bob\"") && error.to_string().contains("6s ahead"), "{error}");
    let batch = vec![activity("cy", START), activity("bob", Timestamp::MAX)];
    assert!(site.tracker.touch_all(&batch).unwrap_err().is_invalid());
    assert!(site.tracker.record_all(batch).await.unwrap_err().is_invalid());
    assert_eq!(site.names(), ["ada"], "nothing of a batch that is refused is taken in");
}

#[tokio::test]
async fn rule_4_the_clock_may_jump_and_nobody_touched_since_vanishes_or_stays_for_ever() {
    let hours = |hours: u64| Duration::from_hours(hours);
    let dates =
        [START - hours(1), START + hours(1), START + hours(20 * 365 * 24), Timestamp::UNIX_EPOCH, Timestamp::MAX];
    for date in dates {
        let site = Site::new().await;
        site.tracker.touch(&id("ada"), None);
        site.pass(Duration::from_secs(2)).await;
        site.clock.set(date);
        site.pass(Duration::from_secs(2)).await;
        site.tracker.touch(&id("ada"), None);
        site.tracker.touch(&id("bob"), None);
        site.pass(Duration::from_secs(2)).await;
        assert_eq!(site.tracker.count(), 2, "after a jump to {date}");
        site.clock.set(START);
        site.pass(Duration::from_secs(2)).await;
        site.tracker.touch(&id("ada"), None);
        assert!(site.tracker.is_online(&id("ada")), "after a jump to {date} and back");
        site.tracker.flush().await.unwrap();
        assert_eq!(site.stored("ada").await.unwrap().at, site.clock.now(), "the store's date is set right again");
        site.pass(WINDOW + Duration::from_secs(2)).await;
        assert_eq!(site.names(), [""; 0], "pinned after a jump to {date} and back");
    }
}

#[tokio::test]
async fn rule_5_the_three_times_are_checked_and_named() {
    let start = |window: u64, granularity: u64, flush_every: u64| {
        Tracker::builder(MemoryStore::new())
            .window(Duration::from_secs(window))
            .granularity(Duration::from_secs(granularity))
            .flush_every(Duration::from_secs(flush_every))
            .start()
    };
    assert!(start(90, 30, 30).await.is_ok());
    let error = start(89, 30, 1).await.unwrap_err();
    assert!(error.to_string().contains("granularity is 30s and window is 89s"), "{error}");
    let error = start(900, 30, 31).await.unwrap_err();
    assert!(error.to_string().contains("flush_every is 31s and granularity is 30s"), "{error}");
    assert!(start(0, 0, 0).await.unwrap_err().to_string().contains("window is 0"));
    let error = Tracker::builder(MemoryStore::new()).horizon(Duration::from_secs(1)).start().await.unwrap_err();
    assert!(error.to_string().contains("window is 900s and horizon is 1s"), "{error}");
}

#[tokio::test]
async fn rule_6_the_next_read_sees_it_here_and_elsewhere_within_granularity_and_the_two_intervals() {
    let here = Site::new().await;
    let there = Site::on(here.store.another(), here.clock.clone()).await;
    here.tracker.touch(&id("ada"), None);
    assert_eq!(here.names(), ["ada"]);
    here.pass(Duration::from_secs(3)).await;
    assert_eq!(there.names(), ["ada"], "whoever comes online is written at once");

    let last = here.clock.now();
    here.tracker.touch(&id("ada"), None);
    here.pass(GRANULARITY + Duration::from_secs(3)).await;
    assert_eq!(there.tracker.online(1).users[0].at, last, "the last date of a user who has gone quiet gets there too");
    assert_eq!(there.tracker.online(1).as_of, here.clock.now());
}

#[tokio::test]
async fn rule_7_a_dead_store_is_no_error_and_no_wait() {
    let site = Site::new().await;
    site.faults.inject(Fault::every());
    site.tracker.touch(&id("ada"), IP);
    site.pass(Duration::from_secs(10)).await;
    assert_eq!(site.names(), ["ada"]);
    let status = site.tracker.status();
    assert!(!status.is_ready() && status.store_error.is_some());
    assert_eq!(status.pending, 1);
    site.faults.heal();
    site.pass(Duration::from_secs(2)).await;
    assert!(site.tracker.status().is_ready());
    assert_eq!(site.stored("ada").await.unwrap().at, START);
}

/// Thousands of known users, each active every second while the tasks behind have their turns.
#[tokio::test]
async fn rule_7_touching_known_users_allocates_nothing() {
    let site = Site::new().await;
    let users: Vec<UserId> = (0..5_000_u32).map(UserId::from).collect();
    let touch_all = || users.iter().for_each(|user| site.tracker.touch(user, IP));
    // One granularity and more, so that every part has seen its usual load once.
    for _ in 0..40 {
        touch_all();
        site.pass(Duration::from_secs(1)).await;
    }
    for second in 0..40 {
        let counted = allocation_counter::measure(touch_all);
        assert_eq!(counted.count_total, 0, "in second {second}");
        site.pass(Duration::from_secs(1)).await;
    }
}

/// A store that takes every call and never answers.
#[tokio::test]
async fn rule_7_a_store_that_hangs_holds_nobody_up() {
    let site = Site::new().await;
    site.faults.inject(Fault::every().on(Operation::Write).hanging());
    site.tracker.touch(&id("ada"), None);
    site.pass(Duration::from_secs(2)).await;
    for second in 0..20 {
        site.tracker.touch(&id("ada"), None);
        site.tracker.touch(&id(&format!("new {second}")), None);
        site.pass(Duration::from_secs(1)).await;
    }
    assert_eq!(site.tracker.count(), 21);
    site.faults.heal();
    site.pass(GRANULARITY).await;
    assert_eq!(site.tracker.status().pending, 0);
    assert!(site.stored("new 19").await.is_some());
}

#[tokio::test]
async fn rule_8_the_longest_unseen_stored_users_leave_first() {
    let clock = ManualClock::new(START);
    let store = MemoryStore::new();
    let tracker = Tracker::builder(store.clone()).clock(clock.clone()).capacity(3).start().await.unwrap();
    for name in ["ada", "bob", "cy", "dan"] {
        tracker.touch(&id(name), None);
        tracker.flush().await.unwrap();
        clock.advance(Duration::from_secs(1));
    }
    let names: Vec<String> = tracker.online(10).iter().map(|user| user.user.to_string()).collect();
    assert_eq!(names, ["dan", "cy", "bob"]);
    assert_eq!(tracker.status().users, 3);
    let ada = tracker.last_seen(&id("ada")).await.unwrap().unwrap();
    assert_eq!(ada.at, START, "who left memory is read from the store");
}

#[tokio::test]
async fn rule_8_an_outage_keeps_one_pending_record_a_user_and_refuses_beyond_the_cap() {
    let clock = ManualClock::new(START);
    let store = Faulty::new(MemoryStore::new());
    let (inner, faults) = (store.inner().clone(), store.faults());
    let tracker = Tracker::builder(store).clock(clock.clone()).capacity(100).start().await.unwrap();
    faults.inject(Fault::every());
    for round in 0..50 {
        for user in 0..150 {
            tracker.touch(&id(&format!("user {user}")), None);
        }
        clock.advance(Duration::from_secs(7));
        let _ = tracker.flush().await.unwrap_err();
        assert_eq!((tracker.status().users, tracker.status().pending), (100, 100), "round {round}");
    }
    assert_eq!(tracker.status().refused, 50 * 50);
    let error = tracker.touch_at(activity("one more", START)).unwrap_err();
    assert!(error.is_full(), "{error}");
    let last = clock.now();
    let all = [activity("one more", last), activity("user 0", last)];
    assert!(tracker.touch_all(&all).unwrap_err().is_full());
    faults.heal();
    tracker.flush().await.unwrap();
    for user in 0..100 {
        let stored = inner.read(&id(&format!("user {user}"))).await.unwrap().unwrap();
        let expected = if user == 0 { last } else { START + Duration::from_secs(7 * 49) };
        assert_eq!(stored.seen.unwrap().at, expected, "the last of user {user}'s dates");
    }
    tracker.touch(&id("one more"), None);
    assert!(tracker.is_online(&id("one more")));
}

/// What is in the store when the process is killed: after `flush_every` all who came online, and of those who stay a date
/// no older than `granularity` and a flush.
#[tokio::test]
async fn rule_9_what_a_kill_can_lose() {
    let site = Site::new().await;
    site.tracker.touch(&id("ada"), IP);
    site.pass(Duration::from_secs(1)).await;
    assert_eq!(site.stored("ada").await, Some(Seen { at: START, ip: IP }));
    for _ in 0..200 {
        site.tracker.touch(&id("ada"), None);
        let stored = site.stored("ada").await.unwrap().at;
        let behind = site.clock.now().since(stored);
        assert!(behind <= GRANULARITY + Duration::from_secs(1), "{behind:?} behind");
        site.pass(Duration::from_secs(1)).await;
    }
}

#[tokio::test]
async fn rule_9_a_shutdown_loses_nothing_and_an_acknowledged_record_is_stored() {
    let site = Site::new().await;
    site.tracker.record(activity("ada", START)).await.unwrap();
    assert_eq!(site.stored("ada").await.unwrap().at, START);
    assert_eq!(site.tracker.status().pending, 0, "it is not written twice");

    site.clock.advance(Duration::from_secs(3));
    site.tracker.touch(&id("ada"), None);
    site.tracker.touch(&id("bob"), None);
    site.tracker.leave(&id("bob"));
    let mut events = site.tracker.events();
    site.tracker.shutdown().await.unwrap();
    assert_eq!(site.stored("ada").await.unwrap().at, START + Duration::from_secs(3));
    let bob = site.store.read(&id("bob")).await.unwrap().unwrap();
    assert_eq!(bob.left_at, Some(START + Duration::from_secs(3)));
    assert_eq!(events.next().await, None, "listeners are let go");

    let again = Site::on(site.store.another(), site.clock.clone()).await;
    assert_eq!(again.names(), ["ada"]);
}

#[tokio::test]
async fn rule_9_a_record_that_the_store_refuses_is_an_error_and_is_written_later() {
    let site = Site::new().await;
    site.faults.inject(Fault::next(1).on(Operation::Write));
    let error = site.tracker.record(activity("ada", START)).await.unwrap_err();
    assert!(error.is_store(), "{error}");
    assert!(site.tracker.is_online(&id("ada")));
    site.pass(Duration::from_secs(2)).await;
    assert_eq!(site.stored("ada").await.unwrap().at, START);
}

/// 100 requests a second of one user, for ten minutes.
#[tokio::test]
async fn one_write_a_granularity_however_many_requests() {
    let site = Site::new().await;
    for _ in 0..600 {
        for _ in 0..100 {
            site.tracker.touch(&id("ada"), IP);
        }
        site.pass(Duration::from_secs(1)).await;
    }
    let writes = site.faults.calls(Operation::Write);
    assert!(writes <= 600 / 30 + 1, "{writes} writes in 20 granularities");
    assert!(writes >= 600 / 32, "{writes} writes in 20 granularities");
}

/// As of one whom the site has made an account for, and who then signs in.
#[tokio::test]
async fn a_name_that_is_set_before_the_first_touch_stays() {
    let site = Site::new().await;
    site.tracker.set_profile(&id("ada"), Profile::named("Ada")).await.unwrap();
    site.tracker.touch(&id("ada"), None);
    assert_eq!(site.tracker.online(1).users[0].name.as_deref(), Some("Ada"));
    site.tracker.resolve_profiles().await.unwrap();
    assert_eq!(site.tracker.online(1).users[0].name.as_deref(), Some("Ada"));
}

/// The store is asked who somebody is while what was set is on its way there, and so answers what was before.
#[tokio::test]
async fn a_profile_that_is_being_written_is_not_replaced_by_the_one_before() {
    let site = Site::new().await;
    site.faults.inject(Fault::next(1).on(Operation::SetProfile).hanging());
    site.tracker.touch(&id("ada"), None);
    // Before the task has its turn that asks for newcomers' profiles.
    let ada = id("ada");
    let mut setting = pin!(site.tracker.set_profile(&ada, Profile::named("Ada").hidden(true)));
    assert!(poll_fn(|context| Poll::Ready(setting.as_mut().poll(context))).await.is_pending());
    site.tracker.resolve_profiles().await.unwrap();
    assert_eq!(site.tracker.count(), 0, "while it is being written");

    site.faults.heal();
    setting.await.unwrap();
    assert_eq!(site.tracker.count(), 0, "once it is written");
}

#[tokio::test]
async fn rule_12_who_hides_is_absent_from_every_answer() {
    let site = Site::new().await;
    site.tracker.set_profile(&id("ada"), Profile::named("Ada").hidden(true)).await.unwrap();
    let mut events = site.tracker.events();
    site.tracker.touch(&id("ada"), IP);
    site.tracker.touch(&id("bob"), None);
    assert_eq!((site.names(), site.tracker.count()), (vec!["bob".to_owned()], 1));
    assert_eq!(site.tracker.count_within(WINDOW).unwrap(), 1);
    assert!(!site.tracker.is_online(&id("ada")));
    assert_eq!(site.tracker.last_seen(&id("ada")).await.unwrap(), None);
    let event = events.next().await.unwrap().unwrap();
    assert_eq!((event.user, event.change, event.number), (id("bob"), Presence::CameOnline, 1));

    let again = Site::on(site.store.another(), site.clock.clone()).await;
    site.tracker.flush().await.unwrap();
    again.pass(Duration::from_secs(2)).await;
    assert_eq!((again.names(), again.tracker.last_seen(&id("ada")).await.unwrap()), (vec!["bob".to_owned()], None));
}

#[tokio::test]
async fn whoever_is_forgotten_is_gone_everywhere_and_stays_so() {
    let here = Site::new().await;
    let there = Site::on(here.store.another(), here.clock.clone()).await;
    here.tracker.touch(&id("ada"), IP);
    here.pass(Duration::from_secs(2)).await;
    there.tracker.touch(&id("ada"), IP);
    here.clock.advance(Duration::from_millis(1));
    here.tracker.forget(&id("ada")).await.unwrap();
    // What the other process had not flushed yet is dated before it.
    there.tracker.flush().await.unwrap();
    here.pass(Duration::from_secs(3)).await;
    for site in [&here, &there] {
        assert_eq!(site.names(), [""; 0]);
        assert_eq!(site.tracker.last_seen(&id("ada")).await.unwrap(), None);
        assert_eq!(site.store.read(&id("ada")).await.unwrap(), None);
    }
    there.tracker.touch(&id("ada"), None);
    assert_eq!(there.names(), ["ada"], "a later activity begins anew");
}

/// The store erases last what it was told first: nobody's later activity is lost by that.
#[tokio::test]
async fn whoever_comes_back_while_being_forgotten_stays() {
    let here = Site::new().await;
    let there = Site::on(here.store.another(), here.clock.clone()).await;
    here.tracker.touch(&id("ada"), IP);
    here.pass(Duration::from_secs(2)).await;
    here.faults.inject(Fault::every().on(Operation::Forget).hanging());
    let forgetting = tokio::spawn({
        let tracker = here.tracker.clone();
        async move { tracker.forget(&id("ada")).await }
    });
    here.settle().await;
    here.pass(Duration::from_secs(1)).await;
    there.tracker.touch(&id("ada"), None);
    here.tracker.touch(&id("ada"), None);
    let back = here.clock.now();
    for site in [&here, &there] {
        site.tracker.flush().await.unwrap();
    }
    assert_eq!(here.stored("ada").await.unwrap().at, back);

    here.faults.heal();
    forgetting.await.unwrap().unwrap();
    assert_eq!(here.stored("ada").await, Some(Seen { at: back, ip: None }), "without what came before");
    here.pass(Duration::from_secs(2)).await;
    for site in [&here, &there] {
        assert_eq!(site.stored("ada").await, Some(Seen { at: back, ip: None }));
        assert_eq!(site.names(), ["ada"]);
    }
}

#[tokio::test]
async fn events_are_numbered_and_a_slow_listener_is_told_what_it_missed() {
    let site = Site::new().await;
    let mut events = site.tracker.events();
    site.tracker.touch(&id("ada"), None);
    site.pass(WINDOW + Duration::from_secs(2)).await;
    let came = events.next().await.unwrap().unwrap();
    let went = events.next().await.unwrap().unwrap();
    assert_eq!((came.number, came.change, &came.user), (1, Presence::CameOnline, &id("ada")));
    assert_eq!((went.number, went.change, &went.user), (2, Presence::WentOffline, &id("ada")));

    for user in 0..2_000_u32 {
        site.tracker.touch(&UserId::from(user), None);
    }
    let missed = events.next().await.unwrap().unwrap_err().events;
    let next = events.next().await.unwrap().unwrap();
    assert_eq!(next.number, 2 + missed + 1, "the numbers tell the same");
    assert!(missed >= 900, "{missed}");
}

#[tokio::test]
async fn the_directory_names_users_and_switches_them_off_within_the_refresh() {
    let clock = ManualClock::new(START);
    let active = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let table = std::sync::Arc::clone(&active);
    let directory = move |users: Vec<UserId>| {
        let active = table.load(std::sync::atomic::Ordering::Relaxed);
        async move {
            let profile = |user: UserId| (user.clone(), Profile::named(format!("Name of {user}")).active(active));
            Ok::<_, std::io::Error>(users.into_iter().map(profile).collect())
        }
    };
    let tracker = Tracker::builder(MemoryStore::new()).clock(clock.clone()).directory(directory).start().await.unwrap();
    tracker.touch(&id("42"), None);
    tracker.resolve_profiles().await.unwrap();
    assert_eq!(tracker.online(1).users[0].label(), "Name of 42");
    assert_eq!(tracker.profile(&id("7")).await.unwrap().unwrap().name(), Some("Name of 7"));

    active.store(false, std::sync::atomic::Ordering::Relaxed);
    for _ in 0..61 {
        clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    while tracker.count() > 0 {
        assert!(Instant::now() < deadline, "the account is still counted");
        tokio::task::yield_now().await;
    }
    assert_eq!(tracker.online(10).users, []);
}

#[tokio::test]
async fn a_directory_that_fails_is_asked_again_and_users_are_listed_meanwhile() {
    let clock = ManualClock::new(START);
    let works = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let table = std::sync::Arc::clone(&works);
    let directory = move |users: Vec<UserId>| {
        let works = table.load(std::sync::atomic::Ordering::Relaxed);
        async move {
            let profiles = users.into_iter().map(|user| (user, Profile::named("Ada"))).collect();
            if works { Ok(profiles) } else { Err(std::io::Error::other("the table is locked")) }
        }
    };
    let tracker = Tracker::builder(MemoryStore::new()).clock(clock.clone()).directory(directory).start().await.unwrap();
    tracker.touch(&id("ada"), None);
    assert!(tracker.resolve_profiles().await.unwrap_err().is_directory());
    assert_eq!(tracker.online(1).users[0].label(), "ada");
    assert!(tracker.status().directory_error.unwrap().contains("the table is locked"));
    works.store(true, std::sync::atomic::Ordering::Relaxed);
    tracker.resolve_profiles().await.unwrap();
    assert_eq!(tracker.online(1).users[0].label(), "Ada");
    assert_eq!(tracker.status().directory_error, None);
}

#[tokio::test]
async fn a_store_that_is_down_at_the_start_is_read_once_it_is_there() {
    let first = Site::new().await;
    first.tracker.record(activity("ada", START)).await.unwrap();
    let store = Faulty::new(first.store.another());
    let faults = store.faults();
    faults.inject(Fault::every());
    let tracker = Tracker::builder(store).clock(first.clock.clone()).start().await.unwrap();
    tracker.touch(&id("bob"), None);
    assert_eq!(tracker.count(), 1);
    assert!(!tracker.status().loaded);
    faults.heal();
    first.pass(Duration::from_secs(2)).await;
    assert!(tracker.status().is_ready());
    assert_eq!(tracker.count(), 2);
}

#[tokio::test]
async fn a_window_beyond_the_horizon_is_refused() {
    let site = Site::new().await;
    let error = site.tracker.online_within(Duration::from_hours(25), 1).unwrap_err();
    assert!(error.to_string().contains("90000s") && error.to_string().contains("86400s"), "{error}");
}

/// The tasks end with the last tracker, and write first what they can.
#[tokio::test]
async fn a_tracker_that_is_dropped_is_flushed_behind() {
    let site = Site::new().await;
    site.tracker.touch(&id("ada"), None);
    let Site { tracker, store, .. } = site;
    drop(tracker);
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert!(store.read(&id("ada")).await.unwrap().is_some());
}
