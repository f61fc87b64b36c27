//! The steps as a middleware for actix-web.

use std::borrow::Cow;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::HeaderValue;
use actix_web::{HttpMessage, HttpRequest};
use http::request::Parts;
use http::{HeaderName, Method, Request, Uri};

use super::future::Answer;
use super::head::Head;
use super::{Identify, LastActivity, LastActivityLayer, PeerAddr, ResponseFuture, SignedIn};

/// Goes around an actix-web app, scope or resource, behind the authentication: `wrap` it before that, since the
/// middleware that is added last is the outermost.
///
/// # Examples
///
/// As it is, every request counts, with the address of the socket's peer:
///
/// ```
/// use actix_web::{App, HttpMessage, HttpRequest, HttpResponse, dev::Service, test, web};
/// use lastseen::{LastActivityLayer, MemoryStore, Tracker, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), lastseen::Error> {
/// let tracker = Tracker::builder(MemoryStore::new()).start().await?;
///
/// // What the site's authentication puts into each request of a user signed in.
/// #[derive(Clone)]
/// struct Session { user: u64 }
///
/// let last_activity = LastActivityLayer::new(tracker.clone(), |request: &HttpRequest| {
///     request.extensions().get::<Session>().map(|session| UserId::from(session.user))
/// });
/// let site = App::new().route("/", web::get().to(HttpResponse::Ok)).wrap(last_activity);
///
/// let site = test::init_service(site).await;
/// let request = test::TestRequest::get().to_request();
/// request.extensions_mut().insert(Session { user: 42 });
/// assert!(site.call(request).await.is_ok_and(|response| response.status().is_success()));
///
/// assert!(tracker.is_online(&UserId::from(42_u64)));
/// # Ok(())
/// # }
/// ```
///
/// For a site behind a proxy, where pictures, polls and what a browser fetches in advance are no sign of life. A handler
/// that lets somebody in says so among the extensions of its response:
///
/// ```
/// use actix_web::{HttpRequest, HttpResponse, http::header::LOCATION};
/// use lastseen::http::AddressPolicy;
/// use lastseen::{ClientIp, ForwardedHeader, LastActivityLayer, SignedIn, SkipRules, Tracker, UserId};
///
/// type UserOf = fn(&HttpRequest) -> Option<UserId>;
///
/// fn last_activity(
///     tracker: Tracker,
///     user_of: UserOf,
/// ) -> Result<LastActivityLayer<UserOf>, Box<dyn std::error::Error>> {
///     let skip = SkipRules::new([r"^static/", r"\.(png|css|js)$", r"^poll$"])?.header("sec-purpose", "prefetch")?;
///     let client_ip = ClientIp::trusting(["10.0.0.0/8".parse()?], ForwardedHeader::XForwardedFor)
///         .policy(AddressPolicy::Mask);
///     Ok(LastActivityLayer::new(tracker, user_of).skip(skip).client_ip(client_ip))
/// }
///
/// async fn sign_in(password: String) -> HttpResponse {
///     if password != "open sesame" {
///         return HttpResponse::Unauthorized().finish();
///     }
///     let mut answer = HttpResponse::SeeOther();
///     answer.insert_header((LOCATION, "/")).extensions_mut().insert(SignedIn(UserId::from(42_u64)));
///     answer.finish()
/// }
/// ```
#[cfg_attr(docsrs, doc(cfg(feature = "actix")))]
impl<S, I, B> Transform<S, ServiceRequest> for LastActivityLayer<I>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    I: Identify<HttpRequest>,
{
    type Response = S::Response;
    type Error = S::Error;
    type InitError = ();
    type Transform = LastActivity<S, I>;
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(self.around(inner)))
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "actix")))]
impl<S, I, B> Service<ServiceRequest> for LastActivity<S, I>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    I: Identify<HttpRequest>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let visit = self.steps.before(request.request());
        ResponseFuture::new(self.inner.call(request), visit)
    }
}

impl<B> Answer for ServiceResponse<B> {
    fn signed_in(&self, then: impl FnOnce(Option<&SignedIn>)) {
        then(self.response().extensions().get());
    }
}

impl Head for HttpRequest {
    fn method(&self) -> &str {
        self.method().as_str()
    }

    fn path(&self) -> &str {
        self.uri().path()
    }

    fn values<'a>(&'a self, name: &'a HeaderName) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        // Looked up by text, a name would be copied first, since it is of another version of `http` than ours.
        let theirs = self.headers().keys().find(|theirs| theirs.as_str() == name.as_str());
        theirs.into_iter().flat_map(|name| self.headers().get_all(name)).map(HeaderValue::as_bytes)
    }

    /// Never `realip_remote_addr`, which believes any client's headers.
    fn peer(&self) -> Option<SocketAddr> {
        let named = self.extensions().get().map(|PeerAddr(peer)| *peer);
        named.or_else(|| self.peer_addr())
    }

    fn parts(&self) -> Cow<'_, Parts> {
        // Both versions of `http` allow the same, so nothing is left out here.
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = Method::from_bytes(self.method().as_str().as_bytes()).unwrap_or_default();
        parts.uri = Uri::try_from(self.uri().to_string()).unwrap_or_default();
        for (name, value) in self.headers() {
            let header = (HeaderName::try_from(name.as_str()), http::HeaderValue::from_bytes(value.as_bytes()));
            if let (Ok(name), Ok(value)) = header {
                parts.headers.append(name, value);
            }
        }
        if let Some(peer) = Head::peer(self) {
            parts.extensions.insert(PeerAddr(peer));
        }
        Cow::Owned(parts)
    }
}
