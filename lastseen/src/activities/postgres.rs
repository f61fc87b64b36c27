//! The last activities in a site's PostgreSQL database.

use std::fmt;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, Row};

use super::{PAGE, SqlActivities, SqlActivity, address, date};
use crate::store::postgres::target::Target;
use crate::store::postgres::{Date, Kind, PostgresError};

const DOING: &str = "reading last activities";

/// How long a connection may take to be made.
const CONNECTING: Duration = Duration::from_secs(5);

/// How long a page may take: the first of a view that has to be sorted is its slowest.
const READING: Duration = Duration::from_mins(1);

pub(super) struct Source {
    target: Target,
    /// In a transaction, which ends with it.
    client: Client,
    dated: bool,
}

impl SqlActivities {
    /// Reads from the PostgreSQL database that the URL names; [`PostgresStore`](crate::PostgresStore) says how.
    ///
    /// # Errors
    ///
    /// Where the URL is wrong, the server can't be reached or refuses the role, or the query can't be asked:
    /// [`is_query`](PostgresError::is_query).
    #[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
    pub async fn postgres(url: &str, query: &str) -> Result<Self, PostgresError> {
        let target = Target::new(url)?;
        let (client, wire) = target.connect(CONNECTING).await?;
        tokio::spawn(async move {
            if let Err(error) = wire.await {
                tracing::debug!(%error, "a connection to PostgreSQL ended");
            }
        });
        let mut source = Source { target, client, dated: false };
        source.begin(query).await?;
        Ok(Self(super::Source::Postgres(Box::new(source))))
    }
}

impl Source {
    async fn begin(&mut self, query: &str) -> Result<(), PostgresError> {
        let query = query.trim_end_matches(|end: char| end == ';' || end.is_whitespace());
        let wrong = |what: &str| PostgresError::new(Kind::Query, format!("the query {query:?} {what}"));
        let columns = self.columns(query).await.map_err(|error| {
            // Class 42: syntax, and names that there aren't.
            let is_query = error.sqlstate().is_some_and(|code| code.starts_with("42")) && !error.is_denied();
            let what = format!("the query {query:?} can't be asked of {}", self.target);
            if is_query { error.as_kind(Kind::Query, what) } else { error }
        })?;
        let Some((at, ip)) = columns else {
            return Err(wrong("must give two or three columns: the user's key, a date, an address"));
        };
        let (at, dated) = match at.as_str() {
            "timestamp with time zone" => ("at", true),
            "timestamp without time zone" => ("at AT TIME ZONE 'UTC'", true),
            "date" => ("at::timestamp AT TIME ZONE 'UTC'", true),
            "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" | "text"
            | "character varying" | "character" => ("at::text", false),
            other => return Err(wrong(&format!("gives {other} as its second column: it must be a date or seconds"))),
        };
        self.dated = dated;
        let (names, ip) = match ip.as_deref() {
            None => ("who, at", "NULL::text"),
            Some("inet" | "cidr") => ("who, at, ip", "host(ip)"),
            Some(_) => ("who, at, ip", "ip::text"),
        };
        // What stands in parentheses can be but one SELECT.
        self.run(&format!(
            "BEGIN READ ONLY; DECLARE lastseen NO SCROLL CURSOR FOR \
             SELECT who::text, {at}, {ip} FROM (\n{query}\n) AS site ({names})"
        ))
        .await
    }

    /// The types of the second column and the third, if there is one; `None` where there are too few or too many.
    async fn columns(&self, query: &str) -> Result<Option<(String, Option<String>)>, PostgresError> {
        let mut found = None;
        // More columns can't be named than there are.
        for (names, ip) in [("who, at", "NULL"), ("who, at, ip", "pg_typeof(ip)::text"), ("who, at, ip, more", "NULL")]
        {
            let sql = format!(
                "SELECT pg_typeof(at)::text, {ip} FROM (SELECT) AS one \
                 LEFT JOIN (SELECT * FROM (\n{query}\n) AS asked LIMIT 0) AS site ({names}) ON true"
            );
            match self.ask(&sql).await {
                Err(error) if error.is(&SqlState::INVALID_COLUMN_REFERENCE) => return Ok(found),
                Err(error) => return Err(error),
                Ok(_) if names.ends_with("more") => return Ok(None),
                Ok(rows) => {
                    let types = |row: &Row| -> Result<_, Error> { Ok((row.try_get(0)?, row.try_get(1)?)) };
                    found = rows.first().map(types).transpose().map_err(|error| self.target.failed(DOING, error))?;
                }
            }
        }
        Ok(found)
    }

    pub(super) async fn next(&mut self) -> Result<Vec<SqlActivity>, PostgresError> {
        let rows = self.ask(&format!("FETCH {PAGE} FROM lastseen")).await?;
        let activities: Result<Vec<_>, Error> = rows.iter().map(|row| activity(row, self.dated)).collect();
        activities.map_err(|error| self.target.failed(DOING, error))
    }

    async fn ask(&self, sql: &str) -> Result<Vec<Row>, PostgresError> {
        self.within(self.client.query_typed(sql, &[])).await
    }

    async fn run(&self, sql: &str) -> Result<(), PostgresError> {
        self.within(self.client.batch_execute(sql)).await
    }

    async fn within<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, PostgresError> {
        if let Ok(answer) = timeout(READING, answer).await {
            return answer.map_err(|error| self.target.failed(DOING, error));
        }
        let message = format!("{} gave no answer within {READING:?} while {DOING}", self.target);
        Err(PostgresError::new(Kind::Unavailable, message))
    }
}

fn activity(row: &Row, dated: bool) -> Result<SqlActivity, Error> {
    let user = row.try_get::<_, Option<&str>>(0)?.map(str::to_owned);
    let at = if dated {
        Ok(row.try_get::<_, Option<Date>>(1)?.map(|date| date.0))
    } else {
        row.try_get::<_, Option<&str>>(1)?.map_or(Ok(None), date)
    };
    let ip = row.try_get::<_, Option<&str>>(2)?.map_or(Ok(None), address);
    Ok(SqlActivity { user: Ok(user), at, ip })
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlActivities").field("target", &self.target.to_string()).finish_non_exhaustive()
    }
}
