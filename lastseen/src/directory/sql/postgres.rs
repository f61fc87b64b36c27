//! The site's users in a PostgreSQL database.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Error, Row};

use super::{FLAGS, OTHER_PLACES, Query, SqlDirectory, flag};
use crate::store::postgres::pool::{Limits, Pool};
use crate::store::postgres::target::Target;
use crate::store::postgres::{Kind, PostgresError, PostgresKey};
use crate::{Profile, UserId};

const ASKING: &str = "asking who users are";

pub(super) struct Source {
    target: Arc<Target>,
    pool: Pool,
    query: Query,
    /// `None` until the server has been reached.
    question: Mutex<Option<Arc<Question>>>,
}

/// The query as it is asked: what the key can be compared with has been found out.
struct Question {
    sql: String,
    key: PostgresKey,
}

impl SqlDirectory {
    /// A directory over the PostgreSQL database that the URL names; [`PostgresStore`](crate::PostgresStore) says how.
    ///
    /// The key may be text, an integer or a uuid. A server that can't be reached is no error here: it is tried again, at
    /// most once a second, whenever somebody is asked for.
    ///
    /// # Errors
    ///
    /// Where trying again can't help: the URL is wrong, the role is refused, the database isn't there, or the query can't
    /// be asked: [`is_query`](PostgresError::is_query).
    #[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
    pub async fn postgres(url: &str, query: &str) -> Result<Self, PostgresError> {
        let query = Query::new(query).map_err(|message| PostgresError::new(Kind::Query, message))?;
        if has_places(&query) {
            return Err(PostgresError::new(Kind::Query, query.wrong(OTHER_PLACES)));
        }
        let target = Arc::new(Target::new(url)?);
        let pool = Pool::new(target.clone(), Limits { connections: 2, ..Limits::default() })?;
        let source = Source { target, pool, query, question: Mutex::new(None) };
        match source.question().await {
            Err(error) if error.is_unavailable() || error.is_read_only() => {
                tracing::warn!(%error, "users can't be asked for yet, will be tried again");
                Ok(Self(super::Source::Postgres(source)))
            }
            outcome => outcome.map(|_| Self(super::Source::Postgres(source))),
        }
    }
}

impl Source {
    pub(super) async fn ask(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, PostgresError> {
        let question = self.question().await?;
        let ids: Vec<&str> = users.iter().filter(|user| question.key.fits(user)).map(UserId::as_str).collect();
        let rows = self.pool.query(ASKING, &question.sql, &[(&ids, Type::TEXT_ARRAY)]).await?;
        let mut profiles = Vec::with_capacity(rows.len());
        for row in &rows {
            let profile = profile(row).map_err(|error| self.target.failed(ASKING, error))?;
            profiles.extend(profile.map_err(|what| PostgresError::new(Kind::Query, self.query.wrong(&what)))?);
        }
        Ok(profiles)
    }

    async fn question(&self) -> Result<Arc<Question>, PostgresError> {
        if let Some(question) = &*self.question.lock() {
            return Ok(question.clone());
        }
        let key = self.key().await?;
        let columns = match self.columns(key).await? {
            3 => "id::text, name::text, active::text, NULL FROM (\n{}\n) AS site (id, name, active)",
            _ => "id::text, name::text, active::text, hidden::text FROM (\n{}\n) AS site (id, name, active, hidden)",
        };
        let sql = format!("SELECT {}", columns.replacen("{}", &self.text(key), 1));
        let question = Arc::new(Question { sql, key });
        *self.question.lock() = Some(question.clone());
        Ok(question)
    }

    /// The query, to stand in parentheses: so it can be but one SELECT.
    fn text(&self, key: PostgresKey) -> String {
        let text = self.query.with(&format!("(SELECT unnest($1)::{key})"));
        text.trim_end_matches(|end: char| end == ';' || end.is_whitespace()).to_owned()
    }

    /// What the key can be compared with: whether there is an operator for it tells.
    async fn key(&self) -> Result<PostgresKey, PostgresError> {
        for key in [PostgresKey::Text, PostgresKey::Bigint, PostgresKey::Uuid] {
            match self.try_out(&format!("SELECT FROM (\n{}\n) AS site LIMIT 0", self.text(key))).await {
                Err(error) if error.is(&SqlState::UNDEFINED_FUNCTION) => {}
                outcome => return outcome.map(|()| key),
            }
        }
        let what = "compares the ids with what is neither text nor an integer nor a uuid: name the users' key";
        Err(PostgresError::new(Kind::Query, self.query.wrong(what)))
    }

    /// How many columns it has: more can't be named than there are.
    async fn columns(&self, key: PostgresKey) -> Result<usize, PostgresError> {
        let text = self.text(key);
        for (columns, names) in [(5, "a, b, c, d, e"), (4, "a, b, c, d"), (3, "a, b, c")] {
            match self.try_out(&format!("SELECT FROM (\n{text}\n) AS site ({names}) LIMIT 0")).await {
                Ok(()) if columns == 5 => {
                    return Err(PostgresError::new(Kind::Query, self.query.wrong_columns("more than 4")));
                }
                Err(error) if error.is(&SqlState::INVALID_COLUMN_REFERENCE) => {}
                outcome => return outcome.map(|()| columns),
            }
        }
        Err(PostgresError::new(Kind::Query, self.query.wrong_columns("fewer than 3")))
    }

    /// Asks for nobody.
    async fn try_out(&self, sql: &str) -> Result<(), PostgresError> {
        let nobody: [&str; 0] = [];
        let outcome = self.pool.query(ASKING, sql, &[(&nobody.as_slice(), Type::TEXT_ARRAY)]).await;
        outcome.map(drop).map_err(|error| {
            // Class 42: syntax, and names that there aren't.
            let is_query = error.sqlstate().is_some_and(|code| code.starts_with("42")) && !error.is_denied();
            let what = || self.query.wrong(&format!("can't be asked of {}", self.target));
            if is_query { error.as_kind(Kind::Query, what()) } else { error }
        })
    }
}

/// Whether it has a `$1` or the like. The server would say so too, by the code with which a pooler says that it can't
/// reach the server.
fn has_places(query: &Query) -> bool {
    let text = query.with("");
    text.as_bytes().windows(2).any(|pair| pair[0] == b'$' && pair[1].is_ascii_digit())
}

/// Whose profile the row is and which; `None` for a key that is no user's id, and what is wrong where a flag is none.
fn profile(row: &Row) -> Result<Result<Option<(UserId, Profile)>, String>, Error> {
    let text = |column| row.try_get::<_, Option<&str>>(column);
    let Some(user) = text(0)?.and_then(|id| UserId::new(id).ok()) else { return Ok(Ok(None)) };
    let profile = text(1)?.map_or_else(Profile::new, Profile::named);
    let (active, hidden) = (text(2)?.unwrap_or("f"), text(3)?.unwrap_or("f"));
    Ok(match (flag(active), flag(hidden)) {
        (Some(active), Some(hidden)) => Ok(Some((user, profile.active(active).hidden(hidden)))),
        _ => Err(format!("gives a wrong column: {FLAGS}")),
    })
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlDirectory")
            .field("target", &self.target.to_string())
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}
