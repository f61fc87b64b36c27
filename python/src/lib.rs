//! The native half of the Python package `lastseen`: the tracker, with its tasks on threads of their own.
//!
//! ```text
//! Python call -> Tracker -> Process: the tracker of this very process, started on first use -> lastseen::Tracker
//!                                                                                                  |
//!                        an object of Python's <- Calls: one thread that Python knows <- Store  <--+
//! ```

mod answers;
mod calls;
mod client_ip;
mod clock;
mod convert;
mod failure;
mod object;
mod process;
mod record;
mod settings;
mod source;
mod store;
mod tracker;

use pyo3::prelude::*;

/// The module `lastseen._native`, of which `lastseen` shows what is public.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::answers::{LastSeen, Online, OnlineUser, Status};
    #[pymodule_export]
    use crate::client_ip::ClientIp;
    #[pymodule_export]
    use crate::clock::ManualClock;
    #[pymodule_export]
    use crate::failure::{FullError, StoreError};
    #[pymodule_export]
    use crate::record::Record;
    #[pymodule_export]
    use crate::tracker::Tracker;
    use pyo3::prelude::*;

    /// Python takes the thread that imports `threading` first for its main one, and waits for it at exit. That must not be the
    /// thread for calls, which logs.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.py().import("logging").map(drop)
    }
}
