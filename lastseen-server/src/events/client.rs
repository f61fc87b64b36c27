//! One client's stream: up to where it has the batches, and what it is to get next.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Bytes;
use futures_util::stream::{self, Stream};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::batch::ForGuests;
use super::ring::After;
use super::{Hub, News, text};
use crate::viewer::Viewer;

/// What a client is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sees {
    /// A snapshot and changes.
    All(Viewer),
    /// The short list of guests, whole, whenever it looks different.
    AsGuest,
}

pub(super) struct Client {
    hub: Arc<Hub>,
    has: Has,
    news: watch::Receiver<News>,
    /// How many heartbeats it has seen.
    heartbeats: u64,
    greeted: bool,
    _place: OwnedSemaphorePermit,
}

/// What a client has.
enum Has {
    /// All batches up to this number; `None` before the first snapshot.
    Batches(Viewer, Option<u64>),
    /// What guests saw.
    Guests(Option<Arc<ForGuests>>),
}

impl Client {
    /// `last` is the id of the last batch that the client has, if it says so.
    pub(super) fn new(hub: Arc<Hub>, sees: Sees, last: Option<&str>, place: OwnedSemaphorePermit) -> Self {
        let has = match sees {
            Sees::All(viewer) => Has::Batches(viewer, last.and_then(|id| hub.ring().lock().number(id))),
            Sees::AsGuest => Has::Guests(None),
        };
        let mut news = hub.news.subscribe();
        let heartbeats = news.borrow_and_update().heartbeats;
        Self { hub, has, news, heartbeats, greeted: false, _place: place }
    }

    /// What the client gets, one chunk after the other; ends when the hub is closed.
    pub(super) fn chunks(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
        stream::unfold(self, async |mut client| client.next().await.map(|chunk| (Ok(chunk), client)))
    }

    /// Dropped while it waits, it has lost nothing.
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(text::retry());
        }
        loop {
            // Before looking, so that what comes while looking is noticed.
            let News { heartbeats } = *self.news.borrow_and_update();
            if let Some(chunk) = self.take() {
                return Some(chunk);
            }
            if std::mem::replace(&mut self.heartbeats, heartbeats) != heartbeats {
                return Some(text::HEARTBEAT);
            }
            tokio::select! {
                biased;
                () = self.hub.closed.cancelled() => return None,
                changed = self.news.changed() => changed.ok()?,
            }
        }
    }

    /// The next chunk, if there is one by now. Only what has to be known is found out under the lock, nothing written.
    fn take(&mut self) -> Option<Bytes> {
        match &mut self.has {
            Has::Batches(viewer, has) => loop {
                let ring = self.hub.ring().lock();
                let after = has.map_or(After::Unknown, |has| ring.after(has));
                let (newest, whole) = ring.whole();
                drop(ring);
                match after {
                    After::Nothing => return None,
                    After::Batch(batch) => {
                        *has = has.map(|has| has + 1);
                        if let Some(chunk) = batch.write(*viewer) {
                            return Some(chunk);
                        }
                    }
                    After::Unknown => {
                        *has = Some(newest);
                        return Some(whole.write(*viewer));
                    }
                }
            },
            Has::Guests(has) => {
                let (_, whole) = self.hub.ring().lock().whole();
                let now = whole.for_guests.as_ref()?;
                if has.as_ref().is_some_and(|has| Arc::ptr_eq(has, now)) {
                    return None;
                }
                *has = Some(Arc::clone(now));
                Some(now.write())
            }
        }
    }
}
