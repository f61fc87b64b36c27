//! The users of one shard and the rules for them, apart from the tasks and locks around them.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;

use super::events::Announcer;
use super::index::Index;
use super::key::Key;
use super::queue::Queue;
use super::timeline::{Shape, Timeline};
use super::users::Users;
use crate::timestamp::micros;
use crate::{Clock, Profile, Record, UserId, VOID_AHEAD};

mod answer;
mod intake;
mod outgoing;
mod profiles;
mod state;
mod sweep;

/// How long a user's being forgotten is remembered, in microseconds: what was in flight must not bring them back.
pub(super) const FORGOTTEN_FOR: i64 = 24 * 3600 * 1_000_000;

/// Earlier than every activity.
const NEVER: i64 = i64::MIN;

/// How long a profile waits for its user to come in, in microseconds.
const EARLY_FOR: u64 = 60 * 1_000_000;

/// What all shards share.
pub(super) struct Shared {
    pub clock: Arc<dyn Clock>,
    pub hasher: foldhash::fast::SeedableRandomState,
    pub times: Times,
    pub shape: Shape,
    /// The most users that one shard may hold.
    pub capacity: usize,
    pub announcer: Announcer,
    /// Woken when a user has come online whose profile should be asked for.
    pub profiles_wanted: Notify,
}

/// The three times, checked against each other, and the horizon; in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub window: i64,
    pub granularity: i64,
    pub flush_every: i64,
    pub horizon: i64,
}

impl Shared {
    #[inline]
    pub(super) fn key<'a>(&self, id: &'a UserId) -> Key<'a> {
        Key::new(id, &self.hasher)
    }

    pub(super) fn monotonic(&self) -> i64 {
        micros(self.clock.monotonic())
    }

    /// The first and last date at which a user is online, for a window of so many microseconds.
    pub(super) fn edges(window: i64, now: i64) -> (i64, i64) {
        (now.saturating_sub(window), limit(now))
    }
}

/// Memory is at its capacity, and nobody in it may leave.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// The latest date that is not void.
fn limit(now: i64) -> i64 {
    now.saturating_add(micros(VOID_AHEAD))
}

/// Some of the users, by the hash of their ids.
///
/// Every user is in `index`, in `users` and in `timeline`, once. `pending` counts those whose flags say so.
///
/// Cache lines of its own keep threads that work on neighbours out of each other's way.
#[repr(align(64))]
pub(super) struct Shard {
    index: Index,
    pub(super) users: Users,
    timeline: Timeline,
    queue: Queue,
    /// Of those slots that have [`Flags::LEFT`](users::Flags::LEFT).
    left: HashMap<u32, Left, foldhash::fast::RandomState>,
    pub(super) names: HashMap<u32, Name, foldhash::fast::RandomState>,
    /// Users erased within the last day, and when.
    forgotten: HashMap<UserId, i64, foldhash::fast::RandomState>,
    /// Users whose profile is to be asked for.
    unresolved: Vec<u32>,
    /// Profiles set by hand before their user came in, kept for a minute.
    early: HashMap<UserId, Early, foldhash::fast::RandomState>,
    pending: usize,
    /// Nobody can leave memory until the store has answered once more.
    stuck: bool,
    /// Where announcing stands: the edges of the window at the last sweep.
    swept: Option<(i64, i64)>,
    /// The latest wall time at which this shard was used.
    latest: i64,
    pub(super) touches: u64,
    pub(super) refused: u64,
    pub(super) evicted: u64,
}

/// When somebody signed out, and when they were last active, which is not later. Their place in time is the first.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Left {
    left_at: i64,
    /// [`NEVER`] where no more than the sign-out is known.
    at: i64,
}

/// A user's name.
pub(super) struct Name {
    pub text: Option<Arc<str>>,
    /// The number of the call that set the profile by hand, or zero.
    set: u64,
}

/// A profile that was set by hand before its user came in.
struct Early {
    profile: Profile,
    set: u64,
    set_at: i64,
}

/// How a profile came to be known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    /// The directory said so, and was asked after so many profiles had been set by hand.
    ByDirectory { asked: u64 },
    /// By the call with this number, counted from one.
    ByHand { set: u64 },
}

/// A record on its way to the store, and the slot it came from.
pub(super) struct Outgoing {
    pub record: Record,
    pub shard: usize,
    pub slot: u32,
}

impl Shard {
    pub(super) fn new(shared: &Shared) -> Self {
        Self {
            index: Index::default(),
            users: Users::default(),
            timeline: Timeline::new(shared.shape),
            queue: Queue::new(shared.times.flush_every, shared.times.granularity),
            left: HashMap::default(),
            names: HashMap::default(),
            forgotten: HashMap::default(),
            unresolved: Vec::new(),
            early: HashMap::default(),
            pending: 0,
            stuck: false,
            swept: None,
            latest: NEVER,
            touches: 0,
            refused: 0,
            evicted: 0,
        }
    }

    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    #[inline]
    pub(super) fn find(&self, key: &Key<'_>) -> Option<u32> {
        self.index.find(key.hash, |slot| self.users.is(slot, key))
    }

    /// Notices a clock that was set back: sign-outs and erasures dated far ahead are void from here on.
    #[inline]
    fn settle(&mut self, now: i64) {
        // Less than this is threads that read the clock in one order and came here in another.
        if now >= self.latest.saturating_sub(100_000) {
            self.latest = self.latest.max(now);
        } else {
            self.turn_back(now);
        }
    }

    #[cold]
    fn turn_back(&mut self, now: i64) {
        self.latest = now;
        let limit = limit(now);
        self.forgotten.retain(|_, at| *at <= limit);
        let void = |left: &Left| left.left_at > limit;
        let void: Vec<u32> = self.left.iter().filter(|(_, left)| void(left)).map(|(slot, _)| *slot).collect();
        for slot in void {
            self.place(slot, self.seen(slot), None);
        }
    }
}
