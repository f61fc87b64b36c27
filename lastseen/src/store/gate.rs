//! When a server that was lost may be tried again: once a second, and not by everybody at once.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use super::random::random;

/// The least time between two attempts.
const APART: Duration = Duration::from_secs(1);

/// Where attempts to connect go through, one at a time.
///
/// While all goes well it is open. Once a connection is lost, or can't be made, attempts start at least a second apart,
/// and the first of them at a moment picked by chance from the next second: so the processes that lost a server at the
/// same time come back one after another. Who waits for an attempt shares its failure.
#[derive(Debug)]
pub(super) struct Gate<E> {
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State<E>>,
}

#[derive(Debug)]
struct State<E> {
    opens_at: Option<Instant>,
    failures: u64,
    last_failure: Option<E>,
}

impl<E: Clone> Gate<E> {
    pub(super) fn new() -> Self {
        let state = State { opens_at: None, failures: 0, last_failure: None };
        Self { turn: tokio::sync::Mutex::new(()), state: Mutex::new(state) }
    }

    /// Makes an attempt once it may be made.
    pub(super) async fn pass<T>(&self, attempt: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let failures = self.state.lock().failures;
        let _turn = self.turn.lock().await;
        let opens_at = {
            let state = self.state.lock();
            match &state.last_failure {
                Some(failure) if state.failures != failures => return Err(failure.clone()),
                _ => state.opens_at,
            }
        };
        if let Some(opens_at) = opens_at {
            sleep_until(opens_at).await;
        }
        // Counted from here also where the caller gives up half-way.
        let next = Instant::now() + APART;
        self.state.lock().opens_at = Some(next);
        let outcome = attempt.await;
        let mut state = self.state.lock();
        match &outcome {
            Ok(_) => state.opens_at = None,
            Err(error) => {
                state.failures += 1;
                state.last_failure = Some(error.clone());
                state.opens_at = Some(next.max(by_chance()));
            }
        }
        outcome
    }

    /// Notes that a connection was lost.
    pub(super) fn lost(&self) {
        self.state.lock().opens_at.get_or_insert_with(by_chance);
    }
}

/// A moment within the next second.
fn by_chance() -> Instant {
    let nanos = random() % u64::try_from(APART.as_nanos()).unwrap_or(u64::MAX);
    Instant::now() + Duration::from_nanos(nanos)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn attempts_are_a_second_apart_until_one_succeeds() {
        let gate = Gate::new();
        gate.lost();
        let started = Instant::now();
        let mut attempts = Vec::new();
        for number in 0..5 {
            let outcome = gate.pass(async {
                attempts.push(started.elapsed());
                if number < 3 { Err("down") } else { Ok(()) }
            });
            assert_eq!(outcome.await.is_ok(), number >= 3);
        }
        assert!(attempts[0] < APART, "the first by chance, within a second: {attempts:?}");
        let apart: Vec<_> = attempts.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        assert!(apart[..3].iter().all(|apart| *apart >= APART && *apart <= APART * 2), "{apart:?}");
        assert_eq!(apart[3], Duration::ZERO, "then the gate is open");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_an_attempt_shares_its_failure() {
        let gate = Arc::new(Gate::new());
        let attempts = Arc::new(AtomicU32::new(0));
        let callers: Vec<_> = (0..10)
            .map(|_| {
                let (gate, attempts) = (gate.clone(), attempts.clone());
                tokio::spawn(async move {
                    let attempt = async {
                        attempts.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_secs(5)).await;
                        Err::<(), _>("down")
                    };
                    gate.pass(attempt).await
                })
            })
            .collect();
        for caller in callers {
            assert_eq!(caller.await.unwrap(), Err("down"));
        }
        assert_eq!(attempts.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn processes_that_lost_a_server_together_come_back_one_after_another() {
        let started = Instant::now();
        let mut moments = Vec::new();
        for _ in 0..100 {
            let gate = Gate::<()>::new();
            gate.lost();
            let opens_at = gate.state.lock().opens_at.unwrap();
            moments.push(opens_at.duration_since(started).as_millis() / 100);
        }
        moments.sort_unstable();
        moments.dedup();
        assert!(moments.len() >= 8 && moments.last() < Some(&10), "tenths of the second: {moments:?}");
    }
}
