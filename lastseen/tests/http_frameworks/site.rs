//! What the site is in any framework, and how a test visits it.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};

use lastseen::{ClientIp, LastActivityLayer, ManualClock, MemoryStore, SkipRules, Tracker, UserId};

/// One framework: how the site is built in it, and asked without a port.
///
/// Below the layer, and below an authentication that believes the header `x-user`, the site has
///
/// - `GET /page`, and with any method `/echo`: 201, the header `x-echo` as it came, and the body `echo`;
/// - `GET /am-i-online`: `true` or `false`, by the tracker;
/// - `GET /forever`, which never answers, and `GET /broken`, whose handler fails: 500;
/// - `POST /sign-in`, which lets Ada in, and `POST /sign-in/refused`: 401;
/// - `POST /sign-out`, which ends her being online;
/// - nothing elsewhere: 404.
///
/// A second site has the layer inside two prefixes alone: `/shop/static/logo.png` and `/shop/static/page`.
pub(crate) trait Framework: Sized {
    /// What finds the user in the framework's requests.
    type Identify: 'static;

    fn identify() -> Self::Identify;

    async fn site(tracker: Tracker, layer: LastActivityLayer<Self::Identify>) -> Self;

    async fn nested(layer: LastActivityLayer<Self::Identify>) -> Self;

    /// The answer's status, its header `x-echo`, and its body.
    fn send(&self, request: Request) -> impl Future<Output = (u16, Option<String>, String)>;
}

/// A request, before it is made one of the framework's.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) headers: Vec<(&'static str, &'static [u8])>,
    pub(crate) peer: Option<SocketAddr>,
}

impl Request {
    pub(crate) fn new(method: &'static str, path: &'static str) -> Self {
        Self { method, path, headers: Vec::new(), peer: Some("192.0.2.1:4711".parse().unwrap()) }
    }

    pub(crate) fn get(path: &'static str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn header(mut self, name: &'static str, value: &'static [u8]) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn by_ada(self) -> Self {
        self.header("x-user", b"ada")
    }
}

/// A site in a framework, with a tracker on a clock that stands still.
pub(crate) struct Site<F: Framework> {
    pub(crate) tracker: Tracker,
    pub(crate) clock: ManualClock,
    framework: F,
}

impl<F: Framework> Site<F> {
    pub(crate) async fn open(skip: SkipRules, client_ip: ClientIp) -> Self {
        let (tracker, clock) = tracker().await;
        let layer = LastActivityLayer::new(tracker.clone(), F::identify()).skip(skip).client_ip(client_ip);
        let framework = F::site(tracker.clone(), layer).await;
        Self { tracker, clock, framework }
    }

    /// Everything counts, with the peer's address.
    pub(crate) async fn plain() -> Self {
        Self::open(SkipRules::default(), ClientIp::default()).await
    }

    pub(crate) async fn nested(skip: SkipRules) -> Self {
        let (tracker, clock) = tracker().await;
        let framework = F::nested(LastActivityLayer::new(tracker.clone(), F::identify()).skip(skip)).await;
        Self { tracker, clock, framework }
    }

    /// Sends it; the status.
    pub(crate) async fn send(&self, request: Request) -> u16 {
        self.answer(request).await.0
    }

    pub(crate) async fn answer(&self, request: Request) -> (u16, Option<String>, String) {
        self.framework.send(request).await
    }

    pub(crate) fn ada_is_online(&self) -> bool {
        self.tracker.is_online(&ada())
    }

    /// Where Ada's last request came from.
    ///
    /// # Panics
    ///
    /// When she has never been seen.
    pub(crate) async fn address(&self) -> Option<IpAddr> {
        self.tracker.last_seen(&ada()).await.unwrap().expect("Ada has been seen").ip
    }
}

async fn tracker() -> (Tracker, ManualClock) {
    let clock = ManualClock::new("2026-11-24T01:00:00Z".parse().unwrap());
    let tracker = Tracker::builder(MemoryStore::new()).clock(clock.clone()).start().await.unwrap();
    (tracker, clock)
}

pub(crate) fn ada() -> UserId {
    UserId::new("ada").unwrap()
}

/// What the authentication leaves in a request.
#[derive(Clone)]
pub(crate) struct Session(pub(crate) UserId);
