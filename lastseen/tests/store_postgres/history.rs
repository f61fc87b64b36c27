//! The history in a database: what is in its tables, what an older one becomes, and who gets in whose way.

use std::time::Duration;

use lastseen::store::{KeptSince, PostgresKey, PostgresStore};
use lastseen::{Day, OnlineSpan, Resolution, Store, Timestamp, UserId};

use crate::site::{NOW, Site, after, batch, seen};

const DAY: Duration = Duration::from_hours(24);

async fn active(store: &PostgresStore, at: Timestamp) -> u64 {
    store.active_users(Day::of(at), Day::of(at)).await.unwrap()
}

/// How many rows wait to be folded, how many sets there are, and how many numbers.
async fn rows(site: &Site) -> String {
    let count = |table: &str| format!("(SELECT count(*) FROM user_activity_{table})");
    site.sql(&format!("SELECT {}", ["active", "day", "number"].map(count).join(" || ' ' || "))).await
}

/// A database with tables of version 1 in it, on this type of key, and one record.
async fn version_1(key: &str) -> Site {
    let site = Site::new().await;
    let schema = include_str!("../../src/store/sql/postgres/schema_1.sql");
    let names = ["profile", "feed", "meta", "readable"];
    let schema = names.iter().fold(schema.replace("{activity}", "user_activity"), |sql, name| {
        sql.replace(&format!("{{{name}}}"), &format!("user_activity_{name}"))
    });
    site.sql(&schema.replace("{key}", key).replace("{references}", "")).await;
    site.sql("INSERT INTO user_activity VALUES ('1', '2026-11-24T03:15:00Z')").await;
    site
}

async fn begins_a_history(site: &Site) {
    let store = site.open().await;
    assert_eq!(site.sql("SELECT version FROM user_activity_meta").await, "3");
    assert_eq!(store.read(&1_u32.into()).await.unwrap(), Some(seen(1_u32, NOW)));
    assert_eq!(store.most_online().await.unwrap(), None);
    assert_eq!(active(&store, NOW).await, 1, "a record tells of its day");
    store.write(&[seen(1_u32, after(1)), seen(2_u32, after(1))], after(1)).await.unwrap();
    assert_eq!(active(&store, NOW).await, 2, "whoever was noted then is the same user");
}

#[tokio::test]
async fn a_database_of_version_1_keeps_its_records_and_begins_a_history() {
    begins_a_history(&version_1("text COLLATE \"C\"").await).await;
}

#[tokio::test]
async fn so_does_one_whose_keys_are_numbers_by_a_process_that_was_not_told_so() {
    begins_a_history(&version_1("bigint").await).await;
}

/// A handle folds with its first write, and then every 10 seconds.
#[tokio::test]
async fn rows_become_a_set_when_there_are_enough_and_when_the_day_is_over() {
    let site = Site::new().await;
    let writing = async |users, at| {
        let store = site.open().await;
        store.write(&batch(users, at), at).await.unwrap();
        store
    };
    writing(0..4_000, NOW).await;
    assert_eq!(rows(&site).await, "4000 0 4000");
    writing(4_000..5_000, NOW).await;
    assert_eq!(rows(&site).await, "0 1 5000", "enough");
    let store = writing(1_000..1_010, after(1)).await;
    assert_eq!(rows(&site).await, "0 1 5000", "who is in the set already makes no row");
    let bytes: usize = site.sql("SELECT length(users) FROM user_activity_day").await.parse().unwrap();
    assert!(bytes < 1_000, "neighbours take {bytes} bytes");
    assert_eq!(site.sql("SELECT max(number) FROM user_activity_number").await, "5000", "no number is used up in vain");

    store.write(&[seen(6_000_u32, NOW)], NOW).await.unwrap();
    let tomorrow = NOW + DAY;
    writing(0..1, tomorrow).await;
    assert_eq!(rows(&site).await, "1 1 5001", "the day is over");
    assert_eq!((active(&store, NOW).await, active(&store, tomorrow).await), (5_001, 1));
    assert_eq!(store.active_users(Day::from_days(i32::MIN), Day::from_days(i32::MAX)).await.unwrap(), 5_001);

    let much_later = NOW + DAY * 92;
    writing(0..1, much_later).await;
    assert_eq!(rows(&site).await, "1 1 5001", "a day is let go of after 92");
    assert_eq!((active(&store, NOW).await, active(&store, tomorrow).await), (0, 1));
}

#[tokio::test]
async fn who_is_forgotten_leaves_every_set_and_the_number_goes_to_nobody() {
    let site = Site::new().await;
    let set = async || site.sql("SELECT users FROM user_activity_day").await;
    site.open().await.write(&batch(0..5_000, NOW), NOW).await.unwrap();
    let without = set().await;
    site.open().await.write(&[seen(5_000_u32, NOW)], NOW).await.unwrap();
    let tomorrow = NOW + DAY;
    let store = site.open().await;
    store.write(&[seen(5_000_u32, tomorrow)], tomorrow).await.unwrap();
    assert_ne!(set().await, without);

    store.forget(&5_000_u32.into(), tomorrow, tomorrow).await.unwrap();
    assert_eq!(set().await, without);
    assert_eq!(rows(&site).await, "0 1 5000");
    store.write(&[seen(5_001_u32, tomorrow)], tomorrow).await.unwrap();
    assert_eq!(site.sql("SELECT max(number) FROM user_activity_number").await, "5002");
}

/// A batch notes a user while they are being forgotten: whichever comes second sees the other.
#[tokio::test]
async fn who_is_written_while_they_are_forgotten_is_counted_on_no_day() {
    let site = Site::new().await;
    let (writer, forgetter) = (site.open().await, site.open().await);
    let known = UserId::from(1_u32);
    writer.write(&[seen(known.clone(), NOW)], NOW).await.unwrap();
    for round in 1..=20 {
        let (yesterday, now) = (NOW - DAY, after(round));
        let newcomer = UserId::from(1_000 + round);
        let batch = [seen(known.clone(), yesterday), seen(newcomer.clone(), now)];
        let (written, one, other) = tokio::join!(
            writer.write(&batch, now),
            forgetter.forget(&known, now, now),
            forgetter.forget(&newcomer, now, now),
        );
        written.unwrap();
        one.unwrap();
        other.unwrap();
        assert_eq!((active(&writer, NOW).await, active(&writer, yesterday).await), (0, 0), "round {round}");
        assert_eq!(rows(&site).await, "0 0 0", "round {round}");
        writer.write(&[seen(known.clone(), after(round + 1))], after(round + 1)).await.unwrap();
        assert_eq!(active(&writer, NOW).await, 1, "round {round}: back again");
    }
}

#[tokio::test]
async fn whom_the_site_deletes_is_taken_out_with_the_next_folding() {
    let site = Site::with("CREATE TABLE member (id bigint PRIMARY KEY); INSERT INTO member VALUES (1), (2)").await;
    let open = async || site.builder().key(PostgresKey::Bigint).references("member", "id").connect().await.unwrap();
    let both = [seen(1_u32, NOW), seen(2_u32, NOW)];
    open().await.write(&both, NOW).await.unwrap();
    let tomorrow = NOW + DAY;
    open().await.write(&[seen(1_u32, tomorrow)], tomorrow).await.unwrap();
    assert_eq!(rows(&site).await, "1 1 2");
    site.sql("DELETE FROM member WHERE id = 1").await;
    let store = open().await;
    store.write(&[seen(2_u32, tomorrow)], tomorrow).await.unwrap();
    assert_eq!(rows(&site).await, "1 1 1");
    assert_eq!((active(&store, NOW).await, active(&store, tomorrow).await), (1, 1));
}

#[tokio::test]
async fn a_set_edited_by_hand_stops_nothing() {
    let site = Site::new().await;
    site.open().await.write(&batch(0..5_000, NOW), NOW).await.unwrap();
    site.sql("UPDATE user_activity_day SET users = 'x'").await;
    let store = site.open().await;
    assert_eq!(active(&store, NOW).await, 0);
    store.write(&batch(5_000..10_000, NOW), NOW).await.unwrap();
    assert_eq!(active(&store, NOW).await, 5_000);
}

#[tokio::test]
async fn spans_are_let_go_of_each_in_its_own_time() {
    let site = Site::new().await;
    let store = site.open().await;
    let start = Resolution::Hour.start_of(NOW);
    let spans = Resolution::ALL.map(|resolution| OnlineSpan { resolution, at: start, online: 1, peak: 2 });
    let mut kept = Vec::new();
    for days in [1, 3, 9, 32] {
        store.write_history(&spans, None, NOW).await.unwrap();
        store.write_history(&[], None, start + DAY * days).await.unwrap();
        kept.push(site.sql("SELECT count(*) FROM user_activity_history").await);
    }
    assert_eq!(kept, ["3", "2", "1", "0"]);
}

#[tokio::test]
async fn nothing_expires_by_a_clock_that_is_ahead() {
    let site = Site::new().await;
    let store = site.open().await;
    store.write(&[seen(1_u32, NOW)], NOW).await.unwrap();
    let ahead = NOW + 36_500 * DAY;
    let since = KeptSince { addresses: None, records: Some(ahead - 100 * DAY) };
    assert_eq!(store.expire(since, ahead, None).await.unwrap(), None);
    assert_eq!(store.read(&1_u32.into()).await.unwrap(), Some(seen(1_u32, NOW)));
}

#[tokio::test]
async fn who_expires_leaves_no_row_but_an_erasure_s_for_its_day() {
    let site = Site::new().await;
    let store = site.open().await;
    store.forget(&2_u32.into(), NOW, NOW).await.unwrap();
    store.write(&[seen(1_u32, after(1)), seen(2_u32, after(1))], after(1)).await.unwrap();
    let since = KeptSince { addresses: None, records: Some(after(2)) };
    store.expire(since, after(2), None).await.unwrap();
    assert_eq!(site.sql("SELECT string_agg(user_id, ' ') FROM user_activity").await, "2");
    assert_eq!(site.sql("SELECT count(*) FROM user_activity_number").await, "0");
    assert_eq!(store.read(&2_u32.into()).await.unwrap(), None);
}
