//! The runner of jobs: effects only. What is due is taken up, and each job goes on in small steps, each of them one
//! transaction that also writes how far the job is; so that a crash, a stop or a cancellation falls between two steps.
//!
//! * [`runner`]: takes up what is due, a few jobs at a time; ends with the server.
//! * [`copying`]: the steps of Backup and Restore.
//! * [`emptying`]: the steps of EmptyBucket.
//! * [`counters`]: what is counted for `/metrics`.
//!
//! What a job may do, what is copied in which order, and when a failed run is tried again is decided in
//! `domain::jobs`. HTTP must not be known here, nor S3.

mod copying;
pub mod counters;
mod emptying;
mod runner;

#[cfg(test)]
mod tests;

pub use counters::Counters;
pub use runner::Runner;

use super::domain::jobs::life;
use super::store::objects::buckets::{self, BucketRow};
use super::store::{BlobName, StoreError, jobs, users};
use crate::wire::{BucketRef, HoldUp, JobItem, JobState, UserItem};
use rusqlite::Connection;
use thiserror::Error;

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// There is more to do.
    More,
    /// All is done.
    Done,
    /// The bucket cannot be empty yet.
    HeldUp(HoldUp),
}

/// Why a step was not made. It changed nothing.
#[derive(Debug, Error)]
enum Fault {
    /// The store; it may go better later.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be done.
    #[error("{0}")]
    Refused(String),
    /// The job was cancelled or removed, or is someone else's.
    #[error("the job is no longer at work")]
    Gone,
}

/// The job if it is still at work, with its owner, who must still have the right to it.
fn at_work(connection: &Connection, id: &str) -> Result<(JobItem, UserItem), Fault> {
    let job = jobs::get(connection, id)?.filter(|job| job.state == JobState::Running).ok_or(Fault::Gone)?;
    let owner = users::get(connection, &job.user_id)?.ok_or(Fault::Gone)?;
    let mut named = Vec::new();
    for side in [Some(&job.source), job.target.as_ref()].into_iter().flatten() {
        let (_, facts) = users::owner(connection, &side.user_id)?.ok_or(Fault::Gone)?;
        named.push((side.name.as_str(), facts));
    }
    life::owner_may(&job, &owner, &named).map_err(Fault::Refused)?;
    Ok((job, owner))
}

/// A bucket that a job names.
fn bucket(connection: &Connection, named: &BucketRef) -> Result<BucketRow, Fault> {
    let found = buckets::find(connection, &named.user_id, &named.name)?;
    found.ok_or_else(|| Fault::Refused(format!("the bucket '{}' is not there any more", named.name)))
}

/// A step that was made, and blobs that no row refers to any more.
type Made = (Step, Vec<BlobName>);
