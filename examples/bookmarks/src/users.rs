//! The accounts: who may sign in, and who a user id is.

use std::fmt;

use axum_login::{AuthUser, AuthnBackend};
use lastseen::store::SqliteError;
use lastseen::{SqlDirectory, UserId};
use rusqlite::{OptionalExtension, Row};
use serde::Deserialize;

use crate::Database;

/// An account of the site.
#[derive(Clone)]
pub struct User {
    /// The key of the `user` table.
    pub id: i64,
    /// What the site calls the user.
    pub name: String,
    password: String,
}

impl User {
    /// The user as lastseen knows them: by the key of the site's own table, which outlives a change of name.
    #[must_use]
    pub fn key(&self) -> UserId {
        UserId::from(self.id)
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get("id")?, name: row.get("username")?, password: row.get("password")? })
    }
}

impl Database {
    /// Says who a user id is: the names that the corner shows, and which accounts are switched off.
    ///
    /// # Errors
    ///
    /// Where the database can't be opened a second time.
    pub async fn directory(&self) -> Result<SqlDirectory, SqliteError> {
        SqlDirectory::sqlite(&*self.path, "SELECT id, username, is_active FROM user WHERE id IN (...)").await
    }

    /// The account of this name, also one that is switched off.
    pub(crate) async fn user(&self, name: String) -> rusqlite::Result<Option<User>> {
        self.run(move |database| {
            database.query_row("SELECT * FROM user WHERE username = ?", [name], User::from_row).optional()
        })
        .await
    }
}

/// What the sign-in form sends.
#[derive(Debug, Deserialize)]
pub struct Credentials {
    username: String,
    password: String,
}

/// What axum-login asks. An account that is switched off can't sign in, and its old sessions are worth nothing.
impl AuthnBackend for Database {
    type User = User;
    type Credentials = Credentials;
    type Error = rusqlite::Error;

    async fn authenticate(&self, given: Credentials) -> rusqlite::Result<Option<User>> {
        self.run(move |database| {
            let query = "SELECT * FROM user WHERE username = ? AND password = ? AND is_active";
            database.query_row(query, [given.username, given.password], User::from_row).optional()
        })
        .await
    }

    async fn get_user(&self, id: &i64) -> rusqlite::Result<Option<User>> {
        let id = *id;
        self.run(move |database| {
            database.query_row("SELECT * FROM user WHERE id = ? AND is_active", [id], User::from_row).optional()
        })
        .await
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
