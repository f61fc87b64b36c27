//! What each parser must keep, whatever bytes it is given: a function a parser, whose result tries it on one input.

#[path = "../service/mod.rs"]
mod service;

use std::fs;
use std::net::IpAddr;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use lastseen::{ClientIp, ForwardedHeader, MemoryStore, SkipRules, Tracker, UserId};
use lastseen_server::log_line::Format;
use lastseen_server::replay::{Line, Replay};
use lastseen_server::settings::Settings;
use lastseen_server::syslog::message;
use serde_json::json;
use service::{Service, from_peer, settings};
use tokio::runtime::{Builder, Runtime};

/// What panics on an input that shows a fault.
pub(crate) type Target = Box<dyn FnMut(&[u8])>;

/// The parser whose corpus has this name.
pub(crate) fn named(corpus: &str) -> Target {
    match corpus {
        "client_ip" => Box::new(client_ip()),
        "log_line" => Box::new(log_line()),
        "syslog" => Box::new(syslog()),
        "user_id" => Box::new(user_id()),
        "body" => Box::new(body()),
        "request" => Box::new(request()),
        "skip" => Box::new(skip()),
        "settings" => Box::new(settings_file()),
        "ticket" => Box::new(ticket()),
        "token" => Box::new(token()),
        _ => panic!("no parser has a corpus of the name {corpus:?}"),
    }
}

/// The first byte, which tells what is done with the others.
fn choose(input: &[u8]) -> (u8, &[u8]) {
    input.split_first().map_or((0, input), |(first, rest)| (*first, rest))
}

/// In which nothing waits for real.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
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

/// The first byte chooses the header, and the others are its lines.
fn client_ip() -> impl FnMut(&[u8]) {
    let trusted = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse::<ipnet::IpNet>().unwrap());
    let headers = [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded, ForwardedHeader::XRealIp];
    move |input| {
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
    }
}

/// Lines by themselves, and what a replay makes of them all.
fn log_line() -> impl FnMut(&[u8]) {
    let configurations = [("now", Settings::default()), ("then", settings(&json!({ "window": "1s" })))];
    move |input| {
        let mut replay = Replay::new(Format::Auto, None, configurations.clone()).unwrap();
        for (number, text) in (1..).zip(input.split(|byte| *byte == b'\n')) {
            let read = Format::Auto.read(text);
            let form = if text.first() == Some(&b'{') { Format::Json } else { Format::Combined };
            assert_eq!(read, form.read(text));
            if let Ok(line) = &read {
                assert!(line.user.as_ref().is_none_or(|user| !user.is_empty() && user != "-"));
            }
            replay.line(&Line { log: "access.log", number, text: Ok(text) });
        }
        replay.finish();
        assert!(replay.table().starts_with(|first: char| first.is_ascii_digit()));
        assert!(replay.picture().ends_with("</svg>\n"));
        assert_eq!(replay.json()["lines"], replay.lines());
    }
}

fn syslog() -> impl FnMut(&[u8]) {
    move |input| {
        if let Some(text) = message::of(input) {
            assert_eq!(text.first(), Some(&b'{'));
            let _ = Format::Json.read(text);
        }
    }
}

fn user_id() -> impl FnMut(&[u8]) {
    let runtime = runtime();
    move |input| {
        let text = String::from_utf8_lossy(input);
        // There are quick ways for the usual ids, and this is the rule.
        let is_right = (1..=UserId::MAX_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
        let Ok(user) = UserId::new(&text) else { return assert!(!is_right) };
        assert!(is_right && user.as_str() == text);
        // Memory keeps ids of some forms in others, and must tell them from each other all the same.
        let other = UserId::new(&text.to_ascii_uppercase()).unwrap();
        runtime.block_on(async {
            let tracker = Tracker::builder(MemoryStore::new()).capacity(16).start().await.unwrap();
            tracker.touch(&user, None);
            assert!(tracker.is_online(&user) && tracker.is_online(&other) == (user == other));
            assert_eq!(tracker.online(1).users[0].user, user);
            tracker.shutdown().await.unwrap();
        });
    }
}

/// The first byte chooses the call, and the others are its body.
fn body() -> impl FnMut(&[u8]) {
    let runtime = runtime();
    let service = runtime.block_on(Service::start());
    let json = "application/json";
    let calls = [
        (Method::POST, "/v1/touch", json),
        (Method::POST, "/v1/touch?ack=stored", "application/x-ndjson"),
        (Method::POST, "/v1/leave", json),
        (Method::PUT, "/v1/users/ada", json),
        (Method::POST, "/v1/store/write", json),
        (Method::POST, "/v1/store/write_history", json),
        (Method::POST, "/v1/store/expire", json),
        (Method::POST, "/v1/store/recent", json),
    ];
    move |input| {
        let (first, body) = choose(input);
        let (method, path, content_type) = calls[usize::from(first) % calls.len()].clone();
        let answer = runtime.block_on(service.body(method, path, content_type, body.to_vec()));
        if !answer.status.is_success() {
            assert!(answer.status.is_client_error(), "{answer:?}");
            assert!(!answer.problem(answer.status).is_empty());
        }
    }
}

/// Paths and queries, and the headers by which proxies and browsers tell what they are about.
fn request() -> impl FnMut(&[u8]) {
    let runtime = runtime();
    let trusting = settings(&json!({ "trust_proxy": ["10.0.0.0/8"], "skip": [r"^static/", r"\.png$"] }));
    let service = runtime.block_on(Service::with(&trusting));
    let rules = SkipRules::new([r"^static/", r"\.png$", r"^\w+/\d+$"]).unwrap();
    let headers =
        ["remote-user", "x-original-uri", "x-original-method", "x-forwarded-for", "last-event-id", "host", "cookie"];
    move |input| {
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
    }
}

fn skip() -> impl FnMut(&[u8]) {
    move |input| {
        let patterns: Vec<_> = input.split(|byte| *byte == b'\n').map(String::from_utf8_lossy).collect();
        match SkipRules::new(patterns.iter().map(ToString::to_string)) {
            Ok(rules) => {
                let request = Request::get("/static/%2e%2e//a%2fb.png?x").body(()).unwrap();
                let _ = rules.explain(&request.into_parts().0);
            }
            Err(error) => assert!(error.is_invalid(), "{error}"),
        }
    }
}

fn settings_file() -> impl FnMut(&[u8]) {
    let directory = tempfile::tempdir().unwrap();
    let load = move |text: &[u8]| {
        let file = directory.path().join("lastseen.toml");
        fs::write(&file, text).unwrap();
        Settings::load(Some(&file), &json!({}))
    };
    move |input| match load(input) {
        Ok((settings, _)) => {
            let lines = settings.entries().into_iter().map(|(key, value)| key.to_owned() + " = " + &value + "\n");
            let printed: String = lines.collect();
            // A password is printed nowhere.
            if !printed.contains("://") {
                assert_eq!(load(printed.as_bytes()).unwrap().0, settings, "read again from {printed}");
            }
        }
        Err(failure) => assert_eq!(failure.exit_code(), 2, "{failure}"),
    }
}

/// The one ticket of the one key, computed by Python; the service's clock stands at 03:15, and it ends an hour later.
const TICKET: &str = "1795493700.f4f15e03d8c8c74f3b76460585a7c62475f391b807c3b3ef54b8942f854c5a92.ada.lovelace";

/// What is no ticket keeps nobody online.
fn ticket() -> impl FnMut(&[u8]) {
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("key");
    fs::write(&key, "0123456789abcdef0123456789abcdef").unwrap();
    let runtime = runtime();
    let service = runtime.block_on(Service::with(&settings(&json!({ "ticket_key_file": key }))));
    move |input| {
        let answer = runtime.block_on(service.body(Method::POST, "/v1/beacon", "text/plain", input.to_vec()));
        assert_eq!(answer.status.is_success(), input == TICKET.as_bytes(), "{answer:?}");
        assert!(answer.status.is_success() || answer.status.is_client_error(), "{answer:?}");
        assert!(service.tracker.count() <= 1, "the ticket names one user");
    }
}

/// What holds no token in its first header, whatever it says otherwise, gets nobody in.
fn token() -> impl FnMut(&[u8]) {
    let token = format!("lastseen_{}", "5".repeat(64));
    let digest = "4bfe1067ab5c50f36129057aeffab12469f3ca07938a1b9a18f0ce813914a711";
    let runtime = runtime();
    let service = runtime.block_on(Service::with(&settings(&json!({ "tokens": [format!("me:admin:{digest}")] }))));
    move |input| {
        let mut request = Request::get("/v1/online");
        let mut first = None;
        for (number, line) in input.split(|byte| *byte == b'\n').enumerate() {
            let Ok(value) = HeaderValue::from_bytes(line) else { continue };
            // Every other line is a session's.
            let name = if number % 2 == 0 { header::AUTHORIZATION } else { header::COOKIE };
            first = first.or_else(|| (number % 2 == 0).then(|| value.clone()));
            request = request.header(name, value);
        }
        let answer = runtime.block_on(service.send(request.body(Body::empty()).unwrap()));
        let is_let_in = answer.status.is_success();
        assert!(is_let_in || answer.status == StatusCode::UNAUTHORIZED, "{answer:?}");
        let first = first.as_ref().and_then(|value| value.to_str().ok()).unwrap_or_default();
        let scheme = first.get(..7).unwrap_or_default();
        let is_right = scheme.eq_ignore_ascii_case("bearer ") && first[7..].trim() == token;
        assert_eq!(is_let_in, is_right, "{first:?}");
        assert!(!answer.body.contains(&token), "{answer:?}");
    }
}
