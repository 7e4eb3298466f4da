//! Files and folders: what all of the store does to them, and how their failures are told.

use super::StoreError;
use std::fs::File;
use std::io::Error;
use std::path::Path;

/// The error of an operation on a path.
pub fn failed(op: &'static str, path: &Path) -> impl FnOnce(Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File { op, path, source }
}

/// Brings a file, or the names in a folder, to the disk.
pub fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(failed("sync", path))
}

/// Makes a folder, and those above it, that only its owner can look into.
pub fn make_folder(folder: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed("make", folder))
}
