//! Floods of every kind: what they take is bounded and counted, and everybody else is served.

mod program;

use std::cell::Cell;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::ops::Range;
use std::time::Duration;

use lastseen_harness::{Http, Program, eventually};
use program::Place;
use serde_json::json;

/// How much a server may grow under any of these, which each bring far more than that.
const ROOM: u64 = 64 << 20;

/// How much memory a server has taken at most so far.
fn peak(server: &Program) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.unwrap().parse::<u64>().unwrap() << 10
}

async fn metric(http: &Http, name: &str) -> u64 {
    let answer = http.get("/metrics").await;
    let value = answer.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().unwrap())
}

fn connect(server: &Program) -> TcpStream {
    let stream = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// A touch a line, of users with long ids.
fn lines(users: Range<u64>) -> String {
    let lines: Vec<_> = users.map(|user| format!("{{\"user\":\"{user:0100}\"}}\n")).collect();
    lines.concat()
}

#[tokio::test]
async fn endless_new_users_push_out_whom_nobody_has_seen_for_longest_and_no_more() {
    const CAPACITY: u64 = 1000;
    const FLOOD: u64 = 100_000;

    let place = Place::new();
    let server = place.serve(&["--capacity", &CAPACITY.to_string()]).await;
    let http = Http::new(server.url());
    let before = peak(&server);
    let report = async |users: Range<u64>| {
        http.post("/v1/touch?ack=stored").body("application/x-ndjson", lines(users)).await.status
    };
    let visits = Cell::new(0);
    for start in (0..FLOOD).step_by(5000) {
        assert_eq!(report(start..start + 5000).await, 200, "each of them is stored");
        // While all of memory is on its way to the store she is refused, and counted, until her next request.
        let visit = async || {
            visits.set(visits.get() + 1);
            assert_eq!(http.post("/v1/touch").json(&json!({ "user": "ada" })).await.status, 202);
            http.get("/v1/users/ada").await.json()["online"].clone()
        };
        eventually(Duration::from_secs(20), visit, |online| online == true).await;
    }
    let users = metric(&http, "lastseen_memory_users").await;
    assert!(users <= CAPACITY, "{users} users");
    let evicted = metric(&http, "lastseen_memory_evicted_total").await;
    let refused = metric(&http, "lastseen_touches_refused_total").await;
    // Ada may have been let go of between two of her visits, and have come in anew.
    let counted = users + evicted + refused;
    assert!(
        (FLOOD + 1..=FLOOD + visits.get()).contains(&counted),
        "each is held, or was let go of, or was refused: {counted}"
    );
    assert!(http.get(&format!("/v1/users/{:0100}", 0)).await.json()["online"] == false, "the store has all");
    assert!(peak(&server) - before < ROOM, "{} bytes", peak(&server) - before);
}

#[tokio::test]
async fn a_flood_of_datagrams_is_taken_or_counted_and_requests_are_answered_meanwhile() {
    const FLOOD: u64 = 200_000;

    let place = Place::new();
    let mut server = place.serve(&["--store", "memory:", "--syslog", "127.0.0.1:0", "--capacity", "1000"]).await;
    let syslog = server.announced("taking syslog at ").await;
    let http = Http::new(server.url());
    let before = peak(&server);
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.connect(&syslog).unwrap();
    let junk = [b'<'; 1000];
    for number in 0..FLOOD {
        let line = format!("<190>Nov 24 03:15:00 web1 nginx: {{\"user\":\"{number:0100}\"}}");
        sender.send(if number % 2 == 0 { &junk } else { line.as_bytes() }).unwrap();
        if number % (FLOOD / 20) == 0 {
            assert_eq!(http.post("/v1/touch").json(&json!({ "user": "ada" })).await.status, 202);
            assert_eq!(http.get("/v1/users/ada").await.json()["online"], true);
        }
    }
    let counted = async || {
        let text = http.get("/metrics").await.text().to_owned();
        let counts = text.lines().filter(|line| line.starts_with("lastseen_syslog_d"));
        counts.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum::<u64>()
    };
    eventually(Duration::from_secs(20), counted, |counted| *counted == FLOOD).await;
    assert!(metric(&http, "lastseen_memory_users").await <= 1000);
    assert!(peak(&server) - before < ROOM, "{} bytes", peak(&server) - before);
}

#[tokio::test]
async fn who_listens_and_never_reads_takes_a_place_and_no_more() {
    const CLIENTS: u64 = 100;

    let place = Place::new();
    let server = place.serve(&["--store", "memory:", "--event-clients", &CLIENTS.to_string()]).await;
    let http = Http::new(server.url());
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = connect(&server);
        client.write_all(b"GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        clients.push(BufReader::new(client));
    }
    let listening = async || metric(&http, "lastseen_event_clients").await;
    eventually(Duration::from_secs(10), listening, |listening| *listening == CLIENTS).await;
    let before = peak(&server);
    assert_eq!(http.get("/v1/events").await.status, 503);
    assert_eq!(metric(&http, "lastseen_http_answers_total{code=\"503\"}").await, 1);
    assert_eq!(metric(&http, "lastseen_event_clients_refused_total").await, 1);
    // Each batch names a hundred users: ten of them would be a megabyte for each client, were they kept.
    for start in (0..5_000).step_by(100) {
        let reported = http.post("/v1/touch").body("application/x-ndjson", lines(start..start + 100)).await;
        assert_eq!(reported.status, 202);
    }
    let mut line = String::new();
    let one = &mut clients[0];
    while !line.starts_with("event: snapshot") {
        line.clear();
        assert_ne!(one.read_line(&mut line).unwrap(), 0);
    }
    assert!(peak(&server) - before < ROOM, "{} bytes", peak(&server) - before);
    drop(clients);
    eventually(Duration::from_secs(10), listening, |listening| *listening == 0).await;
}

#[tokio::test]
async fn a_body_without_end_is_refused_after_a_megabyte() {
    let place = Place::new();
    let server = place.serve(&["--store", "memory:"]).await;
    let http = Http::new(server.url());
    let before = peak(&server);
    let head = "POST /v1/touch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n";
    for length in ["transfer-encoding: chunked", "content-length: 1000000000"] {
        let mut client = connect(&server);
        write!(client, "{head}{length}\r\n\r\n").unwrap();
        let line = format!("{{\"user\":\"{}\"}}\n", "x".repeat(100)).repeat(1000);
        let chunk = if length.starts_with('t') { format!("{:x}\r\n{line}\r\n", line.len()) } else { line };
        // Until the server has had enough and hangs up.
        let mut sent = 0;
        while sent < (1 << 30) && client.write_all(chunk.as_bytes()).is_ok() {
            sent += chunk.len();
        }
        assert!(sent < 100 << 20, "{length}: {sent} bytes");
        let mut answer = Vec::new();
        // Whoever goes on writing may lose the answer.
        let _ = client.read_to_end(&mut answer);
    }
    let refused = async || metric(&http, "lastseen_http_answers_total{code=\"413\"}").await;
    eventually(Duration::from_secs(10), refused, |refused| *refused == 2).await;
    assert_eq!(metric(&http, "lastseen_touches_total").await, 0, "nothing of it is taken");
    assert!(peak(&server) - before < ROOM, "{} bytes", peak(&server) - before);
}

#[tokio::test]
async fn heads_without_end_and_too_large_take_a_place_each_and_others_are_served() {
    const CLIENTS: u64 = 200;

    let place = Place::new();
    let server = place.serve(&["--store", "memory:"]).await;
    let http = Http::new(server.url());
    let before = peak(&server);
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = connect(&server);
        client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ").unwrap();
        clients.push(client);
    }
    let connections = async || metric(&http, "lastseen_http_connections").await;
    eventually(Duration::from_secs(10), connections, |connections| *connections > CLIENTS).await;
    let mut large = connect(&server);
    large.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nx-large: ").unwrap();
    let mut sent = 0;
    while sent < (1 << 30) && large.write_all(&[b'x'; 10_000]).is_ok() {
        sent += 10_000;
    }
    assert!(sent < 100 << 20, "{sent} bytes of a head");
    assert_eq!(http.post("/v1/touch").json(&json!({ "user": "ada" })).await.status, 202);
    assert!(peak(&server) - before < ROOM, "{} bytes", peak(&server) - before);
}
