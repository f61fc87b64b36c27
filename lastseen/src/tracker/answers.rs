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
