//! What other processes are told of: all of it, or that they have missed some.

use std::net::IpAddr;

use lastseen::store::{Change, Cursor, RedisStore};
use lastseen::{Profile, Record, Seen, Store, UserId};
use lastseen_harness::Redis;

use crate::place::{NOW, Place, seen, user};

async fn start(store: &RedisStore) -> Cursor {
    store.follow(None).await.unwrap().cursor
}

fn batch(users: std::ops::Range<u32>) -> Vec<Record> {
    let mut batch: Vec<_> = users.map(|user| seen(&UserId::from(user), -1)).collect();
    batch.sort_by(|a, b| a.user.cmp(&b.user));
    batch
}

#[tokio::test]
async fn a_reader_who_falls_behind_what_is_kept_is_told() {
    let place = Place::new().await;
    let builder = || place.builder().groups(2).feed(2_000);
    let (writer, reader) = (builder().connect().await.unwrap(), builder().connect().await.unwrap());
    let from_nothing = start(&reader).await;
    writer.write(&batch(0..100), NOW).await.unwrap();
    let early = reader.follow(Some(&from_nothing)).await.unwrap();
    assert_eq!((early.changes.len(), early.missed), (100, false));
    for begin in (100..6_000).step_by(1_000) {
        writer.write(&batch(begin..begin + 1_000), NOW).await.unwrap();
    }
    for cursor in [&from_nothing, &early.cursor] {
        let late = reader.follow(Some(cursor)).await.unwrap();
        assert!(late.missed && late.changes.is_empty(), "{}", late.changes.len());
        writer.write(&[seen(&user("ada"), -1)], NOW).await.unwrap();
        writer.forget(&user("ada"), NOW, NOW).await.unwrap();
        writer.write(&[seen(&user("ada"), 1)], NOW).await.unwrap();
        let next = reader.follow(Some(&late.cursor)).await.unwrap();
        assert!(!next.missed && next.changes.contains(&Change::Record(seen(&user("ada"), 1))), "{next:?}");
    }
    for feed in place.server.cli(&["KEYS", &place.keys("feed")]).await.lines() {
        let length: u32 = place.server.cli(&["XLEN", feed]).await.parse().unwrap();
        assert!(length < 1_200, "{length} changes are kept of a group");
    }
}

/// The server was emptied, and has been written to again: a reader stands in a feed that isn't there any more.
#[tokio::test]
async fn a_reader_of_a_server_that_was_emptied_is_told() {
    let server = Redis::start().await;
    let open = async || RedisStore::builder(&server.url()).groups(1).connect().await.unwrap();
    let (writer, reader) = (open().await, open().await);
    let begin = start(&reader).await;
    writer.write(&batch(0..10), NOW).await.unwrap();
    let cursor = reader.follow(Some(&begin)).await.unwrap().cursor;
    server.cli(&["FLUSHALL"]).await;
    writer.write(&batch(0..5), NOW).await.unwrap();
    let next = reader.follow(Some(&cursor)).await.unwrap();
    assert!(next.missed, "{next:?}");
    assert!(!reader.follow(Some(&next.cursor)).await.unwrap().missed);
}

/// A server that was started again may have lost what a reader has read.
#[tokio::test]
async fn a_restart_counts_as_a_failover_and_as_a_gap() {
    let mut server = Redis::start().await;
    let store = RedisStore::connect(&server.url()).await.unwrap();
    store.write(&batch(0..10), NOW).await.unwrap();
    let cursor = start(&store).await;
    assert_eq!(store.failovers(), 0);
    server.restart().await;
    let mut result = store.follow(Some(&cursor)).await;
    for _ in 0..5 {
        if result.is_err() {
            result = store.follow(Some(&cursor)).await;
        }
    }
    assert!(result.unwrap().missed);
    assert_eq!(store.failovers(), 1);
    store.write(&batch(0..10), NOW).await.unwrap();
    assert_eq!(store.failovers(), 1, "once");
}

#[tokio::test]
async fn a_cursor_of_another_store_is_one_that_has_missed_everything() {
    let place = Place::new().await;
    let store = place.open().await;
    let fewer = Place::new().await.builder().groups(2).connect().await.unwrap();
    for cursor in [Cursor::new(""), Cursor::new("17"), start(&fewer).await] {
        assert!(store.follow(Some(&cursor)).await.unwrap().missed, "{cursor:?}");
    }
}

#[tokio::test]
async fn a_handle_is_not_told_of_what_it_wrote_itself() {
    let place = Place::new().await;
    let (store, clone) = (place.open().await, place.open().await);
    let cursor = start(&store).await;
    store.write(&batch(0..10), NOW).await.unwrap();
    assert_eq!(store.follow(Some(&cursor)).await.unwrap().changes, []);
    assert_eq!(clone.follow(Some(&cursor)).await.unwrap().changes.len(), 10);
    store.write(&batch(0..10), NOW).await.unwrap();
    let cursor = clone.follow(Some(&cursor)).await.unwrap().cursor;
    assert_eq!(clone.follow(Some(&cursor)).await.unwrap().changes, [], "what changes nothing is no news");
}

/// Nothing of a user is left but that they were erased: not their address, not their name, not in the feed.
#[tokio::test]
async fn an_erasure_leaves_no_trace() {
    let server = Redis::start().await;
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let ada = user("ada lovelace");
    let ip = Some(IpAddr::from([0x41; 16]));
    for second in 0..600 {
        let at = lastseen::Timestamp::from_micros(NOW.as_micros() + second);
        let record = Record { user: ada.clone(), seen: Some(Seen { at, ip }), left_at: Some(at) };
        store.write(&[record], NOW).await.unwrap();
    }
    store.set_profile(&ada, &Profile::named("The Countess")).await.unwrap();
    store.write(&batch(0..500), NOW).await.unwrap();
    let later = lastseen::Timestamp::from_micros(NOW.as_micros() + 600);
    store.forget(&ada, later, later).await.unwrap();

    let mut named = Vec::new();
    for key in server.cli(&["KEYS", "*"]).await.lines() {
        let content = match server.cli(&["TYPE", key]).await.as_str() {
            "zset" => server.cli(&["ZRANGE", key, "0", "-1"]).await,
            "hash" => server.cli(&["HGETALL", key]).await,
            "stream" => server.cli(&["XRANGE", key, "-", "+"]).await,
            _ => server.cli(&["GET", key]).await,
        };
        assert!(!content.contains("AAAAAAAA") && !content.contains("Countess"), "{key} holds what was erased");
        named.extend(content.matches("ada lovelace").map(|_| key.rsplit(':').next().unwrap().to_owned()));
    }
    named.sort();
    assert_eq!(named, ["feed", "forgotten"]);
}
