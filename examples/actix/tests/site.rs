//! The site as its visitors meet it, over HTTP.

use std::process::Command;

use lastseen_harness::{Http, Program};
use tempfile::TempDir;

async fn site(directory: &TempDir) -> Program {
    let records = directory.path().join("online.db");
    Program::start(Command::new(env!("CARGO_BIN_EXE_online-actix")).arg("127.0.0.1:0").arg(records)).await
}

async fn sign_in(site: &Program, name: &str) -> Http {
    let visitor = Http::new(site.url());
    let answer = visitor.post("/sign-in").form(&[("name", name), ("password", name)]).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{}", answer.text());
    visitor
}

/// Whom the page shows, newest first.
async fn online(visitor: &Http) -> Vec<String> {
    let page = visitor.get("/").await;
    assert_eq!(page.status, 200);
    let users = page.text().split("data-user=\"").skip(1);
    users.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_user_is_online_from_signing_in_to_signing_out() {
    let directory = tempfile::tempdir().unwrap();
    let site = site(&directory).await;
    let guest = Http::new(site.url());
    assert_eq!(online(&guest).await, [""; 0]);

    let refused = guest.post("/sign-in").form(&[("name", "ada"), ("password", "guess")]).await;
    assert_eq!(refused.status, 403);
    assert_eq!(online(&guest).await, [""; 0]);

    let ada = sign_in(&site, "ada").await;
    assert_eq!(online(&guest).await, ["ada"]);
    let grace = sign_in(&site, "grace").await;
    assert_eq!(online(&guest).await, ["grace", "ada"]);
    assert_eq!(online(&ada).await, ["ada", "grace"]);

    assert_eq!(grace.get("/static/site.css").await.status, 200);
    assert_eq!(online(&guest).await, ["ada", "grace"]);

    assert_eq!(ada.post("/sign-out").await.status, 303);
    assert_eq!(online(&ada).await, ["grace"]);
}

#[tokio::test]
async fn a_restart_forgets_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let first = site(&directory).await;
    sign_in(&first, "ada").await;
    let finished = first.terminate().await;
    assert!(finished.status.success(), "{}", finished.stderr);
    let second = site(&directory).await;
    assert_eq!(online(&Http::new(second.url())).await, ["ada"]);
}
