//! The tracker: touches in, answers out, both from memory.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

mod answers;
mod builder;
mod core;
mod erased;
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
mod sync;
mod tasks;
#[cfg(test)]
mod tests;
mod timeline;
mod users;

pub use answers::{LastSeen, Online, OnlineUser, Status};
pub use builder::TrackerBuilder;
pub use events::{Event, Events, Missed, Presence};
pub use export::Export;

use self::core::Core;
use self::shard::Full;
use crate::activity::MAX_AHEAD;
use crate::timestamp::micros;
use crate::{Activity, Error, Profile, Record, Seen, Store, Timestamp, UserId};

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
        for activity in &activities {
            // Who doesn't fit into memory is in the store all the same.
            let _: Result<(), Full> =
                self.core().memory.touch(&activity.user, Seen { at: activity.at, ip: activity.ip }, now);
        }
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

    // --- Profiles ------------------------------------------------------------------------------------------------------

    /// What is known of a user, from memory, or from the directory; `None` where it doesn't know the user.
    ///
    /// # Errors
    ///
    /// [`is_directory`](Error::is_directory), or [`is_store`](Error::is_store) without a directory, where it had to be
    /// asked and failed.
    pub async fn profile(&self, user: &UserId) -> Result<Option<Profile>, Error> {
        self.core().profile(user).await
    }

    /// Takes a profile into force in this process at once: an account switched off, or hidden, is gone from lists and
    /// counts before this returns. Of a user who is about to come in, such as one who is just signing in, it is in force
    /// from the first touch.
    ///
    /// Without a directory the profile is also kept in the store, and other processes follow. With one, it is the
    /// directory that has the last word: it is asked anew within
    /// [`refresh_profiles_every`](TrackerBuilder::refresh_profiles_every), in every process.
    ///
    /// # Errors
    ///
    /// [`is_store`](Error::is_store) where it could not be kept; it is in force all the same.
    pub async fn set_profile(&self, user: &UserId, profile: Profile) -> Result<(), Error> {
        self.core().set_profile(user, &profile).await
    }

    /// Returns once the directory has been asked about everybody who has come in so far.
    ///
    /// That happens by itself within milliseconds, behind the requests. A page that must not show an id where a name is
    /// about to be known, or somebody who is about to turn out hidden, awaits this before it lists who is online. Where
    /// nobody new is waiting it returns at once.
    ///
    /// # Errors
    ///
    /// [`is_directory`](Error::is_directory), or [`is_store`](Error::is_store) without a directory, where it failed; it is
    /// asked again behind the requests.
    pub async fn resolve_profiles(&self) -> Result<(), Error> {
        self.core().resolve_newcomers().await
    }

    // --- Around it -----------------------------------------------------------------------------------------------------

    /// Who comes online and goes offline from now on, in any process that shares the store.
    #[must_use]
    pub fn events(&self) -> Events {
        self.core().memory.shared.announcer.listen()
    }

    /// How the tracker is doing, with its counters. Cheap enough to be asked at each scrape, not at each request.
    ///
    /// ```
    /// # fn gauge(_: &str, _: u64) {}
    /// # fn example(tracker: &lastseen::Tracker) {
    /// let status = tracker.status();
    /// gauge("touches", status.touches);
    /// gauge("pending", status.pending as u64);
    /// gauge("store_failures", status.flush_failures + status.follow_failures);
    /// if let Some(error) = &status.store_error {
    ///     eprintln!("the store has not answered since {:?}: {error}", status.flushed_at);
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn status(&self) -> Status {
        let totals = self.core().memory.totals();
        let health = self.core().health.lock();
        Status {
            as_of: self.now(),
            users: totals.users,
            pending: totals.pending,
            touches: totals.touches,
            refused: totals.refused,
            evicted: totals.evicted,
            loaded: health.loaded,
            batches: health.batches,
            records: health.records,
            last_batch: health.last_batch,
            flush_failures: health.flush.failures,
            follow_failures: health.follow.failures,
            history_failures: health.history.failures,
            expire_failures: health.expire.failures,
            directory_failures: health.directory.failures,
            changes: health.changes,
            flushed_at: health.flushed_at,
            caught_up_at: health.caught_up_at,
            followed_at: health.followed_at,
            store_error: [&health.flush, &health.follow, &health.history, &health.expire]
                .into_iter()
                .find_map(|attempts| attempts.error.clone()),
            directory_error: health.directory.error.clone(),
        }
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
