//! `lastseen config`: every setting and where it came from, in a form that can be kept as `lastseen.toml`.

use std::fmt::Write as _;
use std::path::Path;

use crate::Failure;
use crate::settings::{SettingFlags, Settings};

pub(super) fn run(file: Option<&Path>, flags: &SettingFlags) -> Result<String, Failure> {
    let (settings, origins) = Settings::load(file, flags)?;
    let lines: Vec<_> =
        settings.entries().into_iter().map(|(key, value)| (format!("{key} = {value}"), origins.get(key))).collect();
    let width = lines.iter().map(|(line, _)| line.chars().count()).filter(|width| *width <= 48).max().unwrap_or(0);
    let mut toml = String::new();
    for (line, origin) in lines {
        let _ = writeln!(toml, "{line:width$}  # {origin}");
    }
    Ok(toml)
}
