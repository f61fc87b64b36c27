//! A store that a `lastseen` server keeps for others, over HTTP.

mod builder;
mod client;
mod error;
mod shared;
mod target;
mod wire;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Change, Changes, Cursor, KeptSince, Page, Store};
use crate::{Day, MostOnline, OnlineSpan, Profile, Record, Resolution, Timestamp, UserId};

pub use builder::HttpStoreBuilder;
use client::Client;
pub use error::HttpStoreError;
use error::Kind;
pub use shared::SharedStore;
use wire::Written;

/// The most records, or users, of one call: a longer batch is sent in parts.
const MOST: usize = 10_000;

/// Keeps records in the store of a `lastseen` server, for any number of processes and machines: they agree, with each other
/// and with the server's own list, by nothing but its address.
///
/// What is written is in the server's store when the server says so, and as safe as that is. A server that is gone is tried
/// again, at most one connection a second; when it is back, what was written lately is written once more, since its store may
/// be its memory. A clone is the same handle.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use lastseen::{HttpStore, Tracker};
///
/// let store = HttpStore::connect("http://127.0.0.1:7700").await?;
/// let tracker = Tracker::builder(store).start().await?;
/// # Ok(())
/// # }
/// ```
///
/// # The URL
///
/// `http://HOST:PORT`, or with TLS `https://HOST`, and what is before the server's `/v1/` where a proxy puts something there.
///
/// | parameter | |
/// |---|---|
/// | `token_file` | a file with a token of the scope `admin`, where the server has tokens: it may read and erase all that is stored |
/// | `cacert` | a PEM file of the certificates that are trusted; this machine's without it |
///
/// As in `https://presence.example.com?token_file=/etc/site/lastseen.token`. Special characters are `%` sequences. A server
/// answers to `localhost`, to addresses, and to the names that it is given by `--allow-host`.
#[derive(Clone)]
pub struct HttpStore(Arc<Handle>);

struct Handle {
    client: Client,
    /// Who has acknowledged anything. Whoever comes new to this may lack what those before have.
    lineages: Mutex<BTreeSet<String>>,
}

impl HttpStore {
    /// Connects to the server at the URL, and makes sure that its store can be used.
    ///
    /// A server that can't be reached, or whose store doesn't answer, is no error here: the store is there, and each call fails
    /// until it can be done. [`ready`](Self::ready) is for who would rather not go on without.
    ///
    /// # Errors
    ///
    /// Where trying again can't help: the URL or the token is wrong, what answers is no `lastseen` server or an older one.
    pub async fn connect(url: &str) -> Result<Self, HttpStoreError> {
        Self::builder(url).connect().await
    }

    /// Begins the settings of a store, for a token that is in no file, or other limits.
    pub fn builder(url: &str) -> HttpStoreBuilder {
        HttpStoreBuilder::new(url)
    }

    /// Makes sure that the server can be reached, and its store be used.
    ///
    /// # Errors
    ///
    /// Where it can't be reached, or its store doesn't answer; or as [`connect`](Self::connect).
    pub async fn ready(&self) -> Result<(), HttpStoreError> {
        self.follow(None).await.map(drop)
    }
}

impl Handle {
    fn new(client: Client) -> Self {
        Self { client, lineages: Mutex::default() }
    }

    /// Notes whose acknowledgement this is, and what was left out.
    fn acknowledged(&self, written: Written) {
        for refused in &written.refused {
            let (server, detail) = (&self.client.target, &refused.detail);
            tracing::warn!(%server, detail, "a record was refused, and is let go of");
        }
        self.lineages.lock().insert(written.lineage);
    }

    fn unreadable(&self, error: crate::Error) -> HttpStoreError {
        let message = format!("{} answers what this version can't read", self.client.target);
        HttpStoreError::new(Kind::Mismatch, message).because(error)
    }
}

fn place(cursor: Option<&Cursor>) -> Option<Arc<str>> {
    cursor.map(|cursor| cursor.as_str().into())
}

impl Store for HttpStore {
    type Error = HttpStoreError;

    async fn write(&self, batch: &[Record], now: Timestamp) -> Result<(), HttpStoreError> {
        for part in batch.chunks(MOST) {
            let records = part.iter().map(Into::into).collect();
            let written = self.0.client.call(&wire::Write::<wire::Activity> { now: now.as_micros(), records }).await?;
            self.0.acknowledged(written);
        }
        Ok(())
    }

    async fn read(&self, user: &UserId) -> Result<Option<Record>, HttpStoreError> {
        let found = self.0.client.call(&wire::Read { user: user.clone() }).await?;
        Ok(found.record.map(Into::into))
    }

    async fn recent(&self, since: Timestamp, page: Option<&Cursor>) -> Result<Page, HttpStoreError> {
        let page = self.0.client.call(&wire::Recent { since: since.as_micros(), page: place(page) }).await?;
        Ok(Page {
            records: page.records.into_iter().map(Into::into).collect(),
            forgotten: page.forgotten.into_iter().map(Into::into).collect(),
            next: page.next.map(Cursor::new),
        })
    }

    /// What this handle has written is among it.
    async fn follow(&self, cursor: Option<&Cursor>) -> Result<Changes, HttpStoreError> {
        let followed = self.0.client.call(&wire::Follow { cursor: place(cursor) }).await?;
        let records = followed.records.into_iter().map(|record| Change::Record(record.into()));
        let forgotten = followed.forgotten.into_iter().map(Into::into);
        let profiles = followed.profiles.into_iter().map(Into::into);
        let changes = records
            .chain(forgotten.map(|(user, at)| Change::Forgotten(user, at)))
            .chain(profiles.map(|(user, profile)| Change::Profile(user, profile)))
            .collect();
        Ok(Changes { changes, cursor: Cursor::new(followed.cursor), missed: followed.missed })
    }

    async fn forget(&self, user: &UserId, at: Timestamp, now: Timestamp) -> Result<(), HttpStoreError> {
        let forget = wire::Forget { user: user.clone(), at: at.as_micros(), now: now.as_micros() };
        self.0.client.call(&forget).await.map(|written| self.0.acknowledged(written))
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), HttpStoreError> {
        let set = wire::SetProfile { user: user.clone(), profile: profile.clone() };
        self.0.client.call(&set).await.map(|written| self.0.acknowledged(written))
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, HttpStoreError> {
        let mut profiles = Vec::new();
        for part in users.chunks(MOST) {
            let named = self.0.client.call(&wire::Profiles { users: part.to_vec() }).await?;
            profiles.extend(named.profiles.into_iter().map(<(UserId, Profile)>::from));
        }
        Ok(profiles)
    }

    async fn expire(
        &self,
        since: KeptSince,
        now: Timestamp,
        page: Option<&Cursor>,
    ) -> Result<Option<Cursor>, HttpStoreError> {
        let expire = wire::Expire {
            addresses: since.addresses.map(Timestamp::as_micros),
            records: since.records.map(Timestamp::as_micros),
            now: now.as_micros(),
            page: place(page),
        };
        Ok(self.0.client.call(&expire).await?.next.map(Cursor::new))
    }

    fn failovers(&self) -> u64 {
        (self.0.lineages.lock().len() as u64).saturating_sub(1)
    }

    fn keeps_history(&self) -> bool {
        true
    }

    async fn write_history(
        &self,
        spans: &[OnlineSpan],
        most: Option<MostOnline>,
        now: Timestamp,
    ) -> Result<(), HttpStoreError> {
        let spans = spans.iter().map(Into::into).collect();
        let history = wire::WriteHistory { spans, most: most.map(Into::into), now: now.as_micros() };
        self.0.client.call(&history).await.map(|written| self.0.acknowledged(written))
    }

    async fn history(
        &self,
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OnlineSpan>, HttpStoreError> {
        let (resolution, from, to) = (resolution.to_string(), from.as_micros(), to.as_micros());
        let spans = self.0.client.call(&wire::History { resolution, from, to }).await?.spans;
        spans.into_iter().map(|span| span.try_into().map_err(|error| self.0.unreadable(error))).collect()
    }

    async fn most_online(&self) -> Result<Option<MostOnline>, HttpStoreError> {
        Ok(self.0.client.call(&wire::MostOnlineEver {}).await?.most.map(Into::into))
    }

    async fn active_users(&self, from: Day, to: Day) -> Result<u64, HttpStoreError> {
        let days = wire::ActiveUsers { from: from.as_days(), to: to.as_days() };
        Ok(self.0.client.call(&days).await?.count)
    }

    async fn active_days(&self, user: &UserId, now: Timestamp) -> Result<Vec<Day>, HttpStoreError> {
        let days = self.0.client.call(&wire::ActiveDays { user: user.clone(), now: now.as_micros() }).await?.days;
        Ok(days.into_iter().map(Day::from_days).collect())
    }
}

impl fmt::Debug for HttpStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpStore").field("server", &self.0.client.target.to_string()).finish_non_exhaustive()
    }
}
