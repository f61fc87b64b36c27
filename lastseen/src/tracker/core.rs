//! What the tasks of a tracker share: memory, the store, the directory, and how they are doing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::erased::{AnyDirectory, AnyStore};
use super::expire::Kept;
use super::history::Looks;
use super::lately::{Lately, Written};
use super::memory::Memory;
use super::sync::Mutex;
use crate::store::Cursor;
use crate::{Error, Timestamp, UserId};

pub(super) struct Core {
    pub memory: Memory,
    pub store: Box<dyn AnyStore>,
    /// Where profiles come from; `None` for the store.
    pub directory: Option<Box<dyn AnyDirectory>>,
    pub kept: Kept,
    /// How many profiles have been set by hand.
    pub profiles_set: AtomicU64,
    pub health: Mutex<Health>,
    /// Held by whoever asks the directory about newcomers.
    pub resolving: tokio::sync::Mutex<()>,
    /// Held by whoever flushes, so that batches reach the store one after another.
    pub flushing: tokio::sync::Mutex<()>,
    /// Held by whoever follows: where to go on, or `None` before the recent records have been read.
    pub followed: tokio::sync::Mutex<Option<Cursor>>,
    pub lately: Mutex<Lately>,
    pub looks: Mutex<Looks>,
    /// After how many failovers all that was written lately has been written again.
    pub failovers: AtomicU64,
}

/// How store and directory are doing.
#[derive(Default)]
pub(super) struct Health {
    pub loaded: bool,
    pub flushed_at: Option<Timestamp>,
    /// When nothing was due that hadn't been written.
    pub caught_up_at: Option<Timestamp>,
    pub followed_at: Option<Timestamp>,
    /// Changes that the store's feed has told of.
    pub changes: u64,
    /// Batches that the store has taken, the records in them all, and those in the last.
    pub batches: u64,
    pub records: u64,
    pub last_batch: usize,
    pub flush: Attempts,
    pub follow: Attempts,
    pub directory: Attempts,
    pub history: Attempts,
    pub expire: Attempts,
}

/// How attempts at one thing go.
#[derive(Default)]
pub(super) struct Attempts {
    /// Why the last one failed, if it did.
    pub error: Option<Arc<str>>,
    pub failures: u64,
}

impl Health {
    /// The store has taken a batch of so many records.
    pub(super) fn flushed(&mut self, records: usize, now: Timestamp) {
        self.flushed_at = Some(now);
        self.batches += 1;
        self.records += records as u64;
        self.last_batch = records;
    }
}

impl Core {
    pub(super) fn new(
        memory: Memory,
        store: Box<dyn AnyStore>,
        directory: Option<Box<dyn AnyDirectory>>,
        kept: Kept,
    ) -> Self {
        Self {
            memory,
            store,
            directory,
            kept,
            profiles_set: AtomicU64::new(0),
            health: Mutex::new(Health::default()),
            resolving: tokio::sync::Mutex::new(()),
            flushing: tokio::sync::Mutex::new(()),
            followed: tokio::sync::Mutex::new(None),
            lately: Mutex::new(Lately::default()),
            looks: Mutex::new(Looks::default()),
            failovers: AtomicU64::new(0),
        }
    }

    pub(super) fn monotonic(&self) -> Duration {
        self.memory.shared.clock.monotonic()
    }

    /// Erases a user here and in the store, with all that is known of them: also what is dated slightly ahead, by another
    /// machine's clock. Says up to when.
    pub(super) async fn forget(&self, user: &UserId) -> Result<Timestamp, Error> {
        let now = self.memory.now();
        let known = self.memory.look_up(user, now).and_then(|(record, ..)| record.plausible(now).latest());
        let at = known.map_or(now, |known| known.max(now));
        self.memory.forget(user, at);
        let outcome = self.store.forget(user, at, self.memory.now()).await;
        // Of a profile that was set meanwhile the store may have been told before it.
        self.memory.forget(user, at);
        outcome?;
        self.note_written(Written::Erasure(user.clone(), at));
        Ok(at)
    }

    pub(super) fn note_written(&self, written: Written) {
        self.lately.lock().note(self.monotonic(), written);
    }

    pub(super) fn next_profile_number(&self) -> u64 {
        self.profiles_set.fetch_add(1, Ordering::AcqRel) + 1
    }
}

/// Notes what an attempt came to, and tells where that differs from the attempt before.
pub(super) fn note<T>(attempts: &mut Attempts, task: &'static str, outcome: &Result<T, Error>) {
    match (outcome, attempts.error.is_some()) {
        (Ok(_), true) => {
            tracing::info!(name: "lastseen.recovered", target: "lastseen", task, "works again");
            attempts.error = None;
        }
        (Err(error), was_failing) => {
            if !was_failing {
                tracing::warn!(name: "lastseen.failing", target: "lastseen", task, %error, "fails, will be tried again");
            }
            attempts.error = Some(error.to_string().into());
            attempts.failures += 1;
        }
        (Ok(_), false) => {}
    }
}
