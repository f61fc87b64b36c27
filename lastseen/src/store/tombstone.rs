//! For how long a forgotten user's old activities are kept out.

use std::time::Duration;

use crate::{Timestamp, VOID_AHEAD};

/// By then everything that was in flight when a user was forgotten has come in, or never will: a day.
const KEPT: Duration = Duration::from_hours(24);

/// Whether what was forgotten at `forgotten_at` is still kept out at `now`, which `latest` is not before.
///
/// A date from a clock that was far ahead holds nothing back: else its user could never come back.
pub(super) fn holds(forgotten_at: Timestamp, now: Timestamp, latest: Timestamp) -> bool {
    !has_expired(forgotten_at, now) && !is_void(forgotten_at, latest)
}

/// Whether the date comes from a clock that was far ahead, and so gives way to any other.
pub(super) fn is_void(forgotten_at: Timestamp, now: Timestamp) -> bool {
    forgotten_at > now + VOID_AHEAD
}

/// Whether the date itself may be dropped at `now`.
pub(super) fn has_expired(forgotten_at: Timestamp, now: Timestamp) -> bool {
    forgotten_at < oldest(now)
}

/// The oldest date that is still kept at `now`.
pub(super) fn oldest(now: Timestamp) -> Timestamp {
    now - KEPT
}
