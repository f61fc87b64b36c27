//! What a replay came to: a table for people, JSON for programs.

use std::fmt::Write as _;

use lastseen::Timestamp;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::{Replay, Run};
use crate::words::{counted, grouped, plain};

impl Replay {
    /// For people.
    #[must_use]
    pub fn table(&self) -> String {
        let seen = &self.seen;
        let mut text = match (seen.first, seen.last) {
            (Some(first), Some(last)) => format!("{} from {first} to {last}\n", counted(seen.lines, "line")),
            _ => format!("{}\n", counted(seen.lines, "line")),
        };
        for (number, what) in [(seen.nobody, "of nobody"), (seen.refused, "of credentials that were refused (401)")] {
            if number > 0 {
                let _ = writeln!(text, "{} {what}", counted(number, "line"));
            }
        }
        if seen.late > 0 {
            let late = humantime::format_duration(micros(seen.latest));
            let _ = writeln!(text, "{} dated earlier than one before, by up to {late}", counted(seen.late, "line"));
        }
        if seen.unreadable > 0 {
            let _ = writeln!(text, "{} that can't be read:", counted(seen.unreadable, "line"));
        }
        for line in &seen.told {
            let _ = writeln!(text, "  {}:{}: {}", plain(&line.log), line.line, line.fault);
        }
        if seen.unreadable > seen.told.len() as u64 {
            text.push_str("  ...\n");
        }
        text.push('\n');
        text.push_str(&self.columns());
        text
    }

    /// A column a configuration.
    fn columns(&self) -> String {
        let mut rows: Vec<(String, Vec<String>)> = Vec::new();
        let mut row = |name: &str, value: &dyn Fn(&Run) -> String| {
            rows.push((name.to_owned(), self.runs.iter().map(value).collect()));
        };
        if self.runs.len() > 1 {
            row("", &|run| run.name.to_owned());
        }
        row("window", &|run| run.settings.window.to_string());
        row("granularity", &|run| run.settings.granularity.to_string());
        row("touches", &|run| grouped(run.model.touches));
        row("skipped", &|run| grouped(run.skipped.iter().sum()));
        let mut rules: Vec<&String> = Vec::new();
        for rule in self.runs.iter().flat_map(|run| &run.settings.skip) {
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
        for rule in rules {
            row(&format!("  {}", plain(rule)), &|run| run.skipped_by(rule).map_or_else(String::new, grouped));
        }
        row("users", &|run| grouped(run.model.known as u64));
        row("most online", &|run| grouped(run.model.peak as u64));
        row("  at", &|run| run.peak_at().map_or_else(String::new, |at| at.to_string()));
        row("store writes", &|run| grouped(run.model.writes));
        row("  touches a write", &|run| run.touches_a_write().map_or_else(String::new, |ratio| format!("{ratio:.1}")));

        let widest = |cells: &mut dyn Iterator<Item = &str>| cells.map(UnicodeWidthStr::width).max().unwrap_or(0);
        let name_width = widest(&mut rows.iter().map(|(name, _)| name.as_str()));
        let widths: Vec<usize> = (0..self.runs.len())
            .map(|column| widest(&mut rows.iter().map(|(_, cells)| cells[column].as_str())))
            .collect();
        let mut text = String::new();
        for (name, cells) in &rows {
            let _ = write!(text, "{name}{}", " ".repeat(name_width - name.width()));
            for (cell, width) in cells.iter().zip(&widths) {
                let _ = write!(text, "  {}{cell}", " ".repeat(width - cell.width()));
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let seen = &self.seen;
        let date = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let told =
            |line: &super::Unreadable| json!({ "log": line.log, "line": line.line, "reason": line.fault.to_string() });
        json!({
            "lines": seen.lines,
            "first": date(seen.first),
            "last": date(seen.last),
            "nobody": seen.nobody,
            "refused": seen.refused,
            "late": { "lines": seen.late, "most_seconds": micros(seen.latest).as_secs_f64() },
            "unreadable": { "lines": seen.unreadable, "first": seen.told.iter().map(told).collect::<Vec<_>>() },
            "runs": self.runs.iter().map(Run::json).collect::<Vec<_>>(),
        })
    }
}

impl Run {
    fn skipped_by(&self, rule: &str) -> Option<u64> {
        self.settings.skip.iter().position(|pattern| pattern == rule).map(|index| self.skipped[index])
    }

    fn peak_at(&self) -> Option<Timestamp> {
        (self.model.peak > 0).then(|| Timestamp::from_micros(self.model.peak_at))
    }

    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    fn touches_a_write(&self) -> Option<f64> {
        (self.model.writes > 0).then(|| self.model.touches as f64 / self.model.writes as f64)
    }

    fn json(&self) -> Value {
        let skipped = self.settings.skip.iter().zip(&self.skipped);
        json!({
            "name": self.name,
            "window_seconds": self.settings.window.0.as_secs_f64(),
            "granularity_seconds": self.settings.granularity.0.as_secs_f64(),
            "flush_every_seconds": self.settings.flush_every.0.as_secs_f64(),
            "touches": self.model.touches,
            "skipped": skipped.map(|(rule, requests)| json!({ "rule": rule, "requests": requests })).collect::<Vec<_>>(),
            "users": self.model.known,
            "most_online": self.model.peak,
            "most_online_at": self.peak_at().map(|at| at.to_string()),
            "store_writes": self.model.writes,
        })
    }
}

fn micros(micros: i64) -> std::time::Duration {
    std::time::Duration::from_micros(micros.unsigned_abs())
}
