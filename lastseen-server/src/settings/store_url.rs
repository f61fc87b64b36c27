//! Which store: `memory:`, `sqlite:PATH`, `postgres://...` or `redis://...`.

use std::fmt;
use std::path::PathBuf;

use crate::value::Value;

/// Where the records are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// `memory:`, which ends with the process.
    Memory,
    /// `sqlite:PATH`, a database file that any number of processes on one machine share.
    Sqlite(PathBuf),
    /// `postgres://...`, a database that any number of machines share. The URL has a password in it, as a rule.
    Postgres(String),
    /// `redis://...`, `redis+sentinel://...` or `redis+cluster://...`, or with TLS `rediss` for `redis`: a server, or several,
    /// that any number of machines share. The URL may have a password in it.
    Redis(String),
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => write!(f, "postgres://{}", place(url)),
            Self::Redis(url) => {
                let scheme = url.split_once("://").map_or("redis", |(scheme, _)| scheme);
                write!(f, "{scheme}://{}", place(url))
            }
        }
    }
}

/// Where a database is, without who asks and with what password: for pages and logs.
fn place(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    rest.split_once('?').map_or(rest, |(place, _)| place)
}

/// All kinds of store, as their URLs are written.
pub(super) const KNOWN: &str = "memory:, sqlite:PATH, postgres://HOST/DATABASE, redis://HOST, redis+sentinel://HOST,HOST/SERVICE or \
    redis+cluster://HOST,HOST";

impl Value for StoreUrl {
    fn read(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(format!("{text:?} is not a store: write {KNOWN}, such as sqlite:lastseen.db"));
        };
        match scheme {
            "memory" if rest.is_empty() => Ok(Self::Memory),
            "memory" => Err(format!("{text:?} is not a store: memory: takes nothing after it")),
            "sqlite" => {
                // Other tools write sqlite://relative.db and sqlite:///absolute.db.
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if path.is_empty() {
                    return Err(format!("{text:?} names no file: write sqlite:PATH, such as sqlite:lastseen.db"));
                }
                Ok(Self::Sqlite(path.into()))
            }
            "postgres" | "postgresql" if rest.starts_with("//") => Ok(Self::Postgres(text.to_owned())),
            "redis" | "rediss" | "redis+sentinel" | "rediss+sentinel" | "redis+cluster" | "rediss+cluster"
                if rest.starts_with("//") =>
            {
                Ok(Self::Redis(text.to_owned()))
            }
            "postgres" | "postgresql" | "redis" | "rediss" | "redis+cluster" => {
                Err(format!("{scheme}: is followed by //: write {KNOWN}"))
            }
            _ => Err(format!("{scheme:?} is no kind of store: write {KNOWN}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_round_trip() {
        for url in ["memory:", "sqlite:lastseen.db", "sqlite:/var/lib/lastseen/db", "sqlite:a:b.db"] {
            assert_eq!(StoreUrl::read(url).unwrap().to_string(), url);
        }
        assert_eq!(StoreUrl::read("sqlite:///var/x.db").unwrap(), StoreUrl::Sqlite("/var/x.db".into()));
        assert_eq!(StoreUrl::read("sqlite://x.db").unwrap(), StoreUrl::Sqlite("x.db".into()));
    }

    #[test]
    fn a_password_is_not_shown() {
        for (url, shown) in [
            ("postgres://site:p@ss@db.example/site?sslmode=require", "postgres://db.example/site"),
            ("postgresql://db:5433/site?user=site&password=secret", "postgres://db:5433/site"),
            ("redis://:secret@db/3?keep_days=90", "redis://db/3"),
            ("rediss+sentinel://ada:secret@a,b/main?sentinel_password=secret", "rediss+sentinel://a,b/main"),
            ("redis+cluster://ada:secret@a:1,b:2", "redis+cluster://a:1,b:2"),
        ] {
            assert_eq!(StoreUrl::read(url).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_store_is_named_beside_what_is() {
        for (url, named) in [
            ("lastseen.db", "\"lastseen.db\""),
            ("mysql://x", "\"mysql\""),
            ("postgres:x", "is followed by //"),
            ("redis:x", "is followed by //"),
            ("redis+ring://a,b", "\"redis+ring\""),
            ("sqlite:", "names no file"),
            ("memory:x", "memory:x"),
        ] {
            let error = StoreUrl::read(url).unwrap_err();
            assert!(error.contains(named), "{error}");
            assert!(error.contains("memory:") || error.contains("sqlite:PATH"), "{error}");
        }
    }
}
