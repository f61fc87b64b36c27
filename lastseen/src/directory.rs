//! Where a user's name comes from, and whether the account is active or hidden.

use std::error::Error as StdError;
use std::future::Future;
use std::sync::Arc;

use crate::UserId;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "postgres", feature = "sqlite"))))]
pub use sql::{SqlDirectory, SqlDirectoryError};

/// What a site knows of a user: a name to show, whether the account is active, whether the user hides.
///
/// A user of whom nothing is known counts as active, in the open, and is shown by id.
///
/// ```
/// use lastseen::Profile;
///
/// let ada = Profile::named("Ada");
/// assert!(ada.is_visible());
/// assert!(!ada.clone().active(false).is_visible());
/// assert!(!ada.hidden(true).is_visible());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct Profile {
    name: Option<Arc<str>>,
    active: bool,
    hidden: bool,
}

impl Profile {
    /// An active user in the open, without a name.
    #[must_use]
    pub const fn new() -> Self {
        Self { name: None, active: true, hidden: false }
    }

    /// An active user in the open, shown as `name`.
    #[must_use]
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self { name: Some(name.into()), ..Self::new() }
    }

    /// Whether the account is active; an account switched off is never online. Default: true.
    #[must_use]
    pub fn active(self, active: bool) -> Self {
        Self { active, ..self }
    }

    /// Whether the user wants not to be seen. Default: false.
    #[must_use]
    pub fn hidden(self, hidden: bool) -> Self {
        Self { hidden, ..self }
    }

    /// The name to show, where there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(crate) fn shared_name(&self) -> Option<&Arc<str>> {
        self.name.as_ref()
    }

    /// Whether the account is active.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.active
    }

    /// Whether the user wants not to be seen.
    #[must_use]
    pub const fn is_hidden(&self) -> bool {
        self.hidden
    }

    /// Whether lists, counts and events may show the user: active and not hidden.
    #[must_use]
    pub const fn is_visible(&self) -> bool {
        self.active && !self.hidden
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::new()
    }
}

/// Says who users are: the site's own user table, as a rule.
///
/// It is asked off the request's path, when users come online and again while they stay, for many at once. Users
/// whom it doesn't know may be left out of the answer: they count as active, in the open, without a name.
///
/// An async closure is a directory:
///
/// ```
/// use lastseen::{Directory, Profile, UserId};
///
/// fn is_directory(_: impl Directory) {}
///
/// is_directory(|users: Vec<UserId>| async move {
///     let profiles = users.into_iter().map(|user| {
///         let profile = Profile::named(format!("user {user}"));
///         (user, profile)
///     });
///     Ok::<_, std::io::Error>(profiles.collect())
/// });
/// ```
pub trait Directory: Send + Sync + 'static {
    /// Why it could not answer.
    type Error: StdError + Send + Sync + 'static;

    /// The profiles of these users, in any order.
    ///
    /// # Errors
    ///
    /// Where it can't say. What was known before stays in force, and it is asked again.
    fn profiles(&self, users: &[UserId]) -> impl Future<Output = Result<Vec<(UserId, Profile)>, Self::Error>> + Send;
}

impl<F, Answer, E> Directory for F
where
    F: Fn(Vec<UserId>) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<Vec<(UserId, Profile)>, E>> + Send,
    E: StdError + Send + Sync + 'static,
{
    type Error = E;

    fn profiles(&self, users: &[UserId]) -> impl Future<Output = Result<Vec<(UserId, Profile)>, E>> + Send {
        self(users.to_vec())
    }
}
