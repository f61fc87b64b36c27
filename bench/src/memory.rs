//! How much memory a user takes: each side fills a process of its own.

use std::error::Error;
use std::hint::black_box;
use std::process::Command;

use clap::ValueEnum;

use crate::contender::Contender;
use crate::ours::Lastseen;
use crate::peers::{Dash, Expiring, HashMapAndBTreeSet};
use crate::population::{Ids, Population};

/// Who is to hold the users.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Filled {
    Lastseen,
    Dashmap,
    Moka,
    Btree,
}

/// Holds the users in this process, and prints by how many bytes its resident memory grew.
pub fn fill(what: Filled, ids: Ids, users: u32) -> Result<(), Box<dyn Error>> {
    let population = Population { ids, users };
    let grown = match what {
        Filled::Lastseen => grown::<Lastseen>(population),
        Filled::Dashmap => grown::<Dash>(population),
        Filled::Moka => grown::<Expiring>(population),
        Filled::Btree => grown::<HashMapAndBTreeSet>(population),
    }?;
    println!("{grown}");
    Ok(())
}

fn grown<C: Contender>(population: Population) -> Result<u64, Box<dyn Error>> {
    let before = resident()?;
    let contender = C::filled(population);
    let after = resident()?;
    black_box(&contender);
    Ok(after.saturating_sub(before))
}

/// This process's resident memory in bytes.
fn resident() -> Result<u64, Box<dyn Error>> {
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = pages.split(' ').nth(1).ok_or("/proc/self/statm has no second number")?.parse()?;
    Ok(pages * rustix::param::page_size() as u64)
}

/// Bytes a user.
pub fn bytes_a_user(what: Filled, ids: Ids, users: u32) -> Result<f64, Box<dyn Error>> {
    let name = |value: &dyn Fn() -> Option<clap::builder::PossibleValue>| {
        value().expect("no value is hidden").get_name().to_owned()
    };
    let mut child = Command::new(std::env::current_exe()?);
    child.arg("fill").arg(name(&|| what.to_possible_value())).arg(name(&|| ids.to_possible_value()));
    let output = child.arg(users.to_string()).stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{child:?} ended with {}", output.status).into());
    }
    let grown: u32 = u32::try_from(String::from_utf8(output.stdout)?.trim().parse::<u64>()? / 1000)?;
    Ok(f64::from(grown) * 1000.0 / f64::from(users))
}
