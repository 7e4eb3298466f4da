//! What must not lie on the disk in the clear: S3 secrets and replayable answers, sealed with ChaCha20-Poly1305 under a
//! key in a file of its own (0600).

use super::StoreError;
use crate::wire::ShownSecret;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use rusqlite::{Connection, OptionalExtension as _};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Nonce and ciphertext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

const NONCE_BYTES: usize = 12;
const PROBE: &str = "storekeeper";
/// What is sealed beside the probe: table, the columns that a row is found by, and the column that is sealed. All of it
/// is sealed anew when the key changes.
const SEALED: [(&str, [&str; 2], &str); 2] =
    [("access_key", ["id", "id"], "sealed_secret"), ("idempotency", ["principal", "key"], "sealed")];

/// Seals and opens. No `Debug`: it holds the key.
pub struct Cipher {
    cipher: ChaCha20Poly1305,
}

impl Cipher {
    /// Reads the key file, or makes it for a database that has sealed nothing yet; refuses a key that does not fit.
    /// Where a change of the key was cut short after the database had the new one, it is brought to its end.
    pub fn open(file: &Path, connection: &Connection) -> Result<Self, StoreError> {
        let probe: Option<Vec<u8>> = connection
            .query_row("SELECT value FROM meta WHERE name = 'cipher-probe'", [], |row| row.get(0))
            .optional()?;
        let Some(probe) = probe.map(Sealed) else {
            let key = match read_key(file)? {
                Some(key) => key,
                None => make_key(file)?,
            };
            let cipher = Self::from_key(&key, file)?;
            let sealed = cipher.seal(PROBE)?;
            connection.execute("INSERT INTO meta (name, value) VALUES ('cipher-probe', ?1)", [&sealed.0])?;
            return Ok(cipher);
        };
        if let Some(cipher) = Self::fitting(file, &probe)? {
            return Ok(cipher);
        }
        let next = next_of(file);
        let cipher = Self::fitting(&next, &probe)?.ok_or_else(|| StoreError::WrongKey(file.to_owned()))?;
        take_over(&next, file)?;
        Ok(cipher)
    }

    /// Changes the key: everything that is sealed is sealed anew, in one transaction. Nobody else may be at work.
    ///
    /// The new key lies beside the old one before the database needs it, and takes its place when the database does.
    pub fn rotate(file: &Path, connection: &mut Connection) -> Result<(), StoreError> {
        let old = Self::open(file, connection)?;
        let next = next_of(file);
        remove_if_there(&next)?;
        let new = Self::from_key(&make_key(&next)?, &next)?;
        let transaction = connection.transaction()?;
        for (table, [first, second], column) in SEALED {
            let rows: Vec<(String, String, Vec<u8>)> = transaction
                .prepare(&format!("SELECT {first}, {second}, {column} FROM {table}"))?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            let sql = format!("UPDATE {table} SET {column} = ?3 WHERE {first} = ?1 AND {second} = ?2");
            let mut update = transaction.prepare(&sql)?;
            for (first, second, sealed) in rows {
                let text = old.open_sealed(&Sealed(sealed))?;
                update.execute((first, second, new.seal(text.reveal())?.0))?;
            }
        }
        let probe = new.seal(PROBE)?;
        transaction.execute("UPDATE meta SET value = ?1 WHERE name = 'cipher-probe'", [&probe.0])?;
        transaction.commit()?;
        take_over(&next, file)
    }

    fn from_key(key: &[u8], file: &Path) -> Result<Self, StoreError> {
        let key = Key::try_from(key).map_err(|_| StoreError::WrongKey(file.to_owned()))?;
        Ok(Self { cipher: ChaCha20Poly1305::new(&key) })
    }

    /// With the key in that file, if it is the one that the probe was sealed with.
    fn fitting(file: &Path, probe: &Sealed) -> Result<Option<Self>, StoreError> {
        let Some(key) = read_key(file)? else { return Ok(None) };
        let Ok(cipher) = Self::from_key(&key, file) else { return Ok(None) };
        let fits = cipher.open_sealed(probe).is_ok_and(|text| text.reveal() == PROBE);
        Ok(fits.then_some(cipher))
    }

    /// Seals a text under a fresh random nonce.
    pub fn seal(&self, text: &str) -> Result<Sealed, StoreError> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), text.as_bytes())
            .map_err(|_| StoreError::Corrupt("a text too long to seal".to_owned()))?;
        Ok(Sealed([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what was sealed.
    pub fn open_sealed(&self, sealed: &Sealed) -> Result<ShownSecret, StoreError> {
        let corrupt = || StoreError::Corrupt("a sealed secret".to_owned());
        let (nonce, text) = sealed.0.split_at_checked(NONCE_BYTES).ok_or_else(corrupt)?;
        let nonce = Nonce::try_from(nonce).map_err(|_| corrupt())?;
        let text = self.cipher.decrypt(&nonce, text).map_err(|_| corrupt())?;
        String::from_utf8(text).map(ShownSecret::new).map_err(|_| corrupt())
    }
}

fn read_key(file: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    let mut key = Zeroizing::new(Vec::new());
    match std::fs::File::open(file).and_then(|mut file| file.read_to_end(&mut key)) {
        Ok(_) => Ok(Some(key)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::File { op: "read", path: file.to_owned(), source }),
    }
}

fn make_key(file: &Path) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let key = Zeroizing::new(rand::random::<[u8; 32]>().to_vec());
    let write = || -> std::io::Result<()> {
        let mut handle = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
        handle.write_all(&key)?;
        handle.sync_all()?;
        file.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
    };
    write().map_err(|source| StoreError::File { op: "write", path: file.to_owned(), source })?;
    Ok(key)
}

/// Where a new key lies until the database needs it.
fn next_of(file: &Path) -> PathBuf {
    file.with_extension("key.next")
}

fn remove_if_there(file: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(file) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::File { op: "remove", path: file.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn take_over(next: &Path, file: &Path) -> Result<(), StoreError> {
    let folder = |file: &Path| file.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all());
    std::fs::rename(next, file).and_then(|()| folder(file)).map_err(|source| StoreError::File {
        op: "replace",
        path: file.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::{Cipher, Sealed, next_of};
    use crate::server::store::StoreError;
    use rusqlite::Connection;
    use std::path::PathBuf;

    struct World {
        folder: tempfile::TempDir,
        connection: Connection,
    }

    impl World {
        fn new() -> Self {
            let connection = Connection::open_in_memory().unwrap();
            connection
                .execute_batch(
                    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB) STRICT;
                     CREATE TABLE access_key (id TEXT PRIMARY KEY, sealed_secret BLOB) STRICT;
                     CREATE TABLE idempotency (principal TEXT, key TEXT, sealed BLOB) STRICT;",
                )
                .unwrap();
            Self { folder: tempfile::tempdir().unwrap(), connection }
        }

        fn file(&self) -> PathBuf {
            self.folder.path().join("storekeeper.key")
        }

        fn open(&self) -> Result<Cipher, StoreError> {
            Cipher::open(&self.file(), &self.connection)
        }

        fn keep(&self, id: &str, secret: &str) {
            let sealed = self.open().unwrap().seal(secret).unwrap().0;
            self.connection.execute("INSERT INTO access_key VALUES (?1, ?2)", (id, &sealed)).unwrap();
            self.connection
                .execute("INSERT INTO idempotency VALUES ('us_1', ?1, ?2)", (id, &sealed))
                .unwrap();
        }

        fn kept(&self, sql: &str) -> Vec<String> {
            let cipher = self.open().unwrap();
            let mut statement = self.connection.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| Ok(Sealed(row.get(0)?))).unwrap();
            rows.map(|row| cipher.open_sealed(&row.unwrap()).unwrap().reveal().to_owned()).collect()
        }
    }

    #[test]
    fn a_new_key_seals_everything_anew() {
        let mut world = World::new();
        world.keep("SK1", "one");
        world.keep("SK2", "two");
        let old = std::fs::read(world.file()).unwrap();
        Cipher::rotate(&world.file(), &mut world.connection).unwrap();
        assert_ne!(std::fs::read(world.file()).unwrap(), old);
        assert!(!next_of(&world.file()).exists());
        assert_eq!(world.kept("SELECT sealed_secret FROM access_key ORDER BY id"), ["one", "two"]);
        assert_eq!(world.kept("SELECT sealed FROM idempotency ORDER BY key"), ["one", "two"]);
        std::fs::write(world.file(), old).unwrap();
        assert!(matches!(world.open().err(), Some(StoreError::WrongKey(_))));
    }

    #[test]
    fn a_change_of_the_key_that_was_cut_short_is_brought_to_its_end() {
        let mut world = World::new();
        world.keep("SK1", "one");
        let old = std::fs::read(world.file()).unwrap();
        // Before the commit: the new key lies there for nothing.
        std::fs::write(next_of(&world.file()), [7; 32]).unwrap();
        assert_eq!(world.kept("SELECT sealed_secret FROM access_key"), ["one"]);
        // After the commit: the database needs it, but it is not in its place yet.
        Cipher::rotate(&world.file(), &mut world.connection).unwrap();
        std::fs::rename(world.file(), next_of(&world.file())).unwrap();
        std::fs::write(world.file(), old).unwrap();
        assert_eq!(world.kept("SELECT sealed_secret FROM access_key"), ["one"]);
        assert!(!next_of(&world.file()).exists());
    }
}
