//! What the SQLite store does beyond the contract: handles on one file, the log's length, the view, and its feed.
#![cfg(feature = "sqlite")]

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use lastseen::store::{Change, Changes, Cursor, MemoryStore, SqliteStore};
use lastseen::{ManualClock, Profile, Record, Seen, Store, Timestamp, Tracker, UserId};
use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::{TempDir, tempdir};

/// A day in 2100: only what is ahead of this machine's clock too is void as it is in memory.
const NOW: Timestamp = Timestamp::from_micros(4_131_000_000_000_000);

fn place() -> (TempDir, PathBuf) {
    let directory = tempdir().unwrap();
    let path = directory.path().join("lastseen.db");
    (directory, path)
}

fn seen(user: u32, at: Timestamp) -> Record {
    Record { seen: Some(Seen { at, ip: None }), ..Record::empty(user.into()) }
}

/// A batch as sorted as the contract has it.
fn batch(users: std::ops::Range<u32>, at: Timestamp) -> Vec<Record> {
    let mut batch: Vec<_> = users.map(|user| seen(user, at)).collect();
    batch.sort_by(|a, b| a.user.cmp(&b.user));
    batch
}

/// A process takes the time, stands still for two minutes, and then writes.
#[tokio::test]
async fn rule_1_a_process_that_stood_still_turns_no_date_back() {
    let (_directory, path) = place();
    let now = Timestamp::from(SystemTime::now());
    let start = async |clock| {
        let store = SqliteStore::open(&path).await.unwrap();
        Tracker::builder(store).clock(ManualClock::new(clock)).start().await.unwrap()
    };
    let (stood_still, other) = (start(now - Duration::from_mins(2)).await, start(now).await);
    let ada = UserId::from(1_u32);
    stood_still.touch(&ada, None);
    other.touch(&ada, None);
    other.flush().await.unwrap();
    stood_still.flush().await.unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.read(&ada).await.unwrap(), Some(seen(1, now)));
}

#[tokio::test]
async fn two_handles_on_one_file_follow_each_other() {
    let (_directory, path) = place();
    let (here, there) = (SqliteStore::open(&path).await.unwrap(), SqliteStore::open(&path).await.unwrap());
    let start = there.follow(None).await.unwrap().cursor;
    let elsewhere = here.follow(None).await.unwrap().cursor;

    here.write(&[seen(1, NOW)], NOW).await.unwrap();
    there.write(&[seen(2, NOW)], NOW).await.unwrap();

    let told = there.follow(Some(&start)).await.unwrap().changes;
    assert_eq!(told, [Change::Record(seen(1, NOW))], "without what was written there");
    let told = here.follow(Some(&elsewhere)).await.unwrap().changes;
    assert_eq!(told, [Change::Record(seen(2, NOW))], "without what was written here");
    let told = here.clone().follow(Some(&elsewhere)).await.unwrap().changes;
    assert_eq!(told.len(), 1, "a clone is the same handle");
}

#[tokio::test]
async fn a_batch_that_changes_nothing_is_no_change_to_follow() {
    let (_directory, path) = place();
    let (here, there) = (SqliteStore::open(&path).await.unwrap(), SqliteStore::open(&path).await.unwrap());
    here.write(&[seen(1, NOW)], NOW).await.unwrap();
    let start = there.follow(None).await.unwrap().cursor;
    here.write(&[seen(1, NOW - Duration::from_secs(1))], NOW).await.unwrap();
    assert_eq!(there.follow(Some(&start)).await.unwrap(), Changes { changes: vec![], cursor: start, missed: false });
}

/// Readers that are open but idle, and one that is in the middle of its pages, must not keep the log from being reused.
#[tokio::test]
async fn the_log_does_not_grow_without_bound_beside_idle_readers() {
    let (directory, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    store.write(&batch(0..12_000, NOW), NOW).await.unwrap();
    let idle = SqliteStore::open(&path).await.unwrap();
    let start = idle.follow(None).await.unwrap().cursor;
    let page = idle.recent(NOW, None).await.unwrap();
    assert!(page.next.is_some(), "there are more pages to come");

    let log = directory.path().join("lastseen.db-wal");
    let mut written = 0;
    for round in 1..=60 {
        store
            .write(&batch(0..1_000, NOW + Duration::from_secs(round)), NOW + Duration::from_secs(round))
            .await
            .unwrap();
        written += 1_000;
        let length = fs::metadata(&log).unwrap().len();
        assert!(length < 12 << 20, "after {written} records the log has {length} bytes");
    }
    assert_eq!(idle.follow(Some(&start)).await.unwrap().changes.len(), 1_000);
}

#[tokio::test]
async fn dates_are_readable_in_the_view() {
    let (_directory, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let dated = |date: &str| date.parse::<Timestamp>().unwrap();
    let full = Record {
        user: UserId::new("1 full").unwrap(),
        seen: Some(Seen { at: dated("2026-11-24T03:15:00.000007Z"), ip: "203.0.113.7".parse().ok() }),
        left_at: Some(dated("1969-12-31T23:59:59.25Z")),
    };
    let extreme = Record { left_at: Some(Timestamp::MIN), ..Record::empty(UserId::new("2 extreme").unwrap()) };
    store.write(&[full, extreme], dated("2026-11-24T03:15:00Z")).await.unwrap();

    let reader = Connection::open(&path).unwrap();
    let mut view = reader.prepare("SELECT * FROM user_activity_readable ORDER BY user_id").unwrap();
    let rows: Vec<[Option<String>; 4]> = view
        .query_map((), |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        rows[0],
        [text("1 full"), text("2026-11-24T03:15:00.000007Z"), text("203.0.113.7"), text("1969-12-31T23:59:59.250000Z")]
    );
    assert_eq!(rows[1], [text("2 extreme"), None, None, None], "no calendar has it");
}

#[tokio::test]
async fn a_follower_behind_the_feed_is_told() {
    let (_directory, path) = place();
    let (here, there) = (SqliteStore::open(&path).await.unwrap(), SqliteStore::open(&path).await.unwrap());
    here.write(&[seen(0, NOW)], NOW).await.unwrap();
    let start = there.follow(None).await.unwrap().cursor;

    // By rows.
    here.write(&batch(1..100_001, NOW), NOW).await.unwrap();
    let told = there.follow(Some(&start)).await.unwrap();
    assert_eq!((told.missed, told.changes.len()), (false, 100_000), "as many as are kept");
    here.write(&[seen(200_000, NOW)], NOW).await.unwrap();
    assert!(there.follow(Some(&start)).await.unwrap().missed, "one more");

    // By age.
    let older = told.cursor;
    let aged = Connection::open(&path).unwrap();
    aged.execute_batch("UPDATE user_activity_feed SET written_at = written_at - 601").unwrap();
    let newer = there.follow(None).await.unwrap().cursor;
    here.write(&[seen(200_001, NOW)], NOW).await.unwrap();
    assert!(there.follow(Some(&older)).await.unwrap().missed, "what is old goes");
    let told = there.follow(Some(&newer)).await.unwrap();
    assert_eq!((told.missed, told.changes.len()), (false, 1), "what is young stays");
}

#[tokio::test]
async fn a_cursor_from_elsewhere_has_missed_everything() {
    let (_directory, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    for cursor in ["", "1-0", "1", "-1"] {
        let told = store.follow(Some(&Cursor::new(cursor))).await.unwrap();
        assert!(told.missed, "{cursor:?}");
        assert_eq!(told.cursor, store.follow(None).await.unwrap().cursor);
    }
}

#[tokio::test]
async fn forgetting_takes_the_name_out_of_every_table_in_time() {
    let (_directory, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let ada = UserId::new("ada").unwrap();
    let seen_now = Some(Seen { at: NOW, ip: None });
    store.write(&[Record { left_at: Some(NOW), seen: seen_now, user: ada.clone() }], NOW).await.unwrap();
    store.set_profile(&ada, &Profile::named("Ada")).await.unwrap();
    store.forget(&ada, NOW, NOW).await.unwrap();
    let reader = Connection::open(&path).unwrap();
    let tables_with_ada = || {
        ["user_activity", "user_profile", "user_activity_feed", "user_forgotten", "user_number"].map(|table| {
            let count = format!("SELECT count(*) FROM {table} WHERE user_id = 'ada'");
            reader.query_row(&count, (), |row| row.get::<_, i64>(0)).unwrap()
        })
    };
    assert_eq!(tables_with_ada(), [0, 0, 1, 1, 0], "the forgetting itself, and what keeps old activities out");

    reader.execute_batch("UPDATE user_activity_feed SET written_at = written_at - 601").unwrap();
    let day_after = NOW + Duration::from_hours(24) + Duration::from_micros(1);
    store.write(&[seen(1, day_after)], day_after).await.unwrap();
    assert_eq!(tables_with_ada(), [0, 0, 0, 0, 0], "a day after");
}

#[tokio::test]
async fn a_row_edited_by_hand_stops_nothing() {
    let (_directory, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    store.write(&[seen(1, NOW), seen(2, NOW)], NOW).await.unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "UPDATE user_activity SET last_activity_ip = 'removed' WHERE user_id = '1';
             INSERT INTO user_activity VALUES ('tab\t', 1795490100000000, NULL, NULL);",
        )
        .unwrap();

    assert_eq!(store.read(&1_u32.into()).await.unwrap(), Some(seen(1, NOW)));
    assert_eq!(store.recent(NOW, None).await.unwrap().records.len(), 2);
    store.write(&[seen(1, NOW + Duration::from_secs(1))], NOW).await.unwrap();
}

/// One step of a history, on one of two handles.
#[derive(Clone, Debug)]
enum Step {
    Write(Vec<Record>),
    /// Up to so many seconds ago.
    Forget(UserId, i64),
    SetProfile(UserId, Profile),
    Pass(i64),
}

fn step() -> impl Strategy<Value = (bool, Step)> {
    let user = || (0_u32..5).prop_map(UserId::from);
    let at = || {
        prop_oneof![8 => -20_i64..5, 1 => 59_i64..63]
            .prop_map(|seconds| Timestamp::from_micros(NOW.as_micros() + seconds * 1_000_000))
    };
    let ip = prop_oneof![
        Just(None),
        any::<u8>().prop_map(|last| Some(IpAddr::from([10, 0, 0, last]))),
        (0_u8..3).prop_map(|last| Some(IpAddr::from([0, 0, 0, 0, 0, 0, 0, u16::from(last)])))
    ];
    let record = (user(), proptest::option::of((at(), ip)), proptest::option::of(at()))
        .prop_map(|(user, seen, left_at)| Record { user, seen: seen.map(|(at, ip)| Seen { at, ip }), left_at });
    let batch = proptest::collection::vec(record, 0..5).prop_map(|records| {
        let by_user: BTreeMap<UserId, Record> =
            records.into_iter().map(|record| (record.user.clone(), record)).collect();
        by_user.into_values().collect()
    });
    let profile =
        (any::<bool>(), any::<bool>()).prop_map(|(active, hidden)| Profile::named("x").active(active).hidden(hidden));
    let step = prop_oneof![
        6 => batch.prop_map(Step::Write),
        1 => (user(), 0_i64..20).prop_map(|(user, ago)| Step::Forget(user, ago)),
        1 => (user(), profile).prop_map(|(user, profile)| Step::SetProfile(user, profile)),
        2 => (-70_i64..70).prop_map(Step::Pass),
    ];
    (any::<bool>(), step)
}

async fn run<S: Store>(
    handles: [&S; 2],
    follower: &S,
    steps: &[(bool, Step)],
) -> impl PartialEq + std::fmt::Debug + use<S> {
    let users: Vec<UserId> = (0_u32..5).map(UserId::from).collect();
    let start = follower.follow(None).await.unwrap().cursor;
    let mut now = NOW;
    for (first, step) in steps {
        let store = handles[usize::from(*first)];
        match step {
            Step::Write(batch) => store.write(batch, now).await.unwrap(),
            Step::Forget(user, ago) => {
                let at = Timestamp::from_micros(now.as_micros() - ago * 1_000_000);
                store.forget(user, at, now).await.unwrap();
            }
            Step::SetProfile(user, profile) => store.set_profile(user, profile).await.unwrap(),
            Step::Pass(seconds) => now = Timestamp::from_micros(now.as_micros() + seconds * 1_000_000),
        }
    }
    let mut read = Vec::new();
    for user in &users {
        read.push(handles[0].read(user).await.unwrap());
    }
    let recent = handles[1].recent(NOW - Duration::from_secs(10), None).await.unwrap().records;
    let profiles = handles[0].profiles(&users).await.unwrap();
    let told = follower.follow(Some(&start)).await.unwrap();
    (read, recent, profiles, told.changes, told.missed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The store in memory is the simplest there is that passes the suite: the one in a file does just the same.
    #[test]
    fn any_history_ends_as_in_memory(steps in proptest::collection::vec(step(), 0..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (in_file, in_memory) = runtime.block_on(async {
            let (_directory, path) = place();
            let [a, b, c] = [0; 3].map(|_| SqliteStore::open(path.clone()));
            let (a, b, c) = (a.await.unwrap(), b.await.unwrap(), c.await.unwrap());
            let memory = MemoryStore::new();
            let (d, e, f) = (memory.another(), memory.another(), memory.another());
            (run([&a, &b], &c, &steps).await, run([&d, &e], &f, &steps).await)
        });
        prop_assert_eq!(format!("{in_file:?}"), format!("{in_memory:?}"));
    }
}
