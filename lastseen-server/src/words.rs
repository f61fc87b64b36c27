//! Times and spans in words.

use std::time::Duration;

use lastseen::Timestamp;

/// How long ago: `just now`, `12 s ago`, `3 min ago`, `2 h ago`, `5 days ago`.
pub(crate) fn ago(past: Duration) -> String {
    match past.as_secs() {
        0..5 => "just now".to_owned(),
        seconds @ 5..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..86_400 => format!("{} h ago", seconds / 3600),
        seconds @ 86_400..172_800 => format!("{} day ago", seconds / 86_400),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

/// A window: `15 minutes`, `1 hour`, `90 seconds`, and odd ones as they are set.
pub(crate) fn window(window: Duration) -> String {
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let whole = units.into_iter().find(|(seconds, _)| {
        window.subsec_nanos() == 0 && window.as_secs() >= *seconds && window.as_secs().is_multiple_of(*seconds)
    });
    match whole {
        Some((seconds, unit)) if window.as_secs() == seconds => unit.to_owned(),
        Some((seconds, unit)) => format!("{} {unit}s", window.as_secs() / seconds),
        None => humantime::format_duration(window).to_string(),
    }
}

/// The time of day in UTC, to the second.
pub(crate) fn clock(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.as_micros())
        .map_or_else(|_| at.to_string(), |at| at.strftime("%H:%M:%S UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_grows_with_the_distance() {
        for (seconds, words) in [
            (0, "just now"),
            (4, "just now"),
            (5, "5 s ago"),
            (59, "59 s ago"),
            (60, "1 min ago"),
            (3599, "59 min ago"),
            (3600, "1 h ago"),
            (86_400, "1 day ago"),
            (200_000, "2 days ago"),
        ] {
            assert_eq!(ago(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn windows_are_told_in_their_largest_whole_unit() {
        for (seconds, words) in [
            (900, "15 minutes"),
            (60, "minute"),
            (90, "90 seconds"),
            (3600, "hour"),
            (86_400, "day"),
            (7200, "2 hours"),
        ] {
            assert_eq!(window(Duration::from_secs(seconds)), words);
        }
        assert_eq!(window(Duration::from_millis(1500)), "1s 500ms");
    }

    #[test]
    fn the_clock_is_utc() {
        assert_eq!(clock("2026-11-24T03:15:04.9Z".parse().unwrap()), "03:15:04 UTC");
    }
}
