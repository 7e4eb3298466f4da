//! The one writer: a thread that takes what has queued up, runs each piece in a savepoint, commits once, and answers.

use super::StoreError;
use rusqlite::Connection;
use std::sync::mpsc;
use tokio::sync::oneshot;

/// At most so many writes share one commit.
const BATCH: usize = 64;

/// One queued write: runs, and returns what to call with the outcome of the commit.
type Job = Box<dyn FnOnce(&Connection) -> Answer + Send>;
/// Answers the caller; `false`: the commit failed, and with it this write.
type Answer = Box<dyn FnOnce(bool) + Send>;

/// A handle on the writer thread. The thread ends when the handle is dropped and the queue is empty.
pub struct Writer {
    queue: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the thread.
    pub fn start(connection: Connection) -> Self {
        let (queue, jobs) = mpsc::channel::<Job>();
        std::thread::spawn(move || work(&connection, &jobs));
        Self { queue }
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
            let result = in_savepoint(connection, write);
            Box::new(move |committed| {
                let result = if committed { result } else { result.and(Err(E::from(StoreError::Closed))) };
                // The caller may have gone away: what was committed stays committed.
                drop(sender.send(result));
            })
        });
        if self.queue.send(job).is_err() {
            return Err(E::from(StoreError::Closed));
        }
        receiver.await.unwrap_or(Err(E::from(StoreError::Closed)))
    }
}

fn in_savepoint<T, E: From<StoreError>>(
    connection: &Connection,
    write: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let failed = |error: rusqlite::Error| E::from(StoreError::from(error));
    connection.execute_batch("SAVEPOINT job").map_err(failed)?;
    match write(connection) {
        Ok(value) => {
            connection.execute_batch("RELEASE job").map_err(failed)?;
            Ok(value)
        }
        Err(error) => {
            connection.execute_batch("ROLLBACK TO job; RELEASE job").map_err(failed)?;
            Err(error)
        }
    }
}

fn work(connection: &Connection, jobs: &mpsc::Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let begun = connection.execute_batch("BEGIN IMMEDIATE").is_ok();
        let mut answers = Vec::new();
        for job in std::iter::once(first).chain(jobs.try_iter().take(BATCH - 1)) {
            answers.push(job(connection));
        }
        let committed = begun && connection.execute_batch("COMMIT").is_ok();
        if !committed && !connection.is_autocommit() {
            // Nothing more can be done about a failing rollback; the next BEGIN will fail and say so.
            drop(connection.execute_batch("ROLLBACK"));
        }
        for answer in answers {
            answer(committed);
        }
    }
}
