//! `lastseen replay`: what it makes of logs on disk.

mod program;
mod terminal;

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use lastseen_harness::{eventually, run};
use program::{Place, complaint, printed};
use rustix::fs::{FileType, Mode};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use terminal::Terminal;

const SOON: Duration = Duration::from_secs(20);

/// Ada reads for an hour, a request a minute; Bob comes in the middle of it; somebody guesses a password.
fn log() -> String {
    let mut log = Vec::new();
    for minute in 0..60 {
        let path = if minute % 2 == 0 { "/read" } else { "/static/logo.png?v=1" };
        log.push(format!(
            "203.0.113.7 - ada [24/Nov/2026:04:{minute:02}:00 +0100] \"GET {path} HTTP/1.1\" 200 51 \"-\" \"x\"\n"
        ));
        if minute == 30 {
            log.push(
                "198.51.100.1 - bob [24/Nov/2026:03:30:05 +0000] \"POST /say HTTP/1.1\" 200 51 \"-\" \"x\"\n\
                 198.51.100.2 - eve [24/Nov/2026:03:30:05 +0000] \"GET / HTTP/1.1\" 401 51 \"-\" \"x\"\n\
                 198.51.100.2 - - [24/Nov/2026:03:30:05 +0000] \"GET / HTTP/1.1\" 200 51 \"-\" \"x\"\n\
                 what is this\n\
                 198.51.100.1 - bob [24/Nov/2026:03:30:01 +0000] \"GET /slow HTTP/1.1\" 200 51 \"-\" \"x\"\n"
                    .to_owned(),
            );
        }
    }
    log.concat()
}

async fn json_of(place: &Place, arguments: &[&str]) -> Value {
    let printed = printed(place.run(&[&["replay", "--json"], arguments].concat()).await);
    serde_json::from_str(&printed).unwrap()
}

#[tokio::test]
async fn the_report_tells_what_would_have_been() {
    let place = Place::new();
    fs::write(place.path().join("access.log"), log()).unwrap();
    let report = printed(place.run(&["replay", "access.log", "--skip", "^static/", "--against", "window=3m"]).await);
    let (head, table) = report.split_once("\n\n").unwrap();
    assert_eq!(
        head.lines().collect::<Vec<_>>(),
        [
            "65 lines from 2026-11-24T03:00:00Z to 2026-11-24T03:59:00Z",
            "1 line of nobody",
            "1 line of credentials that were refused (401)",
            "1 line dated earlier than one before, by up to 4s",
            "1 line that can't be read:",
            "  access.log:35: no date in brackets with a request in quotes after it",
        ]
    );
    assert_eq!(
        table.lines().collect::<Vec<_>>(),
        [
            "                                 as set               against",
            "window                              15m                    3m",
            "granularity                         30s                    6s",
            "touches                              32                    32",
            "skipped                              30                    30",
            "  ^static/                           30                    30",
            "users                                 2                     2",
            "most online                           2                     2",
            "  at               2026-11-24T03:30:05Z  2026-11-24T03:30:05Z",
            "store writes                         31                    31",
            "  touches a write                   1.0                   1.0",
        ]
    );
}

#[tokio::test]
async fn logs_come_compressed_in_pieces_in_any_order_and_on_standard_input() {
    let place = Place::new();
    let log = log();
    fs::write(place.path().join("access.log"), &log).unwrap();
    let whole = json_of(&place, &["access.log"]).await;
    assert_eq!((&whole["lines"], &whole["runs"][0]["touches"]), (&json!(65), &json!(62)));

    let (older, newer) = log.split_at(log.match_indices('\n').nth(19).unwrap().0 + 1);
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(older.as_bytes()).unwrap();
    fs::write(place.path().join("access.log.1.gz"), packed.finish().unwrap()).unwrap();
    fs::write(place.path().join("access.log.0"), newer).unwrap();
    let pieces = json_of(&place, &["access.log.0", "access.log.1.gz"]).await;
    assert_eq!(pieces["runs"], whole["runs"]);

    let mut piped = Command::new("sh");
    piped.args(["-c", "\"$0\" replay --json - < access.log", env!("CARGO_BIN_EXE_lastseen")]).current_dir(place.path());
    let piped: Value = serde_json::from_str(&printed(run(&mut piped).await)).unwrap();
    assert_eq!(piped["runs"], whole["runs"]);
}

#[tokio::test]
async fn the_user_may_be_anywhere_in_the_line() {
    let place = Place::new();
    let line = r#"203.0.113.7 - - [24/Nov/2026:03:00:00 +0000] "GET / HTTP/1.1" 200 51 "-" "x" uid=42"#;
    fs::write(place.path().join("access.log"), format!("{line}\n{line}8\n203{line}\n")).unwrap();
    assert_eq!(json_of(&place, &["access.log"]).await["nobody"], 3);
    assert_eq!(json_of(&place, &["access.log", "--user", r"uid=(\d+)"]).await["runs"][0]["users"], 2);
    assert_eq!(json_of(&place, &["access.log", "--user", r"^(\S+)"]).await["runs"][0]["users"], 2);
}

#[tokio::test]
async fn the_format_that_nginx_is_given_in_the_documentation_is_read() {
    let place = Place::new();
    let line =
        r#"{"user":"ada","ip":"203.0.113.7","method":"GET","uri":"/a.png","status":"200","time":"1795489200.250"}"#;
    fs::write(place.path().join("access.json"), format!("{line}\n")).unwrap();
    let report = json_of(&place, &["access.json", "--skip", r"\.png$"]).await;
    assert_eq!(report["runs"][0]["skipped"], json!([{ "rule": r"\.png$", "requests": 1 }]));
    assert_eq!(report["first"], "2026-11-24T03:00:00.25Z");
}

#[tokio::test]
async fn the_picture_is_drawn() {
    let place = Place::new();
    fs::write(place.path().join("access.log"), log()).unwrap();
    printed(place.run(&["replay", "access.log", "--svg", "curve.svg", "--against", "window=3m"]).await);
    let svg = fs::read_to_string(place.path().join("curve.svg")).unwrap();
    assert_eq!(svg.matches("<polyline").count(), 2, "{svg}");
    assert!(svg.contains("at most 2</text>") && svg.contains(">24 Nov 2026</text>"), "{svg}");
    // Nothing was in it, and yet there is a picture.
    fs::write(place.path().join("empty.log"), "").unwrap();
    printed(place.run(&["replay", "empty.log", "--svg", "empty.svg"]).await);
    let svg = fs::read_to_string(place.path().join("empty.svg")).unwrap();
    assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{svg}");
}

/// As of a log that is still being written, which holds up whoever reads it.
#[tokio::test]
async fn told_to_end_it_takes_its_bar_along_and_reports_nothing() {
    let place = Place::new();
    let pipe = place.path().join("access.log");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let mut terminal = Terminal::run(&mut place.command(&["replay", "access.log"]));
    let mut writer = fs::File::options().write(true).open(&pipe).unwrap();
    writer.write_all(log().repeat(300).as_bytes()).unwrap();
    eventually(SOON, async || terminal.written(), |written| written.contains("0.0 M lines, ")).await;
    kill_process(terminal.pid(), Signal::INT).unwrap();
    assert_eq!(terminal.status().await.signal(), Some(Signal::INT.as_raw()));
    let cleared = |written: &String| written.ends_with("\u{1b}[2K");
    let written = eventually(SOON, async || terminal.written(), cleared).await;
    assert!(!written.contains("touches"), "{written}");
}

#[tokio::test]
async fn what_can_t_be_done_is_named() {
    let place = Place::new();
    fs::write(place.path().join("access.log"), log()).unwrap();
    fs::write(place.path().join("cut.gz"), [0x1f, 0x8b, 8, 0]).unwrap();
    for (arguments, code, named) in [
        (&["missing.log"][..], 1, "missing.log"),
        (&["cut.gz"], 1, "cut.gz"),
        (&["access.log", "--svg", "no/such/dir.svg"], 1, "no/such/dir.svg"),
        (&["access.log", "--user", "uid="], 2, "\"uid=\""),
        (&["access.log", "--user", "("], 2, "--user"),
        (&["access.log", "--against", "windw=3m"], 2, "\"windw=3m\""),
        (&["access.log", "--against", "window"], 2, "\"window\" is nothing to compare with"),
        (&["access.log", "--against", "window=3"], 2, "--against window=3: "),
        (&["access.log", "--skip", "("], 2, "`(`"),
    ] {
        let complaint = complaint(place.run(&[&["replay"], arguments].concat()).await, code);
        assert!(complaint.contains(named), "{arguments:?}: {complaint}");
    }
}
