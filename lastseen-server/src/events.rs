//! The streams of who comes and goes: one look at the tracker a second, written once, sent to all who listen.
//!
//! Once a second, from the first client on, the hub takes the list as it is now and compares it to the one before. What
//! has changed is a batch with a number. The last batches stay in a ring; a client is a number up to where it has them,
//! and nothing else is kept of it. So a client that comes back goes on where it was, one that is slow takes several
//! batches later, and one that is behind the ring begins anew with a snapshot: all three are one way through
//! `Client::take`, and none of them costs memory or time of anybody else.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use lastseen::{Clock, Online, Tracker};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::api::Problem;
use crate::settings::Settings;
use crate::viewer::{Dates, Guests, Viewer};

mod batch;
mod changes;
mod client;
mod ring;
mod text;

use changes::Changes;
use client::{Client, Sees};
use ring::Ring;

/// How often clients learn of changes.
const EVERY: Duration = Duration::from_secs(1);

/// Clients hear at least this often that the server is there, so that nobody between takes the silence for an end.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long a look waits for names that are about to be known.
const FOR_NAMES: Duration = Duration::from_millis(250);

/// The hub; clones are the same one.
#[derive(Clone)]
pub(crate) struct Events(Arc<Hub>);

struct Hub {
    tracker: Tracker,
    clock: Arc<dyn Clock>,
    shown: Shown,
    /// Begun with the first client: a server whose events nobody wants does nothing for them.
    ring: OnceLock<Mutex<Ring>>,
    news: watch::Sender<News>,
    /// How many clients there may be.
    most: usize,
    places: Arc<Semaphore>,
    /// How many found no place.
    refused: AtomicU64,
    closed: CancellationToken,
}

/// What others than administrators see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    guests: Guests,
    dates: Dates,
}

impl Shown {
    pub(crate) fn by(settings: &Settings) -> Self {
        Self { guests: settings.guests, dates: settings.dates }
    }

    /// How many users a look takes in.
    fn looked_at(self) -> usize {
        self.dates.enough(batch::LOOKED_AT)
    }
}

/// What wakes clients.
#[derive(Clone, Copy, Debug, Default)]
struct News {
    heartbeats: u64,
}

impl Events {
    pub(crate) fn of(tracker: Tracker, clock: impl Clock, shown: Shown, most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Hub {
            tracker,
            clock: Arc::new(clock),
            shown,
            ring: OnceLock::new(),
            news: watch::Sender::default(),
            most,
            places: Arc::new(Semaphore::new(most)),
            refused: AtomicU64::new(0),
            closed: CancellationToken::new(),
        }))
    }

    /// A stream for someone who may read. `last` is the id of the last batch that the client has, if it says so.
    pub(crate) async fn for_viewer(&self, viewer: Viewer, last: Option<&str>) -> Result<Response, Problem> {
        self.stream(Sees::All(viewer), last).await
    }

    /// A stream for someone who needn't say who they are.
    pub(crate) async fn for_guest(&self) -> Result<Response, Problem> {
        self.stream(Sees::AsGuest, None).await
    }

    async fn stream(&self, sees: Sees, last: Option<&str>) -> Result<Response, Problem> {
        let place = Arc::clone(&self.0.places).try_acquire_owned().map_err(|_| {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("{} clients listen already, and no more may: see --event-clients", self.0.most),
            )
        })?;
        if self.0.ring.get().is_none() {
            self.0.wait_for_names().await;
        }
        let client = Client::new(Arc::clone(&self.0), sees, last, place);
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")),
            // nginx would hold it back until it has a few kilobytes.
            (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
        ];
        Ok((headers, Body::from_stream(client.chunks())).into_response())
    }

    /// How many listen.
    pub(crate) fn clients(&self) -> usize {
        self.0.most - self.0.places.available_permits()
    }

    /// How many were refused since there were too many already.
    pub(crate) fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// Ends all streams, once their clients have taken what is under way.
    pub(crate) fn close(&self) {
        self.0.closed.cancel();
    }
}

impl Hub {
    /// What there is to send. Begins to look where nobody has before.
    fn ring(self: &Arc<Self>) -> &Mutex<Ring> {
        self.ring.get_or_init(|| {
            // In this order nobody slips between: who comes in both is told twice, which changes nothing.
            let listener = self.tracker.events();
            let online = self.tracker.online(self.shown.looked_at());
            let shown = self.shown_of(&online);
            let ring = Ring::beginning(online, shown);
            tokio::spawn(Arc::clone(self).look(listener, self.clock.monotonic()));
            Mutex::new(ring)
        })
    }

    /// Looks once a second from `began` on, until the hub is closed or the tracker has ended.
    async fn look(self: Arc<Self>, mut listener: lastseen::Events, began: Duration) {
        let mut changes = Changes::default();
        let mut tick = self.clock.sleep_until(began + EVERY);
        let mut next_heartbeat = began + HEARTBEAT;
        loop {
            tokio::select! {
                biased;
                () = self.closed.cancelled() => return,
                () = &mut tick => {}
                event = listener.next() => match event {
                    Some(event) => {
                        changes.take(event);
                        continue;
                    }
                    None => return,
                },
            }
            self.wait_for_names().await;
            while let Some(Some(event)) = listener.next().now_or_never() {
                changes.take(event);
            }
            let online = self.tracker.online(self.shown.looked_at());
            let shown = self.shown_of(&online);
            let now = self.clock.monotonic();
            let is_news = self.ring().lock().push(online, shown, &std::mem::take(&mut changes), now);
            let is_heartbeat = now >= next_heartbeat;
            if is_heartbeat {
                next_heartbeat = now + HEARTBEAT;
            }
            if is_news || is_heartbeat {
                self.news.send_modify(|news| news.heartbeats += u64::from(is_heartbeat));
            }
            tick = self.clock.sleep_until(now + EVERY);
        }
    }

    /// What others see of this list: guests nothing, while nobody can know who is here.
    fn shown_of(&self, online: &Online) -> Shown {
        let is_known = online.count > 0 || self.tracker.status().loaded;
        Shown { guests: if is_known { self.shown.guests } else { Guests::Off }, ..self.shown }
    }

    /// Who has just come in is told with their name, and who turns out to hide isn't told at all.
    async fn wait_for_names(&self) {
        let enough = self.clock.sleep_until(self.clock.monotonic() + FOR_NAMES);
        tokio::select! {
            // Its error is in the tracker's status; they are told without names then.
            _ = self.tracker.resolve_profiles() => {}
            () = enough => {}
            () = self.closed.cancelled() => {}
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("most", &self.0.most).finish_non_exhaustive()
    }
}
