//! Who sent a request.

use http::request::Parts;

use crate::UserId;

/// Says who sent a request, from what authentication has left in it: its extensions, as a rule.
///
/// It runs on every request and must not wait, so it looks nothing up: it takes what an outer layer has found.
///
/// `None` means nobody: a guest, or somebody whose doings are not to be noted, such as an administrator who acts in
/// a user's name. That user would otherwise be online without being there.
///
/// Some are [ready to use](super::identity).
///
/// What it sees of a request is `R`: [`Parts`] in tower, and so in axum; `HttpRequest` in actix-web. Closures from `&R`
/// to [`Option<UserId>`] identify. Their argument's type must be written out:
///
/// ```
/// use http::request::Parts;
/// use lastseen::{Identify, UserId};
///
/// // What the site's authentication puts into each request of a user signed in.
/// #[derive(Clone)]
/// struct Session { user: u64, impersonated_by: Option<u64> }
///
/// let identify = |request: &Parts| {
///     let session = request.extensions.get::<Session>()?;
///     session.impersonated_by.is_none().then(|| UserId::from(session.user))
/// };
///
/// let request = |session| {
///     let mut request = http::Request::new(());
///     request.extensions_mut().insert::<Session>(session);
///     request.into_parts().0
/// };
/// assert_eq!(identify.identify(&http::Request::new(()).into_parts().0), None);
/// assert_eq!(identify.identify(&request(Session { user: 42, impersonated_by: None })), Some(UserId::from(42_u64)));
/// assert_eq!(identify.identify(&request(Session { user: 42, impersonated_by: Some(1) })), None);
/// ```
pub trait Identify<R = Parts>: Send + Sync + 'static {
    /// The user who sent this request; `None` for nobody.
    fn identify(&self, request: &R) -> Option<UserId>;
}

impl<R, F> Identify<R> for F
where
    F: Fn(&R) -> Option<UserId> + Send + Sync + 'static,
{
    fn identify(&self, request: &R) -> Option<UserId> {
        self(request)
    }
}
