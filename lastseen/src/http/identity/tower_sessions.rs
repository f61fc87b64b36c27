//! Users whose id the site keeps in a session of tower-sessions.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Once};
use std::task::{Context, Poll};

use http::Request;
use http::request::Parts;
use tower_layer::Layer;
use tower_service::Service;
use tower_sessions::Session;

use crate::{Identify, UserId};

/// Finds whom [`SessionUserLayer`] has found in the session.
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionUser;

/// Reads the user's id, a text or a whole number, from a [tower-sessions](::tower_sessions) 0.15 session.
///
/// Such a session is read from its store by the first who asks for something in it, and kept for the rest of the request.
/// That needs waiting, which [`LastActivityLayer`](crate::LastActivityLayer) never does; so this layer asks, and goes
/// between the two. For a request without a session's cookie it waits for nothing. If the store doesn't answer, the
/// request is nobody's, and goes on to its handler.
///
/// What needs no session, such as pictures, is best served outside all three: this layer reads the session of each request
/// that passes it.
///
/// # Examples
///
/// The site keeps the user's id as `user_id`, by `session.insert("user_id", 42)`:
///
/// ```
/// use axum::{Router, routing::get};
/// use lastseen::identity::{SessionUser, SessionUserLayer};
/// use lastseen::{LastActivityLayer, Tracker};
/// use tower_sessions::{SessionManagerLayer, SessionStore};
///
/// fn site(tracker: Tracker, sessions: SessionManagerLayer<impl SessionStore + Clone>) -> Router {
///     Router::new()
///         .route("/", get("home"))
///         .layer(LastActivityLayer::new(tracker, SessionUser))
///         .layer(SessionUserLayer::new("user_id"))
///         .layer(sessions)
/// }
/// ```
///
/// Pictures outside, and a way to identify of one's own that asks this one:
///
/// ```
/// use axum::{Router, http::request::Parts, routing::get};
/// use lastseen::identity::{SessionUser, SessionUserLayer};
/// use lastseen::{Identify, LastActivityLayer, Tracker};
/// use tower_sessions::{SessionManagerLayer, SessionStore};
///
/// fn site(tracker: Tracker, sessions: SessionManagerLayer<impl SessionStore + Clone>) -> Router {
///     let identify = |request: &Parts| SessionUser.identify(request).filter(|user| user.as_str() != "admin");
///     let pages = Router::new()
///         .route("/", get("home"))
///         .layer(LastActivityLayer::new(tracker, identify))
///         .layer(SessionUserLayer::new("user_id"))
///         .layer(sessions);
///     Router::new().route("/static/logo.png", get("picture")).merge(pages)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct SessionUserLayer {
    key: Arc<str>,
}

impl SessionUserLayer {
    /// `key` is the one under which the site keeps the user's id.
    #[must_use]
    pub fn new(key: impl Into<Arc<str>>) -> Self {
        Self { key: key.into() }
    }
}

impl<S> Layer<S> for SessionUserLayer {
    type Service = SessionUserService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionUserService { inner, key: Arc::clone(&self.key) }
    }
}

/// The service that [`SessionUserLayer`] makes of another.
#[derive(Clone, Debug)]
pub struct SessionUserService<S> {
    inner: S,
    key: Arc<str>,
}

impl<S, B> Service<Request<B>> for SessionUserService<S>
where
    S: Service<Request<B>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The one that was ready is called, and its clone gets ready for the next.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let key = Arc::clone(&self.key);
        Box::pin(async move {
            let found = if let Some(session) = request.extensions().get::<Session>().cloned() {
                user_of(&session, &key).await
            } else {
                tell_once(&NO_SESSION, "no session of tower-sessions 0.15: its layer must be outside");
                None
            };
            request.extensions_mut().insert(Found(found));
            inner.call(request).await
        })
    }
}

impl Identify for SessionUser {
    fn identify(&self, request: &Parts) -> Option<UserId> {
        let Some(Found(user)) = request.extensions.get() else {
            tell_once(&NO_LAYER, "no SessionUserLayer: it must be outside the LastActivityLayer");
            return None;
        };
        user.clone()
    }
}

/// Whose session it is, as a request carries it on.
#[derive(Clone)]
struct Found(Option<UserId>);

async fn user_of(session: &Session, key: &str) -> Option<UserId> {
    session.id()?;
    let value = match session.get_value(key).await {
        Ok(value) => value?,
        Err(error) => {
            tracing::warn!(%error, "can't read a session: its user isn't noted");
            return None;
        }
    };
    let text = value.as_str().map(|id| UserId::new(id).ok());
    text.or_else(|| value.as_u64().map(|id| Some(id.into()))).or_else(|| value.as_i64().map(|id| Some(id.into())))?
}

static NO_SESSION: Once = Once::new();
static NO_LAYER: Once = Once::new();

/// Layers in a wrong order would make everybody a guest, without a word.
fn tell_once(once: &Once, what: &str) {
    once.call_once(|| tracing::error!("nobody is online: {what}"));
}
