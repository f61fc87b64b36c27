//! The store a tracker stands on: opened once it answers, and waited for only so long while the tracker starts.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lastseen::store::{Changes, Cursor, KeptSince, Page};
use lastseen::{
    HttpStore, MemoryStore, PostgresStore, Profile, Record, RedisStore, SqliteStore, Store, Timestamp, UserId,
};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::calls::{Calls, Doing};
use crate::failure::Failure;
use crate::object::Object;
use crate::source::Source;

/// How long whoever asks a process's tracker first may have to wait for the store: 1 second. A store that takes longer is
/// read behind the requests.
const PATIENCE: Duration = Duration::from_secs(1);

/// While a tracker starts, everything has to be done by a deadline; once it has, each thing takes as long as it takes.
pub(crate) struct Patience {
    until: Instant,
    started: AtomicBool,
    stopping: AtomicBool,
}

impl Patience {
    /// Begins now; within a runtime.
    pub(crate) fn new() -> Self {
        Self { until: Instant::now() + PATIENCE, started: AtomicBool::new(false), stopping: AtomicBool::new(false) }
    }

    pub(crate) fn end(&self) {
        self.started.store(true, Ordering::Release);
    }

    /// From now on nothing is begun that can do without: asking about a million users would hold the last flush up.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(crate) fn stops(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) async fn wait<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        if self.started.load(Ordering::Acquire) {
            return work.await;
        }
        let in_time = tokio::time::timeout_at(self.until, work).await;
        in_time.unwrap_or_else(|_| Err(Failure::new(format!("there was no answer within {PATIENCE:?} of the start"))))
    }
}

/// One of the stores there are.
pub(crate) enum Opened {
    Memory(MemoryStore),
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
    Redis(RedisStore),
    Http(HttpStore),
    Object(Object),
}

/// Asks whichever store it is, and makes text of its error.
macro_rules! ask {
    ($opened:expr, $store:ident => $question:expr) => {
        match $opened {
            Opened::Memory($store) => $question.await.map_err(|error| Failure::of(&error)),
            Opened::Sqlite($store) => $question.await.map_err(|error| Failure::of(&error)),
            Opened::Postgres($store) => $question.await.map_err(|error| Failure::of(&error)),
            Opened::Redis($store) => $question.await.map_err(|error| Failure::of(&error)),
            Opened::Http($store) => $question.await.map_err(|error| Failure::of(&error)),
            Opened::Object($store) => $question.await,
        }
    };
}

/// The store that a [`Source`] names, and beside it an object of Python's that is given all that the store is given.
pub(crate) struct AtHand {
    pub(crate) source: Source,
    pub(crate) calls: Option<Calls>,
    pub(crate) mirror: Option<Object>,
    pub(crate) opened: OnceCell<Opened>,
    pub(crate) patience: Arc<Patience>,
    pub(crate) fails: Fails,
}

/// What of a store that a URL names fails now. One of Python's is looked after where it is called.
#[derive(Default)]
pub(crate) struct Fails {
    writing: AtomicBool,
    following: AtomicBool,
}

impl AtHand {
    /// Lets the log know of a failure, and of the end of failures.
    fn told<T>(&self, doing: Doing, outcome: Result<T, Failure>) -> Result<T, Failure> {
        let fails = if doing == Doing::Writing { &self.fails.writing } else { &self.fails.following };
        let failure = outcome.as_ref().err();
        if let (Some(calls), None) = (&self.calls, self.source.object())
            && (fails.swap(failure.is_some(), Ordering::AcqRel) || failure.is_some())
        {
            calls.tell(doing, failure);
        }
        outcome
    }

    async fn opened(&self) -> Result<&Opened, Failure> {
        self.opened.get_or_try_init(|| self.source.open(self.calls.as_ref())).await
    }
}

impl Store for AtHand {
    type Error = Failure;

    async fn write(&self, batch: &[Record], now: Timestamp) -> Result<(), Failure> {
        let write = async {
            let written = async { ask!(self.opened().await?, store => store.write(batch, now)) };
            self.told(Doing::Writing, written.await)?;
            // Where this fails both get the batch once more, which makes no difference to the first.
            match &self.mirror {
                Some(mirror) => mirror.write(batch, now).await,
                None => Ok(()),
            }
        };
        self.patience.wait(write).await
    }

    async fn read(&self, user: &UserId) -> Result<Option<Record>, Failure> {
        let read = async {
            let found = ask!(self.opened().await?, store => store.read(user))?;
            match (found, &self.mirror) {
                (None, Some(mirror)) => mirror.read(user).await,
                (found, _) => Ok(found),
            }
        };
        self.patience.wait(read).await
    }

    async fn recent(&self, since: Timestamp, page: Option<&Cursor>) -> Result<Page, Failure> {
        self.patience.wait(async { ask!(self.opened().await?, store => store.recent(since, page)) }).await
    }

    async fn follow(&self, cursor: Option<&Cursor>) -> Result<Changes, Failure> {
        let followed = async { ask!(self.opened().await?, store => store.follow(cursor)) };
        self.patience.wait(async { self.told(Doing::Following, followed.await) }).await
    }

    async fn forget(&self, user: &UserId, at: Timestamp, now: Timestamp) -> Result<(), Failure> {
        ask!(self.opened().await?, store => store.forget(user, at, now))?;
        match &self.mirror {
            Some(mirror) => mirror.forget(user, at, now).await,
            None => Ok(()),
        }
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), Failure> {
        ask!(self.opened().await?, store => store.set_profile(user, profile))
    }

    async fn profiles(&self, users: &[UserId]) -> Result<Vec<(UserId, Profile)>, Failure> {
        self.patience.wait(async { ask!(self.opened().await?, store => store.profiles(users)) }).await
    }

    async fn expire(&self, since: KeptSince, now: Timestamp, page: Option<&Cursor>) -> Result<Option<Cursor>, Failure> {
        let next = ask!(self.opened().await?, store => store.expire(since, now, page))?;
        match (&self.mirror, page) {
            (Some(mirror), None) => mirror.expire(since, now, None).await.map(|_| next),
            _ => Ok(next),
        }
    }

    async fn changed(&self) {
        match self.opened.get() {
            Some(Opened::Sqlite(store)) => store.changed().await,
            Some(Opened::Postgres(store)) => store.changed().await,
            Some(Opened::Redis(store)) => store.changed().await,
            Some(Opened::Http(store)) => store.changed().await,
            Some(Opened::Memory(_) | Opened::Object(_)) | None => std::future::pending().await,
        }
    }

    fn failovers(&self) -> u64 {
        match self.opened.get() {
            Some(Opened::Postgres(store)) => store.failovers(),
            Some(Opened::Redis(store)) => store.failovers(),
            Some(Opened::Http(store)) => store.failovers(),
            _ => 0,
        }
    }
}
