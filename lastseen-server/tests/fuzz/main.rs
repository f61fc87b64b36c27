//! Every parser that meets bytes from outside, with bytes that nobody would send on purpose, or somebody just would.
//!
//! Each starts from a corpus, `corpus/NAME`, which is read whole and then mutated by chance: some thousand times
//! ordinarily, a hundred times as often with `LASTSEEN_TEST_FULL=1`. Inputs that once failed are in the corpora, and new
//! ones belong there. Nothing may panic, and what each answers must keep what its documentation promises. `scripts/test
//! fuzz` has libFuzzer look for more, from the same corpora by the same [`targets`].

mod mutations;
mod targets;

use std::fs;
use std::path::Path;

use lastseen_harness::{cases, seed};
use mutations::Mutations;

/// How many inputs where one takes microseconds, and where it goes through the whole server.
const QUICK: u64 = 10_000;
const SLOW: u64 = 1_500;

/// Shows the input where a target panics.
struct Shown<'a>(&'a str, &'a [u8]);

impl Drop for Shown<'_> {
    #[expect(clippy::print_stderr, reason = "who repeats a failure needs the input")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this input failed, and belongs into corpus/{}: b\"{}\"", self.0, self.1.escape_ascii());
        }
    }
}

fn fuzz(name: &str, inputs: u64) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let corpus: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let mut target = targets::named(name);
    let mut run = |input: &[u8]| {
        let _shown = Shown(name, input);
        target(input);
    };
    for input in &corpus {
        run(input);
    }
    let mut mutations = Mutations::of(corpus, seed());
    for _ in 0..cases(inputs, 100 * inputs) {
        run(&mutations.next());
    }
}

#[test]
fn forwarded_and_x_forwarded_for() {
    fuzz("client_ip", QUICK);
}

#[test]
fn access_log_lines() {
    fuzz("log_line", SLOW);
}

#[test]
fn syslog_datagrams() {
    fuzz("syslog", QUICK);
}

#[test]
fn user_ids() {
    fuzz("user_id", SLOW);
}

#[test]
fn bodies_of_calls() {
    fuzz("body", SLOW);
}

#[test]
fn requests() {
    fuzz("request", SLOW);
}

#[test]
fn skip_rules() {
    fuzz("skip", SLOW);
}

#[test]
fn settings_files() {
    fuzz("settings", SLOW);
}

#[test]
fn tickets() {
    fuzz("ticket", SLOW);
}

#[test]
fn tokens() {
    fuzz("token", SLOW);
}
