//! Stores and directories behind a pointer, so that a tracker is one plain type whatever it stands on.

use std::future::Future;
use std::pin::Pin;

use crate::store::{Changes, Cursor, KeptSince, Page};
use crate::{Day, Directory, Error, MostOnline, OnlineSpan, Profile, Record, Resolution, Store, Timestamp, UserId};

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// [`Store`], with its futures boxed and its errors named after what was being done.
pub(crate) trait AnyStore: Send + Sync {
    fn write<'a>(&'a self, batch: &'a [Record], now: Timestamp) -> Answer<'a, ()>;
    fn read<'a>(&'a self, user: &'a UserId) -> Answer<'a, Option<Record>>;
    fn recent<'a>(&'a self, since: Timestamp, page: Option<&'a Cursor>) -> Answer<'a, Page>;
    fn follow<'a>(&'a self, cursor: Option<&'a Cursor>) -> Answer<'a, Changes>;
    fn forget<'a>(&'a self, user: &'a UserId, at: Timestamp, now: Timestamp) -> Answer<'a, ()>;
    fn set_profile<'a>(&'a self, user: &'a UserId, profile: &'a Profile) -> Answer<'a, ()>;
    fn profiles<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, Vec<(UserId, Profile)>>;
    fn expire<'a>(&'a self, since: KeptSince, now: Timestamp, page: Option<&'a Cursor>) -> Answer<'a, Option<Cursor>>;
    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
    fn failovers(&self) -> u64;
    fn keeps_history(&self) -> bool;
    fn write_history<'a>(&'a self, spans: &'a [OnlineSpan], most: Option<MostOnline>, now: Timestamp)
    -> Answer<'a, ()>;
    fn history(&self, resolution: Resolution, from: Timestamp, to: Timestamp) -> Answer<'_, Vec<OnlineSpan>>;
    fn most_online(&self) -> Answer<'_, Option<MostOnline>>;
    fn active_users(&self, from: Day, to: Day) -> Answer<'_, u64>;
    fn active_days<'a>(&'a self, user: &'a UserId, now: Timestamp) -> Answer<'a, Vec<Day>>;
}

impl<S: Store> AnyStore for S {
    fn write<'a>(&'a self, batch: &'a [Record], now: Timestamp) -> Answer<'a, ()> {
        Box::pin(async move {
            Store::write(self, batch, now).await.map_err(|error| Error::store("writing activities", error))
        })
    }

    fn read<'a>(&'a self, user: &'a UserId) -> Answer<'a, Option<Record>> {
        Box::pin(async move { Store::read(self, user).await.map_err(|error| Error::store("reading a user", error)) })
    }

    fn recent<'a>(&'a self, since: Timestamp, page: Option<&'a Cursor>) -> Answer<'a, Page> {
        Box::pin(async move {
            Store::recent(self, since, page).await.map_err(|error| Error::store("reading recent activities", error))
        })
    }

    fn follow<'a>(&'a self, cursor: Option<&'a Cursor>) -> Answer<'a, Changes> {
        Box::pin(async move {
            Store::follow(self, cursor).await.map_err(|error| Error::store("following other processes", error))
        })
    }

    fn forget<'a>(&'a self, user: &'a UserId, at: Timestamp, now: Timestamp) -> Answer<'a, ()> {
        Box::pin(async move {
            Store::forget(self, user, at, now).await.map_err(|error| Error::store("erasing a user", error))
        })
    }

    fn set_profile<'a>(&'a self, user: &'a UserId, profile: &'a Profile) -> Answer<'a, ()> {
        Box::pin(async move {
            Store::set_profile(self, user, profile).await.map_err(|error| Error::store("writing a profile", error))
        })
    }

    fn profiles<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, Vec<(UserId, Profile)>> {
        Box::pin(
            async move { Store::profiles(self, users).await.map_err(|error| Error::store("reading profiles", error)) },
        )
    }

    fn expire<'a>(&'a self, since: KeptSince, now: Timestamp, page: Option<&'a Cursor>) -> Answer<'a, Option<Cursor>> {
        Box::pin(async move {
            let outcome = Store::expire(self, since, now, page).await;
            outcome.map_err(|error| Error::store("taking away what is kept no longer", error))
        })
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(Store::changed(self))
    }

    fn failovers(&self) -> u64 {
        Store::failovers(self)
    }

    fn keeps_history(&self) -> bool {
        Store::keeps_history(self)
    }

    fn write_history<'a>(
        &'a self,
        spans: &'a [OnlineSpan],
        most: Option<MostOnline>,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let outcome = Store::write_history(self, spans, most, now).await;
            outcome.map_err(|error| Error::store("writing the history", error))
        })
    }

    fn history(&self, resolution: Resolution, from: Timestamp, to: Timestamp) -> Answer<'_, Vec<OnlineSpan>> {
        Box::pin(async move {
            let outcome = Store::history(self, resolution, from, to).await;
            outcome.map_err(|error| Error::store("reading the history", error))
        })
    }

    fn most_online(&self) -> Answer<'_, Option<MostOnline>> {
        Box::pin(async move {
            Store::most_online(self).await.map_err(|error| Error::store("reading the most ever online", error))
        })
    }

    fn active_users(&self, from: Day, to: Day) -> Answer<'_, u64> {
        Box::pin(async move {
            Store::active_users(self, from, to).await.map_err(|error| Error::store("counting active users", error))
        })
    }

    fn active_days<'a>(&'a self, user: &'a UserId, now: Timestamp) -> Answer<'a, Vec<Day>> {
        Box::pin(async move {
            let outcome = Store::active_days(self, user, now).await;
            outcome.map_err(|error| Error::store("reading when a user was active", error))
        })
    }
}

/// [`Directory`], with its future boxed.
pub(super) trait AnyDirectory: Send + Sync {
    fn profiles<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, Vec<(UserId, Profile)>>;
}

impl<D: Directory> AnyDirectory for D {
    fn profiles<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, Vec<(UserId, Profile)>> {
        Box::pin(async move { Directory::profiles(self, users).await.map_err(Error::directory) })
    }
}
