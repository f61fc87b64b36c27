//! Rows, and how they are shown: a table for people, a line of JSON for programs.

use std::io;
use std::path::Path;

use serde::Serialize;

use crate::measure::{Duel, Figure, Time};

/// In what a work is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds an operation.
    Time(Time),
    /// Bytes a user.
    Bytes,
    /// Writes to a store.
    Writes,
}

/// One work on two sides.
#[derive(Clone, Debug)]
pub struct Row {
    pub work: String,
    pub users: u32,
    pub peer: String,
    pub unit: Unit,
    pub duel: Duel,
    /// The least ratio that we have set ourselves.
    pub goal: Option<f64>,
}

#[derive(Serialize)]
struct Line<'a> {
    work: &'a str,
    users: u32,
    ours_ns: f64,
    peer: &'a str,
    peer_ns: f64,
    ratio: f64,
}

impl Row {
    fn is_lost(&self) -> bool {
        self.duel.ratio.median < self.goal.unwrap_or(1.0)
    }

    fn figure(&self, figure: Figure) -> String {
        match self.unit {
            Unit::Time(_) => duration(figure.median),
            Unit::Bytes => format!("{:.0} B", figure.median),
            Unit::Writes => ratio(figure.median),
        }
    }
}

/// The table in Markdown.
pub fn table(rows: &[Row]) -> String {
    let head =
        "| work | users | ours | instead | its | ratio | spread | goal | |\n|---|--:|--:|---|--:|--:|--:|--:|---|\n";
    rows.iter().fold(head.to_owned(), |table, row| table + &line(row) + "\n")
}

/// A line of it.
pub fn line(row: &Row) -> String {
    let Figure { low, median, high } = row.duel.ratio;
    let spread = if low < high { format!("{} to {}", ratio(low), ratio(high)) } else { String::new() };
    format!(
        "| {} | {} | {} | {} | {} | {} | {spread} | {} | {} |",
        row.work,
        thousands(row.users),
        row.figure(row.duel.ours),
        row.peer,
        row.figure(row.duel.peer),
        ratio(median),
        row.goal.map(ratio).unwrap_or_default(),
        if row.is_lost() { "lost" } else { "" },
    )
}

/// Writes a JSON object a row and line.
pub fn write_json(rows: &[Row], path: &Path) -> io::Result<()> {
    let mut text = String::new();
    for row in rows {
        let line = Line {
            work: &row.work,
            users: row.users,
            ours_ns: row.duel.ours.median,
            peer: &row.peer,
            peer_ns: row.duel.peer.median,
            ratio: row.duel.ratio.median,
        };
        text += &serde_json::to_string(&line)?;
        text.push('\n');
    }
    std::fs::write(path, text)
}

/// Nanoseconds in three digits or a few more.
pub fn duration(nanos: f64) -> String {
    let (figure, unit) = match nanos {
        nanos if nanos < 1e3 => (nanos, "ns"),
        nanos if nanos < 1e6 => (nanos / 1e3, "µs"),
        nanos if nanos < 1e9 => (nanos / 1e6, "ms"),
        nanos => (nanos / 1e9, "s"),
    };
    format!("{} {unit}", digits(figure))
}

fn digits(figure: f64) -> String {
    match figure {
        figure if figure < 10.0 => format!("{figure:.2}"),
        figure if figure < 100.0 => format!("{figure:.1}"),
        figure => format!("{figure:.0}"),
    }
}

fn ratio(ratio: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ratios are positive and far below")]
    if ratio >= 1000.0 { thousands(ratio as u32) } else { digits(ratio) }
}

/// With commas.
pub fn thousands(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: f64, peer: f64, goal: Option<f64>) -> Row {
        let (work, peer_name) = ("touch".to_owned(), "DashMap".to_owned());
        let unit = Unit::Time(Time::Cpu);
        Row { work, users: 1_234_567, peer: peer_name, unit, duel: Duel::exact(ours, peer), goal }
    }

    #[test]
    fn a_row_is_lost_below_its_goal_or_else_below_one() {
        assert_eq!(line(&row(200.0, 1e6, None)), "| touch | 1,234,567 | 200 ns | DashMap | 1.00 ms | 5,000 |  |  |  |");
        assert_eq!(
            line(&row(50.0, 49.0, None)),
            "| touch | 1,234,567 | 50.0 ns | DashMap | 49.0 ns | 0.98 |  |  | lost |"
        );
        assert_eq!(
            line(&row(50.0, 49.0, Some(0.9))),
            "| touch | 1,234,567 | 50.0 ns | DashMap | 49.0 ns | 0.98 |  | 0.90 |  |"
        );
        assert_eq!(
            line(&row(1.0, 5.0, Some(6.0))),
            "| touch | 1,234,567 | 1.00 ns | DashMap | 5.00 ns | 5.00 |  | 6.00 | lost |"
        );
    }

    #[test]
    fn rounds_that_differ_have_a_spread() {
        let mut row = row(1.0, 1.0, None);
        row.duel = Duel::of(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]);
        assert!(line(&row).contains("| 2.00 | 1.50 to 2.50 |"), "{}", line(&row));
    }

    #[test]
    fn figures_are_shown_in_the_unit_that_suits_them() {
        let shown: Vec<String> = [0.5, 999.0, 1e3, 2.5e7, 61e9].map(duration).into();
        assert_eq!(shown, ["0.50 ns", "999 ns", "1.00 µs", "25.0 ms", "61.0 s"]);
        assert_eq!([0, 999, 1_000, 10_000_000].map(thousands), ["0", "999", "1,000", "10,000,000"]);
    }

    #[test]
    fn a_line_of_json_has_nanoseconds_and_the_ratio() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.json");
        write_json(&[row(200.0, 1e6, None), row(50.0, 49.0, None)], &path).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let expected = serde_json::json!({
            "work": "touch", "users": 1_234_567, "ours_ns": 200.0, "peer": "DashMap", "peer_ns": 1e6, "ratio": 5000.0
        });
        assert_eq!(first, expected);
        assert_eq!(text.lines().count(), 2);
    }
}
