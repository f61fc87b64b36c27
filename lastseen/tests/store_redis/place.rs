//! A place for a store on servers that tests share, or in a Cluster.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use lastseen::store::{RedisBuilder, RedisStore};
use lastseen::{Record, Seen, Timestamp, UserId};
use lastseen_harness::{Redis, RedisCluster};
use tokio::sync::Mutex;

/// The writers' wall time: a day in 2026.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_795_490_100_123_456);

/// Keys of its own on a server.
pub(crate) struct Place<Server> {
    pub server: Arc<Server>,
    url: String,
    prefix: String,
}

impl Place<Redis> {
    pub(crate) async fn new() -> Self {
        let server = Redis::shared().await;
        Self { url: server.url(), server, prefix: prefix() }
    }
}

impl Place<RedisCluster> {
    pub(crate) async fn clustered() -> Self {
        static SHARED: Mutex<Weak<RedisCluster>> = Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        let running = shared.upgrade();
        let server = match running {
            Some(server) => server,
            None => Arc::new(RedisCluster::start().await),
        };
        *shared = Arc::downgrade(&server);
        Self { url: server.url(), server, prefix: prefix() }
    }
}

impl<Server> Place<Server> {
    pub(crate) fn builder(&self) -> RedisBuilder {
        RedisStore::builder(&self.url).prefix(&self.prefix)
    }

    pub(crate) async fn open(&self) -> RedisStore {
        self.builder().connect().await.unwrap()
    }

    /// The keys of a kind, such as `seen`, of all groups: a pattern for `KEYS`.
    pub(crate) fn keys(&self, kind: &str) -> String {
        format!("{}:*:{kind}", self.prefix)
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }
}

fn prefix() -> String {
    static PLACES: AtomicU32 = AtomicU32::new(0);
    format!("place-{}", PLACES.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

/// A record dated `seconds` after [`NOW`].
pub(crate) fn seen(user: &UserId, seconds: i64) -> Record {
    let at = Timestamp::from_micros(NOW.as_micros() + seconds * 1_000_000);
    Record { user: user.clone(), seen: Some(Seen { at, ip: None }), left_at: None }
}
