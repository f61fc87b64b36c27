//! Rule 9 on the program and a SQLite file: killed at any moment, and on a disk that fails in any way.
//!
//! Visitors report to a server without a pause, an oracle notes what they were answered, and after each accident the file
//! must be whole and hold what the oracle says. How much work goes before an accident is drawn by chance, and what the
//! server is doing when it happens is left to the machine: so a seed repeats the work, and not the moment. A sample is
//! run ordinarily, 1,000 kills and 500 failures with `LASTSEEN_TEST_FULL=1`, others with another `LASTSEEN_TEST_SEED`.
#![expect(clippy::print_stdout, reason = "a test that fails shows its seed")]

#[path = "../program/mod.rs"]
mod program;

mod oracle;
mod visitors;

use std::time::Duration;

use fastrand::Rng;
use lastseen_harness::{DiskFault, FaultyDisk, Http, Program, cases, eventually, seed};
use oracle::Oracle;
use program::Place;
use visitors::Visitors;

/// Short, so that every accident falls into all of them.
const TIMES: [&str; 6] = ["--window", "300ms", "--granularity", "60ms", "--flush-every", "20ms"];

/// Until the server has written again, once its disk works.
const RECOVERY: Duration = Duration::from_secs(20);

#[tokio::test]
async fn rule_9_kill_9_at_any_moment_damages_nothing_and_loses_no_more_than_promised() {
    let (kills, seed) = (cases(50, 1_000), seed());
    println!("{kills} kills from seed {seed}");
    let mut chance = Rng::with_seed(seed);
    let place = Place::new();
    let mut oracle = Oracle::default();
    for kill in 0..=kills {
        // It recovers what the one before has left.
        let server = place.serve(&TIMES).await;
        oracle.after_a_crash(&place, &format!("kill {kill} from seed {seed}"));
        let visitors = Visitors::come(server.url(), oracle, &mut chance);
        visitors.wait_for(chance.usize(1..=100));
        server.kill().await;
        oracle = visitors.leave();
    }
}

#[tokio::test]
async fn rule_9_a_disk_that_fails_in_any_way_loses_nothing_of_what_was_taken() {
    let (failures, seed) = (cases(28, 500), seed());
    println!("{failures} failures from seed {seed}");
    let mut chance = Rng::with_seed(seed);
    let (place, disk) = (Place::new(), FaultyDisk::new());
    let mut server = serve(&place, &disk).await;
    let mut oracle = Oracle::default();
    for failure in 0..failures {
        let fault = match failure % 7 {
            0 => DiskFault::Full,
            1 => DiskFault::Short,
            2 => DiskFault::Writing,
            3 => DiskFault::Syncing,
            4 => DiskFault::Reading,
            5 => DiskFault::ReadOnly,
            _ => DiskFault::TooBig(chance.u64(1..=1 << 18)),
        };
        let story = format!("failure {failure}, {fault:?}, from seed {seed}");
        let visitors = Visitors::come(server.url(), oracle, &mut chance);
        visitors.wait_for(chance.usize(1..=20));
        disk.fail(&server, fault).await;
        visitors.wait_for(chance.usize(5..=40));
        if chance.u8(0..4) == 0 {
            server.kill().await;
            oracle = visitors.leave();
            server = serve(&place, &disk).await;
            oracle.after_a_crash(&place, &story);
            continue;
        }
        disk.heal(&server, fault).await;
        oracle = visitors.leave();
        let http = Http::new(server.url());
        let pending = async || visitors::metric(http.get("/metrics").await.text(), "pending_users");
        eventually(RECOVERY, pending, |pending| *pending == 0.0).await;
        oracle.after_a_failure(&place, &story);
    }
    let finished = server.terminate().await;
    assert!(finished.status.success(), "{finished:?}");
    oracle.after_a_failure(&place, "the end");
}

async fn serve(place: &Place, disk: &FaultyDisk) -> Program {
    let arguments = [&["serve", "--listen", "127.0.0.1:0"], &TIMES[..]].concat();
    Program::start(&mut disk.under(&place.command(&arguments))).await
}
