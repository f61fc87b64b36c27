//! One server: a connection to it, made when it is needed, on which each exchange is bounded in time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Cmd, Pipeline, Value, cmd};
use parking_lot::Mutex;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::answer;
use super::error::{Kind, RedisError};
use super::target::{Address, Shape, Target};
use crate::store::gate::Gate;

/// The least version that has what the scripts use: flags, and stream ids made half by the server.
const LEAST: u32 = 7;

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub connect_timeout: Duration,
    pub timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(5), timeout: Duration::from_secs(5) }
    }
}

/// What a server is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Role {
    Data,
    Sentinel,
}

pub(super) struct Node {
    pub address: Address,
    role: Role,
    target: Arc<Target>,
    limits: Limits,
    gate: Gate<RedisError>,
    live: Mutex<Option<Arc<Live>>>,
}

/// A connection, on which any number of exchanges may be under way.
pub(super) struct Live {
    connection: MultiplexedConnection,
    driver: JoinHandle<()>,
    /// The server's run, and the history of its data: another where others may be lacking what it had acknowledged.
    pub lineage: Arc<str>,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Node {
    pub(super) fn new(address: Address, role: Role, target: Arc<Target>, limits: Limits) -> Self {
        Self { address, role, target, limits, gate: Gate::new(), live: Mutex::new(None) }
    }

    /// Whether there is a connection, as far as is known.
    pub(super) fn is_connected(&self) -> bool {
        self.live.lock().as_ref().is_some_and(|live| !live.driver.is_finished())
    }

    /// The connection, which is made where there is none: in that case it may take as long as the gate and the connection's
    /// own limit let it.
    pub(super) async fn connection(&self) -> Result<Arc<Live>, RedisError> {
        if let Some(live) = self.usable() {
            return Ok(live);
        }
        let attempt = Box::pin(async {
            // Who waited for another's attempt finds what came of it.
            if let Some(live) = self.usable() {
                return Ok(live);
            }
            let live = Arc::new(self.connect().await?);
            *self.live.lock() = Some(live.clone());
            Ok(live)
        });
        self.gate.pass(attempt).await
    }

    /// Sends commands together and returns what the server says to each. Where it says nothing the connection is dropped.
    pub(super) async fn exchange(
        &self,
        live: &Arc<Live>,
        doing: &str,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, RedisError> {
        let count = pipeline.len();
        let mut connection = live.connection.clone();
        let error = match timeout(self.limits.timeout, connection.send_packed_commands(pipeline, 0, count)).await {
            Ok(Ok(answers)) if answers.len() == count => return Ok(answers),
            Ok(Ok(_)) => {
                RedisError::new(Kind::Other, format!("Redis at {} answered something else while {doing}", self.address))
            }
            Ok(Err(error)) => {
                let message = format!("Redis at {} gave no answer while {doing}", self.address);
                RedisError::new(Kind::Unavailable, message).because(error)
            }
            Err(_) => {
                let message =
                    format!("Redis at {} gave no answer within {:?} while {doing}", self.address, self.limits.timeout);
                RedisError::new(Kind::Unavailable, message)
            }
        };
        self.lost(live);
        Err(error)
    }

    /// Asks one command, and an error for an answer is an error.
    pub(super) async fn ask(&self, doing: &str, command: &Cmd) -> Result<Value, RedisError> {
        let live = self.connection().await?;
        let mut pipeline = Pipeline::with_capacity(1);
        pipeline.add_command(command.clone());
        match self.exchange(&live, doing, &pipeline).await?.pop() {
            Some(Value::ServerError(error)) => Err(self.target.failed(&self.address, doing, error)),
            answer => Ok(answer.unwrap_or(Value::Nil)),
        }
    }

    /// Drops a connection that is of no use any more, unless another has been made since.
    pub(super) fn lost(&self, live: &Arc<Live>) {
        let mut current = self.live.lock();
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, live)) {
            *current = None;
            self.gate.lost();
        }
    }

    fn usable(&self) -> Option<Arc<Live>> {
        let mut live = self.live.lock();
        if live.as_ref().is_some_and(|live| live.driver.is_finished()) {
            *live = None;
            self.gate.lost();
        }
        live.clone()
    }

    /// Within the limit, the two steps together; which of them takes too long tells what may be wrong.
    async fn connect(&self) -> Result<Live, RedisError> {
        let within = self.limits.connect_timeout;
        let deadline = Instant::now() + within;
        let late = |what: &str| {
            let message = format!("Redis at {} can't be reached: {what} {within:?}", self.address);
            RedisError::new(Kind::Unavailable, message)
        };
        let stream = timeout_at(deadline, self.dial()).await.map_err(|_| late("no connection within"))??;
        let silent = if self.target.tls.is_some() {
            "it has no TLS (write redis instead of rediss in the URL), or doesn't answer: nothing within"
        } else {
            "it takes the connection and doesn't answer within"
        };
        timeout_at(deadline, self.greet(stream)).await.map_err(|_| late(silent))?
    }

    async fn dial(&self) -> Result<TcpStream, RedisError> {
        let Address { host, port } = &self.address;
        let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(|error| self.unreachable(error))?;
        stream.set_nodelay(true).map_err(|error| self.unreachable(error))?;
        Ok(stream)
    }

    async fn greet(&self, stream: TcpStream) -> Result<Live, RedisError> {
        let login = match self.role {
            Role::Data => &self.target.login,
            Role::Sentinel => &self.target.sentinel_login,
        };
        // The limits are ours.
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
        let refused = |error| self.target.refused(&self.address, error);
        let (connection, driver) = if let Some(tls) = &self.target.tls {
            let name = ServerName::try_from(self.address.host.clone())
                .map_err(|error| self.unreachable(io::Error::other(error)))?;
            let stream = tls.connect(name, stream).await.map_err(|error| self.unreachable(error))?;
            let made = MultiplexedConnection::new_with_config(login, stream, config).await;
            made.map(|(connection, driver)| (connection, tokio::spawn(driver))).map_err(refused)?
        } else {
            let made = MultiplexedConnection::new_with_config(login, stream, config).await;
            made.map(|(connection, driver)| (connection, tokio::spawn(driver))).map_err(refused)?
        };
        let mut live = Live { connection, driver, lineage: "".into() };
        if self.role == Role::Data {
            live.lineage = self.introduce(&mut live.connection).await?;
        }
        Ok(live)
    }

    /// Chooses the database, and makes sure that it is a server that can be worked with. Says which.
    async fn introduce(&self, connection: &mut MultiplexedConnection) -> Result<Arc<str>, RedisError> {
        let mut pipeline = Pipeline::with_capacity(3);
        for section in ["server", "replication"] {
            pipeline.cmd("INFO").arg(section);
        }
        if self.target.database != 0 {
            pipeline.cmd("SELECT").arg(self.target.database);
        }
        let answers = connection.send_packed_commands(&pipeline, 0, pipeline.len()).await;
        let mut info = String::new();
        for answer in answers.map_err(|error| self.target.refused(&self.address, error))? {
            match answer {
                Value::ServerError(error) if answer::is_plain(&error) => {
                    let message = format!("Redis at {} has no database {}", self.address, self.target.database);
                    return Err(RedisError::new(Kind::Invalid, message).because(error));
                }
                Value::ServerError(error) => return Err(self.target.refused(&self.address, error.into())),
                answer => info.push_str(answer::text(&answer).unwrap_or_default()),
            }
        }
        self.judge(&info)
    }

    /// Whether it is a server that can be worked with, by what it says of itself; and which.
    fn judge(&self, info: &str) -> Result<Arc<str>, RedisError> {
        let of =
            |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default();
        let version = of("redis_version");
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        if major.is_none_or(|major| major < LEAST) {
            let message =
                format!("Redis at {} is version {version:?}: it must be at least 7.0, or a Valkey", self.address);
            return Err(RedisError::new(Kind::TooOld, message));
        }
        // A Valkey has it under a name of its own.
        let is_cluster = [of("redis_mode"), of("server_mode")].contains(&"cluster");
        if is_cluster != (self.target.shape == Shape::Cluster) {
            let what = if is_cluster {
                "is part of a Cluster: write redis+cluster://, or rediss+cluster:// for TLS"
            } else {
                "is no part of a Cluster: write redis://, or rediss:// for TLS"
            };
            return Err(RedisError::new(Kind::Mismatch, format!("Redis at {} {what}", self.address)));
        }
        if matches!(self.target.shape, Shape::Sentinel(_)) && of("role") != "master" {
            let message =
                format!("Redis at {} is a replica, and the Sentinels call it the primary still", self.address);
            return Err(RedisError::new(Kind::ReadOnly, message));
        }
        Ok(format!("{}/{}", of("run_id"), of("master_replid")).into())
    }

    fn unreachable(&self, error: io::Error) -> RedisError {
        let of_tls = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
        let (kind, what) = match of_tls {
            Some(rustls::Error::InvalidMessage(_)) => {
                (Kind::Other, "speaks no TLS at this port: name another, or write redis instead of rediss in the URL")
            }
            Some(_) => (Kind::Other, "has no certificate that is trusted for it: name the right ones by cacert=FILE"),
            None if self.target.tls.is_some() => (Kind::Unavailable, "can't be reached by TLS"),
            None => (Kind::Unavailable, "can't be reached"),
        };
        RedisError::new(kind, format!("Redis at {} {what}", self.address)).because(error)
    }
}

/// What a command is sent as where it was redirected for once.
pub(super) fn asking() -> Cmd {
    cmd("ASKING")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a server that says this of itself.
    fn judged(url: &str, info: &str) -> Result<Arc<str>, RedisError> {
        let target = Arc::new(Target::new(url).unwrap());
        Node::new(target.addresses[0].clone(), Role::Data, target, Limits::default()).judge(info)
    }

    #[test]
    fn a_cluster_is_known_by_what_redis_and_valkey_call_it() {
        const REST: &str = "role:master\r\nrun_id:a\r\nmaster_replid:b\r\n";
        for (name, others) in [("redis_mode", ""), ("server_mode", "server_name:valkey\r\nvalkey_version:8.0.1\r\n")] {
            let info = |mode: &str| format!("redis_version:7.2.4\r\n{others}{name}:{mode}\r\n{REST}");
            assert_eq!(judged("redis+cluster://a", &info("cluster")).unwrap().as_ref(), "a/b");
            assert_eq!(judged("redis://a", &info("standalone")).unwrap().as_ref(), "a/b");
            assert!(judged("redis://a", &info("cluster")).unwrap_err().is_mismatch());
            assert!(judged("redis+cluster://a", &info("standalone")).unwrap_err().is_mismatch());
        }
        assert!(judged("redis://a", "redis_version:6.2.14\r\n").unwrap_err().is_too_old());
    }
}
