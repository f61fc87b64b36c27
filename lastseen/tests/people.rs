//! What is promised to the people who are tracked: who hides isn't there, what is old goes, what is erased stays so.

use std::net::IpAddr;
use std::time::Duration;

use lastseen::conformance::{Fault, Faults, Faulty, Operation};
use lastseen::{
    Activity, Clock, Day, ManualClock, MemoryStore, Presence, Profile, Seen, Store, Timestamp, Tracker, TrackerBuilder,
    UserId,
};

const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const IP: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7)));
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

fn id(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

/// A process that shares a store with others, on a store that fails on demand.
struct Process {
    clock: ManualClock,
    store: MemoryStore,
    faults: Faults,
    tracker: Tracker,
}

impl Process {
    async fn new() -> Self {
        Self::on(MemoryStore::new(), ManualClock::new(START), |builder| builder).await
    }

    async fn on(store: MemoryStore, clock: ManualClock, set: impl FnOnce(TrackerBuilder) -> TrackerBuilder) -> Self {
        let failing = Faulty::new(store.clone());
        let faults = failing.faults();
        let tracker = set(Tracker::builder(failing).clock(clock.clone())).start().await.unwrap();
        let process = Self { clock, store, faults, tracker };
        process.settle().await;
        process
    }

    /// On a runtime of one thread every task that can run has run after some turns.
    async fn settle(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    async fn pass(&self, time: Duration, steps: u32) {
        for _ in 0..steps {
            self.clock.advance(time / steps);
            self.settle().await;
        }
    }

    async fn stored(&self, user: &str) -> Option<Seen> {
        self.store.read(&id(user)).await.unwrap().and_then(|record| record.seen)
    }

    async fn here(&self, user: &str) -> Option<(Timestamp, Option<IpAddr>)> {
        self.tracker.last_seen(&id(user)).await.unwrap().map(|seen| (seen.at, seen.ip))
    }

    fn calls(&self) -> [u64; 2] {
        [Operation::Read, Operation::Profiles].map(|operation| self.faults.calls(operation))
    }
}

#[tokio::test]
async fn rule_12_asking_for_who_hides_takes_the_way_of_asking_for_nobody() {
    let process = Process::new().await;
    for user in ["hidden", "stored"] {
        process.tracker.set_profile(&id(user), Profile::new().hidden(true)).await.unwrap();
    }
    process.tracker.touch(&id("hidden"), IP);
    let long_ago = Activity { user: id("stored"), at: START - 30 * DAY, ip: IP };
    process.store.write(&[long_ago.into()], START).await.unwrap();
    process.tracker.resolve_profiles().await.unwrap();

    for user in ["hidden", "stored", "absent"] {
        let before = process.calls();
        assert_eq!(process.tracker.last_seen(&id(user)).await.unwrap(), None);
        let after = process.calls();
        assert_eq!([after[0] - before[0], after[1] - before[1]], [1, 1], "one look each for {user}");
    }
    for operation in [Operation::Read, Operation::Profiles] {
        process.faults.inject(Fault::every().on(operation));
        let mut errors = Vec::new();
        for user in ["hidden", "stored", "absent"] {
            errors.push(process.tracker.last_seen(&id(user)).await.unwrap_err().to_string());
        }
        errors.dedup();
        assert_eq!(errors.len(), 1, "whatever fails, all fail alike: {errors:?}");
    }
}

#[tokio::test]
async fn addresses_go_after_their_time_in_memory_and_store_and_dates_stay() {
    let keep = |builder: TrackerBuilder| builder.keep_addresses(10 * HOUR);
    let process = Process::on(MemoryStore::new(), ManualClock::new(START), keep).await;
    process.tracker.touch(&id("ada"), IP);
    process.tracker.touch(&id("left"), IP);
    process.tracker.touch(&id("stays"), IP);
    process.pass(5 * HOUR, 10).await;
    process.tracker.leave(&id("left"));
    process.tracker.touch(&id("stays"), IP);
    process.pass(5 * HOUR, 10).await;
    assert_eq!(process.here("ada").await, Some((START, IP)), "it is kept for its time");
    process.pass(HOUR, 10).await;

    for user in ["ada", "left"] {
        assert_eq!(process.here(user).await, Some((START, None)), "{user} in memory");
        assert_eq!(process.stored(user).await, Some(Seen { at: START, ip: None }), "{user} in the store");
    }
    assert_eq!(process.here("stays").await, Some((START + 5 * HOUR, IP)), "of who came since it is younger");
    assert_eq!(process.tracker.online_within(DAY, 10).unwrap().iter().filter(|user| user.ip.is_some()).count(), 1);
}

#[tokio::test]
async fn an_address_that_waits_for_the_store_goes_too() {
    let keep = |builder: TrackerBuilder| builder.keep_addresses(10 * HOUR);
    let process = Process::on(MemoryStore::new(), ManualClock::new(START), keep).await;
    process.faults.inject(Fault::every());
    process.tracker.touch(&id("ada"), IP);
    process.pass(11 * HOUR, 22).await;
    assert_eq!(process.stored("ada").await, None);
    process.faults.heal();
    process.pass(HOUR, 10).await;
    assert_eq!(process.stored("ada").await, Some(Seen { at: START, ip: None }), "the date is written without it");
}

#[tokio::test]
async fn records_go_after_their_time_from_store_days_and_every_process() {
    let keep = |builder: TrackerBuilder| builder.keep_records(20 * DAY);
    let here = Process::on(MemoryStore::new(), ManualClock::new(START), keep).await;
    let there = Process::on(here.store.another(), here.clock.clone(), keep).await;
    here.tracker.set_profile(&id("ada"), Profile::named("Ada")).await.unwrap();
    here.tracker.touch(&id("ada"), IP);
    here.tracker.touch(&id("bob"), IP);
    here.pass(10 * DAY, 40).await;
    there.tracker.touch(&id("bob"), IP);
    here.pass(239 * HOUR, 40).await;
    assert_eq!(there.here("ada").await, Some((START, IP)), "for its time it is there");
    here.pass(2 * HOUR, 8).await;

    for process in [&here, &there] {
        assert_eq!(process.here("ada").await, None);
        assert_eq!(process.tracker.export(&id("ada")).await.unwrap(), None);
        assert_eq!(process.here("bob").await, Some((START + 10 * DAY, IP)));
    }
    here.pass(DAY, 24).await;
    let day = Day::of(START);
    assert_eq!(here.tracker.active_users(day..=day).await.unwrap(), 0, "a day goes once it is over for so long");
    assert_eq!(here.tracker.active_users(day..=day + 20).await.unwrap(), 1);
}

#[tokio::test]
async fn an_expiry_that_fails_is_tried_again_and_told() {
    let keep = |builder: TrackerBuilder| builder.keep_addresses(10 * HOUR);
    let process = Process::on(MemoryStore::new(), ManualClock::new(START), keep).await;
    process.tracker.touch(&id("ada"), IP);
    process.pass(HOUR, 10).await;
    process.faults.inject(Fault::every().on(Operation::Expire));
    process.pass(11 * HOUR, 22).await;
    assert!(process.stored("ada").await.unwrap().ip.is_some());
    assert!(process.tracker.status().expire_failures > 0);
    assert!(process.tracker.status().store_error.is_some_and(|error| error.contains("kept no longer")));
    process.faults.heal();
    process.pass(Duration::from_secs(2), 2).await;
    assert_eq!(process.stored("ada").await, Some(Seen { at: START, ip: None }));
    assert_eq!(process.tracker.status().store_error, None);
}

#[tokio::test]
async fn times_that_contradict_each_other_are_named() {
    let start = async |set: fn(TrackerBuilder) -> TrackerBuilder| {
        set(Tracker::builder(MemoryStore::new())).start().await.unwrap_err().to_string()
    };
    let error = start(|builder| builder.keep_records(HOUR)).await;
    assert!(error.contains("keep_records is 3600s and horizon is 86400s"), "{error}");
    let error = start(|builder| builder.keep_addresses(Duration::ZERO)).await;
    assert!(error.contains("keep_addresses is 0"), "{error}");
}

/// A batch of the other process's is on its way to the store while the user is erased here: it comes in afterwards.
#[tokio::test]
async fn a_flush_in_flight_does_not_bring_back_who_was_erased() {
    let here = Process::new().await;
    let there = Process::on(here.store.another(), here.clock.clone(), |builder| builder).await;
    for hang in [Fault::every().hanging(), Fault::every().answer_lost()] {
        there.faults.inject(hang.on(Operation::Write));
        there.tracker.touch(&id("ada"), IP);
        there.tracker.touch(&id("bob"), IP);
        there.pass(Duration::from_secs(2), 2).await;
        assert!(there.faults.calls(Operation::Write) > 0, "it is under way");
        here.tracker.forget(&id("ada")).await.unwrap();
        there.faults.heal();
        here.pass(Duration::from_secs(5), 5).await;
        for process in [&here, &there] {
            assert_eq!(process.here("ada").await, None);
            assert_eq!(process.tracker.export(&id("ada")).await.unwrap(), None);
            assert!(process.here("bob").await.is_some(), "whoever is in the same batch is stored");
        }
    }
    let day = Day::of(START);
    assert_eq!(here.tracker.active_users(day..=day).await.unwrap(), 1, "on no day either");
}

/// From every place where something of a user waits: memory, the queue, a profile that waits for its user, the feed, and what
/// would be written again after a failover.
#[tokio::test]
async fn erasure_takes_a_person_from_everywhere_they_wait() {
    let here = Process::new().await;
    let there = Process::on(here.store.another(), here.clock.clone(), |builder| builder).await;
    let late = here.store.another();
    let start = late.follow(None).await.unwrap().cursor;
    let mut events = there.tracker.events();

    here.tracker.set_profile(&id("ada"), Profile::named("Ada")).await.unwrap();
    here.tracker.touch(&id("ada"), IP);
    here.pass(Duration::from_secs(2), 2).await;
    assert_eq!(events.next().await.unwrap().unwrap().change, Presence::CameOnline);
    here.faults.inject(Fault::every().on(Operation::Write));
    here.tracker.touch(&id("ada"), IP);
    here.tracker.flush().await.unwrap_err();
    here.faults.heal();

    here.tracker.forget(&id("ada")).await.unwrap();
    assert_eq!(here.tracker.status().pending, 0, "nothing waits in the queue");
    here.tracker.flush().await.unwrap();
    here.pass(Duration::from_secs(2), 2).await;
    let gone = events.next().await.unwrap().unwrap();
    assert_eq!((gone.change, gone.user), (Presence::WentOffline, id("ada")));
    for process in [&here, &there] {
        assert_eq!(process.tracker.count(), 0);
        assert_eq!(process.tracker.status().users, 0, "memory has nobody");
        assert_eq!(process.tracker.export(&id("ada")).await.unwrap(), None);
    }
    let told = late.follow(Some(&start)).await.unwrap().changes;
    assert_eq!(told.len(), 1, "the feed has the erasure alone: {told:?}");
    let day = Day::of(START);
    assert_eq!(here.tracker.active_users(day..=day).await.unwrap(), 0);

    here.clock.advance(Duration::from_secs(1));
    here.tracker.touch(&id("ada"), None);
    here.tracker.resolve_profiles().await.unwrap();
    let again = here.tracker.online(1).users.remove(0);
    assert_eq!((again.name, again.ip), (None, None), "whoever comes back begins anew");
}

#[tokio::test]
async fn an_export_has_all_that_is_known_also_of_who_hides() {
    let here = Process::new().await;
    assert_eq!(here.tracker.export(&id("ada")).await.unwrap(), None);
    let hidden = Profile::named("Ada").hidden(true);
    here.tracker.set_profile(&id("ada"), hidden.clone()).await.unwrap();
    here.tracker.touch(&id("ada"), IP);
    here.pass(DAY, 20).await;
    here.tracker.touch(&id("ada"), None);
    here.tracker.flush().await.unwrap();
    here.clock.advance(Duration::from_secs(1));
    here.tracker.leave(&id("ada"));

    let known = here.tracker.export(&id("ada")).await.unwrap().unwrap();
    assert_eq!(known.as_of, here.clock.now());
    assert_eq!(known.user, id("ada"));
    assert_eq!(known.seen, Some(Seen { at: START + DAY, ip: None }));
    assert_eq!(known.left_at, Some(here.clock.now()), "also what the store doesn't have yet");
    assert_eq!(known.profile, Some(hidden));
    assert_eq!(known.active_days, [Day::of(START), Day::of(START + DAY)]);

    here.faults.inject(Fault::every().on(Operation::ActiveDays));
    assert!(here.tracker.export(&id("ada")).await.unwrap_err().is_store(), "half of it is no export");
}
