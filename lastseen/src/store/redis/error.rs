//! Why a Redis server could not be used, opaque, with predicates.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// Why a Redis or Valkey server could not be reached, or did not do as it was told.
///
/// Its text names the server, the value at fault and what would be right; [`source`](StdError::source) leads to the
/// server's or the system's own words. A password is in none of them. Clones share it: all who waited for one attempt to
/// connect are told the same.
#[derive(Clone)]
pub struct RedisError(Arc<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The URL or a setting is wrong.
    Invalid,
    /// No answer, or the server can't serve now.
    Unavailable,
    /// The server refuses the user, or what the user wants to do.
    Denied,
    /// The server is a replica.
    ReadOnly,
    /// The server serves, and takes no writes now: it lacks memory, a disk or replicas.
    Refused,
    /// A version that lacks what is needed.
    TooOld,
    /// The server is of another kind, or the store was made with other settings, than was asked for.
    Mismatch,
    /// Anything else.
    Other,
}

impl RedisError {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner { kind, message: message.into(), source: None }))
    }

    pub(super) fn because(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let Inner { kind, message, .. } = &*self.0;
        Self(Arc::new(Inner { kind: *kind, message: message.clone(), source: Some(source.into()) }))
    }

    /// The URL, or a setting, is wrong: the same one can't succeed.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.0.kind == Kind::Invalid
    }

    /// The server can't be reached, doesn't answer in time, or says that it can't serve now (it is loading its data, or the
    /// Cluster is down): trying again may succeed.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.0.kind == Kind::Unavailable
    }

    /// The server refuses the user (the password is missing or wrong), or the user may not run a command that is needed.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.0.kind == Kind::Denied
    }

    /// The server is a replica, which takes no writes. Trying again may succeed once it has been promoted.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.0.kind == Kind::ReadOnly
    }

    /// The server takes no writes for want of memory, a disk that works, or replicas. Trying again may succeed once it has
    /// them.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.0.kind == Kind::Refused
    }

    /// The server's version is older than 7.0.
    #[must_use]
    pub fn is_too_old(&self) -> bool {
        self.0.kind == Kind::TooOld
    }

    /// The server is a Cluster and the URL doesn't say so, or the other way round; or the store was made with another number
    /// of groups, or by a newer version.
    #[must_use]
    pub fn is_mismatch(&self) -> bool {
        self.0.kind == Kind::Mismatch
    }
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisError")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for RedisError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
