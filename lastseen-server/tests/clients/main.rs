//! What docs/clients.md has sites in other languages do, word for word: they report their users, and nothing else happens.

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

/// A framework of the page's, with the language of its block, what runs that, and how its files are called.
struct Framework(&'static str, &'static str, &'static str, &'static str);

const FRAMEWORKS: [Framework; 4] = [
    Framework("Django", "python", "python3", "py"),
    Framework("Rails", "ruby", "ruby", "rb"),
    Framework("Laravel", "php", "php", "php"),
    Framework("Express", "js", "node", "js"),
];

impl Framework {
    /// A site that does what the page says, and reports to `address`.
    async fn site(&self, place: &Place, address: &str) -> Program {
        let Self(name, language, runtime, ending) = self;
        let (_, port) = address.rsplit_once(':').unwrap();
        let code = block(name, language).replace("7701", port);
        fs::write(place.path().join(format!("lastseen.{ending}")), code).unwrap();
        let script = format!("{}/tests/clients/{}.{ending}", env!("CARGO_MANIFEST_DIR"), name.to_lowercase());
        let mut command = Command::new(runtime);
        command.arg(script).current_dir(place.path()).env("PYTHONPATH", place.path());
        Program::start(&mut command).await
    }
}

async fn it_reports_by_a_datagram_and_goes_on_when_nobody_takes_it(framework: Framework) {
    let place = Place::new();
    let mut lastseen =
        place.serve(&["--syslog", "127.0.0.1:0", "--skip", r"\.png$", "--trust-proxy", "127.0.0.1"]).await;
    let site = framework.site(&place, &lastseen.announced("taking syslog at ").await).await;
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

#[tokio::test]
async fn rule_7_a_request_of_django_waits_for_nobody() {
    let [django, ..] = FRAMEWORKS;
    it_reports_by_a_datagram_and_goes_on_when_nobody_takes_it(django).await;
}

#[tokio::test]
async fn rule_7_a_request_of_rails_waits_for_nobody() {
    let [_, rails, ..] = FRAMEWORKS;
    it_reports_by_a_datagram_and_goes_on_when_nobody_takes_it(rails).await;
}

#[tokio::test]
async fn rule_7_a_request_of_laravel_waits_for_nobody() {
    let [.., laravel, _] = FRAMEWORKS;
    it_reports_by_a_datagram_and_goes_on_when_nobody_takes_it(laravel).await;
}

#[tokio::test]
async fn rule_7_a_request_of_express_waits_for_nobody() {
    let [.., express] = FRAMEWORKS;
    it_reports_by_a_datagram_and_goes_on_when_nobody_takes_it(express).await;
}
