//! What the calls below `/v1` do, and what operators are told.

mod service;

use std::time::Duration;

use axum::http::{Method, StatusCode};
use lastseen::UserId;
use lastseen::conformance::{Fault, Operation};
use serde_json::json;
use service::Service;

#[tokio::test]
async fn a_touch_puts_its_user_into_list_and_count() {
    let service = Service::start().await;
    let answer = service.post("/v1/touch", r#"{"user":"42","ip":"203.0.113.7"}"#).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::ACCEPTED, json!({ "accepted": 1 })));
    service.clock.advance(Duration::from_secs(3));
    service.post("/v1/touch", r#"{"user":7,"at":"2026-11-24T03:14:00Z"}"#).await;

    assert_eq!(
        service.get("/v1/online").await.json(),
        json!({
            "as_of": "2026-11-24T03:15:03Z",
            "window_seconds": 900,
            "count": 2,
            "users": [
                {
                    "user": "42",
                    "name": null,
                    "last_activity_date": "2026-11-24T03:15:00Z",
                    "last_activity_ip": "203.0.113.7",
                },
                {
                    "user": "7",
                    "name": null,
                    "last_activity_date": "2026-11-24T03:14:00Z",
                    "last_activity_ip": null,
                },
            ],
        })
    );
    assert_eq!(
        service.get("/v1/online/count?window=30s").await.json(),
        json!({ "as_of": "2026-11-24T03:15:03Z", "window_seconds": 30, "count": 1 })
    );
    let first = service.get("/v1/online?limit=1&window=1h").await.json();
    assert_eq!((&first["count"], first["users"].as_array().unwrap().len()), (&json!(2), 1));
    assert_eq!(service.get("/v1/online?limit=0").await.json()["users"], json!([]));
}

#[tokio::test]
async fn many_touches_come_in_one_body_and_none_of_them_where_one_is_wrong() {
    let service = Service::start().await;
    let answer = service
        .body(Method::POST, "/v1/touch", "application/x-ndjson", "{\"user\":\"a\"}\n{\"user\":\"b\"}\n{\"user\":\n")
        .await;
    assert!(answer.problem(StatusCode::BAD_REQUEST).starts_with("line 3: "), "{answer:?}");
    assert_eq!(answer.json()["line"], 3);

    let ahead = "{\"user\":\"a\"}\n{\"user\":\"b\",\"at\":\"2036-01-01T00:00:00Z\"}";
    for path in ["/v1/touch", "/v1/touch?ack=stored"] {
        let answer = service.post(path, ahead).await;
        let detail = answer.problem(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(detail.starts_with("line 2: ") && detail.contains("2036-01-01T00:00:00Z"), "{detail}");
    }
    assert_eq!(service.tracker.status().touches, 0);

    let answer = service.post("/v1/touch", "{\"user\":\"a\"}\n{\"user\":\"b\"}\n").await;
    assert_eq!(answer.json(), json!({ "accepted": 2 }));
    assert_eq!(service.online().await, ["a", "b"]);
}

#[tokio::test]
async fn rule_9_ack_stored_answers_after_the_commit_alone() {
    let service = Service::start().await;
    let answer = service.post("/v1/touch?ack=stored", "{\"user\":\"a\"}\n{\"user\":\"b\"}").await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "stored": 2 })));
    assert_eq!(service.tracker.status().pending, 0);

    service.faults.inject(Fault::every().on(Operation::Write));
    for (path, body) in [("/v1/touch?ack=stored", r#"{"user":"c"}"#), ("/v1/leave?ack=stored", r#"{"user":"a"}"#)] {
        let answer = service.post(path, body).await;
        assert!(answer.problem(StatusCode::SERVICE_UNAVAILABLE).contains("store"), "{answer:?}");
        assert_eq!(answer.headers["retry-after"], "1");
    }
    // What could not be stored is in force here, and goes on being tried.
    assert_eq!(service.online().await, ["b", "c"]);
    let answer = service.post("/v1/touch", r#"{"user":"d"}"#).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "a store that is down costs a touch nothing");
}

#[tokio::test]
async fn leaving_is_at_once() {
    let service = Service::start().await;
    service.post("/v1/touch", r#"{"user":42}"#).await;
    service.clock.advance(Duration::from_secs(1));
    let answer = service.post("/v1/leave", r#"{"user":42}"#).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::ACCEPTED, json!({ "accepted": 1 })));
    assert!(service.online().await.is_empty());
    assert_eq!(
        service.get("/v1/users/42").await.json(),
        json!({
            "as_of": "2026-11-24T03:15:01Z",
            "user": "42",
            "name": null,
            "online": false,
            "last_activity_date": "2026-11-24T03:15:00Z",
            "last_activity_ip": null,
            "left_at": "2026-11-24T03:15:01Z",
        })
    );
    assert!(
        service.post("/v1/leave", r#"{"user":""}"#).await.problem(StatusCode::UNPROCESSABLE_ENTITY).contains("empty")
    );
}

#[tokio::test]
async fn a_user_never_seen_is_not_found_nor_one_who_hides() {
    let service = Service::start().await;
    service.post("/v1/touch", r#"{"user":"ada"}"#).await;
    service.put("/v1/users/ada", r#"{"name":"Ada","hidden":true}"#).await;
    let never = service.get("/v1/users/bob").await;
    let hidden = service.get("/v1/users/ada").await;
    assert_eq!(never.problem(StatusCode::NOT_FOUND), "the user bob was never seen");
    assert_eq!(hidden.problem(StatusCode::NOT_FOUND), "the user ada was never seen");
    assert!(service.online().await.is_empty());
    assert_eq!(service.get("/v1/online/count").await.json()["count"], 0);
    assert!(!service.get("/").await.body.contains("Ada"));
}

#[tokio::test]
async fn what_a_profile_change_leaves_out_stays() {
    let service = Service::start().await;
    service.post("/v1/touch", r#"{"user":"ada"}"#).await;
    let profile = |name, active, hidden| json!({ "user": "ada", "name": name, "active": active, "hidden": hidden });
    for (change, after) in [
        (r#"{"name":"Ada"}"#, profile(Some("Ada"), true, false)),
        (r#"{"hidden":true}"#, profile(Some("Ada"), true, true)),
        (r#"{"hidden":false,"active":false}"#, profile(Some("Ada"), false, false)),
        (r#"{"active":true,"name":null}"#, profile(None, true, false)),
        ("{}", profile(None, true, false)),
    ] {
        let answer = service.put("/v1/users/ada", change).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, after), "{change}");
    }
    service.put("/v1/users/ada", r#"{"name":"Ada"}"#).await;
    assert_eq!(service.get("/v1/online").await.json()["users"][0]["name"], "Ada");
    service.put("/v1/users/ada", r#"{"active":false}"#).await;
    assert!(service.online().await.is_empty(), "an account switched off is gone at once");
}

#[tokio::test]
async fn two_who_change_different_fields_at_once_both_succeed() {
    let service = Service::start().await;
    let (name, hidden) = tokio::join!(
        service.put("/v1/users/ada", r#"{"name":"Ada"}"#),
        service.put("/v1/users/ada", r#"{"hidden":true}"#)
    );
    assert!(name.status.is_success() && hidden.status.is_success());
    let profile = service.tracker.profile(&UserId::new("ada").unwrap()).await.unwrap().unwrap();
    assert_eq!((profile.name(), profile.is_hidden()), (Some("Ada"), true));
}

#[tokio::test]
async fn names_that_can_t_be_shown_are_refused() {
    let service = Service::start().await;
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(257));
    for (change, named) in [
        (r#"{"name":""}"#, "empty"),
        (r#"{"name":"a\u0000"}"#, r#""a\0""#),
        (&long, "257 bytes"),
        (r#"{"nick":"a"}"#, "`nick`"),
    ] {
        let detail = service.put("/v1/users/ada", change).await.problem(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(detail.contains(named), "{change}: {detail}");
    }
    assert_eq!(service.tracker.profile(&UserId::new("ada").unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn erasure_leaves_nothing() {
    let service = Service::start().await;
    service.post("/v1/touch", r#"{"user":"a/b c"}"#).await;
    service.put("/v1/users/a%2Fb%20c", r#"{"name":"Ada"}"#).await;
    assert_eq!(service.get("/v1/users/a%2Fb%20c").await.json()["name"], "Ada");

    service.faults.inject(Fault::next(1).on(Operation::Forget));
    service.delete("/v1/users/a%2Fb%20c").await.problem(StatusCode::SERVICE_UNAVAILABLE);
    let answer = service.delete("/v1/users/a%2Fb%20c").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::NO_CONTENT, ""));
    service.get("/v1/users/a%2Fb%20c").await.problem(StatusCode::NOT_FOUND);
    assert!(service.online().await.is_empty());
}

#[tokio::test]
async fn readiness_is_the_store_s_and_health_is_not() {
    let service = Service::start().await;
    let ready = service.get("/readyz").await;
    assert_eq!((ready.status, ready.json()["status"].clone()), (StatusCode::OK, json!("ready")));

    service.faults.inject(Fault::every());
    service.post("/v1/touch", r#"{"user":"ada"}"#).await;
    let _ = service.tracker.flush().await;
    let answer = service.get("/readyz").await;
    let reason = answer.problem(StatusCode::SERVICE_UNAVAILABLE);
    assert!(reason.contains("made to fail"), "{reason}");
    assert_eq!(service.get("/healthz").await.json(), json!({ "status": "alive" }));
    assert!(service.get("/").await.body.contains("made to fail"), "the page says so too");

    service.faults.heal();
    service.tracker.flush().await.unwrap();
    assert_eq!(service.get("/readyz").await.status, StatusCode::OK);
}
