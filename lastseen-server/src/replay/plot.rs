//! How many were online over time, as an SVG that a page can show on light and on dark ground.

use std::fmt::{self, Write};

use jiff::tz::Offset;

use super::Replay;
use crate::words::grouped;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 352.0;
/// Where the axes begin and end.
const LEFT: f64 = 72.0;
const RIGHT: f64 = 912.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 300.0;

const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.grid { stroke: #d0d7de; stroke-width: 1 }
.line { fill: none; stroke-width: 1.75; stroke-linejoin: round }
.s0 { stroke: #0969da } .s1 { stroke: #bc4c00 }
.area { fill: #0969da; fill-opacity: .1 }
circle.s0 { fill: #0969da } circle.s1 { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .grid { stroke: #3d444d }
  .s0 { stroke: #79c0ff } .s1 { stroke: #ffa657 }
  .area { fill: #79c0ff }
  circle.s0 { fill: #79c0ff } circle.s1 { fill: #ffa657 }
}
";

impl Replay {
    /// A curve a configuration, with its peak marked.
    #[must_use]
    pub fn picture(&self) -> String {
        let mut svg = String::new();
        // A string takes everything.
        let _ = self.draw(&mut svg);
        svg
    }

    fn draw(&self, svg: &mut String) -> fmt::Result {
        writeln!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
             height=\"{HEIGHT}\" role=\"img\" aria-label=\"Users online over time\">\n<style>\n{STYLE}</style>"
        )?;
        writeln!(svg, "<text class=\"title\" x=\"{LEFT}\" y=\"28\">Users online</text>")?;

        let shares =
            || self.runs.iter().flat_map(|run| run.model.curve.points().map(|(at, _)| (at, run.model.curve.width())));
        let start = shares().map(|(at, _)| at).min().unwrap_or(0);
        let end = shares().map(|(at, width)| at + width).max().unwrap_or(0).max(start + 1);
        let across = Axis { from: seconds(start), to: seconds(end), start: LEFT, end: RIGHT };
        let most = self.runs.iter().map(|run| run.model.peak).max().unwrap_or(0);
        let step = round_step(most);
        let up = Axis { from: 0.0, to: number(most.div_ceil(step).max(1) * step), start: BOTTOM, end: TOP };

        for value in (0..=most.div_ceil(step).max(1)).map(|tick| tick * step) {
            let y = up.place(number(value));
            writeln!(svg, "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>")?;
            let label = grouped(value as u64);
            writeln!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>", LEFT - 8.0, y + 4.5)?;
        }
        for (at, time, day) in times(start, end) {
            let x = across.place(seconds(at));
            writeln!(
                svg,
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{BOTTOM}\" y2=\"{}\"/>",
                BOTTOM + 5.0
            )?;
            writeln!(svg, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{time}</text>", BOTTOM + 20.0)?;
            if let Some(day) = day {
                writeln!(svg, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{day}</text>", BOTTOM + 37.0)?;
            }
        }
        writeln!(svg, "<text x=\"{RIGHT}\" y=\"28\" text-anchor=\"end\">time in UTC</text>")?;
        self.curves(svg, &across, &up)
    }

    fn curves(&self, svg: &mut String, across: &Axis, up: &Axis) -> fmt::Result {
        for (index, run) in self.runs.iter().enumerate() {
            let curve = &run.model.curve;
            let half = curve.width() / 2;
            let places = curve.points().map(|(at, most)| (across.place(seconds(at + half)), up.place(number(most))));
            let points: Vec<String> = places.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            if let (0, Some((first, _)), Some((last, _))) = (
                index,
                points.first().and_then(|point| point.split_once(',')),
                points.last().and_then(|point| point.split_once(',')),
            ) {
                let points = points.join(" ");
                writeln!(svg, "<polygon class=\"area\" points=\"{first},{BOTTOM} {points} {last},{BOTTOM}\"/>")?;
            }
            writeln!(svg, "<polyline class=\"line s{index}\" points=\"{}\"/>", points.join(" "))?;
            let (x, y) = (LEFT + 130.0 + 300.0 * number(index), 28.0);
            let (peak, window) = (grouped(run.model.peak as u64), run.settings.window);
            writeln!(svg, "<circle class=\"s{index}\" cx=\"{x}\" cy=\"{}\" r=\"4\"/>", y - 4.5)?;
            writeln!(
                svg,
                "<text x=\"{}\" y=\"{y}\">{}, a window of {window}: at most {peak}</text>",
                x + 10.0,
                run.name
            )?;
            if run.model.peak > 0 {
                let (x, y) = (across.place(seconds(run.model.peak_at)), up.place(number(run.model.peak)));
                writeln!(svg, "<circle class=\"s{index}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>")?;
            }
        }
        writeln!(svg, "</svg>")
    }
}

/// Where values are between two ends.
struct Axis {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
}

impl Axis {
    fn place(&self, value: f64) -> f64 {
        self.start + (value - self.from) / (self.to - self.from) * (self.end - self.start)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
fn number(value: usize) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// One, two or five times a power of ten, so that there are at most six steps.
fn round_step(most: usize) -> usize {
    let steps =
        (0..).flat_map(|power| [1, 2, 5].map(|digit: usize| digit.saturating_mul(10_usize.saturating_pow(power))));
    steps.into_iter().find(|step| most.div_ceil(*step) <= 5).unwrap_or(most)
}

/// Places in time, each with its label: the time of day, and the day below where it is another; or the day alone.
fn times(start: i64, end: i64) -> Vec<(i64, String, Option<String>)> {
    const STEPS: [i64; 21] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800,
        604_800, 2_592_000,
    ];
    const DAY: i64 = 86_400;
    let (start, end) = (start.div_euclid(1_000_000), end.div_euclid(1_000_000));
    let step =
        STEPS.into_iter().find(|step| (end - start) / step < 9).unwrap_or_else(|| ((end - start) / 9 / DAY + 1) * DAY);
    let first = (start + step - 1).div_euclid(step) * step;
    let ticks = std::iter::successors(Some(first), |at| Some(at + step)).take_while(|at| *at <= end);
    let mut day_before = None;
    ticks
        .filter_map(|at| {
            let local = Offset::UTC.to_datetime(jiff::Timestamp::from_second(at).ok()?);
            let day = local.strftime("%-d %b %Y").to_string();
            if step >= DAY {
                return Some((at * 1_000_000, local.strftime("%-d %b").to_string(), None));
            }
            let time = local.strftime(if step < 60 { "%H:%M:%S" } else { "%H:%M" }).to_string();
            let is_new = day_before.replace(day.clone()).is_none_or(|before| before != day);
            Some((at * 1_000_000, time, is_new.then_some(day)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_few() {
        for (most, step) in [(0, 1), (1, 1), (5, 1), (6, 2), (49, 10), (51, 20), (1234, 500)] {
            assert_eq!(round_step(most), step, "{most}");
        }
    }

    #[test]
    fn days_are_told_where_they_begin() {
        let at = |text: &str| text.parse::<lastseen::Timestamp>().unwrap().as_micros();
        let labels = |start, end| {
            let labels = times(at(start), at(end)).into_iter();
            labels.map(|(_, time, day)| day.map_or(time.clone(), |day| format!("{time} {day}"))).collect::<Vec<_>>()
        };
        assert_eq!(
            labels("2026-11-23T21:10:00Z", "2026-11-24T05:00:00Z"),
            ["22:00 23 Nov 2026", "23:00", "00:00 24 Nov 2026", "01:00", "02:00", "03:00", "04:00", "05:00"]
        );
        assert_eq!(labels("2026-11-01T00:00:00Z", "2026-11-04T12:00:00Z").len(), 8);
        assert_eq!(labels("2026-01-01T00:00:00Z", "2026-01-08T00:00:01Z")[1], "2 Jan");
        assert!(labels("1970-01-01T00:00:00Z", "2036-01-01T00:00:00Z").len() < 11);
    }
}
