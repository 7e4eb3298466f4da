//! The files with the objects' data: one immutable, fsynced file a version or part, named at random.
//!
//! A blob is written before the row that refers to it, and unlinked after the row is gone: a crash can leave a blob
//! without a row (swept at the next start), never a row without its blob. While a backup copies, nothing that a row
//! referred to is unlinked: the sweep does that later.

use super::StoreError;
use super::files::{failed, sync};
use rusqlite::Connection;
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

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

    /// Where the blob lies in the folder of all blobs.
    pub fn path(&self) -> PathBuf {
        Path::new(&self.0[..2]).join(&self.0)
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
    /// Held shared by whoever unlinks, exclusively by a backup.
    gate: PathBuf,
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

/// A blob being written. What is small is kept in memory until it is complete, and goes to the disk in one go.
#[derive(Debug)]
pub struct BlobWriter {
    /// Taken while a piece is being written: if the request ends meanwhile, the writing ends first and unlinks then.
    unfinished: Option<Unfinished>,
}

#[derive(Debug)]
struct Unfinished {
    draft: Draft,
    file: Option<File>,
    buffer: Vec<u8>,
}

impl Unfinished {
    /// Writes what is in the buffer. Blocks.
    fn flush(mut self) -> Result<(Self, File), StoreError> {
        let path = &self.draft.path;
        let mut file = match self.file.take() {
            Some(file) => file,
            None => File::create_new(path).map_err(failed("make", path))?,
        };
        file.write_all(&self.buffer).map_err(failed("write", path))?;
        self.buffer.clear();
        Ok((self, file))
    }

    /// Brings the file and its name to the disk. Blocks.
    fn finish(self) -> Result<Draft, StoreError> {
        let (Self { draft, .. }, file) = self.flush()?;
        file.sync_all().map_err(failed("sync", &draft.path))?;
        sync(&parent(&draft.path))?;
        Ok(draft)
    }
}

impl BlobWriter {
    /// Appends.
    pub async fn write(&mut self, data: &[u8]) -> Result<(), StoreError> {
        let mut unfinished = self.unfinished.take().ok_or(StoreError::Closed)?;
        unfinished.buffer.extend_from_slice(data);
        if unfinished.buffer.len() >= CHUNK {
            unfinished = blocking(move || {
                let (unfinished, file) = unfinished.flush()?;
                Ok(Unfinished { file: Some(file), ..unfinished })
            })
            .await?;
        }
        self.unfinished = Some(unfinished);
        Ok(())
    }

    /// Brings the file and its name to the disk.
    pub async fn finish(self) -> Result<Draft, StoreError> {
        let unfinished = self.unfinished.ok_or(StoreError::Closed)?;
        blocking(move || unfinished.finish()).await
    }
}

impl Blobs {
    /// Opens the folder, making what is not there.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        for prefix in 0..=255_u8 {
            let path = folder.join(format!("{prefix:02x}"));
            std::fs::create_dir_all(&path).map_err(failed("make", &path))?;
        }
        sync(folder)?;
        Ok(Self { folder: folder.to_owned(), gate: gate_of(folder) })
    }

    /// Where a blob lies.
    pub fn path(&self, name: &BlobName) -> PathBuf {
        self.folder.join(name.path())
    }

    /// Begins a new blob.
    pub fn create(&self) -> BlobWriter {
        let unfinished = Unfinished { draft: self.draft(), file: None, buffer: Vec::new() };
        BlobWriter { unfinished: Some(unfinished) }
    }

    /// Opens a blob for reading; `None` where it is not there (any more).
    pub fn read(&self, name: &BlobName) -> Result<Option<File>, StoreError> {
        let path = self.path(name);
        match File::open(&path) {
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
                sync(&parent(&draft.path))?;
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
        let mut target = File::create_new(&draft.path).map_err(failed("make", &draft.path))?;
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
        sync(&parent(&draft.path))?;
        Ok(Some(draft))
    }

    /// Unlinks blobs that no row refers to any more.
    pub async fn remove(&self, names: Vec<BlobName>) {
        if names.is_empty() {
            return;
        }
        let blobs = self.clone();
        let unlinking = blocking(move || {
            let Some(_open) = blobs.pass_gate()? else { return Ok(()) };
            for name in &names {
                unlink(&blobs.path(name));
            }
            Ok(())
        });
        // What is left behind is swept later.
        drop(unlinking.await);
    }

    /// The right to unlink, for as long as it is held; `None` during a backup.
    fn pass_gate(&self) -> Result<Option<File>, StoreError> {
        let file = open_gate(&self.gate)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed("lock", &self.gate)(source)),
        }
    }

    /// Unlinks every blob that no row refers to: what requests left behind that were under way when the server ended.
    /// Nothing else may be at work.
    pub fn sweep(&self, connection: &Connection) -> Result<(), StoreError> {
        (0..=u8::MAX).try_for_each(|prefix| self.sweep_folder(connection, prefix, None))
    }

    /// Unlinks the blobs of one of the 256 folders that no row refers to and that have not been touched
    /// since `before`, seconds since 1970.
    /// `connection` must not have begun to read: the rows must be as new as the names.
    pub fn sweep_folder(
        &self,
        connection: &Connection,
        prefix: u8,
        before: Option<i64>,
    ) -> Result<(), StoreError> {
        let folder = self.folder.join(format!("{prefix:02x}"));
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(failed("read", &folder))? {
            let entry = entry.map_err(failed("read", &folder))?;
            let name = BlobName::parse(&entry.file_name().to_string_lossy());
            names.extend(name.filter(|_| before.is_none_or(|before| is_untouched(&entry, before))));
        }
        let mut used = connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM object WHERE blob = ?1) OR EXISTS (SELECT 1 FROM part WHERE blob = ?1)",
        )?;
        let mut gate = None;
        for name in names {
            if used.query_row([&name], |row| row.get(0))? {
                continue;
            }
            if gate.is_none() {
                gate = self.pass_gate()?;
            }
            if gate.is_none() {
                return Ok(());
            }
            unlink(&self.path(&name));
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

/// The file beside the folder of the blobs that is locked while something is unlinked, or nothing may be.
fn gate_of(folder: &Path) -> PathBuf {
    folder.with_extension("gate")
}

fn open_gate(file: &Path) -> Result<File, StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(false).write(true).open(file).map_err(failed("open", file))
}

/// Keeps what a row refers to from being unlinked in that folder of blobs, until the file is dropped. Waits for
/// removals that are under way.
pub fn hold(folder: &Path) -> Result<File, StoreError> {
    let gate = gate_of(folder);
    let file = open_gate(&gate)?;
    file.lock().map_err(failed("lock", &gate))?;
    Ok(file)
}

/// Whether neither data nor names of a file changed since then. A new name for old data counts as a change.
fn is_untouched(entry: &std::fs::DirEntry, before: i64) -> bool {
    entry.metadata().is_ok_and(|found| found.ctime() < before)
}

fn unlink(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "failed to unlink a blob; it is tried again later");
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{BlobName, Blobs, CHUNK, hold};
    use rusqlite::Connection;
    use std::io::Read as _;

    fn blobs() -> (tempfile::TempDir, Blobs) {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(&folder.path().join("blobs")).unwrap();
        (folder, blobs)
    }

    fn content(blobs: &Blobs, name: &BlobName) -> Option<String> {
        let mut text = String::new();
        blobs.read(name).unwrap()?.read_to_string(&mut text).unwrap();
        Some(text)
    }

    async fn written(blobs: &Blobs, text: &str) -> BlobName {
        let mut writer = blobs.create();
        writer.write(text.as_bytes()).await.unwrap();
        writer.finish().await.unwrap().release()
    }

    #[tokio::test]
    async fn a_dropped_draft_leaves_nothing_behind() {
        let (_folder, blobs) = blobs();
        let mut writer = blobs.create();
        writer.write(&vec![7; CHUNK]).await.unwrap();
        let name = writer.unfinished.as_ref().unwrap().draft.name().clone();
        assert!(blobs.read(&name).unwrap().is_some());
        drop(writer);
        assert!(blobs.read(&name).unwrap().is_none());
    }

    fn rows(blobs: &[&BlobName]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE object (blob TEXT); CREATE TABLE part (blob TEXT)").unwrap();
        for blob in blobs {
            connection.execute("INSERT INTO object VALUES (?1)", [blob]).unwrap();
        }
        connection
    }

    #[tokio::test]
    async fn a_sweep_takes_what_no_row_refers_to_and_nobody_touched_lately() {
        let (_folder, blobs) = blobs();
        let (kept, lost) = (written(&blobs, "kept").await, written(&blobs, "lost").await);
        let connection = rows(&[&kept]);
        let sweep = |before| (0..=255).for_each(|n| blobs.sweep_folder(&connection, n, before).unwrap());
        let now = crate::clock::now().as_second();
        sweep(Some(now - 60));
        assert_eq!(content(&blobs, &lost).as_deref(), Some("lost"), "it may be of a request under way");
        sweep(Some(now + 60));
        assert_eq!((content(&blobs, &lost), content(&blobs, &kept).as_deref()), (None, Some("kept")));
    }

    #[tokio::test]
    async fn nothing_is_unlinked_while_a_backup_holds_it() {
        let (folder, blobs) = blobs();
        let blob = written(&blobs, "data").await;
        let held = hold(&folder.path().join("blobs")).unwrap();
        blobs.remove(vec![blob.clone()]).await;
        blobs.sweep(&rows(&[])).unwrap();
        assert!(content(&blobs, &blob).is_some());
        drop(held);
        blobs.sweep(&rows(&[])).unwrap();
        assert_eq!(content(&blobs, &blob), None);
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
