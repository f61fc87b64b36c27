//! The `lastseen` program.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use lastseen_server::commands::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.start_logging();
    match cli.run() {
        Ok(output) => {
            // A reader that has gone away, as `head` does, has what it wanted.
            let _ = io::stdout().write_all(output.as_bytes());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let _ = writeln!(io::stderr(), "lastseen: {failure}");
            failure.exit_code().into()
        }
    }
}
