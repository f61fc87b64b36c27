//! The race between touching and flushing, under a scheduler that explores the interleavings.

use std::sync::Arc;

use shuttle::thread;

use super::{START, core, user};
use crate::store::MemoryStore;
use crate::tracker::core::Core;
use crate::tracker::shard::Outgoing;
use crate::{ManualClock, Seen, Timestamp};

fn take_everything(core: &Core) -> Vec<Outgoing> {
    core.memory.make_all_due();
    core.memory.take_batch()
}

/// However a touch, a flush that fails and the flush after it interleave, the store ends up with the last date.
#[test]
fn shuttle_no_touch_is_lost_between_two_flushes() {
    shuttle::check_random(
        || {
            let clock = ManualClock::new(START);
            let core = Arc::new(core(MemoryStore::new(), &clock));
            let at = |micros| Timestamp::from_micros(START.as_micros() + micros);
            let touch = |micros| {
                core.memory.touch(&user(1), Seen { at: at(micros), ip: None }, START).expect("there is room");
            };
            touch(0);

            let toucher = {
                let core = Arc::clone(&core);
                thread::spawn(move || {
                    for micros in 1..=3 {
                        core.memory.touch(&user(1), Seen { at: at(micros), ip: None }, START).expect("there is room");
                    }
                })
            };
            let mut stored = Vec::new();
            for works in [false, true] {
                let batch = take_everything(&core);
                if works {
                    stored.extend(batch.iter().map(|sent| sent.record.clone()));
                }
                core.memory.answered(&batch, works);
            }
            toucher.join().expect("the touches end");

            let rest = take_everything(&core);
            stored.extend(rest.iter().map(|sent| sent.record.clone()));
            core.memory.answered(&rest, true);

            let last = stored.iter().filter_map(|record| record.seen).max();
            assert_eq!(last, Some(Seen { at: at(3), ip: None }));
            assert_eq!(core.memory.totals().pending, 0);
        },
        2_000,
    );
}

/// However touching and erasing interleave with a flush, the count of what is pending comes out even, and whoever was
/// touched after the erasing is there.
#[test]
fn shuttle_erasing_leaves_no_pending_ghost() {
    shuttle::check_random(
        || {
            let clock = ManualClock::new(START);
            let core = Arc::new(core(MemoryStore::new(), &clock));
            let seen = |micros| Seen { at: Timestamp::from_micros(START.as_micros() + micros), ip: None };
            core.memory.touch(&user(1), seen(0), START).expect("there is room");

            let eraser = {
                let core = Arc::clone(&core);
                thread::spawn(move || {
                    core.memory.forget(&user(1), START);
                    core.memory.touch(&user(1), seen(5), START).expect("there is room");
                })
            };
            let batch = take_everything(&core);
            core.memory.answered(&batch, true);
            eraser.join().expect("the erasing ends");

            let batch = take_everything(&core);
            core.memory.answered(&batch, true);
            assert_eq!(core.memory.totals().pending, 0);
            assert_eq!(core.memory.count(super::WINDOW), 1);
        },
        2_000,
    );
}
