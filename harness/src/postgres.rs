//! A real PostgreSQL server in a directory of its own, to be stopped, killed, frozen and started again.

mod files;
mod owner;

use std::fmt::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Weak};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::Mutex;

use crate::patience::{PATIENCE, poll};
use crate::process::{Process, run};
use files::Files;
pub(crate) use owner::Owner;

/// A running PostgreSQL server, on a free port of 127.0.0.1 and on a Unix socket, with the superuser `postgres`.
///
/// Nobody needs a password unless [`pg_hba`](Self::pg_hba) says otherwise, and nothing is synced to disk. It has a
/// directory of its own, which goes with this value; and it is killed by the kernel if the test's process dies.
/// PostgreSQL refuses to run as root, so root's tests run it as the user `postgres`, or `nobody` where there is none.
#[derive(Debug)]
pub struct Postgres {
    // Dropped in this order: nobody writes to the files when they are removed.
    process: Option<Process>,
    files: Files,
    port: u16,
    settings: Vec<String>,
}

impl Postgres {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// When PostgreSQL isn't installed, or doesn't answer within 30 seconds.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts one with these settings of `postgresql.conf`, such as `max_connections=20`.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn with(settings: &[&str]) -> Self {
        Self::on(Files::create().await, settings).await
    }

    async fn on(files: Files, settings: &[&str]) -> Self {
        let settings = settings.iter().map(ToString::to_string).collect();
        let mut server = Self { process: None, files, port: 0, settings };
        server.launch(None).await;
        server
    }

    /// Starts a standby, which is handed what this server commits, after it has answered.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn standby(&self) -> Self {
        let standby = Self::on(Files::copy(&self.url("postgres")).await, &[]).await;
        standby.receives(true).await;
        standby
    }

    /// Cuts a standby off from its primary: what that commits from now on is not handed over.
    ///
    /// # Panics
    ///
    /// When it isn't within 30 seconds.
    pub async fn cut_off(&self) {
        self.sql("postgres", "ALTER SYSTEM SET primary_conninfo = ''").await;
        self.reload().await;
        self.receives(false).await;
    }

    async fn receives(&self, receives: bool) {
        let count = "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'";
        let as_told = async || ((self.sql("postgres", count).await != "0") == receives).then_some(());
        let outcome = poll(PATIENCE, as_told).await;
        assert!(outcome.is_some(), "the standby receives or doesn't, against {receives}, within {PATIENCE:?}");
    }

    /// Makes a standby a primary, which takes writes.
    ///
    /// # Panics
    ///
    /// When it isn't within 60 seconds.
    pub async fn promote(&self) {
        assert_eq!(self.sql("postgres", "SELECT pg_promote()").await, "t", "the standby was to become a primary");
    }

    /// The one that all tests share which run at the same time in this process. Each takes a database of its own by
    /// [`database`](Self::database).
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Postgres>> = Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start().await);
        *shared = Arc::downgrade(&started);
        started
    }

    /// Makes an empty database and returns its URL, for the superuser.
    ///
    /// # Panics
    ///
    /// When it can't be made.
    pub async fn database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE \"{name}\"")).await;
        self.url(name)
    }

    /// The URL of a database, over TCP, for the superuser.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The port on 127.0.0.1. It stays the same over a [`restart`](Self::restart).
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of the Unix socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        self.files.directory()
    }

    /// Runs SQL by `psql` as the superuser, one command after another; what it prints is unaligned, without headers.
    ///
    /// # Panics
    ///
    /// At the first command that fails.
    pub async fn sql(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(program("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]).args([
            "--dbname",
            &self.url(database),
            "--command",
            sql,
        ]);
        let finished = run(&mut psql).await;
        assert!(finished.status.success(), "psql on {database:?}: {}\n{sql}", finished.stderr.trim_end());
        finished.stdout.trim_end().to_owned()
    }

    /// Has these lines of `pg_hba.conf` in force, in place of those before.
    ///
    /// # Panics
    ///
    /// When they can't be written.
    pub async fn pg_hba(&self, lines: &[&str]) {
        let mut text = String::new();
        for line in lines {
            let _ = writeln!(text, "{line}");
        }
        self.files.write("pg_hba.conf", &text);
        self.reload().await;
    }

    /// Has `postgresql.conf` and what `ALTER SYSTEM` has set in force for connections made from now on.
    ///
    /// # Panics
    ///
    /// When it isn't within 30 seconds.
    pub async fn reload(&self) {
        // A connection tells when the server that started it had last read its files.
        let loaded = async || self.sql("postgres", "SELECT pg_conf_load_time()").await;
        let before = loaded().await;
        self.sql("postgres", "SELECT pg_reload_conf()").await;
        let reloaded = poll(PATIENCE, async || (loaded().await != before).then_some(())).await;
        assert!(reloaded.is_some(), "the server hasn't read its files within {PATIENCE:?}");
    }

    /// Puts a file beside the database's own, as its user, and returns its path: a certificate, for example.
    ///
    /// # Panics
    ///
    /// When it can't be written.
    #[must_use]
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        self.files.write(name, text)
    }

    /// Stops it as an operator does: connections are ended, and all is written.
    ///
    /// # Panics
    ///
    /// When it still runs after 30 seconds.
    pub async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            kill_process(pid(process.pid()), Signal::INT).expect("the server takes a signal");
            process.finished(Instant::now()).await;
        }
    }

    /// Ends all its processes at once, as a crash does.
    ///
    /// # Panics
    ///
    /// When one is still there after 30 seconds.
    pub async fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        // While it is stopped it starts no other.
        let family = self::family(process.pid());
        signal(&family, Signal::STOP);
        let family = self::family(process.pid());
        signal(&family, Signal::KILL);
        process.finished(Instant::now()).await;
        let gone = poll(PATIENCE, async || family.iter().all(|pid| !is_running(*pid)).then_some(()));
        assert!(gone.await.is_some(), "a process of the server's outlived SIGKILL by {PATIENCE:?}");
    }

    /// Stops all its processes in their tracks (SIGSTOP), until [`resume`](Self::resume). Connections stay open.
    ///
    /// # Panics
    ///
    /// When it doesn't run.
    pub fn pause(&self) {
        let main = self.process.as_ref().expect("the server runs").pid();
        signal(&[main], Signal::STOP);
        signal(&family(main), Signal::STOP);
    }

    /// Lets it go on after [`pause`](Self::pause).
    ///
    /// # Panics
    ///
    /// When it doesn't run.
    pub fn resume(&self) {
        signal(&family(self.process.as_ref().expect("the server runs").pid()), Signal::CONT);
    }

    /// Starts it again on the same port with the same data, after stopping it if it runs.
    ///
    /// # Panics
    ///
    /// When it doesn't answer within 30 seconds.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.launch(Some(self.port)).await;
    }

    /// Starts it on `port`, or on a free one.
    async fn launch(&mut self, port: Option<u16>) {
        // Between the look for a free port and the start another process may take it.
        let started = Instant::now();
        loop {
            self.port = port.unwrap_or_else(free_port);
            let mut process = Process::start(&self.files.postgres(self.port, &self.settings));
            match is_ready(self.port, &mut process).await {
                Some(true) => {
                    self.process = Some(process);
                    return;
                }
                Some(false) if started.elapsed() < PATIENCE => {}
                _ => panic!("PostgreSQL does not start on port {}{process}", self.port),
            }
        }
    }
}

/// Where one of PostgreSQL's programs is; Debian keeps the versions apart, and the newest is taken.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin").join(name)))
        })
        .filter(|(_, path)| path.is_file())
        .max();
    let package = if matches!(name, "psql" | "pg_isready") { "postgresql-client-15" } else { "postgresql-15" };
    newest.map_or_else(|| panic!("{name} is not installed: it is in Debian's package {package}"), |(_, path)| path)
}

/// Whether the process serves on its port; false where it has ended instead, `None` where it does neither for too long.
pub(crate) async fn is_ready(port: u16, process: &mut Process) -> Option<bool> {
    let mut ready = Command::new(program("pg_isready"));
    ready.args(["--quiet", "--host=127.0.0.1", &format!("--port={port}")]);
    let answer = poll(PATIENCE, async || {
        if process.has_ended() {
            return Some(false);
        }
        run(&mut ready).await.status.success().then_some(true)
    });
    answer.await
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on 127.0.0.1");
    listener.local_addr().expect("a listener has an address").port()
}

pub(crate) fn pid(id: u32) -> Pid {
    i32::try_from(id).ok().and_then(Pid::from_raw).expect("a process id")
}

/// A process and its children: each connection has one, in a process group of its own.
fn family(main: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| *id == main || stat(*id).is_some_and(|(_, parent)| parent == main)).collect()
}

/// Whoever has ended in the meantime needs no signal.
fn signal(processes: &[u32], signal: Signal) {
    for id in processes {
        let _ = kill_process(pid(*id), signal);
    }
}

fn is_running(id: u32) -> bool {
    // In a container whose first process waits for nobody the dead stay as zombies.
    stat(id).is_some_and(|(state, _)| state != 'Z')
}

/// A process's state and its parent.
fn stat(id: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name before it, in parentheses, may have any character.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
