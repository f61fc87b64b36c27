//! The middleware: reports each user's requests to the tracker as they pass.

use std::fmt;
use std::sync::Arc;

use super::steps::Steps;
use super::{ClientIp, SkipRules};
use crate::Tracker;

/// Reports each user's requests to a [`Tracker`]. [How a request is judged](super#how-a-request-is-judged) is said by
/// the module.
///
/// It goes behind the authentication: inside the layer that puts the user's session into the request. It is a layer for
/// tower services, such as an axum router, with the feature `tower`, and a middleware for actix-web with `actix`.
///
/// # Examples
///
/// As it is, every request counts, with the address of the socket's peer:
///
#[cfg_attr(feature = "tower", doc = "```")]
#[cfg_attr(not(feature = "tower"), doc = "```ignore")]
/// use http::request::Parts;
/// use http::{Request, Response};
/// use lastseen::{LastActivityLayer, MemoryStore, Tracker, UserId};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), lastseen::Error> {
/// let tracker = Tracker::builder(MemoryStore::new()).start().await?;
///
/// // What the site's authentication puts into each request of a user signed in.
/// #[derive(Clone)]
/// struct Session { user: u64 }
///
/// let last_activity = LastActivityLayer::new(tracker.clone(), |request: &Parts| {
///     request.extensions.get::<Session>().map(|session| UserId::from(session.user))
/// });
/// let site = ServiceBuilder::new()
///     .layer(last_activity)
///     .service(service_fn(async |_: Request<String>| Ok::<_, lastseen::Error>(Response::new("hello"))));
///
/// let mut request = Request::new(String::new());
/// request.extensions_mut().insert(Session { user: 42 });
/// site.oneshot(request).await?;
///
/// assert!(tracker.is_online(&UserId::from(42_u64)));
/// # Ok(())
/// # }
/// ```
///
/// For a site behind a proxy, where pictures, polls and what a browser fetches in advance are no sign of life:
///
/// ```
/// use http::request::Parts;
/// use lastseen::http::AddressPolicy;
/// use lastseen::{ClientIp, ForwardedHeader, LastActivityLayer, SkipRules, Tracker, UserId};
///
/// fn last_activity(
///     tracker: Tracker,
///     user_of: fn(&Parts) -> Option<UserId>,
/// ) -> Result<LastActivityLayer<fn(&Parts) -> Option<UserId>>, Box<dyn std::error::Error>> {
///     let skip = SkipRules::new([r"^static/", r"\.(png|css|js)$", r"^poll$"])?.header("sec-purpose", "prefetch")?;
///     let client_ip = ClientIp::trusting(["10.0.0.0/8".parse()?], ForwardedHeader::XForwardedFor)
///         .policy(AddressPolicy::Mask);
///     Ok(LastActivityLayer::new(tracker, user_of).skip(skip).client_ip(client_ip))
/// }
/// ```
pub struct LastActivityLayer<I> {
    steps: Arc<Steps<I>>,
}

impl<I> LastActivityLayer<I> {
    /// Reports to `tracker` whom `identify` finds, on every request, with the address of the socket's peer.
    ///
    /// `identify` is an [`Identify`](super::Identify) for the framework's requests, such as a closure.
    #[must_use]
    pub fn new(tracker: Tracker, identify: I) -> Self {
        let identify = Arc::new(identify);
        let (skip, client_ip) = (SkipRules::default(), ClientIp::default());
        Self { steps: Arc::new(Steps { tracker, identify, skip, client_ip }) }
    }

    /// Which requests don't count. Default: all count.
    #[must_use]
    pub fn skip(mut self, rules: SkipRules) -> Self {
        Arc::make_mut(&mut self.steps).skip = rules;
        self
    }

    /// How the client's address is found. Default: it is the socket's peer.
    #[must_use]
    pub fn client_ip(mut self, client_ip: ClientIp) -> Self {
        Arc::make_mut(&mut self.steps).client_ip = client_ip;
        self
    }

    /// Wraps a service of any framework.
    pub(super) fn around<S>(&self, inner: S) -> LastActivity<S, I> {
        LastActivity { inner, steps: Arc::clone(&self.steps) }
    }
}

/// The service that [`LastActivityLayer`] makes of another.
pub struct LastActivity<S, I> {
    pub(super) inner: S,
    pub(super) steps: Arc<Steps<I>>,
}

// Written out, since a derive would ask the same of `I`.

impl<I> Clone for LastActivityLayer<I> {
    fn clone(&self) -> Self {
        Self { steps: Arc::clone(&self.steps) }
    }
}

impl<S: Clone, I> Clone for LastActivity<S, I> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), steps: Arc::clone(&self.steps) }
    }
}

impl<I> fmt::Debug for LastActivityLayer<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastActivityLayer")
            .field("skip", &self.steps.skip)
            .field("client_ip", &self.steps.client_ip)
            .finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, I> fmt::Debug for LastActivity<S, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastActivity").field("inner", &self.inner).finish_non_exhaustive()
    }
}
