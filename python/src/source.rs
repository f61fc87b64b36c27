//! Which store: `memory:`, `sqlite:PATH`, `postgres://...`, `redis://...`, `http://...`, or an object of Python's.

use std::path::PathBuf;
use std::sync::Arc;

use lastseen::{HttpStore, MemoryStore, PostgresStore, RedisStore, SqliteStore};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::calls::Calls;
use crate::failure::Failure;
use crate::object::Object;
use crate::store::Opened;

const KNOWN: &str = "memory:, sqlite:PATH, postgres://HOST/DATABASE, redis://HOST, redis+cluster://HOST,HOST, or \
    http://HOST:PORT for a lastseen server";

/// Where the records are kept.
#[derive(Clone)]
pub(crate) enum Source {
    Memory,
    Sqlite(PathBuf),
    Postgres(String),
    Redis(String),
    /// A `lastseen` server.
    Http(String),
    Object(Arc<Py<PyAny>>),
}

impl Source {
    /// A URL, or an object with a store's methods.
    pub(crate) fn of(store: &Bound<'_, PyAny>) -> PyResult<Self> {
        match store.cast::<PyString>() {
            Ok(url) => Self::read(url.to_cow()?.as_ref()).map_err(PyValueError::new_err),
            Err(_) => Ok(Self::Object(Arc::new(store.clone().unbind()))),
        }
    }

    fn read(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
        match scheme {
            "memory" if rest.is_empty() => Ok(Self::Memory),
            "sqlite" => match rest.strip_prefix("//").unwrap_or(rest) {
                "" => Err(format!("{url:?} names no file: write sqlite:PATH, such as sqlite:lastseen.db")),
                path => Ok(Self::Sqlite(path.into())),
            },
            "postgres" | "postgresql" if rest.starts_with("//") => Ok(Self::Postgres(url.to_owned())),
            "redis" | "rediss" | "redis+sentinel" | "rediss+sentinel" | "redis+cluster" | "rediss+cluster"
                if rest.starts_with("//") =>
            {
                Ok(Self::Redis(url.to_owned()))
            }
            "http" | "https" if rest.starts_with("//") => Ok(Self::Http(url.to_owned())),
            // Not the whole of it, which may have a password.
            _ => Err(format!("{scheme:?} is no kind of store: write {KNOWN}")),
        }
    }

    /// The object of Python's that it is, if it is one.
    pub(crate) fn object(&self) -> Option<&Arc<Py<PyAny>>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    pub(crate) async fn open(&self, calls: Option<&Calls>) -> Result<Opened, Failure> {
        Ok(match self {
            Self::Memory => Opened::Memory(MemoryStore::new()),
            Self::Sqlite(path) => Opened::Sqlite(SqliteStore::open(path).await.map_err(|error| Failure::of(&error))?),
            Self::Postgres(url) => {
                Opened::Postgres(PostgresStore::connect(url).await.map_err(|error| Failure::of(&error))?)
            }
            Self::Redis(url) => Opened::Redis(RedisStore::connect(url).await.map_err(|error| Failure::of(&error))?),
            Self::Http(url) => Opened::Http(HttpStore::connect(url).await.map_err(|error| Failure::of(&error))?),
            Self::Object(object) => {
                let calls = calls.cloned().ok_or_else(|| Failure::new("no thread to call Python on"))?;
                Opened::Object(Object { object: Arc::clone(object), calls })
            }
        })
    }
}
