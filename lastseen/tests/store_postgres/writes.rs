//! Writing costs the site's database little, and stops at nothing.

use std::time::Duration;

use lastseen::store::PostgresStore;
use lastseen::{Record, Seen, Store, Timestamp, UserId};
use lastseen_harness::{Postgres, eventually};

use crate::site::{NOW, Site, after, batch, seen};

/// Once a granularity the date of everybody online is written again: each on its own page, with no index touched.
#[tokio::test]
async fn more_than_95_in_100_updates_are_heap_only() {
    const ONLINE: u32 = 20_000;

    // A server of its own: what runs for long in any database, as making one does, keeps pages from being cleared.
    let server = Postgres::start().await;
    let store = PostgresStore::connect(&server.database("site").await).await.unwrap();
    for start in (0..ONLINE).step_by(4_000) {
        store.write(&batch(start..start + 4_000, NOW), NOW).await.unwrap();
    }
    let counts = async || {
        // What a connection has counted is there for others once it ends, or asks.
        let counts = server
            .sql("site", "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'user_activity'");
        let counts = counts.await;
        let (updates, hot) = counts.split_once('|').unwrap();
        (updates.parse::<u32>().unwrap(), hot.parse::<u32>().unwrap())
    };
    // Everybody once a granularity, in the order in which they happen to click; and all at once, as after an outage.
    let rounds = [30, 30, 30, 30, 30, 30, 30, 30, 1, 30, 1];
    for (round, parts) in (1..).zip(rounds) {
        for part in 0..parts {
            let at = after(round * 30 + part);
            let users = (0..ONLINE).filter(|user| (u64::from(*user) * 7_919 + round) % parts == part);
            let mut batch: Vec<_> = users.map(|user| seen(user, at)).collect();
            batch.sort_by(|a, b| a.user.cmp(&b.user));
            store.write(&batch, at).await.unwrap();
        }
    }
    let expected = u32::try_from(rounds.len()).unwrap() * ONLINE;
    drop(store);
    let (updates, hot) = eventually(Duration::from_secs(10), counts, |(updates, _)| *updates >= expected).await;
    assert!(hot * 100 > updates * 95, "{hot} of {updates} updates are heap-only");
}

/// Two processes that wrote the same users, the one from the first and the other from the last, would wait for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_write_the_same_users_never_deadlock() {
    let site = Site::new().await;
    let mut writers = Vec::new();
    for writer in 0..6_u64 {
        let store = site.open().await;
        writers.push(tokio::spawn(async move {
            for round in 0..15 {
                let at = after(round * 10 + writer);
                let mut batch = batch(0..400, at);
                // Whatever order a batch comes in.
                if writer % 2 == 1 {
                    batch.reverse();
                }
                store.write(&batch, at).await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(site.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").await, "0");
    let store = site.open().await;
    assert_eq!(store.read(&UserId::from(7_u32)).await.unwrap(), Some(seen(7_u32, after(145))));
}

/// An erasure and a batch at the same time: whichever comes second, what was in flight doesn't come back.
#[tokio::test]
async fn an_erasure_under_way_keeps_out_what_waits_for_it() {
    let site = Site::new().await;
    let (eraser, writer) = (site.open().await, site.open().await);
    for known in [false, true] {
        let user = UserId::new(if known { "known" } else { "new" }).unwrap();
        if known {
            writer.write(&[seen(user.clone(), NOW)], NOW).await.unwrap();
        }
        // Both wait for the site's lock on the feed, which each writes last, so both have begun.
        let mut site_itself = site.client().await;
        let lock = site_itself.transaction().await.unwrap();
        lock.batch_execute("LOCK user_activity_feed IN EXCLUSIVE MODE").await.unwrap();
        let erasing = tokio::spawn({
            let (eraser, user) = (eraser.clone(), user.clone());
            async move { eraser.forget(&user, after(10), NOW).await }
        });
        site.blocked(1).await;
        let writing = tokio::spawn({
            let (writer, user) = (writer.clone(), user.clone());
            async move { writer.write(&[seen(user, after(5))], after(5)).await }
        });
        site.blocked(2).await;
        lock.commit().await.unwrap();
        erasing.await.unwrap().unwrap();
        writing.await.unwrap().unwrap();
        assert_eq!(eraser.read(&user).await.unwrap(), None, "{user}");
    }
}

#[tokio::test]
async fn a_row_edited_by_hand_stops_nothing() {
    let site = Site::new().await;
    let store = site.open().await;
    store.write(&batch(1..6, NOW), NOW).await.unwrap();
    site.sql(
        "UPDATE user_activity SET last_activity_ip = '10.0.0.0/8' WHERE user_id = '1';
         UPDATE user_activity SET last_activity_date = 'infinity' WHERE user_id = '2';
         UPDATE user_activity SET last_activity_date = '-infinity', left_at = '-infinity' WHERE user_id = '3';
         UPDATE user_activity SET last_activity_date = NULL, last_activity_ip = '10.0.0.1' WHERE user_id = '4';
         INSERT INTO user_activity VALUES (E'tab\\t', now()), ('', now());",
    )
    .await;
    let ip = store.read(&1_u32.into()).await.unwrap().unwrap().seen.unwrap().ip;
    assert_eq!(ip, "10.0.0.0".parse().ok(), "without the network");
    assert_eq!(store.read(&2_u32.into()).await.unwrap(), Some(seen(2_u32, Timestamp::MAX)));
    assert!(store.read(&3_u32.into()).await.unwrap().is_some());
    assert_eq!(store.read(&4_u32.into()).await.unwrap(), None);
    let listed = store.recent(NOW, None).await.unwrap().records;
    assert_eq!(listed.len(), 3, "{listed:?}");

    store.write(&batch(1..6, after(1)), after(1)).await.unwrap();
    for user in 1..6_u32 {
        let record = store.read(&user.into()).await.unwrap().unwrap();
        assert_eq!(record.seen, seen(user, after(1)).seen);
    }
}

#[tokio::test]
async fn dates_that_no_calendar_has_are_the_nearest_that_it_has() {
    let site = Site::new().await;
    let store = site.open().await;
    let user = UserId::from(1_u32);
    store.write(&[seen(user.clone(), Timestamp::MIN)], NOW).await.unwrap();
    let first = store.read(&user).await.unwrap().unwrap().seen.unwrap().at;
    assert!(first > Timestamp::MIN && first < Timestamp::from_micros(-200_000_000_000_000_000), "{first:?}");
    store.write(&[seen(user.clone(), Timestamp::MAX)], NOW).await.unwrap();
    assert_eq!(store.read(&user).await.unwrap().unwrap().seen.unwrap().at, first, "far ahead");
    store.write(&[seen(user.clone(), NOW)], Timestamp::MAX).await.unwrap();
    assert_eq!(store.read(&user).await.unwrap(), Some(seen(user, NOW)));
    assert!(store.recent(Timestamp::MAX, None).await.unwrap().records.is_empty());
}

#[tokio::test]
async fn people_can_read_the_tables() {
    let site = Site::new().await;
    let store = site.open().await;
    let dated = |date: &str| date.parse::<Timestamp>().unwrap();
    let record = |user: &str, at: &str, left_at: Option<&str>| Record {
        user: UserId::new(user).unwrap(),
        seen: Some(Seen { at: dated(at), ip: "203.0.113.7".parse().ok() }),
        left_at: left_at.map(dated),
    };
    let batch = [
        record("1 here", "2026-11-24T03:15:00.000007Z", Some("1969-12-31T23:59:59.25Z")),
        record("2 gone", "2026-11-24T03:14:59Z", Some("2026-11-24T03:15:00Z")),
    ];
    store.write(&batch, NOW).await.unwrap();
    store.forget(&UserId::new("3 erased").unwrap(), NOW, NOW).await.unwrap();
    assert_eq!(
        site.sql(
            "SET timezone = 'UTC';
             SELECT user_id, last_activity_date, last_activity_ip, left_at, ago IS NOT NULL, signed_out
             FROM user_activity_readable ORDER BY user_id"
        )
        .await,
        "1 here|2026-11-24 03:15:00.000007+00|203.0.113.7|1969-12-31 23:59:59.25+00|t|f\n\
         2 gone|2026-11-24 03:14:59+00|203.0.113.7|2026-11-24 03:15:00+00|t|t"
    );
}

/// Where one transaction locks what the store needs, a statement ends after its time, in the server too: else each new
/// try would leave another waiting there.
#[tokio::test]
async fn statements_that_take_too_long_are_ended_in_the_server_too() {
    let site = Site::new().await;
    let store = site.builder().statement_timeout(Duration::from_millis(200)).connect().await.unwrap();
    let mut site_itself = site.client().await;
    let lock = site_itself.transaction().await.unwrap();
    lock.batch_execute("LOCK user_activity").await.unwrap();
    for _ in 0..3 {
        let error = store.write(&[seen(1_u32, NOW)], NOW).await.unwrap_err();
        assert!(error.is_unavailable(), "{error:?}");
        assert!(error.to_string().contains("gave no answer within 200ms while writing activities"), "{error}");
    }
    site.blocked(0).await;
    lock.commit().await.unwrap();
    store.write(&[seen(1_u32, NOW)], NOW).await.unwrap();
}

#[tokio::test]
async fn a_server_that_can_not_do_it_now_may_do_it_later() {
    let site = Site::new().await;
    let store = site.open().await;
    site.sql(&format!("ALTER DATABASE \"{}\" SET lock_timeout = '50ms'", site.database)).await;
    let hurried = site.open().await;
    let mut site_itself = site.client().await;
    let lock = site_itself.transaction().await.unwrap();
    lock.batch_execute("LOCK user_activity").await.unwrap();
    let error = hurried.write(&[seen(1_u32, NOW)], NOW).await.unwrap_err();
    assert!(error.is_unavailable() && error.sqlstate() == Some("55P03"), "{error:?}");
    lock.commit().await.unwrap();
    hurried.write(&[seen(1_u32, NOW)], NOW).await.unwrap();

    let url = site.role("hurried_writer", "GRANT ALL ON ALL TABLES IN SCHEMA public TO hurried_writer").await;
    site.sql("ALTER ROLE hurried_writer CONNECTION LIMIT 0").await;
    let refused = PostgresStore::connect(&url).await.unwrap();
    let error = refused.ready().await.unwrap_err();
    assert!(error.is_unavailable() && error.sqlstate() == Some("53300"), "{error:?}");
    site.sql("ALTER ROLE hurried_writer CONNECTION LIMIT 1").await;
    refused.ready().await.unwrap();
    assert!(store.read(&1_u32.into()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_database_with_a_stricter_isolation_serves_too() {
    let site = Site::new().await;
    site.sql(&format!("ALTER DATABASE \"{}\" SET default_transaction_isolation = 'serializable'", site.database)).await;
    let (here, there): (PostgresStore, PostgresStore) = (site.open().await, site.open().await);
    for round in 0..20 {
        let (one, other) = (batch(0..50, after(2 * round)), batch(0..50, after(2 * round + 1)));
        let (one, other) = tokio::join!(here.write(&one, after(99)), there.write(&other, after(99)));
        one.unwrap();
        other.unwrap();
    }
    assert_eq!(here.read(&7_u32.into()).await.unwrap(), Some(seen(7_u32, after(39))));
}
