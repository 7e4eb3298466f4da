//! `storekeeper server backup | restore | rotate-key`: work on a data folder as a whole.

use super::Failure;
use crate::server::store::maintenance::{self, Progress};
use clap::{Args, Subcommand};
use std::io::IsTerminal as _;
use std::path::PathBuf;

/// How many blobs go by between two lines of progress that nobody rewrites.
const STRIDE: u64 = 10_000;

#[derive(Subcommand)]
pub enum Maintenance {
    /// Copy the data to a new folder, also while the server runs; the key file is not part of the copy
    Backup(Backup),
    /// Make a new data folder from a copy and the key file that belongs to it
    Restore(Restore),
    /// Seal all secrets with a new key; the server must not be running
    RotateKey(RotateKey),
}

#[derive(Args)]
pub struct Backup {
    /// The folder to be made; it must not be there, or be empty
    #[arg(value_name = "DIR")]
    target: PathBuf,
    /// Folder of the data
    #[arg(long, value_name = "DIR", env = "STOREKEEPER_DATA_DIR")]
    data_dir: PathBuf,
}

#[derive(Args)]
pub struct Restore {
    /// The folder that a backup made
    #[arg(value_name = "DIR")]
    copy: PathBuf,
    /// The key file of the data that was copied
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// Folder of the data to be made; it must not be there, or be empty
    #[arg(long, value_name = "DIR", env = "STOREKEEPER_DATA_DIR")]
    data_dir: PathBuf,
}

#[derive(Args)]
pub struct RotateKey {
    /// Folder of the data
    #[arg(long, value_name = "DIR", env = "STOREKEEPER_DATA_DIR")]
    data_dir: PathBuf,
}

/// Runs one of them to its end.
#[allow(clippy::print_stdout)]
pub fn run(what: Maintenance) -> Result<(), Failure> {
    match what {
        Maintenance::Backup(Backup { target, data_dir }) => {
            let done = maintenance::back_up(&data_dir, &target, report)?;
            println!("copied {} blobs, {} bytes, to '{}'", done.blobs, done.bytes, target.display());
            println!("keep '{}' apart from it", data_dir.join("storekeeper.key").display());
        }
        Maintenance::Restore(Restore { copy, key_file, data_dir }) => {
            let done = maintenance::restore(&copy, &key_file, &data_dir, report)?;
            println!("restored {} blobs, {} bytes, to '{}'", done.blobs, done.bytes, data_dir.display());
        }
        Maintenance::RotateKey(RotateKey { data_dir }) => {
            maintenance::rotate_key(&data_dir)?;
            println!(
                "all secrets are sealed with the new key in '{}'",
                data_dir.join("storekeeper.key").display()
            );
        }
    }
    Ok(())
}

/// One line that is rewritten on a terminal; elsewhere a line now and then.
#[allow(clippy::print_stderr)]
fn report(done: Progress) {
    let line = format!("{} of {} blobs, {} bytes", done.blobs, done.of, done.bytes);
    if std::io::stderr().is_terminal() {
        eprint!("\r{line}{}", if done.blobs == done.of { "\n" } else { "" });
    } else if done.blobs.is_multiple_of(STRIDE) {
        eprintln!("{line}");
    }
}
