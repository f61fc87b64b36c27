//! The tables, their version, and how an older file is brought up to it.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::error::{Kind, SqliteError, damaged};
use super::file;

/// In the header of every file of ours: "lsen".
pub(super) const APPLICATION_ID: i32 = 0x6c73_656e;

/// What brings a file from each version to the next; from 0 it makes the tables.
const MIGRATIONS: &[&str] = &[include_str!("../sql/sqlite/schema_1.sql"), include_str!("../sql/sqlite/schema_2.sql")];

/// For how long another process's lock is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// The version of a file's tables, and the one that this version of the crate needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteSchema {
    /// The file's version; 0 where it has no tables yet, or isn't there.
    pub version: u32,
    /// The version to which [`SqliteStore::open`](crate::SqliteStore::open) brings it.
    pub latest: u32,
}

/// The file's version. It is left as it is, also where it isn't there.
pub(super) fn look(path: &Path) -> Result<SqliteSchema, SqliteError> {
    let path = file::absolute(path)?;
    let version = if path.exists() { file::inspect(&path)? } else { 0 };
    let latest = latest(MIGRATIONS);
    let version = known(&path, version, latest)?;
    Ok(SqliteSchema { version, latest })
}

fn latest(migrations: &[&str]) -> u32 {
    u32::try_from(migrations.len()).unwrap_or(u32::MAX)
}

fn known(path: &Path, version: i64, latest: u32) -> Result<u32, SqliteError> {
    u32::try_from(version).ok().filter(|version| *version <= latest).ok_or_else(|| {
        let message = format!(
            "{} has schema version {version}, and this version of lastseen knows those up to {latest}: run a newer one",
            path.display()
        );
        SqliteError::new(Kind::Newer, path, message)
    })
}

/// Opens the connection that writes: creates the file where there is none, and brings its tables up to date.
pub(super) fn open(path: &Path) -> Result<Connection, SqliteError> {
    file::create_if_absent(path)?;
    look(path)?;
    let failed = |error| SqliteError::sqlite(path, "opening it", error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    if connection.is_readonly(rusqlite::MAIN_DB).map_err(failed)? {
        let message = format!("{} may not be written by this user: grant it, or name another file", path.display());
        return Err(SqliteError::new(Kind::ReadOnly, path, message));
    }
    check(&connection, path)?;
    migrate(&mut connection, path, MIGRATIONS)?;
    let deadline = Instant::now() + BUSY;
    keep_a_log(&connection, path, || {
        std::thread::sleep(Duration::from_millis(5));
        Instant::now() < deadline
    })?;
    connection.execute_batch(include_str!("../sql/sqlite/settings.sql")).map_err(failed)?;
    Ok(connection)
}

/// Makes sure that the file is whole, and otherwise leaves it as it is: all of it is read.
fn check(connection: &Connection, path: &Path) -> Result<(), SqliteError> {
    let failed = |error| SqliteError::sqlite(path, "checking it", error);
    let as_it_is = |keep| connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map_err(failed);
    as_it_is(true)?;
    let found: String = connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0)).map_err(failed)?;
    if found != "ok" {
        return Err(SqliteError::new(Kind::Damaged, path, format!("{} ({})", damaged(path), found.trim())));
    }
    as_it_is(false).map(drop)
}

/// Opens a connection that reads: beside one that writes, or in another's file, which is left as it is.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection, SqliteError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        .and_then(|connection| connection.busy_timeout(BUSY).map(|()| connection))
        .map_err(|error| SqliteError::sqlite(path, "opening it", error))
}

/// Runs the migrations that the file lacks, all in one transaction; several processes may try at once.
///
/// A new file gets its tables before it gets a log, so that the header of the file itself, which [`file::inspect`]
/// reads, is ours from the first commit on.
fn migrate(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), SqliteError> {
    let failed = |error| SqliteError::sqlite(path, "making its tables", error);
    let latest = latest(migrations);
    let version = |connection: &Connection| {
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
        known(path, version, latest)
    };
    if version(connection)? == latest {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Another process may have been faster.
    for migration in migrations.iter().skip(version(&transaction)? as usize) {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", latest).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    // Out of the log and into the file's header. It may stay undone while others read.
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(())).map_err(failed)
}

/// Turns on the write-ahead log, with which readers and the writer don't wait for each other.
///
/// While another process makes the tables or does the same, SQLite refuses at once instead of waiting; so `wait` does,
/// and says whether to try again.
fn keep_a_log(connection: &Connection, path: &Path, mut wait: impl FnMut() -> bool) -> Result<(), SqliteError> {
    loop {
        let mode = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                let message = format!(
                    "{} can't have a write-ahead log (SQLite offers {mode:?}): put it on a local disk",
                    path.display()
                );
                return Err(SqliteError::new(Kind::Other, path, message));
            }
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && wait() => {}
            Err(error) => return Err(SqliteError::sqlite(path, "turning on its log", error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/srv/lastseen.db";

    fn tables(connection: &Connection) -> Vec<String> {
        let mut statement = connection.prepare("SELECT name FROM sqlite_schema ORDER BY name").unwrap();
        statement.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn an_older_file_is_brought_up_and_keeps_its_rows() {
        let mut connection = Connection::open_in_memory().unwrap();
        let one = "CREATE TABLE one (a); INSERT INTO one VALUES (1);";
        migrate(&mut connection, Path::new(PATH), &[one]).unwrap();
        let three = [one, "ALTER TABLE one ADD COLUMN b DEFAULT 2", "CREATE TABLE three (c)"];
        migrate(&mut connection, Path::new(PATH), &three).unwrap();
        migrate(&mut connection, Path::new(PATH), &three).unwrap();

        assert_eq!(tables(&connection), ["one", "three"]);
        let row = connection.query_row("SELECT a, b FROM one", (), |row| Ok((row.get(0)?, row.get(1)?)));
        assert_eq!(row.unwrap(), (1, 2));
        let id = connection.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0));
        assert_eq!(id.unwrap(), APPLICATION_ID);

        let error = migrate(&mut connection, Path::new(PATH), &[one]).unwrap_err();
        assert!(error.is_newer(), "{error}");
    }

    #[test]
    fn a_migration_that_fails_leaves_the_file_at_its_version() {
        let mut connection = Connection::open_in_memory().unwrap();
        let one = "CREATE TABLE one (a)";
        migrate(&mut connection, Path::new(PATH), &[one]).unwrap();
        let broken = [one, "CREATE TABLE two (b)", "CREATE TABLE two (b)"];
        let error = migrate(&mut connection, Path::new(PATH), &broken).unwrap_err();

        assert!(error.to_string().contains("making its tables"), "{error}");
        assert_eq!(tables(&connection), ["one"]);
        migrate(&mut connection, Path::new(PATH), &[one]).unwrap();
    }

    #[test]
    fn turning_on_the_log_waits_for_another_process() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let (ours, other) = (Connection::open(&path).unwrap(), Connection::open(&path).unwrap());
        ours.busy_timeout(Duration::ZERO).unwrap();
        other.execute_batch("CREATE TABLE one (a); BEGIN IMMEDIATE").unwrap();

        let error = keep_a_log(&ours, &path, || false).unwrap_err();
        assert!(error.is_busy(), "{error}");

        let mut waits = 0;
        keep_a_log(&ours, &path, || {
            waits += 1;
            if waits == 3 {
                other.execute_batch("COMMIT").unwrap();
            }
            true
        })
        .unwrap();
        assert_eq!(waits, 3);
    }
}
