//! `lastseen online`: who is online, as a table for people or JSON for programs.

use std::fmt::Write as _;
use std::path::Path;

use axum::http::Method;
use clap::Args;
use unicode_width::UnicodeWidthStr;

use super::{Target, encoded};
use crate::Failure;
use crate::api::{DEFAULT_LIMIT, Limit, OnlineAnswer};
use crate::value::Value;
use crate::words::{self, plain};

#[derive(Args, Debug)]
pub(super) struct Online {
    /// The most users to list, up to 1000
    #[arg(long, value_name = "USERS", value_parser = Limit::read, allow_negative_numbers = true, default_value_t = Limit(DEFAULT_LIMIT))]
    limit: Limit,
    /// How recent an activity must be [default: the window of the settings]
    #[arg(long, value_name = "DURATION")]
    window: Option<String>,
    /// Print the API's answer
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

impl Online {
    pub(super) fn run(self, file: Option<&Path>) -> Result<String, Failure> {
        let window = self.window.map_or_else(String::new, |window| format!("&window={}", encoded(&window)));
        let path = format!("/v1/online?limit={}{window}", self.limit);
        let answer = self.target.open(file)?.call(&Method::GET, &path, None)?;
        if self.json {
            return Ok(answer.into_line());
        }
        Ok(table(&answer.json()?))
    }
}

/// Who is online, a line each, and how many.
pub(crate) fn table(online: &OnlineAnswer) -> String {
    let count = &online.count;
    let mut rows = vec![["USER", "NAME", "LAST SEEN", "ADDRESS"].map(str::to_owned)];
    rows.extend(online.users.iter().map(|user| {
        [
            plain(user.user.as_str()),
            plain(user.name.as_deref().unwrap_or_default()),
            words::ago(count.as_of.since(user.last_activity_date)),
            user.last_activity_ip.map_or_else(String::new, |ip| ip.to_string()),
        ]
    }));
    let widths: [usize; 4] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or(0));

    let mut table = String::new();
    if rows.len() > 1 {
        for row in &rows {
            let cells =
                row.iter().zip(widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())));
            let line = cells.collect::<Vec<_>>().join("  ");
            table.push_str(line.trim_end());
            table.push('\n');
        }
        table.push('\n');
    }
    let listed = online.users.len();
    let newest = if listed < count.count { format!(", of whom the newest {listed} are listed") } else { String::new() };
    let _ = writeln!(table, "{} online within the last {}{newest}", count.count, words::window(count.window));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(users: &str, count: usize) -> OnlineAnswer {
        let json =
            format!(r#"{{"as_of":"2026-11-24T03:15:00Z","window_seconds":900,"count":{count},"users":[{users}]}}"#);
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn columns_line_up_whatever_the_script() {
        let users = r#"{"user":"42","name":"李小龍","last_activity_date":"2026-11-24T03:14:48Z","last_activity_ip":"203.0.113.7"},
            {"user":"ada","name":null,"last_activity_date":"2026-11-24T03:05:00Z","last_activity_ip":null},
            {"user":"eve","name":"\u001b[31mEve\u202e","last_activity_date":"2026-11-24T03:05:00Z","last_activity_ip":null}"#;
        assert_eq!(
            table(&answer(users, 4)),
            "USER  NAME     LAST SEEN   ADDRESS\n\
             42    李小龍   12 s ago    203.0.113.7\n\
             ada            10 min ago\n\
             eve   �[31mEve�  10 min ago\n\
             \n\
             4 online within the last 15 minutes, of whom the newest 3 are listed\n"
                .replace("NAME     ", "NAME       ")
                .replace("李小龍   ", "李小龍     ")
                .replace("ada            ", "ada              ")
        );
    }

    #[test]
    fn nobody_is_told_in_a_line() {
        assert_eq!(table(&answer("", 0)), "0 online within the last 15 minutes\n");
    }
}
