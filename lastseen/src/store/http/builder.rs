//! How a store behind a `lastseen` server is set up.

use std::time::Duration;

use super::client::{Client, Limits};
use super::error::{HttpStoreError, Kind};
use super::target::Target;
use super::{Handle, HttpStore};

/// Settings of an [`HttpStore`]; [`HttpStore::builder`] begins one.
#[derive(Clone)]
#[must_use = "a builder does nothing until `connect` is awaited"]
pub struct HttpStoreBuilder {
    url: String,
    token: Option<String>,
    limits: Limits,
}

impl HttpStoreBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.into(), token: None, limits: Limits::default() }
    }

    /// The token by which the server knows who asks: one of the scope `admin`. The file that the URL names goes before it.
    /// Default: none, which is right for a server that has no tokens.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// How long a connection may take to be made. Default: 5 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.connect_timeout = timeout;
        self
    }

    /// How long a call may take, the connection included. Default: 10 seconds, longer than a server waits for its own store.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    /// Reads the token's file, connects, and makes sure that the store can be used.
    ///
    /// A server that can't be reached, or whose store doesn't answer, is no error here: the store is there, and each call fails
    /// until it can be done. [`HttpStore::ready`] is for who would rather not go on without.
    ///
    /// # Errors
    ///
    /// Where trying again can't help: the URL or a setting is wrong, the token is, what answers is no `lastseen` server or an
    /// older one.
    pub async fn connect(self) -> Result<HttpStore, HttpStoreError> {
        let Self { url, token, limits } = self;
        for (name, timeout) in [("connect_timeout", limits.connect_timeout), ("timeout", limits.timeout)] {
            if timeout.is_zero() {
                return Err(HttpStoreError::new(Kind::Invalid, format!("{name} is 0: it must be longer")));
            }
        }
        let target = Target::new(&url, token.as_deref())?;
        let store = HttpStore(Handle::new(Client::new(target, limits)).into());
        match store.ready().await {
            Err(error) if error.is_unavailable() => {
                tracing::warn!(%error, "the store can't be used yet, will be tried again");
                Ok(store)
            }
            outcome => outcome.map(|()| store),
        }
    }
}

/// Without the token.
impl std::fmt::Debug for HttpStoreBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { url, token, limits } = self;
        let token = token.as_ref().map(|_| "...");
        f.debug_struct("HttpStoreBuilder").field("url", url).field("token", &token).field("limits", limits).finish()
    }
}
