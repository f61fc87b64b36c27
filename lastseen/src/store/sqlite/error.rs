//! Why a SQLite file could not be used, opaque, with predicates.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

/// Why a SQLite file could not be opened, read or written.
///
/// Its text names the file and what would be right; [`source`](StdError::source) leads to SQLite's or the system's
/// own words. Clones share it: all who waited for one commit are told the same.
#[derive(Clone)]
pub struct SqliteError(Arc<Inner>);

struct Inner {
    kind: Kind,
    path: PathBuf,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Not a database, or not one of this crate's.
    Foreign,
    /// A database whose pages contradict each other.
    Damaged,
    /// Of a schema that this version doesn't know.
    Newer,
    /// The file or its directory can't be written.
    ReadOnly,
    /// Another process held it for too long.
    Busy,
    /// A query that was handed in is wrong.
    Query,
    /// Anything else.
    Other,
}

impl SqliteError {
    pub(crate) fn new(kind: Kind, path: &Path, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner { kind, path: path.to_owned(), message: message.into(), source: None }))
    }

    /// The system refused something.
    pub(crate) fn io(path: &Path, message: impl Into<String>, error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Kind::ReadOnly,
            _ => Kind::Other,
        };
        Self::new(kind, path, message).because(error)
    }

    /// SQLite failed while `doing`, such as "reading a record from it".
    pub(crate) fn sqlite(path: &Path, doing: &str, error: rusqlite::Error) -> Self {
        let shown = path.display();
        let (kind, message) = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                (Kind::Busy, format!("{shown} stayed locked by another process while {doing}: end what holds it"))
            }
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (
                Kind::ReadOnly,
                format!("{shown} is read-only while {doing}: the file and its directory must be writable"),
            ),
            Some(ErrorCode::NotADatabase) => (
                Kind::Foreign,
                format!(
                    "{shown} is not a SQLite database: name a file of lastseen's own, or one that doesn't exist yet"
                ),
            ),
            Some(ErrorCode::DatabaseCorrupt) => (Kind::Damaged, damaged(path)),
            Some(ErrorCode::DiskFull) => (Kind::Other, format!("the disk of {shown} is full while {doing}: make room")),
            _ => (Kind::Other, format!("{shown} failed while {doing}")),
        };
        Self::new(kind, path, message).because(error)
    }

    pub(crate) fn because(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let Inner { kind, path, message, .. } = &*self.0;
        Self(Arc::new(Inner { kind: *kind, path: path.clone(), message: message.clone(), source: Some(source.into()) }))
    }

    /// The file that it is about.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The file is no SQLite database, or belongs to another application. It has been left as it was.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.0.kind == Kind::Foreign
    }

    /// The file is damaged: [`SqliteStore::recover`](crate::SqliteStore::recover) sets it aside. Where this is said at opening
    /// it has been left as it was.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.0.kind == Kind::Damaged
    }

    /// The file was written by a newer version, with a schema that this one doesn't know. It has been left as it was.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        self.0.kind == Kind::Newer
    }

    /// The file, or the directory that it lies in, may not be written.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.0.kind == Kind::ReadOnly
    }

    /// Another process held the file for longer than the 5 seconds for which it is waited for. Trying again may succeed.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.0.kind == Kind::Busy
    }

    /// The query of a [`SqlDirectory`](crate::SqlDirectory) is wrong: the same one can't succeed.
    #[must_use]
    pub fn is_query(&self) -> bool {
        self.0.kind == Kind::Query
    }
}

pub(super) fn damaged(path: &Path) -> String {
    format!("{} is damaged: restore it from a copy, or set it aside and begin anew", path.display())
}

impl fmt::Display for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteError")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for SqliteError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sqlite_says_is_told_apart() {
        let error = |code| {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            SqliteError::sqlite(Path::new("/srv/lastseen.db"), "writing", error)
        };
        let busy = error(rusqlite::ffi::SQLITE_BUSY);
        assert!(busy.is_busy() && !busy.is_read_only());
        assert_eq!(
            busy.to_string(),
            "/srv/lastseen.db stayed locked by another process while writing: end what holds it"
        );
        assert!(error(rusqlite::ffi::SQLITE_READONLY_DBMOVED).is_read_only());
        assert!(error(rusqlite::ffi::SQLITE_NOTADB).is_foreign());
        assert!(error(rusqlite::ffi::SQLITE_CORRUPT).is_damaged());
        assert!(error(rusqlite::ffi::SQLITE_FULL).to_string().contains("is full"));
        let source = busy.source().expect("SQLite's own words").to_string();
        assert!(source.contains("locked"), "{source}");
    }
}
