//! The accounts: who may sign in, and who a user id is.

use std::error::Error;
use std::fmt;

use axum_login::{AuthUser, AuthnBackend};
use lastseen::{SqlDirectory, UserId};
use serde::Deserialize;

use crate::Database;

mod django;
mod own;

pub use django::Django;

/// Where the accounts are.
#[derive(Clone, Debug)]
pub enum Accounts {
    /// In the site's own database.
    Own(Database),
    /// In that of a Django site, which this one stands beside.
    Django(Django),
}

/// Why they can't be asked.
#[derive(Debug)]
pub struct AccountsError(Box<dyn Error + Send + Sync>);

/// An account of the site.
#[derive(Clone)]
pub struct User {
    /// The key in the table of users.
    pub id: i64,
    /// What the site calls the user.
    pub name: String,
    password: String,
}

/// What the sign-in form sends.
#[derive(Debug, Deserialize)]
pub struct Credentials {
    username: String,
    password: String,
}

impl User {
    /// The user as lastseen knows them: by the key of the site's own table, which outlives a change of name.
    #[must_use]
    pub fn key(&self) -> UserId {
        UserId::from(self.id)
    }
}

impl Accounts {
    /// Says who a user id is: the names that the corner shows, and which accounts are switched off.
    ///
    /// # Errors
    ///
    /// Where the database can't be asked.
    pub async fn directory(&self) -> Result<SqlDirectory, AccountsError> {
        match self {
            Self::Own(database) => {
                let query = "SELECT id, username, is_active FROM user WHERE id IN (...)";
                Ok(SqlDirectory::sqlite(&*database.path, query).await?)
            }
            Self::Django(django) => Ok(SqlDirectory::postgres(django.url(), SqlDirectory::DJANGO).await?),
        }
    }

    /// The account of this name, also one that is switched off.
    pub(crate) async fn user(&self, name: String) -> Result<Option<User>, AccountsError> {
        match self {
            Self::Own(database) => Ok(database.user(name).await?),
            Self::Django(django) => django.user(name).await,
        }
    }
}

/// What axum-login asks. An account that is switched off can't sign in, and its old sessions are worth nothing.
impl AuthnBackend for Accounts {
    type User = User;
    type Credentials = Credentials;
    type Error = AccountsError;

    async fn authenticate(&self, given: Credentials) -> Result<Option<User>, AccountsError> {
        match self {
            Self::Own(database) => Ok(database.authenticate(given).await?),
            Self::Django(django) => django.authenticate(given).await,
        }
    }

    async fn get_user(&self, id: &i64) -> Result<Option<User>, AccountsError> {
        match self {
            Self::Own(database) => Ok(database.active_user(*id).await?),
            Self::Django(django) => django.active_user(*id).await,
        }
    }
}

/// A session is worth as much as the password it was opened with.
impl AuthUser for User {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.password.as_bytes()
    }
}

/// Without the password: axum-login logs users.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// The message, and behind it the causes, each after a colon.
impl fmt::Display for AccountsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let causes = std::iter::successors(self.0.source(), |cause| (*cause).source());
        causes.fold(write!(f, "{}", self.0), |written, cause| written.and_then(|()| write!(f, ": {cause}")))
    }
}

impl Error for AccountsError {}

impl From<rusqlite::Error> for AccountsError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.into())
    }
}

impl From<lastseen::store::SqliteError> for AccountsError {
    fn from(error: lastseen::store::SqliteError) -> Self {
        Self(error.into())
    }
}

impl From<lastseen::store::PostgresError> for AccountsError {
    fn from(error: lastseen::store::PostgresError) -> Self {
        Self(error.into())
    }
}

impl From<tokio_postgres::Error> for AccountsError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self(error.into())
    }
}

impl From<deadpool_postgres::PoolError> for AccountsError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        Self(error.into())
    }
}
