//! A real nginx, with a configuration of the test's own.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;

use crate::debian;
use crate::patience::{PATIENCE, poll};
use crate::postgres::free_port;
use crate::process::Process;

/// A running nginx with one server, on a free port of 127.0.0.1.
///
/// It ends with this value, and with the test's process.
#[derive(Debug)]
pub struct Nginx {
    // Dropped in this order: nobody reads the files when they are removed.
    process: Process,
    _files: TempDir,
    url: String,
}

impl Nginx {
    /// Starts one with these directives in its `http` block and in its `server` block.
    ///
    /// # Panics
    ///
    /// When nginx isn't there, refuses the configuration, or doesn't answer within 30 seconds.
    pub async fn start(http: &str, server: &str) -> Self {
        let files = tempfile::tempdir().expect("a directory for nginx");
        let place = files.path().display();
        let settings = files.path().join("nginx.conf");
        let started = Instant::now();
        loop {
            let port = free_port();
            // One process, which ends when it is killed and leaves no worker behind.
            let text = format!(
                "daemon off;\nmaster_process off;\npid {place}/pid;\nerror_log stderr warn;\n\
                 events {{ worker_connections 256; }}\n\
                 http {{\n\
                 client_body_temp_path {place}/body;\nproxy_temp_path {place}/proxy;\n\
                 fastcgi_temp_path {place}/fastcgi;\nuwsgi_temp_path {place}/uwsgi;\nscgi_temp_path {place}/scgi;\n\
                 access_log off;\n{http}\n\
                 server {{\nlisten 127.0.0.1:{port};\n{server}\n}}\n}}\n"
            );
            fs::write(&settings, text).expect("a file in one's own directory can be written");
            let mut nginx = Command::new(debian::program("nginx"));
            // Before it has read the configuration it would complain to a file of the system's.
            nginx.args(["-e", "stderr", "-p"]).arg(files.path()).arg("-c").arg(&settings);
            let mut process = Process::start(&nginx);
            let answer = poll(PATIENCE, async || {
                let listens = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
                if process.has_ended() { Some(false) } else { listens.then_some(true) }
            });
            match answer.await {
                Some(true) => return Self { process, _files: files, url: format!("http://127.0.0.1:{port}") },
                // Another process may have taken the port meanwhile.
                Some(false) if started.elapsed() < PATIENCE && !is_free(port) => {}
                _ => panic!("nginx does not start on port {port}{process}"),
            }
        }
    }

    /// Where it listens: `http://127.0.0.1:40123`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}

fn is_free(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err()
}
