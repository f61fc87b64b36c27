//! Several processes on one store, failures included: in the end all agree on the merge of all that was reported.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::{START, WINDOW, core, now, user};
use crate::conformance::{Fault, Faults, Faulty};
use crate::store::MemoryStore;
use crate::tracker::core::Core;
use crate::tracker::follow::Clocks;
use crate::{Clock, ManualClock, Record, Seen, UserId};

#[derive(Clone, Debug)]
enum Step {
    Touch { process: usize, user: u8, ago: u16 },
    Leave { process: usize, user: u8 },
    Advance { millis: u32 },
    Flush { process: usize, fails: bool },
    Follow { process: usize, fails: bool },
    Sweep { process: usize },
}

const PROCESSES: usize = 3;

fn step() -> impl Strategy<Value = Step> {
    let process = 0..PROCESSES;
    prop_oneof![
        6 => (process.clone(), 0_u8..8, 0_u16..300).prop_map(|(process, user, ago)| Step::Touch { process, user, ago }),
        1 => (process.clone(), 0_u8..8).prop_map(|(process, user)| Step::Leave { process, user }),
        3 => (0_u32..120_000).prop_map(|millis| Step::Advance { millis }),
        3 => (process.clone(), any::<bool>()).prop_map(|(process, fails)| Step::Flush { process, fails }),
        3 => (process.clone(), any::<bool>()).prop_map(|(process, fails)| Step::Follow { process, fails }),
        1 => process.prop_map(|process| Step::Sweep { process }),
    ]
}

struct Process {
    core: Core,
    clocks: Clocks,
    faults: Faults,
}

impl Process {
    fn start(store: MemoryStore, clock: &ManualClock) -> Self {
        let store = Faulty::new(store);
        let faults = store.faults();
        let core = core(store, clock);
        let clocks = Clocks::read(&core);
        let mut process = Self { core, clocks, faults };
        process.follow();
        process
    }

    fn flush(&self) {
        // What fails is tried again in the end.
        let _ = now(self.core.flush(false));
    }

    fn follow(&mut self) {
        let _ = now(self.core.follow(&mut self.clocks));
    }

    fn failing(&mut self, fails: bool, act: impl FnOnce(&mut Self)) {
        if fails {
            self.faults.inject(Fault::nth(1).answer_lost());
        }
        act(self);
        self.faults.heal();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// The feed is short, so that processes fall behind it and have to read anew.
    #[test]
    fn rule_6_all_processes_agree(steps in proptest::collection::vec(step(), 1..80), feed in 1_usize..20) {
        let clock = ManualClock::new(START);
        let store = MemoryStore::with_feed(feed);
        let mut processes: Vec<Process> =
            (0..PROCESSES).map(|_| Process::start(store.another(), &clock)).collect();
        let mut merged: BTreeMap<UserId, Record> = BTreeMap::new();
        let mut report = |record: Record, at| {
            merged.entry(record.user.clone()).or_insert_with(|| Record::empty(record.user.clone())).merge(&record, at);
        };
        for step in steps {
            let at = clock.now();
            match step {
                Step::Touch { process, user: number, ago } => {
                    let seen = Seen { at: at - Duration::from_secs(ago.into()), ip: None };
                    processes[process].core.memory.touch(&user(number), seen, at).unwrap();
                    report(Record { user: user(number), seen: Some(seen), left_at: None }, at);
                }
                Step::Leave { process, user: number } => {
                    let left = processes[process].core.memory.leave(&user(number), at).unwrap();
                    report(left, at);
                }
                Step::Advance { millis } => clock.advance(Duration::from_millis(millis.into())),
                Step::Flush { process, fails } => processes[process].failing(fails, |process| process.flush()),
                Step::Follow { process, fails } => processes[process].failing(fails, Process::follow),
                Step::Sweep { process } => processes[process].core.memory.sweep(),
            }
        }
        for process in &processes {
            now(process.core.flush(true)).unwrap();
        }
        let at = clock.now();
        let mut expected: Vec<(UserId, Seen)> = merged
            .into_values()
            .filter(|record| record.seen.map(|seen| seen.at) > record.left_at)
            .filter_map(|record| Some((record.user, record.seen?)))
            .filter(|(_, seen)| at - WINDOW <= seen.at)
            .collect();
        expected.sort_by(|(a, a_seen), (b, b_seen)| b_seen.at.cmp(&a_seen.at).then(a.cmp(b)));
        for process in &mut processes {
            now(process.core.follow(&mut process.clocks)).unwrap();
            let online = process.core.memory.online(WINDOW, 100);
            let got: Vec<(UserId, Seen)> =
                online.users.into_iter().map(|user| (user.user, Seen { at: user.at, ip: user.ip })).collect();
            prop_assert_eq!(&got, &expected);
            prop_assert_eq!(online.count, expected.len());
        }
    }
}
