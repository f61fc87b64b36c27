//! On what was measured: the hardware, the system, the versions, the date.

use std::error::Error;
use std::fs;
use std::process::Command;

use lastseen::Timestamp;
use rustix::system::uname;

use crate::population::now_micros;

const LOCK: &str = include_str!("../../Cargo.lock");

/// The machine as a run begins.
pub struct Machine {
    began: String,
    load: String,
}

impl Machine {
    pub fn look() -> Result<Self, Box<dyn Error>> {
        Ok(Self { began: Timestamp::from_micros(now_micros()).to_string(), load: load()? })
    }

    /// A paragraph about it, now that the run has ended; `versions` are those of servers.
    pub fn describe(&self, versions: &[String]) -> Result<String, Box<dyn Error>> {
        let processors = std::thread::available_parallelism()?;
        let (day, _) = self.began.split_once('T').unwrap_or((&self.began, ""));
        let system = uname();
        let mut versions = versions.to_vec();
        versions.push(format!("SQLite {}", rusqlite::version()));
        versions.extend(["dashmap", "moka", "axum"].map(|name| format!("{name} {}", locked(name))));
        Ok(format!(
            "{day}: {processors} processors, {}, {} GB; {} {} {}; {}. lastseen {}, {}. The load average was {} as \
             this began and {} as it ended; about 1 of that is this run.\n",
            field("/proc/cpuinfo", "model name")?,
            memory()?,
            system.sysname().to_string_lossy(),
            system.release().to_string_lossy(),
            system.machine().to_string_lossy(),
            rustc(),
            locked("lastseen"),
            versions.join(", "),
            self.load,
            load()?,
        ))
    }
}

/// The average number of processes that wanted a processor in the last minute.
fn load() -> Result<String, Box<dyn Error>> {
    Ok(fs::read_to_string("/proc/loadavg")?.split(' ').next().unwrap_or_default().to_owned())
}

fn memory() -> Result<u64, Box<dyn Error>> {
    let total = field("/proc/meminfo", "MemTotal")?;
    let kilobytes: u64 = total.trim_end_matches(" kB").parse()?;
    Ok(kilobytes.div_ceil(1_000_000))
}

fn field(path: &str, name: &str) -> Result<String, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    let line = text.lines().find(|line| line.starts_with(name)).ok_or_else(|| format!("{path} has no {name}"))?;
    Ok(line.split_once(':').map_or("", |(_, value)| value.trim()).to_owned())
}

/// Which compiler there is.
pub fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let text = output.ok().and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    text.split(" (").next().unwrap_or_default().to_owned()
}

/// The version of a crate that this was built with.
fn locked(name: &str) -> &'static str {
    let name = format!("name = \"{name}\"\nversion = \"");
    let version = LOCK.split_once(&name).and_then(|(_, rest)| rest.split_once('"'));
    version.map_or("?", |(version, _)| version)
}
