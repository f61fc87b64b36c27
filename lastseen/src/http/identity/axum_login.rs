//! Users who have signed in by axum-login.

use std::fmt;
use std::marker::PhantomData;

use axum_login::{AuthSession, AuthUser, AuthnBackend};
use http::request::Parts;

use crate::{Identify, UserId};

/// Finds the user of an [axum-login](::axum_login) 0.18 session. What [`AuthUser::id`] is displayed as is the user's id.
///
/// # Example
///
/// ```
/// use axum::{Router, routing::get};
/// use axum_login::tower_sessions::SessionStore;
/// use axum_login::{AuthManagerLayer, AuthnBackend};
/// use lastseen::identity::AxumLogin;
/// use lastseen::{LastActivityLayer, Tracker};
///
/// fn site<B, S>(tracker: Tracker, sign_in: AuthManagerLayer<B, S>) -> Router
/// where
///     B: AuthnBackend + 'static,
///     S: SessionStore + Clone,
/// {
///     Router::new()
///         .route("/", get("home"))
///         .layer(LastActivityLayer::new(tracker, AxumLogin::<B>::new()))
///         .layer(sign_in)
/// }
/// ```
pub struct AxumLogin<B>(PhantomData<fn() -> B>);

impl<B: AuthnBackend> AxumLogin<B> {
    /// For the sessions of this backend.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<B: AuthnBackend + 'static> Identify for AxumLogin<B> {
    fn identify(&self, request: &Parts) -> Option<UserId> {
        let session = request.extensions.get::<AuthSession<B>>()?;
        UserId::new(&session.user.as_ref()?.id().to_string()).ok()
    }
}

// Written out, since a derive would ask the same of `B`.

impl<B> Clone for AxumLogin<B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B> Copy for AxumLogin<B> {}

impl<B: AuthnBackend> Default for AxumLogin<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B> fmt::Debug for AxumLogin<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AxumLogin")
    }
}
