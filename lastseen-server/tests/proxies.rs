//! `GET /v1/check`: what proxies report of their own requests, and who is believed.

mod service;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::request::Builder;
use lastseen::UserId;
use lastseen_server::settings::Settings;
use service::{Service, from_peer};

async fn behind_proxies() -> Service {
    let flags = serde_json::json!({ "trust_proxy": ["10.0.0.0/8"], "skip": ["^static/"] });
    Service::with(&Settings::load(None, &flags).unwrap().0).await
}

async fn check(service: &Service, request: Builder) -> StatusCode {
    service.send(request.uri("/v1/check").body(Body::empty()).unwrap()).await.status
}

#[tokio::test]
async fn rule_11_a_trusted_proxy_reports_user_and_address() {
    let service = behind_proxies().await;
    let request = from_peer("10.0.0.1")
        .header("remote-user", "ada")
        .header("x-forwarded-for", "1.1.1.1, 203.0.113.7, 10.0.0.2")
        .header("x-original-uri", "/about");
    assert_eq!(check(&service, request).await, StatusCode::NO_CONTENT);
    let ada = service.tracker.last_seen(&UserId::new("ada").unwrap()).await.unwrap().unwrap();
    assert_eq!(ada.ip, "203.0.113.7".parse().ok());
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let service = behind_proxies().await;
    let request = from_peer("192.0.2.1").header("remote-user", "ada").uri("/v1/check").body(Body::empty()).unwrap();
    let detail = service.send(request).await.problem(StatusCode::FORBIDDEN);
    assert!(detail.contains("192.0.2.1") && detail.contains("--trust-proxy"), "{detail}");
    let by_default = Service::start().await;
    assert_eq!(check(&by_default, from_peer("127.0.0.1").header("remote-user", "ada")).await, StatusCode::FORBIDDEN);
    assert_eq!(service.tracker.status().touches + by_default.tracker.status().touches, 0);
}

#[tokio::test]
async fn rule_10_what_is_skipped_passes_and_counts_for_nothing() {
    let service = behind_proxies().await;
    for header in ["x-original-uri", "x-forwarded-uri"] {
        let request = from_peer("10.0.0.1").header("remote-user", "ada").header(header, "/static/logo.png?v=1");
        assert_eq!(check(&service, request).await, StatusCode::NO_CONTENT);
    }
    assert_eq!(service.tracker.count(), 0);
    // In doubt it counts.
    let request = from_peer("10.0.0.1").header("remote-user", "ada").header("x-original-uri", "no target");
    assert_eq!(check(&service, request).await, StatusCode::NO_CONTENT);
    assert_eq!(service.tracker.count(), 1);
}

#[tokio::test]
async fn a_request_of_nobody_or_of_someone_who_can_t_be_passes() {
    let service = behind_proxies().await;
    for request in [from_peer("10.0.0.1"), from_peer("10.0.0.1").header("remote-user", "")] {
        assert_eq!(check(&service, request).await, StatusCode::NO_CONTENT);
    }
    let long = "x".repeat(129);
    assert_eq!(check(&service, from_peer("10.0.0.1").header("remote-user", long)).await, StatusCode::NO_CONTENT);
    assert_eq!(service.tracker.status().users, 0);
}
