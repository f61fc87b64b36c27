//! Profiles out of the site's own user table, by a query.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, Value, ValueRef};
use rusqlite::{Connection, OpenFlags, params_from_iter};

use super::{Directory, Profile};
use crate::UserId;
use crate::store::SqliteError;
use crate::store::sqlite::{BUSY, Kind, Read, Worker, file};

/// Where the ids go in the query.
const IDS: &str = "(...)";

/// How many users one query asks for: few enough that no query holds up the site's own writes for long.
const CHUNK: usize = 500;

/// Asks the site's own database who its users are.
///
/// The query gives three or four columns, in this order, whatever their names: the user's id, the name to show,
/// whether the account is active and, if there is a fourth, whether the user hides. It holds `(...)` once, where the
/// ids of those asked for go. For Django's own users:
///
/// ```no_run
/// # async fn example() -> Result<(), lastseen::store::SqliteError> {
/// use lastseen::SqlDirectory;
///
/// let directory = SqlDirectory::sqlite(
///     "db.sqlite3",
///     "SELECT id, username, is_active FROM auth_user WHERE id IN (...)",
/// )
/// .await?;
/// # Ok(())
/// # }
/// ```
///
/// A column that lies elsewhere is joined, one that there isn't is written as a constant, and one with the opposite
/// sense is turned around:
///
/// ```sql
/// SELECT u.id, coalesce(nullif(u.first_name, ''), u.username), u.is_active, NOT p.show_online
/// FROM auth_user u LEFT JOIN profile p ON p.user_id = u.id WHERE u.id IN (...)
///
/// SELECT email, display_name, 1, 0 FROM members WHERE email IN (...)
/// ```
///
/// Ids are compared as text, exactly: the id `42` is the row whose key is the integer 42 or the text `42`, and `Ada`
/// isn't `ada` even where the table thinks so. An index on the key is used as it would be in the site's own queries;
/// without one each query reads the whole table. A name may be NULL; active and hidden are 1 or 0, true or false, and
/// NULL counts as false.
///
/// The database is opened to be read only. A query asks for at most 500 users; a lock of the site's is waited on for
/// 5 seconds. A database with a write-ahead log needs its `-shm` file, so its directory must be writable, or the site
/// running.
pub struct SqlDirectory {
    path: PathBuf,
    query: Query,
    reader: Worker<Read>,
}

impl SqlDirectory {
    /// A directory over the SQLite file at `path`, which must be there.
    ///
    /// # Errors
    ///
    /// Where the file can't be read, or the query can't be: [`is_query`](SqliteError::is_query).
    pub async fn sqlite(path: impl AsRef<Path>, query: &str) -> Result<Self, SqliteError> {
        let path = file::absolute(path.as_ref())?;
        let query = Query::new(&path, query)?;
        let open = {
            let (path, query) = (path.clone(), query.clone());
            move || open(&path, &query)
        };
        let reader = Worker::start(&path, open, Worker::read_all).await?;
        Ok(Self { path, query, reader })
    }
}

impl Directory for SqlDirectory {
    type Error = SqliteError;

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, SqliteError> {
        let mut profiles = Vec::with_capacity(users.len());
        for chunk in users.chunks(CHUNK) {
            let (query, chunk) = (self.query.clone(), chunk.to_vec());
            let found =
                self.reader.read(&self.path, "asking who users are", move |connection| query.ask(connection, &chunk));
            profiles.extend(found.await?);
        }
        Ok(profiles)
    }
}

impl fmt::Debug for SqlDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlDirectory").field("path", &self.path).field("query", &self.query).finish_non_exhaustive()
    }
}

fn open(path: &Path, query: &Query) -> Result<Connection, SqliteError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .and_then(|connection| connection.busy_timeout(BUSY).map(|()| connection))
        .map_err(|error| SqliteError::sqlite(path, "opening it", error))?;
    query.check(path, &connection)?;
    Ok(connection)
}

/// A query around the place of the ids.
#[derive(Clone, Debug)]
struct Query {
    before: String,
    after: String,
}

impl Query {
    fn new(path: &Path, query: &str) -> Result<Self, SqliteError> {
        match query.split(IDS).collect::<Vec<_>>()[..] {
            [before, after] => Ok(Self { before: before.into(), after: after.into() }),
            ref parts => Err(SqliteError::new(
                Kind::Query,
                path,
                format!(
                    "the query {query:?} has {IDS} {} times: write it once, where the ids go, as in \
                     SELECT id, username, is_active FROM auth_user WHERE id IN {IDS}",
                    parts.len() - 1
                ),
            )),
        }
    }

    /// The query with places for so many values.
    fn text(&self, values: usize) -> String {
        let Self { before, after } = self;
        let places = vec!["?"; values].join(", ");
        format!("{before}({places}){after}")
    }

    fn check(&self, path: &Path, connection: &Connection) -> Result<(), SqliteError> {
        let wrong = |what: &str| {
            let query = format!("{}{IDS}{}", self.before, self.after);
            SqliteError::new(Kind::Query, path, format!("the query {query:?} {what}"))
        };
        let statement = connection
            .prepare(&self.text(1))
            .map_err(|error| wrong(&format!("can't be asked of {}", path.display())).because(error))?;
        if statement.parameter_count() != 1 {
            return Err(wrong(&format!("has places for values of its own: {IDS} must be the only one")));
        }
        match statement.column_count() {
            _ if !statement.readonly() => Err(wrong("writes: it must be a SELECT")),
            3 | 4 => Ok(()),
            columns => Err(wrong(&format!(
                "gives {columns} columns: it must give id, name, active and, if wanted, hidden; \
                 write 1 for active where every account is"
            ))),
        }
    }

    fn ask(&self, connection: &Connection, users: &[UserId]) -> rusqlite::Result<Vec<(UserId, Profile)>> {
        let asked: HashSet<&UserId> = users.iter().collect();
        let values: Vec<Value> = users.iter().flat_map(values).collect();
        let mut statement = connection.prepare(&self.text(values.len()))?;
        let four = statement.column_count() == 4;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut profiles = Vec::with_capacity(users.len());
        while let Some(row) = rows.next()? {
            // The table may compare more loosely than we do: what wasn't asked for isn't answered.
            let Some(user) = row.get::<_, Id>(0)?.0.filter(|id| asked.contains(id)) else { continue };
            let profile = row.get::<_, Name>(1)?.0.map_or_else(Profile::new, Profile::named);
            let Flag(active) = row.get(2)?;
            let Flag(hidden) = if four { row.get(3)? } else { Flag(false) };
            profiles.push((user, profile.active(active).hidden(hidden)));
        }
        Ok(profiles)
    }
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
            ValueRef::Text(b"1" | b"t" | b"true" | b"TRUE") => Ok(Self(true)),
            ValueRef::Null | ValueRef::Text(b"0" | b"f" | b"false" | b"FALSE") => Ok(Self(false)),
            _ => wrong("the third and fourth columns say active and hidden: they must be 1 or 0, true or false"),
        }
    }
}

fn wrong<T>(what: &str) -> FromSqlResult<T> {
    Err(FromSqlError::Other(what.into()))
}
