//! What docs/clients.md has a site in Python do, word for word: it reports its users, and nothing else happens.

#[path = "../program/mod.rs"]
mod program;

use std::fs;
use std::process::Command;
use std::time::Duration;

use lastseen_harness::{Http, Program, eventually};
use program::Place;

/// The first block in this language, under the heading.
fn block(heading: &str, language: &str) -> String {
    let page = include_str!("../../../docs/clients.md");
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let (_, block) = section.split_once(&format!("```{language}\n")).unwrap();
    let (block, _) = block.split_once("```").unwrap();
    assert!(block.lines().filter(|line| !line.is_empty()).count() < 15, "{block}");
    block.to_owned()
}

/// The site, which reports to `address`.
async fn site(place: &Place, address: &str) -> Program {
    let (_, port) = address.rsplit_once(':').unwrap();
    fs::write(place.path().join("lastseen.py"), block("Django", "python").replace("7701", port)).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/site.py");
    Program::start(Command::new("python3").arg(script).env("PYTHONPATH", place.path())).await
}

#[test]
fn no_site_needs_more_than_a_few_lines() {
    for (heading, language) in [("Django", "python"), ("Rails", "ruby"), ("Laravel", "php"), ("Express", "js")] {
        assert!(block(heading, language).contains("7701"));
    }
}

#[tokio::test]
async fn rule_7_a_site_reports_by_a_datagram_and_goes_on_when_nobody_takes_it() {
    let place = Place::new();
    let mut lastseen =
        place.serve(&["--syslog", "127.0.0.1:0", "--skip", r"\.png$", "--trust-proxy", "127.0.0.1"]).await;
    let site = site(&place, &lastseen.announced("taking syslog at ").await).await;
    let visit = async |path: &str, user: Option<&str>| {
        let request = Http::new(site.url()).get(path).header("x-forwarded-for", "203.0.113.7");
        let request = user.into_iter().fold(request, |request, user| request.header("cookie", &format!("user={user}")));
        assert_eq!(request.await.text(), "Hello\n");
    };
    visit("/logo.png", Some("41")).await;
    visit("/about", None).await;
    visit("/about?x=%C3%BC", Some("42")).await;

    let http = Http::new(lastseen.url());
    let online = async || http.get("/v1/online").await.json()["users"].clone();
    let users = eventually(Duration::from_secs(10), online, |users| users[0].is_object()).await;
    assert_eq!((users.as_array().unwrap().len(), &users[0]["user"]), (1, &"42".into()), "{users}");
    assert_eq!(users[0]["last_activity_ip"], "203.0.113.7");

    lastseen.kill().await;
    visit("/about", Some("42")).await;
    visit("/about", Some("42")).await;
}
