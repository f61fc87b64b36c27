//! Histories by chance, on a store and on the one in memory.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::IpAddr;
use std::time::Duration;

use lastseen::store::MemoryStore;
use lastseen::{Profile, Record, Seen, Store, Timestamp, UserId};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::runtime::Runtime;

/// One step of a history, on one of two handles.
#[derive(Clone, Debug)]
enum Step {
    Write(Vec<Record>),
    /// Up to so many seconds ago.
    Forget(UserId, i64),
    SetProfile(UserId, Profile),
    Pass(i64),
}

fn step(now: Timestamp) -> impl Strategy<Value = (bool, Step)> {
    let user = || (0_u32..4).prop_map(UserId::from);
    // Around now, on both sides of what is void, and about when time has passed by a day.
    let at = move || {
        prop_oneof![8 => -5_i64..5, 2 => 59_i64..63, 1 => 89_995_i64..90_005]
            .prop_map(move |seconds| Timestamp::from_micros(now.as_micros() + seconds * 1_000_000))
    };
    let ip = prop_oneof![
        Just(None),
        (0_u8..3).prop_map(|last| Some(IpAddr::from([10, 0, 0, last]))),
        (0_u16..3).prop_map(|last| Some(IpAddr::from([0, 0, 0, 0, 0, 0, 0, last]))),
        (0_u8..2).prop_map(|last| Some(IpAddr::from([0, 0, 0, 0, 0, 0xffff, 0x0a00, u16::from(last)]))),
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
        8 => batch.prop_map(Step::Write),
        2 => (user(), 0_i64..6).prop_map(|(user, ago)| Step::Forget(user, ago)),
        1 => (user(), profile).prop_map(|(user, profile)| Step::SetProfile(user, profile)),
        // Stores differ in when they drop an erasure that holds no longer, so none comes to hold again when time goes back.
        3 => prop_oneof![-70_i64..70, Just(90_000)].prop_map(Step::Pass),
    ];
    (any::<bool>(), step)
}

async fn run<S: Store>(
    [first, second, follower]: &[S; 3],
    start: Timestamp,
    steps: &[(bool, Step)],
) -> impl Debug + use<S> {
    let users: Vec<UserId> = (0_u32..4).map(UserId::from).collect();
    let cursor = follower.follow(None).await.unwrap().cursor;
    let mut now = start;
    let mut read = Vec::new();
    for (is_second, step) in steps {
        let store = if *is_second { second } else { first };
        match step {
            Step::Write(batch) => store.write(batch, now).await.unwrap(),
            Step::Forget(user, ago) => {
                let at = Timestamp::from_micros(now.as_micros() - ago * 1_000_000);
                store.forget(user, at, now).await.unwrap();
            }
            Step::SetProfile(user, profile) => store.set_profile(user, profile).await.unwrap(),
            Step::Pass(seconds) => now = Timestamp::from_micros(now.as_micros() + seconds * 1_000_000),
        }
        for user in &users {
            read.push(first.read(user).await.unwrap());
        }
    }
    let mut recent = second.recent(start - Duration::from_secs(3), None).await.unwrap().records;
    recent.sort_by(|a, b| a.user.cmp(&b.user));
    let mut profiles = first.profiles(&users).await.unwrap();
    profiles.sort_by(|a, b| a.0.cmp(&b.0));
    let told = follower.follow(Some(&cursor)).await.unwrap();
    let mut told_of: Vec<String> = told.changes.iter().map(|change| format!("{change:?}")).collect();
    told_of.sort();
    // A store in memory names a user at each erasure, this one once.
    told_of.dedup();
    (read, recent, profiles, told_of, told.missed)
}

/// Where histories begin: a day in 2100, since only what is ahead of a store's own clock too is void as it is in memory.
const START: Timestamp = Timestamp::from_micros(4_131_000_000_000_000);

/// Any history ends as it does in memory. `fresh` gives handles of an empty store, and what is to live as
/// long.
pub(crate) fn end_as_in_memory<S: Store, G>(runtime: &Runtime, fresh: impl AsyncFn() -> ([S; 3], G)) {
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() });
    let history = proptest::collection::vec(step(START), 0..30);
    let outcome = runner.run(&history, |steps| {
        let (in_store, in_memory) = runtime.block_on(async {
            let (in_store, _alive) = fresh().await;
            let memory = MemoryStore::new();
            let in_memory = [memory.another(), memory.another(), memory.another()];
            (run(&in_store, START, &steps).await, run(&in_memory, START, &steps).await)
        });
        prop_assert_eq!(format!("{in_store:#?}"), format!("{in_memory:#?}"));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
