//! What a tracker answers, as Python sees it. Dates become objects when they are asked for.

use std::time::Duration;

use pyo3::prelude::*;

use crate::convert::{datetime, maybe_datetime};

/// One user who is online.
#[pyclass(frozen, module = "lastseen")]
pub(crate) struct OnlineUser(lastseen::OnlineUser);

#[pymethods]
impl OnlineUser {
    #[getter]
    fn user(&self) -> &str {
        self.0.user.as_str()
    }

    #[getter]
    fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    #[getter]
    fn label(&self) -> &str {
        self.0.label()
    }

    #[getter]
    fn at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.0.at)
    }

    #[getter]
    fn ip(&self) -> Option<String> {
        self.0.ip.map(|ip| ip.to_string())
    }

    fn __repr__(&self) -> String {
        format!("<OnlineUser {} at {}>", self.0.label(), self.0.at)
    }
}

/// Who is online: the newest first, and how many there are in all.
#[pyclass(frozen, module = "lastseen")]
pub(crate) struct Online {
    as_of: lastseen::Timestamp,
    #[pyo3(get)]
    window: Duration,
    #[pyo3(get)]
    count: usize,
    users: Vec<Py<OnlineUser>>,
}

impl Online {
    pub(crate) fn new(py: Python<'_>, online: lastseen::Online) -> PyResult<Self> {
        let users = online.users.into_iter().map(|user| Py::new(py, OnlineUser(user)));
        let users = users.collect::<PyResult<Vec<_>>>()?;
        Ok(Self { as_of: online.as_of, window: online.window, count: online.count, users })
    }
}

#[pymethods]
impl Online {
    #[getter]
    fn as_of<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.as_of)
    }

    #[getter]
    fn users(&self, py: Python<'_>) -> Vec<Py<OnlineUser>> {
        self.users.iter().map(|user| user.clone_ref(py)).collect()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.users(py).into_pyobject(py)?.call_method0("__iter__")
    }

    /// How many users are listed; [`count`](Self::count) is how many there are.
    fn __len__(&self) -> usize {
        self.users.len()
    }

    fn __repr__(&self) -> String {
        format!("<Online {} as of {}>", self.count, self.as_of)
    }
}

/// When a user was last seen.
#[pyclass(frozen, module = "lastseen")]
pub(crate) struct LastSeen(pub(crate) lastseen::LastSeen);

#[pymethods]
impl LastSeen {
    #[getter]
    fn as_of<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.0.as_of)
    }

    #[getter]
    fn online(&self) -> bool {
        self.0.online
    }

    #[getter]
    fn user(&self) -> &str {
        self.0.user.as_str()
    }

    #[getter]
    fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    #[getter]
    fn at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.0.at)
    }

    #[getter]
    fn ip(&self) -> Option<String> {
        self.0.ip.map(|ip| ip.to_string())
    }

    #[getter]
    fn left_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        maybe_datetime(py, self.0.left_at)
    }

    fn __repr__(&self) -> String {
        format!("<LastSeen {} at {}>", self.0.user, self.0.at)
    }
}

/// How a tracker is doing.
#[pyclass(frozen, module = "lastseen")]
pub(crate) struct Status(pub(crate) lastseen::Status);

#[pymethods]
impl Status {
    #[getter]
    fn as_of<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.0.as_of)
    }

    #[getter]
    fn users(&self) -> usize {
        self.0.users
    }

    #[getter]
    fn pending(&self) -> usize {
        self.0.pending
    }

    #[getter]
    fn touches(&self) -> u64 {
        self.0.touches
    }

    #[getter]
    fn refused(&self) -> u64 {
        self.0.refused
    }

    #[getter]
    fn evicted(&self) -> u64 {
        self.0.evicted
    }

    #[getter]
    fn loaded(&self) -> bool {
        self.0.loaded
    }

    #[getter]
    fn ready(&self) -> bool {
        self.0.is_ready()
    }

    #[getter]
    fn batches(&self) -> u64 {
        self.0.batches
    }

    #[getter]
    fn records(&self) -> u64 {
        self.0.records
    }

    #[getter]
    fn last_batch(&self) -> usize {
        self.0.last_batch
    }

    #[getter]
    fn flush_failures(&self) -> u64 {
        self.0.flush_failures
    }

    #[getter]
    fn follow_failures(&self) -> u64 {
        self.0.follow_failures
    }

    #[getter]
    fn history_failures(&self) -> u64 {
        self.0.history_failures
    }

    #[getter]
    fn expire_failures(&self) -> u64 {
        self.0.expire_failures
    }

    #[getter]
    fn directory_failures(&self) -> u64 {
        self.0.directory_failures
    }

    #[getter]
    fn changes(&self) -> u64 {
        self.0.changes
    }

    #[getter]
    fn flushed_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        maybe_datetime(py, self.0.flushed_at)
    }

    #[getter]
    fn caught_up_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        maybe_datetime(py, self.0.caught_up_at)
    }

    #[getter]
    fn followed_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        maybe_datetime(py, self.0.followed_at)
    }

    #[getter]
    fn store_error(&self) -> Option<&str> {
        self.0.store_error.as_deref()
    }

    #[getter]
    fn directory_error(&self) -> Option<&str> {
        self.0.directory_error.as_deref()
    }

    fn __repr__(&self) -> String {
        let lastseen::Status { users, pending, loaded, store_error, .. } = &self.0;
        format!("<Status users={users} pending={pending} loaded={loaded} store_error={store_error:?}>")
    }
}
