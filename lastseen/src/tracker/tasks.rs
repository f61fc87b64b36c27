//! What runs behind the requests: flush, follow, sweep, profiles, history, expiry. None of them ends at an error.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::core::Core;
use super::follow::Clocks;

/// However long the interval, a failure is followed by another try after this long at most.
const RETRY: Duration = Duration::from_secs(1);

/// How long after the start something may expire, at most.
const FIRST_EXPIRY: Duration = Duration::from_mins(1);

/// How often each task has its turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Intervals {
    pub flush: Duration,
    pub follow: Duration,
    pub sweep: Duration,
    pub refresh_profiles: Duration,
    pub history: Duration,
    /// `None` where nothing expires.
    pub expire: Option<Duration>,
}

/// Starts the tasks. They end once `stop` says so, or its sender is gone; the flush task then flushes all that it can.
pub(super) fn spawn(
    core: &Arc<Core>,
    intervals: Intervals,
    clocks: Clocks,
    stop: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    // The first turns are counted from here, however long it takes until the tasks run.
    let turn = |every| Turn { every, last: core.monotonic(), stop: stop.clone() };
    let mut tasks = vec![
        tokio::spawn(flush(core.clone(), turn(intervals.flush))),
        tokio::spawn(follow(core.clone(), turn(intervals.follow), clocks)),
        tokio::spawn(sweep(core.clone(), turn(intervals.sweep))),
        tokio::spawn(profiles(core.clone(), turn(intervals.refresh_profiles))),
        tokio::spawn(history(core.clone(), turn(intervals.history))),
    ];
    tasks.extend(intervals.expire.map(|every| tokio::spawn(expire(core.clone(), turn(every)))));
    tasks
}

/// When a task has its next turn.
struct Turn {
    every: Duration,
    /// The monotonic time of the last turn.
    last: Duration,
    stop: watch::Receiver<bool>,
}

impl Turn {
    /// Waits for the next turn, or for a retry if the last one `failed`; false where it is time to stop.
    async fn next(&mut self, core: &Core, failed: bool) -> bool {
        let pause = if failed { self.every.min(RETRY) } else { self.every };
        let go_on = self.at(core, self.last.saturating_add(pause)).await;
        self.last = core.monotonic();
        go_on
    }

    /// Waits until a monotonic time; false where it is time to stop.
    async fn at(&mut self, core: &Core, deadline: Duration) -> bool {
        tokio::select! {
            () = core.memory.shared.clock.sleep_until(deadline) => true,
            _ = self.stop.wait_for(|stop| *stop) => false,
        }
    }
}

async fn flush(core: Arc<Core>, mut turn: Turn) {
    let mut failed = false;
    while turn.next(&core, failed).await {
        failed = core.flush(false).await.is_err();
    }
    // What can't be flushed now is reported by `shutdown`; a tracker that is merely dropped has nobody to tell.
    let _ = core.flush(true).await;
}

async fn follow(core: Arc<Core>, mut turn: Turn, mut clocks: Clocks) {
    let mut failed = false;
    loop {
        // However often others write, what they wrote is asked for a few times an interval.
        let soonest = turn.last.saturating_add(turn.every / 4);
        let woken = async {
            core.memory.shared.clock.sleep_until(soonest).await;
            core.store.changed().await;
        };
        tokio::select! {
            go_on = turn.next(&core, failed) => if !go_on { return },
            () = woken, if !failed => {}
        }
        failed = core.follow(&mut clocks).await.is_err();
    }
}

async fn sweep(core: Arc<Core>, mut turn: Turn) {
    while turn.next(&core, false).await {
        core.memory.sweep();
        core.look();
    }
}

async fn profiles(core: Arc<Core>, mut turn: Turn) {
    let mut refresh_at = turn.last.saturating_add(turn.every);
    let mut retry_at = None;
    loop {
        let deadline = retry_at.unwrap_or(refresh_at).min(refresh_at);
        tokio::select! {
            () = core.memory.shared.profiles_wanted.notified(), if retry_at.is_none() => {}
            go_on = turn.at(&core, deadline) => if !go_on { return },
        }
        let mut failed = core.resolve_newcomers().await.is_err();
        if core.monotonic() >= refresh_at {
            failed |= core.refresh_profiles().await.is_err();
            refresh_at = core.monotonic().saturating_add(turn.every);
        }
        retry_at = failed.then(|| core.monotonic().saturating_add(RETRY));
    }
}

/// Counting is the sweep's; this writes what it comes to.
async fn history(core: Arc<Core>, mut turn: Turn) {
    let mut failed = false;
    while turn.next(&core, failed).await {
        failed = core.write_history().await.is_err();
    }
    // As for what can't be flushed.
    let _ = core.write_history().await;
}

/// Page by page, between which it may be time to stop. The first time comes soon, so that a program that is often started
/// anew lets go of something too.
async fn expire(core: Arc<Core>, mut turn: Turn) {
    let first = turn.last.saturating_add(turn.every.min(FIRST_EXPIRY));
    let mut go_on = turn.at(&core, first).await;
    while go_on {
        turn.last = core.monotonic();
        let mut page = None;
        let failed = loop {
            match core.expire(page.as_ref()).await {
                Ok(Some(next)) if !*turn.stop.borrow() => page = Some(next),
                outcome => break outcome.is_err(),
            }
        };
        go_on = turn.next(&core, failed).await;
    }
}
