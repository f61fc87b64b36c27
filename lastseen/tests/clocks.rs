//! Clocks that are wrong and are set right, any number of times, while a site runs: rule 4 by chance.
//!
//! A sample ordinarily, many more with `LASTSEEN_TEST_FULL=1`.

use std::time::Duration;

use fastrand::Rng;
use lastseen::{Clock, ManualClock, MemoryStore, Store, Timestamp, Tracker, UserId};
use lastseen_harness::{cases, seed};

const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);
const WINDOW: Duration = Duration::from_mins(15);
const HOUR: Duration = Duration::from_hours(1);
const YEAR: Duration = Duration::from_hours(365 * 24);

/// Moments at which some clock or calendar has stumbled.
const STUMBLES: [&str; 8] = [
    "1970-01-01T00:00:00Z",
    "2016-12-31T23:59:59.999999Z",
    "2024-02-29T23:59:59Z",
    "2028-02-29T00:00:00Z",
    "2038-01-19T03:14:07.999999Z",
    "2100-02-28T23:59:59Z",
    "2106-02-07T06:28:15Z",
    "9999-12-30T22:00:00Z",
];

struct Process {
    clock: ManualClock,
    tracker: Tracker,
    /// Who was touched since the clock was last set, and at which monotonic time.
    touched: Vec<(UserId, Duration)>,
}

impl Process {
    async fn start(store: MemoryStore, clock: ManualClock) -> Self {
        let tracker = Tracker::builder(store).clock(clock.clone()).start().await.unwrap();
        Self { clock, tracker, touched: Vec::new() }
    }

    fn touch(&mut self, user: &UserId) {
        self.tracker.touch(user, None);
        self.touched.push((user.clone(), self.clock.monotonic()));
    }

    fn set(&mut self, now: Timestamp) {
        self.clock.set(now);
        self.touched.clear();
    }

    fn look(&self, story: &[String]) {
        for (user, at) in &self.touched {
            let ago = self.clock.monotonic().saturating_sub(*at);
            assert!(ago > WINDOW || self.tracker.is_online(user), "{user} vanished {ago:?} after a touch: {story:?}");
        }
        let online = self.tracker.online(100);
        assert_eq!(online.count, online.users.len(), "{story:?}");
    }
}

struct Site {
    /// What the clocks should say.
    time: Timestamp,
    store: MemoryStore,
    processes: [Process; 2],
}

impl Site {
    async fn new() -> Self {
        let store = MemoryStore::new();
        let here = Process::start(store.another(), ManualClock::new(START)).await;
        let there = Process::start(store.another(), ManualClock::new(START)).await;
        Self { time: START, store, processes: [here, there] }
    }

    async fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.time = self.time + Duration::from_secs(1);
            for process in &self.processes {
                process.clock.advance(Duration::from_secs(1));
            }
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// What a clock might say that is wrong.
    fn wrong(&self, chance: &mut Rng) -> Timestamp {
        match chance.u8(0..8) {
            0 => self.time + Duration::from_secs(1),
            1 => self.time - Duration::from_secs(1),
            2 => self.time + HOUR,
            3 => self.time - HOUR,
            4 => self.time + YEAR * 20,
            5 => self.time - YEAR * 20,
            6 => Timestamp::from_micros(chance.i64(..)),
            _ => chance.choice(STUMBLES).unwrap().parse().unwrap(),
        }
    }
}

#[tokio::test]
async fn rule_4_whatever_clocks_do_nobody_touched_since_vanishes_and_nobody_stays_for_ever() {
    let users: Vec<UserId> = (0_u32..5).map(UserId::from).collect();
    for seed in seed()..seed() + cases(40, 2_000) {
        let mut chance = Rng::with_seed(seed);
        let mut site = Site::new().await;
        let mut story = vec![format!("seed {seed}")];
        for _ in 0..chance.usize(1..8) {
            let index = chance.usize(..2);
            let now = if chance.u8(..3) == 0 { site.time } else { site.wrong(&mut chance) };
            story.push(format!("clock {index} set to {now}"));
            site.processes[index].set(now);
            if chance.u8(..5) == 0 {
                story.push("started anew".to_owned());
                let clock = site.processes[index].clock.clone();
                site.processes[index] = Process::start(site.store.another(), clock).await;
            }
            for _ in 0..chance.usize(..6) {
                let user = chance.choice(&users).unwrap();
                site.processes[chance.usize(..2)].touch(user);
                site.pass(chance.u64(..4)).await;
                site.processes.iter().for_each(|process| process.look(&story));
            }
            site.pass(chance.u64(..40)).await;
            site.processes.iter().for_each(|process| process.look(&story));
        }

        story.push("both right again".to_owned());
        let right = site.time;
        site.processes.iter_mut().for_each(|process| process.set(right));
        site.pass(2).await;
        let last = site.time;
        for process in &mut site.processes {
            for user in &users {
                process.touch(user);
            }
        }
        site.pass(40).await;
        for process in &site.processes {
            process.look(&story);
            assert_eq!(process.tracker.count(), users.len(), "{story:?}");
            process.tracker.flush().await.unwrap();
        }
        for user in &users {
            let stored = site.store.read(user).await.unwrap().unwrap();
            assert_eq!(stored.seen.map(|seen| seen.at), Some(last), "{user} in the store: {story:?}");
        }
        site.processes.iter().for_each(|process| process.clock.advance(WINDOW));
        site.pass(2).await;
        for process in &site.processes {
            assert_eq!(process.tracker.online(100).users, [], "pinned: {story:?}");
        }
    }
}

#[test]
fn a_leap_second_is_a_date_like_any_other() {
    let leap: Timestamp = "2016-12-31T23:59:60Z".parse().unwrap();
    let [before, after] = ["2016-12-31T23:59:59Z", "2017-01-01T00:00:00Z"].map(|date| date.parse().unwrap());
    assert!(before <= leap && leap <= after, "{leap}");
}
