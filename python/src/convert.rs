//! Users, dates, spans of time and addresses, from Python and back.

use std::net::IpAddr;
use std::time::Duration;

use lastseen::{Timestamp, UserId};
use pyo3::Borrowed;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDelta, PyDeltaAccess, PyInt, PyString};

use crate::failure::raised;

const MICROS_A_DAY: i64 = 86_400_000_000;

/// A user's key: text, a whole number, or what `str` makes text of, such as a UUID.
pub(crate) struct User(pub(crate) UserId);

impl<'py> FromPyObject<'_, 'py> for User {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = object.cast::<PyString>() {
            return UserId::new(text.to_cow()?.as_ref()).map(Self).map_err(raised);
        }
        if object.is_instance_of::<PyInt>()
            && let Ok(number) = object.extract::<i64>()
        {
            return Ok(Self(UserId::from(number)));
        }
        if object.is_none() {
            return Err(PyTypeError::new_err("the user is None: pass a key, as text or as a number"));
        }
        UserId::new(object.str()?.to_cow()?.as_ref()).map(Self).map_err(raised)
    }
}

/// A client's address, as text or as one of `ipaddress`'s objects.
#[derive(Clone, Copy)]
pub(crate) struct Ip(pub(crate) IpAddr);

impl<'py> FromPyObject<'_, 'py> for Ip {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let text = object.str()?;
        let text = text.to_cow()?;
        match text.parse::<IpAddr>() {
            Ok(ip) => Ok(Self(ip.to_canonical())),
            Err(_) => Err(PyValueError::new_err(format!("{text:?} is no address: write one such as \"203.0.113.7\""))),
        }
    }
}

/// A span of time: a `timedelta`, or a number of seconds.
#[derive(Clone, Copy)]
pub(crate) struct Span(pub(crate) Duration);

impl<'py> FromPyObject<'_, 'py> for Span {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let refused = || {
            let text = object.repr().map_or_else(|_| "it".to_owned(), |text| text.to_string());
            PyValueError::new_err(format!(
                "{text} is no span of time: pass a timedelta or a number of seconds, none of them negative"
            ))
        };
        if object.is_instance_of::<PyDelta>() {
            return object.extract().map(Self).map_err(|_: PyErr| refused());
        }
        let seconds: f64 = object.extract().map_err(|_: PyErr| refused())?;
        Duration::try_from_secs_f64(seconds).map(Self).map_err(|_| refused())
    }
}

/// A date: an aware `datetime`.
#[derive(Clone, Copy)]
pub(crate) struct At(pub(crate) Timestamp);

impl<'py> FromPyObject<'_, 'py> for At {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let since = object.sub(epoch(object.py())?).map_err(|error| {
            let text = object.repr().map_or_else(|_| "it".to_owned(), |text| text.to_string());
            let right = format!("{text} is no date: pass a datetime with a time zone");
            let refused = PyTypeError::new_err(right);
            refused.set_cause(object.py(), Some(error));
            refused
        })?;
        let since = since.cast::<PyDelta>()?;
        let seconds = i64::from(since.get_seconds());
        let micros = seconds * 1_000_000 + i64::from(since.get_microseconds());
        Ok(Self(Timestamp::from_micros(i64::from(since.get_days()) * MICROS_A_DAY + micros)))
    }
}

/// A moment as an aware `datetime` in UTC.
pub(crate) fn datetime(py: Python<'_>, at: Timestamp) -> PyResult<Bound<'_, PyAny>> {
    let days = i32::try_from(at.as_micros().div_euclid(MICROS_A_DAY));
    let days = days.map_err(|_| PyValueError::new_err(format!("{at} is beyond the dates that Python has")))?;
    let micros = at.as_micros().rem_euclid(MICROS_A_DAY);
    #[expect(clippy::cast_possible_truncation, reason = "less than a day's seconds, and a second's microseconds")]
    let since = PyDelta::new(py, days, (micros / 1_000_000) as i32, (micros % 1_000_000) as i32, true)?;
    epoch(py)?.add(since)
}

/// The same of a date that may be absent.
pub(crate) fn maybe_datetime(py: Python<'_>, at: Option<Timestamp>) -> PyResult<Option<Bound<'_, PyAny>>> {
    at.map(|at| datetime(py, at)).transpose()
}

fn epoch(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static EPOCH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let epoch = EPOCH.get_or_try_init(py, || {
        let datetime = py.import("datetime")?;
        let utc = datetime.getattr("timezone")?.getattr("utc")?;
        PyResult::Ok(datetime.getattr("datetime")?.call_method1("fromtimestamp", (0, utc))?.unbind())
    })?;
    Ok(epoch.bind(py))
}
