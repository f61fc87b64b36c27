//! What the server has to do, counted: connections and answers. Who floods it shows here.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;

/// The lowest status code.
const FIRST: u16 = 100;

/// As much as there are codes of the five classes.
const CODES: usize = 500;

#[derive(Debug)]
pub(crate) struct Load {
    /// By status code.
    answers: Box<[AtomicU64]>,
    connections: AtomicU64,
    ended_as_slow: AtomicU64,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            answers: (0..CODES).map(|_| AtomicU64::new(0)).collect(),
            connections: AtomicU64::new(0),
            ended_as_slow: AtomicU64::new(0),
        }
    }
}

impl Load {
    pub(crate) fn answered(&self, status: StatusCode) {
        if let Some(answers) = self.answers.get(usize::from(status.as_u16().saturating_sub(FIRST))) {
            answers.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// A client has not sent a request's head in time.
    pub(crate) fn was_slow(&self) {
        self.ended_as_slow.fetch_add(1, Ordering::Relaxed);
    }

    /// How many answers there were of each code that there was any of.
    pub(crate) fn answers(&self) -> impl Iterator<Item = (u16, u64)> {
        let counts = (FIRST..).zip(&self.answers).map(|(code, count)| (code, count.load(Ordering::Relaxed)));
        counts.filter(|(_, count)| *count > 0)
    }

    /// Open connections.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Connections that were ended since the client was too slow.
    pub(crate) fn ended_as_slow(&self) -> u64 {
        self.ended_as_slow.load(Ordering::Relaxed)
    }
}
