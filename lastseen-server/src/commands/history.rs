//! `lastseen history`: how many were online when, as a table for people or JSON for programs.

use std::fmt::Write as _;
use std::path::Path;

use axum::http::Method;
use clap::Args;

use super::{Target, encoded};
use crate::Failure;
use crate::api::HistoryAnswer;

#[derive(Args, Debug)]
pub(super) struct History {
    /// When to begin, such as 2026-11-24T03:15:00Z [default: 24 hours before the end]
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// When to end [default: now]
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// How long the spans are: 1m, kept for 2 days, 10m, kept for 8, or 1h, kept for 31 [default: the shortest that reach
    /// back so far]
    #[arg(long, value_name = "SPAN")]
    resolution: Option<String>,
    /// Print the API's answer
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

impl History {
    pub(super) fn run(self, file: Option<&Path>) -> Result<String, Failure> {
        let parameters = [("from", self.from), ("to", self.to), ("resolution", self.resolution)];
        let given = parameters.iter().filter_map(|(name, value)| Some(format!("{name}={}", encoded(value.as_ref()?))));
        let path = format!("/v1/history?{}", given.collect::<Vec<_>>().join("&"));
        let answer = self.target.open(file)?.call(&Method::GET, &path, None)?;
        if self.json {
            return Ok(answer.into_line());
        }
        Ok(table(&answer.json()?))
    }
}

fn table(history: &HistoryAnswer) -> String {
    let mut table = String::new();
    if !history.spans.is_empty() {
        let _ = writeln!(table, "{:<20}  {:>10}  {:>10}", "FROM", "ONLINE", "PEAK");
        for span in &history.spans {
            let _ = writeln!(table, "{:<20}  {:>10}  {:>10}", span.at.to_string(), span.online, span.peak);
        }
        table.push('\n');
    }
    let _ = match history.most_online {
        Some(most) => writeln!(table, "{} at most ever, at {}", most.online, most.at),
        None => writeln!(table, "nothing measured yet"),
    };
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_lines_and_the_record_is_the_last() {
        let answer = r#"{"as_of":"2026-11-24T03:15:00Z","from":"2026-11-24T03:00:00Z","to":"2026-11-24T03:15:00Z",
            "resolution_seconds":600,"spans":[{"at":"2026-11-24T03:00:00Z","online":3,"peak":12}],
            "most_online":{"online":1204,"at":"2026-11-03T20:10:07Z"}}"#;
        assert_eq!(
            table(&serde_json::from_str(answer).unwrap()),
            "FROM                      ONLINE        PEAK\n\
             2026-11-24T03:00:00Z           3          12\n\
             \n\
             1204 at most ever, at 2026-11-03T20:10:07Z\n"
        );
    }
}
