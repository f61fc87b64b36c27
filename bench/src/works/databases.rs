//! Touch, list and count, beside databases that are asked at each request.

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use super::{FIRST, NARROW, Rows, flush, since, touch_all};
use crate::contender::Contender;
use crate::measure::{Duel, Time, duel, nanos, nanos_each};
use crate::memory::{Filled, bytes_a_user};
use crate::options::{Extent, Options, ServerKind};
use crate::ours::Lastseen;
use crate::peers::{Database, Postgres, Redis, Sqlite};
use crate::population::{Ids, Pick, Population, Requests, WINDOW};
use crate::report::{Row, Unit};
use crate::server;

const WALL: Unit = Unit::Time(Time::Wall);

/// Fails where a server that is to be measured isn't installed.
pub fn check(options: &Options) -> Result<(), Box<dyn Error>> {
    let wants = |server| wants_server(options, server) || flush::wants_server(options, server);
    if wants(ServerKind::Redis) {
        server::check_redis()?;
    }
    if wants(ServerKind::Postgres) {
        server::check_postgres()?;
    }
    Ok(())
}

pub fn run(options: &Options, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
    let (users, rounds, long_enough) = match options.extent() {
        Extent::Quick => (100_000, 3, Duration::from_millis(30)),
        Extent::Usual | Extent::Full => (1_000_000, 5, Duration::from_millis(100)),
    };
    let stage = Stage { options, population: Population { ids: Ids::Decimal, users }, rounds, long_enough };
    if wants_server(options, ServerKind::Redis) {
        stage.redis(rows)?;
    }
    if !stage.wants_any() {
        return Ok(());
    }
    let mut sqlite = Sqlite::create()?;
    stage.beside(rows, &mut sqlite, "SQLite")?;
    sqlite.index()?;
    stage.beside(rows, &mut sqlite, "SQLite, date indexed")?;
    if wants_server(options, ServerKind::Postgres) {
        let mut postgres = Postgres::start()?;
        rows.versions.push(format!("PostgreSQL {}", postgres.version));
        stage.beside(rows, &mut postgres, "PostgreSQL")?;
        postgres.index()?;
        stage.beside(rows, &mut postgres, "PostgreSQL, date indexed")?;
    }
    Ok(())
}

fn wants_server(options: &Options, server: ServerKind) -> bool {
    !options.without.contains(&server) && WORKS.iter().any(|work| options.wants(work))
}

const WORKS: [&str; 4] = ["touch, decimal ids", "first 50, decimal ids", "count, decimal ids", "memory, decimal ids"];

struct Stage<'a> {
    options: &'a Options,
    population: Population,
    rounds: usize,
    /// For how long a database is asked in a round.
    long_enough: Duration,
}

impl Stage<'_> {
    fn wants_any(&self) -> bool {
        WORKS[..3].iter().any(|work| self.options.wants(work))
    }

    fn push(&self, rows: &mut Rows, work: &str, peer: &str, unit: Unit, duel: Duel) {
        let (work, users, peer) = (work.to_owned(), self.population.users, peer.to_owned());
        rows.push(Row { work, users, peer, unit, duel, goal: None });
    }

    fn requests(&self, count: usize, seed: u64) -> Requests {
        self.population.requests(Pick::Uniform, count, seed)
    }

    fn redis(&self, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
        let [touch, _, _, memory] = WORKS;
        let mut redis = Redis::start()?;
        rows.versions.push(format!("Redis {}", redis.version));
        let before = redis.memory()?;
        self.beside(rows, &mut redis, "Redis")?;
        if self.options.wants(touch) {
            let ours = Lastseen::filled(self.population);
            let mut failed = None;
            let result = duel(
                self.rounds,
                |round| touch_all(Time::Wall, &ours, &self.requests(20_000, round), Lastseen::touch),
                |round| {
                    let requests = self.requests(20_000, round);
                    nanos(Time::Wall, || failed = redis.touch_all(&requests).err()) / 20_000.0
                },
            );
            if let Some(error) = failed {
                return Err(error);
            }
            self.push(rows, touch, "Redis, pipelined", WALL, result);
        }
        if self.options.wants(memory) {
            let Population { ids, users } = self.population;
            #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
            let peer = (redis.memory()? - before) as f64 / f64::from(users);
            let ours = bytes_a_user(Filled::Lastseen, ids, users)?;
            self.push(rows, memory, "Redis, no address", Unit::Bytes, Duel::exact(ours, peer));
        }
        Ok(())
    }

    fn beside(&self, rows: &mut Rows, peer: &mut impl Database, name: &str) -> Result<(), Box<dyn Error>> {
        let [touch, first, count, _] = WORKS;
        let ours = Lastseen::filled(self.population);
        peer.fill(self.population)?;
        let users = self.population.users as usize;
        assert_eq!((ours.count(WINDOW), peer.count(since(WINDOW))?), (users, users), "{name} holds the same users");
        let newest = Lastseen::ids(ours.newest(WINDOW, FIRST));
        assert_eq!(newest, peer.newest(since(WINDOW), FIRST)?, "{name} finds the same users");

        let mut failed = None;
        if self.options.wants(touch) {
            let result = duel(
                self.rounds,
                |round| touch_all(Time::Wall, &ours, &self.requests(20_000, round), Lastseen::touch),
                |round| {
                    let requests = self.requests(10_000, round);
                    let mut next = requests.iter().cycle();
                    nanos_each(Time::Wall, self.long_enough, || {
                        let (id, ip) = next.next().expect("a cycle has no end");
                        failed = failed.take().or(peer.touch(id, ip).err());
                    })
                },
            );
            self.push(rows, touch, name, WALL, result);
        }
        if self.options.wants(first) {
            let result = duel(
                self.rounds,
                |_| nanos_each(Time::Wall, self.long_enough, || ours.newest(WINDOW, FIRST)),
                |_| nanos_each(Time::Wall, self.long_enough, || black_box(peer.newest(since(WINDOW), FIRST)).is_ok()),
            );
            self.push(rows, first, name, WALL, result);
        }
        if self.options.wants(count) {
            let result = duel(
                self.rounds,
                |_| nanos_each(Time::Wall, self.long_enough, || ours.count(NARROW)),
                |_| nanos_each(Time::Wall, self.long_enough, || black_box(peer.count(since(NARROW))).is_ok()),
            );
            self.push(rows, count, name, WALL, result);
        }
        failed.map_or(Ok(()), Err)
    }
}
