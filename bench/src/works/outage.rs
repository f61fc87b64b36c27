//! Touches while the store is dead, beside touches while it is alive: how long the slowest of a hundred take.

use std::error::Error;
use std::time::Instant;

use lastseen::conformance::{Fault, Faulty};
use lastseen::{Activity, Timestamp, Tracker};
use tokio::runtime::Runtime;

use super::Rows;
use crate::measure::{Time, duel};
use crate::options::{Extent, Options};
use crate::ours::{KeepsNothing, user};
use crate::population::{Ids, Pick, Population, now_micros};
use crate::report::{Row, Unit};

const WORK: &str = "touch, slowest of 100, store dead";

pub fn run(options: &Options, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
    if !options.wants(WORK) {
        return Ok(());
    }
    let (users, rounds, touches) = match options.extent() {
        Extent::Quick => (100_000, 5, 200_000),
        Extent::Usual | Extent::Full => (1_000_000, 15, 1_000_000),
    };
    let population = Population { ids: Ids::Decimal, users };
    let (starved, fed) = (Site::filled(population, true)?, Site::filled(population, false)?);
    let slowest = |site: &Site, round| {
        let requests = population.requests(Pick::Uniform, touches, round);
        let touch = |(id, ip)| {
            let start = Instant::now();
            site.tracker.touch(&user(id), Some(ip));
            start.elapsed()
        };
        let mut took: Vec<_> = requests.iter().map(touch).collect();
        let (_, slowest, _) = took.select_nth_unstable(touches * 99 / 100);
        slowest.as_secs_f64() * 1e9
    };
    let result = duel(rounds, |round| slowest(&starved, round), |round| slowest(&fed, round));
    let status = starved.tracker.status();
    assert!(status.store_error.is_some() && status.pending > touches / 2, "{status:?}");
    rows.push(Row {
        work: WORK.to_owned(),
        users,
        peer: "the store alive".to_owned(),
        unit: Unit::Time(Time::Wall),
        duel: result,
        goal: Some(0.95),
    });
    Ok(())
}

/// A tracker whose tasks run on a thread of their own, meanwhile.
struct Site {
    tracker: Tracker,
    _runtime: Runtime,
}

impl Site {
    fn filled(population: Population, dead: bool) -> Result<Self, Box<dyn Error>> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build()?;
        let store = Faulty::new(KeepsNothing::default());
        let faults = store.faults();
        let capacity = (population.users as usize * 5 / 4).max(1 << 20);
        let tracker = runtime.block_on(Tracker::builder(store).capacity(capacity).start())?;
        if dead {
            faults.inject(Fault::every());
        }
        population.activities(now_micros(), |id, ip, at| {
            let activity = Activity { user: user(id), at: Timestamp::from_micros(at), ip: Some(ip) };
            tracker.touch_at(activity).expect("there is room, and the date has passed");
        });
        if !dead {
            runtime.block_on(tracker.flush())?;
        }
        Ok(Self { tracker, _runtime: runtime })
    }
}
