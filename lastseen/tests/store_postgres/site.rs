//! A database of a test's own on a real server.

use std::sync::Arc;
use std::time::Duration;

use lastseen::store::{PostgresBuilder, PostgresStore};
use lastseen::{Record, Seen, Timestamp, UserId};
use lastseen_harness::{Postgres, eventually};
use tokio_postgres::{Client, NoTls};

/// A day in 2026.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_795_490_100_000_000);

/// A database on the server that the tests of this program share.
pub(crate) struct Site {
    pub(crate) server: Arc<Postgres>,
    pub(crate) database: String,
    pub(crate) url: String,
}

impl Site {
    /// An empty one, named after the test.
    pub(crate) async fn new() -> Self {
        let server = Postgres::shared().await;
        let database = std::thread::current().name().expect("a test has a name").replace("::", "_");
        let url = server.database(&database).await;
        Self { server, database, url }
    }

    /// One in which this SQL has been run.
    pub(crate) async fn with(sql: &str) -> Self {
        let site = Self::new().await;
        site.sql(sql).await;
        site
    }

    /// Another handle.
    pub(crate) async fn open(&self) -> PostgresStore {
        self.builder().connect().await.unwrap_or_else(|error| panic!("{error:?}"))
    }

    pub(crate) fn builder(&self) -> PostgresBuilder {
        PostgresStore::builder(&self.url)
    }

    /// What SQL prints, as the superuser.
    pub(crate) async fn sql(&self, sql: &str) -> String {
        self.server.sql(&self.database, sql).await
    }

    /// A connection for SQL in more than one step.
    pub(crate) async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Waits until so many statements wait for locks here.
    pub(crate) async fn blocked(&self, statements: u32) {
        let blocked = "SELECT count(*) FROM pg_stat_activity \
                       WHERE wait_event_type = 'Lock' AND datname = current_database()";
        let count = async || self.sql(blocked).await;
        eventually(Duration::from_secs(10), count, |count| *count == statements.to_string()).await;
    }

    /// A role that may log in, with this SQL run for it, and the URL for it.
    pub(crate) async fn role(&self, role: &str, sql: &str) -> String {
        self.sql(&format!("CREATE ROLE {role} LOGIN; {sql}")).await;
        self.url.replace("postgres@", &format!("{role}@"))
    }
}

pub(crate) fn seen(user: impl Into<UserId>, at: Timestamp) -> Record {
    Record { seen: Some(Seen { at, ip: None }), ..Record::empty(user.into()) }
}

pub(crate) fn left(user: impl Into<UserId>, at: Timestamp) -> Record {
    Record { left_at: Some(at), ..Record::empty(user.into()) }
}

/// A batch as sorted as the contract has it.
pub(crate) fn batch(users: std::ops::Range<u32>, at: Timestamp) -> Vec<Record> {
    let mut batch: Vec<_> = users.map(|user| seen(user, at)).collect();
    batch.sort_by(|a, b| a.user.cmp(&b.user));
    batch
}

/// `seconds` after [`NOW`].
pub(crate) fn after(seconds: u64) -> Timestamp {
    NOW + Duration::from_secs(seconds)
}
