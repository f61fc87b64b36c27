//! SQLite: a row a user, written at each request and committed to disk, as the recipe has it.

use std::error::Error;
use std::net::IpAddr;

use rusqlite::{Connection, params};
use tempfile::TempDir;

use super::Database;
use crate::population::{Population, now_micros};

const UPSERT: &str = "INSERT INTO user_activity VALUES (?1, ?2, ?3) ON CONFLICT (user_id) DO UPDATE \
    SET last_activity_date = excluded.last_activity_date, last_activity_ip = excluded.last_activity_ip";

pub struct Sqlite {
    connection: Connection,
    _folder: TempDir,
}

impl Sqlite {
    /// With the settings of lastseen's own store.
    pub fn create() -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let connection = Connection::open(folder.path().join("site.db"))?;
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "cache_size", -16_384)?;
        connection.execute_batch(
            "CREATE TABLE user_activity (
                user_id TEXT PRIMARY KEY NOT NULL, last_activity_date INTEGER NOT NULL, last_activity_ip TEXT
            ) STRICT, WITHOUT ROWID",
        )?;
        Ok(Self { connection, _folder: folder })
    }

    /// From here on an index on the date answers for the newest.
    pub fn index(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(self.connection.execute_batch("CREATE INDEX by_date ON user_activity (last_activity_date)")?)
    }
}

impl Database for Sqlite {
    fn fill(&mut self, population: Population) -> Result<(), Box<dyn Error>> {
        let transaction = self.connection.transaction()?;
        transaction.execute("DELETE FROM user_activity", ())?;
        let mut upsert = transaction.prepare(UPSERT)?;
        let mut outcome = Ok(0);
        population.activities(now_micros(), |id, ip, at| {
            if outcome.is_ok() {
                outcome = upsert.execute(params![id, at, ip.to_string()]);
            }
        });
        outcome?;
        drop(upsert);
        transaction.commit()?;
        self.connection.execute_batch("ANALYZE")?;
        Ok(())
    }

    fn touch(&mut self, id: &str, ip: IpAddr) -> Result<(), Box<dyn Error>> {
        self.connection.prepare_cached(UPSERT)?.execute(params![id, now_micros(), ip.to_string()])?;
        Ok(())
    }

    fn newest(&mut self, since: i64, limit: usize) -> Result<Vec<String>, Box<dyn Error>> {
        let mut select = self.connection.prepare_cached(
            "SELECT user_id, last_activity_date, last_activity_ip FROM user_activity
             WHERE last_activity_date >= ?1 ORDER BY last_activity_date DESC LIMIT ?2",
        )?;
        let newest = select.query_map(params![since, i64::try_from(limit)?], |row| {
            let (_, _): (i64, Option<String>) = (row.get(1)?, row.get(2)?);
            row.get(0)
        })?;
        Ok(newest.collect::<Result<_, _>>()?)
    }

    fn count(&mut self, since: i64) -> Result<usize, Box<dyn Error>> {
        let mut select =
            self.connection.prepare_cached("SELECT count(*) FROM user_activity WHERE last_activity_date >= ?1")?;
        Ok(usize::try_from(select.query_one([since], |row| row.get::<_, i64>(0))?)?)
    }
}
