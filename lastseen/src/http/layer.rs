//! The middleware: reports each user's requests to the tracker as they pass.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::{ClientIp, Identify, ResponseFuture, SkipRules};
use crate::Tracker;

/// Reports each user's requests to a [`Tracker`]. [How a request is judged](super#how-a-request-is-judged) is said by
/// the module.
///
/// It goes behind the authentication: inside the layer that puts the user's session into the request.
///
/// # Examples
///
/// As it is, every request counts, with the address of the socket's peer:
///
/// ```
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
    shared: Arc<Shared<I>>,
}

struct Shared<I> {
    tracker: Tracker,
    /// Behind a pointer of its own so that the settings can be copied, which not every way to identify can.
    identify: Arc<I>,
    skip: SkipRules,
    client_ip: ClientIp,
}

impl<I: Identify> LastActivityLayer<I> {
    /// Reports to `tracker` whom `identify` finds, on every request, with the address of the socket's peer.
    #[must_use]
    pub fn new(tracker: Tracker, identify: I) -> Self {
        let identify = Arc::new(identify);
        Self {
            shared: Arc::new(Shared { tracker, identify, skip: SkipRules::default(), client_ip: ClientIp::default() }),
        }
    }

    /// Which requests don't count. Default: all count.
    #[must_use]
    pub fn skip(mut self, rules: SkipRules) -> Self {
        Arc::make_mut(&mut self.shared).skip = rules;
        self
    }

    /// How the client's address is found. Default: it is the socket's peer.
    #[must_use]
    pub fn client_ip(mut self, client_ip: ClientIp) -> Self {
        Arc::make_mut(&mut self.shared).client_ip = client_ip;
        self
    }
}

impl<S, I> Layer<S> for LastActivityLayer<I> {
    type Service = LastActivity<S, I>;

    fn layer(&self, inner: S) -> Self::Service {
        LastActivity { inner, shared: Arc::clone(&self.shared) }
    }
}

/// The service that [`LastActivityLayer`] makes of another.
pub struct LastActivity<S, I> {
    inner: S,
    shared: Arc<Shared<I>>,
}

impl<S, I, RequestBody, ResponseBody> Service<Request<RequestBody>> for LastActivity<S, I>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    I: Identify,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let Shared { tracker, identify, skip, client_ip } = &*self.shared;
        let (parts, body) = request.into_parts();
        // Found for a guest too: it may turn out that the request signs somebody in, and by then it is gone.
        let ip = client_ip.of(&parts);
        if let Some(user) = identify.identify(&parts)
            && !skip.skips(&parts)
        {
            tracker.touch(&user, ip);
        }
        ResponseFuture::new(self.inner.call(Request::from_parts(parts, body)), tracker.clone(), ip)
    }
}

// Written out, since a derive would ask the same of `I`.

impl<I> Clone for Shared<I> {
    fn clone(&self) -> Self {
        Self {
            tracker: self.tracker.clone(),
            identify: Arc::clone(&self.identify),
            skip: self.skip.clone(),
            client_ip: self.client_ip.clone(),
        }
    }
}

impl<I> Clone for LastActivityLayer<I> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S: Clone, I> Clone for LastActivity<S, I> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl<I> fmt::Debug for LastActivityLayer<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastActivityLayer")
            .field("skip", &self.shared.skip)
            .field("client_ip", &self.shared.client_ip)
            .finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, I> fmt::Debug for LastActivity<S, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastActivity").field("inner", &self.inner).finish_non_exhaustive()
    }
}
