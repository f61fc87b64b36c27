//! The steps that every request goes through, whatever framework it comes by.

use std::net::IpAddr;
use std::sync::Arc;

use super::head::Head;
use super::{ClientIp, Identify, SignedIn, SkipRules};
use crate::Tracker;

/// What a layer was told.
pub(super) struct Steps<I> {
    pub(super) tracker: Tracker,
    /// Behind a pointer of its own so that the settings can be copied, which not every way to identify can.
    pub(super) identify: Arc<I>,
    pub(super) skip: SkipRules,
    pub(super) client_ip: ClientIp,
}

impl<I> Steps<I> {
    /// Steps 1 to 4, before the request is handled.
    pub(super) fn before<R: Head>(&self, request: &R) -> Visit
    where
        I: Identify<R>,
    {
        // Found for a guest too: it may turn out that the request signs somebody in, and by then it is gone.
        let ip = self.client_ip.find(request);
        if let Some(user) = self.identify.identify(request)
            && !self.skip.skips(request)
        {
            self.tracker.touch(&user, ip);
        }
        Visit { tracker: self.tracker.clone(), ip }
    }
}

/// What step 5 needs of a request that is gone by then.
#[derive(Debug)]
pub(super) struct Visit {
    tracker: Tracker,
    ip: Option<IpAddr>,
}

impl Visit {
    /// Step 5, once the response is there.
    pub(super) fn after(&self, signed_in: Option<&SignedIn>) {
        if let Some(SignedIn(user)) = signed_in {
            self.tracker.touch(user, self.ip);
        }
    }
}

/// Written out, since a derive would ask the same of `I`.
impl<I> Clone for Steps<I> {
    fn clone(&self) -> Self {
        Self {
            tracker: self.tracker.clone(),
            identify: Arc::clone(&self.identify),
            skip: self.skip.clone(),
            client_ip: self.client_ip.clone(),
        }
    }
}
