//! The same work on lastseen and on what a site would pick instead, in one run.
//!
//! `cargo run --release -p lastseen-bench -- --help` says what there is.
#![expect(unreachable_pub, reason = "nothing of a program is public: `pub` says what its other modules use")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for the terminal")]

mod contender;
mod growth;
mod instructions;
mod machine;
mod measure;
mod memory;
mod options;
mod ours;
mod peers;
mod population;
mod report;
mod results;
mod server;
mod site;
mod startup;
mod works;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use crate::options::{Command, Options};

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match &options.command {
        None => works::run(&options),
        Some(Command::Instructions { update }) => instructions::run(*update),
        Some(Command::Growth { full }) => growth::run(*full),
        Some(Command::Misses { users }) => instructions::misses(*users),
        Some(Command::Counted { work }) => {
            instructions::work(*work);
            Ok(())
        }
        Some(Command::Touched { side, users }) => {
            instructions::touched(*side, *users);
            Ok(())
        }
        Some(Command::Fill { what, ids, users }) => memory::fill(*what, *ids, *users),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

/// An error and what caused it, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
