//! The whole server as one service: every call, the page, and what stands before them. It needs no port.

use std::sync::Arc;

use axum::Router;
use lastseen::{Clock, Timestamp, Tracker};

use crate::access::Access;
use crate::api::{self, Problem, Proxies};
use crate::events::{Events, Shown};
use crate::guests::Tickets;
use crate::judge::Judge;
use crate::load::Load;
use crate::page::Recalled;
use crate::settings::{Settings, StoreUrl};
use crate::store::Shared;
use crate::syslog;
use crate::value::HostName;
use crate::viewer::{Dates, Guests};
use crate::{Failure, guard, guests, metrics, openapi, page};

/// What every call works on.
#[derive(Debug)]
pub struct AppState {
    pub(crate) tracker: Tracker,
    /// Who may do what.
    pub(crate) access: Access,
    /// What those see who needn't say who they are.
    pub(crate) guests: Guests,
    /// How exactly others than administrators see dates.
    pub(crate) dates: Dates,
    /// How to know the site's tickets, where it makes any.
    pub(crate) tickets: Option<Tickets>,
    /// The streams of who comes and goes.
    pub(crate) events: Events,
    /// What the page last read of the past.
    pub(crate) history: Recalled,
    /// The store, for other processes; `None` where they can't reach it.
    pub(crate) shared: Option<Shared>,
    /// What the page calls the store.
    pub(crate) store: StoreUrl,
    pub(crate) allow_host: Vec<HostName>,
    /// The proxies that are believed, and in which headers.
    pub(crate) proxies: Proxies,
    /// What is asked of every request that is reported.
    pub(crate) judge: Arc<Judge>,
    /// How much there is to do.
    pub(crate) load: Arc<Load>,
    /// When the server started.
    pub(crate) started: Timestamp,
    /// What became of the log lines that were reported.
    pub(crate) syslog: Arc<syslog::Counts>,
    /// Held while a profile is read and written again, so that two who set different fields at once both succeed.
    pub(crate) profiles: tokio::sync::Mutex<()>,
}

impl AppState {
    /// Serves what this tracker knows. The clock is the tracker's.
    ///
    /// # Errors
    ///
    /// Where one of the skip rules can't be used, or the file with the tickets' key not be read.
    pub fn new(tracker: Tracker, clock: impl Clock, settings: &Settings) -> Result<Self, Failure> {
        Ok(Self {
            access: Access::by(settings.tokens.clone()),
            guests: settings.guests,
            dates: settings.dates,
            tickets: settings.ticket_key_file.0.as_deref().map(Tickets::signed_by).transpose()?,
            events: Events::of(tracker.clone(), clock, Shown::by(settings), settings.event_clients),
            history: Recalled::default(),
            started: tracker.now(),
            tracker,
            shared: None,
            store: settings.store.clone(),
            allow_host: settings.allow_host.clone(),
            proxies: Proxies::of(settings),
            judge: Arc::new(Judge::of(settings)?),
            load: Arc::default(),
            syslog: Arc::default(),
            profiles: tokio::sync::Mutex::default(),
        })
    }

    /// Lets other processes use the store too.
    #[must_use]
    pub fn sharing(mut self, shared: Shared) -> Self {
        self.shared = Some(shared);
        self
    }

    /// The streams of who comes and goes, to be closed at the end.
    pub(crate) fn events(&self) -> Events {
        self.events.clone()
    }

    /// Where connections are counted.
    pub(crate) fn load(&self) -> Arc<Load> {
        Arc::clone(&self.load)
    }

    /// What makes activities of log lines.
    pub(crate) fn intake(&self) -> syslog::Intake {
        syslog::Intake {
            tracker: self.tracker.clone(),
            judge: Arc::clone(&self.judge),
            counts: Arc::clone(&self.syslog),
        }
    }
}

/// The server: calls below `/v1`, the page at `/`, what operators probe, and what other sites' pages may load.
pub fn app(state: AppState) -> Router {
    let state = Arc::new(state);
    let stand = (guard::every_answer(&state), guard::known_host(&state));
    Router::new()
        .merge(api::routes())
        .merge(metrics::routes())
        .merge(openapi::routes())
        .merge(page::routes())
        .fallback(async || Problem::no_such_path())
        .method_not_allowed_fallback(async || Problem::no_such_method())
        // The first is the outer one. Each `layer` costs every request some allocations: hence one for both.
        .layer((stand.clone(), guard::same_origin()))
        .merge(guests::routes().layer(stand))
        .with_state(state)
}
