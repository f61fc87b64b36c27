//! Calls of Python objects from the tasks behind a tracker: on one thread, which Python knows.
//!
//! One thread, because database connections, in Django for one, belong to a thread: so a process has one more of them and
//! no second. It stays attached to the interpreter, and lets go of it while there is nothing to do.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PySystemExit;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tokio::sync::oneshot;

use crate::failure::{Failure, StoreError};

enum Job {
    /// What is done, and the call.
    Call(Doing, Box<dyn FnOnce(Python<'_>) -> Outcome + Send>),
    End,
}

/// What came of a call that somebody still waited for.
type Outcome = Option<Result<(), PyErr>>;

/// What a call is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// What the tasks do, and try again until it works: the log says when it fails.
    Writing,
    Following,
    Profiles,
    Expiring,
    /// What somebody has asked for, who is told of the error.
    Asked,
}

/// How long an interrupted call may take to end.
const INTERRUPTED: Duration = Duration::from_secs(1);

/// Hands calls to the thread.
#[derive(Clone)]
pub(crate) struct Calls {
    jobs: Sender<Job>,
    thread: Arc<Thread>,
}

/// The thread, from outside.
struct Thread {
    /// By which Python knows it.
    id: OnceLock<u64>,
    /// Closed once it has ended.
    end: Mutex<Receiver<()>>,
}

impl Calls {
    pub(crate) fn start() -> io::Result<Self> {
        let (sender, jobs) = mpsc::channel();
        let (running, end) = mpsc::channel::<()>();
        let jobs = Mutex::new(jobs);
        let known = Arc::new(Thread { id: OnceLock::new(), end: Mutex::new(end) });
        let thread = Arc::clone(&known);
        thread::Builder::new().name("lastseen-calls".into()).spawn(move || {
            Python::attach(|py| {
                let until_the_end = UntilTheEnd;
                // Where Python can't say there is no interrupting.
                let _ = ident(py).map(|ident| thread.id.set(ident));
                run(py, &jobs);
                std::mem::forget(until_the_end);
            });
            drop(running);
        })?;
        Ok(Self { jobs: sender, thread: known })
    }

    /// Makes a call, and waits for what comes of it. One that is given up before its turn is not made.
    pub(crate) async fn call<T, F>(&self, doing: Doing, call: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(Python<'_>) -> PyResult<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let call = move |py: Python<'_>| {
            if reply.is_closed() {
                return None;
            }
            let outcome = call(py);
            let told = outcome.as_ref().map(|_| ()).map_err(|error| error.clone_ref(py));
            // Nobody may be waiting any more, and the call has been made all the same.
            let _ = reply.send(outcome.map_err(|error| Failure::new(error.to_string())));
            Some(told)
        };
        let gone = || Failure::new("the tracker has been shut down");
        self.jobs.send(Job::Call(doing, Box::new(call))).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Has the log say that something fails, or works again, that isn't done by calls of Python: a store that a URL names.
    pub(crate) fn tell(&self, doing: Doing, failure: Option<&Failure>) {
        let failure = failure.map(ToString::to_string);
        let told = move |_: Python<'_>| Some(failure.map_or(Ok(()), |message| Err(StoreError::new_err(message))));
        // After its end nobody is left to be told.
        let _ = self.jobs.send(Job::Call(doing, Box::new(told)));
    }

    /// Ends the thread once it has done what it was told before.
    pub(crate) fn end(&self) {
        // It may have ended already.
        let _ = self.jobs.send(Job::End);
    }

    /// Makes the call that is under way fail where it is in Python, and waits a moment for the thread to end: it had better not
    /// be there when the interpreter goes. Not to be called while attached to Python.
    pub(crate) fn interrupt(&self) {
        let Some(id) = self.thread.id.get() else { return };
        let raise = |py: Python<'_>| {
            let ctypes = py.import("ctypes")?;
            let exit = ctypes.getattr("py_object")?.call1((py.get_type::<PySystemExit>(),))?;
            let id = ctypes.getattr("c_ulong")?.call1((*id,))?;
            ctypes.getattr("pythonapi")?.getattr("PyThreadState_SetAsyncExc")?.call1((id, exit)).map(drop)
        };
        if Python::attach(raise).is_ok() {
            let end = self.thread.end.lock().unwrap_or_else(PoisonError::into_inner);
            // If it hasn't ended by then it is stuck in something that isn't Python.
            let _ = end.recv_timeout(INTERRUPTED);
        }
    }
}

/// Keeps a thread that Python ends from taking the process along.
///
/// Once the interpreter goes, Python ends whichever thread comes back to it, in the middle of whatever call: by unwinding, up
/// to where Rust would let go of an interpreter that is no more, and abort. Here the thread waits for the process's end.
struct UntilTheEnd;

impl Drop for UntilTheEnd {
    fn drop(&mut self) {
        while !thread::panicking() {
            thread::park();
        }
    }
}

fn ident(py: Python<'_>) -> PyResult<u64> {
    py.import("_thread")?.call_method0("get_ident")?.extract()
}

fn run(py: Python<'_>, jobs: &Mutex<Receiver<Job>>) {
    let mut failing: Vec<Doing> = Vec::new();
    while let Ok(Job::Call(doing, call)) = py.detach(|| jobs.lock().unwrap_or_else(PoisonError::into_inner).recv()) {
        let was_failing = !failing.is_empty();
        match call(py) {
            Some(outcome) if doing != Doing::Asked => {
                failing.retain(|other| *other != doing);
                match outcome {
                    Err(error) => {
                        failing.push(doing);
                        if !was_failing {
                            log(py, "warning", "the store fails and is tried again, pages do without", Some(error));
                        }
                    }
                    Ok(()) if was_failing && failing.is_empty() => log(py, "info", "the store works again", None),
                    Ok(()) => {}
                }
            }
            Some(_) | None => {}
        }
    }
}

/// Writes to Python's logger `lastseen`. What goes wrong with that is nobody's concern.
pub(crate) fn log(py: Python<'_>, level: &str, message: &str, error: Option<PyErr>) {
    let write = || {
        let logger = py.import("logging")?.call_method1("getLogger", ("lastseen",))?;
        let details = PyDict::new(py);
        details.set_item("exc_info", error.map(|error| error.into_value(py)))?;
        logger.call_method(level, (message,), Some(&details))?;
        PyResult::Ok(())
    };
    let _ = write();
}
