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

/// A site with pictures below one path, a page below another, and a page of its own for everything else. Each answers with what
/// axum took the request for.
fn pictures_and_pages(tracker: Tracker) -> Router {
    let last_activity =
        LastActivityLayer::new(tracker, user_of).skip(SkipRules::new([r"^static/", r"\.png$"]).unwrap());
    Router::new()
        .route("/static/{*file}", get("picture"))
        .route("/static/", get("picture"))
        .route("/static", get("page"))
        .route("/post/{id}", get("page"))
        .fallback(|| async { "page" })
        .layer(last_activity)
        .layer(from_fn(authenticate))
}

/// What axum's router takes a target for, and whether it counts.
async fn seen_as(target: &str) -> Option<(String, bool)> {
    target.parse::<axum::http::Uri>().ok()?;
    let tracker = tracker().await;
    let site = pictures_and_pages(tracker.clone());
    let answer = site.oneshot(request("GET", target, Some("ada"))).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    Some((String::from_utf8(body.to_vec()).unwrap(), tracker.is_online(&ada())))
}

#[tokio::test]
async fn rule_10_the_rules_see_what_axum_s_router_sees() {
    for (target, took, counts) in [
        ("/static/a.css", "picture", false),
        ("/static/a.css?next=/post/1", "picture", false),
        ("/post/1?x=/static/a", "page", true),
        ("http://site.example/static/a.css", "picture", false),
        ("http://site.example/post/1", "page", true),
        ("http://static/post/1", "page", true),
        ("/static/a%20b", "picture", false),
        // axum doesn't decode before it looks.
        ("/%73tatic/a.css", "page", true),
        ("/%2573tatic/a.css", "page", true),
        ("/static%2Fa.css", "page", true),
        ("//static/a.css", "page", true),
        ("/./static/a.css", "page", true),
        ("/x/../static/a.css", "page", true),
        ("/Static/a.css", "page", true),
        ("/static", "page", true),
        // To axum these are pictures, to others perhaps not: in doubt they count.
        ("/static/../post/1", "picture", true),
        ("/static/%2e%2e/post/1", "picture", true),
        ("/static/..%2Fpost/1", "picture", true),
        ("/static//a.css", "picture", true),
        ("/static/%zz", "picture", true),
        ("/static/%FF", "picture", true),
        ("/static/a%00", "picture", true),
    ] {
        assert_eq!(seen_as(target).await, Some((took.to_owned(), counts)), "{target}");
    }
}

proptest::proptest! {
    #[test]
    fn rule_10_nothing_that_axum_takes_for_a_page_below_pictures_is_skipped(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "/", "static", "%73tatic", "stati%63", "post", ".", "..", "%2e", "%2F", "%5c", "\\", ";", "%00", "%25", "%", "a",
                "%C3%A9", "?", "static/", "//", "Static", ":", "@",
            ]),
            1..8,
        ),
    ) {
        let target = format!("/{}", pieces.concat());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        if let Some((took, counts)) = runtime.block_on(seen_as(&target)) {
            proptest::prop_assert!(counts || took == "picture", "{} is a {}, and was skipped", target, took);
        }
    }
}
