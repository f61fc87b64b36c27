//! One look: the list, the numbers and the state, asked for by the calls that everybody has.

use std::fmt::Write as _;
use std::time::Duration;

use axum::http::Method;
use lastseen::Timestamp;

use crate::Failure;
use crate::api::{DEFAULT_LIMIT, MAX_LIMIT, OnlineAnswer};
use crate::commands::table;
use crate::way::Way;
use crate::words;

/// What there is to show.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(super) online: OnlineAnswer,
    /// Why answers may be wanting, where they may.
    pub(super) trouble: Option<String>,
    pub(super) numbers: Numbers,
    /// Whether they are a server's. Who looks at a store alone is told of no touches: those are counted where they happen.
    pub(super) is_server: bool,
}

impl Look {
    pub(crate) fn through(way: &Way) -> Result<Self, Failure> {
        let online = way.ask(&Method::GET, &format!("/v1/online?limit={MAX_LIMIT}"), None)?.json()?;
        let numbers = Numbers::read(&way.ask(&Method::GET, "/metrics", None)?.into_line());
        let trouble = way.ask(&Method::GET, "/readyz", None).err().map(|failure| failure.to_string());
        Ok(Self { online, trouble, numbers, is_server: way.is_server() })
    }

    pub(super) fn as_of(&self) -> Timestamp {
        self.online.count.as_of
    }

    /// How many are online, in words.
    pub(super) fn headline(&self) -> String {
        let count = &self.online.count;
        // Where the store can't be read, others may be.
        let known = if self.trouble.is_some() { "known to be " } else { "" };
        format!("{} {known}online within the last {}", words::grouped(count.count as u64), words::window(count.window))
    }

    /// How the store does.
    pub(super) fn state(&self) -> String {
        let Numbers { flush_lag, follow_lag, pending, store_errors, .. } = self.numbers;
        let state = self.trouble.as_deref().map_or("ready".to_owned(), words::plain);
        let mut text = format!(
            "{state}; all written {}, others' read {}, {} pending",
            words::ago(flush_lag),
            words::ago(follow_lag),
            words::grouped(pending)
        );
        if store_errors > 0 {
            // Writing to a text can't fail.
            let _ = write!(text, ", {}", words::counted(store_errors, "failure"));
        }
        text
    }

    /// All of it, as lines.
    pub(crate) fn plain(mut self) -> String {
        let Numbers { touches, event_clients, .. } = self.numbers;
        let server = format!("touches since the start: {touches}, event clients: {event_clients}\n");
        self.online.users.truncate(DEFAULT_LIMIT);
        format!("{}{}\n\n{}", if self.is_server { &server } else { "" }, self.state(), table(&self.online))
    }
}

/// What `/metrics` says; nothing where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Numbers {
    pub(super) touches: u64,
    pub(super) event_clients: u64,
    pub(super) pending: u64,
    /// Of all kinds together.
    pub(super) store_errors: u64,
    pub(super) flush_lag: Duration,
    pub(super) follow_lag: Duration,
}

impl Numbers {
    fn read(text: &str) -> Self {
        let mut numbers = Self::default();
        for (name, value) in text.lines().filter_map(|line| line.rsplit_once(' ')) {
            let whole = || value.parse().unwrap_or(0);
            let lag = || value.parse().ok().and_then(|lag| Duration::try_from_secs_f64(lag).ok()).unwrap_or_default();
            match name {
                "lastseen_touches_total" => numbers.touches = whole(),
                "lastseen_event_clients" => numbers.event_clients = whole(),
                "lastseen_pending_users" => numbers.pending = whole(),
                "lastseen_flush_lag_seconds" => numbers.flush_lag = lag(),
                "lastseen_follow_lag_seconds" => numbers.follow_lag = lag(),
                _ if name.starts_with("lastseen_store_errors_total{") => numbers.store_errors += whole(),
                _ => {}
            }
        }
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_name_and_what_is_unknown_is_passed_over() {
        let text = "# HELP lastseen_touches_total Activities.\nlastseen_touches_total 12\nlastseen_touches_refused_total 3\n\
            lastseen_store_errors_total{kind=\"flush\"} 1\nlastseen_store_errors_total{kind=\"history\"} 4\n\
            lastseen_flush_lag_seconds 1.25\nlastseen_pending_users x\nanother 7\n";
        let numbers = Numbers::read(text);
        assert_eq!((numbers.touches, numbers.store_errors, numbers.pending), (12, 5, 0));
        assert_eq!(numbers.flush_lag, Duration::from_millis(1250));
        assert_eq!(Numbers::read("Hello!\n\n"), Numbers::default());
    }
}
