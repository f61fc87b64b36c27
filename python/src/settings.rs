//! A tracker's settings, checked when they are made.

use std::sync::Arc;
use std::time::Duration;

use lastseen::{MemoryStore, Store, TrackerBuilder};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

use crate::failure::raised;
use crate::source::Source;

pub(crate) struct Settings {
    pub(crate) source: Source,
    /// Given all that the store is given.
    pub(crate) mirror: Option<Arc<Py<PyAny>>>,
    /// Says who users are.
    pub(crate) directory: Option<Arc<Py<PyAny>>>,
    pub(crate) times: Times,
    pub(crate) capacity: Option<usize>,
    pub(crate) clock: Option<lastseen::ManualClock>,
}

/// What isn't said is as the library has it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Times {
    pub(crate) window: Option<Duration>,
    pub(crate) granularity: Option<Duration>,
    pub(crate) flush_every: Option<Duration>,
    pub(crate) follow_every: Option<Duration>,
    pub(crate) horizon: Option<Duration>,
    pub(crate) refresh_profiles_every: Option<Duration>,
    pub(crate) keep_addresses: Option<Duration>,
    pub(crate) keep_records: Option<Duration>,
}

impl Settings {
    pub(crate) fn builder(&self, store: impl Store) -> TrackerBuilder {
        fn set<T>(
            builder: TrackerBuilder,
            value: Option<T>,
            setter: impl FnOnce(TrackerBuilder, T) -> TrackerBuilder,
        ) -> TrackerBuilder {
            match value {
                Some(value) => setter(builder, value),
                None => builder,
            }
        }
        let times = self.times;
        let builder = lastseen::Tracker::builder(store);
        let builder = set(builder, times.window, TrackerBuilder::window);
        let builder = set(builder, times.granularity, TrackerBuilder::granularity);
        let builder = set(builder, times.flush_every, TrackerBuilder::flush_every);
        let builder = set(builder, times.follow_every, TrackerBuilder::follow_every);
        let builder = set(builder, times.horizon, TrackerBuilder::horizon);
        let builder = set(builder, times.refresh_profiles_every, TrackerBuilder::refresh_profiles_every);
        let builder = set(builder, times.keep_addresses, TrackerBuilder::keep_addresses);
        let builder = set(builder, times.keep_records, TrackerBuilder::keep_records);
        let builder = set(builder, self.capacity, TrackerBuilder::capacity);
        set(builder, self.clock.clone(), TrackerBuilder::clock)
    }

    /// Says what contradicts what, before the first request needs the tracker: by starting one on an empty store, on a
    /// runtime without threads. Returns the window.
    pub(crate) fn check(&self) -> PyResult<Duration> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|error| PyOSError::new_err(error.to_string()))?;
        let tracker = runtime.block_on(self.builder(MemoryStore::new()).start()).map_err(raised)?;
        Ok(tracker.window())
    }

    /// Whether objects of Python's have to be called.
    pub(crate) fn calls_python(&self) -> bool {
        self.source.object().is_some() || self.mirror.is_some() || self.directory.is_some()
    }
}
