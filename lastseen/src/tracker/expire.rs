//! Letting go of what is kept no longer, in memory and in the store.

use std::time::Duration;

use super::core::{Core, note};
use crate::store::{Cursor, KeptSince};
use crate::{Error, Timestamp};

/// How long things are kept; `None` for ever.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kept {
    pub addresses: Option<Duration>,
    pub records: Option<Duration>,
}

impl Kept {
    fn since(self, now: Timestamp) -> KeptSince {
        KeptSince { addresses: self.addresses.map(|time| now - time), records: self.records.map(|time| now - time) }
    }

    /// How often to look for it: within a tenth more it is gone. `None` where nothing ever goes.
    pub(super) fn look_every(self) -> Option<Duration> {
        let shortest = self.addresses.into_iter().chain(self.records).min()?;
        Some((shortest / 10).clamp(Duration::from_millis(10), Duration::from_hours(1)))
    }
}

impl Core {
    /// Takes the first step: memory, and a page of the store. Gives where the store goes on.
    pub(super) async fn expire(&self, page: Option<&Cursor>) -> Result<Option<Cursor>, Error> {
        let now = self.memory.now();
        let since = self.kept.since(now);
        if let (Some(addresses), None) = (since.addresses, page) {
            self.memory.expire_addresses(addresses);
        }
        let outcome = self.store.expire(since, now, page).await;
        note(&mut self.health.lock().expire, "expire", &outcome);
        outcome
    }
}
