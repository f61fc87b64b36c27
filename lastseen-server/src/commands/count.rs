//! `lastseen count`: how many are online, a bare number.

use std::path::Path;

use axum::http::Method;
use clap::Args;

use super::Target;
use crate::Failure;
use crate::api::CountAnswer;

#[derive(Args, Debug)]
pub(super) struct Count {
    /// How recent an activity must be [default: the window of the settings]
    #[arg(long, value_name = "DURATION")]
    window: Option<String>,
    #[command(flatten)]
    target: Target,
}

impl Count {
    pub(super) fn run(self, file: Option<&Path>) -> Result<String, Failure> {
        let window = self.window.map_or_else(String::new, |window| format!("?window={}", super::encoded(&window)));
        let answer = self.target.open(file)?.call(&Method::GET, &format!("/v1/online/count{window}"), None)?;
        let CountAnswer { count, .. } = answer.json()?;
        Ok(format!("{count}\n"))
    }
}
