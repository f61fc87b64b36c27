//! The commands, both ways: through a server, and straight on the store.

mod program;

use std::fs;

use lastseen_harness::{Finished, Program};
use program::{Place, complaint, printed};

/// A store, and where the commands are sent.
struct Target {
    place: Place,
    server: Option<Program>,
}

impl Target {
    async fn both() -> [Self; 2] {
        let place = Place::new();
        let server = Some(place.serve(&[]).await);
        [Self { place, server }, Self { place: Place::new(), server: None }]
    }

    async fn run(&self, arguments: &[&str]) -> Finished {
        match &self.server {
            Some(server) => self.place.run(&[arguments, &["--server", server.url()]].concat()).await,
            None => self.place.run(&[arguments, &["--store", "sqlite:lastseen.db"]].concat()).await,
        }
    }
}

#[tokio::test]
async fn both_ways_tell_the_same() {
    for target in Target::both().await {
        assert_eq!(printed(target.run(&["touch", "ada", "--ip", "203.0.113.7"]).await), "");
        assert_eq!(printed(target.run(&["touch", "b/c d", "--at", "2026-01-01T00:00:00Z"]).await), "");
        assert_eq!(printed(target.run(&["count"]).await), "1\n");
        let table = printed(target.run(&["online"]).await);
        let row = table.lines().nth(1).unwrap();
        assert!(row.starts_with("ada ") && row.ends_with(" 203.0.113.7"), "{table}");
        assert!(table.ends_with("\n1 online within the last 15 minutes\n"), "{table}");

        let json: serde_json::Value =
            serde_json::from_str(&printed(target.run(&["online", "--json", "--window", "10m", "--limit", "1"]).await))
                .unwrap();
        assert_eq!((&json["window_seconds"], &json["users"][0]["user"]), (&600.into(), &"ada".into()));

        let seen = printed(target.run(&["seen", "ada"]).await);
        assert!(seen.starts_with("ada is online: last seen ") && seen.ends_with(", from 203.0.113.7\n"), "{seen}");
        let seen = printed(target.run(&["seen", "b/c d"]).await);
        assert!(seen.starts_with("b/c d is offline: ") && seen.ends_with(", at 2026-01-01T00:00:00Z\n"), "{seen}");

        assert_eq!(printed(target.run(&["leave", "ada"]).await), "");
        assert_eq!(printed(target.run(&["count"]).await), "0\n");
        assert!(printed(target.run(&["seen", "ada"]).await).contains("; signed out at "));

        assert_eq!(printed(target.run(&["forget", "ada"]).await), "");
        assert_eq!(complaint(target.run(&["seen", "ada"]).await, 1), "lastseen: the user ada was never seen\n");
        assert!(printed(target.run(&["online"]).await).starts_with("0 online"));
    }
}

#[tokio::test]
async fn both_ways_refuse_the_same() {
    for target in Target::both().await {
        printed(target.run(&["touch", "ada"]).await);
        let long = "x".repeat(129);
        for (arguments, named) in [
            (&["touch", ""][..], "empty"),
            (&["touch", &long], "129 bytes"),
            (&["touch", "a\u{7}"], r#""a\u{7}""#),
            (&["touch", "bob", "--at", "2036-01-01T00:00:00Z"], "2036-01-01T00:00:00Z"),
            (&["touch", "bob", "--at", "noon"], "\"noon\""),
            (&["touch", "bob", "--ip", "1.2.3"], "\"1.2.3\" is not an address such as 203.0.113.7"),
            (&["leave", ""], "empty"),
            (&["seen", &long], "129 bytes"),
            (&["seen", ""], "empty"),
            (&["forget", ""], "empty"),
            (&["export", ""], "empty"),
            (&["online", "--window", "15"], "--window: \"15\""),
            (&["online", "--limit", "1001"], "'--limit <USERS>': \"1001\""),
            (&["online", "--limit", "-1"], "\"-1\" is not a whole number from 0 to 1000"),
            (&["count", "--window", "2days"], "horizon"),
            (&["history", "--from", "noon"], "--from: \"noon\""),
            (&["history", "--from", "2026-11-25T00:00:00Z", "--to", "2026-11-24T00:00:00Z"], "--from: 2026-11-25"),
            (&["history", "--resolution", "5m"], "--resolution: \"5m\""),
            (&["active", "--day", "yesterday"], "--day: \"yesterday\""),
            (&["active", "--day", "2020-01-01"], "--day: 2020-01-01"),
        ] {
            let complaint = complaint(target.run(arguments).await, 2);
            assert!(complaint.contains(named), "{arguments:?}: {complaint}");
        }
        assert_eq!(printed(target.run(&["count"]).await), "1\n");
    }
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let place = Place::new();
    let complaint_of = async |arguments: &[&str], code| complaint(place.run(arguments).await, code);
    let none = complaint_of(&["online", "--server", "http://127.0.0.1:1"], 1).await;
    assert!(none.contains("http://127.0.0.1:1"), "{none}");
    for url in
        ["127.0.0.1:7700", "ftp://127.0.0.1", "http://127.0.0.1:99999", "http://127.0.0.1/?a", "http://127.0.0.1/#a"]
    {
        let address = complaint_of(&["online", "--server", url], 2).await;
        assert!(address.contains(&format!("{url:?}")) && address.contains("http://127.0.0.1:7700"), "{address}");
    }
    // A list of nobody, of a file that was misspelt, would be a wrong answer.
    let file = complaint_of(&["online", "--store", "sqlite:lastsene.db"], 1).await;
    assert!(file.contains("lastsene.db (store, --store)") && file.contains("--server"), "{file}");
    complaint_of(&["online", "--server", "http://127.0.0.1:1", "--store", "memory:"], 2).await;
    assert_eq!(place.contents(), []);
}

#[tokio::test]
async fn rule_10_explain_names_the_rule_that_skips() {
    let place = Place::new();
    let explain = async |arguments: &[&str]| printed(place.run(&[&["explain"], arguments].concat()).await);
    assert_eq!(
        explain(&["GET", "/static/logo.png", "--skip", "^static/"]).await,
        "GET /static/logo.png: skipped by ^static/\n"
    );
    assert_eq!(explain(&["GET", "/"]).await, "GET /: counted\n");
    fs::write(place.path().join("lastseen.toml"), r#"skip = ["^api/poll$", '\.png$']"#).unwrap();
    assert_eq!(explain(&["get", "/a/b.png?size=2"]).await, "GET /a/b.png?size=2: skipped by \\.png$\n");
    assert_eq!(explain(&["POST", "/api/poll"]).await, "POST /api/poll: skipped by ^api/poll$\n");

    for (arguments, named) in [
        (["explain", "G T", "/", "--skip", "x"], "\"G T\""),
        (["explain", "GET", "/a b", "--skip", "x"], "\"/a b\""),
        (["explain", "GET", "static/logo.png", "--skip", "x"], "\"static/logo.png\""),
        (["explain", "GET", "static", "--skip", "x"], "\"static\""),
        (["explain", "GET", "/", "--skip", "["], "`[`"),
    ] {
        let complaint = complaint(place.run(&arguments).await, 2);
        assert!(complaint.contains(named), "{complaint}");
    }
}

#[tokio::test]
async fn config_tells_where_each_value_came_from() {
    let place = Place::new();
    fs::write(place.path().join("lastseen.toml"), "window = \"5m\"\ncapacity = 1000\n").unwrap();
    let mut command = place.command(&["config", "--listen", "127.0.0.1:8800"]);
    let config = printed(lastseen_harness::run(command.env("LASTSEEN_WINDOW", "10m")).await);
    let line = |key: &str| {
        let mut lines = config.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.find(|line| line.starts_with(key)).unwrap()
    };
    assert_eq!(line("listen"), "listen = \"127.0.0.1:8800\" # --listen");
    assert_eq!(line("window"), "window = \"10m\" # LASTSEEN_WINDOW");
    assert_eq!(line("capacity"), "capacity = 1000 # lastseen.toml");
    assert_eq!(line("granularity"), "granularity = \"20s\" # default: window / 30");
    assert_eq!(line("store"), "store = \"sqlite:lastseen.db\" # default");

    // What it prints is a settings file.
    fs::write(place.path().join("printed.toml"), &config).unwrap();
    let again = printed(place.run(&["config", "--config", "printed.toml"]).await);
    assert_eq!(again.matches("# printed.toml").count(), config.lines().count(), "{again}");
}

#[tokio::test]
async fn migrate_tells_from_which_version_to_which() {
    let place = Place::new();
    assert_eq!(printed(place.run(&["migrate"]).await), "sqlite:lastseen.db went from version 0 to 2\n");
    assert_eq!(printed(place.run(&["migrate"]).await), "sqlite:lastseen.db is at version 2 already\n");
    assert_eq!(printed(place.run(&["migrate", "--store", "memory:"]).await), "memory: has no tables\n");
}

#[tokio::test]
async fn shells_and_readers_are_told_of_every_command() {
    let place = Place::new();
    let help = printed(place.run(&["help"]).await);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<_> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"serve") && commands.contains(&"man"), "{commands:?}");
    assert_eq!(printed(place.run(&["man", "."]).await), "");
    for shell in ["bash", "zsh", "fish"] {
        let script = printed(place.run(&["completions", shell]).await);
        assert!(commands.iter().all(|command| script.contains(command)), "{shell}");
    }
    let pages = place.contents();
    for command in commands.into_iter().filter(|command| *command != "help") {
        let name = format!("lastseen-{command}.1");
        assert!(pages.iter().any(|(page, text)| *page == name && text.starts_with(b".")), "{name}");
    }
    assert!(complaint(place.run(&["man", "nowhere"]).await, 1).contains("nowhere"));
    assert!(complaint(place.run(&["completions", "cmd.exe"]).await, 2).contains("cmd.exe"));
}
