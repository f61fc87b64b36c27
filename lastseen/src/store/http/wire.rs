//! What goes over the wire, for both ends of it: each call's question and answer, in JSON.
//!
//! Moments are microseconds since 1970 UTC and days are days since then, so that nothing is rounded and the last that there is
//! can be told. What an answer has beyond these fields is another version's, and left alone.

use std::net::IpAddr;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{MostOnline, OnlineSpan, Profile, Record, Seen, Timestamp, UserId};

/// What is asked, by which name, and what is answered.
pub(super) trait Call: Serialize + DeserializeOwned {
    type Answer: Serialize + DeserializeOwned;
    /// The last part of the path.
    const NAME: &'static str;
    /// In the words of an error: "... while writing activities".
    const DOING: &'static str;
}

macro_rules! calls {
    ($($call:ty: $name:literal, $doing:literal => $answer:ty;)*) => {$(
        impl Call for $call {
            type Answer = $answer;
            const NAME: &'static str = $name;
            const DOING: &'static str = $doing;
        }
    )*};
}

calls! {
    Write<Activity>: "write", "writing activities" => Written;
    Read: "read", "reading a user" => Found;
    Recent: "recent", "reading recent activities" => RecentPage;
    Follow: "follow", "following other processes" => Followed;
    Forget: "forget", "erasing a user" => Written;
    SetProfile: "set_profile", "writing a profile" => Written;
    Profiles: "profiles", "reading profiles" => Named;
    Expire: "expire", "taking away what is kept no longer" => Expired;
    WriteHistory: "write_history", "writing the history" => Written;
    History: "history", "reading the history" => Spans;
    MostOnlineEver: "most_online", "reading the most ever online" => Most;
    ActiveUsers: "active_users", "counting active users" => Count;
    ActiveDays: "active_days", "reading when a user was active" => Days;
}

#[derive(Serialize, Deserialize)]
pub(super) struct Write<R> {
    pub now: i64,
    pub records: Vec<R>,
}

/// What it says of a write that the store has committed.
#[derive(Serialize, Deserialize)]
pub(super) struct Written {
    /// Whose acknowledgement it is: another text where another server may lack what was acknowledged before.
    pub lineage: String,
    /// What could not be read of a batch, and so was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Refused {
    /// Its place in the batch, from 0.
    pub record: usize,
    pub detail: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Read {
    pub user: UserId,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Found {
    pub record: Option<Activity>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Recent {
    pub since: i64,
    pub page: Option<Arc<str>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct RecentPage {
    pub records: Vec<Activity>,
    pub forgotten: Vec<Erasure>,
    pub next: Option<Arc<str>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Follow {
    pub cursor: Option<Arc<str>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Followed {
    pub records: Vec<Activity>,
    pub forgotten: Vec<Erasure>,
    pub profiles: Vec<SetProfile>,
    pub cursor: Arc<str>,
    pub missed: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Forget {
    pub user: UserId,
    pub at: i64,
    pub now: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Profiles {
    pub users: Vec<UserId>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Named {
    pub profiles: Vec<SetProfile>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Expire {
    pub addresses: Option<i64>,
    pub records: Option<i64>,
    pub now: i64,
    pub page: Option<Arc<str>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Expired {
    pub next: Option<Arc<str>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WriteHistory {
    pub spans: Vec<Span>,
    pub most: Option<Online>,
    pub now: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct History {
    /// As it prints: `1m`, `10m` or `1h`.
    pub resolution: String,
    pub from: i64,
    pub to: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Spans {
    pub spans: Vec<Span>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct MostOnlineEver {}

#[derive(Serialize, Deserialize)]
pub(super) struct Most {
    pub most: Option<Online>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ActiveUsers {
    pub from: i32,
    pub to: i32,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Count {
    pub count: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ActiveDays {
    pub user: UserId,
    pub now: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Days {
    pub days: Vec<i32>,
}

/// A record.
#[derive(Serialize, Deserialize)]
pub(super) struct Activity {
    pub user: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_at: Option<i64>,
}

impl From<&Record> for Activity {
    fn from(record: &Record) -> Self {
        Self {
            user: record.user.clone(),
            at: record.seen.map(|seen| seen.at.as_micros()),
            ip: record.seen.and_then(|seen| seen.ip),
            left_at: record.left_at.map(Timestamp::as_micros),
        }
    }
}

impl From<Activity> for Record {
    fn from(activity: Activity) -> Self {
        let Activity { user, at, ip, left_at } = activity;
        let seen = at.map(|at| Seen { at: Timestamp::from_micros(at), ip });
        Self { user, seen, left_at: left_at.map(Timestamp::from_micros) }
    }
}

/// That a user was erased, and up to when.
#[derive(Serialize, Deserialize)]
pub(super) struct Erasure {
    pub user: UserId,
    pub at: i64,
}

impl From<(UserId, Timestamp)> for Erasure {
    fn from((user, at): (UserId, Timestamp)) -> Self {
        Self { user, at: at.as_micros() }
    }
}

impl From<Erasure> for (UserId, Timestamp) {
    fn from(Erasure { user, at }: Erasure) -> Self {
        (user, Timestamp::from_micros(at))
    }
}

/// A user's profile: to be set as a question, and as it is in an answer.
#[derive(Serialize, Deserialize)]
pub(super) struct SetProfile {
    pub user: UserId,
    pub profile: Profile,
}

impl From<(UserId, Profile)> for SetProfile {
    fn from((user, profile): (UserId, Profile)) -> Self {
        Self { user, profile }
    }
}

impl From<SetProfile> for (UserId, Profile) {
    fn from(SetProfile { user, profile }: SetProfile) -> Self {
        (user, profile)
    }
}

/// How many were online during a span.
#[derive(Serialize, Deserialize)]
pub(super) struct Span {
    pub resolution: String,
    pub at: i64,
    pub online: u32,
    pub peak: u32,
}

impl From<&OnlineSpan> for Span {
    fn from(span: &OnlineSpan) -> Self {
        let OnlineSpan { resolution, at, online, peak } = *span;
        Self { resolution: resolution.to_string(), at: at.as_micros(), online, peak }
    }
}

impl TryFrom<Span> for OnlineSpan {
    type Error = crate::Error;

    fn try_from(span: Span) -> Result<Self, crate::Error> {
        let Span { resolution, at, online, peak } = span;
        Ok(Self { resolution: resolution.parse()?, at: Timestamp::from_micros(at), online, peak })
    }
}

/// The most who were ever online, and when.
#[derive(Serialize, Deserialize)]
pub(super) struct Online {
    pub online: u32,
    pub at: i64,
}

impl From<MostOnline> for Online {
    fn from(most: MostOnline) -> Self {
        Self { online: most.online, at: most.at.as_micros() }
    }
}

impl From<Online> for MostOnline {
    fn from(most: Online) -> Self {
        Self { online: most.online, at: Timestamp::from_micros(most.at) }
    }
}
