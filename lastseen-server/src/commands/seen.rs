//! `lastseen seen`: when a user was last seen.

use std::fmt::Write as _;
use std::path::Path;

use axum::http::Method;
use clap::Args;

use super::{Target, path_of};
use crate::Failure;
use crate::api::LastSeenAnswer;
use crate::words::{self, plain};

#[derive(Args, Debug)]
pub(super) struct Seen {
    /// The user's id
    user: String,
    /// Print the API's answer
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

impl Seen {
    pub(super) fn run(self, file: Option<&Path>) -> Result<String, Failure> {
        let path = path_of(&self.user)?;
        let answer = self.target.open(file)?.call(&Method::GET, &path, None)?;
        if self.json {
            return Ok(answer.into_line());
        }
        Ok(sentence(&answer.json()?))
    }
}

fn sentence(seen: &LastSeenAnswer) -> String {
    let mut text = plain(seen.user.as_str());
    if let Some(name) = &seen.name {
        let _ = write!(text, " ({})", plain(name));
    }
    let state = if seen.online { "online" } else { "offline" };
    let ago = words::ago(seen.as_of.since(seen.last_activity_date));
    let _ = write!(text, " is {state}: last seen {ago}, at {}", seen.last_activity_date);
    if let Some(ip) = seen.last_activity_ip {
        let _ = write!(text, ", from {ip}");
    }
    if let Some(left_at) = seen.left_at {
        let _ = write!(text, "; signed out at {left_at}");
    }
    text + "\n"
}
