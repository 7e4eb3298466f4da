//! The one writer: a thread that takes what has queued up, runs each piece in a savepoint, commits once, and answers.

use super::StoreError;
use rusqlite::Connection;
use std::sync::mpsc;
use tokio::sync::oneshot;

/// At most so many writes share one commit.
const BATCH: usize = 64;

/// One queued write: runs inside the batch's transaction, or is refused when there is none.
type Job = Box<dyn FnOnce(Result<&Connection, Failure>) -> Answer + Send>;
/// Answers the caller with how the commit went.
type Answer = Box<dyn FnOnce(Result<(), Failure>) + Send>;

/// Why a whole batch failed.
#[derive(Clone, Copy)]
enum Failure {
    /// No room; rolled back.
    Full,
    /// Not begun; nothing was done.
    NotBegun,
    /// The commit failed, or SQLite gave up the transaction.
    Commit,
}

impl Failure {
    fn of_commit(error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            Some(_) | None => Self::Commit,
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Full => Self::Full,
            Failure::NotBegun => Self::Busy,
            Failure::Commit => Self::Commit,
        }
    }
}

/// A handle on the writer thread. The thread ends when the handle is dropped and the queue is empty.
pub struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub fn start(connection: Connection) -> Self {
        let (queue, jobs) = mpsc::channel::<Job>();
        let thread = std::thread::spawn(move || work(&connection, &jobs));
        Self { queue: Some(queue), thread: Some(thread) }
    }

    /// Queues a write and waits until it is committed, or rolled back.
    pub async fn run<T, E, F>(&self, write: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = match connection {
                Ok(connection) => in_savepoint(connection, write),
                Err(failure) => Err(E::from(StoreError::from(failure))),
            };
            Box::new(move |outcome| {
                let result = match (outcome, result) {
                    (Err(failure), Ok(_)) => Err(E::from(StoreError::from(failure))),
                    (_, result) => result,
                };
                // The caller may have gone away: what was committed stays committed.
                drop(sender.send(result));
            })
        });
        let queued = self.queue.as_ref().is_some_and(|queue| queue.send(job).is_ok());
        if !queued {
            return Err(E::from(StoreError::Closed));
        }
        receiver.await.unwrap_or_else(|_| Err(E::from(StoreError::Thread)))
    }
}

impl Drop for Writer {
    /// Waits for what is queued, so that whoever opens the folder next finds it all.
    fn drop(&mut self) {
        drop(self.queue.take());
        let here = std::thread::current().id();
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != here) {
            // A writer that panicked has nothing more to finish.
            drop(thread.join());
        }
    }
}

/// Runs `change` in a savepoint of the open transaction: an `Err` undoes what it did.
pub fn in_savepoint<T, E: From<StoreError>>(
    connection: &Connection,
    change: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let failed = |error: rusqlite::Error| E::from(StoreError::from(error));
    connection.execute_batch("SAVEPOINT change").map_err(failed)?;
    match change(connection) {
        Ok(value) => {
            connection.execute_batch("RELEASE change").map_err(failed)?;
            Ok(value)
        }
        Err(error) => {
            // A full disk can make SQLite give up the whole transaction; then there is nothing left to undo.
            if !connection.is_autocommit() {
                connection.execute_batch("ROLLBACK TO change; RELEASE change").map_err(failed)?;
            }
            Err(error)
        }
    }
}

fn work(connection: &Connection, jobs: &mpsc::Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        if connection.execute_batch("BEGIN IMMEDIATE").is_err() {
            first(Err(Failure::NotBegun))(Err(Failure::NotBegun));
            continue;
        }
        let (answers, outcome) =
            batch(connection, std::iter::once(first).chain(jobs.try_iter().take(BATCH - 1)));
        if !connection.is_autocommit() {
            // Nothing more can be done about a failing rollback; the next BEGIN will fail and say so.
            drop(connection.execute_batch("ROLLBACK"));
        }
        for answer in answers {
            answer(outcome);
        }
    }
}

/// Runs the jobs and commits. Some errors (a full disk, a failing one) make SQLite give up the whole transaction: then
/// the batch ends there, and all of it has failed; what is still queued gets a transaction of its own.
fn batch(connection: &Connection, jobs: impl Iterator<Item = Job>) -> (Vec<Answer>, Result<(), Failure>) {
    let mut answers = Vec::new();
    for job in jobs {
        answers.push(job(Ok(connection)));
        if connection.is_autocommit() {
            return (answers, Err(Failure::Commit));
        }
    }
    let outcome = connection.execute_batch("COMMIT").map_err(|error| Failure::of_commit(&error));
    (answers, outcome)
}
