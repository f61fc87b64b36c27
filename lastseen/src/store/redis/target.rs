//! Which servers a URL names, how to get there and as whom, and what failed on the way, in words.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::redis::{RedisConnectionInfo, ServerError};
use rustls::ClientConfig;
use rustls::crypto::ring;
use tokio_rustls::TlsConnector;

use super::error::{Kind, RedisError};
use crate::store::roots::trusted;

/// A server, or several that belong together, and as whom.
#[derive(Clone)]
pub(super) struct Target {
    pub shape: Shape,
    /// The server; the Sentinels; or some of the Cluster.
    pub addresses: Vec<Address>,
    pub database: u16,
    pub login: RedisConnectionInfo,
    pub sentinel_login: RedisConnectionInfo,
    pub tls: Option<TlsConnector>,
    pub wishes: Wishes,
    /// What the keys begin with.
    pub prefix: String,
}

/// What the URL says of the store itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    pub prefix: Option<String>,
    pub groups: Option<u16>,
    pub keep: Option<Duration>,
}

/// How many servers there are, and who says where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Single,
    /// Sentinels know where the primary of this name is.
    Sentinel(String),
    Cluster,
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Address {
    pub host: String,
    pub port: u16,
}

const SCHEMES: &str = "redis://, redis+sentinel:// or redis+cluster://, or with TLS rediss://, rediss+sentinel:// or \
                       rediss+cluster://";

const PARAMETERS: &str = "prefix, groups, keep_days, sentinel_user, sentinel_password, and for TLS cacert";

impl Target {
    pub(super) fn new(url: &str) -> Result<Self, RedisError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        // Without the credentials, which are no one's to see.
        let shown = match base.split_once("://") {
            Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host)),
            None => base.split(':').next().unwrap_or_default().to_owned(),
        };
        let invalid = |what: &str| RedisError::new(Kind::Invalid, format!("the URL {shown:?} {what}"));
        let (scheme, rest) = base.split_once("://").unwrap_or(("", base));
        let (secure, plain) =
            scheme.strip_prefix("rediss").map_or((false, scheme.strip_prefix("redis")), |rest| (true, Some(rest)));
        let (login, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (shape, database) = match plain {
            Some("") => (Shape::Single, path),
            Some("+sentinel") => {
                let (service, database) = path.split_once('/').unwrap_or((path, ""));
                if service.is_empty() {
                    return Err(invalid(
                        "names no service: write what the Sentinels call it, as in \
                                        redis+sentinel://host:26379/mymaster",
                    ));
                }
                (Shape::Sentinel(decoded(service)), database)
            }
            Some("+cluster") => (Shape::Cluster, path),
            _ => return Err(invalid(&format!("is no Redis URL: it must begin with {SCHEMES}"))),
        };
        let database = match database {
            "" => 0,
            number => number
                .parse::<u16>()
                .map_err(|_| invalid(&format!("names the database {number:?}: it must be a number, such as 0")))?,
        };
        if shape == Shape::Cluster && database != 0 {
            return Err(invalid(&format!("names the database {database}: a Cluster has none but 0")));
        }

        let port = if matches!(shape, Shape::Sentinel(_)) { 26_379 } else { 6_379 };
        let addresses = hosts.split(',').map(|host| Address::parse(host, port)).collect::<Option<Vec<_>>>();
        let addresses = addresses.ok_or_else(|| {
            invalid("names no host, or a port that is none: write host:port, or [address]:port for IPv6")
        })?;
        if shape == Shape::Single && addresses.len() > 1 {
            return Err(invalid("names several servers: write redis+cluster:// or redis+sentinel:// for those"));
        }

        let (mut roots, mut sentinel, mut wishes) = (None, (String::new(), String::new()), Wishes::default());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("cacert", file)) if secure => roots = Some(decoded(file)),
                Some(("sentinel_user", user)) => sentinel.0 = decoded(user),
                Some(("sentinel_password", password)) => sentinel.1 = decoded(password),
                Some(("prefix", prefix)) => wishes.prefix = Some(decoded(prefix)),
                Some(("groups", groups)) => {
                    let groups = groups.parse();
                    wishes.groups = Some(groups.map_err(|_| invalid("has a parameter groups that is no number"))?);
                }
                Some(("keep_days", days)) => {
                    let days = days.parse::<u32>();
                    let days = days.map_err(|_| invalid("has a parameter keep_days that is no number"))?;
                    wishes.keep = Some(Duration::from_hours(24) * days);
                }
                _ => {
                    let name = parameter.split('=').next().unwrap_or_default();
                    return Err(invalid(&format!("has the parameter {name:?}: there are {PARAMETERS}")));
                }
            }
        }
        let tls = secure.then(|| tls(roots.as_deref())).transpose().map_err(|error| {
            match &roots {
                Some(file) => {
                    invalid(&format!("names the certificates {file:?} as cacert: they must be a readable PEM file"))
                }
                None => invalid("needs this machine's certificates: name others by cacert=FILE"),
            }
            .because(error)
        })?;
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        if !user.is_empty() && password.is_empty() {
            return Err(invalid("has a user and no password: write user:password@, or :password@ without a user"));
        }
        let login = self::login(&decoded(user), &decoded(password));
        let sentinel_login = self::login(&sentinel.0, &sentinel.1);
        Ok(Self { shape, addresses, database, login, sentinel_login, tls, wishes, prefix: String::new() })
    }

    fn user(&self) -> &str {
        self.login.username().unwrap_or("default")
    }

    /// Why the server at `address` could not be connected to.
    pub(super) fn refused(&self, address: &Address, error: ::redis::RedisError) -> RedisError {
        let (kind, what) = match error.code() {
            Some("WRONGPASS") => (Kind::Denied, self.wrong_password()),
            Some("NOAUTH") => {
                (Kind::Denied, "asks for a password: put it in the URL, as in redis://user:password@host".into())
            }
            Some("NOPERM") => (Kind::Denied, self.lacks("what connecting needs")),
            _ if error.kind() == ::redis::ErrorKind::AuthenticationFailed => (Kind::Denied, self.wrong_password()),
            Some("LOADING" | "BUSY") => (Kind::Unavailable, "can't serve yet".into()),
            // Also of a server that is about to end.
            _ if self.tls.is_none() && error.is_io_error() => (
                Kind::Unavailable,
                "can't be reached: it closes the connection unheard, as where a port is for TLS: for that, write rediss \
                 instead of redis in the URL"
                    .into(),
            ),
            // Too many clients, as a rule.
            _ => (Kind::Unavailable, "can't be reached".into()),
        };
        RedisError::new(kind, format!("Redis at {address} {what}")).because(error)
    }

    fn wrong_password(&self) -> String {
        format!("refuses the password of the user {:?}: put the right one in the URL", self.user())
    }

    pub(super) fn lacks(&self, commands: &str) -> String {
        let (user, prefix) = (self.user(), &self.prefix);
        format!(
            "refuses the user {user:?} {commands}: grant it what lastseen needs, as by ACL SETUSER {user} ~{prefix}:* +@read \
             +@write +@scripting +@connection +info +time +cluster|slots"
        )
    }

    /// What the server at `address` said while `doing`, such as "writing activities".
    pub(super) fn failed(&self, address: &Address, doing: &str, error: ServerError) -> RedisError {
        let (kind, what) = match error.code() {
            "LOADING" => (Kind::Unavailable, format!("is still loading its data while {doing}")),
            "CLUSTERDOWN" => {
                (Kind::Unavailable, format!("says that the Cluster is down while {doing}: all slots need a master"))
            }
            "MASTERDOWN" => (Kind::Unavailable, format!("has lost its primary while {doing}")),
            "BUSY" => (Kind::Unavailable, format!("is busy with another's script while {doing}")),
            "READONLY" => (
                Kind::ReadOnly,
                format!("is a replica, and read-only, while {doing}: name the primary, or its Sentinels"),
            ),
            "OOM" => (
                Kind::Refused,
                format!("has no memory left while {doing}: raise maxmemory, or let it evict what is a cache's"),
            ),
            "MISCONF" => {
                (Kind::Refused, format!("can't save its data, and so takes no writes, while {doing}: mend its disk"))
            }
            "NOREPLICAS" => (
                Kind::Refused,
                format!("has fewer replicas than min-replicas-to-write asks for, while {doing}: bring them back"),
            ),
            "NOPERM" => (Kind::Denied, self.lacks(&format!("while {doing}"))),
            "NOAUTH" => (Kind::Denied, format!("asks for a password while {doing}: put it in the URL")),
            _ => (Kind::Other, format!("failed while {doing}")),
        };
        RedisError::new(kind, format!("Redis at {address} {what}")).because(error)
    }
}

impl Address {
    fn parse(text: &str, default: u16) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once(']').map(|(host, rest)| (host, rest.strip_prefix(':')))?,
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Some(default), |port| port.parse().ok())?;
        (!host.is_empty()).then(|| Self { host: host.into(), port })
    }

    /// As a redirection has it: `host:port`, where the host may be missing, for the one that redirects, and an address of
    /// IPv6 has no brackets.
    pub(super) fn redirected(text: &str, from: &Self) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = if host.is_empty() { &from.host } else { host };
        Some(Self { host: host.into(), port: port.parse().ok()? })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// What an operator knows it by.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shape {
            Shape::Single => f.write_str("Redis at ")?,
            Shape::Sentinel(service) => write!(f, "Redis {service:?} of the Sentinels at ")?,
            Shape::Cluster => f.write_str("Redis Cluster at ")?,
        }
        for (number, address) in self.addresses.iter().enumerate() {
            write!(f, "{}{address}", if number == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

fn login(user: &str, password: &str) -> RedisConnectionInfo {
    let mut login = RedisConnectionInfo::default().set_lib_name("lastseen", env!("CARGO_PKG_VERSION"));
    if !user.is_empty() {
        login = login.set_username(user);
    }
    if !password.is_empty() {
        login = login.set_password(password);
    }
    login
}

fn tls(roots: Option<&str>) -> Result<TlsConnector, Box<dyn StdError + Send + Sync>> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted(roots)?)
        .with_no_client_auth();
    Ok(Arc::new(config).into())
}

/// A part of a URL without its `%` sequences.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_named_without_its_password() {
        for (url, name) in [
            ("redis://ada:secret@db.example", "Redis at db.example:6379"),
            ("redis://:secret@[::1]:7000/3", "Redis at [::1]:7000"),
            ("rediss://db.example:6380", "Redis at db.example:6380"),
            ("redis+sentinel://ada:secret@a,b:5/main/2", "Redis \"main\" of the Sentinels at a:26379,b:5"),
            ("redis+cluster://a:1,b", "Redis Cluster at a:1,b:6379"),
        ] {
            assert_eq!(Target::new(url).unwrap_or_else(|error| panic!("{error}")).to_string(), name);
        }
        let target = Target::new("redis://a%40b:p%3a%2f@db/4").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((target.login.username(), target.login.password()), (Some("a@b"), Some("p:/")));
        assert_eq!(target.database, 4);
    }

    #[test]
    fn what_is_wrong_in_a_url_is_named() {
        for (url, says) in [
            ("http://ada:secret@db", "\"http://db\" is no Redis URL: it must begin with redis://"),
            ("ada:secret", "\"ada\" is no Redis URL"),
            ("redis+ring://db", "is no Redis URL"),
            ("redis://ada:secret@", "names no host"),
            ("redis://db:port", "a port that is none"),
            ("redis://a,b", "redis+cluster://"),
            ("redis://db/main", "the database \"main\": it must be a number"),
            ("redis+cluster://db/1", "a Cluster has none but 0"),
            ("redis+sentinel://db", "names no service"),
            ("redis://ada@db", "has a user and no password"),
            ("redis://db?cacert=x", "has the parameter \"cacert\""),
            ("redis://db?groups=many", "groups that is no number"),
            ("redis://db?keep_days=-1", "keep_days that is no number"),
            ("rediss://db?cacert=/nowhere.pem", "\"/nowhere.pem\""),
        ] {
            match Target::new(url) {
                Ok(target) => panic!("{url} is {target}"),
                Err(error) => {
                    assert!(error.is_invalid() && error.to_string().contains(says), "{url}: {error}");
                    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
                }
            }
        }
    }

    #[test]
    fn what_the_url_says_of_the_store_is_read() {
        let target =
            Target::new("redis://db?prefix=a%3ab&groups=256&keep_days=90").unwrap_or_else(|error| panic!("{error}"));
        let keep = Some(Duration::from_hours(90 * 24));
        assert_eq!(target.wishes, Wishes { prefix: Some("a:b".into()), groups: Some(256), keep });
    }

    #[test]
    fn a_redirection_is_understood() {
        let from = Address { host: "a".into(), port: 1 };
        for (text, address) in [("b:2", "b:2"), (":2", "a:2"), ("::1:2", "[::1]:2")] {
            assert_eq!(Address::redirected(text, &from).map(|address| address.to_string()).as_deref(), Some(address));
        }
        assert_eq!(Address::redirected("b", &from), None);
    }
}
