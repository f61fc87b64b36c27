//! Who may do what, by which token, and what those see who have none.

mod service;

use std::time::Duration;

use axum::body::Body;
use axum::http::request::Builder;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use lastseen::UserId;
use lastseen::conformance::Fault;
use serde_json::{Value, json};
use service::{Answer, Service, from_peer, settings};

/// What `printf TOKEN | sha256sum` says of the tokens below.
const TOKENS: [&str; 3] = [
    "shop:write:97f8dcca7df87642ffadd4f8efbb8a3bcdd3c251a25253a266a26e83798050ed",
    "board:read:c96b305264700c0897d0214621fb5c3daa6838c89f9e8f386605a6ce5bf135e7",
    "me:admin:5e5328cf861e120d83e2b0aa65c482bf1058785afb5d0eca8572845965dd5c1f",
];
const WRITE: &str = "lastseen_write";
const READ: &str = "lastseen_read";
const ADMIN: &str = "lastseen_admin";

async fn guarded() -> Service {
    Service::with(&settings(&json!({ "tokens": TOKENS }))).await
}

fn request(method: Method, path: &str) -> Builder {
    Request::builder().method(method).uri(path)
}

fn with(token: &str, request: Builder) -> Builder {
    request.header("authorization", format!("Bearer {token}"))
}

async fn send(service: &Service, request: Builder, body: &str) -> Answer {
    service.send(request.header("content-type", "application/json").body(Body::from(body.to_owned())).unwrap()).await
}

async fn get(service: &Service, token: &str, path: &str) -> Answer {
    send(service, with(token, request(Method::GET, path)), "").await
}

async fn touch(service: &Service) {
    let touch = with(WRITE, request(Method::POST, "/v1/touch"));
    assert_eq!(send(service, touch, r#"{"user":"ada","ip":"203.0.113.7"}"#).await.status, StatusCode::ACCEPTED);
}

/// Every call, a body that it takes, and the scope that it needs.
const CALLS: [(Method, &str, &str, &str); 14] = [
    (Method::POST, "/v1/touch", r#"{"user":"ada"}"#, WRITE),
    (Method::POST, "/v1/touch?ack=stored", r#"{"user":"ada"}"#, WRITE),
    (Method::POST, "/v1/leave", r#"{"user":"ada"}"#, WRITE),
    (Method::PUT, "/v1/users/ada", r#"{"name":"Ada"}"#, WRITE),
    (Method::DELETE, "/v1/users/bob", "", ADMIN),
    (Method::GET, "/v1/online", "", READ),
    (Method::GET, "/v1/online/count", "", READ),
    (Method::GET, "/v1/users/ada", "", READ),
    (Method::GET, "/v1/users/ada/export", "", ADMIN),
    (Method::POST, "/v1/store/read", r#"{"user":"ada"}"#, ADMIN),
    (Method::GET, "/v1/history", "", READ),
    (Method::GET, "/v1/active", "", READ),
    (Method::GET, "/history", "", READ),
    (Method::GET, "/", "", READ),
];

#[tokio::test]
async fn each_call_takes_its_scope_and_admin_takes_all() {
    let service = guarded().await;
    touch(&service).await;
    for (method, path, body, scope) in CALLS {
        for token in [WRITE, READ, ADMIN] {
            let answer = send(&service, with(token, request(method.clone(), path)), body).await;
            let may = token == ADMIN || token == scope;
            assert_eq!(answer.status.is_success(), may, "{method} {path} with {token}: {answer:?}");
            if !may && path != "/" {
                let detail = answer.problem(StatusCode::FORBIDDEN);
                assert!(detail.contains(&scope["lastseen_".len()..]) && !detail.contains(token), "{detail}");
            }
        }
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_that_is_known() {
    let service = guarded().await;
    let hash = TOKENS[2].rsplit(':').next().unwrap();
    let wrong = ["Bearer lastseen_other", "Bearer", "Basic bWU6bWU=", "lastseen_admin", &format!("Bearer {hash}")];
    for (method, path, body, _) in CALLS.into_iter().chain([(Method::GET, "/v1/events", "", READ)]) {
        let without = send(&service, request(method.clone(), path), body).await;
        assert_eq!(without.headers["www-authenticate"], "Bearer");
        assert_eq!(without.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert!(path == "/" || without.problem(StatusCode::UNAUTHORIZED).contains("Authorization"), "{without:?}");
        for wrong in wrong {
            let answer = send(&service, request(method.clone(), path).header("authorization", wrong), body).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path} with {wrong}");
            assert!(!answer.body.contains("lastseen_"), "what was sent isn't said again: {answer:?}");
        }
        let in_the_url = format!("{path}?token={ADMIN}&access_token={ADMIN}");
        assert_eq!(send(&service, request(method, &in_the_url), body).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(service.tracker.status().users, 0);
    for open in ["/healthz", "/readyz", "/assets/page.css", "/widget.js", "/beacon.js"] {
        assert_eq!(service.get(open).await.status, StatusCode::OK, "{open}");
    }
    let bearer = request(Method::GET, "/v1/online").header("authorization", format!("bearer  {READ}"));
    assert_eq!(send(&service, bearer, "").await.status, StatusCode::OK, "the scheme's case and blanks are free");
}

/// No browser lets another site's page read an answer, or send what needs a preflight, unless the answer says so.
#[tokio::test]
async fn no_call_allows_another_site_s_page_anything() {
    let service = guarded().await;
    let calls = CALLS.into_iter().chain([(Method::GET, "/metrics", "", READ), (Method::POST, "/sign-in", "", READ)]);
    for (method, path, body, scope) in calls {
        let preflight = request(Method::OPTIONS, path)
            .header("access-control-request-method", method.as_str())
            .header("access-control-request-headers", "authorization");
        let call = with(scope, request(method, path));
        for request in [preflight, call] {
            let answer = send(&service, request.header("origin", "https://site.example"), body).await;
            let allowed = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
            assert_eq!(allowed, None, "{path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn addresses_are_for_admin_alone() {
    let service = guarded().await;
    touch(&service).await;
    for path in ["/v1/online", "/v1/users/ada", "/", "/?user=ada"] {
        let (read, admin) = (get(&service, READ, path).await, get(&service, ADMIN, path).await);
        assert!(admin.body.contains("203.0.113.7"), "{path}: {}", admin.body);
        assert!(read.body.contains("ada") && !read.body.contains("203.0.113.7"), "{path}: {}", read.body);
    }
    let listen = async |token| {
        let mut client = service.listen(with(token, Request::get("/v1/events")).body(Body::empty()).unwrap()).await;
        let snapshot = client.next().await.remove(0).data;
        service.clock.advance(Duration::from_millis(100));
        touch(&service).await;
        service.clock.advance(Duration::from_secs(1));
        let changes = client.next().await.remove(0).data;
        [snapshot, changes].map(|data| data["users"][0]["last_activity_ip"].clone())
    };
    assert_eq!(listen(READ).await, [Value::Null, Value::Null]);
    assert_eq!(listen(ADMIN).await, [json!("203.0.113.7"), json!("203.0.113.7")]);
}

#[tokio::test]
async fn why_the_server_is_not_ready_is_for_those_who_may_read() {
    let service = guarded().await;
    touch(&service).await;
    service.faults.inject(Fault::every());
    let _ = service.tracker.flush().await;
    let why = |answer: Answer| answer.problem(StatusCode::SERVICE_UNAVAILABLE);
    assert!(!why(service.get("/readyz").await).contains("made to fail"));
    assert!(why(get(&service, READ, "/readyz").await).contains("made to fail"));
}

fn cookie(headers: &HeaderMap) -> &str {
    headers["set-cookie"].to_str().unwrap().split(';').next().unwrap()
}

#[tokio::test]
async fn people_sign_in_with_a_token_and_out_again() {
    let service = guarded().await;
    touch(&service).await;
    let form = service.get("/").await;
    assert_eq!(form.status, StatusCode::UNAUTHORIZED);
    assert!(form.body.contains("action=\"/sign-in\"") && !form.body.contains("ada"), "{}", form.body);

    let sign_in = async |token: &str| {
        let body = format!("token={token}");
        service.body(Method::POST, "/sign-in", "application/x-www-form-urlencoded", body).await
    };
    for (token, status) in
        [("lastseen_other", StatusCode::UNAUTHORIZED), ("", StatusCode::UNAUTHORIZED), (WRITE, StatusCode::FORBIDDEN)]
    {
        let refused = sign_in(token).await;
        assert_eq!(refused.status, status, "{token}");
        assert!(refused.headers.get("set-cookie").is_none() && refused.body.contains("role=\"alert\""), "{refused:?}");
        assert!(token.is_empty() || !refused.body.contains(token), "{refused:?}");
    }
    let welcome = sign_in(&format!("+{READ}+")).await;
    assert_eq!((welcome.status, &welcome.headers["location"]), (StatusCode::SEE_OTHER, &"/".parse().unwrap()));
    let given = welcome.headers["set-cookie"].to_str().unwrap();
    assert!(given.contains("; HttpOnly; SameSite=Strict") && !given.contains(READ), "{given}");

    let cookie = cookie(&welcome.headers);
    let get = async |path: &str| send(&service, request(Method::GET, path).header("cookie", cookie), "").await;
    let page = get("/").await.body;
    assert!(page.contains("data-user=\"ada\"") && !page.contains("203.0.113.7"), "{page}");
    assert_eq!(get("/v1/online").await.status, StatusCode::OK);
    get("/v1/users/ada").await.json();
    let touch = request(Method::POST, "/v1/touch").header("cookie", cookie);
    send(&service, touch, r#"{"user":"eve"}"#).await.problem(StatusCode::FORBIDDEN);
    // A token that is wrong isn't made right by a cookie.
    let both = with("lastseen_other", request(Method::GET, "/v1/online").header("cookie", cookie));
    send(&service, both, "").await.problem(StatusCode::UNAUTHORIZED);
    // Another site's page can't sign anybody in, or out.
    for path in ["/sign-in", "/sign-out"] {
        let elsewhere = request(Method::POST, path).header("cookie", cookie).header("sec-fetch-site", "cross-site");
        send(&service, elsewhere, &format!("token={READ}")).await.problem(StatusCode::FORBIDDEN);
    }

    let goodbye = send(&service, request(Method::POST, "/sign-out").header("cookie", cookie), "").await;
    assert_eq!(goodbye.status, StatusCode::SEE_OTHER);
    assert!(goodbye.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(get("/v1/online").await.status, StatusCode::UNAUTHORIZED, "the cookie is of no use any more");
}

#[tokio::test]
async fn a_proxy_is_believed_for_its_token_too() {
    let service = guarded().await;
    let check = async |request: Builder| {
        let request = request.uri("/v1/check").header("remote-user", "ada").header("x-forwarded-for", "203.0.113.7");
        service.send(request.body(Body::empty()).unwrap()).await
    };
    for refused in
        [from_peer("192.0.2.1"), with(READ, from_peer("192.0.2.1")), with("lastseen_other", from_peer("192.0.2.1"))]
    {
        assert!(check(refused).await.problem(StatusCode::FORBIDDEN).contains("token of the scope write"));
    }
    assert_eq!(service.tracker.status().touches, 0);
    assert_eq!(check(with(WRITE, from_peer("192.0.2.1"))).await.status, StatusCode::NO_CONTENT);
    let ada = service.tracker.last_seen(&UserId::new("ada").unwrap()).await.unwrap().unwrap();
    assert_eq!(ada.ip, "203.0.113.7".parse().ok());
}
