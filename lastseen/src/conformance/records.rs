//! Rules 1 to 4: what is written, and what is read back.

use std::net::IpAddr;
use std::time::Duration;

use tokio::task::yield_now;

use super::sample::{Chance, FUTURE, Handle, NOW, at, handle, ip, left, seen, user, users};
use crate::store::Change;
use crate::{Profile, Record, Store, Timestamp, VOID_AHEAD};

/// Rule 1: records merge as [`Record::merge`] does, in any order, once or twice, from one handle or two.
///
/// # Panics
///
/// Where the store breaks the rule, or fails.
pub async fn rule_1_merge<S: Store>(open: impl AsyncFn() -> S) {
    let here = handle(&open).await;
    let there = handle(&open).await;
    in_any_order(&here).await;
    ties_by_address(&here).await;
    dates_far_ahead(&here).await;
    at_the_same_time(&here, &there).await;
}

async fn in_any_order<S: Store>(store: &Handle<S>) {
    let mut chance = Chance::new(1);
    for user in users("rule 1 order", 24) {
        let mut history = vec![
            seen(&user, at(-5), ip(5)),
            seen(&user, at(-1), ip(1)),
            seen(&user, at(-3), None),
            seen(&user, at(-9), ip(9)),
            left(&user, at(-4)),
            left(&user, at(-2)),
            Record { left_at: Some(at(-7)), ..seen(&user, at(-7), ip(7)) },
        ];
        let expected = Record { left_at: Some(at(-2)), ..seen(&user, at(-1), ip(1)) };
        chance.shuffle(&mut history);
        for record in history.iter().chain(&history) {
            store.write(std::slice::from_ref(record)).await;
        }
        let found = store.read(&user).await;
        assert_eq!(found, Some(expected), "rule 1, merge: {history:?}, each written twice in this order");
    }
}

async fn ties_by_address<S: Store>(store: &Handle<S>) {
    let addresses = ["", "9.9.9.9", "10.0.0.1", "255.255.255.255", "::1", "::ffff:10.0.0.1", "2001:db8::1"];
    let addresses = addresses.map(|address| address.parse::<IpAddr>().ok());
    for (number, pair) in addresses.windows(2).enumerate() {
        for (name, order) in [("up", [0, 1]), ("down", [1, 0])] {
            let user = user(&format!("rule 1 tie {number} {name}"));
            for index in order {
                store.write(&[seen(&user, at(-1), pair[index])]).await;
            }
            let greater = Some(seen(&user, at(-1), pair[1]));
            let found = store.read(&user).await;
            assert_eq!(found, greater, "rule 1, merge: of two at the same microsecond the greater address stays");
        }
    }
}

async fn dates_far_ahead<S: Store>(store: &Handle<S>) {
    let limit = FUTURE + VOID_AHEAD;
    let beyond = limit + Duration::from_micros(1);
    let [edge, dropped, given_way, signed_out] =
        ["edge", "dropped", "given way", "signed out"].map(|name| user(&format!("rule 1 ahead {name}")));

    store.write_at(&[seen(&edge, limit, ip(1))], FUTURE).await;
    let found = store.read(&edge).await;
    assert_eq!(found, Some(seen(&edge, limit, ip(1))), "rule 1, merge: a date just VOID_AHEAD ahead stays");

    store.write_at(&[seen(&dropped, beyond, ip(1))], FUTURE).await;
    assert_eq!(store.read(&dropped).await, None, "rule 1, merge: a date more than VOID_AHEAD ahead is dropped");

    // Stored under a clock that was an hour ahead, which is then set right.
    let (fast, right) = (FUTURE + Duration::from_hours(1), FUTURE - Duration::from_secs(5));
    store.write_at(&[seen(&given_way, fast, ip(1)), left(&signed_out, fast)], fast).await;
    store.write_at(&[seen(&given_way, right, ip(2)), left(&signed_out, right)], FUTURE).await;
    let expected = Some(seen(&given_way, right, ip(2)));
    assert_eq!(store.read(&given_way).await, expected, "rule 1, merge: a stored date far ahead gives way to any other");
    let expected = Some(left(&signed_out, right));
    assert_eq!(store.read(&signed_out).await, expected, "rule 1, merge: so does a stored sign-out far ahead");
}

async fn at_the_same_time<S: Store>(here: &Handle<S>, there: &Handle<S>) {
    let users = users("rule 1 both", 50);
    let batch = |chance: &mut Chance, number: u32| -> Vec<Record> {
        let ago = |chance: &mut Chance| -i64::from(u32::try_from(chance.below(9)).unwrap_or(0));
        users
            .iter()
            .map(|user| Record { left_at: Some(at(ago(chance))), ..seen(user, at(ago(chance)), ip(number)) })
            .collect()
    };
    let mut expected: Vec<_> = users.iter().cloned().map(Record::empty).collect();
    let mut chance = Chance::new(2);
    for round in 0..10 {
        let (one, other) = (batch(&mut chance, 2 * round), batch(&mut chance, 2 * round + 1));
        tokio::join!(here.write(&one), there.write(&other));
        for (expected, (one, other)) in expected.iter_mut().zip(one.iter().zip(&other)) {
            expected.merge(one, NOW);
            expected.merge(other, NOW);
        }
    }
    for expected in expected {
        let found = here.read(&expected.user).await;
        assert_eq!(found, Some(expected), "rule 1, merge: two handles wrote at the same time");
    }
}

/// Rule 2: what was answered with `Ok` is there for other handles at once, and for those opened after all are closed.
///
/// # Panics
///
/// Where the store breaks the rule, or fails.
pub async fn rule_2_commit<S: Store>(open: impl AsyncFn() -> S) {
    let [kept, gone] = ["kept", "gone"].map(|name| user(&format!("rule 2 {name}")));
    let profile = Profile::named("Ada").active(false).hidden(true);
    let record = Record { left_at: Some(at(-9)), ..seen(&kept, at(-1), ip(1)) };

    let writer = handle(&open).await;
    let other = handle(&open).await;
    writer.write(&[record.clone(), seen(&gone, at(-1), ip(1))]).await;
    writer.set_profile(&kept, &profile).await;
    writer.forget(&gone, NOW).await;

    let there = async |handle: &Handle<S>, when: &str| {
        assert_eq!(handle.read(&kept).await.as_ref(), Some(&record), "rule 2, commit: a record, {when}");
        assert_eq!(handle.profile(&kept).await.as_ref(), Some(&profile), "rule 2, commit: a profile, {when}");
        assert_eq!(handle.read(&gone).await, None, "rule 2, commit: a forgetting, {when}");
    };
    there(&other, "by another handle at once").await;
    drop((writer, other));
    there(&handle(&open).await, "after all handles were closed").await;
}

/// Rule 3: however a reader looks while another handle writes, a date comes with its own address.
///
/// # Panics
///
/// Where the store breaks the rule, or fails.
pub async fn rule_3_whole<S: Store>(open: impl AsyncFn() -> S) {
    const ROUNDS: u32 = 100;

    let writer = handle(&open).await;
    let reader = handle(&open).await;
    let user = user("rule 3 ada");
    let start = reader.start().await;
    let dated = |round: u32| seen(&user, at(i64::from(round) - i64::from(ROUNDS)), ip(round));
    let whole = |record: &Record, way: &str| {
        let round = (0..ROUNDS).find(|round| dated(*round).seen == record.seen);
        assert!(round.is_some(), "rule 3, all or nothing: {way} gave {record:?}, which nobody wrote");
    };

    let writing = async {
        for round in 0..ROUNDS {
            writer.write(&[dated(round)]).await;
            yield_now().await;
        }
    };
    let reading = async {
        for _ in 0..ROUNDS {
            if let Some(record) = reader.read(&user).await {
                whole(&record, "read");
            }
            if let Some(record) = reader.recent(at(-1000)).await.get(&user) {
                whole(record, "recent");
            }
            for change in reader.follow(&start).await.changes {
                if let Change::Record(record) = change
                    && record.user == user
                {
                    whole(&record, "follow");
                }
            }
            yield_now().await;
        }
    };
    tokio::join!(writing, reading);
}

/// Rule 4: every field comes back as it was written, and a user never written is `None`.
///
/// # Panics
///
/// Where the store breaks the rule, or fails.
pub async fn rule_4_read<S: Store>(open: impl AsyncFn() -> S) {
    let store = handle(&open).await;
    let never = user("rule 4 never");
    assert_eq!(store.read(&never).await, None, "rule 4, read: a user never written");

    let mut records: Vec<Record> = Vec::new();
    for ip in ["", "0.0.0.0", "203.0.113.7", "::", "2001:db8::7", "::ffff:203.0.113.7"] {
        let ip = ip.parse().ok();
        for at in [at(-1), Timestamp::from_micros(-1), Timestamp::UNIX_EPOCH, Timestamp::from_micros(999_999)] {
            for left_at in [None, Some(at), Some(Timestamp::from_micros(1))] {
                let user = user(&format!("rule 4 {:03}", records.len()));
                records.push(Record { left_at, ..seen(&user, at, ip) });
            }
        }
    }
    let only_left = user("rule 4 only left");
    records.push(left(&only_left, at(-1)));
    // A batch of some size, too.
    records.extend(users("rule 4 of many", 1_000).iter().map(|user| seen(user, at(-2), ip(2))));

    store.write(&records).await;
    for record in records {
        assert_eq!(store.read(&record.user).await, Some(record), "rule 4, read: what was written");
    }
    assert_eq!(store.read(&never).await, None, "rule 4, read: a user never written, among others who were");
}
