//! Connections to the server: a few, made when they are needed, each question bounded in time.

use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult, Timeouts};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::error::{Kind, PostgresError, is_no_answer};
use super::target::{Target, Wire};
use crate::store::gate::Gate;

/// How many connections, and for how long to wait for them and on them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub connections: usize,
    pub connect_timeout: Duration,
    pub statement_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 4, connect_timeout: Duration::from_secs(5), statement_timeout: Duration::from_secs(5) }
    }
}

/// A value and its type, which is sent along: so a statement needs no preparation of its own, which behind a pooler might
/// end up on another connection than its use.
pub(crate) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// A clone is the same pool.
#[derive(Clone)]
pub(crate) struct Pool {
    pool: managed::Pool<Connector>,
    pub(super) statement_timeout: Duration,
}

pub(super) struct Connector {
    target: Arc<Target>,
    connect_timeout: Duration,
    gate: Gate<PostgresError>,
}

pub(super) struct Connection {
    pub client: Client,
    task: JoinHandle<()>,
}

impl Pool {
    pub(crate) fn new(target: Arc<Target>, limits: Limits) -> Result<Self, PostgresError> {
        let connector = Connector { target, connect_timeout: limits.connect_timeout, gate: Gate::new() };
        let timeouts = Timeouts { wait: Some(limits.statement_timeout), create: None, recycle: None };
        let pool = managed::Pool::builder(connector)
            .max_size(limits.connections)
            .timeouts(timeouts)
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| PostgresError::new(Kind::Other, "no pool of connections can be made").because(error))?;
        Ok(Self { pool, statement_timeout: limits.statement_timeout })
    }

    pub(super) fn target(&self) -> &Target {
        &self.pool.manager().target
    }

    pub(super) fn statement_timeout(&self) -> Duration {
        self.statement_timeout
    }

    /// A connection beside the pool's, made when theirs may be made.
    pub(super) async fn connect(&self) -> Result<(Client, Wire), PostgresError> {
        self.pool.manager().connect().await
    }

    /// Notes that a connection beside the pool's was lost.
    pub(super) fn lost(&self) {
        self.pool.manager().gate.lost();
    }

    /// Ends the connections that nobody uses now: they may lead to a server whose place another has taken.
    pub(super) fn end_idle(&self) {
        self.pool.retain(|_, _| false);
    }

    /// Asks one statement, which is a transaction by itself. It is sent and answered in one round.
    pub(crate) async fn query(&self, doing: &str, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, PostgresError> {
        let connection = self.connection(doing).await?;
        match timeout(self.statement_timeout, connection.client.query_typed(sql, params)).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => Err(self.failed(doing, connection, error)),
            Err(_) => Err(self.give_up(doing, connection, self.statement_timeout)),
        }
    }

    /// What became of a statement on a connection, which is let go of where another might do better.
    pub(super) fn failed(
        &self,
        doing: &str,
        connection: Object<Connector>,
        error: tokio_postgres::Error,
    ) -> PostgresError {
        let is_lost = is_no_answer(&error);
        let error = self.target().failed(doing, error);
        // Where it takes no writes, another connection may lead to a server that was promoted meanwhile.
        if is_lost || error.is_read_only() {
            drop(Object::take(connection));
            self.pool.manager().gate.lost();
        }
        error
    }

    /// A connection for more than one statement.
    pub(super) async fn connection(&self, doing: &str) -> Result<Object<Connector>, PostgresError> {
        self.pool.get().await.map_err(|error| {
            if let PoolError::Backend(error) = error {
                return error;
            }
            let message = format!(
                "{} is busy: none of its {} connections got free within {:?} for {doing}",
                self.target(),
                self.pool.status().max_size,
                self.statement_timeout
            );
            PostgresError::new(Kind::Unavailable, message)
        })
    }

    /// Ends a connection that gave no answer in time, and the statement with it: without that each further try would
    /// leave one more waiting in the server.
    pub(super) fn give_up(&self, doing: &str, connection: Object<Connector>, after: Duration) -> PostgresError {
        let Connection { client, task } = Object::take(connection);
        // What lies idle has been open for as long, and may be as dead.
        self.end_idle();
        let connector = self.pool.manager();
        connector.gate.lost();
        let (target, connect_timeout) = (connector.target.clone(), connector.connect_timeout);
        tokio::spawn(async move {
            // Where this fails too, nobody is there to be told.
            let _ = timeout(connect_timeout, client.cancel_token().cancel_query(target.tls.clone())).await;
            task.abort();
        });
        self.target().silent(doing, after)
    }
}

impl Connector {
    async fn connect(&self) -> Result<(Client, Wire), PostgresError> {
        self.gate.pass(Box::pin(self.target.connect(self.connect_timeout))).await
    }
}

impl managed::Manager for Connector {
    type Type = Connection;
    type Error = PostgresError;

    async fn create(&self) -> Result<Connection, PostgresError> {
        let (client, wire) = self.connect().await?;
        let task = tokio::spawn(async move {
            if let Err(error) = wire.await {
                tracing::debug!(%error, "a connection to PostgreSQL ended");
            }
        });
        Ok(Connection { client, task })
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<PostgresError> {
        if connection.client.is_closed() {
            self.gate.lost();
            return Err(RecycleError::message("closed"));
        }
        Ok(())
    }
}
