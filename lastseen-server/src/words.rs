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
    in_utc(at, "%H:%M:%S UTC")
}

/// The moment in UTC, to the minute: `3 Nov 2026, 20:15 UTC`.
pub(crate) fn moment(at: Timestamp) -> String {
    in_utc(at, "%-d %b %Y, %H:%M UTC")
}

/// The time of day in UTC, to the minute.
pub(crate) fn hour(at: Timestamp) -> String {
    in_utc(at, "%H:%M")
}

/// The day in UTC, without its year: `3 Nov`.
pub(crate) fn day(at: Timestamp) -> String {
    in_utc(at, "%-d %b")
}

fn in_utc(at: Timestamp, format: &str) -> String {
    jiff::Timestamp::from_microsecond(at.as_micros())
        .map_or_else(|_| at.to_string(), |at| at.strftime(format).to_string())
}

/// A number, with its thousands apart; from ten thousand on rounded down to three digits: `1,204`, `12.3k`, `4M`.
pub(crate) fn number(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..10_000 => format!("{},{:03}", number / 1_000, number % 1_000),
        _ => {
            let units = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
            let (unit, name) = units.into_iter().find(|(unit, _)| number >= *unit).unwrap_or((1, ""));
            match (number / unit, number % unit * 10 / unit) {
                (whole, tenths @ 1..) if whole < 100 => format!("{whole}.{tenths}{name}"),
                (whole, _) => format!("{whole}{name}"),
            }
        }
    }
}

/// Text from elsewhere, for a terminal: without characters that would steer it or turn the line around.
pub(crate) fn plain(text: &str) -> String {
    let steers = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if steers(letter) { char::REPLACEMENT_CHARACTER } else { letter }).collect()
}

/// A text as it stands alone: with a capital letter and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(letters).chain(['.']).collect()
}

/// How many of something: `1 line`, `1,234 lines`.
pub(crate) fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
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
    fn numbers_are_grouped() {
        for (number, words) in [(0, "0 lines"), (1, "1 line"), (999, "999 lines"), (1_234_567, "1,234,567 lines")] {
            assert_eq!(counted(number, "line"), words);
        }
    }

    #[test]
    fn a_sentence_begins_and_ends_as_one() {
        assert_eq!(sentence("the store does not answer"), "The store does not answer.");
        assert_eq!(sentence("\"x\" is none"), "\"x\" is none.");
        assert_eq!(sentence("écart"), "Écart.");
    }

    #[test]
    fn the_clock_is_utc() {
        let at = "2026-11-04T03:15:04.9Z".parse().unwrap();
        assert_eq!(clock(at), "03:15:04 UTC");
        assert_eq!(moment(at), "4 Nov 2026, 03:15 UTC");
        assert_eq!((hour(at).as_str(), day(at).as_str()), ("03:15", "4 Nov"));
    }

    #[test]
    fn numbers_stay_short_and_are_never_more_than_there_are() {
        for (count, words) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (9_099, "9,099"),
            (10_000, "10k"),
            (12_399, "12.3k"),
            (999_999, "999k"),
            (1_000_000, "1M"),
            (4_250_000_000, "4.2G"),
        ] {
            assert_eq!(number(count), words);
        }
    }
}
