//! Errors on both sides of the border.

use std::error::Error;
use std::fmt;

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;

create_exception!(lastseen, StoreError, PyException, "The store, or the directory, failed or didn't answer in time.");
create_exception!(lastseen, FullError, PyException, "Memory is full of users whom the store lacks.");

/// Why a store could not do as told, as text: what it was, and the causes underneath.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    pub(crate) fn of(error: &dyn Error) -> Self {
        let causes = std::iter::successors(error.source(), |cause| (*cause).source());
        Self(causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}")))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Failure {}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        StoreError::new_err(failure.0)
    }
}

/// The library's error as Python's: `ValueError` for wrong input.
#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
pub(crate) fn raised(error: lastseen::Error) -> PyErr {
    let message = error.to_string();
    if error.is_store() || error.is_directory() {
        StoreError::new_err(message)
    } else if error.is_full() {
        FullError::new_err(message)
    } else {
        PyValueError::new_err(message)
    }
}
