//! Programs start, answer to signals, show what they wrote, and never outlive their test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs, future, thread};

use lastseen_harness::{Program, eventually, run};

/// A server as far as `Program` can tell, whose SIGTERM handler is `on_term`.
fn server(on_term: &str) -> Command {
    let script = format!(
        "trap '{on_term}' TERM
         echo starting
         echo listening on http://127.0.0.1:12345
         tail -f /dev/null & wait"
    );
    shell(&script)
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// Whether the process still runs: a dead one that nobody has waited for yet doesn't.
fn runs(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

async fn is_gone(pid: u32) {
    eventually(Duration::from_secs(10), async || runs(pid), |runs| !runs).await;
}

#[tokio::test]
async fn a_program_ends_by_sigterm_with_its_own_status() {
    let program = Program::start(&mut server("echo bye >&2; exit 3")).await;
    assert_eq!(program.url(), "http://127.0.0.1:12345");
    assert!(runs(program.pid()));

    let finished = program.terminate().await;
    assert_eq!(finished.status.code(), Some(3));
    assert_eq!(finished.stdout, "starting\nlistening on http://127.0.0.1:12345\n");
    assert_eq!(finished.stderr, "bye\n");
    assert!(finished.took < Duration::from_secs(10), "{finished:?}");
}

#[tokio::test]
async fn a_program_ends_by_sigkill_at_once() {
    use std::os::unix::process::ExitStatusExt;

    let finished = Program::start(&mut server("")).await.kill().await;
    assert_eq!(finished.status.signal(), Some(9));
}

#[tokio::test]
async fn a_dropped_program_ends_with_its_children() {
    let program = Program::start(&mut server("")).await;
    let pid = program.pid();
    // The line may be there before the child is.
    let children = || async { fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap() };
    let children = eventually(Duration::from_secs(10), children, |children| !children.trim().is_empty()).await;
    let child = children.trim().parse().unwrap();
    assert!(runs(child));

    drop(program);
    is_gone(pid).await;
    is_gone(child).await;
}

#[tokio::test]
#[should_panic(expected = "no such table")]
async fn a_program_that_ends_early_shows_why() {
    Program::start(&mut shell("echo no such table >&2; exit 1")).await;
}

#[tokio::test]
#[should_panic(expected = "nowhere/lastseen")]
async fn a_program_that_is_missing_is_named() {
    Program::start(&mut Command::new("/nowhere/lastseen")).await;
}

#[tokio::test]
async fn a_command_runs_to_its_end() {
    let script = "cat; echo $0 $COLOUR; pwd; exit 7";
    let finished = run(shell(script).arg("argument").env("COLOUR", "blue").current_dir("/")).await;
    assert_eq!(finished.status.code(), Some(7));
    assert_eq!(finished.stdout, "argument blue\n/\n");
}

#[tokio::test]
async fn output_is_read_to_its_end_however_long_it_is() {
    let finished = run(&mut shell("yes é | head -n 100000")).await;
    assert_eq!(finished.stdout, "é\n".repeat(100_000));
}

/// The kernel's rule that kills a child with its parent means the thread that forked it.
#[test]
fn a_program_outlives_the_thread_that_started_it() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let started = thread::spawn(move || runtime().block_on(async { Program::start(&mut server("exit 3")).await }));
    let program = started.join().unwrap();
    let finished = runtime().block_on(program.terminate());
    assert_eq!(finished.status.code(), Some(3));
}

/// Runs itself in a second process, which starts a program, and kills that process.
#[tokio::test]
async fn a_program_ends_with_the_process_that_started_it() {
    const NOTE: &str = "LASTSEEN_HARNESS_NOTE";
    if let Some(note) = env::var_os(NOTE) {
        let program = Program::start(&mut server("")).await;
        let note = PathBuf::from(note);
        fs::write(note.with_extension("part"), program.pid().to_string()).unwrap();
        fs::rename(note.with_extension("part"), note).unwrap();
        return future::pending().await;
    }

    let directory = tempfile::tempdir().unwrap();
    let note = directory.path().join("pid");
    let mut parent = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_program_ends_with_the_process_that_started_it"])
        .env(NOTE, &note)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let pid = eventually(Duration::from_secs(30), async || read_pid(&note), Option::is_some).await.unwrap();
    assert!(runs(pid));

    parent.kill().unwrap();
    parent.wait().unwrap();
    is_gone(pid).await;
}

fn read_pid(note: &Path) -> Option<u32> {
    fs::read_to_string(note).ok()?.parse().ok()
}
