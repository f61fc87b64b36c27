//! A server under test: started, ready at its address, and ended in one of three ways.

use std::process::Command;
use std::time::Instant;

use crate::process::{Finished, Process};

const LISTENING: &str = "listening on http://";

/// A running server that has printed `listening on http://ADDRESS`.
///
/// It is killed when this value is dropped, and by the kernel if the test's process dies before that.
#[derive(Debug)]
pub struct Program {
    process: Process,
    url: String,
}

impl Program {
    /// Starts it, with nothing on standard input, and waits until it listens.
    ///
    /// The command's program, arguments, variables and directory count; a cleared environment and redirected pipes
    /// don't. Give it port 0, so that tests can run side by side.
    ///
    /// # Panics
    ///
    /// When it ends, or 30 seconds pass, before it listens; the message has all that it wrote.
    pub async fn start(command: &mut Command) -> Self {
        let mut process = Process::start(command);
        let url =
            process.line(LISTENING, |line| line.strip_prefix(LISTENING).map(|address| format!("http://{address}")));
        Self { url: url.await, process }
    }

    /// Where it listens: `http://127.0.0.1:40123`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What follows `before` on the first line of standard output that begins so, such as a second address.
    ///
    /// # Panics
    ///
    /// When it ends, or 30 seconds pass, without such a line.
    pub async fn announced(&mut self, before: &str) -> String {
        self.process.line(before, |line| line.strip_prefix(before).map(str::to_owned)).await
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Sends SIGTERM and waits for the end; `took` is how long that was.
    ///
    /// # Panics
    ///
    /// When it still runs after 30 seconds.
    pub async fn terminate(mut self) -> Finished {
        let signalled = Instant::now();
        self.process.terminate();
        self.process.finished(signalled).await
    }

    /// Sends SIGKILL, as a crash or the kernel's out-of-memory killer would end it.
    pub async fn kill(mut self) -> Finished {
        let signalled = Instant::now();
        self.process.kill();
        self.process.finished(signalled).await
    }
}
