//! The settings: flags over `LASTSEEN_*` variables over `lastseen.toml` over defaults, and where each value came from.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use axum::http::HeaderName;
use figment::Figment;
use figment::providers::{Format, Toml};
use ipnet::IpNet;
use lastseen::ForwardedHeader;
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::access::TokenLine;
use crate::value::{HostName, OptionalFile, Span, Text, Value};

mod check;
mod flags;
mod layer;
mod origin;
mod privacy;
mod store_keys;
mod store_url;
mod syslog_address;

pub use flags::{SettingFlags, StoreKeyFlags};
pub use origin::Origins;
pub use privacy::{Addresses, Kept};
pub use store_keys::{StoreKey, StoreUsers};
pub use store_url::StoreUrl;
pub use syslog_address::SyslogAddress;

pub use crate::viewer::{Dates, Guests};

use layer::Given;

/// The file that is read from the working directory where no other is named.
pub const DEFAULT_FILE: &str = "lastseen.toml";

/// Every setting, as it came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address that `serve` listens at. Default: `127.0.0.1:7700`.
    #[serde(with = "crate::value::one")]
    pub listen: SocketAddr,
    /// Where the records are kept. Default: `sqlite:lastseen.db`; with invented visits `memory:`.
    #[serde(with = "crate::value::one")]
    pub store: StoreUrl,
    /// PostgreSQL: the type of the users' keys. Default: as the user table or the tables that are there have it, or text.
    #[serde(with = "crate::value::one")]
    pub store_key: StoreKey,
    /// PostgreSQL: the site's user table and its key, to which records belong. Default: none.
    #[serde(with = "crate::value::one")]
    pub store_users: StoreUsers,
    /// How recent an activity must be for its user to be online. Default: 15 minutes.
    #[serde(with = "crate::value::one")]
    pub window: Span,
    /// How stale the stored date of a user who is stored as online may be. Default: a 30th of the window.
    #[serde(with = "crate::value::one")]
    pub granularity: Span,
    /// How often what memory knows is written. Default: 1 second, or the granularity where that is shorter.
    #[serde(with = "crate::value::one")]
    pub flush_every: Span,
    /// How often what other processes wrote is read. Default: 500 milliseconds.
    #[serde(with = "crate::value::one")]
    pub follow_every: Span,
    /// How far back memory reaches, and so the longest window that can be asked for. Default: 24 hours, or the window
    /// where that is longer.
    #[serde(with = "crate::value::one")]
    pub horizon: Span,
    /// The most users in memory. Default: 10 million.
    #[serde(deserialize_with = "crate::value::one::deserialize")]
    pub capacity: usize,
    /// Regular expressions; a request whose path one of them matches doesn't count. Default: none.
    #[serde(with = "crate::value::many")]
    pub skip: Vec<String>,
    /// Networks whose proxies are believed about the client's address. Default: none.
    #[serde(with = "crate::value::many")]
    pub trust_proxy: Vec<IpNet>,
    /// The header in which they name it. Default: `x-forwarded-for`.
    #[serde(with = "crate::value::one")]
    pub client_ip_header: ForwardedHeader,
    /// How much is kept of addresses: all, the network alone, or nothing. Default: `keep`.
    #[serde(with = "crate::value::one")]
    pub addresses: Addresses,
    /// How long after an activity its address is kept. Default: `forever`, which is as long as the record.
    #[serde(with = "crate::value::one")]
    pub keep_addresses: Kept,
    /// How long after the last activity a user is known of. Default: `forever`.
    #[serde(with = "crate::value::one")]
    pub keep_records: Kept,
    /// How exactly others than administrators see dates: `exact`, or to the `minute`, `hour` or `day`. Default: `exact`.
    #[serde(with = "crate::value::one")]
    pub dates: Dates,
    /// The header in which they name the user. Default: `remote-user`.
    #[serde(with = "crate::value::one")]
    pub user_header: HeaderName,
    /// Where web servers' logs are taken in by syslog. Default: nowhere.
    #[serde(with = "crate::value::one")]
    pub syslog: SyslogAddress,
    /// Networks whose machines may send them by UDP. Default: this machine alone.
    #[serde(with = "crate::value::many")]
    pub syslog_from: Vec<IpNet>,
    /// Names under which browsers may call the server, besides `localhost` and plain addresses. Default: none.
    #[serde(with = "crate::value::many")]
    pub allow_host: Vec<HostName>,
    /// Who may call, by `NAME:SCOPE:SHA256`. Default: none, and then whoever is on this machine may.
    #[serde(with = "crate::value::many")]
    pub tokens: Vec<TokenLine>,
    /// What those see who have no token: nothing, how many are online, or the names too. Default: `off`.
    #[serde(with = "crate::value::one")]
    pub guests: Guests,
    /// The most clients that listen to events at once. Default: 10,000.
    #[serde(deserialize_with = "crate::value::one::deserialize")]
    pub event_clients: usize,
    /// The file with the key that the site signs its readers' tickets with. Default: none, and then there are no tickets.
    #[serde(with = "crate::value::one")]
    pub ticket_key_file: OptionalFile,
    /// How many users' visits to invent. Default: 0.
    #[serde(deserialize_with = "crate::value::one::deserialize")]
    pub demo: usize,
}

/// The settings' names, in the order in which they are shown.
const KEYS: [&str; 26] = [
    "listen",
    "store",
    "store_key",
    "store_users",
    "window",
    "granularity",
    "flush_every",
    "follow_every",
    "horizon",
    "capacity",
    "skip",
    "trust_proxy",
    "client_ip_header",
    "addresses",
    "keep_addresses",
    "keep_records",
    "dates",
    "user_header",
    "syslog",
    "syslog_from",
    "allow_host",
    "tokens",
    "guests",
    "event_clients",
    "ticket_key_file",
    "demo",
];

impl Settings {
    /// Reads the settings; `file` is the one that the user named, if any.
    ///
    /// # Errors
    ///
    /// Where the file can't be read or has a key that is no setting, where a value is not what its setting takes, or
    /// where two settings contradict each other. The message names setting, origin, value and what would be right.
    pub fn load(file: Option<&Path>, flags: &impl Serialize) -> Result<(Self, Origins), Failure> {
        let mut figment = file_layer(file)?;
        for given in layer::variables().chain(layer::flags(flags)) {
            figment = figment.merge(given);
        }
        Self::of(figment)
    }

    fn of(given: Figment) -> Result<(Self, Origins), Failure> {
        let figment = with_defaults(given)?;
        let settings: Self = figment.extract().map_err(|error| origin::explain(&error))?;
        let origins = Origins::of(&figment);
        check::check(&settings, &origins)?;
        Ok((settings, origins))
    }

    /// Each setting's name and value, the value in TOML's notation.
    #[must_use]
    pub fn entries(&self) -> Vec<(&'static str, String)> {
        // Text and arrays of text are written alike in JSON and TOML.
        let values = serde_json::to_value(self).unwrap_or_default();
        KEYS.map(|key| (key, values[key].to_string())).into()
    }
}

/// The defaults, without looking at variables or files.
impl Default for Settings {
    fn default() -> Self {
        let (settings, _) = Self::of(Figment::new()).expect("the defaults are what their settings take");
        settings
    }
}

/// The file named, which must be there, or else the default one, which needn't.
fn file_layer(file: Option<&Path>) -> Result<Figment, Failure> {
    let path = file.unwrap_or(Path::new(DEFAULT_FILE));
    match (file, path.is_file()) {
        (None, false) => Ok(Figment::new()),
        (Some(path), false) => {
            Err(Failure::usage(format!("{} is no file: --config takes one that holds settings", path.display())))
        }
        (_, true) => Ok(Figment::from(Toml::file_exact(path))),
    }
}

/// Puts the defaults below everything given; some of them follow from what is given.
fn with_defaults(given: Figment) -> Result<Figment, Failure> {
    let default = |key, value: &str| Given::new(key, value, "default");
    let follows = |key, value: Duration, why: &str| Given::new(key, Span(value).to_string(), format!("default: {why}"));

    let mut figment = given.join(default("demo", "0")).join(default("window", "15m"));
    if one::<usize>(&figment, "demo")? > 0 {
        figment = figment.join(Given::new("store", "memory:", "default with demo"));
    }
    let Span(window) = one(&figment, "window")?;
    let figment = figment.join(follows("granularity", window / 30, "window / 30"));
    let Span(granularity) = one(&figment, "granularity")?;

    let second = Duration::from_secs(1);
    let day = Duration::from_hours(24);
    Ok(figment
        .join(default("listen", "127.0.0.1:7700"))
        .join(default("store", "sqlite:lastseen.db"))
        .join(default("store_key", "auto"))
        .join(default("store_users", "none"))
        .join(follows("flush_every", second.min(granularity), "1s, or granularity if shorter"))
        .join(default("follow_every", "500ms"))
        .join(follows("horizon", day.max(window), "24h, or window if longer"))
        .join(default("capacity", "10000000"))
        .join(default("client_ip_header", "x-forwarded-for"))
        .join(default("addresses", "keep"))
        .join(default("keep_addresses", "forever"))
        .join(default("keep_records", "forever"))
        .join(default("dates", "exact"))
        .join(default("user_header", "remote-user"))
        .join(default("syslog", "off"))
        .join(default("syslog_from", "127.0.0.0/8 ::1/128"))
        .join(Given::none("skip"))
        .join(Given::none("trust_proxy"))
        .join(Given::none("allow_host"))
        .join(Given::none("tokens"))
        .join(default("guests", "off"))
        .join(default("event_clients", "10000"))
        .join(default("ticket_key_file", "")))
}

fn one<T: Value>(figment: &Figment, key: &str) -> Result<T, Failure> {
    match figment.extract_inner(key) {
        Ok(Text(value)) => Ok(value),
        Err(error) => Err(origin::explain(&error)),
    }
}

#[cfg(test)]
mod tests;
