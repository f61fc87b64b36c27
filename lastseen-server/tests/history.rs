//! What the server tells of the past: the calls, and the part of the page.

mod service;

use std::time::Duration;

use axum::http::StatusCode;
use lastseen::conformance::{Fault, Operation};
use lastseen::{Activity, UserId};
use serde_json::{Value, json};
use service::Service;

/// The part of the page that tells of the past.
async fn part(service: &Service) -> String {
    let page = service.get("/").await;
    let part = service.get("/history").await.body;
    assert!(page.body.contains(&format!("<div id=\"history\">{part}</div>")), "{page:?}");
    part
}

/// Lets time pass a second at a time, and everybody who counts has their turn.
async fn pass(service: &Service, seconds: u32) {
    for _ in 0..seconds {
        service.clock.advance(Duration::from_secs(1));
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
}

/// A service of which two users were online for a minute, and one of them for another.
async fn measured() -> Service {
    let service = Service::start().await;
    pass(&service, 1).await;
    service.post("/v1/touch", r#"{"user":"ada"}"#).await;
    service.post("/v1/touch", r#"{"user":"bob"}"#).await;
    pass(&service, 30).await;
    service.post("/v1/leave", r#"{"user":"bob"}"#).await;
    pass(&service, 59).await;
    service
}

#[tokio::test]
async fn history_tells_how_many_were_online_and_the_most_ever() {
    let service = measured().await;
    assert_eq!(
        service.get("/v1/history").await.json(),
        json!({
            "as_of": "2026-11-24T03:16:30Z",
            "from": "2026-11-23T03:16:30Z",
            "to": "2026-11-24T03:16:30Z",
            "resolution_seconds": 60,
            "spans": [
                { "at": "2026-11-24T03:15:00Z", "online": 0, "peak": 2 },
                { "at": "2026-11-24T03:16:00Z", "online": 1, "peak": 1 },
            ],
            "most_online": { "online": 2, "at": "2026-11-24T03:15:02Z" },
        })
    );
    let hours = service.get("/v1/history?from=2026-11-01T00:00:00Z").await.json();
    assert_eq!(hours["resolution_seconds"], 3600);
    assert_eq!(hours["spans"], json!([{ "at": "2026-11-24T03:00:00Z", "online": 1, "peak": 2 }]));
    let tens = service.get("/v1/history?resolution=10m&to=2026-11-24T03:12:00Z").await.json();
    assert_eq!(
        (&tens["resolution_seconds"], &tens["spans"]),
        (
            &json!(600),
            &json!([{
                "at": "2026-11-24T03:10:00Z", "online": 1, "peak": 2,
            }])
        )
    );
}

#[tokio::test]
async fn active_tells_of_a_day_its_week_and_its_month() {
    let service = Service::start().await;
    for (user, at) in [
        ("ada", "24T01:00:00"),
        ("bob", "23T23:59:59"),
        ("bob", "24T00:00:00"),
        ("eve", "18T00:00:00"),
        ("joe", "01T00:00:00"),
    ] {
        let at = format!("2026-11-{at}Z").parse().unwrap();
        service.tracker.record(Activity { user: UserId::new(user).unwrap(), at, ip: None }).await.unwrap();
    }
    let active = async |query: &str| {
        let answer = service.get(&format!("/v1/active{query}")).await.json();
        ["day", "daily", "weekly", "monthly"].map(|field| answer[field].clone())
    };
    assert_eq!(active("").await, [json!("2026-11-24"), json!(2), json!(3), json!(4)]);
    assert_eq!(active("?day=2026-11-23").await, [json!("2026-11-23"), json!(1), json!(2), json!(3)]);
    assert_eq!(active("?day=2026-08-25").await, [json!("2026-08-25"), json!(0), Value::Null, Value::Null]);
    service.delete("/v1/users/bob").await;
    assert_eq!(active("").await, [json!("2026-11-24"), json!(1), json!(2), json!(3)]);
}

#[tokio::test]
async fn what_can_not_be_told_is_named() {
    let service = Service::start().await;
    for (path, named) in [
        ("/v1/history?from=noon", "\"noon\""),
        ("/v1/history?resolution=1d", "\"1d\" is not a resolution"),
        ("/v1/history?from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z is after"),
        ("/v1/active?day=today", "\"today\" is not a day"),
        ("/v1/active?day=2026-11-25", "2026-08-25 to 2026-11-24"),
        ("/v1/active?day=2026-08-24", "2026-08-25 to 2026-11-24"),
        ("/v1/active?from=x", "from"),
    ] {
        let problem = service.get(path).await.problem(StatusCode::BAD_REQUEST);
        assert!(problem.contains(named), "{path}: {problem}");
    }
    service.faults.inject(Fault::every().on(Operation::History));
    let problem = service.get("/v1/history").await.problem(StatusCode::SERVICE_UNAVAILABLE);
    assert!(problem.contains("reading the history"), "{problem}");
}

#[tokio::test]
async fn the_page_shows_the_record_who_comes_and_two_charts() {
    let service = measured().await;
    let part = part(&service).await;
    assert!(part.contains(r#"<span class="record-number">2</span>"#), "{part}");
    assert!(part.contains(r#"<time class="record-when" datetime="2026-11-24T03:15:02Z""#), "{part}");
    for (users, days) in [(2, "today"), (2, "in 7 days"), (2, "in 30 days")] {
        assert!(part.contains(&format!("<dt>{days}</dt><dd>{users}</dd>")), "{days}: {part}");
    }
    for (chart, title) in [("day", "last 24 hours"), ("month", "last 30 days")] {
        assert!(part.contains(&format!(r#"aria-labelledby="{chart}-title {chart}-desc""#)), "{part}");
        assert!(
            part.contains(&format!(r#"<title id="{chart}-title">How many were online: {title}</title>"#)),
            "{part}"
        );
    }
    assert_eq!(part.matches("the most at 24 Nov 2026, 03:").count(), 2, "{part}");
    // What is measured reaches to the right edge, and nothing was measured before.
    assert_eq!(part.matches(r#"class="area" d="M3"#).count(), 2, "{part}");
    assert_eq!(part.matches(r#"H360V104Z""#).count(), 2, "{part}");
}

/// However many look at it, and however often.
#[tokio::test]
async fn the_page_asks_the_store_for_the_past_twice_a_minute() {
    let service = measured().await;
    let reads = || service.faults.calls(Operation::History);
    for _ in 0..5 {
        part(&service).await;
    }
    assert_eq!(reads(), 2, "one for each chart");
    pass(&service, 31).await;
    part(&service).await;
    assert_eq!(reads(), 4);
}

#[tokio::test]
async fn a_store_that_does_not_tell_of_the_past_takes_nothing_else_from_the_page() {
    let service = measured().await;
    service.faults.inject(Fault::every().on(Operation::MostOnline));
    let told = part(&service).await;
    assert!(told.contains(r#"<p class="trouble">The history can&#39;t be shown: the store failed"#), "{told}");
    assert!(service.get("/").await.body.contains(r#"<bdi class="name">ada</bdi>"#));

    // Where nobody was ever here there is nothing to show.
    assert_eq!(part(&Service::start().await).await, "");
}
