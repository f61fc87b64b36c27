//! The failing store fails the calls that it is told to, and no other.

use std::error::Error;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use lastseen::conformance::{Fault, Faulty, FaultyError, Operation};
use lastseen::store::{KeptSince, MemoryStore};
use lastseen::{Day, Profile, Record, Resolution, Store, Timestamp, UserId};

const NOW: Timestamp = Timestamp::from_micros(1_000_000);

fn ada() -> Record {
    Record { left_at: Some(NOW), ..Record::empty(UserId::new("ada").unwrap()) }
}

fn store() -> Faulty<MemoryStore> {
    Faulty::new(MemoryStore::new())
}

async fn fails(store: &Faulty<MemoryStore>) -> bool {
    store.read(&ada().user).await.is_err()
}

async fn failing(store: &Faulty<MemoryStore>, calls: usize) -> Vec<bool> {
    let mut failing = Vec::new();
    for _ in 0..calls {
        failing.push(fails(store).await);
    }
    failing
}

#[tokio::test]
async fn the_next_the_nth_and_every_call() {
    let store = store();
    let faults = store.faults();
    assert_eq!(failing(&store, 2).await, [false, false]);
    faults.inject(Fault::next(2));
    assert_eq!(failing(&store, 3).await, [true, true, false]);
    faults.inject(Fault::nth(3));
    assert_eq!(failing(&store, 4).await, [false, false, true, false]);
    faults.inject(Fault::every());
    assert_eq!(failing(&store, 2).await, [true, true]);
    faults.heal();
    assert_eq!(failing(&store.clone(), 1).await, [false]);
    assert_eq!((faults.calls(Operation::Read), faults.calls(Operation::Write), faults.all_calls()), (12, 0, 12));
}

#[tokio::test]
async fn every_operation_fails_by_its_own_name_and_alone() {
    let user = ada().user;
    for operation in [
        Operation::Write,
        Operation::Read,
        Operation::Recent,
        Operation::Follow,
        Operation::Forget,
        Operation::SetProfile,
        Operation::Profiles,
        Operation::WriteHistory,
        Operation::History,
        Operation::MostOnline,
        Operation::ActiveUsers,
        Operation::ActiveDays,
        Operation::Expire,
    ] {
        let store = store();
        store.faults().inject(Fault::every().on(operation));
        let errors = [
            store.write(&[ada()], NOW).await.err(),
            store.read(&user).await.err(),
            store.recent(NOW, None).await.err(),
            store.follow(None).await.err(),
            store.forget(&user, NOW, NOW).await.err(),
            store.set_profile(&user, &Profile::new()).await.err(),
            store.profiles(&[]).await.err(),
            store.write_history(&[], None, NOW).await.err(),
            store.history(Resolution::Minute, NOW, NOW).await.err(),
            store.most_online().await.err(),
            store.active_users(Day::of(NOW), Day::of(NOW)).await.err(),
            store.active_days(&user, NOW).await.err(),
            store.expire(KeptSince::default(), NOW, None).await.err(),
        ];
        let failed: Vec<_> = errors.into_iter().flatten().collect();
        assert_eq!(failed, [FaultyError::Injected(operation)]);
    }
}

#[tokio::test]
async fn a_refused_call_does_nothing_and_one_whose_answer_is_lost_does_all() {
    let store = store();
    store.faults().inject(Fault::next(1));
    store.write(&[ada()], NOW).await.unwrap_err();
    assert_eq!(store.inner().read(&ada().user).await, Ok(None));

    store.faults().inject(Fault::next(1).answer_lost());
    let error = store.write(&[ada()], NOW).await.unwrap_err();
    assert_eq!(store.inner().read(&ada().user).await, Ok(Some(ada())));
    assert_eq!(error.to_string(), "Write was made to fail");
    assert!(error.source().is_none());
}

#[test]
fn a_call_that_hangs_goes_on_when_healed() {
    let store = store();
    store.faults().inject(Fault::every().hanging());
    let mut call = pin!(fails(&store));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..3 {
        assert_eq!(call.as_mut().poll(&mut context), Poll::Pending);
    }
    store.faults().heal();
    assert_eq!(call.as_mut().poll(&mut context), Poll::Ready(false));
}
