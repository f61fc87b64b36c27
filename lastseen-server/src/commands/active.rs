//! `lastseen active`: how many users were active on a day, and within the week and the month that it ends.

use std::path::Path;

use axum::http::Method;
use clap::Args;

use super::{Target, encoded};
use crate::Failure;
use crate::api::ActiveAnswer;

#[derive(Args, Debug)]
pub(super) struct Active {
    /// The day, in UTC, such as 2026-11-24 [default: today]
    #[arg(long, value_name = "DAY")]
    day: Option<String>,
    /// Print the API's answer
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

impl Active {
    pub(super) fn run(self, file: Option<&Path>) -> Result<String, Failure> {
        let day = self.day.map_or_else(String::new, |day| format!("?day={}", encoded(&day)));
        let answer = self.target.open(file)?.call(&Method::GET, &format!("/v1/active{day}"), None)?;
        if self.json {
            return Ok(answer.into_line());
        }
        Ok(sentence(&answer.json()?))
    }
}

fn sentence(active: &ActiveAnswer) -> String {
    let count = |users: Option<u64>| users.map_or_else(|| "unknown".to_owned(), |users| users.to_string());
    format!(
        "{}: {} active, {} within 7 days, {} within 30\n",
        active.day,
        count(active.daily),
        count(active.weekly),
        count(active.monthly)
    )
}
