//! The signals that end programs, for a command that has a terminal to leave as it was.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::{flag, low_level};

/// Which of them has come: its number, or 0. Clones are the same one.
#[derive(Clone)]
pub(crate) struct EndedBy(Arc<AtomicUsize>);

impl EndedBy {
    /// From now on they end nothing by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        let came = Arc::new(AtomicUsize::new(0));
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
            flag::register_usize(signal, Arc::clone(&came), signal.unsigned_abs() as usize)?;
        }
        Ok(Self(came))
    }

    pub(crate) fn signal(&self) -> Option<i32> {
        i32::try_from(self.0.load(Ordering::Relaxed)).ok().filter(|signal| *signal != 0)
    }

    /// Where one has come, ends by it, as whoever sent it expects: a shell gives 128 and its number.
    pub(crate) fn end(&self) -> io::Result<()> {
        self.signal().map_or(Ok(()), low_level::emulate_default_handler)
    }
}
