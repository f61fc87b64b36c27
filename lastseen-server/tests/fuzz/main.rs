//! Every parser that meets bytes from outside, with bytes that nobody would send on purpose, or somebody just would.
//!
//! Each starts from a corpus, `corpus/NAME`, which is read whole and then mutated by chance: some thousand times
//! ordinarily, a hundred times as often with `LASTSEEN_TEST_FULL=1`. Inputs that once failed are in the corpora, and new
//! ones belong there. Nothing may panic, and what each answers must keep what its documentation promises.

#[path = "../service/mod.rs"]
mod service;

mod mutations;

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri};
use lastseen::{ClientIp, ForwardedHeader, MemoryStore, SkipRules, Tracker, UserId};
use lastseen_harness::{cases, seed};
use lastseen_server::log_line::Format;
use lastseen_server::settings::Settings;
use lastseen_server::syslog::message;
use mutations::Mutations;
use serde_json::json;
use service::{Service, from_peer, settings};
use tokio::runtime::{Builder, Runtime};

/// How many inputs where one takes microseconds, and where it goes through the whole server.
const QUICK: u64 = 10_000;
const SLOW: u64 = 1_500;

/// Shows the input where a target panics.
struct Shown<'a>(&'a str, &'a [u8]);

impl Drop for Shown<'_> {
    #[expect(clippy::print_stderr, reason = "who repeats a failure needs the input")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this input failed, and belongs into corpus/{}: b\"{}\"", self.0, self.1.escape_ascii());
        }
    }
}

fn fuzz(name: &str, inputs: u64, mut target: impl FnMut(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let corpus: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let mut run = |input: &[u8]| {
        let _shown = Shown(name, input);
        target(input);
    };
    for input in &corpus {
        run(input);
    }
    let mut mutations = Mutations::of(corpus, seed());
    for _ in 0..cases(inputs, 100 * inputs) {
        run(&mutations.next());
    }
}

/// The first byte, which tells what is done with the others.
fn choose(input: &[u8]) -> (u8, &[u8]) {
    input.split_first().map_or((0, input), |(first, rest)| (*first, rest))
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// A request with these lines of a header.
fn with_lines(header: ForwardedHeader, lines: &[&[u8]], peer: &str) -> Parts {
    let mut request = from_peer(peer).body(()).unwrap().into_parts().0;
    let name: HeaderName = header.to_string().parse().unwrap();
    for value in lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok()) {
        request.headers.append(name.clone(), value);
    }
    request
}

#[test]
fn forwarded_and_x_forwarded_for() {
    let trusted = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse::<ipnet::IpNet>().unwrap());
    let headers = [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded, ForwardedHeader::XRealIp];
    fuzz("client_ip", QUICK, |input| {
        let (first, rest) = choose(input);
        let header = headers[usize::from(first) % headers.len()];
        let lines: Vec<&[u8]> = rest.split(|byte| *byte == b'\n').collect();
        let client_ip = ClientIp::trusting(trusted, header);
        let of = |lines: &[&[u8]], peer| client_ip.of(&with_lines(header, lines, peer)).unwrap();

        let stranger = "203.0.113.9";
        assert_eq!(of(&lines, stranger).to_string(), stranger, "who isn't trusted is not believed");
        let found = of(&lines, "10.0.0.1");
        assert_eq!(found, found.to_canonical());
        let is_trusted = |ip: IpAddr| trusted.iter().any(|network| network.contains(&ip));
        if !is_trusted(found) && header != ForwardedHeader::XRealIp {
            let forged = [&[&b"for=198.51.100.1, 198.51.100.1"[..]], &lines[..]].concat();
            assert_eq!(of(&forged, "10.0.0.1"), found, "what stands before the client's address changes nothing");
        }
    });
}

#[test]
fn access_log_lines() {
    let formats = [Format::Auto, Format::Common, Format::Combined, Format::Json];
    fuzz("log_line", QUICK, |input| {
        for format in formats {
            if let Ok(line) = format.read(input) {
                assert!(line.user.is_none_or(|user| !user.is_empty() && user != "-"));
            }
        }
    });
}

#[test]
fn syslog_datagrams() {
    fuzz("syslog", QUICK, |input| {
        if let Some(text) = message::of(input) {
            assert_eq!(text.first(), Some(&b'{'));
            let _ = Format::Json.read(text);
        }
    });
}

#[test]
fn user_ids() {
    let runtime = runtime();
    fuzz("user_id", SLOW, |input| {
        let text = String::from_utf8_lossy(input);
        let Ok(user) = UserId::new(&text) else { return };
        assert!(user.as_str() == text && (1..=UserId::MAX_BYTES).contains(&text.len()));
        assert!(!text.chars().any(char::is_control));
        // Memory keeps ids of some forms in others, and must tell them from each other all the same.
        let other = UserId::new(&text.to_ascii_uppercase()).unwrap();
        runtime.block_on(async {
            let tracker = Tracker::builder(MemoryStore::new()).capacity(16).start().await.unwrap();
            tracker.touch(&user, None);
            assert!(tracker.is_online(&user) && tracker.is_online(&other) == (user == other));
            assert_eq!(tracker.online(1).users[0].user, user);
        });
    });
}

#[test]
fn bodies_of_calls() {
    let runtime = runtime();
    let service = runtime.block_on(Service::start());
    let json = "application/json";
    let calls = [
        (Method::POST, "/v1/touch", json),
        (Method::POST, "/v1/touch?ack=stored", "application/x-ndjson"),
        (Method::POST, "/v1/leave", json),
        (Method::PUT, "/v1/users/ada", json),
    ];
    fuzz("body", SLOW, |input| {
        let (first, body) = choose(input);
        let (method, path, content_type) = calls[usize::from(first) % calls.len()].clone();
        let answer = runtime.block_on(service.body(method, path, content_type, body.to_vec()));
        if !answer.status.is_success() {
            assert!(answer.status.is_client_error(), "{answer:?}");
            assert!(!answer.problem(answer.status).is_empty());
        }
    });
}

/// Paths and queries, and the headers by which proxies and browsers tell what they are about.
#[test]
fn requests() {
    let runtime = runtime();
    let trusting = settings(&json!({ "trust_proxy": ["10.0.0.0/8"], "skip": [r"^static/", r"\.png$"] }));
    let service = runtime.block_on(Service::with(&trusting));
    let rules = SkipRules::new([r"^static/", r"\.png$", r"^\w+/\d+$"]).unwrap();
    let headers =
        ["remote-user", "x-original-uri", "x-original-method", "x-forwarded-for", "last-event-id", "host", "cookie"];
    fuzz("request", SLOW, |input| {
        let mut lines = input.split(|byte| *byte == b'\n');
        let Some(Ok(uri)) = lines.next().map(Uri::try_from) else { return };
        let mut request = from_peer("10.0.0.1").method(Method::GET).uri(uri);
        for (name, value) in headers.iter().zip(lines) {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                request = request.header(*name, value);
            }
        }
        let request = request.body(Body::empty()).unwrap();
        let (head, body) = request.into_parts();
        let _ = rules.explain(&head);
        // A stream of events has no end.
        if head.uri.path() != "/v1/events" {
            let answer = runtime.block_on(service.send(Request::from_parts(head, body)));
            assert!(!answer.status.is_server_error(), "{answer:?}");
        }
    });
}

#[test]
fn skip_rules() {
    fuzz("skip", SLOW, |input| {
        let patterns: Vec<_> = input.split(|byte| *byte == b'\n').map(String::from_utf8_lossy).collect();
        match SkipRules::new(patterns.iter().map(ToString::to_string)) {
            Ok(rules) => {
                let request = Request::get("/static/%2e%2e//a%2fb.png?x").body(()).unwrap();
                let _ = rules.explain(&request.into_parts().0);
            }
            Err(error) => assert!(error.is_invalid(), "{error}"),
        }
    });
}

#[test]
fn settings_files() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("lastseen.toml");
    let load = |text: &[u8]| {
        fs::write(&file, text).unwrap();
        Settings::load(Some(&file), &json!({}))
    };
    fuzz("settings", SLOW, |input| match load(input) {
        Ok((settings, _)) => {
            let lines = settings.entries().into_iter().map(|(key, value)| key.to_owned() + " = " + &value + "\n");
            let printed: String = lines.collect();
            // A password is printed nowhere.
            if !printed.contains("://") {
                assert_eq!(load(printed.as_bytes()).unwrap().0, settings, "read again from {printed}");
            }
        }
        Err(failure) => assert_eq!(failure.exit_code(), 2, "{failure}"),
    });
}
