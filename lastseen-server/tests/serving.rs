//! What a server keeps: through a crash, through its end, and across processes on one file.

mod program;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use lastseen_harness::{Http, Postgres, Redis, RedisCluster, eventually};
use program::{Place, complaint};
use serde_json::{Value, json};

async fn touch(http: &Http, user: &str) {
    let touch = json!({ "user": user, "ip": "203.0.113.7" });
    assert_eq!(http.post("/v1/touch").json(&touch).await.status, 202);
}

async fn online(http: &Http) -> Vec<String> {
    let users = http.get("/v1/online").await.json()["users"].clone();
    users.as_array().unwrap().iter().map(|user| user["user"].as_str().unwrap().to_owned()).collect()
}

async fn seen(http: &Http, user: &str) -> Value {
    let mut seen = http.get(&format!("/v1/users/{user}")).await.json();
    seen.as_object_mut().unwrap().remove("as_of");
    seen
}

/// A process that is killed has had no chance to say goodbye: what it had not written is gone. Of a user who has come
/// online that may be the last second.
#[tokio::test]
async fn rule_9_two_seconds_after_a_first_touch_a_crash_loses_nothing_of_it() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let http = Http::new(server.url());
    touch(&http, "ada").await;
    let before = seen(&http, "ada").await;
    let date = before["last_activity_date"].as_str().unwrap().to_owned();
    eventually(
        Duration::from_secs(2),
        async || http.get("/readyz").await.json()["flushed_at"].as_str().map(str::to_owned),
        |flushed_at| flushed_at.as_ref().is_some_and(|at| *at > date),
    )
    .await;
    server.kill().await;

    let server = place.serve(&[]).await;
    let http = Http::new(server.url());
    assert_eq!(online(&http).await, ["ada"]);
    let after = seen(&http, "ada").await;
    assert_eq!(after, before);
    assert_eq!(after["last_activity_ip"], "203.0.113.7");
}

#[tokio::test]
async fn rule_9_the_end_by_sigterm_loses_nothing() {
    let place = Place::new();
    // Nothing would be written by itself for hours.
    let slow = ["--window", "12h", "--granularity", "3h", "--flush-every", "3h"];
    let server = place.serve(&slow).await;
    let http = Http::new(server.url());
    for user in 0..200 {
        touch(&http, &format!("user-{user}")).await;
    }
    http.post("/v1/leave").json(&json!({ "user": "user-7" })).await;
    let mut before = Vec::new();
    for user in [0, 7, 199] {
        before.push(seen(&http, &format!("user-{user}")).await);
    }
    // The client above holds its connections open, this one has sent half a request, and that one nothing.
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut half = TcpStream::connect(&address).unwrap();
    half.write_all(b"POST /v1/touch HTTP/1.1\r\nhost: localhost\r\n").unwrap();
    let _idle = TcpStream::connect(&address).unwrap();

    let finished = server.terminate().await;
    assert!(finished.status.success(), "{finished:?}");
    assert!(finished.took < Duration::from_secs(5), "{finished:?}");
    assert_eq!(finished.stdout.lines().count(), 1, "{finished:?}");

    let server = place.serve(&slow).await;
    let http = Http::new(server.url());
    assert_eq!(http.get("/v1/online/count").await.json()["count"], 199);
    for (user, before) in [0, 7, 199].into_iter().zip(before) {
        assert_eq!(seen(&http, &format!("user-{user}")).await, before);
    }
}

/// A request that is being answered is answered, though the server is told to end.
#[tokio::test]
async fn a_request_under_way_is_finished() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let mut client = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    let body = r#"{"user":"ada"}"#;
    let head = format!(
        "POST /v1/touch?ack=stored HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes()).unwrap();
    // Said once the call wants its body; the rest of that comes when the server no longer accepts anyone.
    let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    client.read_exact(&mut go_on).unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100 "));
    client.write_all(&body.as_bytes()[..body.len() - 1]).unwrap();
    let address = server.url().trim_start_matches("http://").to_owned();
    let (finished, answer) = tokio::join!(server.terminate(), async {
        eventually(Duration::from_secs(5), async || TcpStream::connect(&address).is_err(), |refused| *refused).await;
        client.write_all(&body.as_bytes()[body.len() - 1..]).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer
    });
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with(r#"{"stored":1}"#), "{answer}");
    assert!(finished.status.success(), "{finished:?}");
}

#[tokio::test]
async fn rule_9_what_is_acknowledged_as_stored_survives_a_crash_at_once() {
    let place = Place::new();
    let server = place.serve(&["--flush-every", "30s"]).await;
    let http = Http::new(server.url());
    let many: String = (0..500).map(|user| json!({ "user": user, "ip": "2001:db8::7" }).to_string() + "\n").collect();
    let answer = http.post("/v1/touch?ack=stored").body("application/x-ndjson", many).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "stored": 500 })));
    server.kill().await;

    let server = place.serve(&[]).await;
    let http = Http::new(server.url());
    assert_eq!(http.get("/v1/online/count").await.json()["count"], 500);
    assert_eq!(seen(&http, "499").await["last_activity_ip"], "2001:db8::7");
}

#[tokio::test]
async fn rule_6_two_processes_on_one_file_agree() {
    let place = Place::new();
    let times = ["--window", "6s", "--granularity", "1s"];
    let (one, other) = (place.serve(&times).await, place.serve(&times).await);
    let (one, other) = (Http::new(one.url()), Http::new(other.url()));
    let soon = Duration::from_secs(2) + Duration::from_secs(1);

    touch(&one, "ada").await;
    assert_eq!(online(&one).await, ["ada"], "where it happened, at once");
    eventually(soon, async || online(&other).await, |users| users == &["ada"]).await;

    other.post("/v1/leave").json(&json!({ "user": "ada" })).await;
    assert!(online(&other).await.is_empty(), "where it happened, at once");
    eventually(soon, async || online(&one).await, Vec::is_empty).await;

    touch(&one, "bob").await;
    other.put("/v1/users/bob").json(&json!({ "name": "Bob" })).await;
    let name = async || one.get("/v1/online").await.json()["users"][0]["name"].clone();
    eventually(soon, name, |name| name == "Bob").await;
    other.delete("/v1/users/bob").await;
    eventually(soon, async || online(&one).await, Vec::is_empty).await;
}

#[tokio::test]
async fn a_port_in_use_is_named_and_costs_the_store_nothing() {
    let (place, elsewhere) = (Place::new(), Place::new());
    let server = place.serve(&["--store", "memory:"]).await;
    let address = server.url().trim_start_matches("http://");
    let complaint = complaint(elsewhere.run(&["serve", "--listen", address]).await, 1);
    assert!(complaint.contains(&format!("{address} is in use")) && complaint.contains("--listen"), "{complaint}");
    assert_eq!(elsewhere.contents(), []);
}

#[tokio::test]
async fn invented_visits_fill_the_list_and_no_file() {
    let place = Place::new();
    let server = place.serve(&["--demo", "40"]).await;
    let http = Http::new(server.url());
    let count = async || http.get("/v1/online/count").await.json()["count"].as_u64().unwrap();
    eventually(Duration::from_secs(5), count, |count| *count > 20).await;
    assert!(server.terminate().await.status.success());
    assert_eq!(place.contents(), []);
}

#[tokio::test]
async fn the_log_is_for_people_or_for_programs() {
    let place = Place::new();
    let text = place.serve(&["--store", "memory:"]).await.terminate().await;
    assert!(text.stderr.contains(" INFO ") && text.stderr.contains("store=memory:"), "{text:?}");
    let json = place.serve(&["--store", "memory:", "--log-format", "json"]).await.terminate().await;
    let lines: Vec<Value> = json.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let serving = lines.iter().find(|line| line["fields"]["message"] == "serving");
    assert_eq!(
        serving.map(|line| (&line["level"], &line["fields"]["store"])),
        Some((&json!("INFO"), &json!("memory:")))
    );
    assert!(complaint(place.run(&["--log-format", "xml", "config"]).await, 2).contains("'xml'"));
}

/// Two servers on a site's PostgreSQL do what two on one file do, and tables are made where there were none.
#[tokio::test]
async fn two_servers_on_one_postgresql_agree() {
    let postgres = Postgres::shared().await;
    let url = postgres.database("serving").await;
    let place = Place::new();
    let (here, there) = (place.serve(&["--store", &url]).await, place.serve(&["--store", &url]).await);
    let (here, there) = (Http::new(here.url()), Http::new(there.url()));
    touch(&here, "ada").await;
    eventually(Duration::from_secs(5), async || online(&there).await, |users| users == &["ada"]).await;
    assert_eq!(there.post("/v1/leave").json(&json!({ "user": "ada" })).await.status, 202);
    eventually(Duration::from_secs(5), async || online(&here).await, Vec::is_empty).await;
    let kept = postgres.sql("serving", "SELECT last_activity_ip FROM user_activity WHERE user_id = 'ada'").await;
    assert_eq!(kept.trim(), "203.0.113.7");
}

#[tokio::test]
async fn two_servers_on_one_redis_agree() {
    let redis = Redis::shared().await;
    agree(&format!("{}?prefix=serving", redis.url())).await;
}

#[tokio::test]
async fn two_servers_on_one_redis_cluster_agree() {
    let cluster = RedisCluster::start().await;
    agree(&cluster.url()).await;
}

/// The whole of the program's life on a store: two servers, and the commands straight on it.
async fn agree(url: &str) {
    let place = Place::new();
    let (here, there) = (place.serve(&["--store", url]).await, place.serve(&["--store", url]).await);
    Http::new(here.url()).post("/v1/touch?ack=stored").json(&json!({ "user": "ada", "ip": "203.0.113.7" })).await;
    let online = async || Http::new(there.url()).get("/v1/online").await.json()["users"][0]["user"].clone();
    eventually(Duration::from_secs(4), online, |user| user == "ada").await;
    let seen = place.run(&["seen", "ada", "--store", url]).await;
    assert!(seen.stdout.starts_with("ada is online: last seen "), "{seen:?}");
    assert!(place.run(&["forget", "ada", "--store", url]).await.status.success());
    let count = async || Http::new(here.url()).get("/v1/online/count").await.json()["count"].clone();
    eventually(Duration::from_secs(4), count, |count| count == 0).await;
    assert!(place.run(&["migrate", "--store", url]).await.stdout.ends_with(" has no tables, and can be used\n"));
}
