//! What becomes of addresses, whichever way they come in: looked for wherever something is kept or told.

mod program;
mod service;

use std::fs;
use std::io::Write as _;
use std::net::UdpSocket;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use lastseen::UserId;
use lastseen_harness::{Http, Program, eventually};
use program::{Place, printed};
use serde_json::json;
use service::{Service, from_peer, settings};
use tempfile::NamedTempFile;

/// Who comes in by which way, from where, and the network of that.
const WAYS: [(&str, &str, &str); 5] = [
    ("by-touch", "203.0.113.71", "203.0.113.0"),
    ("by-record", "2001:db8:1:2::72", "2001:db8:1::"),
    ("by-check", "198.51.100.73", "198.51.100.0"),
    ("by-syslog", "192.0.2.74", "192.0.2.0"),
    ("7", "203.0.114.75", "203.0.114.0"),
];

/// All that a server with this setting keeps and tells, after each way has been taken; and its log at its most talkative.
async fn kept_and_told(addresses: &str) -> Vec<(String, Vec<u8>)> {
    let place = Place::new();
    let site = rusqlite::Connection::open(place.path().join("site.db")).unwrap();
    site.execute_batch(
        "CREATE TABLE sessions (id varchar PRIMARY KEY, user_id integer, ip_address varchar(45), last_activity integer);
         INSERT INTO sessions VALUES ('a', 7, '203.0.114.75', unixepoch());",
    )
    .unwrap();
    drop(site);
    fs::write(place.path().join("lastseen.toml"), format!("addresses = \"{addresses}\"")).unwrap();
    printed(place.run(&["import", "--from", "sqlite:site.db", "--site", "laravel"]).await);
    fs::remove_file(place.path().join("site.db")).unwrap();

    let arguments = ["serve", "--listen", "127.0.0.1:0", "--trust-proxy", "127.0.0.0/8", "--syslog", "127.0.0.1:0"];
    let mut server = Program::start(place.command(&arguments).env("LASTSEEN_LOG", "trace")).await;
    let http = Http::new(server.url());
    let touch = json!({ "user": "by-touch", "ip": "203.0.113.71" });
    assert_eq!(http.post("/v1/touch").json(&touch).await.status, 202);
    let record = json!({ "user": "by-record", "ip": "2001:db8:1:2::72" });
    assert_eq!(http.post("/v1/touch?ack=stored").json(&record).await.status, 200);
    let check = http.get("/v1/check").header("remote-user", "by-check");
    assert_eq!(check.header("x-forwarded-for", "198.51.100.73").await.status, 204);
    let line = r#"<190>Nov 24 03:15:00 web1 nginx: {"user":"by-syslog","ip":"192.0.2.74"}"#;
    let syslog = server.announced("taking syslog at ").await;
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(line.as_bytes(), syslog).unwrap();
    let count = async || http.get("/v1/online/count").await.json()["count"].clone();
    eventually(Duration::from_secs(10), count, |count| *count == 5).await;

    let mut found = Vec::new();
    for path in ["/v1/online", "/", "/?user=by-touch", "/v1/users/by-check", "/v1/users/by-syslog/export", "/metrics"] {
        found.push((path.to_owned(), http.get(path).await.body));
    }
    let finished = server.terminate().await;
    assert!(finished.status.success() && finished.stderr.contains("serving"), "{finished:?}");
    found.push(("the log".to_owned(), finished.stderr.into_bytes()));
    found.extend(place.contents());
    found
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn kept_addresses_are_in_list_and_store_and_in_no_log_and_no_metric() {
    for (place, bytes) in kept_and_told("keep").await {
        for (way, ip, _) in WAYS {
            match place.as_str() {
                "/v1/online" | "/" | "lastseen.db" => assert!(has(&bytes, ip), "{place} has the one {way}"),
                "the log" | "/metrics" => assert!(!has(&bytes, ip), "{place} has not the one {way}"),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn masked_addresses_are_nowhere_and_their_networks_where_they_would_be() {
    for (place, bytes) in kept_and_told("mask").await {
        for (way, ip, network) in WAYS {
            assert!(!has(&bytes, ip), "{place}: {way}");
            if ["/v1/online", "/", "lastseen.db"].contains(&place.as_str()) {
                assert!(has(&bytes, network), "{place}: {way}: {:?}", String::from_utf8_lossy(&bytes));
            }
        }
    }
}

#[tokio::test]
async fn dropped_addresses_are_nowhere_at_all() {
    for (place, bytes) in kept_and_told("drop").await {
        for (way, ip, network) in WAYS {
            assert!(!has(&bytes, ip) && !has(&bytes, network), "{place}: {way}");
        }
        if place == "/v1/online" {
            assert!(has(&bytes, "by-touch") && has(&bytes, "null"), "the users are there");
        }
    }
}

#[tokio::test]
async fn a_replay_tells_of_no_address() {
    let place = Place::new();
    let log = "203.0.113.77 - ada [24/Nov/2026:04:00:00 +0000] \"GET / HTTP/1.1\" 200 51 \"-\" \"x\"\n\
               203.0.113.78 what is this?\n203.0.113.79 - bob [24/Nov/2026:99:00:00 +0000] \"GET / HTTP/1.1\" 200 51\n";
    fs::write(place.path().join("access.log"), log).unwrap();
    for arguments in [&["replay", "access.log"][..], &["replay", "--json", "access.log", "--svg", "curve.svg"]] {
        let report = printed(place.run(arguments).await);
        assert!(!report.contains("203.0.113."), "{report}");
    }
    assert!(!has(&fs::read(place.path().join("curve.svg")).unwrap(), "203.0.113."));
}

/// The signature is `hmac.new(KEY, b"1795490400.ada", "sha256").hexdigest()`: until five minutes from now.
#[tokio::test]
async fn a_beacon_and_a_proxy_with_a_token_are_no_way_around() {
    let mut key = NamedTempFile::new().unwrap();
    writeln!(key, "0123456789abcdef0123456789abcdef").unwrap();
    let ticket = "1795490400.ce1b41893e5792c8358b484822ced997b6de7fd65b82c0cdca8ac164e5292345.ada";
    let writer = "shop:write:97f8dcca7df87642ffadd4f8efbb8a3bcdd3c251a25253a266a26e83798050ed";
    let values = json!({ "addresses": "mask", "ticket_key_file": key.path(), "tokens": [writer] });
    let service = Service::with(&settings(&values)).await;
    let ip = async |user: &str| service.tracker.last_seen(&UserId::new(user).unwrap()).await.unwrap().unwrap().ip;

    let beacon = from_peer("203.0.113.77").method("POST").uri("/v1/beacon").body(Body::from(ticket)).unwrap();
    assert_eq!(service.send(beacon).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ip("ada").await, "203.0.113.0".parse().ok());

    let check = from_peer("192.0.2.1").uri("/v1/check").header("authorization", "Bearer lastseen_write");
    let check = check.header("remote-user", "bob").header("x-forwarded-for", "::ffff:203.0.113.77");
    assert_eq!(service.send(check.body(Body::empty()).unwrap()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ip("bob").await, "203.0.113.0".parse().ok());

    let touch = from_peer("192.0.2.1").method("POST").uri("/v1/touch").header("authorization", "Bearer lastseen_write");
    let touch = touch.body(Body::from(r#"{"user":"cy","ip":"::ffff:203.0.113.77"}"#)).unwrap();
    assert_eq!(service.send(touch).await.status, StatusCode::ACCEPTED);
    assert_eq!(ip("cy").await, "203.0.113.0".parse().ok(), "an IPv4 address in IPv6's clothes");
}
