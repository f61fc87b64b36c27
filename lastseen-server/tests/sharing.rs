//! The server's store in other processes, by the library's `HttpStore`: the suite, who may, and a server that is killed.

mod program;

use std::time::Duration;

use lastseen::store::HttpStoreError;
use lastseen::{HttpStore, Profile, Store, Tracker, UserId};
use lastseen_harness::{Http, Program, eventually};
use program::{Place, printed};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(20);

mod sqlite {
    use lastseen::HttpStore;

    use crate::program::Place;

    lastseen::conformance_tests!({
        let place = Place::new();
        let server = place.serve(&[]).await;
        // Both go when the test has ended.
        let url = server.url().to_owned();
        async move || {
            let _alive = (&place, &server);
            HttpStore::connect(&url).await.unwrap()
        }
    });
}

fn id(user: &str) -> UserId {
    UserId::new(user).unwrap()
}

async fn tracker(url: &str) -> Tracker {
    Tracker::builder(HttpStore::connect(url).await.unwrap()).start().await.unwrap()
}

/// The newest on the server's own list.
async fn listed(http: &Http) -> Vec<String> {
    let list = http.get("/v1/online").await.json();
    list["users"].as_array().unwrap().iter().map(|user| user["user"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn processes_and_the_server_agree_on_who_is_there_and_who_has_left() {
    let place = Place::new();
    let server = place.serve(&["--addresses", "mask"]).await;
    let http = Http::new(server.url());
    let (here, there) = (tracker(server.url()).await, tracker(server.url()).await);
    here.touch(&id("ada"), "203.0.113.7".parse().ok());
    there.touch(&id("bob"), None);
    http.post("/v1/touch").json(&json!({ "user": "eve" })).await;
    for tracker in [&here, &there] {
        eventually(PATIENCE, async || tracker.count(), |count| *count == 3).await;
    }
    eventually(PATIENCE, async || listed(&http).await.len(), |count| *count == 3).await;
    let ada = http.get("/v1/users/ada").await.json();
    assert_eq!(ada["last_activity_ip"], "203.0.113.0", "no more is kept of addresses than is set here");

    here.set_profile(&id("bob"), Profile::named("Bob").hidden(true)).await.unwrap();
    there.leave(&id("ada"));
    here.forget(&id("eve")).await.unwrap();
    for tracker in [&here, &there] {
        eventually(PATIENCE, async || tracker.count(), |count| *count == 0).await;
    }
    eventually(PATIENCE, async || listed(&http).await, Vec::is_empty).await;
    here.shutdown().await.unwrap();
    there.shutdown().await.unwrap();
}

/// The same address again, after a restart.
async fn again(place: &Place, url: &str) -> Program {
    Program::start(&mut place.command(&["serve", "--listen", url.trim_start_matches("http://")])).await
}

#[tokio::test]
async fn a_server_that_is_killed_costs_nothing_and_is_told_all_when_it_is_back() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let url = server.url().to_owned();
    let (here, there) = (tracker(&url).await, tracker(&url).await);
    here.touch(&id("before"), None);
    eventually(PATIENCE, async || there.count(), |count| *count == 1).await;
    server.kill().await;

    for user in 0..100_u32 {
        here.touch(&UserId::from(user), None);
        there.touch(&UserId::from(1_000 + user), None);
    }
    there.leave(&id("before"));
    let failing = async || here.status().store_error.unwrap_or_default().to_string();
    eventually(PATIENCE, failing, |error| error.contains(&format!("the lastseen server at {url} can't be reached")))
        .await;
    assert_eq!((here.count(), there.count()), (101, 100));

    let server = again(&place, &url).await;
    for tracker in [&here, &there] {
        eventually(PATIENCE, async || tracker.count(), |count| *count == 200).await;
        eventually(PATIENCE, async || tracker.status(), |status| status.is_ready() && status.pending == 0).await;
    }
    let http = Http::new(server.url());
    let count = async || http.get("/v1/online/count").await.json()["count"].clone();
    eventually(PATIENCE, count, |count| *count == 200).await;
    let store = HttpStore::connect(&url).await.unwrap();
    assert!(store.read(&id("before")).await.unwrap().unwrap().left_at.is_some(), "a sign-out is not lost either");
}

async fn refusal(url: &str) -> HttpStoreError {
    match HttpStore::connect(url).await {
        Ok(store) => store.ready().await.unwrap_err(),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_token_of_the_scope_admin_is_asked_for_and_what_is_wrong_is_named() {
    let place = Place::new();
    let token = async |scope: &str| {
        let made = printed(place.run(&["token", scope, "--scope", scope]).await);
        let [token, line] = made.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>()[..] else {
            panic!("{made}");
        };
        (token.to_owned(), line.trim_start_matches("tokens = [").trim_end_matches(']').to_owned())
    };
    let [(admin, admins_line), (read, readers_line)] = [token("admin").await, token("read").await];
    std::fs::write(place.path().join("lastseen.toml"), format!("tokens = [{admins_line}, {readers_line}]")).unwrap();
    let server = place.serve(&[]).await;
    let of_file = |token: &str| {
        let file = place.path().join("token");
        std::fs::write(&file, format!("{token}\n")).unwrap();
        format!("{}?token_file={}", server.url(), file.display())
    };
    HttpStore::connect(&of_file(&admin)).await.unwrap().ready().await.unwrap();
    HttpStore::builder(server.url()).token(&admin).connect().await.unwrap().ready().await.unwrap();

    for (token, says) in [
        (None, "this call needs a token"),
        (None, "name a file with a token of the scope admin by token_file=FILE"),
        (Some("lastseen_other"), "the token is not known here"),
        (Some(&*read), "the token's scope is read: this call needs one of the scope admin"),
    ] {
        let error = refusal(&token.map_or_else(|| server.url().to_owned(), of_file)).await;
        assert!(error.is_denied(), "{error:?}");
        assert!(error.to_string().contains(says) && error.to_string().contains(server.url()), "{says}: {error}");
        assert!(!format!("{error:?}").contains("lastseen_"), "{error:?}");
    }
}
