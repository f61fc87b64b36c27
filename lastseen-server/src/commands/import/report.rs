//! What became of each row, and of which rows nothing did.

use std::collections::BTreeMap;
use std::fmt;

use lastseen::{Activity, MAX_AHEAD, SqlActivity, Timestamp, UserId};

use crate::Failure;
use crate::words::plain;

/// So many rows are named as examples of what was refused, each by its user.
const EXAMPLES: usize = 3;

/// What is counted apart, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Undated,
    Nobodys,
    Unreadable,
    Ahead,
    Never,
    NoId,
    NoAddress,
}

impl Outcome {
    const fn text(self) -> &'static str {
        match self {
            Self::Undated => "without a date",
            Self::Nobodys => "without a user",
            Self::Unreadable => "refused: the date can't be read",
            Self::Ahead => "refused: dated ahead of this machine's clock",
            Self::Never => "refused: dated 1970 or earlier, as what was never set often is",
            Self::NoId => "refused: the user's key can be no id",
            Self::NoAddress => "imported without their address, which can't be read",
        }
    }
}

/// The count of each, and examples.
pub(super) struct Report {
    from: String,
    dry_run: bool,
    rows: u64,
    imported: u64,
    dropped: u64,
    outcomes: BTreeMap<Outcome, (u64, Vec<String>)>,
}

impl Report {
    pub(super) fn new(from: String, dry_run: bool) -> Self {
        Self { from, dry_run, rows: 0, imported: 0, dropped: 0, outcomes: BTreeMap::new() }
    }

    /// The activity that a row is, if it is one.
    pub(super) fn judge(&mut self, row: SqlActivity, now: Timestamp) -> Option<Activity> {
        self.rows += 1;
        let (outcome, example) = match row {
            SqlActivity { user: Ok(None), .. } => (Outcome::Nobodys, String::new()),
            SqlActivity { user: Err(key), .. } => (Outcome::NoId, key),
            SqlActivity { user: Ok(Some(key)), at, ip } => match (at, UserId::new(&key)) {
                (Ok(None), _) => (Outcome::Undated, String::new()),
                (Err(date), _) => (Outcome::Unreadable, format!("{key} ({date:?})")),
                (Ok(Some(at)), _) if at > now + MAX_AHEAD => (Outcome::Ahead, format!("{key} ({at})")),
                (Ok(Some(at)), _) if at <= Timestamp::UNIX_EPOCH => (Outcome::Never, format!("{key} ({at})")),
                (Ok(Some(_)), Err(_)) => (Outcome::NoId, format!("{:?}", key.chars().take(40).collect::<String>())),
                (Ok(Some(at)), Ok(user)) => {
                    if let Err(address) = &ip {
                        self.note(Outcome::NoAddress, &format!("{key} ({address:?})"));
                    }
                    return Some(Activity { user, at, ip: ip.unwrap_or_default() });
                }
            },
        };
        self.note(outcome, &example);
        None
    }

    fn note(&mut self, outcome: Outcome, example: &str) {
        let (count, examples) = self.outcomes.entry(outcome).or_default();
        *count += 1;
        if examples.len() < EXAMPLES && !example.is_empty() {
            examples.push(plain(example));
        }
    }

    /// So many rows more have been written.
    pub(super) fn imported(&mut self, rows: usize) {
        self.imported += rows as u64;
    }

    /// So many of them were of users whom the site doesn't have.
    pub(super) fn dropped(&mut self, rows: u64) {
        self.imported = self.imported.saturating_sub(rows);
        self.dropped = rows;
    }

    /// What is told where it could not be done to the end.
    pub(super) fn broken_off(&self, why: &str) -> Failure {
        Failure::runtime(format!(
            "{}: {why}; {} rows had been imported: run it again, what is there already stays as it is",
            self.from, self.imported
        ))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} rows", self.from, self.rows)?;
        let imported = if self.dry_run { "would be imported" } else { "imported" };
        writeln!(f, "{:>12} {imported}", self.imported)?;
        for (outcome, (count, examples)) in &self.outcomes {
            write!(f, "{count:>12} {}", outcome.text())?;
            match &examples[..] {
                [] => writeln!(f)?,
                examples => writeln!(f, ", such as {}", examples.join(", "))?,
            }
        }
        if self.dropped > 0 {
            writeln!(f, "{:>12} refused: the store's user table doesn't have them", self.dropped)?;
        }
        Ok(())
    }
}
