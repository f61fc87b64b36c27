//! Accounts in the `auth_user` of a Django site, on its PostgreSQL.

use std::fmt;
use std::sync::Arc;

use deadpool_postgres::{Manager, Pool};
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};

use super::{AccountsError, Credentials, User};
use crate::Database;

/// The accounts of a Django site. Clones share the connections.
#[derive(Clone)]
pub struct Django {
    url: Arc<str>,
    pool: Pool,
    /// Where bookmarks are.
    database: Database,
}

const SELECT: &str = "SELECT id::bigint, username, password FROM auth_user";

impl Django {
    /// The accounts in the database at this URL; bookmarks are in `database`, which has no accounts of its own.
    ///
    /// # Errors
    ///
    /// Where the URL can't be read.
    pub fn new(url: &str, database: Database) -> Result<Self, AccountsError> {
        let manager = Manager::new(url.parse()?, NoTls);
        let pool = Pool::builder(manager).max_size(4).build().map_err(|error| AccountsError(error.into()))?;
        Ok(Self { url: url.into(), pool, database })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    async fn one(&self, condition: &str, value: &(dyn ToSql + Sync)) -> Result<Option<User>, AccountsError> {
        let client = self.pool.get().await?;
        let row = client.query_opt(&format!("{SELECT} WHERE {condition}"), &[value]).await?;
        Ok(row.as_ref().map(user).transpose()?)
    }

    pub(super) async fn user(&self, name: String) -> Result<Option<User>, AccountsError> {
        self.one("username = $1", &name).await
    }

    pub(super) async fn active_user(&self, id: i64) -> Result<Option<User>, AccountsError> {
        self.one("id = $1::bigint AND is_active", &id).await
    }

    pub(super) async fn authenticate(&self, given: Credentials) -> Result<Option<User>, AccountsError> {
        let Some(user) = self.one("username = $1 AND is_active", &given.username).await? else { return Ok(None) };
        let hash = user.password.clone();
        // It takes as long as it is meant to, and no one else is to wait for it.
        let matches = tokio::task::spawn_blocking(move || djangohashers::check_password(&given.password, &hash));
        // A hash of another kind than Django's usual one lets nobody in.
        if !matches!(matches.await.expect("hashing doesn't panic"), Ok(true)) {
            return Ok(None);
        }
        self.database.take_in(&user).await?;
        Ok(Some(user))
    }
}

fn user(row: &Row) -> Result<User, tokio_postgres::Error> {
    Ok(User { id: row.try_get(0)?, name: row.try_get(1)?, password: row.try_get(2)? })
}

/// Without the URL, which has a password in it.
impl fmt::Debug for Django {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Django").field("database", &self.database).finish_non_exhaustive()
    }
}
