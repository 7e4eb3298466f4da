//! Counting requests to the data plane: what was answered is counted, also when the process is killed right after.
//!
//! A request waits with the last byte of its answer until its count is written. Counts of requests at the same time
//! share a write, which does not wait for the disk (`synchronous=NORMAL` in a database of its own): it outlives the
//! process, and a machine that loses its power loses the last moments, never the file. What cannot be written, on a
//! full disk, is kept in memory until it can, and the answer goes out: reading must not depend on room for writing.

use super::StoreError;
use jiff::Timestamp;
use rusqlite::Connection;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// The name of the database inside the data folder, and, attached, inside a reader's connection.
pub const FILE: &str = "usage.db";

/// Schema version of the database; the main one's says nothing about it.
const VERSION: u32 = 1;
const HOUR: i64 = 3600;

/// On whose bill a request goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Payer {
    /// The access key that signed it.
    pub key: String,
    /// The key's user.
    pub user: String,
    /// The user's account.
    pub account: String,
    /// The user's tenant at the time.
    pub tenant: String,
}

/// What was used.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    requests: i64,
    egress: i64,
    /// Milliseconds since 1970.
    last_used: i64,
}

#[derive(Default)]
struct State {
    unwritten: HashMap<(i64, Arc<Payer>), Sum>,
    waiting: Vec<oneshot::Sender<()>>,
    /// Hours before this one are to be forgotten.
    forget_before: Option<i64>,
    /// Whether there is something that was not tried yet.
    fresh: bool,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handle on the thread that writes counts down.
pub struct Meter {
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Meter {
    /// Opens the database in that folder, making it if it is not there, and starts the thread.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let connection = open(&folder.join(FILE))?;
        let shared = Arc::<Shared>::default();
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || work(&connection, &of_thread));
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Counts one request with so many bytes of answer. Done when it is written, or cannot be.
    pub async fn count(&self, payer: &Arc<Payer>, egress: u64, now: Timestamp) {
        let (sender, written) = oneshot::channel();
        self.add(payer, egress, now, Some(sender));
        // A thread that is gone writes nothing any more; the answer goes out all the same.
        drop(written.await);
    }

    /// The same for an answer that nobody waits for any more.
    pub fn count_unheard(&self, payer: &Arc<Payer>, egress: u64, now: Timestamp) {
        self.add(payer, egress, now, None);
    }

    /// Forgets the hours before this one, soon; where that fails, until it is asked again.
    pub fn forget_before(&self, hour: i64) {
        let mut state = self.shared.lock();
        state.forget_before = Some(hour);
        state.fresh = true;
        drop(state);
        self.shared.wake.notify_one();
    }

    fn add(&self, payer: &Arc<Payer>, egress: u64, now: Timestamp, waiting: Option<oneshot::Sender<()>>) {
        let mut state = self.shared.lock();
        let hour = now.as_second().div_euclid(HOUR);
        let sum = state.unwritten.entry((hour, Arc::clone(payer))).or_default();
        sum.requests += 1;
        sum.egress = sum.egress.saturating_add(i64::try_from(egress).unwrap_or(i64::MAX));
        sum.last_used = sum.last_used.max(now.as_millisecond());
        state.waiting.extend(waiting);
        state.fresh = true;
        drop(state);
        self.shared.wake.notify_one();
    }
}

impl Drop for Meter {
    /// Writes what is left.
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_one();
        let here = std::thread::current().id();
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != here) {
            drop(thread.join());
        }
    }
}

fn open(file: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(file)?;
    // Nobody else writes to it: an answer must not wait for somebody who does nevertheless.
    connection.busy_timeout(Duration::from_millis(100))?;
    connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")?;
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > VERSION {
        return Err(StoreError::NewerSchema { found, known: VERSION });
    }
    if found == 0 {
        let transaction = connection.transaction()?;
        transaction.execute_batch(include_str!("usage.sql"))?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()?;
    }
    Ok(connection)
}

fn work(connection: &Connection, shared: &Shared) {
    loop {
        let mut state = shared.lock();
        while !state.fresh && !state.closed {
            state = shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let last = state.closed;
        state.fresh = false;
        let unwritten = std::mem::take(&mut state.unwritten);
        let waiting = std::mem::take(&mut state.waiting);
        let forget_before = state.forget_before.take();
        drop(state);
        if let Err(error) = write(connection, &unwritten) {
            tracing::warn!(%error, "requests were counted in memory only; it is tried again with the next one");
            // An error can leave the transaction open; then there is something to roll back.
            if !connection.is_autocommit() {
                drop(connection.execute_batch("ROLLBACK"));
            }
            let mut state = shared.lock();
            for (row, sum) in unwritten {
                let known = state.unwritten.entry(row).or_default();
                known.requests += sum.requests;
                known.egress = known.egress.saturating_add(sum.egress);
                known.last_used = known.last_used.max(sum.last_used);
            }
        }
        if let Some(hour) = forget_before
            && let Err(error) = connection.execute("DELETE FROM request_hour WHERE hour < ?1", [hour])
        {
            tracing::warn!(%error, "failed to forget old counts of requests");
        }
        for waiting in waiting {
            // Whoever waited may have gone away.
            let _ = waiting.send(());
        }
        if last {
            return;
        }
    }
}

fn write(connection: &Connection, sums: &HashMap<(i64, Arc<Payer>), Sum>) -> Result<(), StoreError> {
    if sums.is_empty() {
        return Ok(());
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO request_hour (hour, access_key, user, account, tenant, requests, egress, last_used) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (hour, access_key, tenant) DO UPDATE SET \
         requests = requests + excluded.requests, egress = egress + excluded.egress, \
         last_used = max(last_used, excluded.last_used)",
    )?;
    for ((hour, payer), sum) in sums {
        let Payer { key, user, account, tenant } = &**payer;
        statement.execute((hour, key, user, account, tenant, sum.requests, sum.egress, sum.last_used))?;
    }
    connection.execute_batch("COMMIT")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{FILE, Meter, Payer};
    use jiff::Timestamp;
    use rusqlite::Connection;
    use std::path::Path;
    use std::sync::Arc;

    fn payer(key: &str) -> Arc<Payer> {
        let of = |text: &str| text.to_owned();
        Arc::new(Payer { key: of(key), user: of("us_1"), account: of("1"), tenant: of("tn_1") })
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn rows(folder: &Path) -> Vec<(i64, String, i64, i64)> {
        let connection = Connection::open(folder.join(FILE)).unwrap();
        let mut statement = connection
            .prepare("SELECT hour, access_key, requests, egress FROM request_hour ORDER BY hour, access_key")
            .unwrap();
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[tokio::test]
    async fn what_was_counted_is_written_before_the_count_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let meter = Meter::open(folder.path()).unwrap();
        meter.count(&payer("SK1"), 5, at(10)).await;
        assert_eq!(rows(folder.path()), [(0, "SK1".to_owned(), 1, 5)]);
        meter.count(&payer("SK1"), 6, at(3599)).await;
        meter.count(&payer("SK1"), 7, at(3600)).await;
        meter.count(&payer("SK2"), 8, at(3600)).await;
        let expected = [(0, "SK1", 2, 11), (1, "SK1", 1, 7), (1, "SK2", 1, 8)];
        assert_eq!(rows(folder.path()), expected.map(|(h, k, n, e)| (h, k.to_owned(), n, e)));
    }

    #[tokio::test]
    async fn nothing_is_lost_when_the_meter_is_closed_or_counts_meet() {
        let folder = tempfile::tempdir().unwrap();
        let meter = Arc::new(Meter::open(folder.path()).unwrap());
        let counting = (0..64).map(|_| {
            let meter = Arc::clone(&meter);
            async move { meter.count(&payer("SK1"), 1, at(0)).await }
        });
        futures::future::join_all(counting).await;
        meter.count_unheard(&payer("SK1"), 100, at(0));
        drop(Arc::into_inner(meter).unwrap());
        assert_eq!(rows(folder.path()), [(0, "SK1".to_owned(), 65, 164)]);
    }

    #[tokio::test]
    async fn old_hours_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let meter = Meter::open(folder.path()).unwrap();
        for hour in 0..4 {
            meter.count(&payer("SK1"), 1, at(hour * 3600)).await;
        }
        meter.forget_before(2);
        drop(meter);
        assert_eq!(rows(folder.path()).iter().map(|row| row.0).collect::<Vec<_>>(), [2, 3]);
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_kept_until_it_can() {
        let folder = tempfile::tempdir().unwrap();
        let meter = Meter::open(folder.path()).unwrap();
        let other = Connection::open(folder.path().join(FILE)).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        meter.count(&payer("SK1"), 5, at(0)).await;
        assert_eq!(rows(folder.path()), []);
        other.execute_batch("ROLLBACK").unwrap();
        meter.count(&payer("SK1"), 6, at(0)).await;
        assert_eq!(rows(folder.path()), [(0, "SK1".to_owned(), 2, 11)]);
    }
}
