//! The wake-up: a connection on which the server tells when another process has written.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_postgres::{AsyncMessage, Client};

use super::error::{Kind, PostgresError};
use super::names::quoted;
use super::pool::Pool;

const DOING: &str = "listening for others' writes";

/// How long after an attempt to listen the next is made at the earliest.
const AGAIN: Duration = Duration::from_secs(5);

/// The same, where a pooler has been found in between.
const AGAIN_BY_A_POOLER: Duration = Duration::from_hours(1);

/// How often it is made sure that the connection is still there. A network that forgets it tells nobody.
const ALIVE: Duration = Duration::from_secs(30);

/// By how much the clocks of this machine and the server's may differ over the making of a connection.
const DRIFT: Duration = Duration::from_millis(5);

/// Listens from the first time that somebody waits, until it is dropped.
pub(super) struct Listener {
    heard: Arc<Notify>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Listener {
    pub(super) fn new() -> Self {
        Self { heard: Arc::default(), task: Mutex::new(None) }
    }

    /// Waits until another than `origin` has written. What was told since the last wait counts too.
    pub(super) async fn changed(&self, pool: &Pool, table: &str, origin: i64) {
        {
            let mut task = self.task.lock();
            // With the runtime that it ran on the task has ended too.
            if task.as_ref().is_none_or(JoinHandle::is_finished) {
                let (pool, heard) = (pool.clone(), self.heard.clone());
                *task = Some(tokio::spawn(listen(pool, quoted(table), origin.to_string(), heard)));
            }
        }
        self.heard.notified().await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut() {
            task.abort();
        }
    }
}

/// Listens for as long as it can, again and again.
async fn listen(pool: Pool, channel: String, origin: String, heard: Arc<Notify>) {
    loop {
        let begun = Instant::now();
        let pause = match hear(&pool, &channel, &origin, &heard).await {
            Ok(Pooler) => {
                tracing::info!("a pooler sits before PostgreSQL: other processes are followed at the interval alone");
                AGAIN_BY_A_POOLER
            }
            Err(error) => {
                tracing::debug!(%error, "others' writes are not told of for now");
                AGAIN
            }
        };
        sleep_until(begun + pause).await;
    }
}

/// A pooler lends connections out for a transaction at a time: what one listens for is told to whoever has it next.
struct Pooler;

/// Notifies of each batch that another handle wrote, until the connection ends.
async fn hear(pool: &Pool, channel: &str, origin: &str, heard: &Notify) -> Result<Pooler, PostgresError> {
    let begun = Instant::now();
    let (client, mut connection) = pool.connect().await?;
    let told = async {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            match message.map_err(|error| pool.target().failed(DOING, error))? {
                AsyncMessage::Notification(told) if told.payload() != origin => heard.notify_one(),
                _ => {}
            }
        }
        Err(PostgresError::new(Kind::Unavailable, format!("{} ended the connection while {DOING}", pool.target())))
    };
    let asked = async {
        let (process, age) = whose(pool, &client).await?;
        if age > begun.elapsed() + DRIFT {
            return Ok(Pooler);
        }
        ask(pool, client.batch_execute(&format!("LISTEN {channel}"))).await?;
        // Of what was written before, nobody was told.
        heard.notify_one();
        loop {
            sleep(ALIVE).await;
            if whose(pool, &client).await?.0 != process {
                return Ok(Pooler);
            }
        }
    };
    let outcome = tokio::select! {
        outcome = told => outcome,
        outcome = asked => outcome,
    };
    if outcome.is_err() {
        pool.lost();
    }
    outcome
}

/// Which of the server's processes serves the connection, and for how long already.
async fn whose(pool: &Pool, client: &Client) -> Result<(i32, Duration), PostgresError> {
    let row = ask(pool, client.query_typed_one(include_str!("../sql/postgres/listener.sql"), &[])).await?;
    let failed = |error| pool.target().failed(DOING, error);
    let age: i64 = row.try_get(1).map_err(failed)?;
    Ok((row.try_get(0).map_err(failed)?, Duration::from_micros(u64::try_from(age).unwrap_or(0))))
}

async fn ask<T>(
    pool: &Pool,
    question: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, PostgresError> {
    let within = pool.statement_timeout();
    if let Ok(answer) = timeout(within, question).await {
        return answer.map_err(|error| pool.target().failed(DOING, error));
    }
    let message = format!("{} gave no answer within {within:?} while {DOING}", pool.target());
    Err(PostgresError::new(Kind::Unavailable, message))
}
