//! How a handler reports the user whom it has just let in.

use crate::UserId;

/// A response extension that names the user whom this very request has signed in.
///
/// The request that signs a user in comes from nobody yet, so [`Identify`](super::Identify) can't tell whose it is,
/// and the user would be offline until the next one. With this among the response's extensions,
/// [`LastActivityLayer`](super::LastActivityLayer) touches the user once the response is there, with the address that
/// the request came from. [`SkipRules`](super::SkipRules) don't apply, and the response's status makes no difference.
///
/// In axum it can be a part of what a handler returns: `(SignedIn(user), Redirect::to("/"))`.
///
/// ```
/// use http::Response;
/// use lastseen::{SignedIn, UserId};
///
/// let mut response = Response::new("Welcome back!");
/// response.extensions_mut().insert(SignedIn(UserId::new("ada")?));
/// # Ok::<(), lastseen::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn(pub UserId);
