//! Why a `lastseen` server could not be used, opaque, with predicates.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// Why a `lastseen` server could not be reached, or did not do as it was told.
///
/// Its text names the server, the value at fault and what would be right, in the server's own words where it has said;
/// [`source`](StdError::source) leads to the system's. A token is in none of them. Clones share it: all who waited for one
/// attempt to connect are told the same.
#[derive(Clone)]
pub struct HttpStoreError(Arc<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The URL or a setting is wrong.
    Invalid,
    /// No answer, or the server or its store can't serve now.
    Unavailable,
    /// The server refuses the token.
    Denied,
    /// What answers is something else than what was asked for.
    Mismatch,
    /// Anything else.
    Other,
}

impl HttpStoreError {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner { kind, message: message.into(), source: None }))
    }

    pub(super) fn because(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let Inner { kind, message, .. } = &*self.0;
        Self(Arc::new(Inner { kind: *kind, message: message.clone(), source: Some(source.into()) }))
    }

    /// The URL, a setting, or the file that one names is wrong: the same one can't succeed.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.0.kind == Kind::Invalid
    }

    /// The server can't be reached, doesn't answer in time, or says that its store doesn't answer: trying again may succeed.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.0.kind == Kind::Unavailable
    }

    /// The server refuses the token, or asks for one, or isn't called by a name that it knows as its own.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.0.kind == Kind::Denied
    }

    /// What answers there is no `lastseen` server, or one of a version that keeps no store for others, or has no certificate
    /// that is trusted.
    #[must_use]
    pub fn is_mismatch(&self) -> bool {
        self.0.kind == Kind::Mismatch
    }
}

impl fmt::Display for HttpStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for HttpStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpStoreError")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for HttpStoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
