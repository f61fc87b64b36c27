//! How many were online over some time, as a drawing: steps, so that nothing is shown between what was counted.

use std::fmt::Write as _;
use std::time::Duration;

use lastseen::{OnlineSpan, Timestamp};

use crate::words;

/// The drawing's own units; on the page one is about a pixel.
const WIDTH: f64 = 360.0;
const LEFT: f64 = 34.0;
const TOP: f64 = 6.0;
const BASE: f64 = 104.0;

/// How far from the right edge a label may still stand around its tick.
const MARGIN: f64 = 18.0;

/// A chart, ready to be written.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) peak: String,
    /// For those who can't see it.
    pub(super) summary: String,
    /// What lies below the peaks, and the line of the counts: as paths.
    pub(super) area: String,
    pub(super) line: String,
    pub(super) rules: Vec<Rule>,
    pub(super) ticks: Vec<Tick>,
}

/// A horizontal line, and the number for which it stands.
#[derive(Debug, PartialEq)]
pub(super) struct Rule {
    pub(super) y: f64,
    pub(super) label: String,
}

/// A moment on the axis.
#[derive(Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) x: f64,
    pub(super) anchor: &'static str,
    pub(super) label: String,
}

/// What is shown, and how the axis is divided.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) length: Duration,
    /// The last tick is at the beginning of the last whole one.
    pub(super) unit: Duration,
    /// Between two ticks.
    pub(super) tick: Duration,
    pub(super) label: fn(Timestamp) -> String,
}

impl Chart {
    /// Draws spans, oldest first, that end at `now`.
    pub(super) fn draw(frame: Frame, spans: &[OnlineSpan], now: Timestamp) -> Self {
        let from = now - frame.length;
        let peak = spans.iter().map(|span| span.peak).max().unwrap_or(0);
        let scale = Scale { from, length: frame.length, top: round_up(peak) };
        let rules = [scale.top, scale.top / 2, 0];
        Self {
            id: frame.id,
            title: frame.title,
            peak: words::grouped(u64::from(peak)),
            summary: summary(frame, spans, now),
            area: scale.path(spans, now, |span| span.peak, true),
            line: scale.path(spans, now, |span| span.online, false),
            rules: rules.map(|count| Rule { y: scale.y(count), label: words::number(u64::from(count)) }).into(),
            ticks: scale.ticks(frame, now),
        }
    }
}

fn summary(frame: Frame, spans: &[OnlineSpan], now: Timestamp) -> String {
    let Some(most) = spans.iter().rev().max_by_key(|span| span.peak) else {
        return "Nothing was measured.".to_owned();
    };
    let least = spans.iter().map(|span| span.peak).min().unwrap_or(0);
    let mut summary = format!("Between {least} and {} online, the most at {}.", most.peak, words::moment(most.at));
    let measured: Duration = spans.iter().map(|span| span.resolution.width()).sum();
    let whole = frame.length.saturating_sub(spans.first().map_or(Duration::ZERO, |span| span.resolution.width()));
    if measured < whole || spans.last().is_some_and(|last| last.at + last.resolution.width() < now) {
        summary.push_str(" For some of the time nothing was measured.");
    }
    summary
}

/// The least number that isn't less, and that is round as its half is.
fn round_up(count: u32) -> u32 {
    const ROUND: [u32; 11] = [10, 12, 16, 20, 24, 30, 40, 50, 60, 80, 100];

    if let Some(small) = [2, 4, 6, 8].into_iter().find(|top| *top >= count) {
        return small;
    }
    let mut unit: u32 = 1;
    loop {
        let round = ROUND.map(|round| round.saturating_mul(unit));
        if let Some(top) = round.into_iter().find(|top| *top >= count) {
            return top;
        }
        unit = unit.saturating_mul(10);
    }
}

/// Where times and counts lie.
struct Scale {
    from: Timestamp,
    length: Duration,
    top: u32,
}

impl Scale {
    fn x(&self, at: Timestamp) -> f64 {
        tenth(LEFT + (WIDTH - LEFT) * at.since(self.from).as_secs_f64() / self.length.as_secs_f64())
    }

    fn y(&self, count: u32) -> f64 {
        tenth(BASE - (BASE - TOP) * f64::from(count) / f64::from(self.top))
    }

    /// A step a span, and a new beginning after each gap; closed down to the base, or left as a line.
    fn path(&self, spans: &[OnlineSpan], now: Timestamp, count: fn(&OnlineSpan) -> u32, closed: bool) -> String {
        let mut path = String::new();
        let end = |span: &OnlineSpan| span.at + span.resolution.width();
        for run in spans.chunk_by(|before, after| end(before) == after.at) {
            let mut level = count(&run[0]);
            let (x, y) = (self.x(run[0].at), self.y(level));
            // Writing to a text can't fail.
            let _ = if closed { write!(path, "M{x} {BASE}V{y}") } else { write!(path, "M{x} {y}") };
            for (place, span) in run.iter().enumerate() {
                if count(span) != level {
                    level = count(span);
                    let _ = write!(path, "V{}", self.y(level));
                }
                // On the same level the step goes on.
                if run.get(place + 1).map(count) != Some(level) {
                    let _ = write!(path, "H{}", self.x(end(span).min(now)));
                }
            }
            if closed {
                let _ = write!(path, "V{BASE}Z");
            }
        }
        path
    }

    fn ticks(&self, frame: Frame, now: Timestamp) -> Vec<Tick> {
        let unit = i64::try_from(frame.unit.as_micros()).unwrap_or(i64::MAX);
        let last = Timestamp::from_micros(now.as_micros() - now.as_micros().rem_euclid(unit));
        let moments = (0..).map(|back| last - frame.tick * back).take_while(|at| *at > self.from);
        let tick = |at| {
            let x = self.x(at);
            let anchor = if x > WIDTH - MARGIN { "end" } else { "middle" };
            Tick { x, anchor, label: (frame.label)(at) }
        };
        // One at the very left would stand below the counts' labels.
        let mut ticks: Vec<_> = moments.map(tick).filter(|tick| tick.x > LEFT + MARGIN / 2.0).collect();
        ticks.reverse();
        ticks
    }
}

/// To a tenth of a unit, which nobody sees.
fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use lastseen::Resolution;

    use super::*;

    const HOURS: Frame = Frame {
        id: "day",
        title: "Last 10 hours",
        length: Duration::from_hours(10),
        unit: Duration::from_hours(2),
        tick: Duration::from_hours(2),
        label: words::hour,
    };

    fn at(hour: u32) -> Timestamp {
        format!("2026-11-24T{hour:02}:00:00Z").parse().unwrap()
    }

    fn span(hour: u32, online: u32, peak: u32) -> OnlineSpan {
        OnlineSpan { resolution: Resolution::Hour, at: at(hour), online, peak }
    }

    #[test]
    fn steps_go_up_and_down_and_end_where_nobody_counted() {
        let spans = [span(1, 5, 10), span(2, 5, 10), span(3, 0, 5), span(6, 10, 10), span(10, 5, 5)];
        let chart = Chart::draw(HOURS, &spans, at(10) + Duration::from_mins(30));
        // An hour is 32.6 wide, and begins at half past; a count is 9.8 high.
        assert_eq!(chart.area, "M50.3 104V6H115.5V55H148.1V104ZM213.3 104V6H245.9V104ZM343.7 104V55H360V104Z");
        assert_eq!(chart.line, "M50.3 55H115.5V104H148.1M213.3 6H245.9M343.7 55H360");
        assert_eq!(chart.peak, "10");
        assert_eq!(
            chart.summary,
            "Between 5 and 10 online, the most at 24 Nov 2026, 01:00 UTC. For some of the time nothing was measured."
        );
    }

    #[test]
    fn rules_are_round_and_the_highest_is_above_all() {
        for (peak, top) in
            [(0, 2), (2, 2), (3, 4), (9, 10), (11, 12), (61, 80), (101, 120), (1_045, 1_200), (1_000_001, 1_200_000)]
        {
            let chart = Chart::draw(HOURS, &[span(1, 0, peak)], at(10));
            let labels: Vec<_> = chart.rules.iter().map(|rule| rule.label.clone()).collect();
            assert_eq!(labels, [top, top / 2, 0].map(words::number), "{peak}");
            assert_eq!((chart.rules[0].y, chart.rules[2].y), (TOP, BASE));
        }
        assert_eq!(round_up(u32::MAX), u32::MAX);
    }

    #[test]
    fn ticks_are_on_the_hour_and_none_is_cut_off() {
        let labels = |now| {
            let ticks = Chart::draw(HOURS, &[], now).ticks;
            assert!(ticks.iter().all(|tick| tick.x <= WIDTH - MARGIN || tick.anchor == "end"), "{ticks:?}");
            ticks.into_iter().map(|tick| tick.label).collect::<Vec<_>>()
        };
        assert_eq!(labels(at(10)), ["02:00", "04:00", "06:00", "08:00", "10:00"]);
        assert_eq!(labels(at(11)), ["02:00", "04:00", "06:00", "08:00", "10:00"]);
    }

    #[test]
    fn all_of_it_and_nothing_of_it() {
        let spans: Vec<_> = (0..10).map(|hour| span(hour, 1, 1)).collect();
        let chart = Chart::draw(HOURS, &spans, at(10));
        assert_eq!(chart.summary, "Between 1 and 1 online, the most at 24 Nov 2026, 00:00 UTC.");
        assert_eq!(chart.line, "M34 55H360");
        let chart = Chart::draw(HOURS, &[], at(10));
        assert_eq!((chart.area.as_str(), chart.summary.as_str()), ("", "Nothing was measured."));
    }
}
