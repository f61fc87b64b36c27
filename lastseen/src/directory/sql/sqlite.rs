//! The site's users in a SQLite file.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, Value, ValueRef};
use rusqlite::{Connection, params_from_iter};

use super::{FLAGS, OTHER_PLACES, Query, SqlDirectory, flag};
use crate::store::SqliteError;
use crate::store::sqlite::{Kind, Read, Worker, file, open_to_read};
use crate::{Profile, UserId};

pub(super) struct Source {
    path: PathBuf,
    query: Query,
    reader: Worker<Read>,
}

impl SqlDirectory {
    /// A directory over the SQLite file at `path`, which must be there.
    ///
    /// It is opened to be read only. A file with a write-ahead log needs its `-shm` file, so its directory must be
    /// writable, or the site running.
    ///
    /// # Errors
    ///
    /// Where the file can't be read, or the query can't be: [`is_query`](SqliteError::is_query).
    #[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
    pub async fn sqlite(path: impl AsRef<Path>, query: &str) -> Result<Self, SqliteError> {
        let path = file::absolute(path.as_ref())?;
        let query = Query::new(query).map_err(|message| SqliteError::new(Kind::Query, &path, message))?;
        let open = {
            let (path, query) = (path.clone(), query.clone());
            move || open(&path, &query)
        };
        let reader = Worker::start(&path, open, Worker::read_all).await?;
        Ok(Self(super::Source::Sqlite(Source { path, query, reader })))
    }
}

impl Source {
    pub(super) async fn ask(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, SqliteError> {
        let (query, users) = (self.query.clone(), users.to_vec());
        self.reader.read(&self.path, "asking who users are", move |connection| ask(connection, &query, &users)).await
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlDirectory").field("path", &self.path).field("query", &self.query).finish_non_exhaustive()
    }
}

fn open(path: &Path, query: &Query) -> Result<Connection, SqliteError> {
    let connection = open_to_read(path)?;
    check(path, &connection, query)?;
    Ok(connection)
}

fn check(path: &Path, connection: &Connection, query: &Query) -> Result<(), SqliteError> {
    let wrong = |message| SqliteError::new(Kind::Query, path, message);
    let statement = connection
        .prepare(&places(query, 1))
        .map_err(|error| wrong(query.wrong(&format!("can't be asked of {}", path.display()))).because(error))?;
    if statement.parameter_count() != 1 {
        return Err(wrong(query.wrong(OTHER_PLACES)));
    }
    match statement.column_count() {
        _ if !statement.readonly() => Err(wrong(query.wrong("writes: it must be a SELECT"))),
        3 | 4 => Ok(()),
        columns => Err(wrong(query.wrong_columns(&columns.to_string()))),
    }
}

/// The query with places for so many values.
fn places(query: &Query, values: usize) -> String {
    query.with(&format!("({})", vec!["?"; values].join(", ")))
}

fn ask(connection: &Connection, query: &Query, users: &[UserId]) -> rusqlite::Result<Vec<(UserId, Profile)>> {
    let values: Vec<Value> = users.iter().flat_map(values).collect();
    let mut statement = connection.prepare(&places(query, values.len()))?;
    let four = statement.column_count() == 4;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut profiles = Vec::with_capacity(users.len());
    while let Some(row) = rows.next()? {
        let Some(user) = row.get::<_, Id>(0)?.0 else { continue };
        let profile = row.get::<_, Name>(1)?.0.map_or_else(Profile::new, Profile::named);
        let Flag(active) = row.get(2)?;
        let Flag(hidden) = if four { row.get(3)? } else { Flag(false) };
        profiles.push((user, profile.active(active).hidden(hidden)));
    }
    Ok(profiles)
}

/// The id as text and, where it is one, as an integer.
///
/// To a column with a type SQLite converts whichever it gets; an expression has no type to convert to.
fn values(user: &UserId) -> impl Iterator<Item = Value> {
    let integer = user.as_str().parse::<i64>().ok().filter(|integer| UserId::from(*integer) == *user);
    std::iter::once(Value::Text(user.as_str().into())).chain(integer.map(Value::Integer))
}

/// `None` for a key that is no user's id.
struct Id(Option<UserId>);

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Integer(id) => Ok(Self(Some(id.into()))),
            ValueRef::Text(_) => Ok(Self(UserId::new(value.as_str()?).ok())),
            ValueRef::Null => Ok(Self(None)),
            _ => wrong("the first column must be the user's id, as an integer or text"),
        }
    }
}

struct Name(Option<String>);

impl FromSql for Name {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Null => Ok(Self(None)),
            ValueRef::Integer(name) => Ok(Self(Some(name.to_string()))),
            ValueRef::Text(_) => Ok(Self(Some(value.as_str()?.to_owned()))),
            _ => wrong("the second column must be the user's name, as text"),
        }
    }
}

struct Flag(bool);

impl FromSql for Flag {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Integer(flag) => Ok(Self(flag != 0)),
            // SQLite has no type for them, so some frameworks write text.
            ValueRef::Text(text) => {
                str::from_utf8(text).ok().and_then(flag).map_or_else(|| wrong(FLAGS), |on| Ok(Self(on)))
            }
            ValueRef::Null => Ok(Self(false)),
            _ => wrong(FLAGS),
        }
    }
}

fn wrong<T>(what: &str) -> FromSqlResult<T> {
    Err(FromSqlError::Other(what.into()))
}
