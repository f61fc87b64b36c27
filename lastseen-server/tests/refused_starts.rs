//! What the program refuses to start with: a message that names the value and what would be right, and nothing touched.

mod program;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use program::{Place, complaint};
use rusqlite::Connection;

/// Runs `serve` with these arguments and this settings file, and expects it to end without having done anything.
async fn refused(place: &Place, arguments: &[&str], exit_code: i32, named: &[&str]) {
    let before = place.contents();
    let arguments = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
    let complaint = complaint(place.run(&arguments).await, exit_code);
    for part in named {
        assert!(complaint.contains(part), "{part:?} is not in: {complaint}");
    }
    assert_eq!(place.contents(), before, "{arguments:?}");
}

#[tokio::test]
async fn settings_that_can_t_be() {
    let place = Place::new();
    for (arguments, named) in [
        (&["--skip", "("][..], &["skip (--skip)", "`(`", "unclosed group"][..]),
        (&["--trust-proxy", "10.0.0.0/33"], &["trust_proxy (--trust-proxy)", "\"10.0.0.0/33\"", "10.0.0.0/8"]),
        (&["--window", "1m", "--granularity", "21s"], &["granularity = 21s", "window = 1m", "20s at most"]),
        (&["--window", "soon"], &["window (--window)", "\"soon\"", "15m"]),
        (&["--store", "mysql://db"], &["store (--store)", "\"mysql\"", "memory:, sqlite:PATH, postgres:"]),
        (&["--store", "redis+ring://db"], &["\"redis+ring\"", "redis+cluster://HOST,HOST"]),
        (&["--store", "redis://db/x"], &["the URL \"redis://db/x\"", "a number, such as 0"]),
        (&["--store", "postgres://db:x/site"], &["the URL \"postgres://db:x/site\" can't be read", "port"]),
        (
            &["--client-ip-header", "x-client"],
            &["client_ip_header (--client-ip-header)", "x-client", "x-forwarded-for"],
        ),
        (&["--addresses", "hash"], &["addresses (--addresses)", "\"hash\"", "keep, mask and drop"]),
        (&["--keep-addresses", "0s"], &["keep_addresses (--keep-addresses)", "\"0s\"", "30days, and forever"]),
        (&["--keep-records", "1h"], &["keep_records = 1h (--keep-records)", "horizon = 1day", "1day at least"]),
        (&["--dates", "week"], &["dates (--dates)", "\"week\"", "exact, minute, hour and day"]),
        (&["--config", "other.toml"], &["other.toml"]),
        (&["--demo", "some"], &["demo (--demo)", "\"some\""]),
        (&["--colour", "red"], &["--colour"]),
    ] {
        refused(&place, arguments, 2, named).await;
    }
    fs::write(place.path().join("lastseen.toml"), "windw = \"5m\"").unwrap();
    refused(&place, &[], 2, &["\"windw\"", "lastseen.toml", "window"]).await;
}

#[tokio::test]
async fn addresses_that_others_reach() {
    let place = Place::new();
    let complaint = complaint(place.run(&["serve", "--listen", "0.0.0.0:0"]).await, 2);
    assert!(complaint.contains("0.0.0.0:0 (--listen)") && complaint.contains("127.0.0.1"), "{complaint}");
    assert_eq!(place.contents(), []);
}

#[tokio::test]
async fn a_file_that_is_no_database() {
    let place = Place::new();
    fs::write(place.path().join("lastseen.db"), "a letter to my aunt, and rather a long one at that. ".repeat(40))
        .unwrap();
    refused(&place, &[], 1, &["lastseen.db", "not"]).await;
}

#[tokio::test]
async fn a_file_of_another_application() {
    let place = Place::new();
    let other = Connection::open(place.path().join("lastseen.db")).unwrap();
    other.execute_batch("CREATE TABLE letters (text)").unwrap();
    drop(other);
    refused(&place, &[], 1, &["lastseen.db"]).await;
}

#[tokio::test]
async fn a_damaged_file_until_it_is_told_to_recover() {
    let place = Place::new();
    assert!(place.run(&["migrate"]).await.status.success());
    let file = place.path().join("lastseen.db");
    let mut bytes = fs::read(&file).unwrap();
    bytes[4096..].fill(0xa5);
    fs::write(&file, &bytes).unwrap();
    refused(&place, &[], 1, &["lastseen.db is damaged", "serve --recover"]).await;

    let mut server = place.serve(&["--recover"]).await;
    let aside = server.announced("sqlite:lastseen.db can't be used, and is now ").await;
    assert_eq!(fs::read(aside).unwrap(), bytes);
    assert!(server.terminate().await.status.success());

    let server = place.serve(&["--recover"]).await;
    let finished = server.terminate().await;
    assert!(!finished.stdout.contains("is now"), "what is whole stays: {finished:?}");
    refused(&place, &["--recover", "--store", "memory:"], 2, &["--recover", "memory:"]).await;
}

#[tokio::test]
async fn a_file_of_a_newer_version() {
    let place = Place::new();
    assert!(place.run(&["migrate"]).await.status.success());
    let newer = Connection::open(place.path().join("lastseen.db")).unwrap();
    newer.pragma_update(None, "journal_mode", "delete").unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    refused(&place, &[], 1, &["lastseen.db", "99", "newer"]).await;
}

#[tokio::test]
async fn a_directory_that_may_not_be_written() {
    let place = Place::new();
    let directory = place.path().join("locked");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o500)).unwrap();
    let complaint = complaint(place.run(&["serve", "--store", "sqlite:locked/lastseen.db"]).await, 1);
    assert!(complaint.contains("locked") && complaint.contains("writ"), "{complaint}");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn a_directory_that_is_not_there() {
    let place = Place::new();
    refused(&place, &["--store", "sqlite:nowhere/lastseen.db"], 1, &["nowhere"]).await;
}
