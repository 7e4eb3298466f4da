//! What is done to a data folder as a whole: a copy of it while its server runs, a folder from such a copy, and another
//! key for its secrets.
//!
//! A copy is one moment of the database, and all blobs that its rows refer to: while it is taken the server unlinks
//! nothing ([`super::blobs::hold`]), and blobs never change. The key is not in it: whoever has both has the secrets.

use super::blobs::{self, BlobName};
use super::files::{failed, make_folder, sync};
use super::{BLOBS, Cipher, DATABASE, KEY, StoreError, lock, meter, migrate};
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a folder cannot be copied or changed.
#[derive(Debug, Error)]
pub enum MaintenanceError {
    /// The store.
    #[error("failed to work on the data")]
    Store(#[from] StoreError),
    /// The target holds something.
    #[error("'{0}' must not be there, or be an empty folder")]
    NotEmpty(PathBuf),
    /// There is no such data.
    #[error("'{0}' is not there: is it the right folder?")]
    Missing(PathBuf),
    /// The database of the copy is broken.
    #[error("'{0}' is damaged: {1}")]
    Damaged(PathBuf, String),
}

impl From<rusqlite::Error> for MaintenanceError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(StoreError::from(error))
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Blobs that were copied.
    pub blobs: u64,
    /// Of so many.
    pub of: u64,
    /// Bytes that were copied.
    pub bytes: u64,
}

/// Copies the data in `data`, whose server may be running, to the new folder `target`. The key is left out.
pub fn back_up(
    data: &Path,
    target: &Path,
    progress: impl FnMut(Progress),
) -> Result<Progress, MaintenanceError> {
    let database = data.join(DATABASE);
    if !database.is_file() {
        return Err(MaintenanceError::Missing(database));
    }
    in_new_folder(target, |part| {
        let _held = blobs::hold(&data.join(BLOBS))?;
        for name in [DATABASE, meter::FILE] {
            let from = read_only(&data.join(name))?;
            from.execute("VACUUM INTO ?1", [part.join(name).to_string_lossy()])?;
            sync(&part.join(name))?;
        }
        copy_blobs(&read_only(&part.join(DATABASE))?, &data.join(BLOBS), &part.join(BLOBS), progress)
    })
}

/// Makes the new data folder `data` from a copy and the key file that belongs to it.
pub fn restore(
    copy: &Path,
    key: &Path,
    data: &Path,
    progress: impl FnMut(Progress),
) -> Result<Progress, MaintenanceError> {
    for needed in [copy.join(DATABASE), copy.join(meter::FILE), key.to_owned()] {
        if !needed.is_file() {
            return Err(MaintenanceError::Missing(needed));
        }
    }
    in_new_folder(data, |part| {
        for name in [DATABASE, meter::FILE] {
            copy_file(&copy.join(name), &part.join(name))?;
            check(&part.join(name))?;
        }
        copy_key(key, &part.join(KEY))?;
        let mut connection = Connection::open(part.join(DATABASE))?;
        migrate::to_newest(&mut connection, &part.join(DATABASE))?;
        Cipher::open(&part.join(KEY), &connection)?;
        copy_blobs(&connection, &copy.join(BLOBS), &part.join(BLOBS), progress)
    })
}

/// Seals all secrets of a data folder, whose server must not be running, with a new key.
pub fn rotate_key(data: &Path) -> Result<(), MaintenanceError> {
    let database = data.join(DATABASE);
    if !database.is_file() {
        return Err(MaintenanceError::Missing(database));
    }
    let _lock = lock(data)?;
    let mut connection = Connection::open(&database)?;
    connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")?;
    migrate::to_newest(&mut connection, &database)?;
    Cipher::rotate(&data.join(KEY), &mut connection)?;
    // What the old key sealed must not stay behind in free pages and in the log.
    connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?;
    Ok(())
}

/// Runs `fill` on a folder beside `target`, which takes its place when all of it is on the disk.
fn in_new_folder<T>(
    target: &Path,
    fill: impl FnOnce(&Path) -> Result<T, MaintenanceError>,
) -> Result<T, MaintenanceError> {
    let empty = match fs::read_dir(target) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == ErrorKind::NotFound,
    };
    if !empty {
        return Err(MaintenanceError::NotEmpty(target.to_owned()));
    }
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = target.with_file_name(name);
    match fs::remove_dir_all(&part) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(failed("remove", &part)(error).into());
        }
        Ok(()) | Err(_) => {}
    }
    make_folder(&part)?;
    let done = fill(&part)?;
    sync(&part)?;
    fs::rename(&part, target).map_err(failed("make", target))?;
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync(parent.unwrap_or(Path::new(".")))?;
    Ok(done)
}

fn copy_blobs(
    connection: &Connection,
    from: &Path,
    to: &Path,
    mut progress: impl FnMut(Progress),
) -> Result<Progress, MaintenanceError> {
    let blobs = "SELECT blob, size FROM object WHERE blob IS NOT NULL UNION ALL SELECT blob, size FROM part";
    let of =
        connection.query_row(&format!("SELECT count(*) FROM ({blobs})"), [], |row| row.get::<_, i64>(0))?;
    let mut done = Progress { of: u64::try_from(of).unwrap_or(0), ..Progress::default() };
    for prefix in 0..=u8::MAX {
        make_folder(&to.join(format!("{prefix:02x}")))?;
    }
    let mut statement = connection.prepare(blobs)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (blob, size): (BlobName, i64) = (row.get(0)?, row.get(1)?);
        let name = blob.path();
        let copied = copy_file(&from.join(&name), &to.join(&name))?;
        if i64::try_from(copied) != Ok(size) {
            let what = format!("it has {copied} bytes instead of {size}");
            return Err(MaintenanceError::Damaged(from.join(&name), what));
        }
        done.blobs += 1;
        done.bytes += copied;
        progress(done);
    }
    for prefix in 0..=u8::MAX {
        sync(&to.join(format!("{prefix:02x}")))?;
    }
    sync(to)?;
    Ok(done)
}

/// Copies the content of a file and brings it to the disk; answers its length.
fn copy_file(from: &Path, to: &Path) -> Result<u64, StoreError> {
    let bytes = fs::copy(from, to).map_err(failed("copy", from))?;
    sync(to)?;
    Ok(bytes)
}

fn copy_key(from: &Path, to: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    copy_file(from, to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o600)).map_err(failed("protect", to))
}

fn check(database: &Path) -> Result<(), MaintenanceError> {
    let connection = read_only(database)?;
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    Err(MaintenanceError::Damaged(database.to_owned(), found))
}

fn read_only(database: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::{MaintenanceError, back_up, restore, rotate_key};
    use crate::server::store::{BlobName, Store, StoreError};
    use rusqlite::Connection;
    use std::fs;
    use std::path::Path;

    async fn fill(folder: &Path) -> BlobName {
        let store = Store::open(folder).unwrap();
        let mut writer = store.blobs().create();
        writer.write(b"data").await.unwrap();
        let blob = writer.finish().await.unwrap().release();
        let row = blob.clone();
        let sealed = store.cipher().seal("secret").unwrap().0;
        store
            .write(move |c: &Connection| {
                c.execute_batch(
                    "INSERT INTO tenant VALUES ('tn_1', 'acme', 'Public', '', '{}', '{}', 0, 0);
                     INSERT INTO account VALUES ('1', 'main', 'tn_1', '', 1, 0);
                     INSERT INTO user VALUES ('us_1', 'one', '', '', 'UTC', 'FullAccess', 'tn_1', '1', 1, 0, '', '{}', '{}', NULL, 'system', 0);
                     INSERT INTO bucket VALUES (1, 'us_1', 'data', 'Disabled', 0, NULL, '{}', '{}', 0, 4, 1);",
                )?;
                c.execute("INSERT INTO access_key VALUES ('SK1', 'us_1', 'Full', '', NULL, '{}', ?1, 0, NULL, 1)", [&sealed])?;
                c.execute(
                    "INSERT INTO object (bucket, key, version, latest, size, blob, modified) VALUES (1, 'a', 'null', 1, 4, ?1, 0)",
                    [&row],
                )?;
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        blob
    }

    async fn secret(store: &Store) -> String {
        let key = crate::server::store::keys::find_for_signing(store, "SK1").await.unwrap().unwrap();
        key.secret.reveal().to_owned()
    }

    #[tokio::test]
    async fn a_copy_becomes_a_folder_with_the_same_data_given_its_key() {
        let world = tempfile::tempdir().unwrap();
        let [data, copy, again] = ["data", "copy", "again"].map(|name| world.path().join(name));
        let blob = fill(&data).await;
        let running = Store::open(&data).unwrap();
        let done = back_up(&data, &copy, |_| ()).unwrap();
        assert_eq!((done.blobs, done.of, done.bytes), (1, 1, 4));
        assert!(!copy.join("storekeeper.key").exists(), "the key is kept apart");
        drop(running);

        let key = data.join("storekeeper.key");
        restore(&copy, &key, &again, |_| ()).unwrap();
        let store = Store::open(&again).unwrap();
        assert_eq!(secret(&store).await, "secret");
        assert_eq!(fs::read(store.blobs().path(&blob)).unwrap(), b"data");
    }

    #[tokio::test]
    async fn a_copy_that_does_not_fit_or_is_not_whole_is_refused_and_leaves_nothing() {
        let world = tempfile::tempdir().unwrap();
        let [data, copy, again] = ["data", "copy", "again"].map(|name| world.path().join(name));
        let blob = fill(&data).await;
        back_up(&data, &copy, |_| ()).unwrap();
        assert!(matches!(back_up(&data, &copy, |_| ()), Err(MaintenanceError::NotEmpty(_))));
        assert!(matches!(
            back_up(&again, &world.path().join("x"), |_| ()),
            Err(MaintenanceError::Missing(_))
        ));

        let wrong = world.path().join("wrong.key");
        fs::write(&wrong, [7; 32]).unwrap();
        let refused = restore(&copy, &wrong, &again, |_| ());
        assert!(matches!(refused, Err(MaintenanceError::Store(StoreError::WrongKey(_)))));

        let key = data.join("storekeeper.key");
        fs::write(copy.join("blobs").join(&blob.as_str()[..2]).join(blob.as_str()), "dat").unwrap();
        assert!(matches!(restore(&copy, &key, &again, |_| ()), Err(MaintenanceError::Damaged(..))));
        assert!(!again.exists());
    }

    #[tokio::test]
    async fn the_key_is_changed_while_nobody_is_at_work() {
        let world = tempfile::tempdir().unwrap();
        fill(world.path()).await;
        let old = fs::read(world.path().join("storekeeper.key")).unwrap();
        let running = Store::open(world.path()).unwrap();
        let refused = rotate_key(world.path());
        assert!(matches!(refused, Err(MaintenanceError::Store(StoreError::Locked(_)))));
        drop(running);
        rotate_key(world.path()).unwrap();
        assert_ne!(fs::read(world.path().join("storekeeper.key")).unwrap(), old);
        assert_eq!(secret(&Store::open(world.path()).unwrap()).await, "secret");
    }
}
