//! The program on a Redis: what it refuses and why, and what it tells of the server's faults.

mod program;

use std::time::Duration;

use lastseen_harness::{Http, Redis, eventually};
use program::{Place, complaint};
use serde_json::json;

#[tokio::test]
async fn what_is_wrong_is_named_with_what_would_be_right() {
    let mut redis = Redis::start().await;
    for (user, rights) in [("ada", "+@all"), ("guest", "+@connection")] {
        redis.cli(&["ACL", "SETUSER", user, "on", ">right", "~*", rights]).await;
    }
    let place = Place::new();
    let url = |login: &str| redis.url().replace("redis://", &format!("redis://{login}"));
    let url_with = |parameters: &str| format!("{}?{parameters}", redis.url());
    assert!(place.run(&["migrate", "--store", &url_with("groups=8")]).await.status.success());
    for (store, exit_code, named) in [
        (url("ada:wrong@"), 1, &["refuses the password of the user \"ada\"", "right one in the URL"][..]),
        (url("guest:right@"), 1, &["refuses the user \"guest\"", "ACL SETUSER guest ~lastseen:* +@read"]),
        (url_with("groups=16"), 1, &["was made with 8 groups and not with 16", "say 8, or take another prefix"]),
        (url_with("keep_days=-1"), 2, &["keep_days that is no number"]),
        (format!("redis+cluster://127.0.0.1:{}", redis.port()), 1, &["is no part of a Cluster: write redis://"]),
        (format!("redis:127.0.0.1:{}", redis.port()), 2, &["redis: is followed by //"]),
        ("redis+ring://db".to_owned(), 2, &["\"redis+ring\" is no kind of store", "redis+cluster://HOST,HOST"]),
    ] {
        let said = complaint(place.run(&["serve", "--listen", "127.0.0.1:0", "--store", &store]).await, exit_code);
        for part in named {
            assert!(said.contains(part), "{store}: {part:?} is not in: {said}");
        }
        assert!(!said.contains("wrong@") && !said.contains(":wrong"), "a password is shown: {said}");
    }

    let (url, port) = (redis.url(), redis.port().to_string());
    redis.stop().await;
    for command in [&["online"][..], &["touch", "7"], &["migrate"]] {
        let finished = place.run(&[command, &["--store", &url]].concat()).await;
        assert_eq!(finished.status.code(), Some(1), "{finished:?}");
        let said = finished.stderr.lines().last().unwrap();
        assert!(said.contains("can't be reached") && said.contains(&port), "{finished:?}");
    }
    assert_eq!(place.contents(), []);
}

/// The site's requests are served all the while, whatever becomes of the server.
#[tokio::test]
async fn readyz_and_metrics_tell_what_is_wrong_with_the_store() {
    let mut redis = Redis::start().await;
    redis.stop().await;
    let place = Place::new();
    let server = place.serve(&["--store", &redis.url()]).await;
    let http = Http::new(server.url());
    let within = Duration::from_secs(15);
    let ready = async || {
        let answer = http.get("/readyz").await;
        (answer.status, answer.text().to_owned())
    };
    let says = async |says: &str| {
        eventually(within, ready, |(status, text)| *status == 503 && text.contains(says)).await;
    };
    let is_well = async || eventually(within, ready, |(status, _)| *status == 200).await;
    let touch = async |user: &str| {
        assert_eq!(http.post("/v1/touch").json(&json!({ "user": user })).await.status, 202);
        let online = http.get("/v1/online").await.json()["users"].clone();
        assert!(online.as_array().unwrap().iter().any(|found| found["user"] == user), "answers come from memory");
    };
    let failures = async || {
        let metrics = http.get("/metrics").await.text().to_owned();
        let mut lines =
            metrics.lines().filter_map(|line| line.strip_prefix("lastseen_store_errors_total{kind=\"flush\"} "));
        lines.next().map_or(0, |count| count.parse::<u64>().unwrap())
    };

    says("can't be reached").await;
    touch("ada").await;
    redis.restart().await;
    is_well().await;

    redis.kill();
    touch("bob").await;
    says("can't be reached").await;
    redis.restart().await;
    is_well().await;

    let before = failures().await;
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]).await;
    touch("cy").await;
    says("has no memory left while writing activities: raise maxmemory").await;
    eventually(within, failures, |after| *after > before).await;
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]).await;
    is_well().await;
    assert!(server.terminate().await.status.success());
    for user in ["ada", "bob", "cy"] {
        let seen = place.run(&["seen", user, "--store", &redis.url()]).await;
        assert!(seen.stdout.starts_with(&format!("{user} is online: last seen ")), "{seen:?}");
    }
}
