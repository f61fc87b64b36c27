//! The HTTP client and the browser, against a small server in the test itself.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::{any, get, post};
use axum::{Form, Router};
use lastseen_harness::{Browser, ColorScheme, Http, Locator};
use serde_json::json;
use tokio::net::TcpListener;

const PAGE: &str = r#"<!doctype html>
<title>Who is online</title>
<link rel="icon" href="data:,">
<style>
  body { background: white }
  @media (prefers-color-scheme: dark) { body { background: black } }
</style>
<button onclick="document.title = 'Pressed'">Press</button>"#;

/// Serves on a free port for as long as the test's runtime, and returns the address.
async fn serve() -> String {
    let app = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/broken", get(|| async { Html("<link rel=icon href=data:,><script src=/missing.js></script>") }))
        .route("/echo", any(echo))
        .route("/sign-in", post(sign_in))
        .route("/me", get(|headers: HeaderMap| async move { cookie(&headers) }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

/// Answers with the request.
async fn echo(request: Request) -> impl IntoResponse {
    let (head, body) = request.into_parts();
    let content_type = head.headers.get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap()).to_owned();
    let body = axum::body::to_bytes(body, 10_000).await.unwrap();
    let body = str::from_utf8(&body).unwrap();
    (StatusCode::IM_A_TEAPOT, [("x-method", head.method.to_string()), ("x-type", content_type)], body.to_owned())
}

async fn sign_in(Form(fields): Form<Vec<(String, String)>>) -> impl IntoResponse {
    ([(header::SET_COOKIE, format!("session={}", fields[0].1))], Redirect::to("/me"))
}

fn cookie(headers: &HeaderMap) -> String {
    headers.get(header::COOKIE).map_or("guest", |value| value.to_str().unwrap()).to_owned()
}

#[tokio::test]
async fn requests_have_bodies_and_answers_have_all_their_parts() {
    let http = Http::new(serve().await);

    let answer = http.put("/echo").json(&json!({ "name": "Ada" })).await;
    assert_eq!(answer.status, 418);
    assert_eq!((answer.header("x-method"), answer.header("x-type")), (Some("PUT"), Some("application/json")));
    assert_eq!(answer.json()["name"], "Ada");

    let answer = http.post("/echo").body("application/x-ndjson", "{}\n{}\n").await;
    assert_eq!((answer.header("x-type"), answer.text()), (Some("application/x-ndjson"), "{}\n{}\n"));

    for (request, method) in
        [(http.get("/echo"), "GET"), (http.post("/echo"), "POST"), (http.delete("/echo"), "DELETE")]
    {
        let answer = request.await;
        assert_eq!((answer.header("x-method"), answer.text()), (Some(method), ""));
    }
}

#[tokio::test]
async fn each_visitor_has_a_cookie_jar_and_sees_redirects() {
    let url = serve().await;
    let ada = Http::new(&url);
    assert_eq!(ada.get("/me").await.text(), "guest");

    let answer = ada.post("/sign-in").form(&[("name", "ada+eve")]).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/me")));
    assert_eq!(ada.clone().get("/me").await.text(), "session=ada+eve");
    assert_eq!(Http::new(url).get("/me").await.text(), "guest");
}

#[tokio::test]
#[should_panic(expected = "GET http://127.0.0.1:")]
async fn a_server_that_is_gone_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    Http::new(format!("http://{address}")).get("/").await;
}

#[tokio::test]
async fn a_browser_reads_clicks_and_sees() {
    let url = serve().await;
    let browser = Browser::start().await;
    let page = browser.page();
    page.goto(&url).await.unwrap();
    assert_eq!(page.title().await.unwrap(), "Who is online");
    assert_eq!(browser.console().await, [""; 0]);

    page.find(Locator::Css("button")).await.unwrap().click().await.unwrap();
    assert_eq!(page.title().await.unwrap(), "Pressed");

    browser.viewport(360, 640).await;
    browser.color_scheme(ColorScheme::Dark).await;
    page.refresh().await.unwrap();
    let seen = "return [innerWidth, innerHeight, getComputedStyle(document.body).backgroundColor]";
    assert_eq!(page.execute(seen, vec![]).await.unwrap(), json!([360, 640, "rgb(0, 0, 0)"]));
    browser.color_scheme(ColorScheme::Light).await;
    assert_eq!(page.execute(seen, vec![]).await.unwrap(), json!([360, 640, "rgb(255, 255, 255)"]));

    let directory = tempfile::tempdir().unwrap();
    let picture = directory.path().join("page.png");
    browser.screenshot(&picture).await;
    assert!(std::fs::read(picture).unwrap().starts_with(b"\x89PNG"));
    browser.quit().await;
}

#[tokio::test]
async fn a_browser_tells_what_went_wrong_in_a_page() {
    let url = serve().await;
    let browser = Browser::start().await;
    browser.page().goto(&format!("{url}/broken")).await.unwrap();
    let console = browser.console().await;
    assert_eq!(console.len(), 1, "{console:?}");
    assert!(console[0].contains("/missing.js") && console[0].contains("404"), "{console:?}");
    browser.quit().await;
}

#[tokio::test]
async fn a_browser_stays_on_this_machine() {
    let browser = Browser::start().await;
    let error = browser.page().goto("http://example.com").await.unwrap_err();
    assert!(error.to_string().contains("ERR_NAME_NOT_RESOLVED"), "{error}");
    browser.quit().await;
}
