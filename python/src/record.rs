//! What a store keeps of a user, and the rule by which two pieces of it merge.

use lastseen::Seen;
use pyo3::prelude::*;

use crate::convert::{At, Ip, User, maybe_datetime};

/// All that a store keeps of one user's activity.
#[pyclass(frozen, eq, module = "lastseen")]
#[derive(PartialEq)]
pub(crate) struct Record(pub(crate) lastseen::Record);

#[pymethods]
impl Record {
    #[new]
    #[pyo3(signature = (user, at=None, ip=None, left_at=None))]
    fn new(user: User, at: Option<At>, ip: Option<Ip>, left_at: Option<At>) -> Self {
        Self(lastseen::Record {
            user: user.0,
            seen: at.map(|at| Seen { at: at.0, ip: ip.map(|ip| ip.0) }),
            left_at: left_at.map(|at| at.0),
        })
    }

    #[getter]
    fn user(&self) -> &str {
        self.0.user.as_str()
    }

    #[getter]
    fn at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        maybe_datetime(py, self.0.seen.map(|seen| seen.at))
    }

    #[getter]
    fn ip(&self) -> Option<String> {
        self.0.seen?.ip.map(|ip| ip.to_string())
    }

    #[getter]
    fn left_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        maybe_datetime(py, self.0.left_at)
    }

    /// This and what another record knows of the same user: of each the later, and never a date more than a minute after
    /// `now`.
    fn merged(&self, other: &Self, now: At) -> Self {
        let mut merged = self.0.clone();
        merged.merge(&other.0, now.0);
        Self(merged)
    }

    fn __repr__(&self) -> String {
        let lastseen::Record { user, seen, left_at } = &self.0;
        format!("<Record {user} seen={seen:?} left_at={left_at:?}>")
    }
}
