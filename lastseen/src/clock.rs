//! Where time comes from: the system, or a test's hand.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::Timestamp;

/// The one source of time. Records are dated by wall time; timers run on monotonic time.
///
/// ```
/// use std::time::Duration;
/// use lastseen::{Clock, ManualClock};
///
/// let clock = ManualClock::new("2026-11-24T01:00:00Z".parse()?);
/// clock.advance(Duration::from_secs(35 * 60));
/// assert_eq!(clock.now(), "2026-11-24T01:35:00Z".parse()?);
/// # Ok::<(), lastseen::Error>(())
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The wall time. It may jump either way.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment of this process. It never goes back.
    fn monotonic(&self) -> Duration;

    /// Completes once [`monotonic`](Self::monotonic) has reached `deadline`.
    fn sleep_until(&self, deadline: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The machine's clocks, with timers by tokio.
#[derive(Clone, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// The system's clock; its monotonic time starts at zero now.
    #[must_use]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep_until(&self, deadline: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match self.started.checked_add(deadline) {
            Some(deadline) => Box::pin(tokio::time::sleep_until(deadline.into())),
            None => Box::pin(std::future::pending()),
        }
    }
}

/// A clock that stands still until a test moves it. Clones share the time.
///
/// [`advance`](Self::advance) moves both times and wakes the timers that have come due, in order;
/// [`set`](Self::set) makes the wall time jump, as a correction by NTP or an administrator does, and no timer notices.
#[derive(Clone)]
pub struct ManualClock(Arc<Mutex<Manual>>);

struct Manual {
    now: Timestamp,
    monotonic: Duration,
    /// Told apart by a number, since two may wait for the same moment.
    sleepers: BTreeMap<(Duration, u64), oneshot::Sender<()>>,
    next_sleeper: u64,
}

impl ManualClock {
    /// A clock whose wall time is `now` and whose monotonic time is zero.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Manual {
            now,
            monotonic: Duration::ZERO,
            sleepers: BTreeMap::new(),
            next_sleeper: 0,
        })))
    }

    /// Lets `duration` pass.
    pub fn advance(&self, duration: Duration) {
        let mut manual = self.0.lock();
        manual.now = manual.now + duration;
        manual.monotonic = manual.monotonic.saturating_add(duration);
        let still = manual.monotonic;
        while let Some(first) = manual.sleepers.first_entry().filter(|first| first.key().0 <= still) {
            // A sleeper that was dropped meanwhile needs no waking.
            let _ = first.remove().send(());
        }
    }

    /// Makes the wall time jump to `now`, either way. Monotonic time stands still.
    pub fn set(&self, now: Timestamp) {
        self.0.lock().now = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().now
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().monotonic
    }

    fn sleep_until(&self, deadline: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut manual = self.0.lock();
        if deadline <= manual.monotonic {
            return Box::pin(std::future::ready(()));
        }
        let (wake, woken) = oneshot::channel();
        let number = manual.next_sleeper;
        manual.next_sleeper += 1;
        manual.sleepers.insert((deadline, number), wake);
        drop(manual);
        Box::pin(async move {
            // An error means that the clock itself is gone: nobody can move it any more.
            if woken.await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manual = self.0.lock();
        f.debug_struct("ManualClock").field("now", &manual.now).field("monotonic", &manual.monotonic).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rule_4_a_jump_of_the_wall_wakes_no_timer_and_time_passing_does() {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        let mut sleep = tokio::spawn(clock.sleep_until(Duration::from_secs(10)));
        tokio::task::yield_now().await;

        clock.set(Timestamp::UNIX_EPOCH + Duration::from_hours(1));
        clock.advance(Duration::from_secs(9));
        tokio::task::yield_now().await;
        assert!(!sleep.is_finished());

        clock.advance(Duration::from_secs(1));
        (&mut sleep).await.unwrap();
        assert_eq!(clock.monotonic(), Duration::from_secs(10));
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH + Duration::from_secs(3610));
    }

    #[test]
    fn a_deadline_that_has_passed_is_ready() {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        let mut sleep = clock.sleep_until(Duration::ZERO);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(sleep.as_mut().poll(&mut context).is_ready());
    }
}
