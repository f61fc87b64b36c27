//! A thread that owns a connection and works through what it is handed.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::error::{Kind, SqliteError};

/// Hands jobs to a thread of its own, in order. Dropping it waits until the thread has done them all and has closed
/// the connection.
pub(crate) struct Worker<J> {
    jobs: Option<Sender<J>>,
    thread: Option<JoinHandle<()>>,
}

/// A job that reads.
pub(crate) type Read = Box<dyn FnOnce(&Connection) + Send>;

impl<J: Send + 'static> Worker<J> {
    /// Opens a connection on a new thread, and has `work` use it until there are no more jobs.
    pub(crate) async fn start(
        path: &Path,
        open: impl FnOnce() -> Result<Connection, SqliteError> + Send + 'static,
        work: impl FnOnce(Connection, &Receiver<J>) + Send + 'static,
    ) -> Result<Self, SqliteError> {
        let (jobs, queue) = mpsc::channel();
        let (opened, whether_opened) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("lastseen-sqlite".into())
            .spawn(move || match open() {
                Ok(connection) => {
                    // Nobody waits any more where the opening was given up: the queue is closed then.
                    let _ = opened.send(Ok(()));
                    work(connection, &queue);
                }
                Err(error) => {
                    let _ = opened.send(Err(error));
                }
            })
            .map_err(|error| SqliteError::io(path, format!("no thread for {}", path.display()), error))?;
        let worker = Self { jobs: Some(jobs), thread: Some(thread) };
        whether_opened.await.map_err(|_| ended(path))??;
        Ok(worker)
    }

    /// Puts a job into the queue. Where the thread has ended the job is dropped, and the answer that it holds with it.
    pub(crate) fn hand(&self, job: J) {
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(job);
        }
    }
}

impl Worker<Read> {
    /// What a thread that reads does.
    #[allow(clippy::needless_pass_by_value, reason = "the connection is to be closed when the work ends")]
    pub(crate) fn read_all(connection: Connection, queue: &Receiver<Read>) {
        for read in queue {
            read(&connection);
        }
    }

    /// Lets `read` have the connection, and gives back its answer.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        path: &Path,
        doing: &str,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, SqliteError> {
        let (done, answer) = oneshot::channel();
        self.hand(Box::new(move |connection| {
            // Whoever asked may have gone.
            let _ = done.send(read(connection));
        }));
        let answer = answer.await.map_err(|_| ended(path))?;
        answer.map_err(|error| SqliteError::sqlite(path, doing, error))
    }
}

/// The thread is gone: it panicked.
pub(crate) fn ended(path: &Path) -> SqliteError {
    SqliteError::new(Kind::Other, path, format!("the thread that served {} has ended: open it again", path.display()))
}

impl<J> Drop for Worker<J> {
    fn drop(&mut self) {
        self.jobs = None;
        // The last handle may be dropped by a task that the thread itself has woken: it can't wait for itself.
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != std::thread::current().id()) {
            // A panic there has been reported by its own hook.
            let _ = thread.join();
        }
    }
}
