//! A bar on the terminal while a log is read: how far, how fast, and for how long still. It goes however the reading ends.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::Failure;
use crate::ended_by::EndedBy;

/// How many lines pass between two looks at the clock.
const LINES_A_LOOK: u64 = 1 << 14;

/// How soon a signal is noticed while a log has no more to give.
const FOR_SIGNALS: Duration = Duration::from_millis(50);

pub(super) struct Progress {
    bar: ProgressBar,
    /// Where there is a terminal to be left as it was.
    ended_by: Option<EndedBy>,
    /// How many bytes of the logs, as they lie there, have been read.
    read: Arc<AtomicU64>,
}

impl Progress {
    /// On standard error where that is a terminal; how far, where all the sizes are known.
    pub(super) fn through(logs: &[PathBuf]) -> Result<Self, Failure> {
        let size = |path: &PathBuf| fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|file| file.len());
        let (bar, template) = match logs.iter().map(size).sum() {
            Some(bytes) => (ProgressBar::new(bytes), "{bar:30} {percent:>3}%  {msg}  {eta} left"),
            None => (ProgressBar::new_spinner(), "{spinner}  {msg}  {elapsed}"),
        };
        let style = ProgressStyle::with_template(template).expect("the templates above are valid");
        let bar = bar.with_style(style).with_message(so_far(0, Duration::ZERO));
        let ended_by = if bar.is_hidden() { None } else { Some(EndedBy::listen().map_err(unheard)?) };
        if let Some(ended_by) = ended_by.clone() {
            let bar = bar.clone();
            thread::spawn(move || end_when_told(&bar, &ended_by));
        }
        Ok(Self { bar, ended_by, read: Arc::default() })
    }

    /// What the logs add to that are read.
    pub(super) fn read(&self) -> &Arc<AtomicU64> {
        &self.read
    }

    /// After so many lines.
    pub(super) fn at(&self, lines: u64) {
        if lines.is_multiple_of(LINES_A_LOOK) && !self.bar.is_hidden() {
            self.bar.set_position(self.read.load(Ordering::Relaxed));
            self.bar.set_message(so_far(lines, self.bar.elapsed()));
        }
    }

    /// Whoever is told to end while a log ends has not read it all: what wrote it may have been told the same.
    pub(super) fn finish(self) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        self.ended_by.as_ref().map_or(Ok(()), EndedBy::end).map_err(unheard)
    }
}

/// After a failure, too, the line is somebody else's.
impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A log that waits for its writer is read without looking at signals.
fn end_when_told(bar: &ProgressBar, ended_by: &EndedBy) {
    while ended_by.signal().is_none() {
        thread::sleep(FOR_SIGNALS);
    }
    bar.finish_and_clear();
    // It fails for other signals than these.
    let _ = ended_by.end();
}

#[expect(clippy::needless_pass_by_value, reason = "it is what an error is mapped with")]
fn unheard(error: io::Error) -> Failure {
    Failure::runtime(format!("can't listen for signals: {error}"))
}

fn so_far(lines: u64, elapsed: Duration) -> String {
    #[expect(clippy::cast_precision_loss, reason = "numbers for people")]
    let millions = lines as f64 / 1e6;
    format!("{millions:.1} M lines, {:.2} M a second", millions / elapsed.as_secs_f64().max(1e-3))
}
