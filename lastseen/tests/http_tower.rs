//! The layer around bare tower services: bodies, errors and readiness pass through it.
#![cfg(feature = "tower")]

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use http::request::Parts;
use http::{Request, Response};
use lastseen::http::{PeerAddr, ResponseFuture};
use lastseen::{
    Identify, LastActivity, LastActivityLayer, ManualClock, MemoryStore, SignedIn, SkipRules, Tracker, UserId,
};
use tower::{Layer, Service, ServiceExt, service_fn};

/// What a site's authentication would leave in a request.
#[derive(Clone)]
struct Session(UserId);

fn user_of(request: &Parts) -> Option<UserId> {
    request.extensions.get().map(|Session(user)| user.clone())
}

fn ada() -> UserId {
    UserId::new("ada").unwrap()
}

fn guest(path: &str) -> Request<()> {
    let mut request = Request::get(path).body(()).unwrap();
    request.extensions_mut().insert(PeerAddr("192.0.2.1:4711".parse().unwrap()));
    request
}

fn by_ada(path: &str) -> Request<()> {
    let mut request = guest(path);
    request.extensions_mut().insert(Session(ada()));
    request
}

async fn tracker() -> Tracker {
    let clock = ManualClock::new("2026-11-24T01:00:00Z".parse().unwrap());
    Tracker::builder(MemoryStore::new()).clock(clock).start().await.unwrap()
}

async fn ok<B>(_: Request<B>) -> Result<Response<()>, Infallible> {
    Ok(Response::new(()))
}

/// Neither `Clone` nor a closure.
struct ByHeader;

impl Identify for ByHeader {
    fn identify(&self, request: &Parts) -> Option<UserId> {
        request.headers.get("remote-user")?.to_str().ok()?.parse().ok()
    }
}

#[tokio::test]
async fn a_layer_can_be_cloned_and_changed_whatever_identifies() {
    fn shared<T: Clone + Send + Sync + 'static>(value: T) -> T {
        value
    }

    let tracker = tracker().await;
    let layer = shared(LastActivityLayer::new(tracker.clone(), ByHeader));
    let skipping = layer.clone().skip(SkipRules::new(["."]).unwrap());
    let request = || Request::get("/page").header("remote-user", "ada").body(()).unwrap();

    shared(skipping.layer(service_fn(ok))).oneshot(request()).await.unwrap();
    assert!(!tracker.is_online(&ada()));
    // The rules of the one are not the other's.
    shared(layer.layer(service_fn(ok))).oneshot(request()).await.unwrap();
    assert!(tracker.is_online(&ada()));
}

/// Bodies and an error that implement nothing at all.
struct In;
struct Out;
struct Broken;

#[tokio::test]
async fn bodies_and_errors_pass_as_they_are() {
    let tracker = tracker().await;
    let layer = LastActivityLayer::new(tracker.clone(), |_: &Parts| Some(ada()));
    let inner = service_fn(|request: Request<In>| {
        let (parts, In) = request.into_parts();
        ready(if parts.uri.path() == "/broken" { Err(Broken) } else { Ok(Response::new(Out)) })
    });
    let request = |path: &str| Request::get(path).header("x-kept", "yes").body(In).unwrap();

    // The future is the service's own in a thin coat, without a box.
    let mut site = layer.layer(inner);
    let future: ResponseFuture<Ready<Result<Response<Out>, Broken>>> =
        site.ready().await.unwrap_or_else(|Broken| unreachable!()).call(request("/"));
    let Ok(response) = future.await else { panic!("an answer became an error") };
    let Out = response.into_body();

    let Err(Broken) = site.oneshot(request("/broken")).await else { panic!("an error became an answer") };
    assert!(tracker.is_online(&ada()));
}

#[tokio::test]
async fn the_request_reaches_the_service_whole() {
    let tracker = tracker().await;
    let inner = service_fn(async |request: Request<&'static str>| Ok::<_, Infallible>(Response::new(request)));
    let site = LastActivityLayer::new(tracker, user_of).layer(inner);
    let mut request =
        Request::put("/a%20b?c=d").version(http::Version::HTTP_2).header("x-a", "1").body("body").unwrap();
    request.extensions_mut().insert(Session(ada()));

    let arrived = site.oneshot(request).await.unwrap().into_body();
    assert_eq!(arrived.method(), http::Method::PUT);
    assert_eq!(arrived.uri(), "/a%20b?c=d");
    assert_eq!(arrived.version(), http::Version::HTTP_2);
    assert_eq!(arrived.headers()["x-a"], "1");
    assert!(arrived.extensions().get::<Session>().is_some());
    assert_eq!(arrived.into_body(), "body");
}

/// A service that is ready at its third asking, refuses a call before, and whose clones begin anew.
#[derive(Debug)]
struct Reluctant {
    asked: u32,
    fails: bool,
}

impl Clone for Reluctant {
    fn clone(&self) -> Self {
        Self { asked: 0, fails: self.fails }
    }
}

impl Service<Request<()>> for Reluctant {
    type Response = Response<()>;
    type Error = &'static str;
    type Future = Ready<Result<Response<()>, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.asked += 1;
        match (self.asked >= 3, self.fails) {
            (false, _) => Poll::Pending,
            (true, true) => Poll::Ready(Err("never ready")),
            (true, false) => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(self.asked >= 3, "called before it was ready");
        self.asked = 0;
        ready(Ok(Response::new(())))
    }
}

#[tokio::test]
async fn readiness_is_the_inner_services() {
    let tracker = tracker().await;
    let layer = LastActivityLayer::new(tracker, user_of);
    let mut cx = Context::from_waker(Waker::noop());
    let ready =
        |site: &mut LastActivity<Reluctant, _>, cx: &mut Context<'_>| Service::<Request<()>>::poll_ready(site, cx);

    let mut site = layer.layer(Reluctant { asked: 0, fails: false });
    for _ in 0..2 {
        assert_eq!(ready(&mut site, &mut cx), Poll::Pending);
        assert_eq!(ready(&mut site, &mut cx), Poll::Pending);
        assert_eq!(ready(&mut site, &mut cx), Poll::Ready(Ok(())));
        // The very service that was ready is called, and no clone of it.
        let mut response = pin!(site.call(by_ada("/")));
        assert!(response.as_mut().poll(&mut cx).is_ready());
    }

    let mut broken = layer.layer(Reluctant { asked: 2, fails: true });
    assert_eq!(ready(&mut broken, &mut cx), Poll::Ready(Err("never ready")));
}

/// A response that comes at the second asking, so that the waker's way matters.
struct Slow(bool);

impl Future for Slow {
    type Output = Result<Response<()>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if std::mem::replace(&mut self.0, true) {
            let mut response = Response::new(());
            response.extensions_mut().insert(SignedIn(ada()));
            return Poll::Ready(Ok(response));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[tokio::test]
async fn a_response_that_takes_its_time_is_waited_for() {
    let tracker = tracker().await;
    let site = LastActivityLayer::new(tracker.clone(), user_of).layer(service_fn(|_: Request<()>| Slow(false)));
    let response = site.oneshot(guest("/sign-in")).await.unwrap();
    assert!(tracker.is_online(&ada()));
    // Another layer may want it too.
    assert_eq!(response.extensions().get(), Some(&SignedIn(ada())));
}
