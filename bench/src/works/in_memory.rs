//! Touch, list, count and memory, beside others that hold their users in memory.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use super::{FIRST, NARROW, Rows, touch_all};
use crate::contender::Contender;
use crate::measure::{Duel, Time, duel, nanos_each};
use crate::memory::{Filled, bytes_a_user};
use crate::options::{Extent, Options};
use crate::ours::Lastseen;
use crate::peers::{Dash, Expiring, HashMapAndBTreeSet};
use crate::population::{Ids, Pick, Population, WINDOW};
use crate::report::{Row, Unit};

const CPU: Unit = Unit::Time(Time::Cpu);

pub fn run(options: &Options, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
    let sizes: &[u32] = match options.extent() {
        Extent::Quick => &[1_000, 100_000],
        Extent::Usual => &[1_000, 1_000_000],
        Extent::Full => &[1_000, 1_000_000, 10_000_000],
    };
    let (rounds, touches, long_enough) = match options.extent() {
        Extent::Quick => (3, 50_000, Duration::from_millis(5)),
        Extent::Usual | Extent::Full => (9, 200_000, Duration::from_millis(20)),
    };
    for &users in sizes {
        for ids in [Ids::Decimal, Ids::Uuid] {
            let stage = Stage { options, population: Population { ids, users }, rounds, touches, long_enough };
            stage.beside::<Dash>(rows, Dash::touch_in_place);
            stage.beside::<Expiring>(rows, Contender::touch);
            stage.beside::<HashMapAndBTreeSet>(rows, Contender::touch);
            if users >= 100_000 {
                stage.memory(rows)?;
            }
        }
    }
    Ok(())
}

struct Stage<'a> {
    options: &'a Options,
    population: Population,
    rounds: usize,
    /// How many touches a round has.
    touches: usize,
    /// For how long answers are asked for in a round.
    long_enough: Duration,
}

impl Stage<'_> {
    fn named(&self, work: &str) -> String {
        format!("{work}, {}", self.population.ids.name())
    }

    fn row(&self, work: &str, peer: &str, unit: Unit, duel: Duel, goal: Option<f64>) -> Row {
        let (users, peer) = (self.population.users, peer.to_owned());
        Row { work: self.named(work), users, peer, unit, duel, goal }
    }

    /// All works beside one peer. `in_place` is another way to touch the same users, where the peer has one.
    fn beside<C: Contender>(&self, rows: &mut Rows, in_place: impl Fn(&C, &str, IpAddr)) {
        let works = ["touch, uniform", "touch, Zipf", "first 50", "count", "touch, newcomers"];
        if !works.iter().any(|work| self.options.wants(&self.named(work))) {
            return;
        }
        let is_dash = C::NAME == Dash::NAME;
        let (ours, peer) = (Lastseen::filled(self.population), C::filled(self.population));
        self.agree(&ours, &peer);

        let users = self.population.users;
        if self.options.wants(&self.named("first 50")) {
            let result = self.answers(&ours, &peer, |c| c.newest(WINDOW, FIRST), |c| c.newest(WINDOW, FIRST));
            let goal = (is_dash && users == 10_000_000).then_some(1_000.0);
            rows.push(self.row("first 50", C::NAME, CPU, result, goal));
        }
        if self.options.wants(&self.named("count")) {
            let result = self.answers(&ours, &peer, |c| c.count(NARROW), |c| c.count(NARROW));
            let goal = (is_dash && users == 10_000_000).then_some(10_000.0);
            rows.push(self.row("count", C::NAME, CPU, result, goal));
        }

        let works = [("touch, uniform", Pick::Uniform), ("touch, Zipf", Pick::Zipf)];
        for (work, pick) in works {
            if self.options.wants(&self.named(work)) {
                let goal = (is_dash && pick == Pick::Uniform).then_some(1.0);
                let result = self.touches(&ours, &peer, pick, &C::touch);
                let name = if is_dash { "DashMap insert" } else { C::NAME };
                rows.push(self.row(work, name, CPU, result, goal));
                if is_dash {
                    let result = self.touches(&ours, &peer, pick, &in_place);
                    rows.push(self.row(work, "DashMap get_mut", CPU, result, None));
                }
            }
        }
        assert_eq!(ours.count(WINDOW), users as usize, "this took so long that users dropped out of the window");
        drop((ours, peer));
        if (100_000..=1_000_000).contains(&users) && self.options.wants(&self.named("touch, newcomers")) {
            let requests = self.population.each_once(0);
            let result = duel(
                self.rounds.min(5),
                |_| touch_all(Time::Cpu, &Lastseen::new(users), &requests, Lastseen::touch),
                |_| touch_all(Time::Cpu, &C::new(users), &requests, C::touch),
            );
            rows.push(self.row("touch, newcomers", C::NAME, CPU, result, None));
        }
    }

    /// Both sides hold the same users, and say so.
    fn agree<C: Contender>(&self, ours: &Lastseen, peer: &C) {
        let users = self.population.users as usize;
        assert_eq!((ours.count(WINDOW), peer.count(WINDOW)), (users, users), "{} holds the same users", C::NAME);
        let (mine, its) = (ours.newest(WINDOW, FIRST), peer.newest(WINDOW, FIRST));
        assert_eq!(Lastseen::ids(mine), C::ids(its), "{} finds the same users", C::NAME);
    }

    fn touches<C: Contender>(&self, ours: &Lastseen, peer: &C, pick: Pick, touch: &impl Fn(&C, &str, IpAddr)) -> Duel {
        let requests = |round| self.population.requests(pick, self.touches, round);
        let result = duel(
            self.rounds,
            |round| {
                ours.settle();
                touch_all(Time::Cpu, ours, &requests(round), Lastseen::touch)
            },
            |round| {
                peer.settle();
                touch_all(Time::Cpu, peer, &requests(round), touch)
            },
        );
        ours.settle();
        result
    }

    fn answers<C: Contender, A, B>(
        &self,
        ours: &Lastseen,
        peer: &C,
        mine: impl Fn(&Lastseen) -> A,
        its: impl Fn(&C) -> B,
    ) -> Duel {
        duel(
            self.rounds.min(5),
            |_| nanos_each(Time::Cpu, self.long_enough, || mine(ours)),
            |_| nanos_each(Time::Cpu, self.long_enough, || its(peer)),
        )
    }

    fn memory(&self, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
        if !self.options.wants(&self.named("memory")) {
            return Ok(());
        }
        let Population { ids, users } = self.population;
        let ours = bytes_a_user(Filled::Lastseen, ids, users)?;
        // What we have set ourselves.
        let (limit, bytes) = if ids == Ids::Decimal { ("80 bytes", 80.0) } else { ("112 bytes", 112.0) };
        let peers = [
            (limit, None),
            (Dash::NAME, Some(Filled::Dashmap)),
            (Expiring::NAME, Some(Filled::Moka)),
            (HashMapAndBTreeSet::NAME, Some(Filled::Btree)),
        ];
        for (name, peer) in peers {
            let its = match peer {
                Some(peer) => bytes_a_user(peer, ids, users)?,
                None => bytes,
            };
            let goal = match peer {
                None => Some(1.0),
                Some(Filled::Moka) => Some(4.0),
                Some(_) => None,
            };
            rows.push(self.row("memory", name, Unit::Bytes, Duel::exact(ours, its), goal));
        }
        Ok(())
    }
}
