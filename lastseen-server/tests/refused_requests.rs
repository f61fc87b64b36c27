//! What the server refuses, and how it says so: problem details that name the value and what would be right.

mod service;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use futures_util::StreamExt;
use lastseen_server::settings::Settings;
use service::Service;

#[tokio::test]
async fn user_ids_that_can_t_be() {
    let service = Service::start().await;
    let long = "x".repeat(129);
    for (path, named) in
        [("/v1/users/%07", r#""\u{7}""#), (&format!("/v1/users/{long}"), "129 bytes"), ("/v1/users/a%0Ab", r#""a\nb""#)]
    {
        let detail = service.get(path).await.problem(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(detail.contains(named), "{detail}");
        service.delete(path).await.problem(StatusCode::UNPROCESSABLE_ENTITY);
        service.put(path, "{}").await.problem(StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert!(service.get("/v1/users/%FF").await.problem(StatusCode::BAD_REQUEST).contains("path"));
    for body in [r#"{"user":""}"#, &format!(r#"{{"user":"{long}"}}"#), r#"{"user":"\u0007"}"#] {
        service.post("/v1/touch", body).await.problem(StatusCode::UNPROCESSABLE_ENTITY);
        service.post("/v1/leave", body).await.problem(StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(service.tracker.status().users, 0);
}

#[tokio::test]
async fn query_parameters_are_named() {
    let service = Service::start().await;
    for (path, named) in [
        ("/v1/online?limit=many", &["limit", "\"many\"", "0 to 1000"][..]),
        ("/v1/online?limit=1001", &["limit", "\"1001\"", "0 to 1000"]),
        ("/v1/online?limit=-1", &["limit", "\"-1\""]),
        ("/v1/online?window=15", &["window", "\"15\"", "15m"]),
        ("/v1/online?window=25h", &["window", "1day 1h", "1day:", "--horizon"]),
        ("/v1/online?windows=15m", &["`windows`", "`window`"]),
        ("/v1/online/count?window=x", &["window", "\"x\""]),
        ("/v1/online/count?limit=1", &["`limit`"]),
        ("/v1/online?limit=1&limit=2", &["limit"]),
    ] {
        let detail = service.get(path).await.problem(StatusCode::BAD_REQUEST);
        assert!(named.iter().all(|part| detail.contains(part)), "{path}: {detail}");
    }
    let detail = service.post("/v1/touch?ack=maybe", r#"{"user":1}"#).await.problem(StatusCode::BAD_REQUEST);
    assert!(detail.contains("ack") && detail.contains("`maybe`") && detail.contains("`stored`"), "{detail}");
    assert_eq!(service.tracker.status().touches, 0);
}

#[tokio::test]
async fn paths_and_methods_that_there_are_not() {
    let service = Service::start().await;
    for path in ["/v2", "/v1", "/v1/users/", "/index.html"] {
        assert!(service.get(path).await.problem(StatusCode::NOT_FOUND).contains("/v1/"), "{path}");
    }
    let answer = service.get("/v1/touch").await;
    answer.problem(StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers["allow"], "POST");
    service.body(Method::POST, "/v1/online", "application/json", "{}").await.problem(StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn bodies_that_are_too_large_or_of_another_type() {
    let service = Service::start().await;
    let large = format!(r#"{{"user":"{}"}}"#, "x".repeat(1 << 20));
    let detail = service.post("/v1/touch", &large).await.problem(StatusCode::PAYLOAD_TOO_LARGE);
    assert!(detail.contains("1048576 bytes"), "{detail}");
    for content_type in ["multipart/form-data", "text/plain"] {
        let answer = service.body(Method::POST, "/v1/touch", content_type, r#"{"user":1}"#).await;
        let detail = answer.problem(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert!(detail.contains(&format!("{content_type:?}")) && detail.contains("application/json"), "{detail}");
    }
    for content_type in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/x-ndjson",
        "",
        "application/x-www-form-urlencoded",
    ] {
        let answer = service.body(Method::POST, "/v1/touch", content_type, r#"{"user":1}"#).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    }
}

/// A page whose name was made to resolve to this machine, for a browser that would then let it read answers.
/// Its time is not the clock's that tells when users were active, but the machine's, which passes at once here.
#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let service = Service::start().await;
    let starts = futures_util::stream::iter([Ok::<_, std::io::Error>("{\"user\":")]);
    let body = Body::from_stream(starts.chain(futures_util::stream::pending()));
    let answer = service.body(Method::POST, "/v1/touch", "application/json", body).await;
    let detail = answer.problem(StatusCode::REQUEST_TIMEOUT);
    assert!(detail.contains("within 10 s"), "{detail}");
    assert_eq!(service.tracker.status().touches, 0);
}

#[tokio::test]
async fn hosts_that_are_not_known() {
    let allow_host = serde_json::json!({ "allow_host": ["presence.example.com"] });
    let (settings, _) = Settings::load(None, &allow_host).unwrap();
    let service = Service::with(&settings).await;
    let with_host = |target: &str, host: &str| Request::get(target).header("host", host).body(Body::empty()).unwrap();
    for host in ["evil.example", "evil.example:7700", "127.0.0.1.evil.example", "[evil"] {
        let detail = service.send(with_host("/v1/online", host)).await.problem(StatusCode::FORBIDDEN);
        assert!(detail.contains(host) && detail.contains("--allow-host"), "{detail}");
    }
    service.send(with_host("http://evil.example/", "127.0.0.1")).await.problem(StatusCode::FORBIDDEN);
    let mut both = with_host("/v1/online", "127.0.0.1");
    both.headers_mut().append("host", "evil.example".parse().unwrap());
    service.send(both).await.problem(StatusCode::FORBIDDEN);
    for host in ["localhost:7700", "127.0.0.1:7700", "[::1]:7700", "presence.example.com"] {
        assert_eq!(service.send(with_host("/v1/online", host)).await.status, StatusCode::OK, "{host}");
    }
}

/// A page of another site, in the browser of someone on this machine.
#[tokio::test]
async fn writes_by_other_sites_pages() {
    let service = Service::start().await;
    let touch = |header: &str, value: &str| {
        Request::post("/v1/touch")
            .header("host", "localhost:7700")
            .header("content-type", "application/json")
            .header(header, value)
            .body(Body::from(r#"{"user":1}"#))
            .unwrap()
    };
    for (header, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "http://localhost:8000"),
        ("origin", "null"),
    ] {
        let detail = service.send(touch(header, value)).await.problem(StatusCode::FORBIDDEN);
        assert!(detail.contains("another site"), "{detail}");
    }
    assert_eq!(service.tracker.status().touches, 0);
    for (header, value) in [("sec-fetch-site", "same-origin"), ("origin", "http://localhost:7700"), ("accept", "*/*")] {
        assert_eq!(service.send(touch(header, value)).await.status, StatusCode::ACCEPTED, "{header}: {value}");
    }
}

#[tokio::test]
async fn every_answer_tells_browsers_to_be_careful() {
    let service = Service::start().await;
    for path in ["/", "/assets/page.css", "/assets/page.js", "/assets/icon.svg", "/v1/online", "/nothing"] {
        let answer = service.get(path).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["cross-origin-resource-policy"], "same-origin");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}

/// What the content policy forbids isn't there either, so that no browser has to be relied on.
#[tokio::test]
async fn no_page_has_anything_inline_or_from_elsewhere() {
    let service = Service::start().await;
    service.post("/v1/touch", r#"{"user":"ada"}"#).await;
    let token = "board:read:c96b305264700c0897d0214621fb5c3daa6838c89f9e8f386605a6ce5bf135e7";
    let guarded = Service::with(&service::settings(&serde_json::json!({ "tokens": [token] }))).await;
    for page in [service.get("/").await, service.get("/?user=ada").await, guarded.get("/").await] {
        let html = page.body;
        assert!(html.starts_with("<!doctype html>"), "{html}");
        for inline in ["<style", " style=", " onclick=", " onload=", " onerror=", "javascript:", "=\"//"] {
            assert!(!html.contains(inline), "{inline}: {html}");
        }
        for script in html.split("<script").skip(1) {
            assert!(script.starts_with(" src=\"/assets/"), "{script}");
            assert!(script.split_once('>').unwrap().1.starts_with("</script>"), "{script}");
        }
        for link in ["src=\"http", "href=\"http"] {
            assert!(!html.contains(link), "{link}: {html}");
        }
    }
    // What a site's own page loads brings its style within its own root, and makes no markup of names.
    for script in ["/widget.js", "/beacon.js"] {
        let script = service.get(script).await.body;
        for unsafe_use in
            ["innerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "credentials: \"include"]
        {
            assert!(!script.contains(unsafe_use), "{unsafe_use}");
        }
    }
}

#[tokio::test]
async fn names_are_text_on_the_page_whatever_they_are() {
    let service = Service::start().await;
    let hostile = r#"</bdi><script>alert(1)</script><img src=x onerror="alert(1)">"#;
    service.post("/v1/touch", &serde_json::json!({ "user": hostile }).to_string()).await;
    let host = Request::get("/").header("host", "127.0.0.1").body(Body::empty()).unwrap();
    let page = service.send(host).await.body;
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
    assert!(!page.contains("<script>") && !page.contains("<img src=x"), "{page}");
}
