//! `/metrics`: how the server is doing, in Prometheus' text format. No user and no address is in it.
//!
//! The names are part of the API: docs/metrics.md lists them, and none changes its meaning.

use std::fmt::{Display, Write as _};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::access::Reader;
use crate::app::AppState;
use crate::syslog::Outcome;

pub(crate) fn routes() -> Router<Arc<AppState>> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(_: Reader, State(state): State<Arc<AppState>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text(&state))
}

fn text(state: &AppState) -> String {
    let status = state.tracker.status();
    let since = |at: Option<_>| status.as_of.since(at.unwrap_or(state.started)).as_secs_f64();
    let mut text = Text::default();

    text.counter("touches_total", "Activities reported, but for those that a rule skipped.", status.touches);
    text.counter("touches_refused_total", "Those of new users for whom memory had no room.", status.refused);
    let rules = (0..).zip(state.judge.skipped()).map(|(rule, skipped): (u32, _)| (rule.to_string(), skipped));
    text.counters("skipped_total", "Reported requests that didn't count, by the skip rule's place.", "rule", rules);

    text.gauge("online_users", "Users who are online.", state.tracker.count());
    text.gauge("memory_users", "Users in memory.", status.users);
    text.counter("memory_evicted_total", "Users let go of to make room for others.", status.evicted);
    text.gauge("pending_users", "Those of whom the store lacks something.", status.pending);
    text.gauge("ready", "Whether answers are whole and the store answers.", u8::from(status.is_ready()));

    text.counter("flush_batches_total", "Batches that the store has taken.", status.batches);
    text.counter("flush_records_total", "Records in them.", status.records);
    text.gauge("flush_last_batch_records", "Records in the last of them.", status.last_batch);
    text.gauge("flush_lag_seconds", "Since all that was due had been written.", since(status.caught_up_at));
    text.gauge("follow_lag_seconds", "Since others' writes were read.", since(status.followed_at));
    let errors = [
        ("flush", status.flush_failures),
        ("follow", status.follow_failures),
        ("history", status.history_failures),
        ("expire", status.expire_failures),
    ];
    text.counters("store_errors_total", "Attempts that failed, by what was attempted.", "kind", errors);
    text.counter("directory_errors_total", "Attempts to ask for profiles that failed.", status.directory_failures);

    let answers = state.load.answers().map(|(code, count)| (code.to_string(), count));
    text.counters("http_answers_total", "Answers to calls, by status code.", "code", answers);
    text.gauge("http_connections", "Open connections.", state.load.connections());
    text.counter("http_slow_total", "Connections ended for want of a request's head.", state.load.ended_as_slow());
    text.gauge("event_clients", "Clients that listen to events.", state.events.clients());
    text.counter("event_clients_refused_total", "Those for whom there was no place.", state.events.refused());

    let outcomes = Outcome::ALL.map(|outcome| (outcome.name(), state.syslog.of(outcome)));
    text.counters("syslog_datagrams_total", "Log lines by syslog, by what became of them.", "outcome", outcomes);
    text.counter("syslog_dropped_total", "Those that the kernel had no room for.", state.syslog.dropped());
    text.0
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "counter");
        self.sample(name, &value);
    }

    fn counters<L: Display>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (L, u64)>,
    ) {
        self.head(name, help, "counter");
        for (of, value) in values {
            self.sample(&format!("{name}{{{label}=\"{of}\"}}"), &value);
        }
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, help, "gauge");
        self.sample(name, &value);
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let _ = write!(self.0, "# HELP lastseen_{name} {help}\n# TYPE lastseen_{name} {kind}\n");
    }

    fn sample(&mut self, name: &str, value: &dyn Display) {
        let _ = writeln!(self.0, "lastseen_{name} {value}");
    }
}
