//! Server-sent events as text: a line a field, an empty line after each event. JSON has no line breaks of its own.

use axum::body::Bytes;
use serde::Serialize;
use serde_json::json;

use crate::api::{CountAnswer, GuestAnswer, OnlineAnswer};

/// A line that is no event: that the server is there.
pub(super) const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

/// How many milliseconds a client that was cut off is to wait. Each is told another number, so that a server that has
/// been started anew isn't asked by all of them at once.
pub(super) fn retry() -> Bytes {
    format!("retry: {}\n\n", fastrand::u32(1000..4000)).into()
}

pub(super) fn snapshot(id: &str, online: &OnlineAnswer) -> Bytes {
    let mut text = Text::default();
    text.id(id);
    text.event("snapshot", online);
    text.0.into()
}

pub(super) fn for_guests(answer: &GuestAnswer) -> Bytes {
    let mut text = Text::default();
    text.event("online", answer);
    text.0.into()
}

/// Events one after the other.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// Nothing where there are none.
    pub(super) fn users<T: Serialize>(&mut self, event: &str, users: &[T]) {
        if !users.is_empty() {
            self.event(event, &json!({ "users": users }));
        }
    }

    /// The last event of a batch has its id: a client that was cut off before it gets the batch again.
    pub(super) fn count(mut self, id: &str, count: &CountAnswer) -> Bytes {
        self.id(id);
        self.event("count", count);
        self.0.into()
    }

    fn id(&mut self, id: &str) {
        self.0.extend(["id: ", id, "\n"]);
    }

    fn event(&mut self, event: &str, data: &impl Serialize) {
        // Text, numbers and dates: this can't fail.
        let data = serde_json::to_string(data).unwrap_or_default();
        self.0.extend(["event: ", event, "\ndata: ", &data, "\n\n"]);
    }
}
