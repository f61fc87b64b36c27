//! What those see who needn't say who they are: the widget's calls, and the beacon with the site's tickets.

mod service;

use std::io::Write as _;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use lastseen::UserId;
use serde_json::json;
use service::{Answer, Service, from_peer, settings};
use tempfile::NamedTempFile;

/// Guests see this much; and there are tokens, which they haven't.
async fn showing(guests: &str) -> Service {
    let token = format!("me:admin:{}", "0".repeat(64));
    Service::with(&settings(&json!({ "guests": guests, "tokens": [token] }))).await
}

fn touch(service: &Service, user: &str) {
    service.tracker.touch(&UserId::new(user).unwrap(), "203.0.113.7".parse().ok());
}

async fn name(service: &Service, user: &str, profile: lastseen::Profile) {
    service.tracker.set_profile(&UserId::new(user).unwrap(), profile).await.unwrap();
}

/// Three with a name, of whom one hides, and one without.
async fn crowd(service: &Service) {
    for user in ["id-of-ada", "id-of-eve", "id-of-bob", "id-of-zoe"] {
        touch(service, user);
        service.clock.advance(Duration::from_millis(10));
    }
    name(service, "id-of-ada", lastseen::Profile::named("Ada")).await;
    name(service, "id-of-eve", lastseen::Profile::named("Eve").hidden(true)).await;
    name(service, "id-of-zoe", lastseen::Profile::named("<b>Zoe</b>")).await;
}

fn listen() -> Request<Body> {
    Request::get("/v1/guest/events").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn guests_see_nothing_unless_told_otherwise() {
    for service in [Service::start().await, showing("off").await] {
        crowd(&service).await;
        for path in ["/v1/guest/online", "/v1/guest/events"] {
            let answer = service.get(path).await;
            assert!(answer.problem(StatusCode::FORBIDDEN).contains("`guests` is off"), "{answer:?}");
            // So that a page's own script can tell.
            assert_eq!(answer.headers["access-control-allow-origin"], "*");
        }
    }
}

#[tokio::test]
async fn a_count_is_a_count() {
    let service = showing("count").await;
    crowd(&service).await;
    let answer = json!({ "as_of": "2026-11-24T03:15:00.04Z", "window_seconds": 900, "count": 3 });
    assert_eq!(service.get("/v1/guest/online").await.json(), answer);
    assert_eq!(service.listen(listen()).await.next().await[0].data, answer);
}

#[tokio::test]
async fn rule_12_names_are_names_without_ids_dates_or_addresses() {
    let service = showing("names").await;
    crowd(&service).await;
    let answer = json!({
        "as_of": "2026-11-24T03:15:00.04Z",
        "window_seconds": 900,
        "count": 3,
        "users": [{ "name": "<b>Zoe</b>" }, { "name": "Ada" }],
    });
    assert_eq!(service.get("/v1/guest/online").await.json(), answer);
    assert_eq!(service.get("/v1/guest/online?limit=1").await.json()["users"], json!([{ "name": "<b>Zoe</b>" }]));
    let mut client = service.listen(listen()).await;
    assert_eq!(client.next().await[0].data, answer);
    // What the token opens stays closed.
    for path in ["/v1/online", "/v1/events", "/v1/users/id-of-ada"] {
        service.get(path).await.problem(StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn the_list_comes_whole_whenever_it_looks_different() {
    let service = showing("names").await;
    crowd(&service).await;
    let mut client = service.listen(listen()).await;
    client.next().await;
    // The newest is newer still, and someone without a name has come in one's place: nobody could tell.
    touch(&service, "id-of-zoe");
    service.tracker.leave(&UserId::new("id-of-bob").unwrap());
    touch(&service, "id-of-kim");
    service.clock.advance(Duration::from_secs(1));
    assert!(client.is_silent().await);

    touch(&service, "id-of-ada");
    service.clock.advance(Duration::from_secs(1));
    let ada_first = json!([{ "name": "Ada" }, { "name": "<b>Zoe</b>" }]);
    assert_eq!(client.next().await[0].data["users"], ada_first);
    service.tracker.leave(&UserId::new("id-of-kim").unwrap());
    service.clock.advance(Duration::from_secs(1));
    let event = client.next().await.remove(0);
    assert_eq!(
        (event.name.as_str(), &event.data["count"], event.data["users"].clone()),
        ("online", &json!(2), ada_first)
    );
}

#[tokio::test]
async fn nobody_is_told_to_be_there_only_once_that_is_known() {
    let service = Service::on_dead_store(&settings(&json!({ "guests": "count" }))).await;
    let answer = service.get("/v1/guest/online").await;
    assert!(answer.problem(StatusCode::SERVICE_UNAVAILABLE).contains("read from the store"), "{answer:?}");
    let mut client = service.listen(listen()).await;
    assert!(client.chunk().await.is_some_and(|chunk| chunk.starts_with(b"retry: ")));
    assert!(client.is_silent().await);
    // Who comes is shown.
    touch(&service, "ada");
    service.clock.advance(Duration::from_secs(1));
    assert_eq!(client.next().await[0].data["count"], 1);
    assert_eq!(service.get("/v1/guest/online").await.json()["count"], 1);
}

#[tokio::test]
async fn pages_of_any_site_may_load_the_scripts_and_ask_without_cookies() {
    let service = showing("names").await;
    for path in ["/widget.js", "/beacon.js", "/v1/guest/online"] {
        let request =
            Request::get(path).header("origin", "https://site.example").header("sec-fetch-site", "cross-site");
        let answer = service.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        assert_eq!(answer.headers["cross-origin-resource-policy"], "cross-origin");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert!(answer.headers.get("access-control-allow-credentials").is_none());
        if !path.starts_with("/v1/") {
            assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/javascript"));
            assert!(answer.headers["cache-control"].to_str().unwrap().starts_with("public, max-age="));
        }
    }
    let widget = service.get("/widget.js").await.body;
    assert!(widget.len() < 6 * 1024, "{} bytes", widget.len());
}

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// The signature is `hmac.new(KEY, b"1795490400.ada", "sha256").hexdigest()`: until five minutes from now.
const TICKET: &str = "1795490400.ce1b41893e5792c8358b484822ced997b6de7fd65b82c0cdca8ac164e5292345.ada";

async fn with_tickets() -> (Service, NamedTempFile) {
    let mut file = NamedTempFile::new().unwrap();
    writeln!(file, "{KEY}").unwrap();
    let settings = settings(&json!({ "ticket_key_file": file.path(), "trust_proxy": ["10.0.0.0/8"] }));
    (Service::with(&settings).await, file)
}

/// As a browser sends it for another site's page.
async fn beacon(service: &Service, body: &str) -> Answer {
    let request = from_peer("10.0.0.1")
        .method("POST")
        .uri("/v1/beacon")
        .header("origin", "https://site.example")
        .header("sec-fetch-site", "cross-site")
        .header("content-type", "text/plain;charset=UTF-8")
        .header("x-forwarded-for", "203.0.113.7");
    service.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn a_ticket_keeps_its_user_online_and_no_other() {
    let (service, _key) = with_tickets().await;
    assert_eq!(beacon(&service, TICKET).await.status, StatusCode::NO_CONTENT);
    assert_eq!(service.online().await, ["ada"]);
    let ada = service.tracker.last_seen(&UserId::new("ada").unwrap()).await.unwrap().unwrap();
    assert_eq!(ada.ip, "203.0.113.7".parse().ok());

    for (body, status) in [
        (TICKET.replace("ada", "eve"), StatusCode::UNAUTHORIZED),
        (TICKET.replace("1795490400", "1795499999"), StatusCode::UNAUTHORIZED),
        (TICKET.replace(".ada", ""), StatusCode::BAD_REQUEST),
        (r#"{"user":"eve"}"#.to_owned(), StatusCode::BAD_REQUEST),
        (format!("{TICKET}{}", "x".repeat(256)), StatusCode::PAYLOAD_TOO_LARGE),
        (String::new(), StatusCode::BAD_REQUEST),
    ] {
        let answer = beacon(&service, &body).await;
        answer.problem(status);
        assert!(!answer.body.contains(&TICKET[11..75]), "{answer:?}");
    }
    service.clock.advance(Duration::from_mins(5));
    assert!(beacon(&service, TICKET).await.problem(StatusCode::UNAUTHORIZED).contains("ended at 2026-11-24T03:20:00Z"));
    assert_eq!(service.tracker.status().touches, 1);
}

#[tokio::test]
async fn without_a_key_there_are_no_tickets() {
    let service = Service::start().await;
    assert!(beacon(&service, TICKET).await.problem(StatusCode::FORBIDDEN).contains("ticket_key_file"));
    assert_eq!(service.tracker.status().touches, 0);
}
