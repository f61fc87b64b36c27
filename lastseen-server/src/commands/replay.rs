//! `lastseen replay`: what a site's access logs would have made of who is online.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use regex::bytes::Regex;
use serde::Serialize;

use crate::Failure;
use crate::log_line::Format;
use crate::replay::{Lines, Replay, Source};
use crate::settings::Settings;

mod progress;

use progress::Progress;

#[derive(Args, Debug)]
pub(super) struct ReplayLogs {
    /// Log to read, plain or compressed by gzip; - is standard input. Several are merged by date
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
    /// How the lines are written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Expression whose first group captures the user in a line, such as 'uid=(\d+)' [default: the log's own field]
    #[arg(long, value_name = "REGEX")]
    user: Option<String>,
    #[command(flatten)]
    settings: Tried,
    /// Second configuration to compare with, which differs in this, such as window=30m; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    against: Vec<String>,
    /// Draw how many were online over time
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The settings that make a difference here.
#[derive(Args, Clone, Debug, Serialize)]
struct Tried {
    /// How recent an activity must be for its user to be online [default: that of the settings]
    #[arg(long, value_name = "DURATION")]
    window: Option<String>,
    /// How stale a stored date may be [default: that of the settings]
    #[arg(long, value_name = "DURATION")]
    granularity: Option<String>,
    /// How often to write what memory knows [default: that of the settings]
    #[arg(long, value_name = "DURATION")]
    flush_every: Option<String>,
    /// Rule to try, instead of those of the settings; may be given several times
    #[arg(long, value_name = "REGEX")]
    skip: Vec<String>,
}

impl ReplayLogs {
    pub(super) fn run(self, file: Option<&Path>) -> Result<String, Failure> {
        let user = self.user.as_deref().map(user_expression).transpose()?;
        let load = |tried: &Tried| Settings::load(file, tried).map(|(settings, _)| settings);
        let mut configurations = vec![("as set", load(&self.settings)?)];
        if !self.against.is_empty() {
            let other = self.settings.but(&self.against)?;
            // Its origin is none of those that settings know.
            let other = load(&other)
                .map_err(|failure| Failure::usage(format!("--against {}: {failure}", self.against.join(" "))))?;
            configurations.push(("against", other));
        }
        let mut replay = Replay::new(self.format, user, configurations)?;

        if let Some(path) = &self.svg {
            // Now, and not after an hour's reading.
            fs::File::options().append(true).create(true).open(path).map_err(|error| cannot_write(path, &error))?;
        }

        let progress = Progress::through(&self.logs)?;
        let open = |path: &PathBuf| Source::open(path, progress.read());
        let mut lines = Lines::of(self.logs.iter().map(open).collect::<Result<_, _>>()?, self.format)?;
        while let Some(line) = lines.read()? {
            replay.line(&line);
            progress.at(replay.lines());
        }
        progress.finish()?;
        replay.finish();

        if let Some(path) = &self.svg {
            fs::write(path, replay.picture()).map_err(|error| cannot_write(path, &error))?;
        }
        Ok(if self.json { format!("{:#}\n", replay.json()) } else { replay.table() })
    }
}

impl Tried {
    /// The same, but for what is named here. Rules replace those that were.
    fn but(&self, changes: &[String]) -> Result<Self, Failure> {
        let mut tried = self.clone();
        let mut skip = Vec::new();
        for change in changes {
            match change.split_once('=') {
                Some(("window", value)) => tried.window = Some(value.to_owned()),
                Some(("granularity", value)) => tried.granularity = Some(value.to_owned()),
                Some(("flush_every", value)) => tried.flush_every = Some(value.to_owned()),
                Some(("skip", value)) => skip.push(value.to_owned()),
                _ => {
                    return Err(Failure::usage(format!(
                        "against (--against): {change:?} is nothing to compare with: write window=, granularity= or \
                         flush_every= and a duration, or skip= and an expression"
                    )));
                }
            }
        }
        if !skip.is_empty() {
            tried.skip = skip;
        }
        Ok(tried)
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::runtime(format!("can't write {}: {error}", path.display()))
}

fn user_expression(text: &str) -> Result<Regex, Failure> {
    let expression = Regex::new(text).map_err(|error| Failure::usage(format!("user (--user): {error}")))?;
    if expression.captures_len() < 2 {
        return Err(Failure::usage(format!(
            "user (--user): {text:?} captures nothing: put the user's part in parentheses, such as '^(\\S+)'"
        )));
    }
    Ok(expression)
}
