//! Child processes: their output, their signals and their end.

mod spawn;

use std::fmt::{self, Write};
use std::io::Read;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

use crate::patience::{PATIENCE, poll};

pub(crate) use spawn::forwarded;

/// How a program ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its exit code, or the signal that ended it.
    pub status: ExitStatus,
    /// How long it took, from its start or from the signal that it was sent.
    pub took: Duration,
    /// All that it wrote to standard output.
    pub stdout: String,
    /// All that it wrote to standard error.
    pub stderr: String,
}

/// Runs a program to its end, with nothing on standard input.
///
/// # Panics
///
/// When it can't be started, or runs for more than 30 seconds.
pub async fn run(command: &mut Command) -> Finished {
    let started = Instant::now();
    let mut process = Process::start(command);
    process.finished(started).await
}

/// A running child, in a process group of its own, with its output collected.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Known once the child has been waited for, and its id may be another's.
    status: Option<ExitStatus>,
    stdout: Output,
    stderr: Output,
}

impl Process {
    pub(crate) fn start(command: &Command) -> Self {
        let mut child = match spawn::bound_to_this_process(command) {
            Ok(child) => child,
            Err(error) => panic!("can't start setpriv, of Debian's package util-linux, for {command:?}: {error}"),
        };
        let stdout = Output::collect(child.stdout.take().expect("standard output is piped"));
        let stderr = Output::collect(child.stderr.take().expect("standard error is piped"));
        Self { child, status: None, stdout, stderr }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What `found` makes of the first line of standard output that it recognises; panics where the process ends, or
    /// 30 seconds pass, without one.
    pub(crate) async fn line<T>(&mut self, what: &str, found: impl Fn(&str) -> Option<T>) -> T {
        let answer = poll(PATIENCE, async || {
            let text = self.stdout.text();
            let mut complete = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            complete.find_map(&found).map(Ok).or_else(|| self.exited().map(Err))
        });
        match answer.await {
            Some(Ok(answer)) => answer,
            Some(Err(status)) => {
                self.collected().await;
                panic!("ended ({status}) before it wrote a line {what:?}{self}");
            }
            None => panic!("wrote no line {what:?} within {PATIENCE:?}{self}"),
        }
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.exited().is_some()
    }

    /// Waits for the end, and for the rest of the output.
    pub(crate) async fn finished(&mut self, since: Instant) -> Finished {
        let Some(status) = poll(PATIENCE, async || self.exited()).await else {
            panic!("still ran after {PATIENCE:?}{self}");
        };
        let took = since.elapsed();
        self.collected().await;
        Finished { status, took, stdout: self.stdout.text(), stderr: self.stderr.text() }
    }

    /// Waits until both pipes have been read to their end.
    async fn collected(&self) {
        poll(PATIENCE, async || (self.stdout.is_complete() && self.stderr.is_complete()).then_some(())).await;
    }

    pub(crate) fn terminate(&self) {
        assert_eq!(self.status, None, "it has ended already");
        kill_process(self.id(), Signal::TERM).expect("a child that hasn't been waited for takes a signal");
    }

    /// Ends it and whatever it has started, at once.
    pub(crate) fn kill(&mut self) -> ExitStatus {
        if let Some(status) = self.status {
            return status;
        }
        kill_process_group(self.id(), Signal::KILL).expect("a child that hasn't been waited for has a group");
        let status = self.child.wait().expect("a child can be waited for");
        self.status = Some(status);
        status
    }

    /// Its status, once it has ended. What it leaves behind ends then too.
    fn exited(&mut self) -> Option<ExitStatus> {
        let ended = self.status.is_some() || {
            let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            waitid(WaitId::Pid(self.id()), look).expect("a child can be waited for").is_some()
        };
        ended.then(|| self.kill())
    }

    fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What it wrote, for the message of a test that fails.
impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, output) in [("standard output", &self.stdout), ("standard error", &self.stderr)] {
            write!(f, "\n--- {name} of process {} ---\n{}", self.pid(), output.text().trim_end())?;
        }
        f.write_char('\n')
    }
}

/// What a pipe has carried so far.
#[derive(Debug)]
struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Output {
    /// Reads to the end on a thread of its own, so that the child never waits for a full pipe.
    fn collect(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let reader = thread::spawn({
            let bytes = Arc::clone(&bytes);
            move || {
                let mut chunk = [0; 4096];
                while let Ok(length @ 1..) = pipe.read(&mut chunk) {
                    bytes.lock().expect("no panic under the lock").extend_from_slice(&chunk[..length]);
                }
            }
        });
        Self { bytes, reader }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("no panic under the lock")).into_owned()
    }

    fn is_complete(&self) -> bool {
        self.reader.is_finished()
    }
}
