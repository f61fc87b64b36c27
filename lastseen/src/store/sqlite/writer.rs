//! The one thread that writes: what waits at the same time is committed together.

use std::path::Path;
use std::sync::mpsc::Receiver;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use super::error::SqliteError;
use super::worker::{Worker, ended};

/// Something to be done in a transaction, and who waits for its commit.
pub(super) struct Write {
    change: Change,
    done: oneshot::Sender<Result<(), SqliteError>>,
}

type Change = Box<dyn FnOnce(&Connection) -> rusqlite::Result<()> + Send>;

impl Worker<Write> {
    /// Has `change` done; returns once it is committed.
    pub(super) async fn write(
        &self,
        path: &Path,
        change: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), SqliteError> {
        let (done, answer) = oneshot::channel();
        self.hand(Write { change: Box::new(change), done });
        answer.await.map_err(|_| ended(path))?
    }
}

/// What the thread does. Of all who wait together each is answered after the commit, or with the error that undid it.
pub(super) fn write_all(mut connection: Connection, queue: &Receiver<Write>, path: &Path) {
    while let Ok(first) = queue.recv() {
        let (changes, waiting): (Vec<_>, Vec<_>) =
            std::iter::once(first).chain(queue.try_iter()).map(|write| (write.change, write.done)).unzip();
        let outcome = commit(&mut connection, changes).map_err(|error| SqliteError::sqlite(path, "writing", error));
        for done in waiting {
            // Whoever waited may have gone.
            let _ = done.send(outcome.clone());
        }
    }
}

fn commit(connection: &mut Connection, changes: Vec<Change>) -> rusqlite::Result<()> {
    // A transaction that began by reading would be refused, not made to wait, where another process writes meanwhile.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for change in changes {
        change(&transaction)?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A queue with these changes waiting in it, worked through; the answers, in order.
    fn outcomes(connection: Connection, changes: Vec<Change>) -> Vec<Result<(), SqliteError>> {
        let (jobs, queue) = mpsc::channel();
        let answers: Vec<_> = changes
            .into_iter()
            .map(|change| {
                let (done, answer) = oneshot::channel();
                jobs.send(Write { change, done }).unwrap();
                answer
            })
            .collect();
        drop(jobs);
        write_all(connection, &queue, Path::new("/srv/lastseen.db"));
        answers.into_iter().map(|answer| answer.blocking_recv().unwrap()).collect()
    }

    fn open() -> (tempfile::TempDir, Connection, Connection) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let (writer, reader) = (Connection::open(&path).unwrap(), Connection::open(&path).unwrap());
        writer.execute_batch("CREATE TABLE t (a UNIQUE)").unwrap();
        (directory, writer, reader)
    }

    fn insert(value: i64) -> Change {
        Box::new(move |connection| connection.execute("INSERT INTO t VALUES (?1)", [value]).map(drop))
    }

    #[test]
    fn what_waits_together_is_committed_once() {
        let (_directory, writer, reader) = open();
        let commits =
            |reader: &Connection| reader.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0)).unwrap();
        let uncommitted: Change = {
            let path = reader.path().unwrap().to_owned();
            Box::new(move |_| {
                let rows = Connection::open(path)?.query_row("SELECT count(*) FROM t", (), |row| row.get::<_, i64>(0));
                assert_eq!(rows, Ok(0), "nothing is there before all is");
                Ok(())
            })
        };
        let before = commits(&reader);
        let outcomes = outcomes(writer, vec![insert(1), insert(2), uncommitted]);
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_ne!(commits(&reader), before);
        let rows = reader.query_row("SELECT count(*) FROM t", (), |row| row.get::<_, i64>(0));
        assert_eq!(rows, Ok(2));
    }

    #[test]
    fn a_failure_is_told_to_all_whom_it_undid() {
        let (_directory, writer, reader) = open();
        let outcomes = outcomes(writer, vec![insert(1), insert(1), insert(2)]);
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert!(error.to_string().contains("failed while writing"), "{error}");
        }
        let rows = reader.query_row("SELECT count(*) FROM t", (), |row| row.get::<_, i64>(0));
        assert_eq!(rows, Ok(0));
    }
}
