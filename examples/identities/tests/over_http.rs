//! Each of the small sites, over HTTP: whom it takes a request for.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header, encode};
use lastseen_harness::{Http, Program};
use serde::Serialize;

/// Whom the page shows, which a guest asks for.
async fn online(site: &Program) -> String {
    let page = Http::new(site.url()).get("/").await;
    assert_eq!(page.status, 200);
    page.text().to_owned()
}

#[tokio::test]
async fn a_session_of_tower_sessions_names_its_user() {
    let site = Program::start(&mut Command::new(env!("CARGO_BIN_EXE_sessions"))).await;
    let sign_in = async |user: &str, password: &str| {
        let visitor = Http::new(site.url());
        let answer = visitor.post("/sign-in").form(&[("user", user), ("password", password)]).await;
        (visitor, answer.status)
    };
    assert_eq!(sign_in("ada", "guess").await.1, 403);
    assert_eq!(online(&site).await, "");

    let (ada, status) = sign_in("ada", "ada").await;
    assert_eq!(status, 303);
    assert_eq!(online(&site).await, "ada");
    let (grace, _) = sign_in("grace", "grace").await;
    assert_eq!(online(&site).await, "grace, ada");
    // From here on it is the session that says who they are.
    ada.get("/").await;
    assert_eq!(online(&site).await, "ada, grace");
    grace.get("/nowhere").await;
    assert_eq!(online(&site).await, "grace, ada");

    assert_eq!(ada.post("/sign-out").await.status, 303);
    ada.get("/").await;
    assert_eq!(online(&site).await, "grace");
}

#[derive(Serialize)]
struct Claims {
    sub: &'static str,
    exp: u64,
}

/// A token that is valid for a minute from now, or was until ten minutes ago.
fn token(sub: &'static str, expired: bool, secret: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = Claims { sub, exp: if expired { now - 600 } else { now + 60 } };
    encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

#[tokio::test]
async fn a_json_web_token_names_its_user_while_it_is_valid() {
    let site = Program::start(Command::new(env!("CARGO_BIN_EXE_jwt")).arg("a secret")).await;
    let visitor = Http::new(site.url());
    for bad in [token("eve", false, "another"), token("eve", true, "a secret"), "eve".to_owned()] {
        assert_eq!(visitor.get("/").header("authorization", &format!("Bearer {bad}")).await.text(), "");
    }
    let good = format!("Bearer {}", token("ada", false, "a secret"));
    assert_eq!(visitor.get("/").header("authorization", &good).await.text(), "ada");
    assert_eq!(online(&site).await, "ada");
}

#[tokio::test]
async fn a_proxy_names_the_user_if_it_is_trusted_and_says_so_once() {
    let site = Program::start(Command::new(env!("CARGO_BIN_EXE_forward_auth")).arg("127.0.0.0/8")).await;
    let proxy = Http::new(site.url());
    for another in ["x-forwarded-user", "x-remote-user", "remote_user"] {
        assert_eq!(proxy.get("/").header(another, "eve").await.text(), "");
    }
    assert_eq!(proxy.get("/").header("remote-user", "ada").header("remote-user", "eve").await.text(), "");
    assert_eq!(proxy.get("/").header("remote-user", "").await.text(), "");
    assert_eq!(proxy.get("/").header("remote-user", "ada").await.text(), "ada");

    let elsewhere = Program::start(Command::new(env!("CARGO_BIN_EXE_forward_auth")).arg("10.0.0.0/8")).await;
    let request = Http::new(elsewhere.url()).get("/").header("remote-user", "ada");
    assert_eq!(request.header("x-forwarded-for", "10.0.0.1").await.text(), "");
}
