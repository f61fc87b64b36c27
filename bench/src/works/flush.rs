//! What reaches a store: 10,000 changed users in one flush, and one busy user over minutes.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use lastseen::{ManualClock, PostgresStore, Record, RedisStore, Seen, SqliteStore, Store, Timestamp, Tracker};
use tokio::runtime::Runtime;

use super::Rows;
use crate::measure::{Duel, Time, duel, nanos, nanos_each};
use crate::options::{Extent, Options, ServerKind};
use crate::ours::{KeepsNothing, user};
use crate::peers::{Database, Sqlite};
use crate::population::{Ids, Pick, Population, Requests, now_micros};
use crate::report::{Row, Unit};
use crate::server::{Server, free_port};
use crate::startup;

/// How many users change between two flushes.
const CHANGED: usize = 10_000;

/// For how long single writes go on in a round.
const LONG_ENOUGH: Duration = Duration::from_millis(200);

pub fn run(options: &Options, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (users, rounds) = match options.extent() {
        Extent::Quick => (100_000, 3),
        Extent::Usual | Extent::Full => (1_000_000, 7),
    };
    let stage = Stage { runtime, population: Population { ids: Ids::Decimal, users }, rounds };
    if options.wants(FLUSH) {
        stage.sqlite(rows)?;
    }
    if wants_server(options, ServerKind::Redis) {
        stage.redis(rows)?;
    }
    if wants_server(options, ServerKind::Postgres) {
        stage.postgres(rows)?;
    }
    if options.wants(WRITES) {
        writes(rows, &stage.runtime)?;
    }
    Ok(())
}

/// Whether a flush to this server is to be measured.
pub fn wants_server(options: &Options, server: ServerKind) -> bool {
    options.wants(FLUSH) && !options.without.contains(&server)
}

const FLUSH: &str = "store 10,000 changed users";

struct Stage {
    runtime: Runtime,
    population: Population,
    rounds: usize,
}

impl Stage {
    fn sqlite(&self, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let store = self.runtime.block_on(SqliteStore::open(folder.path().join("lastseen.db")))?;
        let mut table = Sqlite::create()?;
        table.fill(self.population)?;
        self.beside(rows, &store, "SqliteStore", 6.0, |flush| {
            let plain = duel(self.rounds, flush, |round| {
                self.one_by_one(round, |id, ip| table.touch(id, ip).expect("the file takes everything"))
            });
            Some((plain, "a plain SQLite table, one by one"))
        })
    }

    fn redis(&self, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
        let port = free_port()?;
        let mut server = Server::redis(port)?;
        let store = server.connect(|_| {
            self.runtime.block_on(async {
                let store = RedisStore::connect(&format!("redis://127.0.0.1:{port}")).await?;
                store.ready().await.map(|()| store)
            })
        })?;
        self.beside(rows, &store, "RedisStore", 6.0, |_| None)
    }

    fn postgres(&self, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
        let mut server = Server::postgres()?;
        let store = server.connect(|folder| {
            self.runtime.block_on(async {
                let url = format!("postgres:///postgres?user=bench&host={}", folder.display());
                let store = PostgresStore::connect(&url).await?;
                store.ready().await.map(|()| store)
            })
        })?;
        self.beside(rows, &store, "PostgresStore", 50.0, |_| None)
    }

    /// A flush beside single writes to the same store, and beside whatever else there is for it.
    fn beside<S: Store + Clone>(
        &self,
        rows: &mut Rows,
        store: &S,
        name: &str,
        goal: f64,
        other: impl FnOnce(&mut dyn FnMut(u64) -> f64) -> Option<(Duel, &'static str)>,
    ) -> Result<(), Box<dyn Error>> {
        self.runtime.block_on(startup::fill(store, self.population))?;
        let tracker = self.runtime.block_on(Tracker::builder(store.clone()).start())?;
        let mut flush = |round| {
            for (id, ip) in self.population.each_once(round).iter().take(CHANGED) {
                tracker.touch(&user(id), Some(ip));
            }
            let mut outcome = Ok(());
            let took = nanos(Time::Wall, || outcome = self.runtime.block_on(tracker.flush()));
            outcome.expect("the store takes everything");
            #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
            let changed = CHANGED as f64;
            took / changed
        };
        let singly = duel(self.rounds, &mut flush, |round| {
            self.one_by_one(round, |id, ip| {
                let now = Timestamp::from_micros(now_micros());
                let record = Record { seen: Some(Seen { at: now, ip: Some(ip) }), ..Record::empty(user(id)) };
                self.runtime.block_on(store.write(&[record], now)).expect("the store takes everything");
            })
        });
        let compared = [Some((singly, "the same store, one by one")), other(&mut flush)];
        for (duel, peer) in compared.into_iter().flatten() {
            let work = format!("{FLUSH}, {name}");
            let (users, unit) = (self.population.users, Unit::Time(Time::Wall));
            rows.push(Row { work, users, peer: peer.to_owned(), unit, duel, goal: Some(goal) });
        }
        self.runtime.block_on(tracker.shutdown())?;
        Ok(())
    }

    /// Nanoseconds a write, where each is a call of its own.
    fn one_by_one(&self, round: u64, mut write: impl FnMut(&str, IpAddr)) -> f64 {
        let requests: Requests = self.population.requests(Pick::Uniform, CHANGED, round);
        let mut next = requests.iter().cycle();
        nanos_each(Time::Wall, LONG_ENOUGH, || {
            let (id, ip) = next.next().expect("a cycle has no end");
            write(id, ip);
        })
    }
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
