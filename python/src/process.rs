//! The tracker of one process. A fork's child has none of its parent's threads, so it starts its own, on first use.

use std::future::Future;
use std::process;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;

use crate::calls::Calls;
use crate::failure::Failure;
use crate::object::{Function, Object};
use crate::settings::Settings;
use crate::store::{AtHand, Fails, Patience};

/// What a process has: nothing, until it is first needed. Whatever is waited for here is the process's own, never a lock
/// that a thread of the parent's held at the fork.
pub(crate) struct Process {
    pid: u32,
    running: OnceLock<Result<Running, String>>,
}

/// A started tracker, and what it runs on.
pub(crate) struct Running {
    pub(crate) tracker: lastseen::Tracker,
    pid: u32,
    /// `None` once it has been shut down.
    runtime: RwLock<Option<Runtime>>,
    /// What to close at the end, on this thread, which ends then.
    objects: Vec<Object>,
    calls: Option<Calls>,
    patience: Arc<Patience>,
}

/// The processes' trackers, of which this process has one.
pub(crate) struct Processes(ArcSwap<Process>);

impl Processes {
    pub(crate) fn new() -> Self {
        Self(ArcSwap::from_pointee(Process::new()))
    }

    /// This process's.
    pub(crate) fn current(&self) -> arc_swap::Guard<Arc<Process>> {
        let current = self.0.load();
        if current.pid == process::id() {
            return current;
        }
        let before = self.0.compare_and_swap(&*current, Arc::new(Process::new()));
        if Arc::ptr_eq(&before, &current) {
            // The parent's threads and locks are out of reach, and so can't be tidied up.
            std::mem::forget(arc_swap::Guard::into_inner(before));
        }
        self.0.load()
    }
}

impl Process {
    fn new() -> Self {
        Self { pid: process::id(), running: OnceLock::new() }
    }

    /// The tracker, if it has been started.
    pub(crate) fn started(&self) -> Option<&Running> {
        self.running.get()?.as_ref().ok()
    }

    /// The tracker, started if need be. Not to be called while attached to Python, which the store may need.
    pub(crate) fn start(&self, settings: &Settings) -> Result<&Running, Failure> {
        let started = self.running.get_or_init(|| Running::start(settings));
        started.as_ref().map_err(|message| Failure::new(message.clone()))
    }
}

impl Running {
    fn start(settings: &Settings) -> Result<Self, String> {
        let threads = |error: std::io::Error| format!("the tracker's threads can't be started: {error}");
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("lastseen").enable_all().build();
        let runtime = runtime.map_err(threads)?;
        let calls = settings.calls_python().then(Calls::start).transpose().map_err(threads)?;
        let objects = Objects::of(settings, calls.as_ref());
        let (tracker, patience) = runtime.block_on(async {
            let patience = Arc::new(Patience::new());
            let store = AtHand {
                source: settings.source.clone(),
                calls: calls.clone(),
                mirror: objects.mirror.clone(),
                opened: OnceCell::new(),
                patience: Arc::clone(&patience),
                fails: Fails::default(),
            };
            let mut builder = settings.builder(store);
            if let Some(object) = objects.directory.clone() {
                builder = builder.directory(Function { object, patience: Arc::clone(&patience) });
            }
            let started = builder.start().await;
            patience.end();
            (started, patience)
        });
        let tracker = tracker.map_err(|error| error.to_string())?;
        Ok(Self {
            tracker,
            pid: process::id(),
            runtime: RwLock::new(Some(runtime)),
            objects: [objects.store, objects.mirror].into_iter().flatten().collect(),
            calls,
            patience,
        })
    }

    /// Waits for `work`, for so long at most.
    pub(crate) fn wait<T>(&self, timeout: Duration, work: impl Future<Output = T>) -> Result<T, Failure> {
        let runtime = self.runtime.read().unwrap_or_else(PoisonError::into_inner);
        let Some(runtime) = &*runtime else { return Err(Failure::new("the tracker has been shut down")) };
        let in_time = runtime.block_on(async { tokio::time::timeout(timeout, work).await });
        in_time.map_err(|_| Failure::new(format!("there was no answer within {timeout:?}")))
    }

    /// Flushes and stops, within `timeout`. The second time there is nothing to do.
    pub(crate) fn shut_down(&self, timeout: Duration) -> Result<(), Failure> {
        let Some(runtime) = self.runtime.write().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        self.patience.stop();
        let work = async {
            let flushed = self.tracker.shutdown().await;
            for object in &self.objects {
                // What can't be closed ends with the process.
                let _ = object.close().await;
            }
            flushed.map_err(|error| Failure::new(error.to_string()))
        };
        let in_time = runtime.block_on(async { tokio::time::timeout(timeout, work).await });
        self.calls.iter().for_each(Calls::end);
        runtime.shutdown_background();
        if in_time.is_err() {
            self.calls.iter().for_each(Calls::interrupt);
        }
        in_time.unwrap_or_else(|_| Err(Failure::new(format!("what is pending wasn't written within {timeout:?}"))))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let runtime = self.runtime.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if self.pid != process::id() {
            std::mem::forget(runtime);
        } else if let Some(runtime) = runtime {
            self.calls.iter().for_each(Calls::end);
            runtime.shutdown_background();
        }
    }
}

/// The objects of Python's that the settings name, ready to be called.
struct Objects {
    store: Option<Object>,
    mirror: Option<Object>,
    directory: Option<Object>,
}

impl Objects {
    fn of(settings: &Settings, calls: Option<&Calls>) -> Self {
        let ready = |object: Option<&Arc<_>>| Some(Object { object: Arc::clone(object?), calls: calls?.clone() });
        Self {
            store: ready(settings.source.object()),
            mirror: ready(settings.mirror.as_ref()),
            directory: ready(settings.directory.as_ref()),
        }
    }
}
