//! Accounts in the site's own database.

use rusqlite::{OptionalExtension, Row};

use super::{Credentials, User};
use crate::Database;

impl User {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get("id")?, name: row.get("username")?, password: row.get("password")? })
    }
}

impl Database {
    pub(super) async fn user(&self, name: String) -> rusqlite::Result<Option<User>> {
        self.run(move |database| {
            database.query_row("SELECT * FROM user WHERE username = ?", [name], User::from_row).optional()
        })
        .await
    }

    pub(super) async fn authenticate(&self, given: Credentials) -> rusqlite::Result<Option<User>> {
        self.run(move |database| {
            let query = "SELECT * FROM user WHERE username = ? AND password = ? AND is_active";
            database.query_row(query, [given.username, given.password], User::from_row).optional()
        })
        .await
    }

    pub(super) async fn active_user(&self, id: i64) -> rusqlite::Result<Option<User>> {
        self.run(move |database| {
            database.query_row("SELECT * FROM user WHERE id = ? AND is_active", [id], User::from_row).optional()
        })
        .await
    }

    /// Takes in a user whose account is elsewhere, so that bookmarks can be theirs.
    pub(super) async fn take_in(&self, user: &User) -> rusqlite::Result<()> {
        let (id, name) = (user.id, user.name.clone());
        self.run(move |database| {
            let insert = "INSERT INTO user (id, username, password) VALUES (?, ?, '')
                ON CONFLICT (id) DO UPDATE SET username = excluded.username";
            database.execute(insert, (id, name)).map(drop)
        })
        .await
    }
}
