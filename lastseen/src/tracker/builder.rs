//! How a tracker is set up, and what is refused.

use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::SeedableRandomState;
use tokio::sync::watch;

use super::core::Core;
use super::erased::{AnyDirectory, AnyStore};
use super::events::Announcer;
use super::expire::Kept;
use super::follow::Clocks;
use super::index::MAX_SLOT;
use super::memory::Memory;
use super::shard::{Shared, Times};
use super::tasks::{self, Intervals};
use super::timeline::Shape;
use super::{Running, Tracker};
use crate::timestamp::micros;
use crate::{Clock, Directory, Error, Resolution, Store, SystemClock};

/// Settings of a [`Tracker`]; [`Tracker::builder`] begins one.
///
/// The three times are one contract: `flush_every` <= `granularity` <= `window` / 3. A throttle that is not well below the
/// window would let active users drop out of the list between two writes.
#[must_use = "a builder does nothing until `start` is awaited"]
pub struct TrackerBuilder {
    store: Box<dyn AnyStore>,
    directory: Option<Box<dyn AnyDirectory>>,
    clock: Arc<dyn Clock>,
    window: Duration,
    granularity: Option<Duration>,
    flush_every: Option<Duration>,
    follow_every: Duration,
    horizon: Option<Duration>,
    refresh_profiles_every: Duration,
    keep_addresses: Option<Duration>,
    keep_records: Option<Duration>,
    capacity: usize,
    shape: Shape,
    shards: Option<usize>,
    hasher: SeedableRandomState,
}

/// The most users that a shard is given: half as many as it has numbers for, since shards are never quite even.
const MOST_A_SHARD: usize = MAX_SLOT as usize / 2 + 1;

/// The most users that memory may be told to hold.
const MOST_USERS: usize = 256 * MOST_A_SHARD;

/// A shard with fewer users than this is not worth a lock of its own.
const USERS_A_SHARD: usize = 4096;

const DAY: Duration = Duration::from_hours(24);

impl TrackerBuilder {
    pub(super) fn new(store: impl Store) -> Self {
        Self {
            store: Box::new(store),
            directory: None,
            clock: Arc::new(SystemClock::new()),
            window: Duration::from_mins(15),
            granularity: None,
            flush_every: None,
            follow_every: Duration::from_millis(500),
            horizon: None,
            refresh_profiles_every: Duration::from_mins(1),
            keep_addresses: None,
            keep_records: None,
            capacity: 10_000_000,
            shape: Shape::DEFAULT,
            shards: None,
            // Nobody can foretell it, and so pick ids that all belong in one place.
            hasher: SeedableRandomState::random(),
        }
    }

    /// How recent an activity must be for its user to be online. Default: 15 minutes.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// How stale the stored date may be of a user who is already stored as online: such a user costs one write a
    /// granularity, however many requests they send. Default: a thirtieth of the window, 30 seconds for 15 minutes.
    pub fn granularity(mut self, granularity: Duration) -> Self {
        self.granularity = Some(granularity);
        self
    }

    /// How often what is due is written. A process killed outright loses at most this much of users coming online.
    /// Default: 1 second, or the granularity where that is less.
    pub fn flush_every(mut self, every: Duration) -> Self {
        self.flush_every = Some(every);
        self
    }

    /// How often to read what other processes have written. Default: half a second.
    pub fn follow_every(mut self, every: Duration) -> Self {
        self.follow_every = every;
        self
    }

    /// How far back memory reaches: the longest window that can be asked for, and how long a user who is gone is answered
    /// for without asking the store. Default: 24 hours, or the window where that is more.
    pub fn horizon(mut self, horizon: Duration) -> Self {
        self.horizon = Some(horizon);
        self
    }

    /// The most users that memory holds. Over it the longest-unseen stored ones leave; while nobody is stored, because the
    /// store is down, new users are refused and counted. It is divided evenly among the shards. Default: 10 million; a
    /// user takes about 100 bytes.
    pub fn capacity(mut self, users: usize) -> Self {
        self.capacity = users;
        self
    }

    /// How often the directory is asked anew about users who stay online. Default: 60 seconds.
    pub fn refresh_profiles_every(mut self, every: Duration) -> Self {
        self.refresh_profiles_every = every;
        self
    }

    /// How long after an activity its address is kept, in memory and in the store. It goes within a tenth of this more, an
    /// hour at most. Default: for as long as the record.
    ///
    /// Every process does it by its own clock, so all that share a store should have the same setting.
    pub fn keep_addresses(mut self, time: Duration) -> Self {
        self.keep_addresses = Some(time);
        self
    }

    /// How long after the last activity or sign-out a user is known of: then the record goes, the profile that the store
    /// has, and the days on which the user was active. It takes a tenth of this more, an hour at most, and while the store is
    /// down what it lacks waits. Not shorter than the horizon. Default: for ever, but for what the store says of itself.
    ///
    /// A user who hides, and comes back after that, is to be [hidden](crate::Profile::hidden) anew, unless a directory says so.
    pub fn keep_records(mut self, time: Duration) -> Self {
        self.keep_records = Some(time);
        self
    }

    /// Where profiles come from, usually the site's own user table. Without one they are kept in the store, by
    /// [`Tracker::set_profile`].
    pub fn directory(mut self, directory: impl Directory) -> Self {
        self.directory = Some(Box::new(directory));
        self
    }

    /// Where time comes from. Default: the system.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Lets every run hash alike, so that the instructions it takes can be counted. Not for a site, whose users could pick
    /// ids that all belong in one place.
    #[doc(hidden)]
    pub fn fixed_hashes(mut self) -> Self {
        self.hasher = SeedableRandomState::fixed();
        self
    }

    /// Buckets and shards so small that a few users cross every seam.
    #[cfg(test)]
    pub(super) fn sized(mut self, shape: Shape, shards: usize) -> Self {
        self.shape = shape;
        self.shards = Some(shards);
        self
    }

    /// Reads what is recent from the store and starts the tasks behind the tracker. To be called within a tokio runtime.
    ///
    /// A store or a directory that doesn't answer is no error here: the site starts, users are tracked in memory, and both
    /// are tried again until they work. [`Tracker::status`] tells.
    ///
    /// # Errors
    ///
    /// Where the settings contradict each other, naming them.
    pub async fn start(self) -> Result<Tracker, Error> {
        let (core, intervals) = self.build()?;
        let core = Arc::new(core);
        let mut clocks = Clocks::read(&core);
        // Their outcome is in the status, and the tasks go on trying.
        let _ = core.follow(&mut clocks).await;
        let _ = core.resolve_newcomers().await;
        let (stop, stopped) = watch::channel(false);
        let tasks = tasks::spawn(&core, intervals, clocks, &stopped);
        Ok(Tracker(Arc::new(Running::new(core, stop, tasks))))
    }

    /// Checks the settings and puts the parts together, without starting anything.
    pub(super) fn build(self) -> Result<(Core, Intervals), Error> {
        let granularity = self.granularity.unwrap_or(self.window / 30);
        let flush_every = self.flush_every.unwrap_or(granularity.min(Duration::from_secs(1)));
        let horizon = self.horizon.unwrap_or(DAY.max(self.window));
        check(flush_every, granularity, self.window, horizon)?;
        if self.follow_every.is_zero() {
            return Err(Error::invalid("follow_every is 0: it must be longer"));
        }
        if self.refresh_profiles_every.is_zero() {
            return Err(Error::invalid("refresh_profiles_every is 0: it must be longer"));
        }
        let kept = Kept { addresses: self.keep_addresses, records: self.keep_records };
        check_kept(kept, horizon)?;
        if !(1..=MOST_USERS).contains(&self.capacity) {
            return Err(Error::invalid(format!(
                "a capacity of {} users can't be had: it must be from 1 to {MOST_USERS}",
                self.capacity
            )));
        }
        let shards = self.shards.unwrap_or_else(|| usual_shards(self.capacity)).next_power_of_two();
        let shared = Shared {
            clock: self.clock,
            hasher: self.hasher,
            times: Times {
                window: micros(self.window),
                granularity: micros(granularity),
                flush_every: micros(flush_every),
                horizon: micros(horizon),
            },
            shape: self.shape,
            capacity: (self.capacity / shards).max(1),
            announcer: Announcer::new(),
            profiles_wanted: tokio::sync::Notify::new(),
        };
        let intervals = Intervals {
            flush: flush_every,
            follow: self.follow_every,
            // Listeners hear of an end at most a second, or a nine-hundredth of the window, late.
            sweep: (self.window / 900).clamp(Duration::from_millis(10), Duration::from_secs(1)),
            refresh_profiles: self.refresh_profiles_every,
            history: Resolution::Minute.width(),
            expire: kept.look_every(),
        };
        Ok((Core::new(Memory::new(shared, shards), self.store, self.directory, kept), intervals))
    }
}

/// Enough shards that threads seldom meet, few enough that an answer over all of them stays cheap.
fn usual_shards(capacity: usize) -> usize {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let most = (4 * threads).next_power_of_two().clamp(8, 256);
    let worthwhile = (capacity / USERS_A_SHARD).max(1);
    // The power of two at or below it.
    most.min(1 << worthwhile.ilog2()).max(capacity.div_ceil(MOST_A_SHARD).next_power_of_two())
}

fn check(flush_every: Duration, granularity: Duration, window: Duration, horizon: Duration) -> Result<(), Error> {
    if window.is_zero() {
        return Err(Error::invalid("window is 0: it must be longer, such as 15 minutes"));
    }
    if flush_every.is_zero() {
        return Err(Error::invalid("flush_every is 0: it must be longer"));
    }
    if flush_every > granularity {
        return Err(Error::invalid(format!(
            "flush_every is {flush_every:?} and granularity is {granularity:?}: flush_every must not be longer"
        )));
    }
    if granularity > window / 3 {
        return Err(Error::invalid(format!(
            "granularity is {granularity:?} and window is {window:?}: granularity must be at most a third of the window, \
             here {:?}",
            window / 3
        )));
    }
    if window > horizon {
        return Err(Error::invalid(format!(
            "window is {window:?} and horizon is {horizon:?}: the horizon must not be shorter"
        )));
    }
    Ok(())
}

fn check_kept(kept: Kept, horizon: Duration) -> Result<(), Error> {
    if kept.addresses.is_some_and(|time| time.is_zero()) {
        return Err(Error::invalid("keep_addresses is 0: it must be longer; to keep none at all, report none"));
    }
    match kept.records {
        Some(time) if time < horizon => Err(Error::invalid(format!(
            "keep_records is {time:?} and horizon is {horizon:?}: keep_records must not be shorter"
        ))),
        _ => Ok(()),
    }
}

impl std::fmt::Debug for TrackerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrackerBuilder")
            .field("window", &self.window)
            .field("granularity", &self.granularity)
            .field("flush_every", &self.flush_every)
            .field("follow_every", &self.follow_every)
            .field("horizon", &self.horizon)
            .field("refresh_profiles_every", &self.refresh_profiles_every)
            .field("keep_addresses", &self.keep_addresses)
            .field("keep_records", &self.keep_records)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
