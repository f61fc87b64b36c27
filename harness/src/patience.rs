//! Waiting for what happens in another process, the one place where tests let real time pass.

use std::fmt::Debug;
use std::panic::Location;
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

/// How long a step may take before its test fails: 30 seconds.
///
/// Many times what any step needs, so that a busy machine fails no test, and short enough to see a hang as one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How often to look.
const POLL: Duration = Duration::from_millis(20);

/// Asks `probe` again and again until its answer `holds`, and returns that answer.
///
/// For other processes alone: their time is real, and nothing tells a test from outside when they have got somewhere.
/// What runs inside the test takes its time from a manual clock instead.
///
/// ```
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut asked = 0;
/// let ask = async || {
///     asked += 1;
///     asked
/// };
/// assert_eq!(lastseen_harness::eventually(Duration::from_secs(5), ask, |&times| times == 3).await, 3);
/// # }
/// ```
///
/// # Panics
///
/// When no answer holds `within` that time; the message has the caller's place and the last answer.
#[track_caller]
pub fn eventually<T: Debug>(
    within: Duration,
    mut probe: impl AsyncFnMut() -> T,
    mut holds: impl FnMut(&T) -> bool,
) -> impl Future<Output = T> {
    let caller = Location::caller();
    async move {
        let mut last = None;
        let found = poll(within, async || {
            let answer = probe().await;
            if holds(&answer) {
                return Some(answer);
            }
            last = Some(answer);
            None
        });
        match found.await {
            Some(answer) => answer,
            None => panic!("{caller}: did not come true within {within:?}; the last answer was {last:?}"),
        }
    }
}

/// Asks `probe` until it has an answer, at least once, and once more after `within` has passed.
pub(crate) async fn poll<T>(within: Duration, mut probe: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    let mut ticks = tokio::time::interval(POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let last_time = started.elapsed() >= within;
        let answer = probe().await;
        if answer.is_some() || last_time {
            return answer;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[should_panic(expected = "the last answer was Some(\"not yet\")")]
    async fn a_failure_shows_the_last_answer() {
        eventually(Duration::ZERO, async || "not yet", |_| false).await;
    }

    #[tokio::test]
    #[should_panic(expected = "src/patience.rs")]
    async fn a_failure_shows_the_caller() {
        eventually(Duration::ZERO, async || (), |()| false).await;
    }
}
