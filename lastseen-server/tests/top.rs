//! `lastseen top`, in a terminal and without one.

mod program;
mod terminal;

use std::os::unix::process::ExitStatusExt;

use lastseen_harness::Http;
use program::{Place, complaint, printed};
use rustix::process::{Signal, kill_process};
use serde_json::json;
use terminal::Terminal;

#[tokio::test]
async fn it_follows_a_server_and_obeys_keys() {
    let place = Place::new();
    let server = place.serve(&["--store", "memory:"]).await;
    let http = Http::new(server.url());
    http.post("/v1/touch").json(&json!({ "user": "ada", "ip": "203.0.113.7" })).await;
    let mut terminal = Terminal::run(&mut place.command(&["top", "--server", server.url()]));
    terminal.shows("1 online within the last 15 minutes").await;
    terminal.shows("203.0.113.7").await;
    http.post("/v1/touch").json(&json!({ "user": "bob" })).await;
    terminal.shows("bob").await;
    terminal.press("/bo\r");
    terminal.shows("1-1 of 1 with \"bo\"").await;
    assert!(!terminal.lines().contains("ada"), "{}", terminal.lines());
    server.kill().await;
    terminal.shows("no answer from").await;
    terminal.press("q");
    terminal.ends().await;
}

#[tokio::test]
async fn it_follows_a_store_that_others_write() {
    let place = Place::new();
    printed(place.run(&["touch", "ada"]).await);
    let mut terminal = Terminal::run(&mut place.command(&["top"]));
    terminal.shows("ada").await;
    printed(place.run(&["touch", "bob"]).await);
    terminal.shows("bob").await;
    // Ctrl-C.
    terminal.press("\u{3}");
    terminal.ends().await;
}

#[tokio::test]
async fn a_signal_ends_it_and_leaves_the_terminal_as_it_was() {
    let place = Place::new();
    printed(place.run(&["touch", "ada"]).await);
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let terminal = Terminal::run(&mut place.command(&["top"]));
        terminal.shows("ada").await;
        kill_process(terminal.pid(), signal).unwrap();
        assert_eq!(terminal.leaves().await.signal(), Some(signal.as_raw()));
    }
}

#[tokio::test]
async fn without_a_terminal_it_looks_once() {
    let place = Place::new();
    let server = place.serve(&["--store", "memory:"]).await;
    Http::new(server.url()).post("/v1/touch").json(&json!({ "user": "ada", "ip": "203.0.113.7" })).await;
    let lines = printed(place.run(&["top", "--server", server.url()]).await);
    assert!(lines.starts_with("touches since the start: 1, event clients: 0\nready; "), "{lines}");
    assert!(lines.contains("\nada ") && lines.ends_with("\n1 online within the last 15 minutes\n"), "{lines}");
    server.kill().await;
    complaint(place.run(&["top", "--server", "http://127.0.0.1:1"]).await, 1);

    printed(place.run(&["touch", "bob"]).await);
    let lines = printed(place.run(&["top", "--store", "sqlite:lastseen.db"]).await);
    assert!(lines.starts_with("ready; ") && lines.contains("\nbob"), "{lines}");
    complaint(place.run(&["top", "--store", "sqlite:other.db"]).await, 1);
}
