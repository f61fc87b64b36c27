//! Rules 13 to 15: what is kept of the past. A store that says that it keeps nothing passes them.

use super::sample::{FUTURE, Handle, NOW, at, handle, ip, left, seen, user, users};
use crate::{ACTIVE_DAYS, Day, MostOnline, OnlineSpan, Resolution, Store, Timestamp, UserId};

const DAY: i64 = 24 * 3600;

/// Rule 13: spans merge by maximum, in any order, from one handle or two, and nothing else is there.
///
/// # Panics
///
/// Where the store breaks the rule, or fails.
pub async fn rule_13_history<S: Store>(open: impl AsyncFn() -> S) {
    const MANY: u32 = 2_000_000_000;

    let here = handle(&open).await;
    let there = handle(&open).await;
    if !here.keeps_history() {
        return;
    }
    for resolution in Resolution::ALL {
        let width = i64::try_from(resolution.width().as_secs()).unwrap_or(i64::MAX);
        let start = resolution.start_of(NOW);
        let span = |number: i64, online, peak| {
            let at = Timestamp::from_micros(start.as_micros() - number * width * 1_000_000);
            OnlineSpan { resolution, at, online, peak }
        };
        // Of three spans in a row the one in the middle is measured by nobody.
        here.write_history(&[span(3, 5, 9), span(1, 7, 7)], None).await;
        there.write_history(&[span(3, 6, 8), span(1, 0, 8)], None).await;
        here.write_history(&[span(3, 5, 9), span(1, 7, 7)], None).await;
        let (one, other) = ([span(1, 9, 9)], [span(1, 0, 12), span(0, MANY, MANY)]);
        tokio::join!(here.write_history(&one, None), there.write_history(&other, None));
        let all = [span(3, 6, 9), span(1, 9, 12), span(0, MANY, MANY)];
        for reader in [&here, &there] {
            let found = reader.history(resolution, span(3, 0, 0).at, span(0, 0, 0).at).await;
            assert_eq!(found, all, "rule 13, history: by {resolution}, merged by maximum, oldest first");
        }
        let found = here.history(resolution, span(2, 0, 0).at, span(1, 0, 0).at).await;
        assert_eq!(found, all[1..2], "rule 13, history: by {resolution}, both ends included");
        let found = here.history(resolution, span(1, 0, 0).at, span(3, 0, 0).at).await;
        assert_eq!(found, [], "rule 13, history: by {resolution}, from the later to the earlier");
        let reopened = handle(&open).await;
        let found = reopened.history(resolution, span(3, 0, 0).at, span(0, 0, 0).at).await;
        assert_eq!(found, all, "rule 13, history: by {resolution}, by a handle opened later");
    }
}

/// Rule 14: the greatest number stays, of the same number the earliest moment, however long ago that was.
///
/// # Panics
///
/// Where the store breaks the rule, or fails.
pub async fn rule_14_most_online<S: Store>(open: impl AsyncFn() -> S) {
    let here = handle(&open).await;
    let there = handle(&open).await;
    if !here.keeps_history() {
        return;
    }
    assert_eq!(here.most_online().await, None, "rule 14, most online: before anything was written");
    let most = |online, ago: i64| MostOnline { online, at: at(-ago) };
    for (store, written, expected) in [
        (&here, most(7, 400 * DAY), most(7, 400 * DAY)),
        (&there, most(9, 350 * DAY), most(9, 350 * DAY)),
        (&here, most(8, 1), most(9, 350 * DAY)),
        (&here, most(9, 1), most(9, 350 * DAY)),
        (&there, most(9, 360 * DAY), most(9, 360 * DAY)),
    ] {
        store.write_history(&[], Some(written)).await;
        let found = here.most_online().await;
        assert_eq!(found, Some(expected), "rule 14, most online: after {written:?} was written");
    }
    here.write_history(&[], None).await;
    let found = handle(&open).await.most_online().await;
    assert_eq!(found, Some(most(9, 360 * DAY)), "rule 14, most online: by a handle opened later");
}

/// Rule 15: each user who was active within some days is counted once, in whatever order activities come in, and who was
/// forgotten is counted no more.
///
/// # Panics
///
/// Where the store breaks the rule, or fails.
pub async fn rule_15_active_users<S: Store>(open: impl AsyncFn() -> S) {
    let here = handle(&open).await;
    let there = handle(&open).await;
    if !here.keeps_history() {
        return;
    }
    each_day(&here, &there).await;
    what_is_dropped(&here).await;
    forgotten(&here, &there).await;
    came_back(&here, &there).await;
    many(&here, &there).await;
    kept(&here).await;
}

/// The day so many days before [`NOW`]'s, on which the suite's other functions have nobody active.
fn day(ago: i64) -> Day {
    Day::of(at(-ago * DAY))
}

/// A moment `seconds` after that day began.
fn on(day: Day, seconds: i64) -> Timestamp {
    Timestamp::from_micros(day.start().as_micros() + seconds * 1_000_000)
}

async fn counts<S: Store>(store: &Handle<S>, days: impl IntoIterator<Item = Day>) -> Vec<u64> {
    let mut counts = Vec::new();
    for day in days {
        counts.push(store.active_users(day, day).await);
    }
    counts
}

async fn each_day<S: Store>(here: &Handle<S>, there: &Handle<S>) {
    let [first, second, third] = [60, 59, 58].map(day);
    let [ada, bob, eve] = ["ada", "bob", "eve"].map(|name| user(&format!("rule 15 days {name}")));
    here.write(&[seen(&ada, first.start(), ip(1)), seen(&bob, on(first, DAY - 1), None)]).await;
    here.write(&[seen(&ada, on(first, 5), ip(1))]).await;
    there.write(&[seen(&ada, third.start(), ip(1)), left(&eve, on(first, 7))]).await;
    // Too late to be anybody's last activity, and an activity all the same.
    here.write(&[seen(&ada, on(second, 5), ip(1)), seen(&eve, on(third, DAY - 1), None)]).await;
    for store in [here, there] {
        let found = counts(store, [first, second, third]).await;
        assert_eq!(found, [2, 1, 2], "rule 15, active users: of each of three days");
        let found = [
            store.active_users(first, second).await,
            store.active_users(second, third).await,
            store.active_users(first, third).await,
            store.active_users(third, first).await,
        ];
        assert_eq!(found, [2, 2, 3, 0], "rule 15, active users: of several days, each user once");
    }
}

async fn what_is_dropped<S: Store>(store: &Handle<S>) {
    let (ahead, erased) = (Day::of(FUTURE) + 10, day(49));
    let [fast, gone] = ["fast", "gone"].map(|name| user(&format!("rule 15 dropped {name}")));
    store.write_at(&[seen(&fast, ahead.start(), None)], FUTURE).await;
    // In time for the tombstone to hold, which it does for a day.
    store.forget_at(&gone, on(erased, 60), on(erased, 60)).await;
    store.write_at(&[seen(&gone, on(erased, 59), None)], on(erased, 61)).await;
    let found = counts(store, [ahead, erased]).await;
    assert_eq!(found, [0, 0], "rule 15, active users: who is dated far ahead, or before they were forgotten");
    store.write_at(&[seen(&gone, on(erased, 61), None)], on(erased, 61)).await;
    let found = store.active_users(erased, erased).await;
    assert_eq!(found, 1, "rule 15, active users: who came back after they were forgotten");
}

async fn forgotten<S: Store>(here: &Handle<S>, there: &Handle<S>) {
    let days = [46, 45, 44].map(day);
    let two = ["ada", "bob"].map(|name| user(&format!("rule 15 forgotten {name}")));
    for day in days {
        here.write(&two.clone().map(|user| seen(&user, on(day, 5), None))).await;
    }
    there.forget(&two[0], NOW).await;
    there.forget(&two[0], NOW).await;
    for store in [here, there] {
        assert_eq!(counts(store, days).await, [1, 1, 1], "rule 15, active users: one of two was forgotten");
    }
    // Whoever comes now is neither taken for the one who is gone, nor counted on their days.
    let newcomer = user("rule 15 forgotten newcomer");
    here.write(&[seen(&newcomer, on(days[2], 9), None)]).await;
    assert_eq!(counts(there, days).await, [1, 1, 2], "rule 15, active users: a newcomer after a forgetting");
    assert_eq!(there.active_users(days[0], days[2]).await, 2, "rule 15, active users: a newcomer is somebody else");
}

/// Whoever comes back while they are being erased is counted for the day of what is left of them.
async fn came_back<S: Store>(here: &Handle<S>, there: &Handle<S>) {
    let days = [43, 42, 41].map(day);
    let [next_day, same_day] = ["next day", "same day"].map(|name| user(&format!("rule 15 came back {name}")));
    for day in days {
        here.write(&[seen(&next_day, on(day, 5), None)]).await;
    }
    here.write(&[seen(&same_day, on(days[0], 5), None)]).await;
    here.write(&[seen(&same_day, on(days[1], 9), None)]).await;
    there.forget_at(&next_day, on(days[1], 7), on(days[2], 9)).await;
    there.forget_at(&same_day, on(days[1], 7), on(days[1], 9)).await;
    for store in [here, there] {
        assert_eq!(counts(store, days).await, [0, 1, 1], "rule 15, active users: of two who came back");
        assert_eq!(store.active_days(&next_day).await, [days[2]], "rule 15, active users: a day after the erasure");
        assert_eq!(store.active_days(&same_day).await, [days[1]], "rule 15, active users: the day of the erasure");
    }
    // They are somebody still, of whom days are noted.
    here.write(&[seen(&same_day, on(days[2], 5), None)]).await;
    assert_eq!(counts(there, days).await, [0, 1, 2], "rule 15, active users: of two who are back");
}

/// So many that however a store compresses them, it does.
async fn many<S: Store>(here: &Handle<S>, there: &Handle<S>) {
    const MANY: usize = 9_000;

    let days = [40, 39].map(day);
    let users = users("rule 15 many", MANY);
    let active_on = |users: &[UserId], day| users.iter().map(|user| seen(user, on(day, 5), None)).collect::<Vec<_>>();
    for some in users.chunks(MANY / 4) {
        here.write(&active_on(some, days[0])).await;
    }
    there.write(&active_on(&users[MANY / 2..], days[1])).await;
    for user in users.iter().step_by(MANY / 4) {
        there.forget(user, NOW).await;
    }
    let found = counts(here, days).await;
    assert_eq!(
        found,
        [MANY as u64 - 4, MANY as u64 / 2 - 2],
        "rule 15, active users: thousands, four of them forgotten"
    );
    assert_eq!(here.active_users(days[0], days[1]).await, MANY as u64 - 4, "rule 15, active users: thousands once");
}

async fn kept<S: Store>(store: &Handle<S>) {
    let oldest = Day::of(NOW) - (ACTIVE_DAYS - 1);
    let user = user("rule 15 kept");
    store.write(&[seen(&user, oldest.start(), None)]).await;
    // Somebody else's coming lets go of what is old.
    store.write(&[seen(&UserId::from(15_015), on(day(30), 5), None)]).await;
    assert_eq!(store.active_users(oldest, oldest).await, 1, "rule 15, active users: {ACTIVE_DAYS} days are kept");
}
