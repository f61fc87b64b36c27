//! What a tracker answers: lists, look-ups, its own state.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::{Timestamp, UserId};

/// Who is online: the newest first, and how many there are in all.
///
/// Iterating over it gives the [`users`](Self::users).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Online {
    /// The moment for which this is exact.
    pub as_of: Timestamp,
    /// How recent an activity had to be.
    pub window: Duration,
    /// How many are online, those beyond the limit included.
    pub count: usize,
    /// The newest of them, newest first; at the same microsecond by id.
    pub users: Vec<OnlineUser>,
}

impl Online {
    /// The [`users`](Self::users), newest first.
    pub fn iter(&self) -> std::slice::Iter<'_, OnlineUser> {
        self.users.iter()
    }
}

impl IntoIterator for Online {
    type Item = OnlineUser;
    type IntoIter = std::vec::IntoIter<OnlineUser>;

    fn into_iter(self) -> Self::IntoIter {
        self.users.into_iter()
    }
}

impl<'a> IntoIterator for &'a Online {
    type Item = &'a OnlineUser;
    type IntoIter = std::slice::Iter<'a, OnlineUser>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// One user who is online.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnlineUser {
    /// Who.
    pub user: UserId,
    /// The name to show, where the directory has one.
    pub name: Option<Arc<str>>,
    /// When last active.
    pub at: Timestamp,
    /// From where, where that is known.
    pub ip: Option<IpAddr>,
}

impl OnlineUser {
    /// The name, or else the id.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(self.user.as_str())
    }
}

/// When a user was last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastSeen {
    /// The moment for which this is exact.
    pub as_of: Timestamp,
    /// Whether the user is online.
    pub online: bool,
    /// Who.
    pub user: UserId,
    /// The name to show, where the directory has one.
    pub name: Option<Arc<str>>,
    /// When last active.
    pub at: Timestamp,
    /// From where, where that is known.
    pub ip: Option<IpAddr>,
    /// When the user signed out, where that was after the last activity.
    pub left_at: Option<Timestamp>,
}

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
