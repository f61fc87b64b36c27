//! Profiles out of the site's own user table, by a query.

use std::collections::HashSet;
use std::error::Error as StdError;
use std::fmt;

use super::{Directory, Profile};
use crate::UserId;

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

/// Where the ids go in the query.
const IDS: &str = "(...)";

/// How many users one query asks for: few enough that no query holds up the site's own writes for long.
const CHUNK: usize = 500;

const OTHER_PLACES: &str = "has places for values of its own: (...) must be the only one";

/// What the third and fourth columns must be.
const FLAGS: &str = "the third and fourth columns say active and hidden: they must be 1 or 0, true or false";

/// Asks the site's own database who its users are.
///
/// The query gives three or four columns, in this order, whatever their names: the user's id, the name to show,
/// whether the account is active and, if there is a fourth, whether the user hides. It holds `(...)` once, where the
/// ids of those asked for go. For Django's own users:
///
/// ```no_run
/// # #[cfg(feature = "sqlite")]
/// # async fn sqlite() -> Result<(), lastseen::store::SqliteError> {
/// use lastseen::SqlDirectory;
///
/// let query = "SELECT id, username, is_active FROM auth_user WHERE id IN (...)";
/// let directory = SqlDirectory::sqlite("db.sqlite3", query).await?;
/// # Ok(())
/// # }
/// # #[cfg(feature = "postgres")]
/// # async fn postgres() -> Result<(), lastseen::store::PostgresError> {
/// # use lastseen::SqlDirectory;
///
/// // The same, as a constant.
/// let directory = SqlDirectory::postgres("postgres://site@localhost/site", SqlDirectory::DJANGO).await?;
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
/// The database is only read. A query asks for at most 500 users; a lock of the site's, or an answer, is waited for for
/// 5 seconds.
pub struct SqlDirectory(Source);

enum Source {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlite::Source),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Source),
}

impl SqlDirectory {
    /// The users of Django's `auth_user`.
    pub const DJANGO: &str = "SELECT id, username, is_active FROM auth_user WHERE id IN (...)";

    /// The users of Rails with Devise, which knows no name but the address for mail: they are shown by id. Where the site
    /// has a column to show, put it in place of the NULL; where Devise locks accounts, `locked_at IS NULL` in place of
    /// the TRUE.
    pub const DEVISE: &str = "SELECT id, NULL, TRUE FROM users WHERE id IN (...)";

    /// The users of ASP.NET Core Identity; locked out is not active.
    pub const ASPNET_CORE_IDENTITY: &str = "SELECT \"Id\", \"UserName\", \
        coalesce(\"LockoutEnd\" <= CURRENT_TIMESTAMP, TRUE) FROM \"AspNetUsers\" WHERE \"Id\" IN (...)";

    /// The users of Laravel.
    pub const LARAVEL: &str = "SELECT id, name, TRUE FROM users WHERE id IN (...)";
}

impl Directory for SqlDirectory {
    type Error = SqlDirectoryError;

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, SqlDirectoryError> {
        let mut profiles = Vec::with_capacity(users.len());
        for chunk in users.chunks(CHUNK) {
            let found = match &self.0 {
                #[cfg(feature = "sqlite")]
                Source::Sqlite(source) => source.ask(chunk).await.map_err(SqlDirectoryError::new),
                #[cfg(feature = "postgres")]
                Source::Postgres(source) => source.ask(chunk).await.map_err(SqlDirectoryError::new),
            };
            // The table may compare more loosely than we do: what wasn't asked for isn't answered.
            let asked: HashSet<&UserId> = chunk.iter().collect();
            profiles.extend(found?.into_iter().filter(|(user, _)| asked.contains(user)));
        }
        Ok(profiles)
    }
}

impl fmt::Debug for SqlDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Source::Sqlite(source) => source.fmt(f),
            #[cfg(feature = "postgres")]
            Source::Postgres(source) => source.fmt(f),
        }
    }
}

/// Why a [`SqlDirectory`] could not say who the users are, or [`SqlActivities`](crate::SqlActivities) when they were last
/// active: what the database said, in its own words.
pub struct SqlDirectoryError(Box<dyn StdError + Send + Sync>);

impl SqlDirectoryError {
    pub(crate) fn new(error: impl StdError + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Display for SqlDirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for SqlDirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for SqlDirectoryError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// A query around the place of the ids.
#[derive(Clone, Debug)]
struct Query {
    before: String,
    after: String,
}

impl Query {
    /// Says what is wrong where it has no such place, or more than one.
    fn new(query: &str) -> Result<Self, String> {
        match query.split(IDS).collect::<Vec<_>>()[..] {
            [before, after] => Ok(Self { before: before.into(), after: after.into() }),
            ref parts => Err(format!(
                "the query {query:?} has {IDS} {} times: write it once, where the ids go, as in {}",
                parts.len() - 1,
                SqlDirectory::DJANGO
            )),
        }
    }

    /// The query with this in place of the ids.
    fn with(&self, ids: &str) -> String {
        format!("{}{ids}{}", self.before, self.after)
    }

    /// What is wrong with it, in a sentence that begins with it.
    fn wrong(&self, what: &str) -> String {
        format!("the query {:?} {what}", self.with(IDS))
    }

    fn wrong_columns(&self, columns: &str) -> String {
        self.wrong(&format!(
            "gives {columns} columns: it must give id, name, active and, if wanted, hidden; write 1 for active where every \
             account is"
        ))
    }
}

/// Whether a text says yes: some databases and frameworks write flags so.
fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "true" | "TRUE" => Some(true),
        "0" | "f" | "false" | "FALSE" => Some(false),
        _ => text.parse::<i64>().ok().map(|number| number != 0),
    }
}
