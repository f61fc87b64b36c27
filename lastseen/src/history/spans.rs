//! Spans by resolution and time, merged by maximum.

use std::collections::BTreeMap;

use super::{OnlineSpan, Resolution};
use crate::Timestamp;

/// What has been counted, each span once. With what is old [let go of](Self::drop_old) there are at most some thousand.
#[derive(Default)]
pub(crate) struct Spans(BTreeMap<(Resolution, Timestamp), Counts>);

#[derive(Clone, Copy, PartialEq, Eq)]
struct Counts {
    online: u32,
    peak: u32,
}

impl Spans {
    pub(crate) fn merge(&mut self, span: OnlineSpan) {
        let OnlineSpan { resolution, at, online, peak } = span;
        let counts = self.0.entry((resolution, at)).or_insert(Counts { online, peak });
        *counts = Counts { online: counts.online.max(online), peak: counts.peak.max(peak) };
    }

    /// Those that began from `from` to `to`, oldest first.
    pub(crate) fn within(&self, resolution: Resolution, from: Timestamp, to: Timestamp) -> Vec<OnlineSpan> {
        // A range that ends before it begins would panic.
        let spans = (from <= to).then(|| self.0.range((resolution, from)..=(resolution, to)));
        spans.into_iter().flatten().map(span).collect()
    }

    pub(crate) fn all(&self) -> Vec<OnlineSpan> {
        self.0.iter().map(span).collect()
    }

    /// Lets go of what is no longer kept at `now`.
    pub(crate) fn drop_old(&mut self, now: Timestamp) {
        self.0.retain(|(resolution, at), _| *at >= resolution.oldest(now));
    }

    /// Keeps those that began at or before `latest`.
    pub(crate) fn drop_after(&mut self, latest: Timestamp) {
        self.0.retain(|(_, at), _| *at <= latest);
    }

    /// Takes a span out, unless it has changed.
    pub(crate) fn remove(&mut self, span: &OnlineSpan) {
        let key = (span.resolution, span.at);
        if self.0.get(&key) == Some(&Counts { online: span.online, peak: span.peak }) {
            self.0.remove(&key);
        }
    }
}

fn span((&(resolution, at), counts): (&(Resolution, Timestamp), &Counts)) -> OnlineSpan {
    OnlineSpan { resolution, at, online: counts.online, peak: counts.peak }
}
