//! What a tracker would have made of an access log: who would have been online when, and what the store would have seen.

use std::borrow::Cow;
use std::collections::HashMap;
use std::str;

use axum::http::request::Parts;
use lastseen::http::Verdict;
use lastseen::{SkipRules, Timestamp, UserId};
use regex::bytes::Regex;

use crate::Failure;
use crate::log_line::{Fault, Format, blank_request, somebody};
use crate::settings::Settings;

mod curve;
mod model;
mod plot;
mod report;
mod source;

pub use curve::Curve;
pub use source::{Line, Lines, Source};

use model::Model;

/// The unreadable lines that are told one by one.
const TOLD: usize = 10;

/// A log being replayed, under one configuration or several.
#[derive(Debug)]
pub struct Replay {
    format: Format,
    user: Option<Regex>,
    /// What all configurations see alike.
    seen: Seen,
    runs: Vec<Run>,
    users: HashMap<UserId, u32, foldhash::fast::RandomState>,
    /// Made into each line's request in turn.
    request: Parts,
}

/// What the lines were.
#[derive(Debug, Default)]
struct Seen {
    lines: u64,
    /// Of requests without a user.
    nobody: u64,
    /// Of requests whose credentials were refused.
    refused: u64,
    unreadable: u64,
    /// The first of them.
    told: Vec<Unreadable>,
    /// Dated before a line that came earlier, and by how many microseconds at most.
    late: u64,
    latest: i64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

#[derive(Debug)]
struct Unreadable {
    log: String,
    line: u64,
    fault: Fault,
}

/// One configuration, and what it came to.
#[derive(Debug)]
struct Run {
    name: &'static str,
    settings: Settings,
    skip: SkipRules,
    /// How many requests each rule skipped, in their order.
    skipped: Vec<u64>,
    model: Model,
}

impl Replay {
    /// Begins a replay under each of these configurations, by name.
    ///
    /// The user is that of the log's own field, or where an expression is given, what its first group captures in the
    /// whole line.
    ///
    /// # Errors
    ///
    /// Where one of the skip rules can't be used.
    pub fn new(
        format: Format,
        user: Option<Regex>,
        configurations: impl IntoIterator<Item = (&'static str, Settings)>,
    ) -> Result<Self, Failure> {
        let run = |(name, settings): (_, Settings)| {
            let skip = SkipRules::new(&settings.skip)?;
            let skipped = vec![0; settings.skip.len()];
            let model = Model::new(&settings);
            Ok::<_, Failure>(Run { name, settings, skip, skipped, model })
        };
        Ok(Self {
            format,
            user,
            seen: Seen::default(),
            runs: configurations.into_iter().map(run).collect::<Result<_, _>>()?,
            users: HashMap::default(),
            request: blank_request(),
        })
    }

    /// The lines so far.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.seen.lines
    }

    /// Takes in a line.
    pub fn line(&mut self, line: &Line<'_>) {
        self.seen.lines += 1;
        if let Err(fault) = line.text.and_then(|text| self.request(text)) {
            self.seen.unreadable += 1;
            if self.seen.told.len() < TOLD {
                self.seen.told.push(Unreadable { log: line.log.to_owned(), line: line.number, fault });
            }
        }
    }

    fn request(&mut self, text: &[u8]) -> Result<(), Fault> {
        let mut line = self.format.read(text)?;
        if let Some(expression) = &self.user {
            line.user = captured(expression, text)?;
        }
        let at = line.at.ok_or(Fault::Date)?;
        self.seen.at(at);
        let Some(user) = line.user.take() else {
            self.seen.nobody += 1;
            return Ok(());
        };
        if line.is_refused() {
            self.seen.refused += 1;
            return Ok(());
        }
        let user = if let Some(number) = self.users.get(&*user) {
            *number
        } else {
            let user = UserId::new(&user).map_err(|_| Fault::User)?;
            let number = u32::try_from(self.users.len()).map_err(|_| Fault::User)?;
            *self.users.entry(user).or_insert(number)
        };
        let judged = line.fill(&mut self.request);
        for run in &mut self.runs {
            run.request(user, at, judged.then_some(&self.request));
        }
        Ok(())
    }

    /// Ends the log.
    pub fn finish(&mut self) {
        self.runs.iter_mut().for_each(|run| run.model.finish(self.seen.last));
    }
}

impl Seen {
    fn at(&mut self, at: Timestamp) {
        match self.last {
            Some(last) if at < last => {
                self.late += 1;
                self.latest = self.latest.max(last.as_micros().saturating_sub(at.as_micros()));
            }
            _ => self.last = Some(at),
        }
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
    }
}

impl Run {
    /// A request of this user; `None` for one that no rule can be asked about.
    fn request(&mut self, user: u32, at: Timestamp, request: Option<&Parts>) {
        if let Some(Verdict::Skipped(rule)) = request.map(|request| self.skip.explain(request)) {
            if let Some(index) = self.settings.skip.iter().position(|pattern| pattern == rule) {
                self.skipped[index] += 1;
            }
        } else {
            self.model.touch(user, at.as_micros());
        }
    }
}

/// What the expression's first group that takes part captures in the line.
fn captured<'a>(expression: &Regex, line: &'a [u8]) -> Result<Option<Cow<'a, str>>, Fault> {
    let Some(captures) = expression.captures(line) else { return Ok(None) };
    let Some(user) = captures.iter().skip(1).flatten().next() else { return Ok(None) };
    let user = str::from_utf8(user.as_bytes()).map_err(|_| Fault::User)?;
    Ok(somebody(user.into()))
}
