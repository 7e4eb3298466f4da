//! Room on the disk that is kept back: to remove something the database needs room itself, for its log, so that a disk
//! that is really full could never be emptied.

use super::StoreError;
use super::files::failed;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The name in a data folder.
const FILE: &str = "reserve";
/// Bytes: twice what the log grows to before it is written into the database.
const SIZE: u64 = 8 << 20;
static PIECE: [u8; 64 * 1024] = [0; 64 * 1024];

/// A file of nothing, which is given up when the disk is full.
pub struct Reserve {
    path: PathBuf,
    at_work: Mutex<()>,
}

impl Reserve {
    /// The reserve of that data folder. Nothing is written before [`Reserve::fill`].
    pub fn of(folder: &Path) -> Self {
        Self { path: folder.join(FILE), at_work: Mutex::default() }
    }

    /// Takes the room, where there is some. On a disk that is too full for it none is taken.
    pub fn fill(&self) -> Result<(), StoreError> {
        let _alone = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        if std::fs::metadata(&self.path).is_ok_and(|found| found.len() == SIZE) {
            return Ok(());
        }
        let failed = |op| failed(op, &self.path);
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .open(&self.path)
            .map_err(failed("open"))?;
        let filled = (0..SIZE / PIECE.len() as u64).try_for_each(|_| file.write_all(&PIECE));
        if let Err(error) = filled.and_then(|()| file.sync_all()) {
            file.set_len(0).map_err(failed("shorten"))?;
            return Err(failed("fill")(error));
        }
        Ok(())
    }

    /// Gives the room up; whether there was any.
    pub fn release(&self) -> bool {
        let _alone = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        let file = OpenOptions::new().write(true).open(&self.path);
        file.is_ok_and(|file| given_up(&file).unwrap_or(false))
    }
}

fn given_up(file: &File) -> std::io::Result<bool> {
    let held = file.metadata()?.len() > 0;
    file.set_len(0)?;
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::{FILE, Reserve, SIZE};

    #[test]
    fn the_room_is_given_up_once_and_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(folder.path());
        let length = || std::fs::metadata(folder.path().join(FILE)).unwrap().len();
        assert!(!reserve.release(), "nothing is there yet");
        for _ in 0..2 {
            reserve.fill().unwrap();
            reserve.fill().unwrap();
            assert_eq!(length(), SIZE);
            assert!(reserve.release());
            assert_eq!(length(), 0);
            assert!(!reserve.release());
        }
    }
}
