//! The history in a SQLite file: what is in its tables, and what an older file becomes.
#![cfg(feature = "sqlite")]

use std::path::PathBuf;
use std::time::Duration;

use lastseen::store::SqliteStore;
use lastseen::{Day, OnlineSpan, Record, Resolution, Seen, Store, Timestamp, UserId};
use rusqlite::Connection;
use tempfile::{TempDir, tempdir};

const NOW: Timestamp = Timestamp::from_micros(1_795_490_100_000_000);
const DAY: Duration = Duration::from_hours(24);

fn place() -> (TempDir, PathBuf) {
    let directory = tempdir().unwrap();
    let path = directory.path().join("lastseen.db");
    (directory, path)
}

fn seen(user: u32, at: Timestamp) -> Record {
    Record { seen: Some(Seen { at, ip: None }), ..Record::empty(UserId::from(user)) }
}

fn batch(users: std::ops::Range<u32>, at: Timestamp) -> Vec<Record> {
    let mut batch: Vec<_> = users.map(|user| seen(user, at)).collect();
    batch.sort_by(|a, b| a.user.cmp(&b.user));
    batch
}

async fn active(store: &SqliteStore, at: Timestamp) -> u64 {
    store.active_users(Day::of(at), Day::of(at)).await.unwrap()
}

fn number(path: &PathBuf, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, (), |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_file_of_version_1_keeps_its_records_and_begins_a_history() {
    let (_directory, path) = place();
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../src/store/sql/sqlite/schema_1.sql")).unwrap();
    old.pragma_update(None, "application_id", 0x6c73_656e).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    old.execute("INSERT INTO user_activity VALUES ('1', ?1, '203.0.113.7', NULL)", [NOW.as_micros()]).unwrap();
    drop(old);

    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(SqliteStore::schema(&path).unwrap().version, 2);
    let record = Record { seen: Some(Seen { at: NOW, ip: "203.0.113.7".parse().ok() }), ..seen(1, NOW) };
    assert_eq!(store.read(&record.user).await.unwrap(), Some(record));
    assert_eq!(store.most_online().await.unwrap(), None);
    assert_eq!(active(&store, NOW).await, 0, "nothing is known of who was active before");

    let later = NOW + Duration::from_secs(1);
    store.write(&[seen(1, later)], later).await.unwrap();
    assert_eq!(active(&store, NOW).await, 1, "also on the very day that the record had before");
}

#[tokio::test]
async fn rows_become_a_set_when_there_are_enough_and_when_the_day_is_over() {
    let (_directory, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let rows = || number(&path, "SELECT count(*) FROM active_user");
    let sets = || number(&path, "SELECT count(*) FROM active_day");
    store.write(&batch(0..4_000, NOW), NOW).await.unwrap();
    assert_eq!((rows(), sets()), (4_000, 0));
    store.write(&batch(4_000..5_000, NOW), NOW).await.unwrap();
    assert_eq!((rows(), sets()), (0, 1), "enough");
    store.write(&[seen(7, NOW + Duration::from_secs(1)), seen(5_001, NOW)], NOW).await.unwrap();
    assert_eq!((rows(), sets()), (1, 1), "who is in the set already makes no row");
    let bytes = number(&path, "SELECT length(users) FROM active_day");
    assert!(bytes < 100, "neighbours take {bytes} bytes");

    let tomorrow = NOW + DAY;
    store.write(&[seen(1, tomorrow)], tomorrow).await.unwrap();
    assert_eq!((rows(), sets()), (1, 1), "the day is over");
    assert_eq!((active(&store, NOW).await, active(&store, tomorrow).await), (5_001, 1));

    let much_later = NOW + DAY * 92;
    store.write(&[seen(1, much_later)], much_later).await.unwrap();
    assert_eq!((rows(), sets()), (1, 1), "a day is let go of after 92");
    assert_eq!((active(&store, NOW).await, active(&store, tomorrow).await), (0, 1));
}

/// The file's bytes are compared, so that no trace of the number is left in a set.
#[tokio::test]
async fn who_is_forgotten_leaves_every_set_and_the_number_goes_to_nobody() {
    let (_directory, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let set = || -> Vec<u8> {
        Connection::open(&path).unwrap().query_row("SELECT users FROM active_day", (), |row| row.get(0)).unwrap()
    };
    store.write(&batch(0..5_000, NOW), NOW).await.unwrap();
    let without = set();
    let last = UserId::from(5_000);
    store.write(&[seen(5_000, NOW)], NOW).await.unwrap();
    let tomorrow = NOW + DAY;
    store.write(&[seen(5_000, tomorrow)], tomorrow).await.unwrap();
    assert_ne!(set(), without);
    let number_of_last = number(&path, "SELECT max(number) FROM user_number");

    store.forget(&last, tomorrow, tomorrow).await.unwrap();
    assert_eq!(set(), without);
    assert_eq!(number(&path, "SELECT count(*) FROM active_user"), 0);
    store.write(&[seen(5_001, tomorrow)], tomorrow).await.unwrap();
    assert!(number(&path, "SELECT max(number) FROM user_number") > number_of_last);
}

#[tokio::test]
async fn a_set_edited_by_hand_stops_nothing() {
    let (_directory, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    store.write(&batch(0..5_000, NOW), NOW).await.unwrap();
    Connection::open(&path).unwrap().execute("UPDATE active_day SET users = 'x'", ()).unwrap_err();
    Connection::open(&path).unwrap().execute("UPDATE active_day SET users = x'ff'", ()).unwrap();
    assert_eq!(active(&store, NOW).await, 0);
    store.write(&batch(5_000..10_000, NOW), NOW).await.unwrap();
    assert_eq!(active(&store, NOW).await, 5_000);
}

#[tokio::test]
async fn spans_are_let_go_of_each_in_its_own_time() {
    let (_directory, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let start = Resolution::Hour.start_of(NOW);
    let spans = Resolution::ALL.map(|resolution| OnlineSpan { resolution, at: start, online: 1, peak: 2 });
    let mut kept = Vec::new();
    for days in [1, 3, 9, 32] {
        store.write_history(&spans, None, NOW).await.unwrap();
        store.write_history(&[], None, start + DAY * days).await.unwrap();
        kept.push(number(&path, "SELECT count(*) FROM online_history"));
    }
    assert_eq!(kept, [3, 2, 1, 0]);
}
