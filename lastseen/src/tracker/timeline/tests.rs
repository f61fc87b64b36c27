//! The timeline against a plain map, with buckets so small that every seam is crossed.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// A slot comes in or moves, to so many microseconds.
    Put {
        slot: u32,
        at: i64,
    },
    /// A slot that is in moves, where that is later.
    Advance {
        slot: u32,
        at: i64,
    },
    Remove {
        slot: u32,
    },
    Count {
        slot: u32,
        counted: bool,
    },
    Tidy {
        now: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0_u32..12, 0_i64..400).prop_map(|(slot, at)| Step::Put { slot, at }),
        4 => (0_u32..12, 0_i64..400).prop_map(|(slot, at)| Step::Advance { slot, at }),
        2 => (0_u32..12).prop_map(|slot| Step::Remove { slot }),
        2 => (0_u32..12, any::<bool>()).prop_map(|(slot, counted)| Step::Count { slot, counted }),
        2 => (0_i64..500).prop_map(|now| Step::Tidy { now }),
    ]
}

#[derive(Clone, Copy)]
struct Held {
    at: i64,
    place: Place,
    counted: bool,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn every_range_is_the_maps(steps in proptest::collection::vec(step(), 1..80), log in 1_usize..5, stale in 1_usize..5) {
        let mut timeline = Timeline::new(Shape { fine: 10, coarse: 50, recent: 100, log, stale });
        let mut held: BTreeMap<u32, Held> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Put { slot, at } => {
                    let counted = held.get(&slot).is_none_or(|held| held.counted);
                    let place = match held.get(&slot) {
                        Some(held) => timeline.shift(slot, held.place, at, counted),
                        None => timeline.insert(slot, at, counted),
                    };
                    held.insert(slot, Held { at, place, counted });
                }
                Step::Advance { slot, at } => {
                    if let Some(held) = held.get_mut(&slot) {
                        let place = timeline.advance(slot, held.place, at, held.counted);
                        prop_assert_eq!(place.is_some(), at > held.at);
                        held.at = held.at.max(at);
                        held.place = place.unwrap_or(held.place);
                    }
                }
                Step::Remove { slot } => {
                    if let Some(held) = held.remove(&slot) {
                        timeline.remove(held.place);
                    }
                }
                Step::Count { slot, counted } => {
                    if let Some(held) = held.get_mut(&slot) {
                        held.counted = counted;
                        timeline.set_counted(held.place, counted);
                    }
                }
                Step::Tidy { now } => timeline.tidy(now, |slot, place| {
                    held.get_mut(&slot).expect("only held slots move").place = place;
                }),
            }

            for held in held.values() {
                prop_assert_eq!(timeline.at(held.place), held.at);
            }
            for (from, to) in [(0, 400), (95, 105), (100, 100), (0, 149), (200, 100), (i64::MIN, i64::MAX)] {
                let expected = |counted_only: bool| {
                    let within = |held: &Held| from <= held.at && held.at <= to && (held.counted || !counted_only);
                    let mut all: Vec<(i64, u32)> = held
                        .iter()
                        .filter(|(_, held)| within(held))
                        .map(|(slot, held)| (held.at, *slot))
                        .collect();
                    all.sort_unstable();
                    all
                };
                let mut everything: Vec<_> = timeline.within(from, to).collect();
                everything.sort_unstable();
                prop_assert_eq!(everything, expected(false));
                prop_assert_eq!(timeline.count(from, to), expected(true).len());

                let mut newest: Vec<_> = timeline.newest(from, to, 3).collect();
                newest.sort_unstable_by(|a, b| b.cmp(a));
                let mut all = expected(true);
                all.reverse();
                prop_assert!(newest.len() >= all.len().min(3));
                prop_assert_eq!(&newest[..], &all[..newest.len()]);
            }
        }
    }
}

#[test]
fn dates_at_the_ends_of_time_have_their_place() {
    let mut timeline = Timeline::new(Shape::DEFAULT);
    for (slot, at) in [(0, i64::MIN), (1, i64::MAX), (2, 0), (3, i64::MIN + 1), (4, i64::MAX - 1)] {
        timeline.insert(slot, at, true);
    }
    timeline.tidy(0, |_, _| {});
    assert_eq!(timeline.count(i64::MIN, i64::MAX), 5);
    assert_eq!(timeline.count(i64::MAX, i64::MAX), 1);
    assert_eq!(timeline.count(i64::MIN, i64::MIN), 1);
}

/// A log that is full is followed by another, however many touches the same second brings.
#[test]
fn the_newest_are_found_in_a_short_log() {
    let mut timeline = Timeline::new(Shape { log: 16, ..Shape::DEFAULT });
    for slot in 0..1000 {
        timeline.insert(slot, i64::from(slot), true);
    }
    let read = timeline.newest(0, i64::MAX, 5).count();
    assert!(read <= 5 + 16, "{read} entries were read for 5");
}
