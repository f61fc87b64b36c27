//! A Redis primary and its replica, watched by a Sentinel.

use std::fs;
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;

use crate::patience::{PATIENCE, poll};
use crate::postgres::free_port;
use crate::process::{Process, run};

use super::{Redis, cli, server};

/// A primary called `main`, a replica, and one running Sentinel, which has the replica take over a second after the primary is
/// lost.
#[derive(Debug)]
pub struct RedisSentinel {
    // Dropped in this order: nobody writes to the files when they are removed.
    _process: Process,
    _files: TempDir,
    port: u16,
    /// In the beginning the first is the primary.
    pub servers: [Redis; 2],
}

impl RedisSentinel {
    /// Starts them.
    ///
    /// # Panics
    ///
    /// When Redis isn't installed, or they don't know each other within 30 seconds.
    pub async fn start() -> Self {
        let primary = Redis::start().await;
        let replica = Redis::with(&[&format!("replicaof 127.0.0.1 {}", primary.port())]).await;
        let files = tempfile::tempdir().expect("a directory for Sentinel");
        let settings = files.path().join("sentinel.conf");
        let started = Instant::now();
        loop {
            let port = free_port();
            let text = format!(
                "bind 127.0.0.1\nport {port}\ndir {}\nsentinel monitor main 127.0.0.1 {} 1\n\
                 sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 5000\n",
                files.path().display(),
                primary.port()
            );
            fs::write(&settings, text).expect("a file in one's own directory can be written");
            let mut process = Process::start(Command::new(server(files.path())).arg(&settings).arg("--sentinel"));
            let knows = poll(PATIENCE, async || {
                if process.has_ended() {
                    return Some(false);
                }
                let replicas = run(cli(port).args(["SENTINEL", "REPLICAS", "main"])).await.stdout;
                (replicas.contains(&replica.port().to_string()) && replicas.contains("master-link-status\nok"))
                    .then_some(true)
            });
            match knows.await {
                Some(true) => return Self { _process: process, _files: files, port, servers: [primary, replica] },
                // Another process may have taken the port meanwhile.
                Some(false) if started.elapsed() < PATIENCE => {}
                _ => panic!("Sentinel does not start on port {port}{process}"),
            }
        }
    }

    /// The port of the server that the Sentinel says is the primary.
    ///
    /// # Panics
    ///
    /// When it says none.
    pub async fn primary(&self) -> u16 {
        let address = run(cli(self.port).args(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"])).await.stdout;
        address.lines().nth(1).and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("no primary: {address}"))
    }

    /// The URL, by way of the Sentinel.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/main", self.port)
    }
}
