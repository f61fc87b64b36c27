//! Two panels with logarithmic axes, as an SVG that a page can show on light and on dark ground.

use std::fmt::{self, Write};

/// Lines over one another.
pub struct Panel {
    pub title: &'static str,
    pub series: Vec<Series>,
    /// What stands at a power of ten.
    pub label: fn(f64) -> String,
}

pub struct Series {
    pub name: &'static str,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
}

const HEIGHT: f64 = 400.0;
/// Where the axes begin and end, from the top.
const TOP: f64 = 56.0;
const BOTTOM: f64 = 340.0;
/// How far apart the names of two lines are at least.
const LINE: f64 = 16.0;

const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.grid { stroke: #d0d7de; stroke-width: 1 }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
.s0 { stroke: #8250df } .s1 { stroke: #0969da } .s2 { stroke: #1a7f37 } .s3 { stroke: #bc4c00 }
circle.s0 { fill: #8250df } circle.s1 { fill: #0969da } circle.s2 { fill: #1a7f37 } circle.s3 { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .grid { stroke: #3d444d }
  .s0 { stroke: #d2a8ff } .s1 { stroke: #79c0ff } .s2 { stroke: #7ee787 } .s3 { stroke: #ffa657 }
  circle.s0 { fill: #d2a8ff } circle.s1 { fill: #79c0ff } circle.s2 { fill: #7ee787 } circle.s3 { fill: #ffa657 }
}
";

pub fn picture(left: &Panel, right: &Panel) -> String {
    let mut svg = String::new();
    draw(&mut svg, left, right).expect("a string takes everything");
    svg
}

fn draw(svg: &mut String, left: &Panel, right: &Panel) -> fmt::Result {
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 960 {HEIGHT}\" width=\"960\" height=\"{HEIGHT}\" \
         role=\"img\" aria-label=\"{} and {}, by the number of users\">\n<style>\n{STYLE}</style>",
        left.title,
        right.title.to_lowercase()
    )?;
    panel(svg, left, 64.0, 400.0)?;
    panel(svg, right, 620.0, 860.0)?;
    writeln!(svg, "</svg>")
}

/// A panel whose axes go from `start` to `end`; the lines' names are right of them.
fn panel(svg: &mut String, panel: &Panel, start: f64, end: f64) -> fmt::Result {
    let all = || panel.series.iter().flat_map(|series| &series.points);
    let across = Axis::around(all().map(|point| point.0), start, end);
    let up = Axis::around(all().map(|point| point.1), BOTTOM, TOP);

    writeln!(svg, "<text class=\"title\" x=\"{start}\" y=\"28\">{}</text>", panel.title)?;
    for tick in up.ticks() {
        let (y, label) = (up.place(tick), (panel.label)(tick));
        writeln!(svg, "<line class=\"grid\" x1=\"{start}\" x2=\"{end}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>")?;
        writeln!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>", start - 8.0, y + 4.5)?;
    }
    for tick in across.ticks() {
        let x = across.place(tick);
        writeln!(svg, "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{BOTTOM}\"/>")?;
        let label = users(tick);
        writeln!(svg, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>", BOTTOM + 20.0)?;
    }
    let middle = f64::midpoint(start, end);
    writeln!(svg, "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">users</text>", BOTTOM + 42.0)?;

    for (number, series) in panel.series.iter().enumerate() {
        let places: Vec<_> = series.points.iter().map(|(x, y)| (across.place(*x), up.place(*y))).collect();
        let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        writeln!(svg, "<polyline class=\"line s{number}\" points=\"{}\"/>", path.join(" "))?;
        for (x, y) in places {
            writeln!(svg, "<circle class=\"s{number}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>")?;
        }
    }
    names(svg, panel, &across, &up)
}

/// Each line's name at its end, apart from one another.
fn names(svg: &mut String, panel: &Panel, across: &Axis, up: &Axis) -> fmt::Result {
    let end = |series: &Series| series.points.last().map(|(x, y)| (across.place(*x), up.place(*y)));
    let mut names: Vec<_> = panel.series.iter().filter_map(|series| Some((end(series)?, series.name))).collect();
    names.sort_by(|a, b| a.0.1.total_cmp(&b.0.1));
    let mut lowest = f64::MIN;
    for ((x, y), name) in names {
        lowest = y.max(lowest + LINE);
        writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\">{name}</text>", x + 10.0, lowest + 4.5)?;
    }
    Ok(())
}

fn users(number: f64) -> String {
    match number {
        number if number < 1e6 => format!("{:.0} k", number / 1e3),
        number => format!("{:.0} M", number / 1e6),
    }
}

/// A logarithmic axis: powers of ten, and where they are.
struct Axis {
    least: f64,
    most: f64,
    start: f64,
    end: f64,
}

impl Axis {
    /// With the whole decades around the values.
    fn around(values: impl Iterator<Item = f64> + Clone, start: f64, end: f64) -> Self {
        let least = values.clone().fold(f64::MAX, f64::min).log10().floor();
        let most = values.fold(f64::MIN, f64::max).log10().ceil().max(least + 1.0);
        Self { least, most, start, end }
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let (least, most) = (self.least, self.most);
        std::iter::successors(Some(least), |exponent| Some(exponent + 1.0))
            .take_while(move |exponent| *exponent <= most)
            .map(|exponent| 10_f64.powf(exponent))
    }

    fn place(&self, value: f64) -> f64 {
        self.start + (value.log10() - self.least) / (self.most - self.least) * (self.end - self.start)
    }
}
