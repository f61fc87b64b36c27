//! The tracker: touches in, answers out, both from memory.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

mod answers;
mod builder;
mod core;
pub(crate) mod erased;
mod events;
mod expire;
mod export;
mod flush;
mod follow;
mod history;
mod index;
mod key;
mod lately;
mod memory;
mod profiles;
mod queue;
mod shard;
mod status;
mod sync;
mod tasks;
#[cfg(test)]
mod tests;
mod timeline;
mod users;

pub use answers::{LastSeen, Online, OnlineUser};
pub use builder::TrackerBuilder;
pub use events::{Event, Events, Missed, Presence};
pub use export::Export;
pub use status::Status;

use self::core::Core;
use self::shard::Full;
use crate::activity::MAX_AHEAD;
use crate::timestamp::micros;
use crate::{Activity, Error, Record, Seen, Store, Timestamp, UserId};

/// Who is online, and when was everyone last seen.
///
/// Touches and answers touch memory alone; the store is written and read behind them. A tracker is one plain type
/// whatever its store, and its clones share one memory: put it into your application's state.
///
/// ```
/// use lastseen::{MemoryStore, Tracker, UserId};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let tracker = Tracker::builder(MemoryStore::new()).start().await?;
/// let ada = UserId::new("ada")?;
///
/// tracker.touch(&ada, "203.0.113.7".parse().ok());
/// assert!(tracker.is_online(&ada));
/// for user in tracker.online(50) {
///     println!("{} was here at {}", user.label(), user.at);
/// }
///
/// tracker.leave(&ada);
/// assert_eq!(tracker.count(), 0);
/// assert!(tracker.last_seen(&ada).await?.is_some());
/// tracker.shutdown().await?;
/// # Ok::<(), lastseen::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Call [`shutdown`](Self::shutdown) before the process ends, so that nothing is lost. Where the last clone is dropped
/// without it, the tasks still write what they can, as long as the runtime lives.
#[derive(Clone)]
pub struct Tracker(Arc<Running>);

/// The tasks and what they work on. The tasks don't own this, so that they end with the last tracker.
struct Running {
    core: Arc<Core>,
    stop: watch::Sender<bool>,
    tasks: tokio::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Running {
    fn new(core: Arc<Core>, stop: watch::Sender<bool>, tasks: Vec<JoinHandle<()>>) -> Self {
        Self { core, stop, tasks: tokio::sync::Mutex::new(tasks) }
    }
}

impl Tracker {
    /// Begins the settings of a tracker on `store`; `.start().await` ends them.
    pub fn builder(store: impl Store) -> TrackerBuilder {
        TrackerBuilder::new(store)
    }

    fn core(&self) -> &Core {
        &self.0.core
    }

    // --- What comes in -------------------------------------------------------------------------------------------------

    /// Reports that a user is active now, from `ip` where that is known.
    ///
    /// It takes a lock on a part of memory and no more: no I/O, no waiting for any, and for a user whom memory knows no
    /// allocation. Where memory is full of users whom the store lacks, a new one is refused and counted in [`Status`].
    pub fn touch(&self, user: &UserId, ip: Option<IpAddr>) {
        let memory = &self.core().memory;
        let now = memory.now();
        // Counted where it happens; a request must not suffer from it.
        let _: Result<(), Full> = memory.touch(user, Seen { at: now, ip }, now);
    }

    /// Reports an activity with a date of its own, such as one that another program has seen.
    ///
    /// It may come in any order: the latest date stays.
    ///
    /// # Errors
    ///
    /// [`is_invalid`](Error::is_invalid) where the date is more than [`MAX_AHEAD`] after the clock's, and
    /// [`is_full`](Error::is_full) where memory can't take a new user in. Nothing has been recorded then.
    #[expect(clippy::needless_pass_by_value, reason = "as `record` takes it, which keeps it")]
    pub fn touch_at(&self, activity: Activity) -> Result<(), Error> {
        let now = self.now();
        check_date(&activity, now)?;
        let seen = Seen { at: activity.at, ip: activity.ip };
        self.core().memory.touch(&activity.user, seen, now).map_err(|Full| self.full())
    }

    /// Reports many activities with dates of their own, by one look at the clock.
    ///
    /// # Errors
    ///
    /// [`is_invalid`](Error::is_invalid) where a date is more than [`MAX_AHEAD`] after the clock's: nothing has been recorded
    /// then. [`is_full`](Error::is_full) where memory can't take a new user in: all others have been recorded.
    pub fn touch_all(&self, activities: &[Activity]) -> Result<(), Error> {
        let now = self.now();
        activities.iter().try_for_each(|activity| check_date(activity, now))?;
        self.take_in(activities, now).map_err(|Full| self.full())
    }

    /// All of which the dates are known to be right.
    fn take_in(&self, activities: &[Activity], now: Timestamp) -> Result<(), Full> {
        let mut outcome = Ok(());
        for Activity { user, at, ip } in activities {
            outcome = outcome.and(self.core().memory.touch(user, Seen { at: *at, ip: *ip }, now));
        }
        outcome
    }

    /// Reports an activity, and returns only after the store has committed it.
    ///
    /// # Errors
    ///
    /// As [`record_all`](Self::record_all).
    pub async fn record(&self, activity: Activity) -> Result<(), Error> {
        self.record_all(vec![activity]).await
    }

    /// Reports many activities, and returns only after the store has committed them all, in one commit.
    ///
    /// # Errors
    ///
    /// [`is_invalid`](Error::is_invalid) where a date is more than [`MAX_AHEAD`] after the clock's: nothing has been
    /// recorded then. [`is_store`](Error::is_store) where the store failed: they are in memory then, and are written once
    /// it works again.
    pub async fn record_all(&self, activities: Vec<Activity>) -> Result<(), Error> {
        let now = self.now();
        activities.iter().try_for_each(|activity| check_date(activity, now))?;
        // Who doesn't fit into memory is in the store all the same.
        let _: Result<(), Full> = self.take_in(&activities, now);
        self.core().write_through(activities.into_iter().map(Record::from).collect()).await
    }

    /// Signs a user out: they are offline at once. A later touch brings them back.
    pub fn leave(&self, user: &UserId) {
        // Counted where it happens.
        let _: Result<Record, Full> = self.core().memory.leave(user, self.now());
    }

    /// Signs a user out, and returns only after the store has committed it.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) where the store failed; the sign-out is in force in this process, and is written
    /// once it works again.
    pub async fn record_leave(&self, user: &UserId) -> Result<(), Error> {
        let now = self.now();
        let record = self.core().memory.leave(user, now).unwrap_or_else(|Full| Record {
            user: user.clone(),
            seen: None,
            left_at: Some(now),
        });
        self.core().write_through(vec![record]).await
    }

    /// Erases a user: record, address and profile, from memory and from the store, and through it from other processes.
    ///
    /// Activities dated up to now that are still under way, in whatever process, don't bring the user back. A later
    /// activity does.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) where the user may still be in the store; ask again.
    pub async fn forget(&self, user: &UserId) -> Result<(), Error> {
        self.core().forget(user).await.map(drop)
    }

    // --- Who is online -------------------------------------------------------------------------------------------------

    /// The users who are online, newest first, at most `limit` of them, and how many there are in all.
    #[must_use]
    pub fn online(&self, limit: usize) -> Online {
        self.core().memory.online(self.window(), limit)
    }

    /// The same for a window of one's own choosing.
    ///
    /// # Errors
    ///
    /// [`is_invalid`](Error::is_invalid) where the window reaches further back than memory does.
    pub fn online_within(&self, window: Duration, limit: usize) -> Result<Online, Error> {
        self.check_window(window)?;
        Ok(self.core().memory.online(window, limit))
    }

    /// How many users are online.
    #[must_use]
    pub fn count(&self) -> usize {
        self.core().memory.count(self.window())
    }

    /// How many users were active within a window of one's own choosing.
    ///
    /// # Errors
    ///
    /// [`is_invalid`](Error::is_invalid) where the window reaches further back than memory does.
    pub fn count_within(&self, window: Duration) -> Result<usize, Error> {
        self.check_window(window)?;
        Ok(self.core().memory.count(window))
    }

    /// Whether a user is online.
    #[must_use]
    pub fn is_online(&self, user: &UserId) -> bool {
        self.core().memory.is_online(user)
    }

    /// When a user was last seen, from memory, or from the store where that was too long ago. `None` for a user never
    /// seen, and for one who hides.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) or [`is_directory`](Error::is_directory) where one of them had to be asked and failed.
    pub async fn last_seen(&self, user: &UserId) -> Result<Option<LastSeen>, Error> {
        let core = self.core();
        let as_of = self.now();
        let known = core.memory.look_up(user, as_of);
        let (record, online, profile) = match known {
            Some((record, online, Some(profile))) if !profile.is_hidden() => (Some(record), online, profile),
            // Who hides takes the way of who was never there, so that neither time nor failure tells one from the other:
            // both are asked, whatever the first says.
            known => {
                let stored = core.store.read(user).await?;
                let asked = core.ask_directory(std::slice::from_ref(user)).await?;
                let asked = asked.into_iter().find(|(id, _)| id == user).map(|(_, profile)| profile);
                match known {
                    Some((record, online, profile)) => (Some(record), online, profile.or(asked).unwrap_or_default()),
                    None => (stored, false, asked.unwrap_or_default()),
                }
            }
        };
        if profile.is_hidden() {
            return Ok(None);
        }
        let Some(record) = record else { return Ok(None) };
        let plausible = core.memory.remembered(record).plausible(as_of);
        let Some(seen) = plausible.seen else { return Ok(None) };
        Ok(Some(LastSeen {
            as_of,
            online,
            user: user.clone(),
            name: profile.shared_name().cloned(),
            at: seen.at,
            ip: seen.ip,
            left_at: plausible.left_at.filter(|left_at| *left_at >= seen.at),
        }))
    }

    // --- Around it -----------------------------------------------------------------------------------------------------

    /// Who comes online and goes offline from now on, in any process that shares the store.
    #[must_use]
    pub fn events(&self) -> Events {
        self.core().memory.shared.announcer.listen()
    }

    /// How recent an activity must be for its user to be online.
    #[must_use]
    pub fn window(&self) -> Duration {
        Duration::from_micros(self.core().memory.shared.times.window.unsigned_abs())
    }

    /// How far back memory reaches: the longest window that can be asked for.
    #[must_use]
    pub fn horizon(&self) -> Duration {
        Duration::from_micros(self.core().memory.shared.times.horizon.unsigned_abs())
    }

    /// The time, by the tracker's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.core().memory.now()
    }

    /// Writes all that memory knows and the store doesn't, due or not, and returns once it is committed.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) where the store failed. What it lacks stays pending.
    pub async fn flush(&self) -> Result<(), Error> {
        self.core().flush(true).await?;
        self.core().write_history().await
    }

    /// Flushes, and ends the tasks behind the tracker and the listeners' events. Answers go on to come from memory.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) where the store could not take the last batch: what is pending is lost with the
    /// process.
    pub async fn shutdown(&self) -> Result<(), Error> {
        self.0.stop.send_replace(true);
        for task in self.0.tasks.lock().await.drain(..) {
            if let Err(error) = task.await {
                tracing::error!(name: "lastseen.broken", target: "lastseen", %error, "a task ended before its time");
            }
        }
        self.core().memory.shared.announcer.close();
        self.flush().await
    }

    fn full(&self) -> Error {
        Error::full(self.core().memory.capacity())
    }

    fn check_window(&self, window: Duration) -> Result<(), Error> {
        if micros(window) <= self.core().memory.shared.times.horizon {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "a window of {window:?} reaches further back than memory, which holds {:?}: ask for less, or raise the horizon",
            self.horizon()
        )))
    }
}

impl std::fmt::Debug for Tracker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracker").field("window", &self.window()).finish_non_exhaustive()
    }
}

/// A date from outside must not lie ahead of the clock by more than clocks differ.
fn check_date(activity: &Activity, now: Timestamp) -> Result<(), Error> {
    if activity.at <= now + MAX_AHEAD {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the activity of {:?} is dated {}, {:?} ahead of the clock: it may be at most {MAX_AHEAD:?} ahead",
        activity.user,
        activity.at,
        activity.at.since(now)
    )))
}
