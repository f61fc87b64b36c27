//! The directory of a PostgreSQL server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::owner::Owner;
use super::program;
use crate::process::run;

/// A directory with an initialised database in `data`.
#[derive(Debug)]
pub(super) struct Files {
    directory: TempDir,
    owner: Owner,
}

impl Files {
    pub(super) async fn create() -> Self {
        let arguments = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"];
        Self::filled_by("initdb", &arguments).await
    }

    /// A copy of what the server at this URL has, set up to follow it.
    pub(super) async fn copy(url: &str) -> Self {
        let server = format!("--dbname={url}");
        Self::filled_by("pg_basebackup", &[&server, "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]).await
    }

    async fn filled_by(name: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory for PostgreSQL");
        let files = Self { directory, owner: Owner::find() };
        files.owner.hand_over(files.directory());
        let mut command = files.owner.command(&program(name));
        command.args(arguments).arg(format!("--pgdata={}", files.data().display()));
        let finished = run(&mut command).await;
        assert!(finished.status.success(), "{name}: {}{}", finished.stdout, finished.stderr);
        files
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn data(&self) -> PathBuf {
        self.directory().join("data")
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.data().join(name);
        fs::write(&path, text).unwrap_or_else(|error| panic!("can't write {}: {error}", path.display()));
        // A private key may be read by its owner alone, or the server refuses it.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("one's own file's mode can be set");
        self.owner.hand_over(&path);
        path
    }

    /// The server itself. What is set here stays in force over its own files.
    pub(super) fn postgres(&self, port: u16, settings: &[String]) -> Command {
        let mut postgres = self.owner.command(&program("postgres"));
        postgres.arg("-D").arg(self.data());
        let socket = format!("unix_socket_directories={}", self.directory().display());
        let port = format!("port={port}");
        let ours = ["listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off", &port, &socket];
        for setting in ours.into_iter().chain(settings.iter().map(String::as_str)) {
            postgres.args(["-c", setting]);
        }
        postgres
    }
}
