//! What is old goes by itself, and nothing else does.

use std::net::IpAddr;
use std::time::Duration;

use lastseen::store::{Change, KeptSince, RedisStore};
use lastseen::{Profile, Record, Seen, Store, Timestamp, UserId};
use lastseen_harness::Redis;

use crate::place::{NOW, Place, user};

const DAY: i64 = 24 * 3_600;

/// A record dated so many days before [`NOW`].
fn aged(user: &UserId, days: i64, left_days: Option<i64>) -> Record {
    let at = |days: i64| Timestamp::from_micros(NOW.as_micros() - days * DAY * 1_000_000);
    let ip = Some(IpAddr::from([203, 0, 113, 7]));
    Record { user: user.clone(), seen: Some(Seen { at: at(days), ip }), left_at: left_days.map(at) }
}

async fn open(place: &Place<Redis>) -> RedisStore {
    place.builder().groups(1).keep(Duration::from_hours(24 * 30)).connect().await.unwrap()
}

/// As if it were an hour since the last write.
async fn an_hour_passes(place: &Place<Redis>) {
    for key in keys(place).await {
        if !key.ends_with(":meta") {
            place.server.cli(&["PEXPIRE", &key, "1000000000"]).await;
        }
    }
}

async fn keys(place: &Place<Redis>) -> Vec<String> {
    let keys = place.server.cli(&["KEYS", &format!("{}:*", place.prefix())]).await;
    keys.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn every_key_goes_where_nobody_writes_any_more() {
    let place = Place::new().await;
    let store = open(&place).await;
    let ada = user("ada");
    store.write(&[aged(&ada, 0, Some(1))], NOW).await.unwrap();
    store.set_profile(&ada, &Profile::named("Ada")).await.unwrap();
    store.forget(&user("bob"), NOW, NOW).await.unwrap();
    let keys = keys(&place).await;
    assert_eq!(keys.len(), 9, "{keys:?}");
    for key in keys {
        let seconds: i64 = place.server.cli(&["TTL", &key]).await.parse().unwrap();
        if key.ends_with(":meta") {
            assert_eq!(seconds, -1, "how the store was made is kept");
        } else if key.contains(":active:") {
            assert!((30 * DAY..=31 * DAY).contains(&seconds), "{key} goes as the records do, after {seconds} s");
        } else {
            assert!((31 * DAY - 60..=31 * DAY).contains(&seconds), "{key} goes after {seconds} s");
        }
    }
    an_hour_passes(&place).await;
    store.write(&[aged(&ada, 0, None)], NOW).await.unwrap();
    let feed = place.server.cli(&["KEYS", &place.keys("feed")]).await;
    let seconds: i64 = place.server.cli(&["TTL", &feed]).await.parse().unwrap();
    assert!(seconds > 31 * DAY - 60, "it lives on: {seconds} s");
}

#[tokio::test]
async fn records_go_when_they_are_old() {
    let place = Place::new().await;
    let store = open(&place).await;
    let [old, edge, left_since, left_long_ago, gone] = ["old", "edge", "left since", "left long ago", "gone"].map(user);
    let mut records = vec![
        aged(&old, 31, Some(32)),
        aged(&edge, 30, None),
        aged(&left_since, 31, Some(29)),
        aged(&left_long_ago, 1, Some(90)),
        Record { seen: None, ..aged(&gone, 90, Some(90)) },
    ];
    records.sort_by(|a, b| a.user.cmp(&b.user));
    store.write(&records, NOW).await.unwrap();
    for user in [&old, &edge] {
        store.set_profile(user, &Profile::named("x")).await.unwrap();
    }
    for record in &records {
        assert_eq!(
            store.read(&record.user).await.unwrap().as_ref(),
            Some(record),
            "what is written is there, however old"
        );
    }

    an_hour_passes(&place).await;
    let active = aged(&user("active"), 0, None);
    store.write(std::slice::from_ref(&active), NOW).await.unwrap();
    for (user, kept) in [
        (&old, None),
        (&edge, Some(aged(&edge, 30, None))),
        (&left_since, Some(Record { seen: None, ..aged(&left_since, 31, Some(29)) })),
        (&left_long_ago, Some(aged(&left_long_ago, 1, Some(90)))),
        (&active.user, Some(active.clone())),
    ] {
        assert_eq!(store.read(user).await.unwrap(), kept, "{user}");
    }
    let profiles = store.profiles(&[old.clone(), edge.clone()]).await.unwrap();
    assert_eq!(profiles, [(edge, Profile::named("x"))], "a profile goes with its record");
    let addresses = place.server.cli(&["KEYS", &place.keys("ip")]).await;
    assert_eq!(place.server.cli(&["HEXISTS", &addresses, "old"]).await, "0");
    // Sign-outs of nobody are looked for among those of users seen since, a thousand at a time.
    assert_eq!(store.read(&gone).await.unwrap(), None);
}

/// A process whose clock is years ahead must not empty the store.
#[tokio::test]
async fn a_clock_that_is_ahead_takes_nothing_away() {
    let place = Place::new().await;
    let store = open(&place).await;
    let ada = aged(&user("ada"), 1, None);
    store.write(std::slice::from_ref(&ada), NOW).await.unwrap();
    an_hour_passes(&place).await;
    let ahead = NOW + Duration::from_hours(24 * 365 * 100);
    store.write(&[aged(&user("bob"), 0, None)], ahead).await.unwrap();
    assert_eq!(store.read(&ada.user).await.unwrap(), Some(ada));
}

async fn expire(store: &RedisStore, since: KeptSince, now: Timestamp) {
    let mut page = None;
    loop {
        page = store.expire(since, now, page.as_ref()).await.unwrap();
        if page.is_none() {
            return;
        }
    }
}

/// The feed has a copy of each address, and on a small site for months.
#[tokio::test]
async fn what_expires_goes_from_the_feed_too_and_whoever_is_behind_is_told() {
    let place = Place::new().await;
    let (store, reader) = (open(&place).await, open(&place).await);
    let start = reader.follow(None).await.unwrap().cursor;
    let [old, young] = [aged(&user("old"), 9, None), aged(&user("young"), 1, None)];
    store.write(std::slice::from_ref(&old), NOW).await.unwrap();
    store.write(std::slice::from_ref(&young), NOW).await.unwrap();
    let up_to_date = reader.follow(Some(&start)).await.unwrap().cursor;

    let since =
        KeptSince { addresses: Some(Timestamp::from_micros(NOW.as_micros() - 5 * DAY * 1_000_000)), records: None };
    expire(&store, since, NOW).await;
    let feed = place.server.cli(&["KEYS", &place.keys("feed")]).await;
    assert_eq!(place.server.cli(&["XLEN", &feed]).await, "1", "of the younger one alone");
    assert!(reader.follow(Some(&start)).await.unwrap().missed);
    let told = reader.follow(Some(&up_to_date)).await.unwrap();
    assert_eq!((told.changes, told.missed), (vec![], false), "whoever had read it misses nothing");

    let later = aged(&user("later"), 0, None);
    store.write(std::slice::from_ref(&later), NOW).await.unwrap();
    let told = reader.follow(Some(&told.cursor)).await.unwrap();
    assert_eq!((told.changes, told.missed), (vec![Change::Record(later)], false));
}

#[tokio::test]
async fn nothing_expires_by_a_clock_that_is_ahead() {
    let place = Place::new().await;
    let store = open(&place).await;
    let ada = aged(&user("ada"), 1, None);
    store.write(std::slice::from_ref(&ada), NOW).await.unwrap();
    let ahead = NOW + Duration::from_hours(24 * 365 * 100);
    let since = Some(ahead - Duration::from_hours(24 * 100));
    expire(&store, KeptSince { addresses: since, records: since }, ahead).await;
    assert_eq!(store.read(&ada.user).await.unwrap(), Some(ada));
}
