//! The tracker as Python has it: touches and answers at once, everything else with a time limit.

use std::sync::Arc;
use std::time::Duration;

use lastseen::{Activity, Profile};
use pyo3::prelude::*;

use crate::answers::{LastSeen, Online, Status};
use crate::calls::log;
use crate::clock::ManualClock;
use crate::convert::{At, Ip, Span, User, datetime};
use crate::failure::{Failure, raised};
use crate::process::{Processes, Running};
use crate::settings::{Settings, Times};
use crate::source::Source;

/// How long a call that has to ask the store waits, unless it is told otherwise.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Who is online, and when was everyone last seen.
///
/// What waits lets go of the interpreter's lock. What is a matter of memory doesn't: it takes microseconds, and whoever lets
/// go of that lock may have to wait 5 ms until another thread has had its turn.
#[pyclass(frozen, module = "lastseen")]
pub(crate) struct Tracker {
    settings: Settings,
    window: Duration,
    processes: Processes,
}

impl Tracker {
    /// Does `work` with this process's tracker, which the first call starts.
    fn with<T>(slf: &Bound<'_, Self>, work: impl FnOnce(&Running) -> PyResult<T>) -> PyResult<T> {
        let this = slf.get();
        let process = this.processes.current();
        if let Some(running) = process.started() {
            return work(running);
        }
        slf.py().detach(|| process.start(&this.settings).map(drop))?;
        // So that what is pending is written. Once more from another thread does no harm.
        slf.py().import("atexit")?.call_method1("register", (slf.getattr("_at_exit")?,))?;
        work(process.start(&this.settings)?)
    }

    /// The same of what has to wait: others may run meanwhile, and it ends after `timeout`.
    fn wait<T, F>(
        slf: &Bound<'_, Self>,
        timeout: Option<Span>,
        work: impl FnOnce(lastseen::Tracker) -> F + Send,
    ) -> PyResult<T>
    where
        F: Future<Output = Result<T, lastseen::Error>>,
        T: Send,
    {
        let timeout = timeout.map_or(TIMEOUT, |timeout| timeout.0);
        Self::with(slf, |running| {
            let outcome = slf.py().detach(|| running.wait(timeout, work(running.tracker.clone())));
            outcome?.map_err(raised)
        })
    }
}

#[pymethods]
impl Tracker {
    #[new]
    #[pyo3(signature = (
        store=None, *, window=None, granularity=None, flush_every=None, follow_every=None, horizon=None,
        refresh_profiles_every=None, keep_addresses=None, keep_records=None, capacity=None, directory=None, mirror=None,
        clock=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "each is a keyword of its own")]
    fn new(
        store: Option<&Bound<'_, PyAny>>,
        window: Option<Span>,
        granularity: Option<Span>,
        flush_every: Option<Span>,
        follow_every: Option<Span>,
        horizon: Option<Span>,
        refresh_profiles_every: Option<Span>,
        keep_addresses: Option<Span>,
        keep_records: Option<Span>,
        capacity: Option<usize>,
        directory: Option<Py<PyAny>>,
        mirror: Option<Py<PyAny>>,
        clock: Option<&Bound<'_, ManualClock>>,
    ) -> PyResult<Self> {
        let settings = Settings {
            source: store.map_or_else(|| Ok(Source::Sqlite("lastseen.db".into())), Source::of)?,
            mirror: mirror.map(Arc::new),
            directory: directory.map(Arc::new),
            times: Times {
                window: window.map(|span| span.0),
                granularity: granularity.map(|span| span.0),
                flush_every: flush_every.map(|span| span.0),
                follow_every: follow_every.map(|span| span.0),
                horizon: horizon.map(|span| span.0),
                refresh_profiles_every: refresh_profiles_every.map(|span| span.0),
                keep_addresses: keep_addresses.map(|span| span.0),
                keep_records: keep_records.map(|span| span.0),
            },
            capacity,
            clock: clock.map(|clock| clock.get().0.clone()),
        };
        let window = settings.check()?;
        Ok(Self { settings, window, processes: Processes::new() })
    }

    #[getter]
    fn window(&self) -> Duration {
        self.window
    }

    /// Whether it has been started in this process.
    #[getter]
    fn started(&self) -> bool {
        self.processes.current().started().is_some()
    }

    /// Starts this process's tracker, as the first call of any other method would.
    fn start(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::with(slf, |_| Ok(()))
    }

    #[pyo3(signature = (user, ip=None))]
    #[expect(clippy::needless_pass_by_value, reason = "as PyO3 hands it over")]
    fn touch(slf: &Bound<'_, Self>, user: User, ip: Option<Ip>) -> PyResult<()> {
        Self::with(slf, |running| {
            running.tracker.touch(&user.0, ip.map(|ip| ip.0));
            Ok(())
        })
    }

    #[pyo3(signature = (user, at, ip=None))]
    fn touch_at(slf: &Bound<'_, Self>, user: User, at: At, ip: Option<Ip>) -> PyResult<()> {
        let activity = Activity { user: user.0, at: at.0, ip: ip.map(|ip| ip.0) };
        Self::with(slf, |running| running.tracker.touch_at(activity).map_err(raised))
    }

    #[pyo3(signature = (user, at=None, ip=None, *, timeout=None))]
    fn record(
        slf: &Bound<'_, Self>,
        user: User,
        at: Option<At>,
        ip: Option<Ip>,
        timeout: Option<Span>,
    ) -> PyResult<()> {
        Self::wait(slf, timeout, |tracker| async move {
            let at = at.map_or_else(|| tracker.now(), |at| at.0);
            tracker.record(Activity { user: user.0, at, ip: ip.map(|ip| ip.0) }).await
        })
    }

    #[expect(clippy::needless_pass_by_value, reason = "as PyO3 hands it over")]
    fn leave(slf: &Bound<'_, Self>, user: User) -> PyResult<()> {
        Self::with(slf, |running| {
            running.tracker.leave(&user.0);
            Ok(())
        })
    }

    #[pyo3(signature = (user, *, timeout=None))]
    fn forget(slf: &Bound<'_, Self>, user: User, timeout: Option<Span>) -> PyResult<()> {
        Self::wait(slf, timeout, |tracker| async move { tracker.forget(&user.0).await })
    }

    #[pyo3(signature = (limit=50, window=None))]
    fn online(slf: &Bound<'_, Self>, limit: usize, window: Option<Span>) -> PyResult<Online> {
        Self::with(slf, |running| {
            let online = match window {
                Some(window) => running.tracker.online_within(window.0, limit).map_err(raised)?,
                None => running.tracker.online(limit),
            };
            Online::new(slf.py(), online)
        })
    }

    #[pyo3(signature = (window=None))]
    fn count(slf: &Bound<'_, Self>, window: Option<Span>) -> PyResult<usize> {
        Self::with(slf, |running| match window {
            Some(window) => running.tracker.count_within(window.0).map_err(raised),
            None => Ok(running.tracker.count()),
        })
    }

    #[expect(clippy::needless_pass_by_value, reason = "as PyO3 hands it over")]
    fn is_online(slf: &Bound<'_, Self>, user: User) -> PyResult<bool> {
        Self::with(slf, |running| Ok(running.tracker.is_online(&user.0)))
    }

    #[pyo3(signature = (user, *, timeout=None))]
    fn last_seen(slf: &Bound<'_, Self>, user: User, timeout: Option<Span>) -> PyResult<Option<LastSeen>> {
        let seen = Self::wait(slf, timeout, |tracker| async move { tracker.last_seen(&user.0).await })?;
        Ok(seen.map(LastSeen))
    }

    #[pyo3(signature = (user, name=None, *, active=true, hidden=false, timeout=None))]
    fn set_profile(
        slf: &Bound<'_, Self>,
        user: User,
        name: Option<String>,
        active: bool,
        hidden: bool,
        timeout: Option<Span>,
    ) -> PyResult<()> {
        let profile = name.map_or_else(Profile::new, Profile::named).active(active).hidden(hidden);
        Self::wait(slf, timeout, |tracker| async move { tracker.set_profile(&user.0, profile).await })
    }

    #[pyo3(signature = (*, timeout=None))]
    fn resolve_profiles(slf: &Bound<'_, Self>, timeout: Option<Span>) -> PyResult<()> {
        Self::wait(slf, timeout, |tracker| async move { tracker.resolve_profiles().await })
    }

    fn status(slf: &Bound<'_, Self>) -> PyResult<Status> {
        Self::with(slf, |running| Ok(Status(running.tracker.status())))
    }

    /// The time, by the tracker's clock.
    fn now<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Self::with(slf, |running| datetime(slf.py(), running.tracker.now()))
    }

    #[pyo3(signature = (*, timeout=None))]
    fn flush(slf: &Bound<'_, Self>, timeout: Option<Span>) -> PyResult<()> {
        Self::wait(slf, timeout, |tracker| async move { tracker.flush().await })
    }

    #[pyo3(signature = (*, timeout=None))]
    fn shutdown(slf: &Bound<'_, Self>, timeout: Option<Span>) -> PyResult<()> {
        let this = slf.get();
        let process = this.processes.current();
        let Some(running) = process.started() else { return Ok(()) };
        let timeout = timeout.map_or(TIMEOUT, |timeout| timeout.0);
        slf.py().import("atexit")?.call_method1("unregister", (slf.getattr("_at_exit")?,))?;
        slf.py().detach(|| running.shut_down(timeout)).map_err(Failure::into)
    }

    /// Flushes what it can: nobody is left to be told of an error, but the log.
    fn _at_exit(slf: &Bound<'_, Self>) {
        if let Err(error) = Self::shutdown(slf, None) {
            log(slf.py(), "warning", "what the store lacks is lost with the process", Some(error));
        }
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        Self::with(slf, |_| Ok(()))?;
        Ok(slf.clone())
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(slf: &Bound<'_, Self>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        Self::shutdown(slf, None)
    }

    fn __repr__(&self) -> String {
        format!("<Tracker window={:?}>", self.window)
    }
}
