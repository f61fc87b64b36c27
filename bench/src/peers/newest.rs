//! The newest of many by one scan that keeps no more than it must.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::IpAddr;
use std::time::Duration;

use crate::population::now_micros;

/// A user's date, id and address.
pub type Found = (i64, String, Option<IpAddr>);

/// Keeps the newest `limit` of all that it is shown.
pub struct Newest {
    limit: usize,
    since: i64,
    /// The oldest of those kept is on top.
    kept: BinaryHeap<Reverse<Found>>,
}

impl Newest {
    pub fn new(window: Duration, limit: usize) -> Self {
        Self { limit, since: since(window), kept: BinaryHeap::with_capacity(limit + 1) }
    }

    pub fn see(&mut self, id: &str, at: i64, ip: Option<IpAddr>) {
        if at < self.since || self.kept.len() == self.limit && self.kept.peek().is_some_and(|oldest| at <= oldest.0.0) {
            return;
        }
        self.kept.push(Reverse((at, id.to_owned(), ip)));
        if self.kept.len() > self.limit {
            self.kept.pop();
        }
    }

    /// Newest first.
    pub fn into_vec(self) -> Vec<Found> {
        self.kept.into_sorted_vec().into_iter().map(|Reverse(found)| found).collect()
    }
}

/// When a window that ends now began.
pub fn since(window: Duration) -> i64 {
    now_micros() - i64::try_from(window.as_micros()).unwrap_or(i64::MAX)
}
