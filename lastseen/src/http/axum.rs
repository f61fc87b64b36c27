//! What axum adds: the tracker as an extractor, and what its router knows of a request.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::connect_info::MockConnectInfo;
use axum::extract::{ConnectInfo, FromRef, FromRequestParts, OriginalUri};
use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use http::request::Parts;

use super::SignedIn;
use crate::Tracker;

/// A handler takes the tracker as an argument, where it is the router's state or, by [`FromRef`], a part of it.
///
/// ```
/// use axum::extract::FromRef;
/// use axum::{Router, routing::get};
/// use lastseen::Tracker;
///
/// #[derive(Clone)]
/// struct Site {
///     tracker: Tracker,
///     name: &'static str,
/// }
///
/// impl FromRef<Site> for Tracker {
///     fn from_ref(site: &Site) -> Self {
///         site.tracker.clone()
///     }
/// }
///
/// async fn how_many(tracker: Tracker) -> String {
///     format!("{} online", tracker.count())
/// }
///
/// fn router(site: Site) -> Router {
///     Router::new().route("/how-many", get(how_many)).with_state(site)
/// }
/// ```
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl<S> FromRequestParts<S> for Tracker
where
    Self: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Self::from_ref(state))
    }
}

/// A handler reports the user whom it lets in by a part of what it returns.
///
/// ```
/// use axum::http::StatusCode;
/// use axum::response::Redirect;
/// use lastseen::{SignedIn, UserId};
///
/// async fn sign_in(password: String) -> Result<(SignedIn, Redirect), StatusCode> {
///     let user = match password.as_str() {
///         "open sesame" => UserId::from(42_u64),
///         _ => return Err(StatusCode::UNAUTHORIZED),
///     };
///     Ok((SignedIn(user), Redirect::to("/")))
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::post(sign_in));
/// ```
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl IntoResponseParts for SignedIn {
    type Error = Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Infallible> {
        response.extensions_mut().insert(self);
        Ok(response)
    }
}

/// An empty response that reports the user.
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl IntoResponse for SignedIn {
    fn into_response(self) -> Response {
        (self, ()).into_response()
    }
}

/// The path that the client asked for; a nested router has cut its own prefix off the request's.
pub(super) fn original_path(request: &Parts) -> Option<&str> {
    request.extensions.get::<OriginalUri>().map(|OriginalUri(uri)| uri.path())
}

/// The socket's peer, as served with connect info, or as a test pretends.
pub(super) fn peer(request: &Parts) -> Option<SocketAddr> {
    let real = || request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    let pretended = || request.extensions.get::<MockConnectInfo<SocketAddr>>().map(|MockConnectInfo(peer)| *peer);
    real().or_else(pretended)
}
