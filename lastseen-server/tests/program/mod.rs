//! The program itself, in a directory of its own.
#![allow(dead_code, unreachable_pub, reason = "each test uses what it needs")]

use std::fs;
use std::path::Path;
use std::process::Command;

use lastseen_harness::{Finished, Program, run};
use tempfile::TempDir;

/// A directory with nothing in it but what a test puts there; the default store lies in it.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// `lastseen` with these arguments, run here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lastseen"));
        command.args(arguments).current_dir(self.path());
        // Whoever runs the tests may have settings of their own.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LASTSEEN_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Finished {
        run(&mut self.command(arguments)).await
    }

    /// Starts a server on a free port.
    pub async fn serve(&self, arguments: &[&str]) -> Program {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        Program::start(&mut self.command(&arguments)).await
    }

    /// Each file here, and what is in it.
    pub fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let files = fs::read_dir(self.path()).unwrap().map(|file| file.unwrap());
        let mut contents: Vec<_> = files
            .map(|file| (file.file_name().to_string_lossy().into_owned(), fs::read(file.path()).unwrap()))
            .collect();
        contents.sort();
        contents
    }
}

/// That it ended well and complained of nothing, and what it printed.
#[track_caller]
pub fn printed(finished: Finished) -> String {
    assert!(finished.status.success() && finished.stderr.is_empty(), "{finished:?}");
    finished.stdout
}

/// That it ended with this exit code and printed nothing, and what it complained of.
#[track_caller]
pub fn complaint(finished: Finished, exit_code: i32) -> String {
    assert_eq!(finished.status.code(), Some(exit_code), "{finished:?}");
    assert_eq!(finished.stdout, "", "{finished:?}");
    let complaint = finished.stderr;
    assert!(complaint.starts_with("lastseen: ") || complaint.starts_with("error: "), "{complaint}");
    complaint
}
