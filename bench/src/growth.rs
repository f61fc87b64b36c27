//! How time and memory grow with the number of users: a table and a picture.

mod plot;

use std::error::Error;
use std::fmt::Write;
use std::time::Duration;

use lastseen::SqliteStore;

use crate::contender::Contender;
use crate::machine::Machine;
use crate::measure::{Figure, Time, nanos_each};
use crate::memory::{Filled, bytes_a_user};
use crate::ours::Lastseen;
use crate::population::{Ids, Pick, Population, WINDOW};
use crate::report::{duration, thousands};
use crate::results::{self, Section};
use crate::startup;
use crate::works::{FIRST, NARROW, touch_all};

const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/growth.svg");

const SIZES: [u32; 5] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// What was measured with so many users.
struct Point {
    users: u32,
    /// Nanoseconds.
    touch: f64,
    first: f64,
    count: f64,
    start: Option<f64>,
    /// Bytes a user, with decimal ids and with UUIDs.
    memory: [f64; 2],
}

/// Measures, and writes both. `full` also starts from a file with 10 million users, which takes minutes to fill.
pub fn run(full: bool) -> Result<(), Box<dyn Error>> {
    let machine = Machine::look()?;
    let mut points = Vec::new();
    for users in SIZES {
        let point = measure(users, full || users < 10_000_000)?;
        eprintln!("{}", line(&point));
        points.push(point);
    }
    let text = format!("{}\n{}\n{WHY}", machine.describe(&[])?, table(&points));
    println!("{text}");
    std::fs::write(PICTURE, picture(&points))?;
    results::put(Section::Growth, &text)?;
    Ok(())
}

fn measure(users: u32, start: bool) -> Result<Point, Box<dyn Error>> {
    let population = Population { ids: Ids::Decimal, users };
    let ours = Lastseen::filled(population);
    let long_enough = Duration::from_millis(20);
    let median = |each: &mut dyn FnMut(u64) -> f64| Figure::of((0..9).map(each).collect()).median;
    let first = median(&mut |_| nanos_each(Time::Cpu, long_enough, || ours.newest(WINDOW, FIRST)));
    let count = median(&mut |_| nanos_each(Time::Cpu, long_enough, || ours.count(NARROW)));
    let touch = median(&mut |round| {
        ours.settle();
        let requests = population.requests(Pick::Uniform, 200_000, round);
        touch_all(Time::Cpu, &ours, &requests, Lastseen::touch)
    });
    drop(ours);
    let memory =
        [bytes_a_user(Filled::Lastseen, Ids::Decimal, users)?, bytes_a_user(Filled::Lastseen, Ids::Uuid, users)?];
    let start = if start { Some(started(population)?) } else { None };
    Ok(Point { users, touch, first, count, start, memory })
}

/// Nanoseconds from opening a file to the first correct answer; the median of three.
fn started(population: Population) -> Result<f64, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("lastseen.db");
    runtime.block_on(async {
        let store = SqliteStore::open(&path).await?;
        startup::fill(&store, population).await
    })?;
    let mut took = Vec::new();
    for _ in 0..3 {
        took.push(runtime.block_on(startup::start(&path, population))?.as_secs_f64() * 1e9);
    }
    Ok(Figure::of(took).median)
}

fn table(points: &[Point]) -> String {
    let mut text = String::from(
        "| users | touch | online(50) | count | memory a user, decimal ids | UUID ids | start from SQLite |\n\
         |--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for point in points {
        writeln!(text, "{}", line(point)).expect("a string takes everything");
    }
    text
}

fn line(point: &Point) -> String {
    let Point { users, touch, first, count, start, memory: [decimal, uuid] } = point;
    format!(
        "| {} | {} | {} | {} | {decimal:.0} B | {uuid:.0} B | {} |",
        thousands(*users),
        duration(*touch),
        duration(*first),
        duration(*count),
        start.map(duration).unwrap_or_default()
    )
}

const WHY: &str = "\
![How time and memory grow with the number of users](growth.svg)

- `touch` takes as many steps for any number of users; it grows because fewer of the places that it visits are in the
  processor's caches: the table's, the user's, the old and the new place in the order of time. The users are picked at
  random, which is the worst there is.
- `online(50)` reads the newest entries of each shard, however many older ones there are.
- `count` adds up counters, one for each second of the window and each shard, and looks at single users in the second at the
  window's edge alone. Where more than 1,024 users of a shard share a second there are more counters.
- Memory a user is level; its steps come from tables that double. With few users what a tracker takes in any case shows.
- A start reads every recent row once. The file is in the system's cache.
";

fn picture(points: &[Point]) -> String {
    let series = |name, value: &dyn Fn(&Point) -> Option<f64>| plot::Series {
        name,
        points: points.iter().filter_map(|point| Some((f64::from(point.users), value(point)?))).collect(),
    };
    plot::picture(
        &plot::Panel {
            title: "Time",
            series: vec![
                series("start from SQLite", &|point| point.start),
                series("online(50)", &|point| Some(point.first)),
                series("count", &|point| Some(point.count)),
                series("touch", &|point| Some(point.touch)),
            ],
            label: |nanos| match nanos {
                nanos if nanos < 1e3 => format!("{nanos:.0} ns"),
                nanos if nanos < 1e6 => format!("{:.0} µs", nanos / 1e3),
                nanos if nanos < 1e9 => format!("{:.0} ms", nanos / 1e6),
                nanos => format!("{:.0} s", nanos / 1e9),
            },
        },
        &plot::Panel {
            title: "Memory a user",
            series: vec![
                series("UUID ids", &|point| Some(point.memory[1])),
                series("decimal ids", &|point| Some(point.memory[0])),
            ],
            label: |bytes| format!("{bytes:.0} B"),
        },
    )
}
