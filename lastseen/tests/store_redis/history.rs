//! The history in Redis: what is in its keys, and for how long.

use std::time::Duration;

use lastseen::store::RedisStore;
use lastseen::{Day, OnlineSpan, Record, Resolution, Seen, Store, Timestamp, UserId};
use lastseen_harness::Redis;

use crate::place::{NOW, Place, user};

const DAY: Duration = Duration::from_hours(24);

fn active_at(user: &UserId, at: Timestamp) -> Record {
    Record { seen: Some(Seen { at, ip: None }), ..Record::empty(user.clone()) }
}

async fn count(store: &RedisStore, at: Timestamp) -> u64 {
    store.active_users(Day::of(at), Day::of(at)).await.unwrap()
}

/// A place whose users are all in one group, and a handle on it.
async fn one_group() -> (Place<Redis>, RedisStore) {
    let place = Place::new().await;
    let store = place.builder().groups(1).connect().await.unwrap();
    (place, store)
}

async fn key(place: &Place<Redis>, kind: &str) -> String {
    place.server.cli(&["KEYS", &place.keys(kind)]).await
}

#[tokio::test]
async fn who_is_forgotten_leaves_every_day_and_the_number_goes_to_nobody() {
    let (place, store) = one_group().await;
    let [ada, bob, eve] = ["ada", "bob", "eve"].map(user);
    let yesterday = NOW - DAY;
    for at in [yesterday, NOW] {
        store.write(&[active_at(&ada, at), active_at(&bob, at)], NOW).await.unwrap();
    }
    let numbers = key(&place, "number").await;
    let days = [yesterday, NOW].map(|at| format!("active:{}", Day::of(at)));
    let bits = async |number: &str| {
        let mut bits = Vec::new();
        for day in &days {
            bits.push(place.server.cli(&["GETBIT", &key(&place, day).await, number]).await);
        }
        bits
    };
    let number = place.server.cli(&["HGET", &numbers, "ada"]).await;
    assert_eq!(bits(&number).await, ["1", "1"]);

    store.forget(&ada, NOW, NOW).await.unwrap();
    assert_eq!(bits(&number).await, ["0", "0"]);
    assert_eq!(place.server.cli(&["HEXISTS", &numbers, "ada"]).await, "0");
    store.write(&[active_at(&eve, NOW)], NOW).await.unwrap();
    assert_eq!(bits(&number).await, ["0", "0"], "the number goes to nobody else");
    assert_eq!((count(&store, yesterday).await, count(&store, NOW).await), (1, 2));
}

/// A store of a version before that knew no days: its records have no number.
#[tokio::test]
async fn who_has_no_number_is_noted_on_the_very_day_that_the_record_had_before() {
    let (place, store) = one_group().await;
    let ada = user("ada");
    store.write(&[active_at(&ada, NOW - Duration::from_secs(1))], NOW).await.unwrap();
    let day = format!("active:{}", Day::of(NOW));
    for key in [key(&place, "number").await, key(&place, &day).await] {
        place.server.cli(&["DEL", &key]).await;
    }
    assert_eq!(count(&store, NOW).await, 0);
    store.write(&[active_at(&ada, NOW)], NOW).await.unwrap();
    assert_eq!(count(&store, NOW).await, 1);
}

#[tokio::test]
async fn a_day_lives_for_92_more_and_none_is_made_that_would_be_gone() {
    let (place, store) = one_group().await;
    let [ada, bob] = ["ada", "bob"].map(user);
    let old = NOW - DAY * 100;
    store.write(&[active_at(&ada, old), active_at(&bob, NOW)], NOW).await.unwrap();
    assert_eq!((count(&store, old).await, count(&store, NOW).await), (0, 1));
    assert_eq!(place.server.cli(&["KEYS", &place.keys("active:*")]).await.lines().count(), 1);
    let day = key(&place, &format!("active:{}", Day::of(NOW))).await;
    let life: i64 = place.server.cli(&["TTL", &day]).await.parse().unwrap();
    let end = Day::of(NOW).start() + DAY * 93;
    let left = i64::try_from(end.since(NOW).as_secs()).unwrap();
    assert!((left - 60..=left + 1).contains(&life), "{life} of {left} s");
    let all = store.active_users(Day::from_days(i32::MIN), Day::of(NOW)).await.unwrap();
    assert_eq!(all, 1, "however far back one asks");
}

#[tokio::test]
async fn spans_are_let_go_of_each_in_its_own_time_and_none_by_a_clock_that_is_ahead() {
    let (_place, store) = one_group().await;
    let now = Timestamp::from(std::time::SystemTime::now());
    let span = |resolution: Resolution, ago: Duration| OnlineSpan {
        resolution,
        at: resolution.start_of(now - ago),
        online: 1,
        peak: 2,
    };
    let ages = [1, 3, 9, 32].map(|days| DAY * days);
    let spans: Vec<_> = ages.iter().flat_map(|ago| Resolution::ALL.map(|resolution| span(resolution, *ago))).collect();
    for writer in [now + DAY * 365, now] {
        store.write_history(&spans, None, writer).await.unwrap();
        let mut kept = Vec::new();
        for resolution in Resolution::ALL {
            kept.push(store.history(resolution, Timestamp::MIN, Timestamp::MAX).await.unwrap().len());
        }
        assert_eq!(kept, [1, 2, 3]);
    }
}
