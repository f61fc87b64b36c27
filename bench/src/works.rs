//! The works, one after another, and what becomes of their rows.

pub mod calls;
mod databases;
mod flush;
mod in_memory;
mod layer;
mod nginx;
mod outage;
mod threads;

use std::error::Error;
use std::hint::black_box;
use std::net::IpAddr;
use std::time::Duration;

use crate::contender::Contender;
use crate::machine::Machine;
use crate::measure::{Time, nanos};
use crate::options::{Extent, Options};
use crate::population::{Requests, now_micros};
use crate::report::{self, Row, Unit};
use crate::results;
use crate::site::Outcome;

/// How many of the newest are listed.
pub const FIRST: usize = 50;

/// A window other than the usual one, whose edge is within a second.
pub const NARROW: Duration = Duration::from_micros(432_123_456);

/// What has been measured so far.
#[derive(Default)]
pub struct Rows {
    rows: Vec<Row>,
    /// Of the servers that were started.
    versions: Vec<String>,
}

impl Rows {
    /// Adds a row, and shows it to whoever waits.
    fn push(&mut self, row: Row) {
        eprintln!("{}", report::line(&row));
        self.rows.push(row);
    }

    /// The two rows of a request over HTTP.
    fn push_requests(&mut self, work: &str, users: u32, peer: &str, outcome: &Outcome, goal: Option<f64>) {
        let both = [("", Time::Wall, outcome.passed), (": the server's CPU time", Time::Cpu, outcome.worked)];
        for (what, time, duel) in both {
            let (work, peer, unit) = (format!("{work}{what}"), peer.to_owned(), Unit::Time(time));
            self.push(Row { work, users, peer, unit, duel, goal });
        }
    }
}

pub fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    databases::check(options)?;
    nginx::check(options)?;
    let machine = Machine::look()?;
    let mut rows = Rows::default();
    in_memory::run(options, &mut rows)?;
    threads::run(options, &mut rows);
    outage::run(options, &mut rows)?;
    layer::run(options, &mut rows)?;
    calls::run(options, &mut rows)?;
    nginx::run(options, &mut rows)?;
    flush::run(options, &mut rows)?;
    databases::run(options, &mut rows)?;

    let Rows { rows, versions } = rows;
    if rows.is_empty() {
        return Err(format!("no work has {:?} in its name", options.only.as_deref().unwrap_or_default()).into());
    }
    let text = format!("{}\n{}{}", machine.describe(&versions)?, left_out(options), report::table(&rows));
    println!("{text}");
    if let Some(path) = &options.json {
        report::write_json(&rows, path)?;
    }
    if options.only.is_none() {
        let section = match options.extent() {
            Extent::Quick => results::Section::Quick,
            Extent::Usual => results::Section::Usual,
            Extent::Full => results::Section::Full,
        };
        results::put(section, &text)?;
    }
    Ok(())
}

fn left_out(options: &Options) -> String {
    let servers: Vec<String> = options.without.iter().map(|server| format!("{server:?}")).collect();
    if servers.is_empty() { String::new() } else { format!("Left out by `--without`: {}.\n\n", servers.join(", ")) }
}

/// When a window that ends now began.
fn since(window: Duration) -> i64 {
    now_micros() - i64::try_from(window.as_micros()).unwrap_or(i64::MAX)
}

/// Nanoseconds a request.
pub fn touch_all<C: Contender>(
    time: Time,
    contender: &C,
    requests: &Requests,
    touch: impl Fn(&C, &str, IpAddr),
) -> f64 {
    let took = nanos(time, || {
        for (id, ip) in requests.iter() {
            touch(contender, black_box(id), ip);
        }
    });
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let count = requests.len() as f64;
    took / count
}
