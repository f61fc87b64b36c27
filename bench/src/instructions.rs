//! Instruction counts, which are the same on a busy machine as on an idle one, against those on record.

mod callgrind;
mod counted;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::fs;

use clap::ValueEnum;

use crate::machine::rustc;

pub use counted::{Counted, Side, TOUCHES, touched, work};

const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.txt");

/// By how much a count may differ from the one on record, in percent.
const TOLERANCE: f64 = 2.0;

const HEAD: &str = "\
# Instructions an operation, as valgrind counts them; `cargo run --release -p lastseen-bench -- instructions` compares.
# Reading the clock is not in them. A population is of 10,000 users.
";

/// Of the line that names the compiler.
const COUNTED_WITH: &str = "# Counted with ";

/// Counts, and compares with what is on record or puts it on record. Counts of another compiler are compared, and not
/// judged.
pub fn run(update: bool) -> Result<(), Box<dyn Error>> {
    let record = if update { String::new() } else { fs::read_to_string(RECORD)? };
    let (recorded, compiler) = (read(&record)?, format!("{}, {}", rustc(), std::env::consts::ARCH));
    let (mut text, mut changed) = (format!("{HEAD}{COUNTED_WITH}{compiler}.\n"), Vec::new());
    for counted in Counted::value_variants() {
        let (name, now) = (name(*counted), count(*counted)?);
        writeln!(text, "{name:<24}{now:>12.1}")?;
        let Some(before) = recorded.get(&name) else {
            println!("{name:<24}{now:>12.1}");
            changed.push(name);
            continue;
        };
        let percent = (now / before - 1.0) * 100.0;
        println!("{name:<24}{now:>12.1}, on record {before:>10.1}: {percent:+.2} %");
        if percent.abs() > TOLERANCE {
            changed.push(name);
        }
    }
    if update {
        fs::write(RECORD, text)?;
        return Ok(());
    }
    if changed.is_empty() {
        return Ok(());
    }
    let on_record = record.lines().find_map(|line| line.strip_prefix(COUNTED_WITH)?.strip_suffix('.'));
    if on_record != Some(&compiler) {
        let on_record = on_record.unwrap_or("an unknown compiler");
        println!("NOT JUDGED: what is on record was counted with {on_record}, and this with {compiler}");
        return Ok(());
    }
    Err(format!(
        "changed by more than {TOLERANCE} %: {}. If that is meant, run this with --update and commit bench/instructions.txt",
        changed.join(", ")
    )
    .into())
}

fn name(counted: Counted) -> String {
    counted.to_possible_value().expect("no value is hidden").get_name().to_owned()
}

fn read(text: &str) -> Result<BTreeMap<String, f64>, Box<dyn Error>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, count) = line.split_once(' ').ok_or_else(|| format!("{RECORD}: no count in {line:?}"))?;
            Ok((name.to_owned(), count.trim().parse()?))
        })
        .collect()
}

/// Instructions an operation.
fn count(counted: Counted) -> Result<f64, Box<dyn Error>> {
    let events = callgrind::count(&["counted", &name(counted)], &[])?;
    Ok(events["Ir"] / f64::from(counted.operations()))
}

/// Prints what touches of so many users would miss of caches like this machine's, beside others.
pub fn misses(users: u32) -> Result<(), Box<dyn Error>> {
    println!("{:<16}{:>14}{:>10}{:>10}", "a touch", "instructions", "L1 misses", "L3 misses");
    for side in Side::value_variants() {
        let side = side.to_possible_value().expect("no value is hidden");
        let arguments = ["touched", side.get_name(), &users.to_string()];
        let events = callgrind::count(&arguments, &["--cache-sim=yes", "--LL=16777216,16,64"])?;
        let each = |names: &[&str]| names.iter().map(|name| events[*name]).sum::<f64>() / f64::from(TOUCHES);
        println!(
            "{:<16}{:>14.0}{:>10.1}{:>10.1}",
            side.get_name(),
            each(&["Ir"]),
            each(&["D1mr", "D1mw"]),
            each(&["DLmr", "DLmw"])
        );
    }
    Ok(())
}
