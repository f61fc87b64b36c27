//! This program under valgrind, which counts what happens within `measured`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::process::{Command, Stdio};

/// Events by callgrind's names: `Ir` is an instruction.
pub type Events = BTreeMap<String, f64>;

/// Runs this program with these arguments.
pub fn count(arguments: &[&str], options: &[&str]) -> Result<Events, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let output = folder.path().join("callgrind.out");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*counted*measured*"]).args(options);
    valgrind.arg(format!("--callgrind-out-file={}", output.display()));
    valgrind.arg(std::env::current_exe()?).args(arguments);
    let ended = match valgrind.stdin(Stdio::null()).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err("valgrind is missing: install Debian's package valgrind".into());
        }
        ended => ended?,
    };
    if !ended.status.success() {
        let stderr = String::from_utf8_lossy(&ended.stderr);
        return Err(format!("{valgrind:?} ended with {}: {stderr}", ended.status).into());
    }

    let profile = fs::read_to_string(&output)?;
    let line = |name: &str| {
        let line = profile.lines().find_map(|line| line.strip_prefix(name));
        line.ok_or_else(|| format!("callgrind wrote no line {name:?}"))
    };
    let (names, totals) = (line("events: ")?.split(' '), line("totals: ")?.split(' '));
    let events: Events = names.map(str::to_owned).zip(totals.map_while(|total| total.parse().ok())).collect();
    match events.get("Ir") {
        Some(instructions) if *instructions > 0.0 => Ok(events),
        _ => Err("callgrind counted nothing: it did not find the function to measure".into()),
    }
}
