//! One tracker against a plain map: every answer after every step of random histories.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use proptest::prelude::*;

use super::{HORIZON, START, WINDOW, core, drain, now, user};
use crate::activity::MAX_AHEAD;
use crate::conformance::{Fault, Faults, Faulty, Operation};
use crate::store::MemoryStore;
use crate::tracker::core::Core;
use crate::tracker::follow::Clocks;
use crate::tracker::shard::FORGOTTEN_FOR;
use crate::tracker::{Events, Presence};
use crate::{Clock, ManualClock, Profile, Record, Seen, Store, Timestamp, UserId, VOID_AHEAD};

#[derive(Clone, Debug)]
enum Step {
    Touch {
        user: u8,
        ip: u8,
    },
    /// With a date so many seconds before the clock's, or after it.
    TouchAt {
        user: u8,
        ago: i32,
    },
    Leave {
        user: u8,
    },
    Forget {
        user: u8,
    },
    SetProfile {
        user: u8,
        active: bool,
        hidden: bool,
    },
    Advance {
        millis: u32,
    },
    /// The wall clock jumps by so many seconds: a little, hours ahead, or so far back that what was dated before is void
    /// for good. (What is void for a while only, and then comes true, may be missing from a process that didn't date it
    /// until it is written again; no plain map tells when.)
    Jump {
        seconds: i32,
    },
    Flush {
        everything: bool,
        fault: Option<bool>,
    },
    /// Another process writes a record dated so many seconds ago, straight into the store.
    OtherTouch {
        user: u8,
        ago: u16,
    },
    OtherLeave {
        user: u8,
    },
    OtherForget {
        user: u8,
    },
    Follow {
        fails: bool,
    },
    Sweep,
    /// The process is killed and starts anew.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let anyone = 0_u8..6;
    prop_oneof![
        8 => (anyone.clone(), 0_u8..3).prop_map(|(user, ip)| Step::Touch { user, ip }),
        4 => (anyone.clone(), -10_i32..5000).prop_map(|(user, ago)| Step::TouchAt { user, ago }),
        3 => anyone.clone().prop_map(|user| Step::Leave { user }),
        1 => anyone.clone().prop_map(|user| Step::Forget { user }),
        2 => (anyone.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(user, active, hidden)| Step::SetProfile { user, active, hidden }),
        4 => (0_u32..3000).prop_map(|millis| Step::Advance { millis }),
        3 => (0_u32..900_000).prop_map(|millis| Step::Advance { millis }),
        1 => prop_oneof![Just(-864_000_i32), -9_i32..9, 61_i32..7200].prop_map(|seconds| Step::Jump { seconds }),
        5 => (any::<bool>(), proptest::option::weighted(0.3, any::<bool>()))
            .prop_map(|(everything, fault)| Step::Flush { everything, fault }),
        2 => (anyone.clone(), 0_u16..1000).prop_map(|(user, ago)| Step::OtherTouch { user, ago }),
        1 => anyone.clone().prop_map(|user| Step::OtherLeave { user }),
        1 => anyone.prop_map(|user| Step::OtherForget { user }),
        4 => proptest::bool::weighted(0.2).prop_map(|fails| Step::Follow { fails }),
        4 => Just(Step::Sweep),
        1 => Just(Step::Restart),
    ]
}

/// What memory should know, told as plainly as can be.
struct Model {
    known: BTreeMap<UserId, Record>,
    forgotten: BTreeMap<UserId, Timestamp>,
    profiles: BTreeMap<UserId, Profile>,
    /// Whose date was void when it came to be stored: the store has dropped it, and memory may yet see it come true.
    void: BTreeSet<UserId>,
}

impl Model {
    fn merge(&mut self, mut record: Record, now: Timestamp) {
        if let Some(forgotten_at) = self.forgotten.get(&record.user) {
            record.forget_until(*forgotten_at);
        }
        if record.clone().plausible(now).is_empty() {
            return;
        }
        self.known.entry(record.user.clone()).or_insert_with(|| Record::empty(record.user.clone())).merge(&record, now);
    }

    fn forget(&mut self, user: &UserId, at: Timestamp, now: Timestamp) {
        if let Some(known) = self.known.get_mut(user) {
            let mut rest = known.clone().plausible(now);
            rest.forget_until(at);
            *known = rest;
        }
        if at <= now + VOID_AHEAD {
            let forgotten_at = self.forgotten.entry(user.clone()).or_insert(at);
            *forgotten_at = at.max(*forgotten_at);
        }
    }

    /// A sign-out or an erasure from a clock that has been set right since counts for nothing any more.
    fn drop_void(&mut self, now: Timestamp) {
        self.forgotten.retain(|_, at| *at <= now + VOID_AHEAD);
        for record in self.known.values_mut() {
            record.left_at = record.left_at.filter(|left_at| *left_at <= now + VOID_AHEAD);
        }
    }

    /// Rule 2, and rule 12 with it.
    fn online(&self, window: Duration, now: Timestamp) -> Vec<(UserId, Seen)> {
        let visible = |user: &UserId| self.profiles.get(user).is_none_or(Profile::is_visible);
        let mut online: Vec<(UserId, Seen)> = self
            .known
            .values()
            .filter(|record| visible(&record.user))
            .filter_map(|record| Some((record.user.clone(), record.seen?, record.left_at)))
            .filter(|(_, seen, left_at)| Some(seen.at) > *left_at)
            .filter(|(_, seen, _)| now - window <= seen.at && seen.at <= now + VOID_AHEAD)
            .map(|(user, seen, _)| (user, seen))
            .collect();
        online.sort_by(|(a, a_seen), (b, b_seen)| b_seen.at.cmp(&a_seen.at).then(a.cmp(b)));
        online
    }
}

struct World {
    clock: ManualClock,
    store: MemoryStore,
    faults: Faults,
    core: Core,
    clocks: Clocks,
    other: MemoryStore,
    /// Whom another process has written of since the last follow.
    written: BTreeSet<UserId>,
    events: Events,
    /// Who is online by the events alone.
    announced: BTreeSet<UserId>,
    model: Model,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::new(START);
        let store = MemoryStore::new();
        let other = store.another();
        let (core, faults, clocks, events) = start(&store, &clock);
        let model = Model {
            known: BTreeMap::new(),
            forgotten: BTreeMap::new(),
            profiles: BTreeMap::new(),
            void: BTreeSet::new(),
        };
        Self {
            clock,
            store,
            faults,
            core,
            clocks,
            other,
            written: BTreeSet::new(),
            events,
            announced: BTreeSet::new(),
            model,
        }
    }

    fn touch(&mut self, user: UserId, at: Timestamp, ip: Option<IpAddr>) {
        let now = self.clock.now();
        let seen = Seen { at, ip };
        self.core.memory.touch(&user, seen, now).expect("there is room");
        self.model.merge(Record { user, seen: Some(seen), left_at: None }, now);
    }

    fn other_writes(&mut self, record: Record) {
        self.written.insert(record.user.clone());
        now(self.other.write(&[record], self.clock.now())).unwrap();
    }

    fn all_stored(&self) -> BTreeMap<UserId, Record> {
        let page = now(self.store.recent(Timestamp::MIN, None)).unwrap();
        page.records.into_iter().map(|record| (record.user.clone(), record)).collect()
    }

    /// `anew`: the clock was set back by so much that memory reads the store anew.
    fn follow(&mut self, anew: bool) {
        now(self.core.follow(&mut self.clocks)).unwrap();
        let time = self.clock.now();
        if anew {
            for (user, at) in now(self.store.recent(Timestamp::MIN, None)).unwrap().forgotten {
                self.model.forget(&user, at, time);
            }
        }
        let written = std::mem::take(&mut self.written);
        let recent = |record: &Record| record.latest() >= Some(time - HORIZON);
        let read = |record: &Record| if anew { recent(record) } else { written.contains(&record.user) };
        for record in self.all_stored().into_values().filter(read) {
            self.model.merge(record, time);
        }
    }

    fn take(&mut self, step: &Step) {
        let time = self.clock.now();
        match *step {
            Step::Touch { user: number, ip } => {
                let ip = ip.checked_sub(1).map(|last| IpAddr::from([192, 0, 2, last]));
                self.touch(user(number), time, ip);
            }
            Step::TouchAt { user: number, ago } => {
                let at = Timestamp::from_micros(time.as_micros() - i64::from(ago) * 1_000_000);
                // The tracker refuses what lies further ahead before it gets here.
                if at <= time + MAX_AHEAD {
                    self.touch(user(number), at, None);
                }
            }
            Step::Leave { user: number } => {
                let user = user(number);
                self.core.memory.leave(&user, time).expect("there is room");
                let known = self.model.known.get(&user).and_then(|record| record.seen).map(|seen| seen.at);
                let left_at = known.filter(|at| *at <= time + VOID_AHEAD).max(Some(time));
                self.model.merge(Record { user, seen: None, left_at }, time);
            }
            Step::Forget { user: number } => {
                let user = user(number);
                let at = now(self.core.forget(&user)).unwrap();
                self.model.forget(&user, at, time);
                self.model.profiles.remove(&user);
                // That another had erased the user up to a later moment is news, which counts whatever its date.
                let erased = now(self.store.recent(Timestamp::MIN, None)).unwrap().forgotten;
                let latest = erased.into_iter().find(|(erased, _)| *erased == user).map_or(at, |(_, at)| at);
                self.model.forget(&user, latest, time);
                self.follow(false);
            }
            Step::SetProfile { user: number, active, hidden } => {
                let profile = Profile::named("someone").active(active).hidden(hidden);
                now(self.core.set_profile(&user(number), &profile)).unwrap();
                self.model.profiles.insert(user(number), profile);
            }
            Step::Advance { millis } => self.clock.advance(Duration::from_millis(millis.into())),
            Step::Jump { seconds } => {
                self.clock.set(Timestamp::from_micros(time.as_micros() + i64::from(seconds) * 1_000_000));
                self.model.drop_void(self.clock.now());
                // The follow task notices by itself; while the clock was ahead, users may have left memory.
                self.follow(seconds < -60);
            }
            Step::Flush { everything, fault } => self.flush(everything, fault),
            Step::OtherTouch { user: number, ago } => {
                let seen = Seen { at: time - Duration::from_secs(ago.into()), ip: None };
                self.other_writes(Record { user: user(number), seen: Some(seen), left_at: None });
            }
            Step::OtherLeave { user: number } => {
                self.other_writes(Record { user: user(number), seen: None, left_at: Some(time) });
            }
            Step::OtherForget { user: number } => {
                // As a tracker does: all that is known of the user is covered, dates slightly ahead included.
                let known = self.all_stored().remove(&user(number)).and_then(|record| record.plausible(time).latest());
                let at = known.map_or(time, |known| known.max(time));
                now(self.other.forget(&user(number), at, time)).unwrap();
                self.model.profiles.remove(&user(number));
                // News of an erasure counts whatever its date.
                let erased = now(self.store.recent(Timestamp::MIN, None)).unwrap().forgotten;
                let at = erased.into_iter().find(|(erased, _)| *erased == user(number)).map_or(at, |(_, at)| at);
                self.model.forget(&user(number), at, time);
                self.follow(false);
            }
            Step::Follow { fails: false } => self.follow(false),
            Step::Follow { fails: true } => {
                self.faults.inject(Fault::nth(1).on(Operation::Follow));
                now(self.core.follow(&mut self.clocks)).unwrap_err();
                self.faults.heal();
            }
            Step::Sweep => {
                self.core.memory.sweep();
                let kept = self.clock.now().as_micros() - FORGOTTEN_FOR;
                self.model.forgotten.retain(|_, at| at.as_micros() > kept);
            }
            Step::Restart => {
                self.written.clear();
                let (core, faults, clocks, events) = start(&self.store, &self.clock);
                (self.core, self.faults, self.clocks, self.events) = (core, faults, clocks, events);
                self.model.forgotten =
                    now(self.store.recent(Timestamp::MIN, None)).unwrap().forgotten.into_iter().collect();
                self.model.drop_void(time);
                let known = std::mem::take(&mut self.model.known);
                for (user, mut stored) in self.all_stored() {
                    // Nothing is stored that nobody reported.
                    if let Some(known) = known.get(&user) {
                        let before = stored.clone();
                        stored.merge(known, time);
                        assert!(
                            stored.seen >= before.seen || before.seen.is_some_and(|seen| seen.at > time + VOID_AHEAD)
                        );
                    }
                }
                for record in self.all_stored().into_values() {
                    self.model.merge(record, time);
                }
                self.announced = self.model.online(WINDOW, time).into_iter().map(|(user, _)| user).collect();
                now(self.core.resolve_newcomers()).unwrap();
                drain(&mut self.events);
            }
        }
        now(self.core.resolve_newcomers()).unwrap();
    }

    fn flush(&mut self, everything: bool, fault: Option<bool>) {
        let before = self.all_stored();
        match fault {
            Some(true) => self.faults.inject(Fault::nth(1).on(Operation::Write).answer_lost()),
            Some(false) => self.faults.inject(Fault::nth(1).on(Operation::Write)),
            None => {}
        }
        let outcome = now(self.core.flush(everything));
        self.faults.heal();
        let time = self.clock.now();
        let after = self.all_stored();
        for (user, before) in &before {
            // Rule 1: no date goes back, but for what a wrong clock had dated.
            let merged = before.clone().plausible(time);
            let after = after.get(user).cloned().unwrap_or_else(|| Record::empty(user.clone()));
            assert!(after.seen >= merged.seen && after.left_at >= merged.left_at, "{before:?} became {after:?}");
        }
        let void = |record: &Record| record.clone().plausible(time) != *record;
        self.model
            .void
            .extend(self.model.known.values().filter(|record| void(record)).map(|record| record.user.clone()));
        if everything && outcome.is_ok() {
            assert_eq!(self.core.memory.totals().pending, 0);
            let erased: BTreeMap<_, _> =
                now(self.store.recent(Timestamp::MIN, None)).unwrap().forgotten.into_iter().collect();
            for (user, known) in self.model.known.iter().filter(|(user, _)| !self.model.void.contains(*user)) {
                let mut known = known.clone();
                // An erasure that counted for nothing when the user was touched may count again when it is stored.
                erased.get(user).into_iter().for_each(|at| known.forget_until(*at));
                let stored = after.get(user).and_then(|record| record.seen);
                let known = known.plausible(time).seen;
                assert!(stored >= known, "the store has {stored:?} of {user} and memory knows {known:?}");
            }
        }
    }

    fn check(&mut self) {
        let time = self.clock.now();
        // The last microseconds of memory's reach are left out: a clock set back by less than a minute loses them.
        let windows = [WINDOW, Duration::ZERO, Duration::from_secs(1), Duration::from_millis(61_500), HORIZON / 2];
        for window in windows {
            let expected = self.model.online(window, time);
            let all = self.core.memory.online(window, 100);
            let got: Vec<_> =
                all.users.iter().map(|user| (user.user.clone(), Seen { at: user.at, ip: user.ip })).collect();
            assert_eq!(got, expected, "online within {window:?}");
            assert_eq!(all.count, expected.len(), "count within {window:?}");
            assert_eq!(self.core.memory.count(window), expected.len());
            let first = self.core.memory.online(window, 2);
            assert_eq!(first.users[..], all.users[..all.users.len().min(2)], "the first two within {window:?}");
        }
        let expected: BTreeSet<UserId> = self.model.online(WINDOW, time).into_iter().map(|(user, _)| user).collect();
        for number in 0..6 {
            assert_eq!(self.core.memory.is_online(&user(number)), expected.contains(&user(number)));
        }

        self.core.memory.sweep();
        // Who is past the horizon may leave memory, and nobody else.
        let memory = &self.core.memory;
        self.model.known.retain(|user, record| {
            let kept = memory.look_up(user, time).is_some();
            assert!(kept || record.latest().is_none_or(|latest| latest < time - HORIZON), "{record:?} is lost");
            kept
        });
        for event in drain(&mut self.events) {
            let turned = match event.change {
                Presence::CameOnline => self.announced.insert(event.user.clone()),
                Presence::WentOffline => self.announced.remove(&event.user),
            };
            assert!(turned, "{event:?} tells nothing new");
        }
        assert_eq!(self.announced, expected, "who is online by the events");
    }
}

fn start(store: &MemoryStore, clock: &ManualClock) -> (Core, Faults, Clocks, Events) {
    let store = Faulty::new(store.clone());
    let faults = store.faults();
    let core = core(store, clock);
    let mut clocks = Clocks::read(&core);
    let events = core.memory.shared.announcer.listen();
    now(core.follow(&mut clocks)).unwrap();
    (core, faults, clocks, events)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn rules_1_2_3_6_every_answer_is_the_models(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in steps {
            world.take(&step);
            world.check();
        }
    }
}
