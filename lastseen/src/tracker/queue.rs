//! Which slots to send to the store, and when: what is due now, and what was sent within the last granularity.
//!
//! A user who was sent lately has nothing to do at a touch: once their granularity is over, whoever takes the next batch
//! finds them and sees whether they were touched again. So a touch queues a slot only where it is due at once.

use std::collections::VecDeque;

use super::lately::LATELY;
use super::users::Sent;
use crate::timestamp::micros;

/// In order of time, and a slot at most once among what is due, which the user's flags tell.
pub(super) struct Queue {
    /// Monotonic microseconds a tick: how often batches are taken.
    tick: i64,
    /// Ticks until a slot that was sent may be sent again.
    granularity: i64,
    /// Ticks for which what the store has acknowledged is kept, in case that it loses it.
    lately: i64,
    /// The tick of the store's last acknowledgement.
    acknowledged: i64,
    due: Vec<u32>,
    /// The slots that were sent in each of the last ticks. Entries of slots that were sent again, or freed, are still there.
    sent: VecDeque<(i64, Vec<u32>)>,
    /// Those whose granularity is over, but which the store may yet lose.
    settled: VecDeque<(i64, Vec<u32>)>,
}

impl Queue {
    pub(super) fn new(flush_every: i64, granularity: i64) -> Self {
        // So that the ticks within a granularity can be told apart by what users keep of them.
        let tick = flush_every.max(granularity / (Sent::TICKS - 2)).max(1);
        Self {
            tick,
            granularity: (granularity + tick - 1) / tick,
            lately: (micros(LATELY) + tick - 1) / tick,
            acknowledged: i64::MIN,
            due: Vec::new(),
            sent: VecDeque::new(),
            settled: VecDeque::new(),
        }
    }

    /// The tick in which the monotonic microsecond `now` lies.
    pub(super) fn tick(&self, now: i64) -> i64 {
        now.div_euclid(self.tick)
    }

    /// Lets a slot be due at once.
    pub(super) fn push(&mut self, slot: u32) {
        self.due.push(slot);
    }

    /// Notes that a slot was sent in `tick`; gives the tick under which it is noted. That is a later one where a thread that
    /// had read the clock later came first.
    pub(super) fn sent(&mut self, slot: u32, tick: i64) -> i64 {
        match self.sent.back_mut() {
            Some((last, slots)) if *last >= tick => {
                slots.push(slot);
                *last
            }
            _ => {
                self.sent.push_back((tick, vec![slot]));
                tick
            }
        }
    }

    /// A tick whose granularity is over by `now`, and the slots that were sent in it.
    pub(super) fn over(&mut self, now: i64) -> Option<(i64, Vec<u32>)> {
        let (tick, slots) = self.sent.pop_front_if(|(tick, _)| *tick + self.granularity <= now)?;
        // What was sent after that has failed, and goes again by itself.
        if tick <= self.acknowledged {
            self.settled.push_back((tick, slots.clone()));
        }
        Some((tick, slots))
    }

    /// Notes that the store has acknowledged something in `tick`. Counted from there, and not from now, so that an outage of
    /// any length keeps what came right before it.
    pub(super) fn acknowledged(&mut self, tick: i64) {
        self.acknowledged = tick.max(self.acknowledged);
        while self.settled.pop_front_if(|(tick, _)| *tick + self.lately < self.acknowledged).is_some() {}
    }

    /// The slots that were sent so lately that the store may yet lose them, some more than once.
    pub(super) fn sent_lately(&self) -> impl Iterator<Item = u32> {
        self.settled.iter().chain(&self.sent).flat_map(|(_, slots)| slots.iter().copied())
    }

    /// All slots that were sent and whose granularity is not over.
    pub(super) fn all_sent(&self) -> impl Iterator<Item = u32> {
        self.sent.iter().flat_map(|(_, slots)| slots.iter().copied())
    }

    /// Moves up to `most` slots that are due to the end of `taken`.
    pub(super) fn take(&mut self, most: usize, taken: &mut Vec<u32>) {
        taken.extend(self.due.drain(..most.min(self.due.len())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_may_be_sent_again_a_whole_granularity_later() {
        let mut queue = Queue::new(10, 295);
        queue.sent(1, queue.tick(9));
        queue.sent(2, queue.tick(10));
        assert_eq!(queue.over(queue.tick(299)), None);
        assert_eq!(queue.over(queue.tick(300)), Some((0, vec![1])));
        assert_eq!(queue.over(queue.tick(300)), None);
        assert_eq!(queue.all_sent().collect::<Vec<_>>(), [2]);
        assert_eq!(queue.over(queue.tick(i64::MAX)), Some((1, vec![2])));
    }

    #[test]
    fn what_was_acknowledged_is_kept_until_half_a_minute_of_acknowledgements_later() {
        let second = 1_000_000;
        let mut queue = Queue::new(second, second);
        let lately = |queue: &Queue| queue.sent_lately().collect::<Vec<_>>();
        queue.sent(1, 0);
        queue.acknowledged(0);
        queue.sent(2, 20);
        queue.acknowledged(20);
        // Sent again and again while the store is down: none of it is kept, and nothing from before goes.
        for tick in 21..3600 {
            queue.sent(3, tick);
            while queue.over(tick).is_some() {}
        }
        assert_eq!(lately(&queue), [1, 2, 3]);
        queue.acknowledged(31);
        assert_eq!(lately(&queue), [2, 3]);
        queue.acknowledged(51);
        assert_eq!(lately(&queue), [3]);
    }

    #[test]
    fn a_limit_leaves_the_rest_for_the_next_time() {
        let mut queue = Queue::new(10, 30);
        (0..5).for_each(|slot| queue.push(slot));
        let mut taken = Vec::new();
        queue.take(3, &mut taken);
        assert_eq!(taken, [0, 1, 2]);
        queue.take(3, &mut taken);
        assert_eq!(taken, [0, 1, 2, 3, 4]);
    }
}
