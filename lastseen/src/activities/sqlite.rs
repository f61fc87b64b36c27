//! The last activities in a site's SQLite file.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use tokio::sync::mpsc;

use super::{PAGE, SqlActivities, SqlActivity, address, date, seconds_of};
use crate::Timestamp;
use crate::store::SqliteError;
use crate::store::sqlite::{BUSY, Kind, file};

type Page = Result<Vec<SqlActivity>, SqliteError>;

pub(super) struct Source {
    path: PathBuf,
    /// From a thread that reads one page ahead.
    pages: mpsc::Receiver<Page>,
}

impl SqlActivities {
    /// Reads from the SQLite file at `path`, which must be there.
    ///
    /// # Errors
    ///
    /// Where the file can't be read, or the query can't be asked: [`is_query`](SqliteError::is_query).
    #[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
    pub async fn sqlite(path: impl AsRef<Path>, query: &str) -> Result<Self, SqliteError> {
        let path = file::absolute(path.as_ref())?;
        let (send, mut pages) = mpsc::channel(1);
        let reading = {
            let (path, query) = (path.clone(), query.to_owned());
            move || {
                if let Err(error) = read(&path, &query, &send) {
                    // Where nobody is there any more, nobody is to be told.
                    let _ = send.blocking_send(Err(error));
                }
            }
        };
        tokio::task::spawn_blocking(reading);
        // The first is empty, and says that the query can be asked.
        match pages.recv().await {
            Some(Err(error)) => Err(error),
            _ => Ok(Self(super::Source::Sqlite(Source { path, pages }))),
        }
    }
}

impl Source {
    pub(super) async fn next(&mut self) -> Page {
        self.pages.recv().await.unwrap_or_else(|| Ok(Vec::new()))
    }
}

fn read(path: &Path, query: &str, pages: &mpsc::Sender<Page>) -> Result<(), SqliteError> {
    let wrong = |what: &str| SqliteError::new(Kind::Query, path, format!("the query {query:?} {what}"));
    let failed = |error| SqliteError::sqlite(path, "reading last activities", error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .and_then(|connection| connection.busy_timeout(BUSY).map(|()| connection))
        .map_err(|error| SqliteError::sqlite(path, "opening it", error))?;
    let mut statement = connection.prepare(query).map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => failed(error),
        _ => wrong(&format!("can't be asked of {}", path.display())).because(error),
    })?;
    let columns = statement.column_count();
    if !statement.readonly() || !matches!(columns, 2 | 3) {
        return Err(wrong("must be a SELECT of two or three columns: the user's key, a date, an address"));
    }

    let mut rows = statement.query([]).map_err(failed)?;
    let mut page = Vec::new();
    if pages.blocking_send(Ok(Vec::new())).is_err() {
        return Ok(());
    }
    while let Some(row) = rows.next().map_err(failed)? {
        page.push(activity(row, columns).map_err(failed)?);
        if page.len() == PAGE && pages.blocking_send(Ok(std::mem::take(&mut page))).is_err() {
            return Ok(());
        }
    }
    // An empty one would be the end as well.
    let _ = pages.blocking_send(Ok(page));
    Ok(())
}

fn activity(row: &Row<'_>, columns: usize) -> rusqlite::Result<SqlActivity> {
    let ip = if columns == 3 { row.get_ref(2)? } else { ValueRef::Null };
    Ok(SqlActivity { user: key(row.get_ref(0)?), at: at(row.get_ref(1)?), ip: text(ip).and_then(ip_address) })
}

fn key(value: ValueRef<'_>) -> Result<Option<String>, String> {
    match value {
        ValueRef::Integer(key) => Ok(Some(key.to_string())),
        value => Ok(text(value)?.map(str::to_owned)),
    }
}

fn at(value: ValueRef<'_>) -> Result<Option<Timestamp>, String> {
    match value {
        ValueRef::Integer(seconds) => Ok(Some(Timestamp::from_micros(seconds.saturating_mul(1_000_000)))),
        ValueRef::Real(seconds) => seconds_of(seconds).ok_or_else(|| seconds.to_string()).map(Some),
        value => text(value)?.map_or(Ok(None), date),
    }
}

fn ip_address(text: Option<&str>) -> Result<Option<std::net::IpAddr>, String> {
    text.map_or(Ok(None), address)
}

/// A text, and of what is neither text nor NULL what it is.
fn text(value: ValueRef<'_>) -> Result<Option<&str>, String> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Text(_) => value.as_str().map(Some).map_err(|error| error.to_string()),
        ValueRef::Integer(number) => Err(number.to_string()),
        ValueRef::Real(number) => Err(number.to_string()),
        ValueRef::Blob(bytes) => Err(format!("a blob of {} bytes", bytes.len())),
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlActivities").field("path", &self.path).finish_non_exhaustive()
    }
}
