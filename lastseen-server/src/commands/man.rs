//! `lastseen man`: the manual pages, as packages install them.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use super::Cli;
use crate::Failure;

#[derive(Args, Debug)]
pub(super) struct Man {
    /// Directory to write them to, one of the program and one of each command
    directory: PathBuf,
}

impl Man {
    pub(super) fn run(&self) -> Result<String, Failure> {
        clap_mangen::generate_to(Cli::command(), &self.directory)
            .map_err(|error| Failure::runtime(format!("can't write to {}: {error}", self.directory.display())))?;
        Ok(String::new())
    }
}
