//! Touches on two threads beside one.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use super::Rows;
use crate::contender::Contender;
use crate::measure::{Time, duel};
use crate::options::{Extent, Options};
use crate::ours::Lastseen;
use crate::peers::Dash;
use crate::population::{Ids, Pick, Population, Requests};
use crate::report::{Row, Unit};

pub fn run(options: &Options, rows: &mut Rows) {
    let (users, rounds) = match options.extent() {
        Extent::Quick => (100_000, 5),
        Extent::Usual | Extent::Full => (1_000_000, 15),
    };
    let population = Population { ids: Ids::Decimal, users };
    let work = "touch, 2 threads";
    if !options.wants(work) {
        return;
    }
    let (ours, dash) = (Lastseen::filled(population), Dash::filled(population));
    let half = Population { users: users / 2, ..population };
    let halves = [Lastseen::filled(half), Lastseen::filled(half)];
    let requests = |round: u64, thread: u64| population.requests(Pick::Uniform, 200_000, 2 * round + thread);
    let both = |round| [requests(round, 0), requests(round, 1)];
    let row = |peer: &str, duel, goal| Row {
        work: work.to_owned(),
        users,
        peer: peer.to_owned(),
        unit: Unit::Time(Time::Wall),
        duel,
        goal,
    };

    let result = duel(
        rounds,
        |round| {
            ours.settle();
            together([&ours, &ours], &both(round))
        },
        |round| {
            ours.settle();
            together([&ours], &[requests(round, 0)])
        },
    );
    rows.push(row("lastseen, 1 thread", result, Some(1.7)));
    let result = duel(
        rounds,
        |round| {
            ours.settle();
            together([&ours, &ours], &both(round))
        },
        |round| together([&dash, &dash], &both(round)),
    );
    rows.push(row("DashMap insert, 2 threads", result, None));
    // What this machine makes of threads that share nothing: no lock and no data of theirs.
    let result = duel(
        rounds,
        |round| {
            ours.settle();
            together([&ours, &ours], &both(round))
        },
        |round| {
            halves.iter().for_each(Contender::settle);
            let [one, other] = &halves;
            together([one, other], &[0, 1].map(|thread| half.requests(Pick::Uniform, 200_000, 2 * round + thread)))
        },
    );
    rows.push(row("two lastseens of half the users, a thread each", result, None));
}

/// Nanoseconds a touch, of all threads together; each has its own requests, and a contender that may be the others' too.
fn together<C: Contender, const THREADS: usize>(contenders: [&C; THREADS], requests: &[Requests; THREADS]) -> f64 {
    let barrier = &Barrier::new(THREADS);
    let work = |contender: &C, requests: &Requests| {
        barrier.wait();
        let start = Instant::now();
        for (id, ip) in requests.iter() {
            contender.touch(id, ip);
        }
        (start, Instant::now())
    };
    let spans: Vec<(Instant, Instant)> = thread::scope(|scope| {
        let threads = contenders.into_iter().zip(requests);
        let threads: Vec<_> = threads.map(|(contender, requests)| scope.spawn(|| work(contender, requests))).collect();
        threads.into_iter().map(|thread| thread.join().expect("touching doesn't panic")).collect()
    });
    let (start, end) = (spans.iter().map(|span| span.0).min(), spans.iter().map(|span| span.1).max());
    let took = end.zip(start).map(|(end, start)| end.duration_since(start)).expect("there is a thread");
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let touches = requests.iter().map(Requests::len).sum::<usize>() as f64;
    took.as_secs_f64() * 1e9 / touches
}
