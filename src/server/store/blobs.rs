//! The files with the objects' data: one immutable, fsynced file a version or part, named at random.
//!
//! A blob is written before the row that refers to it, and unlinked after the row is gone: a crash can leave a blob
//! without a row (swept at the next start), never a row without its blob.

use super::StoreError;
use rusqlite::Connection;
use std::collections::HashSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use tokio::io::AsyncWriteExt as _;

/// What is read and written at once.
const CHUNK: usize = 512 * 1024;

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

/// A blob that no row refers to yet: unlinked when dropped, so that an aborted request leaves nothing behind.
#[derive(Debug)]
pub struct Draft {
    name: BlobName,
    path: PathBuf,
    released: bool,
}

impl Draft {
    /// Its name.
    pub fn name(&self) -> &BlobName {
        &self.name
    }

    /// Leaves the blob alone from now on: whoever takes the name answers for it.
    pub fn release(mut self) -> BlobName {
        self.released = true;
        self.name.clone()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.released {
            unlink(&self.path);
        }
    }
}

/// A blob being written.
#[derive(Debug)]
pub struct BlobWriter {
    draft: Draft,
    file: tokio::io::BufWriter<tokio::fs::File>,
}

impl BlobWriter {
    /// Appends.
    pub async fn write(&mut self, data: &[u8]) -> Result<(), StoreError> {
        let path = &self.draft.path;
        self.file.write_all(data).await.map_err(failed("write", path))
    }

    /// Brings the file and its name to the disk.
    pub async fn finish(mut self) -> Result<Draft, StoreError> {
        let path = &self.draft.path;
        self.file.flush().await.map_err(failed("write", path))?;
        self.file.get_ref().sync_all().await.map_err(failed("sync", path))?;
        let folder = parent(path);
        blocking(move || sync_folder(&folder)).await?;
        Ok(self.draft)
    }
}

impl Blobs {
    /// Opens the folder, making what is not there.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        for prefix in 0..=255_u8 {
            let path = folder.join(format!("{prefix:02x}"));
            std::fs::create_dir_all(&path).map_err(failed("make", &path))?;
        }
        sync_folder(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Where a blob lies.
    pub fn path(&self, name: &BlobName) -> PathBuf {
        self.folder.join(&name.0[..2]).join(&name.0)
    }

    /// Begins a new blob.
    pub async fn create(&self) -> Result<BlobWriter, StoreError> {
        let draft = self.draft();
        let file = tokio::fs::File::create_new(&draft.path).await.map_err(failed("make", &draft.path))?;
        Ok(BlobWriter { draft, file: tokio::io::BufWriter::with_capacity(CHUNK, file) })
    }

    /// Opens a blob for reading; `None` where it is not there (any more).
    pub fn read(&self, name: &BlobName) -> Result<Option<std::fs::File>, StoreError> {
        let path = self.path(name);
        match std::fs::File::open(&path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("open", &path)(error)),
        }
    }

    /// A second name for a blob's data; `None` where the blob is not there (any more). Blobs never change, so that a
    /// copy need not have data of its own.
    pub fn link(&self, source: &BlobName) -> Result<Option<Draft>, StoreError> {
        let mut draft = self.draft();
        match std::fs::hard_link(self.path(source), &draft.path) {
            Ok(()) => {
                sync_folder(&parent(&draft.path))?;
                Ok(Some(draft))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                draft.released = true;
                Ok(None)
            }
            Err(error) => Err(failed("link", &draft.path)(error)),
        }
    }

    /// Writes blobs one after the other into a new one and shows every piece to `each`; `None` where one of them is
    /// not there (any more). Blocks.
    pub fn join(
        &self,
        sources: &[BlobName],
        mut each: impl FnMut(&[u8]),
    ) -> Result<Option<Draft>, StoreError> {
        let draft = self.draft();
        let mut target = std::fs::File::create_new(&draft.path).map_err(failed("make", &draft.path))?;
        let mut piece = vec![0; CHUNK];
        for source in sources {
            let Some(mut file) = self.read(source)? else { return Ok(None) };
            loop {
                let read = file.read(&mut piece).map_err(failed("read", &self.path(source)))?;
                if read == 0 {
                    break;
                }
                each(&piece[..read]);
                target.write_all(&piece[..read]).map_err(failed("write", &draft.path))?;
            }
        }
        target.sync_all().map_err(failed("sync", &draft.path))?;
        sync_folder(&parent(&draft.path))?;
        Ok(Some(draft))
    }

    /// Unlinks blobs that no row refers to any more.
    pub async fn remove(&self, names: Vec<BlobName>) {
        if names.is_empty() {
            return;
        }
        let paths: Vec<_> = names.iter().map(|name| self.path(name)).collect();
        let unlinking = blocking(move || {
            for path in &paths {
                unlink(path);
            }
            Ok(())
        });
        // What is left behind is swept at the next start.
        drop(unlinking.await);
    }

    /// Unlinks every blob that no row refers to: what requests left behind that were under way when the server ended.
    pub fn sweep(&self, connection: &Connection) -> Result<(), StoreError> {
        let parts: HashSet<String> = connection
            .prepare("SELECT blob FROM part")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut used = connection.prepare("SELECT EXISTS (SELECT 1 FROM object WHERE blob = ?1)")?;
        for prefix in 0..=255_u8 {
            let folder = self.folder.join(format!("{prefix:02x}"));
            for entry in std::fs::read_dir(&folder).map_err(failed("read", &folder))? {
                let entry = entry.map_err(failed("read", &folder))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let is_blob = BlobName::parse(&name).is_some();
                if is_blob && !parts.contains(&name) && !used.query_row([&name], |row| row.get(0))? {
                    unlink(&entry.path());
                }
            }
        }
        Ok(())
    }

    fn draft(&self) -> Draft {
        let name = BlobName::from_random(rand::random());
        Draft { path: self.path(&name), name, released: false }
    }
}

/// Runs something that blocks off the async threads.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::Closed))
}

fn unlink(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "failed to unlink a blob; it is tried again at the next start");
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))
}

fn failed(op: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File { op, path, source }
}

#[cfg(test)]
mod tests {
    use super::{BlobName, Blobs};
    use std::io::Read as _;

    fn blobs() -> (tempfile::TempDir, Blobs) {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        (folder, blobs)
    }

    fn content(blobs: &Blobs, name: &BlobName) -> Option<String> {
        let mut text = String::new();
        blobs.read(name).unwrap()?.read_to_string(&mut text).unwrap();
        Some(text)
    }

    async fn written(blobs: &Blobs, text: &str) -> BlobName {
        let mut writer = blobs.create().await.unwrap();
        writer.write(text.as_bytes()).await.unwrap();
        writer.finish().await.unwrap().release()
    }

    #[tokio::test]
    async fn a_dropped_draft_leaves_nothing_behind() {
        let (_folder, blobs) = blobs();
        let mut writer = blobs.create().await.unwrap();
        writer.write(b"half").await.unwrap();
        let name = writer.draft.name().clone();
        assert!(blobs.read(&name).unwrap().is_some());
        drop(writer);
        assert!(blobs.read(&name).unwrap().is_none());
    }

    #[tokio::test]
    async fn a_copy_outlives_what_it_was_copied_from() {
        let (_folder, blobs) = blobs();
        let source = written(&blobs, "data").await;
        let copy = blobs.link(&source).unwrap().unwrap().release();
        blobs.remove(vec![source.clone()]).await;
        assert_eq!(content(&blobs, &source), None);
        assert_eq!(content(&blobs, &copy).as_deref(), Some("data"));
        assert!(blobs.link(&source).unwrap().is_none());
    }

    #[tokio::test]
    async fn joined_blobs_follow_each_other() {
        let (_folder, blobs) = blobs();
        let parts = [written(&blobs, "one ").await, written(&blobs, "two").await];
        let mut seen = Vec::new();
        let joined = blobs.join(&parts, |piece| seen.extend_from_slice(piece)).unwrap().unwrap().release();
        assert_eq!(content(&blobs, &joined).as_deref(), Some("one two"));
        assert_eq!(seen, b"one two");
    }
}
