//! Calls straight on a store: the server's own service, without a port, on a tracker that lives as long as the command.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use http_body_util::BodyExt;
use lastseen::{SystemClock, Tracker};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use super::Answer;
use crate::Failure;
use crate::app::{AppState, app};
use crate::settings::{Settings, StoreUrl};
use crate::store::start_tracker;
use crate::value::OptionalFile;

pub(crate) struct Straight {
    runtime: Runtime,
    tracker: Tracker,
    app: Router,
    store: StoreUrl,
}

/// What a command needs to wait for a store.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::runtime(format!("can't start what waits for the store: {error}")))
}

/// What follows a store by itself, on a thread of its own.
#[cfg(feature = "top")]
pub(super) fn runtime_behind() -> Result<Runtime, Failure> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure::runtime(format!("can't start what follows the store: {error}")))
}

impl Straight {
    pub(super) fn on(settings: &Settings, runtime: Runtime) -> Result<Self, Failure> {
        let clock = SystemClock::new();
        let tracker = runtime.block_on(start_tracker(settings, clock.clone()))?;
        // Whoever may open the store may do everything, and needn't be able to read the server's keys.
        let ticket_key_file = OptionalFile::default();
        let open = Settings { tokens: Vec::new(), ticket_key_file, ..settings.clone() };
        let app = app(AppState::new(tracker.clone(), clock, &open)?);
        Ok(Self { runtime, tracker, app, store: settings.store.clone() })
    }

    pub(super) fn call(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let request = Request::builder().method(method).uri(path);
        let request = match body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        let request = request.map_err(|error| Failure::runtime(format!("{path:?} can't be asked for: {error}")))?;
        self.runtime.block_on(async {
            // What could not be read is not there to be answered from.
            if let Some(error) = self.tracker.status().store_error {
                return Err(Failure::runtime(format!("{}: {error}", self.store)));
            }
            let Ok(answer) = self.app.clone().oneshot(request).await;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.map_err(|error| Failure::runtime(error.to_string()))?;
            Ok(Answer { status: head.status, body: body.to_bytes().into() })
        })
    }

    pub(super) fn close(self) -> Result<(), Failure> {
        Ok(self.runtime.block_on(self.tracker.shutdown())?)
    }
}
