//! `lastseen top`: a live view in the terminal, or one look as plain lines where the output is none.

use std::io::{IsTerminal, stdin, stdout};
use std::path::Path;

use clap::Args;

use super::Target;
use crate::Failure;
use crate::top::{self, Look};

#[derive(Args, Debug)]
pub(super) struct Top {
    #[command(flatten)]
    target: Target,
}

impl Top {
    pub(super) fn run(&self, file: Option<&Path>) -> Result<String, Failure> {
        let (way, place) = self.target.keep_open(file)?;
        if stdin().is_terminal() && stdout().is_terminal() {
            top::run(way, place)?;
            return Ok(String::new());
        }
        let look = Look::through(&way)?;
        way.close()?;
        Ok(look.plain())
    }
}
