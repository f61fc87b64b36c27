//! How a tracker is doing.

use std::sync::Arc;

use crate::{Timestamp, Tracker};

/// How a tracker is doing: counters since its start, gauges of now, and what fails.
///
/// It is what a library's user gives to a metrics crate of choice; the `lastseen` program makes its `/metrics` of it.
/// [What happens](crate#watching-it) when is told by spans and events.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The moment for which this is exact.
    pub as_of: Timestamp,
    /// Users in memory: all who were active or signed out within the horizon.
    pub users: usize,
    /// Those among them of whom memory knows something that the store doesn't yet.
    pub pending: usize,
    /// Touches since the start.
    pub touches: u64,
    /// Touches of new users that were refused because memory was full of users that the store lacks.
    pub refused: u64,
    /// Users let go of since the start to make room for others: memory's capacity is less than come within the horizon.
    pub evicted: u64,
    /// Whether the store's recent records have been read, so that lists and counts are whole.
    pub loaded: bool,
    /// Batches that the store has taken since the start.
    pub batches: u64,
    /// The records in them all.
    pub records: u64,
    /// The records in the last of them.
    pub last_batch: usize,
    /// Attempts since the start to write to the store that failed.
    pub flush_failures: u64,
    /// Attempts to read from it what others have written that failed.
    pub follow_failures: u64,
    /// Attempts to write the history that failed.
    pub history_failures: u64,
    /// Attempts to let go there of what is kept no longer that failed.
    pub expire_failures: u64,
    /// Attempts to ask the directory that failed.
    pub directory_failures: u64,
    /// Changes that the store's feed has told of since the start.
    pub changes: u64,
    /// When the store last took a batch.
    pub flushed_at: Option<Timestamp>,
    /// When everything that was due had last been written: at most a flush ago, unless the store fails or is slow.
    pub caught_up_at: Option<Timestamp>,
    /// When it was last asked for what others have written.
    pub followed_at: Option<Timestamp>,
    /// Why the store fails, while it does.
    pub store_error: Option<Arc<str>>,
    /// Why the directory fails, while it does.
    pub directory_error: Option<Arc<str>>,
}

impl Status {
    /// Whether answers are whole and the store answers.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.loaded && self.store_error.is_none()
    }
}

/// How it is doing.
impl Tracker {
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
}
