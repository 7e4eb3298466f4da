//! The files with the objects' data: one immutable, fsynced file a version or part, named at random.

use super::StoreError;
use std::path::{Path, PathBuf};

/// The name of a blob: 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BlobName(String);

impl BlobName {
    /// A new name, from 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    /// A name as the database has it; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (text.len() == 32 && text.bytes().all(digit)).then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The folder of the blobs: 256 folders by the first two digits of the name.
#[derive(Clone, Debug)]
pub struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    /// Opens the folder, making what is not there.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        for prefix in 0..=255_u8 {
            let path = folder.join(format!("{prefix:02x}"));
            std::fs::create_dir_all(&path).map_err(|source| StoreError::File { op: "make", path, source })?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Where a blob lies.
    pub fn path(&self, name: &BlobName) -> PathBuf {
        self.folder.join(&name.0[..2]).join(&name.0)
    }
}
