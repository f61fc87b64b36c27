//! How a Redis store is set up.

use std::sync::Arc;
use std::time::Duration;

use super::error::{Kind, RedisError};
use super::groups::MOST;
use super::node::Limits;
use super::target::{Target, Wishes};
use super::{Handle, RedisStore, Settings};

/// The shortest that records may be kept: as long as erasures are.
const LEAST_KEPT: Duration = Duration::from_hours(24);

/// Settings of a [`RedisStore`]; [`RedisStore::builder`] begins one.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `connect` is awaited"]
pub struct RedisBuilder {
    url: String,
    settings: Settings,
    limits: Limits,
}

impl RedisBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.into(), settings: Settings::default(), limits: Limits::default() }
    }

    /// What all keys begin with, so that several sites may share a server: letters, digits, `-`, `_`, `.` and `:`, at most
    /// 64. Default: `lastseen`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.settings.prefix = prefix.into();
        self
    }

    /// Into how many groups the users are divided, 1 to 1,024. Default: as the store was made, and 64 for a new one.
    ///
    /// A group is what a Cluster can't divide, and what a server does in one go. 64 lie evenly on up to a dozen masters, and
    /// cost a single server nothing; take 256 for more. It is fixed when the store is made: another number is refused.
    pub fn groups(mut self, groups: u16) -> Self {
        self.settings.groups = Some(groups);
        self
    }

    /// For how long a record is kept after the user was last active, at least a day. Default: 400 days.
    ///
    /// Then it goes by itself, and the profile with it: record by record while others write to its group, and once nobody
    /// does, the whole group by the server. On which days a user was active is kept for as long, and for 92 days at most: kept
    /// for less than 30, active users of a month can't be counted.
    pub fn keep(mut self, keep: Duration) -> Self {
        self.settings.keep = keep;
        self
    }

    /// About how many of the last changes are kept for other processes to follow, at least 1,024. Default: 250,000, which
    /// take some 20 MB once they are there.
    ///
    /// A process that falls further behind reads all that is recent.
    pub fn feed(mut self, changes: u32) -> Self {
        self.settings.feed = changes;
        self
    }

    /// How long a connection may take to be made. Default: 5 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.connect_timeout = timeout;
        self
    }

    /// How long an answer is waited for, and for how long a slot that is being moved is asked for again. Default: 5 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    /// Connects, and makes sure that the store can be used.
    ///
    /// A server that can't be reached, or takes no writes now, is no error here: the store is there, and each call fails
    /// until it can be done. [`RedisStore::ready`] is for who would rather not go on without.
    ///
    /// # Errors
    ///
    /// Where trying again can't help: the URL or a setting is wrong, the password is, the user lacks a permission, the server
    /// is too old or no Cluster where the URL says so, the store was made with another number of groups.
    pub async fn connect(self) -> Result<RedisStore, RedisError> {
        let store = RedisStore(Arc::new(self.build()?));
        match store.ready().await {
            Err(error) if error.is_unavailable() || error.is_read_only() || error.is_refused() => {
                tracing::warn!(%error, "Redis can't be used yet, will be tried again");
                Ok(store)
            }
            outcome => outcome.map(|()| store),
        }
    }

    fn build(self) -> Result<Handle, RedisError> {
        let Self { url, mut settings, limits } = self;
        let mut target = Target::new(&url)?;
        let Wishes { prefix, groups, keep } = std::mem::take(&mut target.wishes);
        settings.prefix = prefix.unwrap_or(settings.prefix);
        target.prefix.clone_from(&settings.prefix);
        settings.groups = groups.or(settings.groups);
        settings.keep = keep.unwrap_or(settings.keep);
        let invalid = |message: String| Err(RedisError::new(Kind::Invalid, message));
        let Settings { prefix, groups, keep, feed } = &settings;
        // Braces would say where in a Cluster the keys are.
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.:".contains(letter);
        if !(1..=64).contains(&prefix.len()) || !prefix.chars().all(fits) {
            return invalid(format!(
                "the prefix is {prefix:?}: it must be 1 to 64 letters, digits, '-', '_', '.' or ':'"
            ));
        }
        if let Some(groups) = groups.filter(|groups| !(1..=MOST).contains(groups)) {
            return invalid(format!("groups is {groups}: it must be 1 to {MOST}"));
        }
        if *keep < LEAST_KEPT {
            return invalid(format!("keep is {keep:?}: it must be at least {LEAST_KEPT:?}"));
        }
        if *feed < u32::from(MOST) {
            return invalid(format!("feed is {feed}: it must be at least {MOST}"));
        }
        for (name, timeout) in [("connect_timeout", limits.connect_timeout), ("timeout", limits.timeout)] {
            if timeout.is_zero() {
                return invalid(format!("{name} is 0: it must be longer"));
            }
        }
        Ok(Handle::new(target, settings, limits))
    }
}
