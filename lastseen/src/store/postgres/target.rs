//! Which server and database a URL names, how to get there, and what failed on the way, in words.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::{Kind, PostgresError, is_for_now, is_no_answer, is_tls_failure, is_unfit};
use super::tls::{self, Security};
use crate::store::random::random;

/// A database on a server, and as whom.
#[derive(Clone)]
pub(crate) struct Target {
    config: Config,
    /// The same, once for each host of the URL.
    ways: Vec<Config>,
    pub tls: MakeRustlsConnect,
}

/// The driver's end of a connection, which has to be driven.
pub(crate) type Wire = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

impl Target {
    pub(crate) fn new(url: &str) -> Result<Self, PostgresError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        // Without the credentials, which are no one's to see.
        let shown = || match base.split_once("://") {
            Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host)),
            None => base.split(':').next().unwrap_or_default().to_owned(),
        };
        let invalid = |what: String| PostgresError::new(Kind::Invalid, format!("the URL {:?} {what}", shown()));
        if !base.starts_with("postgres://") && !base.starts_with("postgresql://") {
            return Err(invalid(
                "is no PostgreSQL URL: it must begin with postgres://, as in \
                                postgres://role:password@host:5432/database"
                    .into(),
            ));
        }

        // These two mean more than the driver knows.
        let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", value)) => mode = Some(decoded(value)),
                Some(("sslrootcert", value)) => roots = Some(decoded(value)),
                _ => rest.push(parameter),
            }
        }
        let security = Security::from_url(mode.as_deref(), roots.as_deref()).map_err(&invalid)?;
        let read = |base: &str| {
            let plain = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
            let mut config =
                Config::from_str(&plain).map_err(|error| invalid("can't be read".into()).because(error))?;
            config.ssl_mode(match security {
                Security::Disable => SslMode::Disable,
                Security::Prefer => SslMode::Prefer,
                Security::Require | Security::VerifyCa | Security::VerifyFull => SslMode::Require,
            });
            if config.get_application_name().is_none() {
                config.application_name("lastseen");
            }
            Ok(config)
        };
        let config = read(base)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(invalid("names no host: write one, or ?host=/var/run/postgresql for a Unix socket".into()));
        }
        let ways = a_url_a_host(base).iter().map(|base| read(base)).collect::<Result<_, _>>()?;
        let tls = tls::connector(security, roots.as_deref()).map_err(|error| {
            let what = match &roots {
                Some(file) => {
                    format!("names the certificates {file:?} as sslrootcert: they must be a readable PEM file")
                }
                None => "needs this machine's certificates: name others by sslrootcert=FILE".to_owned(),
            };
            invalid(what).because(error)
        })?;
        Ok(Self { config, ways, tls })
    }

    /// Connects to the first of the hosts that will have it. Each is given so long: one that has gone silent hides none that
    /// comes after it.
    pub(crate) async fn connect(&self, within: Duration) -> Result<(Client, Wire), PostgresError> {
        let first = match self.config.get_load_balance_hosts() {
            LoadBalanceHosts::Random => usize::try_from(random() >> 32).unwrap_or(0),
            _ => 0,
        };
        let mut failure: Option<PostgresError> = None;
        for way in self.ways.iter().cycle().skip(first % self.ways.len()).take(self.ways.len()) {
            let error = match timeout(within, way.connect(self.tls.clone())).await {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(error)) => self.refused(error),
                Err(_) => {
                    let message = format!("{self} can't be reached: no connection within {within:?}");
                    PostgresError::new(Kind::Unavailable, message)
                }
            };
            // That another host can't be reached tells less than what one that was reached has said.
            failure = failure.filter(|_| error.is_unavailable()).or(Some(error));
        }
        Err(failure.unwrap_or_else(|| PostgresError::new(Kind::Invalid, format!("{self} has no host"))))
    }

    fn role(&self) -> &str {
        self.config.get_user().unwrap_or("(the system user's name)")
    }

    /// Why it could not be connected to.
    pub(super) fn refused(&self, error: tokio_postgres::Error) -> PostgresError {
        let (kind, what) = match error.code() {
            Some(code) if *code == SqlState::INVALID_PASSWORD => (
                Kind::Denied,
                format!("refuses the password of the role {}: put the right one in the URL", self.role()),
            ),
            Some(code) if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => (
                Kind::Denied,
                format!(
                    "doesn't let the role {} in: there must be such a role, and a line for it in pg_hba.conf",
                    self.role()
                ),
            ),
            Some(code) if *code == SqlState::INVALID_CATALOG_NAME => {
                (Kind::Missing, "has no such database: create it, or name another in the URL".to_owned())
            }
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
                (Kind::Denied, format!("doesn't let the role {} in: grant it CONNECT on the database", self.role()))
            }
            _ if is_unfit(&error) => {
                (Kind::ReadOnly, "has no server such as target_session_attrs asks for".to_owned())
            }
            _ if is_no_answer(&error) => (Kind::Unavailable, "can't be reached".to_owned()),
            Some(code) if is_for_now(code) => (Kind::Unavailable, "takes no more connections now".to_owned()),
            None if is_tls_failure(&error) => (
                Kind::Other,
                "has no certificate that is trusted for it: name the right ones by sslrootcert, or ask for less by sslmode"
                    .to_owned(),
            ),
            // The driver tells these two by its text alone.
            None if self.config.get_ssl_mode() == SslMode::Require => (
                Kind::Other,
                "can't be connected to, for the reason in the source: TLS is a must unless the URL says sslmode=prefer, and a \
                 password that is asked for goes into the URL"
                    .to_owned(),
            ),
            None if self.config.get_password().is_none() => (
                Kind::Other,
                "can't be connected to, for the reason in the source: a password that is asked for goes into the URL".to_owned(),
            ),
            _ => (Kind::Other, "can't be connected to, for the reason in the source".to_owned()),
        };
        PostgresError::from_server(kind, format!("{self} {what}"), error)
    }

    /// What the server says to a question within so long, asked while `doing`.
    pub(crate) async fn answers<T>(
        &self,
        doing: &str,
        within: Duration,
        question: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, PostgresError> {
        match timeout(within, question).await {
            Ok(answer) => answer.map_err(|error| self.failed(doing, error)),
            Err(_) => Err(self.silent(doing, within)),
        }
    }

    /// That the server said nothing within so long while `doing`.
    pub(super) fn silent(&self, doing: &str, within: Duration) -> PostgresError {
        PostgresError::new(Kind::Unavailable, format!("{self} gave no answer within {within:?} while {doing}"))
    }

    /// What the server said while `doing`, such as "writing".
    pub(crate) fn failed(&self, doing: &str, error: tokio_postgres::Error) -> PostgresError {
        let (kind, what) = match error.code() {
            Some(code) if *code == SqlState::READ_ONLY_SQL_TRANSACTION => (
                Kind::ReadOnly,
                format!("is read-only while {doing}: name the primary, as by target_session_attrs=read-write"),
            ),
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => (
                Kind::Denied,
                format!("refuses the role {} while {doing}: grant it what is named by the source", self.role()),
            ),
            Some(code) if *code == SqlState::UNDEFINED_TABLE || *code == SqlState::UNDEFINED_COLUMN => {
                (Kind::Missing, format!("lacks one of lastseen's tables while {doing}: they must not be taken away"))
            }
            _ if is_no_answer(&error) => (Kind::Unavailable, format!("gave no answer while {doing}")),
            Some(code) if is_for_now(code) => (Kind::Unavailable, format!("could not do it now while {doing}")),
            _ => (Kind::Other, format!("failed while {doing}")),
        };
        PostgresError::from_server(kind, format!("{self} {what}"), error)
    }
}

/// Host, port and database: what an operator knows it by.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = self.config.get_ports();
        for (number, host) in self.config.get_hosts().iter().enumerate() {
            let port = ports.get(number).or(ports.first()).copied().unwrap_or(5432);
            let separator = if number == 0 { "PostgreSQL at " } else { "," };
            match host {
                Host::Tcp(name) if name.contains(':') => write!(f, "{separator}[{name}]:{port}")?,
                Host::Tcp(name) => write!(f, "{separator}{name}:{port}")?,
                Host::Unix(path) => write!(f, "{separator}{}:{port}", path.display())?,
            }
        }
        if self.config.get_hosts().is_empty() {
            write!(f, "PostgreSQL at {:?}", self.config.get_hostaddrs())?;
        }
        match self.config.get_dbname().or(self.config.get_user()) {
            Some(database) => write!(f, "/{database}"),
            None => Ok(()),
        }
    }
}

/// A URL without parameters as one for each of its hosts.
fn a_url_a_host(base: &str) -> Vec<String> {
    let start = base.find("://").map_or(0, |at| at + 3);
    let end = base[start..].find('/').map_or(base.len(), |at| start + at);
    let hosts = base[start..end].rfind('@').map_or(start, |at| start + at + 1);
    base[hosts..end].split(',').map(|host| format!("{}{host}{}", &base[..hosts], &base[end..])).collect()
}

/// A part of a URL without its `%` sequences.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        match Target::new(url) {
            Ok(target) => panic!("{url} is {target}"),
            Err(error) => {
                assert!(error.is_invalid(), "{error:?}");
                assert!(!format!("{error:?}").contains("secret"), "{error:?}");
                error.to_string()
            }
        }
    }

    #[test]
    fn a_target_is_named_without_its_password() {
        for (url, name) in [
            ("postgres://ada:secret@db.example/site", "PostgreSQL at db.example:5432/site"),
            ("postgresql://ada@[::1]:5433", "PostgreSQL at [::1]:5433/ada"),
            ("postgres://ada@a:1,b:2/site?sslmode=disable", "PostgreSQL at a:1,b:2/site"),
            ("postgres://ada@/site?host=/run/postgresql&sslmode=prefer", "PostgreSQL at /run/postgresql:5432/site"),
        ] {
            assert_eq!(Target::new(url).unwrap_or_else(|error| panic!("{error}")).to_string(), name);
        }
    }

    #[test]
    fn each_host_of_a_url_is_a_way() {
        for (url, ways) in [
            ("postgres://ada:s,e@a:1,b/site", &["postgres://ada:s,e@a:1/site", "postgres://ada:s,e@b/site"][..]),
            ("postgres://a,[::1]:2", &["postgres://a", "postgres://[::1]:2"]),
            ("postgres:///site", &["postgres:///site"]),
        ] {
            assert_eq!(a_url_a_host(url), ways);
        }
        let target = Target::new("postgres://ada@a:1,b:2/site?target_session_attrs=read-write").unwrap();
        let ports: Vec<_> = target.ways.iter().map(Config::get_ports).collect();
        assert_eq!(ports, [[1], [2]]);
    }

    #[test]
    fn what_is_wrong_in_a_url_is_named() {
        for (url, says) in [
            ("mysql://ada:secret@db/site", "\"mysql://db/site\" is no PostgreSQL URL: it must begin with postgres://"),
            ("ada:secret", "\"ada\" is no PostgreSQL URL"),
            ("postgres://ada:secret@/site", "names no host"),
            ("postgres://ada:secret@db:port/site", "can't be read"),
            ("postgres://ada:secret@db/site?sslmode=always", "sslmode \"always\""),
            ("postgres://ada:secret@db/site?sslmode=verify-full&sslrootcert=/nowhere.pem", "\"/nowhere.pem\""),
            ("postgres://ada:secret@db/site?sslcert=x", "can't be read"),
        ] {
            let error = refused(url);
            assert!(error.contains(says), "{url}: {error}");
        }
    }
}
