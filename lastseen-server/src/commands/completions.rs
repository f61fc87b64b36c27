//! `lastseen completions`: what makes a shell complete this program's arguments.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;

#[derive(Args, Debug)]
pub(super) struct Completions {
    /// Shell to print them for
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> String {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "lastseen", &mut script);
        String::from_utf8_lossy(&script).into_owned()
    }
}
