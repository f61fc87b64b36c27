//! The site's own database: its tables, the accounts to try it with, and a way to ask it from async code.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::Mutex;

/// The site's own database, a file of `SQLite`. Clones share one connection.
#[derive(Clone, Debug)]
pub struct Database {
    pub(crate) path: Arc<PathBuf>,
    connection: Arc<Mutex<Connection>>,
}

impl Database {
    /// Opens the database at `path`; a new one gets the tables, nine accounts and fifty bookmarks.
    ///
    /// # Errors
    ///
    /// Where `path` can't be opened or holds something else.
    pub fn open(path: impl AsRef<Path>) -> rusqlite::Result<Self> {
        Self::filled(path, |database| {
            if database.query_row("SELECT count(*) = 0 FROM user", [], |row| row.get(0))? {
                database.execute_batch(include_str!("demo.sql"))?;
            }
            Ok(())
        })
    }

    /// Opens the database at `path` for bookmarks of users whose accounts are elsewhere; a new one gets the tables.
    ///
    /// # Errors
    ///
    /// Where `path` can't be opened or holds something else.
    pub fn without_accounts(path: impl AsRef<Path>) -> rusqlite::Result<Self> {
        Self::filled(path, |_| Ok(()))
    }

    fn filled(
        path: impl AsRef<Path>,
        fill: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<Self> {
        let mut connection = Connection::open(&path)?;
        let new = connection.transaction()?;
        new.execute_batch(include_str!("schema.sql"))?;
        fill(&new)?;
        new.commit()?;
        Ok(Self { path: Arc::new(path.as_ref().into()), connection: Arc::new(Mutex::new(connection)) })
    }

    /// Runs `work` on the connection, off the threads that serve requests.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> rusqlite::Result<T> {
        let connection = self.connection.clone().lock_owned().await;
        tokio::task::spawn_blocking(move || work(&connection)).await.expect("queries don't panic")
    }
}
