//! What can be asked on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::instructions::{Counted, Side};
use crate::memory::Filled;
use crate::population::Ids;

/// Does the same work on lastseen and on what a site would pick instead, and prints one table of ratios.
///
/// The table is also written to bench/RESULTS.md, unless --only leaves rows out.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    /// Up to 100,000 users, in less than a minute. [default: up to 1 million, in some minutes]
    #[arg(long, conflicts_with = "full")]
    pub quick: bool,
    /// Up to 10 million users, which takes 8 GB of memory and a quarter of an hour.
    #[arg(long)]
    pub full: bool,
    /// Also writes the rows to this file, a JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Measures only the works whose name has this in it.
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
    /// Leaves servers out, such as redis,postgres,nginx: those that aren't installed, say.
    #[arg(long, value_name = "SERVERS", value_delimiter = ',')]
    pub without: Vec<ServerKind>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Counts instructions under valgrind, and fails where a count differs from bench/instructions.txt by more than 2 %.
    Instructions {
        /// Writes the counts to that file instead.
        #[arg(long)]
        update: bool,
    },
    /// Measures with 1,000 to 10 million users, and draws bench/growth.svg.
    Growth {
        /// Also starts from a file with 10 million users, which takes minutes to fill.
        #[arg(long)]
        full: bool,
    },
    /// Counts under valgrind what a touch misses of the processor's caches, beside others.
    Misses {
        /// How many users are online.
        #[arg(long, default_value_t = 1_000_000)]
        users: u32,
    },
    /// Touches users; what that misses is counted.
    #[command(hide = true)]
    Touched { side: Side, users: u32 },
    /// Does one work whose instructions are counted.
    #[command(hide = true)]
    Counted { work: Counted },
    /// Holds so many users and prints how much memory that took: one side of the rows on memory.
    #[command(hide = true)]
    Fill { what: Filled, ids: Ids, users: u32 },
}

/// A server that is started for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ServerKind {
    Redis,
    Postgres,
    Nginx,
}

/// How far a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Quick,
    Usual,
    Full,
}

impl Options {
    pub fn extent(&self) -> Extent {
        match (self.quick, self.full) {
            (true, _) => Extent::Quick,
            (_, true) => Extent::Full,
            _ => Extent::Usual,
        }
    }

    /// Whether a work is to be measured.
    pub fn wants(&self, work: &str) -> bool {
        self.only.as_ref().is_none_or(|only| work.contains(only.as_str()))
    }
}
