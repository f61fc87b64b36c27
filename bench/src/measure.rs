//! Two sides measured in turns, so that whatever else the machine does hits both.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// By which time a work is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// The thread's own time on a processor: what else runs on the machine matters little.
    Cpu,
    /// The time that passes, waits included.
    Wall,
}

/// Nanoseconds that `work` takes.
pub fn nanos(time: Time, work: impl FnOnce()) -> f64 {
    let took = match time {
        Time::Wall => {
            let start = Instant::now();
            work();
            start.elapsed()
        }
        Time::Cpu => {
            let start = thread_time();
            work();
            thread_time().saturating_sub(start)
        }
    };
    took.as_secs_f64() * 1e9
}

/// How long this thread has worked so far.
pub fn thread_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(now).expect("a thread's time is positive")
}

/// Nanoseconds that one of many calls of `work` takes: as many as fill `long_enough`, and one at least.
pub fn nanos_each<T>(time: Time, long_enough: Duration, mut work: impl FnMut() -> T) -> f64 {
    let mut calls = 1_u32;
    loop {
        let took = nanos(time, || (0..calls).for_each(|_| drop(black_box(work()))));
        if took >= long_enough.as_secs_f64() * 1e9 || calls >= 1 << 24 {
            return took / f64::from(calls);
        }
        calls *= 2;
    }
}

/// A figure of several rounds: the median, and between which figures the middle half of them lies.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Figure {
    pub fn of(mut rounds: Vec<f64>) -> Self {
        assert!(!rounds.is_empty(), "there is a round");
        rounds.sort_unstable_by(f64::total_cmp);
        let at = |quarter: usize| {
            let (index, rest) = ((rounds.len() - 1) * quarter / 4, (rounds.len() - 1) * quarter % 4);
            let next = rounds[(index + 1).min(rounds.len() - 1)];
            rounds[index] + (next - rounds[index]) * [0.0, 0.25, 0.5, 0.75][rest]
        };
        Self { low: at(1), median: at(2), high: at(3) }
    }
}

/// What two sides took for the same work.
#[derive(Clone, Copy, Debug)]
pub struct Duel {
    pub ours: Figure,
    pub peer: Figure,
    /// The peer's over ours, a round at a time: above one where we are better.
    pub ratio: Figure,
}

impl Duel {
    /// Of rounds: what we took in each, and what the peer took.
    pub fn of(rounds: &[(f64, f64)]) -> Self {
        let figure = |each: fn(&(f64, f64)) -> f64| Figure::of(rounds.iter().map(each).collect());
        Self { ours: figure(|round| round.0), peer: figure(|round| round.1), ratio: figure(|round| round.1 / round.0) }
    }

    /// Of what was counted, not measured.
    pub fn exact(ours: f64, peer: f64) -> Self {
        Self::of(&[(ours, peer)])
    }
}

/// Rounds that take as long as this in all are enough, as long as there are [`FEWEST`].
const ENOUGH: Duration = Duration::from_secs(15);

const FEWEST: usize = 3;

/// A first round shorter than this warms caches and is not counted. In a longer one that makes no difference.
const WARM: Duration = Duration::from_secs(1);

/// Lets both sides work in turns, for up to so many rounds.
pub fn duel(rounds: usize, mut ours: impl FnMut(u64) -> f64, mut peer: impl FnMut(u64) -> f64) -> Duel {
    let mut counted = Vec::new();
    let start = Instant::now();
    for round in 0_u64.. {
        // Neither is always the one that finds the caches as the other left them.
        let (one, other) = if round % 2 == 0 {
            let one = ours(round);
            (one, peer(round))
        } else {
            let other = peer(round);
            (ours(round), other)
        };
        if round > 0 || start.elapsed() > WARM {
            counted.push((one, other));
        }
        if counted.len() >= rounds || counted.len() >= FEWEST && start.elapsed() > ENOUGH {
            break;
        }
    }
    Duel::of(&counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(rounds: &[f64]) -> [f64; 3] {
        let Figure { low, median, high } = Figure::of(rounds.to_vec());
        [low, median, high]
    }

    fn are_near(one: [f64; 3], other: [f64; 3]) -> bool {
        one.iter().zip(other).all(|(one, other)| (one - other).abs() < 1e-9)
    }

    #[test]
    fn a_figure_is_the_median_and_what_the_middle_half_lies_between() {
        assert!(are_near(figures(&[7.0]), [7.0, 7.0, 7.0]));
        assert!(are_near(figures(&[5.0, 1.0, 4.0, 2.0, 3.0]), [2.0, 3.0, 4.0]));
        assert!(are_near(figures(&[4.0, 1.0, 3.0, 2.0]), [1.75, 2.5, 3.25]));
    }

    #[test]
    fn a_ratio_is_taken_a_round_at_a_time_and_above_one_where_we_are_better() {
        // The second round ran on a machine half as fast.
        let duel = Duel::of(&[(1.0, 3.0), (2.0, 6.0)]);
        assert!(are_near([duel.ratio.low, duel.ratio.median, duel.ratio.high], [3.0, 3.0, 3.0]));
        assert!((Duel::exact(2.0, 1.0).ratio.median - 0.5).abs() < 1e-9);
    }

    #[test]
    fn both_sides_work_in_every_round_and_each_is_first_in_half_of_them() {
        let calls = std::cell::RefCell::new(Vec::new());
        let note = |side, round| {
            calls.borrow_mut().push((side, round));
            1.0
        };
        duel(3, |round| note("ours", round), |round| note("its", round));
        // A first, short round is not counted.
        let expected =
            [("ours", 0), ("its", 0), ("its", 1), ("ours", 1), ("ours", 2), ("its", 2), ("its", 3), ("ours", 3)];
        assert_eq!(calls.into_inner(), expected);
    }

    #[test]
    fn calls_are_repeated_until_they_take_long_enough_together() {
        let mut calls = 0_u32;
        let each = nanos_each(Time::Cpu, Duration::from_millis(2), || {
            calls += 1;
            (0..1_000_u64).map(black_box).sum::<u64>()
        });
        // 1, 2, 4 ... up to the last, which alone is measured.
        assert!((calls + 1).is_power_of_two() && each > 0.0);
        assert!(each * f64::from(calls.div_ceil(2)) >= 2e6);
    }
}
