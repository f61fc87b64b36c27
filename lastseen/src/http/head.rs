//! What the steps ask of a request, whatever framework it comes by.

use std::borrow::Cow;
use std::net::SocketAddr;

use http::HeaderName;
use http::request::Parts;

use super::PeerAddr;

/// The head of a request.
pub(super) trait Head {
    fn method(&self) -> &str;

    /// The path that the client asked for, also where a router has cut a prefix off the request's own.
    fn path(&self) -> &str;

    /// The values of all lines of a header, in their order.
    fn values<'a>(&'a self, name: &'a HeaderName) -> impl DoubleEndedIterator<Item = &'a [u8]>;

    /// The socket's peer: a [`PeerAddr`] among the extensions, or else what the framework knows.
    fn peer(&self) -> Option<SocketAddr>;

    /// What a site's own rules see of it.
    fn parts(&self) -> Cow<'_, Parts>;
}

impl Head for Parts {
    fn method(&self) -> &str {
        self.method.as_str()
    }

    fn path(&self) -> &str {
        #[cfg(feature = "axum")]
        if let Some(path) = super::axum::original_path(self) {
            return path;
        }
        self.uri.path()
    }

    fn values<'a>(&'a self, name: &'a HeaderName) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.headers.get_all(name).iter().map(http::HeaderValue::as_bytes)
    }

    fn peer(&self) -> Option<SocketAddr> {
        let peer = self.extensions.get().map(|PeerAddr(peer)| *peer);
        #[cfg(feature = "axum")]
        let peer = peer.or_else(|| super::axum::peer(self));
        peer
    }

    fn parts(&self) -> Cow<'_, Parts> {
        Cow::Borrowed(self)
    }
}
