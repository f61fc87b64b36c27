//! The public suite, on each type of key: for those that can't hold the suite's ids, each id stands for a key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use lastseen::store::{Change, Changes, Cursor, KeptSince, Page, PostgresError, PostgresKey, PostgresStore};
use lastseen::{Day, MostOnline, OnlineSpan, Profile, Record, Resolution, Store, Timestamp, UserId};

use crate::site::Site;

mod text {
    use crate::site::Site;

    lastseen::conformance_tests!({
        let site = Site::new().await;
        async move || site.open().await
    });

    #[tokio::test]
    async fn rule_17_late() {
        let site = Site::new().await;
        lastseen::conformance::rule_17_late(async || site.open().await).await;
    }
}

mod bigint {
    use super::Keyed;
    use lastseen::UserId;
    use lastseen::store::PostgresKey;

    lastseen::conformance_tests!({
        let keyed = Keyed::new(PostgresKey::Bigint, |number| UserId::from(number * 7_919_000 - 5)).await;
        async move || keyed.open().await
    });
}

mod uuid {
    use super::Keyed;
    use lastseen::UserId;
    use lastseen::store::PostgresKey;

    lastseen::conformance_tests!({
        let uuid = |number: i64| {
            let hash = number.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
            UserId::new(&format!("{:08x}-0000-4000-8000-{number:012x}", hash >> 32)).unwrap()
        };
        let keyed = Keyed::new(PostgresKey::Uuid, uuid).await;
        async move || keyed.open().await
    });
}

/// A place where users have keys.
struct Keyed {
    site: Site,
    key: PostgresKey,
    ids: Arc<Ids>,
}

impl Keyed {
    async fn new(key: PostgresKey, key_of: fn(i64) -> UserId) -> Self {
        Self { site: Site::new().await, key, ids: Arc::new(Ids { key_of, known: Mutex::default() }) }
    }

    async fn open(&self) -> Translated {
        let store = self.site.builder().key(self.key).connect().await.unwrap();
        Translated { store, ids: self.ids.clone() }
    }
}

/// Which key stands for which id.
struct Ids {
    key_of: fn(i64) -> UserId,
    known: Mutex<(HashMap<UserId, UserId>, HashMap<UserId, UserId>)>,
}

impl Ids {
    fn key(&self, id: &UserId) -> UserId {
        let (keys, ids) = &mut *self.known.lock().unwrap();
        let key = keys.entry(id.clone()).or_insert_with(|| (self.key_of)(i64::try_from(ids.len()).unwrap()));
        ids.insert(key.clone(), id.clone());
        key.clone()
    }

    fn id(&self, key: &UserId) -> UserId {
        self.known.lock().unwrap().1[key].clone()
    }

    fn record(&self, record: &Record) -> Record {
        Record { user: self.id(&record.user), ..record.clone() }
    }
}

/// The store as one whose users are called by the suite's ids.
struct Translated {
    store: PostgresStore,
    ids: Arc<Ids>,
}

impl Store for Translated {
    type Error = PostgresError;

    async fn write(&self, batch: &[Record], now: Timestamp) -> Result<(), PostgresError> {
        let keyed = |record: &Record| Record { user: self.ids.key(&record.user), ..record.clone() };
        let mut batch: Vec<_> = batch.iter().map(keyed).collect();
        batch.sort_by(|a, b| a.user.cmp(&b.user));
        self.store.write(&batch, now).await
    }

    async fn read(&self, user: &UserId) -> Result<Option<Record>, PostgresError> {
        Ok(self.store.read(&self.ids.key(user)).await?.map(|record| self.ids.record(&record)))
    }

    async fn recent(&self, since: Timestamp, page: Option<&Cursor>) -> Result<Page, PostgresError> {
        let mut page = self.store.recent(since, page).await?;
        page.records = page.records.into_iter().map(|record| self.ids.record(&record)).collect();
        page.forgotten.iter_mut().for_each(|(user, _)| *user = self.ids.id(user));
        Ok(page)
    }

    async fn follow(&self, cursor: Option<&Cursor>) -> Result<Changes, PostgresError> {
        let mut told = self.store.follow(cursor).await?;
        for change in &mut told.changes {
            match change {
                Change::Record(record) => *record = self.ids.record(record),
                Change::Forgotten(user, _) | Change::Profile(user, _) => *user = self.ids.id(user),
            }
        }
        Ok(told)
    }

    async fn forget(&self, user: &UserId, at: Timestamp, now: Timestamp) -> Result<(), PostgresError> {
        self.store.forget(&self.ids.key(user), at, now).await
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), PostgresError> {
        self.store.set_profile(&self.ids.key(user), profile).await
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, PostgresError> {
        let keys: Vec<_> = users.iter().map(|user| self.ids.key(user)).collect();
        let profiles = self.store.profiles(&keys).await?;
        Ok(profiles.into_iter().map(|(user, profile)| (self.ids.id(&user), profile)).collect())
    }

    async fn expire(
        &self,
        since: KeptSince,
        now: Timestamp,
        page: Option<&Cursor>,
    ) -> Result<Option<Cursor>, PostgresError> {
        self.store.expire(since, now, page).await
    }

    fn keeps_history(&self) -> bool {
        self.store.keeps_history()
    }

    async fn write_history(
        &self,
        spans: &[OnlineSpan],
        most: Option<MostOnline>,
        now: Timestamp,
    ) -> Result<(), PostgresError> {
        self.store.write_history(spans, most, now).await
    }

    async fn history(
        &self,
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OnlineSpan>, PostgresError> {
        self.store.history(resolution, from, to).await
    }

    async fn most_online(&self) -> Result<Option<MostOnline>, PostgresError> {
        self.store.most_online().await
    }

    async fn active_users(&self, from: Day, to: Day) -> Result<u64, PostgresError> {
        self.store.active_users(from, to).await
    }

    async fn active_days(&self, user: &UserId, now: Timestamp) -> Result<Vec<Day>, PostgresError> {
        self.store.active_days(&self.ids.key(user), now).await
    }
}
