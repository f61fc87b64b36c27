//! A store that holds a population, and how long a tracker takes to answer from it.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use lastseen::{Record, Seen, SqliteStore, Store, Timestamp, Tracker};

use crate::ours::user;
use crate::population::{Population, now_micros};

/// Writes a population.
pub async fn fill<S: Store>(store: &S, population: Population) -> Result<(), S::Error> {
    let now = now_micros();
    let mut records = Vec::with_capacity(population.users as usize);
    population.activities(now, |id, ip, at| {
        let seen = Some(Seen { at: Timestamp::from_micros(at), ip: Some(ip) });
        records.push(Record { seen, ..Record::empty(user(id)) });
    });
    records.sort_unstable_by(|a, b| a.user.cmp(&b.user));
    for batch in records.chunks(10_000) {
        store.write(batch, Timestamp::from_micros(now)).await?;
    }
    Ok(())
}

/// From opening the file to the first count that has everybody in it.
pub async fn start(path: &Path, population: Population) -> Result<Duration, Box<dyn Error>> {
    let started = Instant::now();
    let store = SqliteStore::open(path).await?;
    let capacity = (population.users as usize * 5 / 4).max(1 << 20);
    let tracker = Tracker::builder(store).capacity(capacity).start().await?;
    // Filling the file may have taken longer than the usual window.
    let counted = tracker.count_within(tracker.horizon())?;
    let took = started.elapsed();
    if counted != population.users as usize {
        return Err(format!("the tracker counted {counted} users of {}", population.users).into());
    }
    tracker.shutdown().await?;
    Ok(took)
}
