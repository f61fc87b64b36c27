//! A clock for tests.

use lastseen::Timestamp;
use pyo3::prelude::*;

use crate::convert::{At, Span, datetime};

/// A clock that stands still until a test moves it.
#[pyclass(frozen, subclass, module = "lastseen")]
pub(crate) struct ManualClock(pub(crate) lastseen::ManualClock);

#[pymethods]
impl ManualClock {
    #[new]
    fn new(now: At) -> Self {
        Self(lastseen::ManualClock::new(now.0))
    }

    /// Lets time pass, a timedelta or seconds, and has all done that is due by then.
    fn advance(&self, by: Span) {
        self.0.advance(by.0);
    }

    /// Makes the wall time jump, either way, as an administrator does. Timers don't notice.
    fn set(&self, now: At) {
        self.0.set(now.0);
    }

    /// The wall time.
    fn now<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let now: Timestamp = lastseen::Clock::now(&self.0);
        datetime(py, now)
    }
}
