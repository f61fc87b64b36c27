//! A real PgBouncer in front of a PostgreSQL server, in transaction mode.

use std::fs;
use std::time::Instant;

use tempfile::TempDir;

use crate::debian;
use crate::patience::PATIENCE;
use crate::postgres::{Owner, Postgres, free_port, is_ready};
use crate::process::Process;

/// A running PgBouncer that lends each of its clients one of two connections to the server, for a transaction at a time.
///
/// It ends with this value, and with the test's process.
#[derive(Debug)]
pub struct PgBouncer {
    // Dropped in this order: nobody reads the files when they are removed.
    _process: Process,
    _files: TempDir,
    port: u16,
}

impl PgBouncer {
    /// Starts one in front of `server`.
    ///
    /// # Panics
    ///
    /// When PgBouncer isn't there, or doesn't answer within 30 seconds.
    pub async fn start(server: &Postgres) -> Self {
        let files = tempfile::tempdir().expect("a directory for PgBouncer");
        let owner = Owner::find();
        owner.hand_over(files.path());
        let settings = files.path().join("pgbouncer.ini");
        let started = Instant::now();
        loop {
            let port = free_port();
            let text = format!(
                "[databases]\n* = host=127.0.0.1 port={} user=postgres\n\
                 [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
                 auth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n",
                server.port()
            );
            fs::write(&settings, text).expect("a file in one's own directory can be written");
            owner.hand_over(&settings);
            let mut process = Process::start(owner.command(&debian::program("pgbouncer")).arg(&settings));
            match is_ready(port, &mut process).await {
                Some(true) => return Self { _process: process, _files: files, port },
                // Another process may have taken the port meanwhile.
                Some(false) if started.elapsed() < PATIENCE => {}
                _ => panic!("PgBouncer does not start on port {port}{process}"),
            }
        }
    }

    /// The URL of a database by this way.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}
