//! A database server of our own, in a temporary folder and on a socket there: it ends with the run.

use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind};
use std::iter;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

/// For how long a server may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
pub struct Server {
    // Ends before its folder goes.
    running: Running,
    folder: TempDir,
}

struct Running {
    child: Child,
    /// Asks it to end at once.
    stop: Signal,
}

impl Server {
    /// Redis, with nothing kept on disk; at this port as well, unless it is 0.
    pub fn redis(port: u16) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let mut redis = bound("redis-server", "KILL", None);
        redis
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no", "--dir"])
            .arg(folder.path());
        redis.arg("--unixsocket").arg(folder.path().join("redis.sock"));
        start(redis, Signal::KILL, folder)
    }

    /// PostgreSQL with its own settings, each commit on disk.
    pub fn postgres() -> Result<Self, Box<dyn Error>> {
        let programs = postgres_programs()?;
        let folder = tempfile::tempdir()?;
        // It refuses to run as root; its package makes a user for it.
        let user = if geteuid().is_root() { Some("postgres") } else { None };
        if user.is_some() {
            let (uid, gid) = postgres_user()?;
            chown(folder.path(), Some(uid), Some(gid))?;
        }
        let data = folder.path().join("data");
        let mut initdb = bound(programs.join("initdb"), "KILL", user);
        initdb.arg("--pgdata").arg(&data).args(["--username", "bench", "--auth", "trust", "--encoding", "UTF8"]);
        let made = initdb.args(["--locale", "C"]).stdin(Stdio::null()).output()?;
        if !made.status.success() {
            return Err(format!("initdb ended with {}: {}", made.status, String::from_utf8_lossy(&made.stderr)).into());
        }
        let mut postgres = bound(programs.join("postgres"), "INT", user);
        postgres.arg("-D").arg(&data).arg("-k").arg(folder.path()).args(["-c", "listen_addresses="]);
        start(postgres, Signal::INT, folder)
    }

    /// nginx, one process of it, with what `settings` makes of its folder.
    pub fn nginx(settings: impl FnOnce(&Path) -> String) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("nginx.conf");
        fs::write(&file, settings(folder.path()))?;
        let mut nginx = bound(nginx_program(), "KILL", None);
        nginx.args(["-e", "stderr", "-p"]).arg(folder.path()).arg("-c").arg(file);
        start(nginx, Signal::KILL, folder)
    }

    /// How long its one thread has worked so far.
    pub fn worked(&self) -> io::Result<Duration> {
        let text = fs::read_to_string(format!("/proc/{}/schedstat", self.running.child.id()))?;
        let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
        nanos.map(Duration::from_nanos).ok_or_else(|| io::Error::other(format!("{text:?} does not tell how long")))
    }

    /// What `connect` makes, as soon as the server is up.
    pub fn connect<T, E: Error + 'static>(
        &mut self,
        connect: impl Fn(&Path) -> Result<T, E>,
    ) -> Result<T, Box<dyn Error>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let error = match connect(self.folder.path()) {
                Ok(connection) => return Ok(connection),
                Err(error) => error,
            };
            if let Some(status) = self.running.child.try_wait()? {
                return Err(format!("the server ended with {status} before it answered").into());
            }
            if Instant::now() > deadline {
                return Err(error.into());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A port that nobody listens at.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A command that the kernel ends with this process, in whatever way that goes.
fn bound(program: impl AsRef<Path>, signal: &str, user: Option<&str>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", signal]);
    if let Some(user) = user {
        command.args(["--reuid", user, "--regid", user, "--clear-groups"]);
    }
    command.arg("--").arg(program.as_ref());
    command
}

fn start(mut command: Command, stop: Signal, folder: TempDir) -> Result<Server, Box<dyn Error>> {
    // Its working directory must be one that its user may enter.
    command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(Server { running: Running { child: command.spawn()?, stop }, folder })
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = kill_process(Pid::from_child(&self.child), self.stop);
        let _ = self.child.wait();
    }
}

/// Where Debian puts the newest PostgreSQL's programs, or any on the path.
fn postgres_programs() -> Result<PathBuf, Box<dyn Error>> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&on_path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<PathBuf> = versions.filter_map(|entry| Some(entry.ok()?.path())).collect();
        versions.sort_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
        folders.extend(versions.into_iter().rev().map(|version| version.join("bin")));
    }
    let found = folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file());
    found.ok_or_else(|| missing("PostgreSQL", "postgresql", "postgres"))
}

/// Fails where a server that is to be measured isn't installed, before anything is measured.
pub fn check_redis() -> Result<(), Box<dyn Error>> {
    match Command::new("redis-server").arg("--version").output() {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(missing("redis-server", "redis-server", "redis")),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

/// The same for the other one.
pub fn check_postgres() -> Result<(), Box<dyn Error>> {
    postgres_programs().map(drop)
}

/// The same for nginx, and which it is.
pub fn check_nginx() -> Result<String, Box<dyn Error>> {
    match Command::new(nginx_program()).arg("-v").output() {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(missing("nginx", "nginx", "nginx")),
        Err(error) => Err(error.into()),
        // `nginx version: nginx/1.22.1`
        Ok(said) => Ok(String::from_utf8_lossy(&said.stderr).trim().replace("nginx version: nginx/", "nginx ")),
    }
}

/// Where Debian has it, which is on root's path alone, or where `scripts/test` takes its package apart; else any on the path.
fn nginx_program() -> PathBuf {
    const PROGRAM: &str = "usr/sbin/nginx";
    let here = std::env::current_exe().unwrap_or_default();
    let unpacked = here.ancestors().map(|above| above.join("debian").join(PROGRAM));
    let found = iter::once(Path::new("/").join(PROGRAM)).chain(unpacked).find(|path| path.is_file());
    found.unwrap_or_else(|| "nginx".into())
}

fn missing(program: &str, package: &str, without: &str) -> Box<dyn Error> {
    format!("{program} is missing: install Debian's package {package}, or leave it out by --without {without}").into()
}

/// The user and the group that PostgreSQL's package makes.
fn postgres_user() -> Result<(u32, u32), Box<dyn Error>> {
    let users = std::fs::read_to_string("/etc/passwd")?;
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == "postgres");
    match fields.as_deref() {
        Some([_, _, uid, gid, ..]) => Ok((uid.parse()?, gid.parse()?)),
        _ => {
            Err("there is no user 'postgres', and PostgreSQL does not run as root: install Debian's postgresql".into())
        }
    }
}
