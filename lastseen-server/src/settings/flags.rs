//! The flags of the settings, all optional: what isn't given here is looked for further down.

use clap::Args;
use serde::Serialize;

use super::store_url::KNOWN;

/// The settings `store_key` and `store_users`, which belong to every command that may make the tables.
#[derive(Args, Clone, Debug, Default, Serialize)]
pub struct StoreKeyFlags {
    /// PostgreSQL: type of the users' keys: text, bigint or uuid [default: auto, as they are]
    #[arg(long, value_name = "TYPE")]
    pub store_key: Option<String>,
    /// PostgreSQL: the site's users, as TABLE.COLUMN or SCHEMA.TABLE.COLUMN, to whom records belong [default: none]
    #[arg(long, value_name = "TABLE.COLUMN")]
    pub store_users: Option<String>,
}

/// All settings, as flags. Values are read where variables and the file are read.
#[derive(Args, Clone, Debug, Default, Serialize)]
pub struct SettingFlags {
    /// Address to listen at [default: 127.0.0.1:7700]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    #[arg(
        long,
        value_name = "URL",
        help = format!("Where the records are kept: {KNOWN} [default: sqlite:lastseen.db]")
    )]
    #[expect(missing_docs, reason = "the help text has a URL in it that is no link")]
    pub store: Option<String>,
    /// What a store in a site's own database is told of the site's users.
    #[command(flatten)]
    #[serde(flatten)]
    pub keys: StoreKeyFlags,
    /// How recent an activity must be for its user to be online [default: 15m]
    #[arg(long, value_name = "DURATION")]
    pub window: Option<String>,
    /// How stale a stored date may be, at most a third of the window [default: a 30th of it]
    #[arg(long, value_name = "DURATION")]
    pub granularity: Option<String>,
    /// How often to write what memory knows [default: 1s]
    #[arg(long, value_name = "DURATION")]
    pub flush_every: Option<String>,
    /// How often to read what other processes wrote [default: 500ms]
    #[arg(long, value_name = "DURATION")]
    pub follow_every: Option<String>,
    /// How far back memory reaches: the longest window there can be [default: 24h]
    #[arg(long, value_name = "DURATION")]
    pub horizon: Option<String>,
    /// The most users in memory [default: 10000000]
    #[arg(long, value_name = "USERS")]
    pub capacity: Option<String>,
    /// Requests to a path that this regular expression matches don't count; may be given several times
    #[arg(long, value_name = "REGEX")]
    pub skip: Vec<String>,
    /// Network whose proxies are believed about the client's address; may be given several times
    #[arg(long, value_name = "CIDR")]
    pub trust_proxy: Vec<String>,
    /// Header in which trusted proxies name the client's address [default: x-forwarded-for]
    #[arg(long, value_name = "HEADER")]
    pub client_ip_header: Option<String>,
    /// What is kept of addresses: keep, mask or drop [default: keep]
    #[arg(long, value_name = "WHAT")]
    pub addresses: Option<String>,
    /// How long after an activity its address is kept [default: forever]
    #[arg(long, value_name = "DURATION")]
    pub keep_addresses: Option<String>,
    /// How long after the last activity a user is known of [default: forever]
    #[arg(long, value_name = "DURATION")]
    pub keep_records: Option<String>,
    /// How exactly others than administrators see dates: exact, minute, hour or day [default: exact]
    #[arg(long, value_name = "HOW")]
    pub dates: Option<String>,
    /// Header in which trusted proxies name the user [default: remote-user]
    #[arg(long, value_name = "HEADER")]
    pub user_header: Option<String>,
    /// Take web servers' logs in by syslog, at 127.0.0.1:7701 or unix:PATH for example [default: off]
    #[arg(long, value_name = "ADDRESS")]
    pub syslog: Option<String>,
    /// Network whose machines may send them by UDP; may be given several times [default: this machine alone]
    #[arg(long, value_name = "CIDR")]
    pub syslog_from: Vec<String>,
    /// Name under which browsers may call the server, besides localhost; may be given several times
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// Who may call, as `lastseen token` prints it; may be given several times [default: whoever is on this machine]
    #[arg(long, value_name = "NAME:SCOPE:SHA256")]
    pub tokens: Vec<String>,
    /// What those see who have no token: off, count or names [default: off]
    #[arg(long, value_name = "WHAT")]
    pub guests: Option<String>,
    /// The most clients that listen to events at once [default: 10000]
    #[arg(long, value_name = "CLIENTS")]
    pub event_clients: Option<String>,
    /// File with the key that the site signs its readers' tickets with [default: no tickets]
    #[arg(long, value_name = "FILE")]
    pub ticket_key_file: Option<String>,
    /// Invent the visits of so many users [default: 0]
    #[arg(long, value_name = "USERS")]
    pub demo: Option<String>,
}
