//! Why a PostgreSQL server could not be used, opaque, with predicates.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use tokio_postgres::error::SqlState;

/// Why a PostgreSQL server could not be reached, or did not do as it was told.
///
/// Its text names the server, the value at fault and what would be right; [`source`](StdError::source) leads to the
/// server's or the system's own words. A password is in none of them. Clones share it: all who waited for one attempt to
/// connect are told the same.
#[derive(Clone)]
pub struct PostgresError(Arc<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    code: Option<SqlState>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The URL or a setting is wrong.
    Invalid,
    /// No answer, or the server can't serve now.
    Unavailable,
    /// The server refuses the role, or what the role wants to do.
    Denied,
    /// It, or this database, takes no writes now.
    ReadOnly,
    /// A database, schema, table or column isn't there.
    Missing,
    /// A table by the name of one of ours, which isn't.
    Foreign,
    /// Tables of a schema that this version doesn't know.
    Newer,
    /// The tables are there, with another key or foreign key than was asked for.
    Mismatch,
    /// A query that was handed in is wrong.
    Query,
    /// Anything else.
    Other,
}

impl PostgresError {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner { kind, message: message.into(), code: None, source: None }))
    }

    pub(crate) fn because(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let Inner { kind, message, code, .. } = &*self.0;
        let (kind, message, code) = (*kind, message.clone(), code.clone());
        Self(Arc::new(Inner { kind, message, code, source: Some(source.into()) }))
    }

    pub(crate) fn from_server(kind: Kind, message: impl Into<String>, error: tokio_postgres::Error) -> Self {
        let code = error.code().cloned();
        Self(Arc::new(Inner { kind, message: message.into(), code, source: Some(error.into()) }))
    }

    /// The same cause, told by other words.
    pub(crate) fn as_kind(&self, kind: Kind, message: impl Into<String>) -> Self {
        let cause = Self(self.0.clone());
        Self(Arc::new(Inner { kind, message: message.into(), code: self.0.code.clone(), source: Some(cause.into()) }))
    }

    pub(crate) fn is(&self, code: &SqlState) -> bool {
        self.0.code.as_ref() == Some(code)
    }

    /// The server's five characters for what went wrong, such as `28P01`, where it answered.
    #[must_use]
    pub fn sqlstate(&self) -> Option<&str> {
        self.0.code.as_ref().map(SqlState::code)
    }

    /// The URL, or a setting, is wrong: the same one can't succeed.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.0.kind == Kind::Invalid
    }

    /// The server can't be reached, doesn't answer in time, or says that it can't serve now: trying again may succeed.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.0.kind == Kind::Unavailable
    }

    /// The server refuses the role (there is none by that name, or the password is wrong), or the role lacks a privilege.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.0.kind == Kind::Denied
    }

    /// The server takes no writes: it is a standby, or was made read-only. Trying again may succeed.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.0.kind == Kind::ReadOnly
    }

    /// There is no such database, schema, table or column, and it may not be made.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.0.kind == Kind::Missing
    }

    /// There is a table by that name, and it isn't lastseen's. It has been left as it was.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.0.kind == Kind::Foreign
    }

    /// A newer version made the tables, with a schema that this one doesn't know. They have been left as they were.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        self.0.kind == Kind::Newer
    }

    /// The key's type, or the foreign key, differs from the tables that are there. They have been left as they were.
    #[must_use]
    pub fn is_mismatch(&self) -> bool {
        self.0.kind == Kind::Mismatch
    }

    /// The query of a [`SqlDirectory`](crate::SqlDirectory) is wrong: the same one can't succeed.
    #[must_use]
    pub fn is_query(&self) -> bool {
        self.0.kind == Kind::Query
    }
}

/// Whether it comes to no answer: the connection failed or ended, or the server said that it can't serve.
pub(super) fn is_no_answer(error: &tokio_postgres::Error) -> bool {
    if let Some(code) = error.code() {
        let serves_not_now = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::DATABASE_DROPPED,
            SqlState::IDLE_SESSION_TIMEOUT,
        ];
        // Class 08 is about connections: PgBouncer answers so for a server behind it.
        return serves_not_now.contains(code) || code.code().starts_with("08");
    }
    if error.is_closed() {
        return true;
    }
    // A certificate that isn't trusted comes as an error of I/O too, and stays untrusted.
    io_error(error).is_some_and(|error| !is_by_rustls(error))
}

/// Whether the server may well do it later: it lacks connections, memory or disk, or another's lock or its own limit of time
/// ended the statement.
pub(super) fn is_for_now(code: &SqlState) -> bool {
    // Class 53 is about resources.
    code.code().starts_with("53") || [SqlState::QUERY_CANCELED, SqlState::LOCK_NOT_AVAILABLE].contains(code)
}

/// Whether the server was reached and isn't what `target_session_attrs` asks for. The driver tells it so.
pub(super) fn is_unfit(error: &tokio_postgres::Error) -> bool {
    io_error(error)
        .is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none())
}

/// Whether the server was reached and TLS with it failed.
pub(super) fn is_tls_failure(error: &tokio_postgres::Error) -> bool {
    io_error(error).is_some_and(is_by_rustls)
}

fn is_by_rustls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn StdError + Send + Sync>::is::<rustls::Error>)
}

fn io_error(error: &tokio_postgres::Error) -> Option<&io::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        cause = error.source();
    }
    None
}

impl fmt::Display for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresError")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for PostgresError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
