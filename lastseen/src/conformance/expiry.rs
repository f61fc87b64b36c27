//! Rule 16: what is kept no longer.

use super::sample::{Handle, at, changed, handle, ip, left, seen, user, users};
use crate::store::KeptSince;
use crate::{Day, Profile, Record, Store, Timestamp, UserId};

const DAY: i64 = 24 * 3600;

/// The moment so many days before the writers' time.
fn ago(days: i64) -> Timestamp {
    at(-days * DAY)
}

/// Rule 16: addresses go when they are old, and whoever is known of by nothing young; the rest stays as it is, over any
/// number of pages, and who comes back begins anew.
///
/// # Panics
///
/// Where the store breaks the rule, or fails.
pub async fn rule_16_expiry<S: Store>(open: impl AsyncFn() -> S) {
    let here = handle(&open).await;
    let there = handle(&open).await;
    what_goes(&here, &there).await;
    days(&here, &there).await;
    many(&here, &there).await;
}

async fn what_goes<S: Store>(here: &Handle<S>, there: &Handle<S>) {
    let old = |name: &str| user(&format!("rule 16 {name}"));
    let named = ["old", "left long ago", "left since", "old address", "edge", "young"].map(old);
    let [gone, left_long_ago, left_since, old_address, edge, young] = &named;
    let addressed = |user: &UserId, at| seen(user, at, ip(16));
    let written = [
        addressed(gone, ago(40)),
        left(left_long_ago, ago(40)),
        Record { left_at: Some(ago(20)), ..addressed(left_since, ago(40)) },
        addressed(old_address, ago(20)),
        addressed(edge, ago(10)),
        addressed(young, ago(1)),
    ];
    let start = there.start().await;
    here.write(&written).await;
    for user in [gone, old_address] {
        here.set_profile(user, &Profile::named("Ada")).await;
    }

    here.expire(KeptSince::default()).await;
    for record in &written {
        assert_eq!(
            here.read(&record.user).await.as_ref(),
            Some(record),
            "rule 16, expiry: what is kept for ever stays: {}",
            record.user
        );
    }

    for time in ["once", "again"] {
        here.expire(KeptSince { addresses: Some(ago(10)), records: Some(ago(30)) }).await;
        let without_address = |record: &Record| {
            let mut record = record.clone();
            record.seen.iter_mut().for_each(|seen| seen.ip = None);
            Some(record)
        };
        let [_, _, left_since, old_address, edge, young] = &written;
        let expected = [
            None,
            None,
            without_address(left_since),
            without_address(old_address),
            Some(edge.clone()),
            Some(young.clone()),
        ];
        let recent = there.recent(Timestamp::MIN).await;
        for (user, expected) in named.iter().zip(expected) {
            assert_eq!(there.read(user).await, expected, "rule 16, expiry: {user}, {time}");
            assert_eq!(recent.get(user), expected.as_ref(), "rule 16, expiry: {user} among what is recent, {time}");
        }
        let profiles = there.profiles(&named).await;
        assert_eq!(profiles.len(), 1, "rule 16, expiry: a profile goes with its record, {time}: {profiles:?}");
    }
    let told = there.follow(&start).await;
    let told: Vec<_> =
        told.changes.iter().map(changed).filter(|user| *user == gone || *user == left_long_ago).collect();
    assert_eq!(told, Vec::<&UserId>::new(), "rule 16, expiry: who is gone is followed by nobody");

    there.write(&[addressed(gone, ago(50))]).await;
    assert_eq!(here.read(gone).await, Some(addressed(gone, ago(50))), "rule 16, expiry: who comes back begins anew");
    assert_eq!(here.profile(gone).await, None, "rule 16, expiry: who comes back has no profile");
}

async fn days<S: Store>(here: &Handle<S>, there: &Handle<S>) {
    if !here.keeps_history() {
        return;
    }
    let [gone, kept] = ["gone", "kept"].map(|name| user(&format!("rule 16 days {name}")));
    let [long_ago, before, after] = [36, 32, 29].map(|days| Day::of(ago(days)));
    here.write(&[seen(&gone, ago(36), None), seen(&kept, ago(32), None)]).await;
    here.write(&[seen(&gone, ago(32), None)]).await;
    there.write(&[seen(&kept, ago(29), None)]).await;
    assert_eq!(there.active_days(&gone).await, [long_ago, before], "rule 15, active users: a user's days");
    assert_eq!(there.active_days(&kept).await, [before, after], "rule 15, active users: a user's days, by two writers");
    let counted = there.active_users(after, after).await;

    here.expire(KeptSince { addresses: None, records: Some(ago(30)) }).await;
    assert_eq!(there.active_days(&gone).await, [], "rule 16, expiry: the days of who is gone");
    assert_eq!(there.active_days(&kept).await, [after], "rule 16, expiry: of who stays those days that are kept");
    assert_eq!(there.active_users(long_ago, before).await, 0, "rule 16, expiry: nobody is counted on days before");
    assert_eq!(there.active_users(after, after).await, counted, "rule 16, expiry: days after count as they did");

    here.forget(&kept, at(0)).await;
    assert_eq!(there.active_days(&kept).await, [], "rule 15, active users: of who was forgotten no day is told");
}

/// So many that no store looks at them all at once.
async fn many<S: Store>(here: &Handle<S>, there: &Handle<S>) {
    const MANY: usize = 12_000;

    let users = users("rule 16 many", MANY);
    let records: Vec<Record> =
        users.iter().enumerate().map(|(number, user)| seen(user, ago([40, 20][number % 2]), ip(16))).collect();
    for some in records.chunks(MANY / 4) {
        here.write(some).await;
    }
    there.expire(KeptSince { addresses: Some(ago(10)), records: Some(ago(30)) }).await;
    let left = here.recent(Timestamp::MIN).await;
    let (mut there, mut addressed) = (0, 0);
    for record in users.iter().filter_map(|user| left.get(user)) {
        there += 1;
        addressed += usize::from(record.seen.is_some_and(|seen| seen.ip.is_some()));
    }
    assert_eq!((there, addressed), (MANY / 2, 0), "rule 16, expiry: of thousands half are old, and all addresses");
}
