//! The crate's one error: opaque, with predicates and a chain of sources.

use std::error::Error as StdError;
use std::fmt;

/// Why something could not be done.
///
/// Its text names the value at fault and what would be right; [`source`](StdError::source) leads to the cause
/// underneath. The predicates tell what a caller may want to tell apart: wrong input, a store that doesn't answer, a
/// directory that doesn't, a memory that is full, a store that keeps no history.
///
/// ```
/// use lastseen::UserId;
///
/// let error = UserId::new("").unwrap_err();
/// assert!(error.is_invalid());
/// assert_eq!(error.to_string(), "a user id is empty: it must have 1 to 128 bytes");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Invalid,
    Store,
    Directory,
    Full,
    Unsupported,
}

impl Error {
    fn new(kind: Kind, message: String) -> Self {
        Self(Box::new(Inner { kind, message, source: None }))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message.into())
    }

    pub(crate) fn store(doing: &str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Kind::Store, format!("the store failed while {doing}")).because(source)
    }

    pub(crate) fn directory(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Kind::Directory, "the directory could not say who the users are".into()).because(source)
    }

    pub(crate) fn full(capacity: usize) -> Self {
        let message = format!(
            "memory holds its {capacity} users and none of them is stored yet: raise the capacity or mend the store"
        );
        Self::new(Kind::Full, message)
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Kind::Unsupported, message.into())
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The input is wrong: the same call can't succeed.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.0.kind == Kind::Invalid
    }

    /// The store failed. What was to be written stays pending and is tried again.
    #[must_use]
    pub fn is_store(&self) -> bool {
        self.0.kind == Kind::Store
    }

    /// The directory of profiles failed.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.0.kind == Kind::Directory
    }

    /// Memory is at its capacity and every user in it waits for the store, so a new user could not be taken in.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.kind == Kind::Full
    }

    /// The store doesn't keep what was asked for, and never will: [`keeps_history`](crate::Store::keeps_history).
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.0.kind == Kind::Unsupported
    }
}

/// The message, and behind it the causes, each after a colon.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
