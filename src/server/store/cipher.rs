//! What must not lie on the disk in the clear: S3 secrets and replayable answers, sealed with ChaCha20-Poly1305 under a
//! key in a file of its own (0600).

use super::StoreError;
use crate::wire::ShownSecret;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use rusqlite::{Connection, OptionalExtension as _};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use zeroize::Zeroizing;

/// Nonce and ciphertext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

const NONCE_BYTES: usize = 12;
const PROBE: &str = "storekeeper";

/// Seals and opens. No `Debug`: it holds the key.
pub struct Cipher {
    cipher: ChaCha20Poly1305,
}

impl Cipher {
    /// Reads the key file, or makes it for a database that has sealed nothing yet; refuses a key that does not fit.
    pub fn open(file: &Path, connection: &Connection) -> Result<Self, StoreError> {
        let probe: Option<Vec<u8>> = connection
            .query_row("SELECT value FROM meta WHERE name = 'cipher-probe'", [], |row| row.get(0))
            .optional()?;
        let key = match (read_key(file)?, &probe) {
            (Some(key), _) => key,
            (None, Some(_)) => return Err(StoreError::WrongKey(file.to_owned())),
            (None, None) => make_key(file)?,
        };
        let key = Key::try_from(key.as_slice()).map_err(|_| StoreError::WrongKey(file.to_owned()))?;
        let cipher = Self { cipher: ChaCha20Poly1305::new(&key) };
        if let Some(sealed) = probe {
            let opened = cipher.open_sealed(&Sealed(sealed));
            if !opened.is_ok_and(|text| text.reveal() == PROBE) {
                return Err(StoreError::WrongKey(file.to_owned()));
            }
        } else {
            let sealed = cipher.seal(PROBE)?;
            connection.execute("INSERT INTO meta (name, value) VALUES ('cipher-probe', ?1)", [&sealed.0])?;
        }
        Ok(cipher)
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
