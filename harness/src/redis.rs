//! A real Redis server, or a Valkey's, in a directory of its own, to be stopped, killed, frozen and started again.

mod cluster;
mod sentinel;

use std::env;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Weak};
use std::time::Instant;

use rustix::process::{Signal, kill_process};
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::patience::{PATIENCE, poll};
use crate::postgres::{free_port, pid};
use crate::process::{Process, run};

pub use cluster::RedisCluster;
pub use sentinel::RedisSentinel;

/// A running Redis server, on a free port of 127.0.0.1, which logs what is written and so survives being killed.
///
/// It has a directory of its own, which goes with this value; and it is killed by the kernel if the test's process dies.
#[derive(Debug)]
pub struct Redis {
    // Dropped in this order: nobody writes to the files when they are removed.
    process: Option<Process>,
    files: TempDir,
    port: u16,
    /// Of a Cluster's server, the port at which the others find it.
    bus: Option<u16>,
    settings: Vec<String>,
}

impl Redis {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// When Redis isn't installed, or doesn't answer within 30 seconds.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts one with these settings of `redis.conf`, such as `maxmemory 10mb`.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn with(settings: &[&str]) -> Self {
        Self::begin(settings, false).await
    }

    async fn begin(settings: &[&str], is_clustered: bool) -> Self {
        let files = tempfile::tempdir().expect("a directory for Redis");
        let settings = settings.iter().map(ToString::to_string).collect();
        let mut server = Self { process: None, files, port: 0, bus: is_clustered.then_some(0), settings };
        server.launch(false).await;
        server
    }

    /// The one that all tests share which run at the same time in this process. Each takes keys with a prefix of its own.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Redis>> = Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start().await);
        *shared = Arc::downgrade(&started);
        started
    }

    /// The URL, without a user.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// The port on 127.0.0.1. It stays the same over a [`restart`](Self::restart).
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it runs, as far as it hasn't ended by itself.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// The directory of its files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.files.path()
    }

    /// Sends a command by `redis-cli`, and returns what it prints for other programs: a line an item.
    ///
    /// # Panics
    ///
    /// When the server answers with an error.
    pub async fn cli(&self, command: &[&str]) -> String {
        let finished = run(cli(self.port).arg("-e").args(command)).await;
        assert!(finished.status.success(), "redis-cli {command:?}: {}{}", finished.stdout, finished.stderr.trim_end());
        finished.stdout.trim_end().to_owned()
    }

    /// A value that `INFO` has.
    ///
    /// # Panics
    ///
    /// When there is none by that name.
    pub async fn info(&self, name: &str) -> String {
        let info = self.cli(&["INFO", "all"]).await;
        let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.unwrap_or_else(|| panic!("INFO has no {name:?}:\n{info}")).trim_end().to_owned()
    }

    /// Stops it as an operator does.
    ///
    /// # Panics
    ///
    /// When it still runs after 30 seconds.
    pub async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.terminate();
            process.finished(Instant::now()).await;
        }
    }

    /// Ends it at once, as a crash does.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Stops it in its tracks (SIGSTOP), until [`resume`](Self::resume). Connections stay open.
    ///
    /// # Panics
    ///
    /// When it doesn't run.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on after [`pause`](Self::pause).
    ///
    /// # Panics
    ///
    /// When it doesn't run.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let id = self.process.as_ref().expect("the server runs").pid();
        kill_process(pid(id), signal).expect("the server takes a signal");
    }

    /// Starts it again on the same port with the same data, after stopping it if it runs; it may be loading its data still.
    ///
    /// # Panics
    ///
    /// When it doesn't answer within 30 seconds.
    pub async fn restart(&mut self) {
        self.restart_with(&[]).await;
    }

    /// As [`restart`](Self::restart), and from now on with these settings too.
    ///
    /// # Panics
    ///
    /// As [`restart`](Self::restart).
    pub async fn restart_with(&mut self, settings: &[&str]) {
        self.stop().await;
        self.settings.extend(settings.iter().map(ToString::to_string));
        self.launch(true).await;
    }

    /// Starts it, on the same port as before or on a free one.
    async fn launch(&mut self, is_same_port: bool) {
        // Between the look for a free port and the start another process may take it.
        let started = Instant::now();
        loop {
            if !is_same_port {
                self.port = free_port();
                self.bus = self.bus.map(|_| free_port());
            }
            let mut process = Process::start(&self.server());
            match self.answers(&mut process).await {
                Some(true) => {
                    self.process = Some(process);
                    return;
                }
                Some(false) if started.elapsed() < PATIENCE => {}
                _ => panic!("Redis does not start on port {}{process}", self.port),
            }
        }
    }

    fn server(&self) -> Command {
        let mut server = Command::new(server(self.files.path()));
        let port = self.port.to_string();
        server.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port,
            "--appendonly",
            "yes",
            "--appendfsync",
            "no",
            "--save",
            "",
        ]);
        // A replica need not wait until others come, to have the data together with them.
        server.args(["--repl-diskless-sync-delay", "0", "--dir"]).arg(self.files.path());
        if let Some(bus) = self.bus {
            server.args(["--cluster-enabled", "yes", "--cluster-port", &bus.to_string()]);
            server.args(["--cluster-node-timeout", "2000"]);
        }
        for setting in &self.settings {
            let (name, value) = setting.split_once(' ').unwrap_or((setting, ""));
            server.arg(format!("--{name}"));
            server.args(value.split(' '));
        }
        server
    }

    /// Whether it serves; false where it has ended instead, `None` where it does neither for too long.
    async fn answers(&self, process: &mut Process) -> Option<bool> {
        let answer = poll(PATIENCE, async || {
            if process.has_ended() {
                return Some(false);
            }
            // It may say that it is loading.
            let finished = run(cli(self.port).arg("PING")).await;
            finished.status.success().then_some(true)
        });
        answer.await
    }
}

fn cli(port: u16) -> Command {
    let mut cli = Command::new(chosen("cli").unwrap_or_else(|| installed("redis-cli")));
    cli.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    cli
}

/// The variable with the path of another server for the tests to use, such as a Valkey's. Its `-cli` lies beside it.
const CHOSEN: &str = "LASTSEEN_TEST_REDIS_SERVER";

/// The server that the tests were told to use, or its `cli`.
fn chosen(part: &str) -> Option<PathBuf> {
    let server = PathBuf::from(env::var_os(CHOSEN)?);
    let name = server.file_name().and_then(|name| name.to_str()?.strip_suffix("-server"));
    let name = name.unwrap_or_else(|| panic!("{CHOSEN}={} must end with -server", server.display()));
    let path = server.with_file_name(format!("{name}-{part}"));
    assert!(path.is_file(), "{CHOSEN}={}: there is no {}", server.display(), path.display());
    Some(path)
}

/// One of the programs in Debian's package.
fn installed(name: &str) -> PathBuf {
    let path = Path::new("/usr/bin").join(name);
    assert!(path.is_file(), "{name} is not installed: it is in Debian's package redis-tools");
    path
}

/// The server. Debian's package of that name would start a service, and has a link alone: the program itself comes with the
/// tools, under the name of a check that it does too. Under a link in `directory` it is the server.
fn server(directory: &Path) -> PathBuf {
    if let Some(chosen) = chosen("server") {
        return chosen;
    }
    let installed_whole = PathBuf::from("/usr/bin/redis-server");
    if installed_whole.is_file() {
        return installed_whole;
    }
    let link = directory.join("redis-server");
    if !link.exists() {
        symlink(installed("redis-check-rdb"), &link).expect("a link in one's own directory can be made");
    }
    link
}
