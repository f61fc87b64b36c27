//! What reaches a store: 10,000 changed users in one flush, and one busy user over minutes.

use std::error::Error;
use std::time::Duration;

use lastseen::{ManualClock, Record, Seen, Store, Timestamp, Tracker};
use tokio::runtime::Runtime;

use super::Rows;
use crate::measure::{Duel, Time, duel, nanos, nanos_each};
use crate::options::{Extent, Options};
use crate::ours::{KeepsNothing, user};
use crate::peers::{Database, Sqlite};
use crate::population::{Ids, Pick, Population, now_micros};
use crate::report::{Row, Unit};
use crate::startup;

/// How many users change between two flushes.
const CHANGED: usize = 10_000;

pub fn run(options: &Options, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    if options.wants(FLUSH) {
        flush(options, rows, &runtime)?;
    }
    if options.wants(WRITES) {
        writes(rows, &runtime)?;
    }
    Ok(())
}

const FLUSH: &str = "store 10,000 changed users";

fn flush(options: &Options, rows: &mut Rows, runtime: &Runtime) -> Result<(), Box<dyn Error>> {
    let (users, rounds) = match options.extent() {
        Extent::Quick => (100_000, 3),
        Extent::Usual | Extent::Full => (1_000_000, 7),
    };
    let population = Population { ids: Ids::Decimal, users };
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("lastseen.db");
    let store = runtime.block_on(startup::filled(&path, population))?;
    let tracker = runtime.block_on(Tracker::builder(store.clone()).start())?;

    let mut flush = |round| {
        for (id, ip) in population.each_once(round).iter().take(CHANGED) {
            tracker.touch(&user(id), Some(ip));
        }
        let mut outcome = Ok(());
        let took = nanos(Time::Wall, || outcome = runtime.block_on(tracker.flush()));
        outcome.expect("the file takes everything");
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
        let changed = CHANGED as f64;
        took / changed
    };
    let long_enough = Duration::from_millis(200);
    let push = |rows: &mut Rows, peer: &str, duel, goal| {
        let (work, peer, unit) = (FLUSH.to_owned(), peer.to_owned(), Unit::Time(Time::Wall));
        rows.push(Row { work, users, peer, unit, duel, goal });
    };

    let result = duel(rounds, &mut flush, |round| {
        let requests = population.requests(Pick::Uniform, CHANGED, round);
        let mut next = requests.iter().cycle();
        nanos_each(Time::Wall, long_enough, || {
            let (id, ip) = next.next().expect("a cycle has no end");
            let now = Timestamp::from_micros(now_micros());
            let record = Record { seen: Some(Seen { at: now, ip: Some(ip) }), ..Record::empty(user(id)) };
            runtime.block_on(store.write(&[record], now)).expect("the file takes everything");
        })
    });
    push(rows, "the same store, one by one", result, Some(6.0));

    let mut table = Sqlite::create()?;
    table.fill(population)?;
    let result = duel(rounds, &mut flush, |round| {
        let requests = population.requests(Pick::Uniform, CHANGED, round);
        let mut next = requests.iter().cycle();
        nanos_each(Time::Wall, long_enough, || {
            let (id, ip) = next.next().expect("a cycle has no end");
            table.touch(id, ip).expect("the file takes everything");
        })
    });
    push(rows, "a plain SQLite table, one by one", result, Some(6.0));
    runtime.block_on(tracker.shutdown())?;
    Ok(())
}

const WRITES: &str = "store writes in 10 minutes";

/// One user sends 100 requests a second.
fn writes(rows: &mut Rows, runtime: &Runtime) -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::new(Timestamp::from_micros(now_micros()));
    let store = KeepsNothing::default();
    let written = store.written();
    let busy = user("1");
    let requests = 60_000;
    runtime.block_on(async {
        let tracker = Tracker::builder(store).clock(clock.clone()).start().await?;
        for _ in 0..requests {
            tracker.touch(&busy, None);
            clock.advance(Duration::from_millis(10));
            // Lets the tasks that have come due do their work.
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
        }
        Ok::<_, lastseen::Error>(())
    })?;
    rows.push(Row {
        work: WRITES.to_owned(),
        users: 1,
        peer: "a write a request".to_owned(),
        unit: Unit::Writes,
        duel: Duel::exact(f64::from(written.get()), f64::from(requests)),
        // One a granularity of 30 seconds, and one for coming online.
        goal: Some(f64::from(requests) / 21.0),
    });
    Ok(())
}
