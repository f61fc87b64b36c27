//! The server without a port, on a clock that stands still until a test moves it and a store that fails when told.
#![allow(dead_code, unreachable_pub, reason = "each test uses what it needs")]

use std::future::ready;
use std::net::SocketAddr;
use std::panic::Location;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use lastseen::conformance::{Fault, Faults, Faulty};
use lastseen::http::PeerAddr;
use lastseen::{ManualClock, MemoryStore, Tracker};
use lastseen_server::app::{AppState, app};
use lastseen_server::settings::Settings;
use lastseen_server::store::Shared;
use serde_json::Value;
use tower::ServiceExt;

pub struct Service {
    app: Router,
    pub tracker: Tracker,
    pub clock: ManualClock,
    pub faults: Faults,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Service {
    /// With the settings' defaults, at 03:15.
    pub async fn start() -> Self {
        Self::with(&Settings::default()).await
    }

    pub async fn with(settings: &Settings) -> Self {
        Self::begin(settings, None).await
    }

    /// On a store that fails from the start.
    pub async fn on_dead_store(settings: &Settings) -> Self {
        Self::begin(settings, Some(Fault::every())).await
    }

    async fn begin(settings: &Settings, fault: Option<Fault>) -> Self {
        let clock = ManualClock::new("2026-11-24T03:15:00Z".parse().unwrap());
        let store = Faulty::new(MemoryStore::new());
        let faults = store.faults();
        if let Some(fault) = fault {
            faults.inject(fault);
        }
        let tracker = Tracker::builder(store.clone()).clock(clock.clone()).start().await.unwrap();
        let shared = Shared::by(settings.addresses, move || ready(Ok(store.clone())));
        let app = app(AppState::new(tracker.clone(), clock.clone(), settings).unwrap().sharing(shared));
        Self { app, tracker, clock, faults }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let Ok(response) = self.app.clone().oneshot(request).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status, headers: head.headers, body: String::from_utf8(body.into()).unwrap() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Request::delete(path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, json: &str) -> Answer {
        self.body(Method::POST, path, "application/json", json.to_owned()).await
    }

    pub async fn put(&self, path: &str, json: &str) -> Answer {
        self.body(Method::PUT, path, "application/json", json.to_owned()).await
    }

    pub async fn body(&self, method: Method, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(path).header("content-type", content_type);
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Begins to listen to events.
    pub async fn listen(&self, request: Request<Body>) -> Listening {
        let Ok(response) = self.app.clone().oneshot(request).await;
        assert_eq!(response.status(), StatusCode::OK, "{response:?}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Listening(response.into_body())
    }

    /// The ids in the list.
    pub async fn online(&self) -> Vec<String> {
        let users = self.get("/v1/online").await.json()["users"].clone();
        users.as_array().unwrap().iter().map(|user| user["user"].as_str().unwrap().to_owned()).collect()
    }
}

/// The settings with these values and otherwise the defaults.
pub fn settings(values: &Value) -> Settings {
    Settings::load(None, values).unwrap().0
}

/// A stream of events, of which nothing is read before it is asked for.
pub struct Listening(Body);

/// An event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: String,
    pub id: Option<String>,
    pub data: Value,
}

impl Listening {
    /// The next chunk, once there is one; `None` at the end. Where none ever comes the test fails, and doesn't hang.
    #[track_caller]
    pub fn chunk(&mut self) -> impl Future<Output = Option<Bytes>> {
        let caller = Location::caller();
        async move {
            let Ok(frame) = tokio::time::timeout(Duration::from_secs(10), self.0.frame()).await else {
                panic!("{caller}: no more events");
            };
            Some(frame?.unwrap().into_data().unwrap())
        }
    }

    /// The events of the next chunk that has any.
    #[track_caller]
    pub fn next(&mut self) -> impl Future<Output = Vec<Event>> {
        let caller = Location::caller();
        async move {
            loop {
                let Some(chunk) = self.chunk().await else { panic!("{caller}: the stream has ended") };
                let texts = str::from_utf8(&chunk).unwrap().split_terminator("\n\n");
                let events: Vec<_> = texts.filter_map(event).collect();
                if !events.is_empty() {
                    return events;
                }
            }
        }
    }

    /// Whether nothing is there to be read by now, though everybody else had their turn.
    pub async fn is_silent(&mut self) -> bool {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        tokio::select! {
            biased;
            _ = self.0.frame() => false,
            () = std::future::ready(()) => true,
        }
    }
}

/// Nothing where it is another line than one of an event.
fn event(text: &str) -> Option<Event> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Some(Event {
        name: field("event")?.to_owned(),
        id: field("id").map(str::to_owned),
        data: serde_json::from_str(field("data")?).unwrap(),
    })
}

/// A request whose socket's peer is this one.
pub fn from_peer(peer: &str) -> axum::http::request::Builder {
    Request::builder().extension(PeerAddr(SocketAddr::new(peer.parse().unwrap(), 4711)))
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// That it is a problem of this status, and its detail.
    #[track_caller]
    pub fn problem(&self, status: StatusCode) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["title"], status.canonical_reason().unwrap());
        assert_eq!(problem["status"], status.as_u16());
        problem["detail"].as_str().unwrap().to_owned()
    }
}
