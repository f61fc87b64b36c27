//! What axum adds: the peer's address, the tracker as an argument, handlers that let users in and out.
#![cfg(feature = "axum")]

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::MockConnectInfo;
use axum::extract::{FromRef, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http_body_util::BodyExt;
use lastseen::{LastActivityLayer, ManualClock, MemoryStore, SignedIn, SkipRules, Tracker, UserId};
use tower::{Service, ServiceExt};

const PEER: &str = "203.0.113.7:50000";

/// What `authenticate` leaves in a request.
#[derive(Clone)]
struct Session(UserId);

/// An authentication for tests: whoever is named in the header is signed in.
async fn authenticate(mut request: Request, next: Next) -> Response {
    let user = request.headers().get("x-user").and_then(|user| user.to_str().ok()?.parse().ok());
    if let Some(user) = user {
        request.extensions_mut().insert(Session(user));
    }
    next.run(request).await
}

fn user_of(request: &Parts) -> Option<UserId> {
    request.extensions.get().map(|Session(user)| user.clone())
}

fn ada() -> UserId {
    UserId::new("ada").unwrap()
}

async fn tracker() -> Tracker {
    let clock = ManualClock::new("2026-11-24T01:00:00Z".parse().unwrap());
    Tracker::builder(MemoryStore::new()).clock(clock).start().await.unwrap()
}

fn request(method: &str, path: &str, user: Option<&str>) -> Request {
    let request = Request::builder().method(method).uri(path);
    let request = user.into_iter().fold(request, |request, user| request.header("x-user", user));
    request.body(Body::empty()).unwrap()
}

async fn get_as_ada(site: &Router, path: &str) -> StatusCode {
    site.clone().oneshot(request("GET", path, Some("ada"))).await.unwrap().status()
}

fn address(tracker: &Tracker) -> Option<IpAddr> {
    tracker.online(1).users[0].ip
}

#[tokio::test]
async fn rule_11_the_peer_is_the_connections_in_earnest_and_in_tests() {
    let peer: SocketAddr = PEER.parse().unwrap();
    let tracker = tracker().await;
    let site = Router::new()
        .route("/", get("home"))
        .layer(LastActivityLayer::new(tracker.clone(), user_of))
        .layer(from_fn(authenticate));

    get_as_ada(&site, "/").await;
    assert_eq!(address(&tracker), None);

    // At the same date the greater address stays, and any is greater than none.
    get_as_ada(&site.clone().layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 1)))), "/").await;
    assert_eq!(address(&tracker), Some([192, 0, 2, 1].into()));

    let mut server = site.into_make_service_with_connect_info::<SocketAddr>();
    let connection = server.call(peer).await.unwrap();
    connection.oneshot(request("GET", "/", Some("ada"))).await.unwrap();
    assert_eq!(address(&tracker), Some(peer.ip()));
}

#[derive(Clone)]
struct Site {
    tracker: Tracker,
}

impl FromRef<Site> for Tracker {
    fn from_ref(site: &Site) -> Self {
        site.tracker.clone()
    }
}

async fn how_many(tracker: Tracker) -> String {
    tracker.count().to_string()
}

async fn sign_in() -> impl IntoResponse {
    (SignedIn(ada()), Redirect::to("/"))
}

async fn sign_in_briefly() -> SignedIn {
    SignedIn(ada())
}

async fn fail_to_sign_in() -> (StatusCode, Option<SignedIn>, &'static str) {
    (StatusCode::UNAUTHORIZED, None, "wrong password")
}

async fn sign_out(tracker: Tracker) -> Redirect {
    tracker.leave(&ada());
    Redirect::to("/")
}

fn site(tracker: Tracker) -> Router {
    Router::new()
        .route("/how-many", get(how_many))
        .route("/sign-in", post(sign_in))
        .route("/sign-in-briefly", post(sign_in_briefly))
        .route("/fail", post(fail_to_sign_in))
        .route("/sign-out", post(sign_out))
        .layer(LastActivityLayer::new(tracker.clone(), user_of).skip(SkipRules::new(["^sign-"]).unwrap()))
        .layer(from_fn(authenticate))
        .layer(MockConnectInfo(PEER.parse::<SocketAddr>().unwrap()))
        .with_state(Site { tracker })
}

async fn body(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn a_handler_takes_the_tracker_from_the_state_or_a_part_of_it() {
    let tracker = tracker().await;
    tracker.touch(&ada(), None);
    let whole = Router::new().route("/how-many", get(how_many)).with_state(tracker.clone());
    for site in [whole, site(tracker)] {
        assert_eq!(body(site.oneshot(request("GET", "/how-many", None)).await.unwrap()).await, "1");
    }
}

#[tokio::test]
async fn a_handler_reports_whom_it_has_let_in_and_out() {
    for (path, status) in [("/sign-in", StatusCode::SEE_OTHER), ("/sign-in-briefly", StatusCode::OK)] {
        let tracker = tracker().await;
        let site = site(tracker.clone());

        let response = site.clone().oneshot(request("POST", "/fail", None)).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(tracker.count(), 0);

        let response = site.clone().oneshot(request("POST", path, None)).await.unwrap();
        assert_eq!(response.status(), status);
        assert!(tracker.is_online(&ada()), "{path}");
        assert_eq!(address(&tracker), Some([203, 0, 113, 7].into()));

        let response = site.oneshot(request("POST", "/sign-out", Some("ada"))).await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert!(!tracker.is_online(&ada()));
    }
}
