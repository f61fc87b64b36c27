//! `/metrics`: the numbers are right, and say nothing of anybody.

mod service;

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use lastseen::conformance::{Fault, Operation};
use lastseen_server::settings::Settings;
use service::{Service, from_peer, settings};

async fn value(service: &Service, name: &str) -> f64 {
    let answer = service.get("/metrics").await;
    let mut lines = answer.body.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{name} is not in {}", answer.body)).parse().unwrap()
}

async fn service() -> Service {
    let flags = serde_json::json!({ "trust_proxy": ["10.0.0.0/8"], "skip": ["^static/", "\\.png$"] });
    Service::with(&Settings::load(None, &flags).unwrap().0).await
}

#[tokio::test]
async fn what_happens_is_counted() {
    let service = service().await;
    service.post("/v1/touch", r#"{"user":"ada","ip":"203.0.113.7"}"#).await;
    service.post("/v1/touch", r#"{"user":"bob"}"#).await;
    for target in ["/static/a.css", "/static/b.css", "/c.png"] {
        let request = from_peer("10.0.0.1").header("remote-user", "cy").header("x-original-uri", target);
        let answer = service.send(request.uri("/v1/check").body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    service.tracker.flush().await.unwrap();
    for (name, expected) in [
        ("lastseen_touches_total", 2.0),
        ("lastseen_touches_refused_total", 0.0),
        ("lastseen_skipped_total{rule=\"0\"}", 2.0),
        ("lastseen_skipped_total{rule=\"1\"}", 1.0),
        ("lastseen_online_users", 2.0),
        ("lastseen_memory_users", 2.0),
        ("lastseen_pending_users", 0.0),
        ("lastseen_ready", 1.0),
        ("lastseen_flush_batches_total", 1.0),
        ("lastseen_flush_records_total", 2.0),
        ("lastseen_flush_last_batch_records", 2.0),
        ("lastseen_flush_lag_seconds", 0.0),
        ("lastseen_syslog_datagrams_total{outcome=\"touched\"}", 0.0),
        ("lastseen_syslog_dropped_total", 0.0),
    ] {
        assert!((value(&service, name).await - expected).abs() < 1e-9, "{name}");
    }
}

#[tokio::test]
async fn a_store_that_fails_is_seen() {
    let service = service().await;
    service.faults.inject(Fault::every());
    service.post("/v1/touch", r#"{"user":"ada"}"#).await;
    assert!(service.tracker.flush().await.is_err());
    assert!(value(&service, "lastseen_store_errors_total{kind=\"flush\"}").await >= 1.0);
    assert!(value(&service, "lastseen_ready").await < 0.5);
    assert!(value(&service, "lastseen_pending_users").await > 0.5);
    // Its retries fail too, whenever they come.
    service.clock.advance(Duration::from_secs(90));
    assert!(value(&service, "lastseen_flush_lag_seconds").await >= 90.0);
}

#[tokio::test]
async fn a_history_that_is_not_kept_is_seen() {
    let service = service().await;
    service.faults.inject(Fault::every().on(Operation::WriteHistory));
    // Somebody was counted, and that is written behind the requests, at the latest at the end.
    service.clock.advance(Duration::from_secs(2));
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert!(service.tracker.shutdown().await.is_err());
    assert!(value(&service, "lastseen_store_errors_total{kind=\"history\"}").await >= 1.0);
    assert!(value(&service, "lastseen_store_errors_total{kind=\"flush\"}").await < 0.5);
}

#[tokio::test]
async fn who_listens_is_counted_and_who_may_not() {
    let service = Service::with(&settings(&serde_json::json!({ "event_clients": "2" }))).await;
    let listen = || Request::get("/v1/events").body(Body::empty()).unwrap();
    let [first, second] = [service.listen(listen()).await, service.listen(listen()).await];
    assert_eq!(service.send(listen()).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!((value(&service, "lastseen_event_clients").await - 2.0).abs() < 1e-9);
    assert!((value(&service, "lastseen_event_clients_refused_total").await - 1.0).abs() < 1e-9);
    drop((first, second));
    assert!(value(&service, "lastseen_event_clients").await < 0.5);
}

#[tokio::test]
async fn rule_12_nobody_is_named_and_who_hides_is_not_counted() {
    let service = service().await;
    for user in ["ada", "bob"] {
        service.post("/v1/touch", &serde_json::json!({ "user": user, "ip": "203.0.113.7" }).to_string()).await;
    }
    service.put("/v1/users/bob", r#"{"hidden":true}"#).await;
    let body = service.get("/metrics").await.body;
    assert!(!["ada", "bob", "203.0.113.7"].iter().any(|named| body.contains(named)), "{body}");
    assert!((value(&service, "lastseen_online_users").await - 1.0).abs() < 1e-9);
}

#[tokio::test]
async fn it_is_the_format_that_prometheus_reads() {
    let answer = service().await.get("/metrics").await;
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let documented = include_str!("../../docs/metrics.md");
    let mut described = None;
    for line in answer.body.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            described = help.split_once(' ').map(|(name, _)| name);
            assert!(help.ends_with('.'), "{line}");
            let name = described.unwrap();
            let written = [format!("| `{name}` |"), format!("| `{name}{{")];
            assert!(written.iter().any(|written| documented.contains(written)), "{name} is not documented");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(described, Some(name));
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(name.split('{').next(), described, "{line}");
            assert!(value.parse::<f64>().unwrap() >= 0.0, "{line}");
        }
    }
}
