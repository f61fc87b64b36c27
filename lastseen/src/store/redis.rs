//! A store in Redis or Valkey, one server or a Cluster, for any number of processes and machines.

mod active;
mod answer;
mod builder;
mod error;
mod expire;
mod feed;
mod groups;
mod history;
mod map;
mod node;
mod read;
mod router;
mod script;
mod target;
mod write;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::redis::Cmd;
use parking_lot::Mutex;

use super::random::random;
use super::{Changes, Cursor, KeptSince, Page, Store};
use crate::{Day, MostOnline, OnlineSpan, Profile, Record, Resolution, Timestamp, UserId};

pub use builder::RedisBuilder;
use error::Kind;
pub use error::RedisError;
use groups::{Groups, Keys, slot};
use node::Limits;
use router::{Request, Router};
use script::Lua;
use target::Target;

/// How many groups a new store has unless told otherwise.
const GROUPS: u16 = 64;

/// The version of what is where.
const LAYOUT: u32 = 1;

/// The tag of what belongs to no group.
const META: &str = "meta";

/// Keeps records in Redis 7 or newer, or in any Valkey: on one server, on a primary that Sentinels watch, or in a Cluster.
///
/// Any number of processes may share it, and follow each other. The users are divided into
/// [groups](RedisBuilder::groups); a batch is one call a group, all sent together. Keys begin with `lastseen:`, and no part of
/// them comes from a user. Records [go by themselves](RedisBuilder::keep) when they are old.
///
/// A connection that is lost is made again, to each server at most one attempt a second. When another server has taken over,
/// the tracker writes once more what it has written lately, since replicas may lag behind. How much a crash may take is the
/// server's own setting: with `appendonly yes` a second's writes at most, and without any persistence all. A clone is the same
/// handle.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use lastseen::{RedisStore, Tracker};
///
/// let store = RedisStore::connect("redis+cluster://site:secret@redis-1.example,redis-2.example").await?;
/// let tracker = Tracker::builder(store).start().await?;
/// # Ok(())
/// # }
/// ```
///
/// # The URL
///
/// | | |
/// |---|---|
/// | `redis://USER:PASSWORD@HOST:PORT/DATABASE` | one server; all but the host may be left out |
/// | `redis+sentinel://USER:PASSWORD@HOST,HOST/SERVICE` | the primary that these Sentinels call so; `sentinel_user` and `sentinel_password` for those who ask for one |
/// | `redis+cluster://USER:PASSWORD@HOST,HOST` | a Cluster, of which some servers are named |
///
/// What an operator may want to set is set by parameters, which go over the builder's settings: `prefix`, `groups` and
/// `keep_days`, as in `redis://redis.example?keep_days=90`.
///
/// `rediss` for `redis` means TLS, by a server whose certificate is trusted for its host: by the PEM file `?cacert=FILE`, or
/// else by this machine. Special characters are `%` sequences.
///
/// Who isn't the server's `default` user needs `~lastseen:* +@read +@write +@scripting +@connection +info +time +cluster|slots`.
#[derive(Clone)]
pub struct RedisStore(Arc<Handle>);

#[derive(Clone, Debug)]
struct Settings {
    prefix: String,
    groups: Option<u16>,
    keep: Duration,
    feed: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { prefix: "lastseen".into(), groups: None, keep: Duration::from_hours(24 * 400), feed: 250_000 }
    }
}

struct Handle {
    router: Arc<Router>,
    settings: Settings,
    /// Tells this handle's changes from others' in the feed.
    origin: u64,
    prepared: Mutex<Option<Prepared>>,
    /// Why the last look at the feeds told of some alone.
    lagging: Mutex<Option<RedisError>>,
}

/// That the store was found to be as it must be.
#[derive(Clone)]
struct Prepared {
    groups: Arc<Groups>,
    /// How often another server had taken over by then: it may know nothing of the store.
    failovers: u64,
}

impl RedisStore {
    /// Connects to what the URL names, and makes sure that it can be used.
    ///
    /// A server that can't be reached, or takes no writes now, is no error here: the store is there, and each call fails
    /// until it can be done. [`ready`](Self::ready) is for who would rather not go on without.
    ///
    /// # Errors
    ///
    /// Where trying again can't help: the URL or the password is wrong, the user lacks a permission, the server is too old or
    /// no Cluster where the URL says so.
    pub async fn connect(url: &str) -> Result<Self, RedisError> {
        Self::builder(url).connect().await
    }

    /// Begins the settings of a store, for another prefix, number of groups or retention, or other limits.
    pub fn builder(url: &str) -> RedisBuilder {
        RedisBuilder::new(url)
    }

    /// Makes sure that the server, or the one of a Cluster's that says so, can be reached and used.
    ///
    /// # Errors
    ///
    /// Where it can't be reached, or as [`connect`](Self::connect).
    pub async fn ready(&self) -> Result<(), RedisError> {
        self.0.groups().await.map(drop)
    }
}

impl Handle {
    fn new(target: Target, settings: Settings, limits: Limits) -> Self {
        let router = Arc::new(Router::new(Arc::new(target), limits));
        Self { router, settings, origin: random(), prepared: Mutex::new(None), lagging: Mutex::new(None) }
    }

    /// The groups, which are found, or fixed, at the first call that reaches a server, and at the first after a failover.
    async fn groups(&self) -> Result<Arc<Groups>, RedisError> {
        let prepared = self.prepared.lock().clone();
        if let Some(Prepared { groups, failovers }) = &prepared
            && *failovers == self.router.failovers()
        {
            return Ok(groups.clone());
        }
        let wanted = prepared.as_ref().map(|prepared| &prepared.groups);
        let groups = Box::pin(self.prepare(wanted)).await?;
        // What this very look has found out is what it is of.
        let failovers = self.router.failovers();
        *self.prepared.lock() = Some(Prepared { groups: groups.clone(), failovers });
        Ok(groups)
    }

    /// Looks how the store was made, and makes it where it wasn't: with as many groups as are known, wanted, or usual.
    async fn prepare(&self, before: Option<&Arc<Groups>>) -> Result<Arc<Groups>, RedisError> {
        let prefix = &self.settings.prefix;
        let wanted = before.and_then(|groups| u16::try_from(groups.len()).ok()).or(self.settings.groups);
        let meta = self.meta_key("meta");
        let mut found = self.look(&meta).await?;
        if found.is_none() {
            let mut command = script::CREATE.call(&[&meta]);
            command.arg(LAYOUT).arg(wanted.unwrap_or(GROUPS));
            self.send("making the store", vec![of_meta(command, &script::CREATE)]).await?;
            // Another may have been quicker.
            found = self.look(&meta).await?;
        }
        let found = found.ok_or_else(|| self.unreadable("making the store"))?;
        if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
            let message = format!(
                "{} was made with {found} groups and not with {wanted}: say {found}, or take another prefix than {prefix:?}",
                self.router.target
            );
            return Err(RedisError::new(Kind::Mismatch, message));
        }
        Ok(match before {
            Some(groups) => groups.clone(),
            None => Arc::new(Groups::new(prefix, found)),
        })
    }

    /// With how many groups the store was made; `None` where it wasn't.
    async fn look(&self, meta: &str) -> Result<Option<u16>, RedisError> {
        const DOING: &str = "looking how the store was made";
        let keys = Keys::new(&self.settings.prefix, META);
        let command = script::LOOK.call(&[&[meta], &keys.all()[..]].concat());
        let answers = self.send(DOING, vec![of_meta(command, &script::LOOK)]).await?;
        let Some([layout, groups, denied]) = answers.first().and_then(answer::list) else {
            return Err(self.unreadable(DOING));
        };
        let target = &self.router.target;
        let denied: Vec<_> = answer::list(denied).unwrap_or_default().iter().filter_map(answer::text).collect();
        if !denied.is_empty() {
            let what = target.lacks(&format!("the commands {}", denied.join(", ")));
            return Err(RedisError::new(Kind::Denied, format!("{target} {what}")));
        }
        let (layout, groups) = (answer::text(layout).unwrap_or_default(), answer::text(groups).unwrap_or_default());
        if layout.is_empty() && groups.is_empty() {
            return Ok(None);
        }
        let groups = groups.parse().ok().filter(|groups| (1..=groups::MOST).contains(groups));
        match (layout.parse::<u32>(), groups) {
            (Ok(..=LAYOUT), Some(groups)) => Ok(Some(groups)),
            (Ok(layout), _) if layout > LAYOUT => {
                let message =
                    format!("{target} has the layout {layout} under {meta:?}: this version knows {LAYOUT} at most");
                Err(RedisError::new(Kind::Mismatch, message))
            }
            _ => Err(RedisError::new(Kind::Mismatch, format!("{target} has a key {meta:?} that isn't lastseen's"))),
        }
    }

    /// A key of what belongs to no group.
    fn meta_key(&self, name: &str) -> String {
        format!("{}:{{{META}}}:{name}", self.settings.prefix)
    }

    async fn send(&self, doing: &str, requests: Vec<Request>) -> Result<Vec<::redis::Value>, RedisError> {
        self.router.send(doing, requests).await
    }

    fn unreadable(&self, doing: &str) -> RedisError {
        let message = format!(
            "{} answered what can't be read while {doing}: nothing else may write lastseen's keys",
            self.router.target
        );
        RedisError::new(Kind::Other, message)
    }
}

/// A call on what belongs to no group.
fn of_meta(command: Cmd, script: &'static Lua) -> Request {
    Request { slot: slot(META.as_bytes()), command, script: Some(script) }
}

impl Store for RedisStore {
    type Error = RedisError;

    async fn write(&self, batch: &[Record], now: Timestamp) -> Result<(), RedisError> {
        self.0.write(batch, now).await
    }

    async fn read(&self, user: &UserId) -> Result<Option<Record>, RedisError> {
        self.0.read(user).await
    }

    async fn recent(&self, since: Timestamp, page: Option<&Cursor>) -> Result<Page, RedisError> {
        self.0.recent(since, page).await
    }

    async fn follow(&self, cursor: Option<&Cursor>) -> Result<Changes, RedisError> {
        self.0.follow(cursor).await
    }

    async fn forget(&self, user: &UserId, at: Timestamp, now: Timestamp) -> Result<(), RedisError> {
        self.0.forget(user, at, now).await
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), RedisError> {
        self.0.set_profile(user, profile).await
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, RedisError> {
        self.0.profiles(users).await
    }

    async fn expire(
        &self,
        since: KeptSince,
        now: Timestamp,
        page: Option<&Cursor>,
    ) -> Result<Option<Cursor>, RedisError> {
        self.0.expire(since, now, page).await
    }

    fn failovers(&self) -> u64 {
        self.0.router.failovers()
    }

    fn keeps_history(&self) -> bool {
        true
    }

    async fn write_history(
        &self,
        spans: &[OnlineSpan],
        most: Option<MostOnline>,
        now: Timestamp,
    ) -> Result<(), RedisError> {
        self.0.write_history(spans, most, now).await
    }

    async fn history(
        &self,
        resolution: Resolution,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<OnlineSpan>, RedisError> {
        self.0.spans(resolution, from, to).await
    }

    async fn most_online(&self) -> Result<Option<MostOnline>, RedisError> {
        self.0.most_online().await
    }

    async fn active_users(&self, from: Day, to: Day) -> Result<u64, RedisError> {
        self.0.active_users(from, to).await
    }

    async fn active_days(&self, user: &UserId, now: Timestamp) -> Result<Vec<Day>, RedisError> {
        self.0.active_days(user, now).await
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("target", &self.0.router.target.to_string())
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}
