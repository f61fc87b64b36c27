//! Rules 5 to 8: what a process learns of others, and what it must not learn any more.

use std::time::Duration;

use super::sample::{FUTURE, Handle, NOW, at, changed, handle, ip, left, seen, user, users};
use crate::store::{Change, Changes};
use crate::{Profile, Record, Store, UserId};

/// Rule 5: the pages of recent records hold every user active or signed out since, however many there are, and who was
/// erased.
///
/// # Panics
///
/// Where the store breaks the rule, or fails.
pub async fn rule_5_recent<S: Store>(open: impl AsyncFn() -> S) {
    let store = handle(&open).await;
    let since = at(-60);
    let [edge, before, left_since] = ["edge", "before", "left since"].map(|name| user(&format!("rule 5 {name}")));
    let mut expected = vec![
        seen(&edge, since, ip(1)),
        Record { left_at: Some(at(-30)), ..seen(&left_since, at(-100), ip(2)) },
        left(&user("rule 5 only left"), since),
    ];
    expected.extend(users("rule 5 of many", 6_000).iter().map(|user| seen(user, at(-1), ip(3))));
    let old = users("rule 5 old", 3_000);

    store.write(&[seen(&before, at(-61), ip(1))]).await;
    store.write(&old.iter().map(|user| seen(user, at(-4_000), None)).collect::<Vec<_>>()).await;
    for batch in expected.chunks(2_000) {
        store.write(batch).await;
    }

    let recent = store.recent(since).await;
    for record in &expected {
        assert_eq!(recent.get(&record.user), Some(record), "rule 5, recent: active or signed out at or after `since`");
    }
    let erased = user("rule 5 erased");
    store.forget(&erased, NOW).await;
    let erasures = handle(&open).await.erasures().await;
    assert_eq!(erasures.get(&erased), Some(&NOW), "rule 5, recent: who was erased within the last day");

    let everything = store.recent(at(-5_000)).await;
    for user in old.iter().chain([&before]) {
        assert!(everything.contains_key(user), "rule 5, recent: {user} is missing where `since` lies further back");
    }
}

/// Rule 6: a handle is told, at least once, of all that another has written since its cursor, as it is now.
///
/// # Panics
///
/// Where the store breaks the rule, or fails.
pub async fn rule_6_follow<S: Store>(open: impl AsyncFn() -> S) {
    let writer = handle(&open).await;
    let [ada, bob, cy, dan] = ["ada", "bob", "cy", "dan"].map(|name| user(&format!("rule 6 {name}")));
    writer.write(&[seen(&ada, at(-9), ip(1)), seen(&cy, at(-9), ip(1))]).await;

    let follower = handle(&open).await;
    let start = follower.start().await;

    writer.write(&[seen(&ada, at(-5), ip(2)), left(&bob, at(-4))]).await;
    writer.write(&[seen(&ada, at(-7), ip(3))]).await;
    writer.forget(&cy, at(-3)).await;
    let profile = Profile::named("Dan").hidden(true);
    writer.set_profile(&dan, &Profile::named("Daniel")).await;
    writer.set_profile(&dan, &profile).await;

    let first = follower.follow(&start).await;
    tells(&first, &Change::Record(seen(&ada, at(-5), ip(2))), "a record, merged with what was there");
    tells(&first, &Change::Record(left(&bob, at(-4))), "a sign-out");
    tells(&first, &Change::Forgotten(cy, at(-3)), "a user forgotten");
    tells(&first, &Change::Profile(dan, profile), "a profile, the last that was set");

    let again = follower.follow(&start).await;
    assert_eq!(again.changes.len(), first.changes.len(), "rule 6, follow: the same cursor gives the same again");

    // From the new cursor on, and to a second follower, who began elsewhere.
    let second_follower = handle(&open).await;
    let second_start = second_follower.start().await;
    writer.write(&[Record { left_at: Some(at(-1)), ..seen(&ada, at(-2), ip(4)) }]).await;
    let now = Change::Record(Record { left_at: Some(at(-1)), ..seen(&ada, at(-2), ip(4)) });
    let next = follower.follow(&first.cursor).await;
    tells(&next, &now, "what was written after the second cursor");
    tells(&second_follower.follow(&second_start).await, &now, "the same, to a second follower");
    tells(&follower.follow(&start).await, &now, "the same, from the first cursor");

    // Each side learns of the other.
    let back = writer.start().await;
    follower.write(&[seen(&bob, at(-1), None)]).await;
    let bob = Change::Record(Record { left_at: Some(at(-4)), ..seen(&bob, at(-1), None) });
    tells(&writer.follow(&back).await, &bob, "what the follower wrote, to the writer");
}

fn tells(changes: &Changes, expected: &Change, what: &str) {
    assert!(!changes.missed, "rule 6, follow: a few changes were missed");
    assert!(changes.changes.contains(expected), "rule 6, follow: {what}: {expected:?} is not in {:?}", changes.changes);
}

/// Rule 7: after very many changes a follower is either told of all, or told that some were missed.
///
/// # Panics
///
/// Where the store breaks the rule, or fails.
pub async fn rule_7_behind<S: Store>(open: impl AsyncFn() -> S) {
    let writer = handle(&open).await;
    let follower = handle(&open).await;
    let start = follower.start().await;

    let users = users("rule 7", 20_000);
    for batch in users.chunks(4_000) {
        writer.write(&batch.iter().map(|user| seen(user, at(-1), None)).collect::<Vec<_>>()).await;
    }

    let mut told = std::collections::BTreeSet::new();
    let mut cursor = start;
    let mut missed = false;
    loop {
        let Changes { changes, cursor: next, missed: some } = follower.follow(&cursor).await;
        told.extend(changes.iter().map(|change| changed(change).clone()));
        missed |= some;
        // A store may tell in parts; where it tells nothing more, it has told all.
        if some || changes.is_empty() {
            cursor = next;
            break;
        }
        cursor = next;
    }
    let silent = users.iter().filter(|user| !told.contains(*user)).count();
    assert!(
        missed || silent == 0,
        "rule 7, behind: {silent} of 20,000 changes are not told, and `missed` isn't either"
    );

    let ada = user("rule 7 ada");
    writer.write(&[seen(&ada, at(-1), None)]).await;
    let Changes { changes, missed, .. } = follower.follow(&cursor).await;
    assert!(!missed, "rule 7, behind: nothing is missed from the new cursor on");
    assert!(changes.iter().any(|change| *changed(change) == ada), "rule 7, behind: the new cursor stands at the end");
}

/// Rule 8: nothing is left of a user forgotten, and what was in flight doesn't bring them back.
///
/// # Panics
///
/// Where the store breaks the rule, or fails.
pub async fn rule_8_forget<S: Store>(open: impl AsyncFn() -> S) {
    let store = handle(&open).await;
    let follower = handle(&open).await;
    let [ada, bob, stranger] = ["ada", "bob", "stranger"].map(|name| user(&format!("rule 8 {name}")));
    let start = follower.start().await;
    let both = |user: &UserId| Record { left_at: Some(at(-8)), ..seen(user, at(-9), ip(1)) };

    store.write(&[both(&ada), both(&bob)]).await;
    store.set_profile(&ada, &Profile::named("Ada")).await;
    store.set_profile(&bob, &Profile::named("Bob")).await;
    store.forget(&ada, NOW).await;
    store.forget(&stranger, NOW).await;

    for (handle, whose) in [(&store, "the same handle"), (&follower, "another handle")] {
        assert_eq!(handle.read(&ada).await, None, "rule 8, forget: the record, by {whose}");
        assert_eq!(handle.profile(&ada).await, None, "rule 8, forget: the profile, by {whose}");
        assert!(!handle.recent(at(-100)).await.contains_key(&ada), "rule 8, forget: among the recent, by {whose}");
        assert_eq!(handle.read(&bob).await, Some(both(&bob)), "rule 8, forget: another user stays");
        assert_eq!(handle.profile(&bob).await, Some(Profile::named("Bob")), "rule 8, forget: another's profile stays");
    }
    let told: Vec<_> =
        follower.follow(&start).await.changes.into_iter().filter(|change| *changed(change) == ada).collect();
    assert_eq!(
        told,
        [Change::Forgotten(ada.clone(), NOW)],
        "rule 8, forget: the forgetting is the one change to follow"
    );

    for (later, when) in [(1, "a second"), (23 * 3600, "almost a day")] {
        follower.write_at(&[Record { left_at: Some(at(-1)), ..seen(&ada, NOW, ip(2)) }], at(later)).await;
        assert_eq!(store.read(&ada).await, None, "rule 8, forget: dated at or before it, written {when} after");
    }
    store.forget(&ada, at(-50)).await;
    follower.write_at(&[seen(&ada, at(-20), None)], at(1)).await;
    assert_eq!(store.read(&ada).await, None, "rule 8, forget: an earlier forgetting doesn't undo a later one");

    let mixed = Record { left_at: Some(at(-1)), ..seen(&ada, at(2), None) };
    follower.write_at(&[mixed], at(3)).await;
    let anew = Some(seen(&ada, at(2), None));
    assert_eq!(
        store.read(&ada).await,
        anew,
        "rule 8, forget: a later activity begins anew, and the older sign-out doesn't"
    );
    store.set_profile(&ada, &Profile::new()).await;
    assert_eq!(follower.profile(&ada).await, Some(Profile::new()), "rule 8, forget: a profile set later is kept");

    let start = follower.start().await;
    store.forget(&bob, at(5)).await;
    follower.forget(&bob, at(4)).await;
    assert_eq!(
        follower.follow(&start).await.changes,
        [Change::Forgotten(bob, at(5))],
        "rule 8, forget: whoever forgets too is told up to when another did"
    );

    what_came_after(&store, &follower).await;
    clocks_far_ahead(&store).await;
}

/// A site erases somebody who comes back while that is still on its way.
async fn what_came_after<S: Store>(store: &Handle<S>, other: &Handle<S>) {
    let [back, left_since] = ["back", "left since"].map(|name| user(&format!("rule 8 {name}")));
    let (store_start, other_start) = (store.start().await, other.start().await);
    for (user, written) in [
        (&back, Record { left_at: Some(at(-70)), ..seen(&back, at(-50), ip(2)) }),
        (&left_since, Record { left_at: Some(at(-50)), ..seen(&left_since, at(-60), ip(2)) }),
    ] {
        other.write(&[seen(user, at(-80), ip(1))]).await;
        other.set_profile(user, &Profile::named("Back")).await;
        other.write(&[written]).await;
        store.forget(user, at(-60)).await;
    }
    let (came, went) = (seen(&back, at(-50), ip(2)), left(&left_since, at(-50)));
    for (handle, start) in [(store, &store_start), (other, &other_start)] {
        let told = handle.follow(start).await;
        for later in [&came, &went] {
            let found = handle.read(&later.user).await;
            assert_eq!(found.as_ref(), Some(later), "rule 8, forget: what is dated after it stays");
            let recent = handle.recent(at(-60)).await;
            assert_eq!(recent.get(&later.user), Some(later), "rule 8, forget: and is recent");
            assert_eq!(handle.profile(&later.user).await, None, "rule 8, forget: the profile has no date");
            let news = Change::Record(later.clone());
            assert!(told.changes.contains(&news), "rule 8, forget: all are told of what stays: {:?}", told.changes);
        }
    }
}

/// What a wrong clock has dated doesn't stay, and an erasure by such a clock doesn't keep a right one from holding.
async fn clocks_far_ahead<S: Store>(store: &Handle<S>) {
    let [seen_ahead, erased_ahead] = ["seen ahead", "erased ahead"].map(|name| user(&format!("rule 8 {name}")));
    let fast = FUTURE + Duration::from_hours(1);
    store.write_at(&[Record { left_at: Some(fast), ..seen(&seen_ahead, fast, ip(1)) }], fast).await;
    store.forget_at(&seen_ahead, FUTURE, FUTURE).await;
    assert_eq!(store.read(&seen_ahead).await, None, "rule 8, forget: what is dated far ahead goes too");

    store.forget_at(&erased_ahead, fast, fast).await;
    store.forget_at(&erased_ahead, FUTURE, FUTURE).await;
    store.write_at(&[seen(&erased_ahead, FUTURE - Duration::from_secs(1), None)], FUTURE).await;
    assert_eq!(
        store.read(&erased_ahead).await,
        None,
        "rule 8, forget: an erasure dated far ahead gives way to another"
    );
}
