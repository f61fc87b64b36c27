//! Lists what the library makes public, and compares it with what is on record: `cargo run -p lastseen-api`.
//!
//! Whoever means to change it puts the new list on record with `-- --update`, where the diff shows it to the reviewer.
//! Types of other crates may be in it only if those crates are as stable as ours has to be.

use std::collections::HashSet;
use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/lastseen.txt");

/// What rustdoc of Rust 1.95 writes, and this version of `public-api` reads.
const FORMAT: u64 = 57;

/// Crates whose types may be in ours, since they don't change: at 1.0 or later, or kept as they are for years.
const STABLE: [&str; 10] = [
    "actix_service",
    "actix_web",
    "alloc",
    "core",
    "http",
    "ipnet",
    "serde_core",
    "std",
    "tower_layer",
    "tower_service",
];
/// Crates that still change, each behind the feature of its name: their traits, and what those ask for.
const BEHIND_A_FEATURE: [&str; 2] = ["axum_core", "axum_login"];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let update = env::args().skip(1).any(|argument| argument == "--update");
    let Some(list) = list()? else { return Ok(ExitCode::SUCCESS) };
    let strangers: Vec<&String> = list.iter().filter(|line| heads(line).any(is_stranger)).collect();
    for line in &strangers {
        tell(&format!("a type of a crate that still changes: {line}"));
    }
    let list = list.join("\n") + "\n";
    if update {
        fs::write(RECORD, list)?;
        return Ok(ExitCode::SUCCESS);
    }
    let recorded = fs::read_to_string(RECORD)?;
    let changes = [("-", &recorded, &list), ("+", &list, &recorded)].map(|(sign, these, those)| {
        let those: HashSet<&str> = those.lines().collect();
        these.lines().filter(|line| !those.contains(line)).inspect(|line| tell(&format!("{sign}{line}"))).count()
    });
    if changes == [0, 0] && strangers.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    tell("If the change is meant, put it on record: cargo run -p lastseen-api -- --update");
    Ok(ExitCode::FAILURE)
}

/// A line for each public item; `None` where the compiler is another, whose JSON can't be read.
fn list() -> Result<Option<Vec<String>>, Box<dyn Error>> {
    let documented = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(WORKSPACE)
        .env("RUSTDOC", concat!(env!("CARGO_MANIFEST_DIR"), "/rustdoc"))
        .args(["rustdoc", "--locked", "--package", "lastseen", "--lib", "--all-features", "--"])
        .args(["-Z", "unstable-options", "--output-format", "json"])
        .status()?;
    if !documented.success() {
        return Err(format!("rustdoc ended with {documented}").into());
    }
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let json = Path::new(WORKSPACE).join(target).join("doc/lastseen.json");
    let format = serde_json::from_reader::<_, serde_json::Value>(fs::File::open(&json)?)?["format_version"].as_u64();
    if format != Some(FORMAT) {
        tell(&format!(
            "NOT JUDGED: rustdoc writes format {format:?}, and this reads {FORMAT}. Take the version of `public-api` that \
             reads it, for Cargo.toml, and put the list on record anew."
        ));
        return Ok(None);
    }
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()?;
    // What is public under several names is listed under each, with all that belongs to it again.
    let mut seen = HashSet::new();
    let lines = api.items().map(ToString::to_string).filter(|line| !line.contains("::__private::"));
    Ok(Some(lines.filter(|line| seen.insert(line.clone())).collect()))
}

/// The first segments of all paths in a line: the crates.
fn heads(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .filter_map(|path| path.split_once("::"))
        .map(|(head, _)| head)
        .filter(|head| head.starts_with(|c: char| c.is_ascii_lowercase()))
}

fn is_stranger(head: &str) -> bool {
    head != "lastseen" && !STABLE.contains(&head) && !BEHIND_A_FEATURE.contains(&head)
}

#[expect(clippy::print_stdout, reason = "what a tool says")]
fn tell(line: &str) {
    println!("{line}");
}
