//! An hour without a store, under load: what it takes of memory, and that nothing is lost by it.
//!
//! A sample of users ordinarily, and a million with `LASTSEEN_TEST_FULL=1`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use lastseen::conformance::{Fault, Faulty};
use lastseen::{ManualClock, MemoryStore, Seen, Store, Timestamp, Tracker, UserId};
use lastseen_harness::cases;
use tokio::runtime::{Builder, Runtime};

const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// How far time goes at once; the store is tried at each.
const STEP: Duration = Duration::from_secs(10);
const STEPS: u32 = 360;

/// A user is active in every so many steps: every five minutes, so that all stay online.
const EVERY: u32 = 30;

struct Site {
    runtime: Runtime,
    clock: ManualClock,
    tracker: Tracker,
    users: Vec<UserId>,
}

impl Site {
    /// One step in which its share of the users is active.
    fn step(&self, step: u32) {
        for number in (first_in(step)..self.users.len()).step_by(EVERY as usize) {
            self.tracker.touch(&self.users[number], Some(ip(step)));
        }
        self.clock.advance(STEP);
        self.runtime.block_on(async {
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
        });
    }

    /// So many steps, the first of them `from`; each leaves one pending record a user.
    fn steps(&self, from: u32, steps: u32) -> AllocationInfo {
        measure(|| {
            for step in from..from + steps {
                self.step(step);
                let status = self.tracker.status();
                assert_eq!(status.pending, status.users, "in step {step}");
                assert!(!status.is_ready() && status.refused == 0, "in step {step}: {status:?}");
            }
        })
    }
}

/// The first user who is active in a step.
fn first_in(step: u32) -> usize {
    (step % EVERY) as usize
}

/// An address that tells the step.
fn ip(step: u32) -> IpAddr {
    Ipv4Addr::from(0x0a00_0000 + step).into()
}

#[test]
fn rule_8_an_hour_without_a_store_takes_bounded_memory_and_loses_nothing() {
    let count = u32::try_from(cases(100_000, 1_000_000)).unwrap();
    let runtime = Builder::new_current_thread().build().unwrap();
    let clock = ManualClock::new(START);
    let store = Faulty::new(MemoryStore::new());
    let (inner, faults) = (store.inner().clone(), store.faults());
    let tracker = runtime.block_on(Tracker::builder(store).clock(clock.clone()).start()).unwrap();
    let site = Site { runtime, clock, tracker, users: (0..count).map(UserId::from).collect() };
    faults.inject(Fault::every());

    let all_come = site.steps(0, EVERY);
    let a_user = all_come.bytes_current / i64::from(count);
    assert!((30..250).contains(&a_user), "{a_user} bytes a user");

    // The batch that is tried again and again is what comes and goes.
    let the_rest = site.steps(EVERY, STEPS - EVERY);
    assert!(the_rest.bytes_current < 1 << 20, "once all had come it still took more: {the_rest:?}");
    assert!(the_rest.bytes_max < 8 << 20, "more than a batch: {the_rest:?}");
    assert_eq!(site.tracker.count(), site.users.len());

    faults.heal();
    site.runtime.block_on(site.tracker.flush()).unwrap();
    assert_eq!(site.tracker.status().pending, 0);
    for step in STEPS - EVERY..STEPS {
        let last = Seen { at: START + STEP * step, ip: Some(ip(step)) };
        for number in (first_in(step)..site.users.len()).step_by(EVERY as usize) {
            let stored = site.runtime.block_on(inner.read(&site.users[number])).unwrap().unwrap();
            assert_eq!(stored.seen, Some(last), "the last of user {number}");
        }
    }
}
