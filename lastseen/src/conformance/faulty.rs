//! A store that fails when told to.

use std::error::Error as StdError;
use std::fmt;

use super::faults::{Effect, Faults, Operation};
use crate::store::{Changes, Cursor, KeptSince, Page};
use crate::{Day, MostOnline, OnlineSpan, Profile, Record, Resolution, Store, Timestamp, UserId};

/// Wraps a store and makes chosen calls fail, lose their answer, or hang. Until told otherwise it fails nothing.
///
/// A clone of the wrapper shares its faults; [`faults`](Self::faults) is the handle by which a test controls them
/// after the store has been given away.
///
/// ```
/// use lastseen::conformance::{Fault, Faulty, Operation};
/// use lastseen::{Store, UserId, store::MemoryStore};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = Faulty::new(MemoryStore::new());
/// let faults = store.faults();
/// let ada = UserId::new("ada").unwrap();
///
/// faults.inject(Fault::nth(2).on(Operation::Read));
/// assert!(store.read(&ada).await.is_ok());
/// assert!(store.read(&ada).await.is_err());
/// assert!(store.read(&ada).await.is_ok());
/// assert_eq!(faults.calls(Operation::Read), 3);
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Faulty<S> {
    store: S,
    faults: Faults,
}

impl<S: Store> Faulty<S> {
    /// A wrapper that fails nothing yet.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self { store, faults: Faults::default() }
    }

    /// The handle by which to make calls fail.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// The store inside, which doesn't fail.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.store
    }

    async fn call<T>(
        &self,
        operation: Operation,
        answer: impl Future<Output = Result<T, S::Error>> + Send,
    ) -> Result<T, FaultyError<S::Error>> {
        match self.faults.next(operation) {
            None => answer.await.map_err(FaultyError::Store),
            Some((Effect::Refuse, _)) => Err(FaultyError::Injected(operation)),
            Some((Effect::LoseAnswer, _)) => {
                answer.await.map_err(FaultyError::Store)?;
                Err(FaultyError::Injected(operation))
            }
            Some((Effect::Hang, heals)) => {
                self.faults.healed_since(heals).await;
                answer.await.map_err(FaultyError::Store)
            }
        }
    }
}

/// Why a [`Faulty`] store failed: told to, or by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultyError<E> {
    /// A [`Fault`](super::Fault) was in force.
    Injected(Operation),
    /// The store inside failed.
    Store(E),
}

impl<E> fmt::Display for FaultyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Injected(operation) => write!(f, "{operation:?} was made to fail"),
            Self::Store(_) => f.write_str("the store inside failed"),
        }
    }
}

impl<E: StdError + 'static> StdError for FaultyError<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Injected(_) => None,
            Self::Store(error) => Some(error),
        }
    }
}

impl<S: Store> Store for Faulty<S> {
    type Error = FaultyError<S::Error>;

    async fn write(&self, batch: &[Record], now: Timestamp) -> Result<(), Self::Error> {
        self.call(Operation::Write, self.store.write(batch, now)).await
    }

    async fn read(&self, user: &UserId) -> Result<Option<Record>, Self::Error> {
        self.call(Operation::Read, self.store.read(user)).await
    }

    async fn recent(&self, since: Timestamp, page: Option<&Cursor>) -> Result<Page, Self::Error> {
        self.call(Operation::Recent, self.store.recent(since, page)).await
    }

    async fn follow(&self, cursor: Option<&Cursor>) -> Result<Changes, Self::Error> {
        self.call(Operation::Follow, self.store.follow(cursor)).await
    }

    async fn forget(&self, user: &UserId, at: Timestamp, now: Timestamp) -> Result<(), Self::Error> {
        self.call(Operation::Forget, self.store.forget(user, at, now)).await
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), Self::Error> {
        self.call(Operation::SetProfile, self.store.set_profile(user, profile)).await
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, Self::Error> {
        self.call(Operation::Profiles, self.store.profiles(users)).await
    }

    async fn expire(
        &self,
        since: KeptSince,
        now: Timestamp,
        page: Option<&Cursor>,
    ) -> Result<Option<Cursor>, Self::Error> {
        self.call(Operation::Expire, self.store.expire(since, now, page)).await
    }

    async fn changed(&self) {
        self.store.changed().await;
    }

    fn failovers(&self) -> u64 {
        self.store.failovers()
    }

    fn keeps_history(&self) -> bool {
        self.store.keeps_history()
    }

    async fn write_history(
        &self,
        spans: &[OnlineSpan],
        most: Option<MostOnline>,
        now: Timestamp,
    ) -> Result<(), Self::Error> {
        self.call(Operation::WriteHistory, self.store.write_history(spans, most, now)).await
    }

    async fn history(
        &self,
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OnlineSpan>, Self::Error> {
        self.call(Operation::History, self.store.history(resolution, from, to)).await
    }

    async fn most_online(&self) -> Result<Option<MostOnline>, Self::Error> {
        self.call(Operation::MostOnline, self.store.most_online()).await
    }

    async fn active_users(&self, from: Day, to: Day) -> Result<u64, Self::Error> {
        self.call(Operation::ActiveUsers, self.store.active_users(from, to)).await
    }

    async fn active_days(&self, user: &UserId, now: Timestamp) -> Result<Vec<Day>, Self::Error> {
        self.call(Operation::ActiveDays, self.store.active_days(user, now)).await
    }
}
