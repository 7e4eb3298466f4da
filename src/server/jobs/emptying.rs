//! The steps of EmptyBucket: some versions and markers that may be removed, in one transaction with the job's progress.
//! Nothing is bypassed: what is locked stays, and an open upload is its client's.

use super::{Fault, Made, Step, at_work, bucket};
use crate::server::domain::jobs::life;
use crate::server::store::copies::{self, Left};
use crate::server::store::objects::versions::{self, VersionRow, Walk};
use crate::server::store::{Store, jobs};
use crate::wire::JobProgress;
use jiff::Timestamp;
use rusqlite::Connection;
use std::collections::BTreeSet;

/// Most versions that one step removes.
const REMOVALS: usize = 200;
/// Most rows that one step looks at.
const ROWS: u64 = 10_000;

/// One step. `now` is in milliseconds since 1970.
pub async fn step(store: &Store, id: &str, now: i64) -> Result<(Step, u64, u64), Fault> {
    let wanted = id.to_owned();
    let removed = store.write(move |connection| remove_some(connection, &wanted, now)).await;
    let (made, versions, bytes) = match removed {
        Err(Fault::Store(error)) => return Err(Fault::Store(store.with_reserve(error).await)),
        removed => removed?,
    };
    let (step, gone) = made;
    store.blobs().remove(gone).await;
    Ok((step, versions, bytes))
}

/// What of a bucket a step removes, and how far it looked.
struct Found {
    rows: Vec<VersionRow>,
    keys: u64,
    last_key: Option<String>,
    end: bool,
}

fn remove_some(connection: &Connection, id: &str, now: i64) -> Result<(Made, u64, u64), Fault> {
    let (mut job, _) = at_work(connection, id)?;
    let bucket = bucket(connection, &job.source)?.id;
    let found = find(connection, bucket, job.progress.last_key.as_deref(), now)?;
    let mut gone = Vec::new();
    let mut bytes = 0;
    for row in &found.rows {
        versions::delete(connection, bucket, row)?;
        bytes += u64::try_from(row.size).unwrap_or(0);
        gone.extend(row.blob.clone());
    }
    let keys: BTreeSet<&str> = found.rows.iter().map(|row| row.key.as_str()).collect();
    for key in keys {
        versions::promote(connection, bucket, key)?;
    }
    let removed = found.rows.len() as u64;
    let JobProgress { versions, bytes: before, keys: walked, .. } = job.progress;
    job.progress = JobProgress {
        versions: versions + removed,
        bytes: before + bytes,
        keys: walked + found.keys,
        last_key: found.last_key,
    };
    let step = if found.end { after_the_last_key(connection, bucket, now)? } else { Step::More };
    if found.end {
        // What was written behind the walk is found by another one.
        job.progress.last_key = None;
    }
    jobs::update(connection, &job)?;
    Ok(((step, gone), removed, bytes))
}

fn find(connection: &Connection, bucket: i64, after: Option<&str>, now: i64) -> Result<Found, Fault> {
    let mut found = Found { rows: Vec::new(), keys: 0, last_key: after.map(str::to_owned), end: true };
    let mut seen = 0;
    let mut current: Option<String> = None;
    versions::walk_all_after(connection, bucket, after, |row| {
        if current.as_ref() != Some(&row.key) {
            if let Some(done) = current.replace(row.key.clone()) {
                found.last_key = Some(done);
                found.keys += 1;
            }
            if seen >= ROWS {
                found.end = false;
                return Walk::End;
            }
        }
        if found.rows.len() >= REMOVALS {
            found.end = false;
            return Walk::End;
        }
        seen += 1;
        if !row.is_locked(now) {
            found.rows.push(row);
        }
        Walk::On
    })?;
    if found.end {
        found.keys += u64::from(current.is_some());
    }
    Ok(found)
}

fn after_the_last_key(connection: &Connection, bucket: i64, now: i64) -> Result<Step, Fault> {
    let Left { removable, retained, retained_until, legal_holds, uploads } =
        copies::left(connection, bucket, now)?;
    if removable > 0 {
        return Ok(Step::More);
    }
    let retained_until = retained_until.and_then(|time| Timestamp::from_millisecond(time).ok());
    Ok(match life::hold_up(retained, retained_until, legal_holds, uploads) {
        None => Step::Done,
        Some(hold_up) => Step::HeldUp(hold_up),
    })
}
