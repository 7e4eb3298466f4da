//! SQLite and the blob files of the server: the only place that touches the disk.
//!
//! One writer thread, so that writes never wait for a lock; it commits what has queued up in one transaction, each
//! write in a savepoint of its own, and answers after the commit is on the disk (`synchronous=FULL`). Reads have their
//! own connections. Both run off the async threads. Rules do not live here: a closure that is handed in decides.
//!
//! Requests to the data plane are counted in a database of their own ([`meter`]).
//! [`maintenance`] works on data folders as a whole: copies them, and changes the key that secrets are sealed with.

pub mod accounts;
pub mod audit;
mod blobs;
pub mod buckets;
mod cipher;
pub mod columns;
pub mod copies;
pub mod credentials;
mod files;
pub mod idempotency;
pub mod jobs;
pub mod keys;
pub mod labels;
pub mod lists;
pub mod maintenance;
pub mod meter;
mod migrate;
pub mod objects;
mod reserve;
pub mod tenants;
pub mod usage;
pub mod users;
mod uses;
mod writer;

pub use blobs::{BlobName, BlobWriter, Blobs, Draft, blocking};
pub use cipher::{Cipher, Sealed};
pub use meter::{Meter, Payer};
pub use writer::in_savepoint;

use reserve::Reserve;
use rusqlite::{Connection, OpenFlags};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;
use tokio::sync::Semaphore;

/// Most reads at a time, each on a connection of its own.
const READERS: usize = 32;
/// The names in a data folder.
const DATABASE: &str = "storekeeper.db";
const KEY: &str = "storekeeper.key";
const BLOBS: &str = "blobs";
/// For how many seconds nobody must have touched a blob that no row refers to, to unlink it while the server runs: no
/// upload is without a sign of life for so long.
const ORPHANED: i64 = 3600;

/// What goes wrong with the store itself.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A file or folder.
    #[error("failed to {op} '{path}'")]
    File {
        /// What was tried.
        op: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// SQLite.
    #[error("the database failed")]
    Database(#[source] rusqlite::Error),
    /// The database was written by a newer version.
    #[error("the database has schema {found}; this version knows up to {known}: run a newer storekeeper")]
    NewerSchema {
        /// What the file says.
        found: u32,
        /// The newest that this version knows.
        known: u32,
    },
    /// The key file does not fit the database.
    #[error("'{0}' does not fit the database: restore the key file that belongs to it")]
    WrongKey(PathBuf),
    /// Another server works on the same folder.
    #[error("'{0}' is in use by another server")]
    Locked(PathBuf),
    /// The store is being closed; nothing was done.
    #[error("the store is closed")]
    Closed,
    /// Nothing was done: something else holds the database's lock, or room for it was made only now.
    #[error("the database is busy")]
    Busy,
    /// The disk is full; what was tried was rolled back.
    #[error("the disk is full")]
    Full,
    /// The commit failed; whether it reached the disk is not known.
    #[error("failed to commit")]
    Commit,
    /// The closure that ran inside the store panicked; what it did was rolled back, if it was running.
    #[error("the store's thread failed")]
    Thread,
    /// Something stored cannot be read back.
    #[error("the database holds something that cannot be read: {0}")]
    Corrupt(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl StoreError {
    /// Whether it is known that nothing was changed.
    pub fn did_nothing(&self) -> bool {
        matches!(self, Self::Busy | Self::Closed) || self.is_full()
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Database(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            Self::File { source, .. } => matches!(
                source.kind(),
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
            ),
            Self::Full => true,
            Self::NewerSchema { .. }
            | Self::WrongKey(_)
            | Self::Locked(_)
            | Self::Closed
            | Self::Busy
            | Self::Commit
            | Self::Thread
            | Self::Corrupt(_) => false,
        }
    }
}

/// The server's data: rows, sealed secrets, blobs. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    writer: writer::Writer,
    readers: Mutex<Vec<Connection>>,
    /// Bounds how many connections are open at a time.
    reading: Semaphore,
    database: PathBuf,
    cipher: Cipher,
    blobs: Blobs,
    uses: uses::KeyUses,
    meter: Meter,
    usage: PathBuf,
    reserve: Reserve,
    /// Held for as long as the store is open: one server a folder.
    _lock: std::fs::File,
}

impl Store {
    /// Opens the data folder, making it if it is not there: `storekeeper.db`, `usage.db`, `storekeeper.key` (0600) and
    /// `blobs/`.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        files::make_folder(folder)?;
        let lock = lock(folder)?;
        let database = folder.join(DATABASE);
        let mut connection = Connection::open(&database)?;
        connection
            .execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;")?;
        connection.set_prepared_statement_cache_capacity(128);
        migrate::to_newest(&mut connection, &database)?;
        let cipher = Cipher::open(&folder.join(KEY), &connection)?;
        let blobs = Blobs::open(&folder.join(BLOBS))?;
        blobs.sweep(&connection)?;
        let meter = Meter::open(folder)?;
        let writer = writer::Writer::start(connection);
        let uses = uses::KeyUses::default();
        let shared = Shared {
            writer,
            readers: Mutex::default(),
            reading: Semaphore::new(READERS),
            database,
            cipher,
            blobs,
            uses,
            meter,
            usage: folder.join(meter::FILE),
            reserve: Reserve::of(folder),
            _lock: lock,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Runs `read` on a connection of its own, against one snapshot, off the async threads.
    pub async fn read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let slot = self.shared.reading.acquire().await;
        let joined = tokio::task::spawn_blocking(move || {
            let mut connection = shared.reader()?;
            let result =
                connection.transaction().map_err(StoreError::from).map_err(E::from).and_then(|t| read(&t));
            shared.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            result
        });
        let result = joined.await.unwrap_or_else(|_| Err(E::from(StoreError::Thread)));
        drop(slot);
        result
    }

    /// Runs `write` in a transaction of the one writer; the answer comes after the commit is on the disk. An `Err`
    /// rolls back what `write` did.
    pub async fn write<T, E, F>(&self, write: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        self.shared.writer.run(write).await
    }

    /// Seals and opens what must not lie on the disk in the clear.
    pub fn cipher(&self) -> &Cipher {
        &self.shared.cipher
    }

    /// Remembers that a key was used. Costs no write: [`Store::write_key_uses`] writes what has gathered.
    pub fn key_used(&self, access_key_id: &str, time: jiff::Timestamp) {
        self.shared.uses.note(access_key_id, time);
    }

    /// Writes down when keys were last used, all in one transaction. Called once a minute and before closing.
    pub async fn write_key_uses(&self) -> Result<(), StoreError> {
        let uses = self.shared.uses.take();
        if uses.is_empty() {
            return Ok(());
        }
        self.write(move |connection| keys::write_last_used(connection, &uses)).await
    }

    /// Counts requests to the data plane.
    pub fn meter(&self) -> &Meter {
        &self.shared.meter
    }

    /// Unlinks what no row refers to and no request is at work on: what a removal left behind that failed, or that met
    /// a backup.
    pub async fn sweep(&self, now: jiff::Timestamp) -> Result<(), StoreError> {
        let before = now.as_second() - ORPHANED;
        for prefix in 0..=u8::MAX {
            let blobs = self.blobs().clone();
            self.read(move |connection| blobs.sweep_folder(connection, prefix, Some(before))).await?;
        }
        Ok(())
    }

    /// Keeps room back for removals, where there is some.
    pub async fn fill_reserve(&self) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.reserve.fill()).await
    }

    /// What a removal comes to that failed so: where the disk is full and room is kept back for it, that is given up, and
    /// the removal may be repeated.
    pub async fn with_reserve(&self, error: StoreError) -> StoreError {
        if !error.is_full() {
            return error;
        }
        let shared = Arc::clone(&self.shared);
        match blocking(move || Ok(shared.reserve.release())).await {
            Ok(true) => {
                tracing::warn!("the disk is full: the room that was kept back for removals is given up");
                StoreError::Busy
            }
            Ok(false) | Err(_) => error,
        }
    }

    /// The files with the objects' data.
    pub fn blobs(&self) -> &Blobs {
        &self.shared.blobs
    }
}

impl Shared {
    fn reader(&self) -> Result<Connection, StoreError> {
        if let Some(connection) = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return Ok(connection);
        }
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(&self.database, flags)?;
        connection.set_prepared_statement_cache_capacity(128);
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.execute("ATTACH DATABASE ?1 AS usage", [self.usage.to_string_lossy()])?;
        Ok(connection)
    }
}

fn lock(folder: &Path) -> Result<std::fs::File, StoreError> {
    let path = folder.join("lock");
    let mut options = std::fs::OpenOptions::new();
    let file =
        options.create(true).truncate(false).write(true).open(&path).map_err(files::failed("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Locked(folder.to_owned())),
        Err(std::fs::TryLockError::Error(source)) => Err(files::failed("lock", &path)(source)),
    }
}
