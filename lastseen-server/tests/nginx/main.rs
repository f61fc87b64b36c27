//! A real nginx in front of a site in another language, and both ways by which it reports that site's users.

#[path = "../program/mod.rs"]
mod program;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use lastseen_harness::{Http, Nginx, Program, eventually};
use program::Place;
use serde_json::json;

/// As docs/nginx.md has it.
const LOG_FORMAT: &str = r#"
log_format lastseen escape=json '{"user":"$upstream_http_x_user","ip":"$remote_addr",'
    '"forwarded":"$http_x_forwarded_for","method":"$request_method",'
    '"uri":"$request_uri","status":"$status","time":"$msec"}';"#;

async fn site() -> Program {
    Program::start(Command::new("python3").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nginx/site.py"))).await
}

async fn ask(nginx: &Nginx, path: &str, user: &str) {
    let answer = Http::new(nginx.url()).get(path).header("cookie", &format!("user={user}")).await;
    assert_eq!((answer.status, answer.text()), (200, &*format!("Hello {user}\n")));
    assert_eq!(answer.header("x-user"), None, "the visitor is not told");
}

/// Waits for what is known of a user.
async fn last_seen(lastseen: &Program, user: &str) -> serde_json::Value {
    let http = Http::new(lastseen.url());
    let path = format!("/v1/users/{user}");
    let seen = async || http.get(&path).await;
    eventually(Duration::from_secs(10), seen, |answer| answer.status == 200).await.json()
}

#[tokio::test]
async fn rule_7_the_log_line_reports_users_and_no_request_waits_for_it() {
    let (place, site) = (Place::new(), site().await);
    let mut lastseen =
        place.serve(&["--syslog", "127.0.0.1:0", "--skip", r"\.png$", "--trust-proxy", "127.0.0.1"]).await;
    let syslog = lastseen.announced("taking syslog at ").await;
    let server = format!(
        "access_log syslog:server={syslog},tag=nginx lastseen if=$upstream_http_x_user;\n\
         location / {{ proxy_pass {}; proxy_hide_header X-User; }}",
        site.url()
    );
    let nginx = Nginx::start(LOG_FORMAT, &server).await;
    ask(&nginx, "/logo.png", "bob").await;
    ask(&nginx, "/about?x=%22", "ada").await;
    let seen = last_seen(&lastseen, "ada").await;
    assert_eq!((&seen["online"], &seen["last_activity_ip"]), (&json!(true), &json!("127.0.0.1")));
    assert_eq!(Http::new(lastseen.url()).get("/v1/users/bob").await.status, 404);

    let through =
        Http::new(nginx.url()).get("/").header("cookie", "user=cy").header("x-forwarded-for", "1.1.1.1, 203.0.113.7");
    assert_eq!(through.await.status, 200);
    assert_eq!(last_seen(&lastseen, "cy").await["last_activity_ip"], "203.0.113.7");

    // nginx and the site go on without it.
    lastseen.kill().await;
    ask(&nginx, "/about", "ada").await;
}

#[tokio::test]
async fn a_socket_in_the_file_system_serves_as_well() {
    let (place, site) = (Place::new(), site().await);
    let socket = place.path().join("syslog");
    let address = format!("unix:{}", socket.display());
    let lastseen = place.serve(&["--syslog", &address]).await;
    let server = format!(
        "access_log syslog:server={address},nohostname lastseen if=$upstream_http_x_user;\n\
         location / {{ proxy_pass {}; proxy_hide_header X-User; }}",
        site.url()
    );
    let nginx = Nginx::start(LOG_FORMAT, &server).await;
    ask(&nginx, "/about", "ada").await;
    assert_eq!(last_seen(&lastseen, "ada").await["last_activity_ip"], "127.0.0.1");
}

/// As docs/nginx.md has it, but for the cookie.
const ONCE_A_WHILE: &str = r#"
map $uri $lastseen_session {
    ~^/static/            "";
    ~\.(png|css|js)$      "";
    default               $cookie_user;
}
limit_req_zone $lastseen_session zone=lastseen:10m rate=6r/m;
limit_req_log_level info;
map "$limit_req_status $upstream_http_x_user" $lastseen_reports {
    "~^PASSED ."          1;
    default               "";
}"#;

#[tokio::test]
async fn a_session_may_report_once_in_a_while() {
    let (place, site) = (Place::new(), site().await);
    let mut lastseen = place.serve(&["--syslog", "127.0.0.1:0", "--store", "memory:"]).await;
    let syslog = lastseen.announced("taking syslog at ").await;
    let server = format!(
        "access_log syslog:server={syslog},tag=nginx lastseen if=$lastseen_reports;\n\
         location / {{ limit_req zone=lastseen; limit_req_dry_run on; proxy_pass {}; proxy_hide_header X-User; }}",
        site.url()
    );
    let nginx = Nginx::start(&format!("{LOG_FORMAT}{ONCE_A_WHILE}"), &server).await;
    let began = Instant::now();
    ask(&nginx, "/logo.png", "ada").await;
    for _ in 0..20 {
        ask(&nginx, "/about", "ada").await;
    }
    assert_eq!(Http::new(nginx.url()).get("/").await.status, 200, "a stranger is nobody to report");
    ask(&nginx, "/logo.png", "bob").await;
    ask(&nginx, "/about", "cy").await;
    last_seen(&lastseen, "ada").await;
    // Lines come in the order in which they were written.
    last_seen(&lastseen, "cy").await;
    let most = 2 + began.elapsed().as_secs() / 10;
    let metrics = Http::new(lastseen.url()).get("/metrics").await;
    let touches = metrics.text().lines().find_map(|line| line.strip_prefix("lastseen_touches_total ")).unwrap();
    assert!(touches.parse::<u64>().unwrap() <= most, "{touches} touches, of {most} at most");
    assert_eq!(Http::new(lastseen.url()).get("/v1/users/bob").await.status, 404);
}

#[tokio::test]
async fn auth_request_reports_users_and_lets_everything_pass() {
    let (place, site) = (Place::new(), site().await);
    let lastseen = place.serve(&["--trust-proxy", "127.0.0.1", "--skip", r"\.png$"]).await;
    // Who is signed in nginx must know beforehand: here by a cookie, as a rule by its own authentication.
    let server = format!(
        "auth_request /lastseen;\n\
         location / {{ proxy_pass {}; proxy_hide_header X-User; }}\n\
         location = /lastseen {{\n\
         internal;\n\
         proxy_pass {}/v1/check;\n\
         proxy_pass_request_body off;\n\
         proxy_set_header Content-Length \"\";\n\
         proxy_set_header Remote-User $cookie_user;\n\
         proxy_set_header X-Forwarded-For $remote_addr;\n\
         proxy_set_header X-Original-Method $request_method;\n\
         proxy_set_header X-Original-URI $request_uri;\n\
         proxy_connect_timeout 100ms;\n\
         proxy_read_timeout 100ms;\n\
         proxy_intercept_errors on;\n\
         error_page 403 500 502 504 = @pass;\n\
         }}\n\
         location @pass {{ return 204; }}",
        site.url(),
        lastseen.url()
    );
    let nginx = Nginx::start("", &server).await;
    ask(&nginx, "/logo.png", "bob").await;
    ask(&nginx, "/about", "ada").await;
    assert_eq!(last_seen(&lastseen, "ada").await["online"], true);
    assert_eq!(Http::new(lastseen.url()).get("/v1/users/bob").await.status, 404);
    let stranger = Http::new(nginx.url()).get("/").await;
    assert_eq!((stranger.status, stranger.text()), (200, "Hello stranger\n"));

    // With lastseen gone, the visitors are let through all the same.
    lastseen.kill().await;
    ask(&nginx, "/about", "ada").await;
}

/// What nginx takes a target for, sent as it is.
fn taken_for(nginx: &Nginx, target: &str, user: &str) -> String {
    let mut stream = TcpStream::connect(nginx.url().trim_start_matches("http://")).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nx-user: {user}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.rsplit("\r\n").next().unwrap().to_owned()
}

#[tokio::test]
async fn rule_10_nothing_that_nginx_takes_for_a_page_is_skipped() {
    let place = Place::new();
    let mut lastseen = place.serve(&["--syslog", "127.0.0.1:0", "--skip", "^static/"]).await;
    let syslog = lastseen.announced("taking syslog at ").await;
    let format = LOG_FORMAT.replace("$upstream_http_x_user", "$http_x_user");
    let server = format!(
        "access_log syslog:server={syslog},tag=nginx lastseen;\n\
         location / {{ return 200 page; }}\nlocation /static/ {{ return 200 picture; }}"
    );
    let nginx = Nginx::start(&format, &server).await;
    let targets = [
        ("/static/a.css", "picture", false),
        ("/static/a.css?next=/post", "picture", false),
        ("http://localhost/static/a.css", "picture", false),
        ("http://localhost/post", "page", true),
        ("/post?x=/static/a", "page", true),
        ("/Static/a.css", "page", true),
        ("/static", "page", true),
        // nginx resolves these: some are pages.
        ("/static/../post", "page", true),
        ("/static/%2e%2e/post", "page", true),
        ("/static/..%2Fpost", "page", true),
        ("/static/./../post", "page", true),
        ("/static//../post", "page", true),
        // Some are pictures, to nginx. In doubt they count.
        ("//static/a.css", "picture", true),
        ("/post/../static/a.css", "picture", true),
        ("/%73tatic/a.css", "picture", true),
        ("/static%2Fa.css", "picture", true),
        ("/%2573tatic/a.css", "page", true),
    ];
    for (number, (target, took, _)) in targets.iter().enumerate() {
        assert_eq!(taken_for(&nginx, target, &format!("u{number}")), *took, "{target}");
    }
    // Lines come in the order in which they were written.
    taken_for(&nginx, "/", "last");
    last_seen(&lastseen, "last").await;
    for (number, (target, _, counts)) in targets.iter().enumerate() {
        let status = Http::new(lastseen.url()).get(&format!("/v1/users/u{number}")).await.status;
        assert_eq!(status == 200, *counts, "{target}");
    }
}
