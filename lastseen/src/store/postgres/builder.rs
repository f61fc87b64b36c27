//! How a PostgreSQL store is set up.

use std::sync::Arc;
use std::time::Duration;

use super::error::{Kind, PostgresError};
use super::key::PostgresKey;
use super::names::{self, Users};
use super::pool::{Limits, Pool};
use super::schema::Wanted;
use super::target::Target;
use super::{Handle, PostgresStore};

/// Settings of a [`PostgresStore`]; [`PostgresStore::builder`] begins one.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `connect` is awaited"]
pub struct PostgresBuilder {
    url: String,
    wanted: Wanted,
    users: Option<(String, String)>,
    limits: Limits,
    listen: bool,
}

impl PostgresBuilder {
    pub(super) fn new(url: &str) -> Self {
        let wanted = Wanted { schema: None, table: "user_activity".into(), key: None, users: None, migrate: true };
        Self { url: url.into(), wanted, users: None, limits: Limits::default(), listen: true }
    }

    /// The schema of the tables; it is made where there is none. Default: where `user_activity` is found by the role's
    /// search path, or else the first schema of that.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.wanted.schema = Some(schema.into());
        self
    }

    /// The name of the table of records, and the beginning of the others' names: at most 54 bytes, and exactly so, in
    /// upper case too. Default: `user_activity`.
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.wanted.table = table.into();
        self
    }

    /// The type of the site's user keys. Default: that of the user table that is [referred to](Self::references), or else of
    /// the tables where they are there already, or else [`PostgresKey::Text`].
    pub fn key(mut self, key: PostgresKey) -> Self {
        self.wanted.key = Some(key);
        self
    }

    /// Makes each record belong to a row of the site's user table, such as `auth_user` or `accounts.users`, whose key is
    /// in `column`: SQL joins the two, and with the user goes the record. Names are taken exactly, in upper case too.
    /// What is reported of a user who isn't in that table is dropped and [counted](PostgresStore::dropped). Default:
    /// none; where the tables are there already, as they are.
    ///
    /// Deleting the user's row tells no process that has the user in memory: call
    /// [`Tracker::forget`](crate::Tracker::forget) too.
    pub fn references(mut self, table: impl Into<String>, column: impl Into<String>) -> Self {
        self.users = Some((table.into(), column.into()));
        self
    }

    /// Whether the tables may be made and brought up to date. A role that may not make tables can be given ones that
    /// another made. Default: true.
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.wanted.migrate = migrate;
        self
    }

    /// The most connections at a time. Default: 4; a tracker seldom uses more than 2.
    pub fn connections(mut self, connections: usize) -> Self {
        self.limits.connections = connections;
        self
    }

    /// How long a connection to a host may take to be made. Default: 5 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.connect_timeout = timeout;
        self
    }

    /// How long the answer to a statement, or a free connection, is waited for. A statement that takes longer is ended
    /// in the server too. Default: 5 seconds.
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.limits.statement_timeout = timeout;
        self
    }

    /// Whether a tracker keeps one more connection on which the server tells it when another process has written, so that
    /// it needn't wait until it would have looked by itself. Where that is lost, or a pooler lends connections out by the
    /// transaction, trackers look at their interval alone. Default: true.
    pub fn listen(mut self, listen: bool) -> Self {
        self.listen = listen;
        self
    }

    /// Connects, and makes sure of the tables.
    ///
    /// A server that can't be reached, or takes no writes, is no error here: the store is there, and each call fails
    /// until it can be done. [`PostgresStore::ready`] is for who would rather not go on without.
    ///
    /// # Errors
    ///
    /// Where trying again can't help: the URL or a setting is wrong, the role is refused or lacks a privilege, the
    /// database or user table isn't there, the tables are another's, newer, or of another key.
    pub async fn connect(self) -> Result<PostgresStore, PostgresError> {
        let store = PostgresStore(Arc::new(self.build()?));
        match store.ready().await {
            Err(error) if error.is_unavailable() || error.is_read_only() => {
                tracing::warn!(%error, "PostgreSQL can't be used yet, will be tried again");
                Ok(store)
            }
            outcome => outcome.map(|()| store),
        }
    }

    fn build(self) -> Result<Handle, PostgresError> {
        let Self { url, mut wanted, users, limits, listen } = self;
        names::check_table(&wanted.table)?;
        if let Some(schema) = &wanted.schema {
            names::check_identifier("schema", schema)?;
        }
        wanted.users = users.map(|(table, column)| Users::new(&table, column)).transpose()?;
        if limits.connections == 0 {
            return Err(PostgresError::new(Kind::Invalid, "connections is 0: it must be at least 1"));
        }
        for (name, timeout) in [("connect", limits.connect_timeout), ("statement", limits.statement_timeout)] {
            if timeout.is_zero() {
                return Err(PostgresError::new(Kind::Invalid, format!("{name}_timeout is 0: it must be longer")));
            }
        }
        let pool = Pool::new(Arc::new(Target::new(&url)?), limits)?;
        Ok(Handle::new(pool, wanted, listen))
    }
}
