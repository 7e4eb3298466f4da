//! The steps of Backup and Restore: look at some keys, give the data of what is to be copied a second name (blobs never
//! change), and write the rows with the job's progress in one transaction.

use super::{Fault, Made, Step, at_work, bucket};
use crate::server::domain::jobs::copying::{Version, to_copy};
use crate::server::store::copies::{self, Copy};
use crate::server::store::objects::buckets::BucketRow;
use crate::server::store::objects::versions::{self, VersionRow, Walk};
use crate::server::store::{BlobName, Blobs, Draft, Store, StoreError, blocking, jobs};
use crate::wire::{JobItem, JobKind, JobProgress, LockMode, Retention, Versioning};
use rusqlite::Connection;

/// Most copies of one step.
const COPIES: usize = 64;
/// Most keys that one step looks at.
const KEYS: u64 = 1000;
/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// What a step is going to do.
#[derive(Default)]
struct Plan {
    copies: Vec<Copy>,
    /// Keys that are done with after the step.
    keys: u64,
    /// The last of them.
    last_key: Option<String>,
    /// Whether that was the last key of the source.
    end: bool,
}

/// One step. `now` is in milliseconds since 1970.
pub async fn step(store: &Store, id: &str, now: i64) -> Result<(Step, u64, u64), Fault> {
    let wanted = id.to_owned();
    let plan = store.read(move |connection| look(connection, &wanted, now)).await?;
    let (plan, drafts) = give_names(store.blobs().clone(), plan).await?;
    // From here on only the outcome of the write says whether rows refer to the new names.
    let names: Vec<BlobName> = drafts.into_iter().map(Draft::release).collect();
    let versions = plan.copies.len() as u64;
    let bytes: u64 = plan.copies.iter().map(|copy| u64::try_from(copy.row.size).unwrap_or(0)).sum();
    let wanted = id.to_owned();
    let written = store.write(move |connection| write(connection, &wanted, &plan, bytes, now)).await;
    match written {
        Ok((step, replaced)) => {
            store.blobs().remove(replaced).await;
            Ok((step, versions, bytes))
        }
        Err(Fault::Store(error)) => Err(Fault::Store(error)),
        Err(refused @ (Fault::Refused(_) | Fault::Gone)) => {
            store.blobs().remove(names).await;
            Err(refused)
        }
    }
}

/// Both buckets of a copying job.
fn pair(connection: &Connection, job: &JobItem) -> Result<(BucketRow, BucketRow, String), Fault> {
    let target = job.target.as_ref().ok_or_else(|| Fault::Refused("the job has no target".to_owned()))?;
    Ok((bucket(connection, &job.source)?, bucket(connection, target)?, target.user_id.clone()))
}

fn look(connection: &Connection, id: &str, now: i64) -> Result<Plan, Fault> {
    let (job, _) = at_work(connection, id)?;
    let (source, target, _) = pair(connection, &job)?;
    let mut plan = Plan { last_key: job.progress.last_key.clone(), ..Plan::default() };
    while plan.copies.len() < COPIES && plan.keys < KEYS {
        let Some((key, rows)) = next_key(connection, source.id, plan.last_key.as_deref())? else {
            plan.end = true;
            break;
        };
        let wanted = key_copies(connection, &job, &target, &key, rows, now)?;
        let room = COPIES - plan.copies.len();
        if wanted.len() > room {
            // The rest of this key is found again by the next step.
            plan.copies.extend(wanted.into_iter().take(room));
            break;
        }
        plan.copies.extend(wanted);
        plan.keys += 1;
        plan.last_key = Some(key);
    }
    Ok(plan)
}

/// All versions of the key after this one, oldest first.
fn next_key(
    connection: &Connection,
    bucket: i64,
    after: Option<&str>,
) -> Result<Option<(String, Vec<VersionRow>)>, StoreError> {
    let mut rows: Vec<VersionRow> = Vec::new();
    versions::walk_all_after(connection, bucket, after, |row| {
        if rows.first().is_some_and(|first| first.key != row.key) {
            return Walk::End;
        }
        rows.push(row);
        Walk::On
    })?;
    rows.reverse();
    Ok(rows.first().map(|row| row.key.clone()).map(|key| (key, rows)))
}

fn key_copies(
    connection: &Connection,
    job: &JobItem,
    target: &BucketRow,
    key: &str,
    rows: Vec<VersionRow>,
    now: i64,
) -> Result<Vec<Copy>, StoreError> {
    let restore = job.kind == JobKind::Restore;
    let up_to = job.up_to.map_or(i64::MAX, jiff::Timestamp::as_millisecond);
    let mut source: Vec<(Version, VersionRow)> = Vec::new();
    for row in rows.into_iter().filter(|row| row.modified <= up_to) {
        if let Some(version) = copies::version(connection, &row, restore)? {
            source.push((version, row));
        }
    }
    let held = copies::held(connection, target.id, key)?;
    let seen: Vec<Version> = source.iter().map(|(version, _)| *version).collect();
    let places = to_copy(&seen, &held, target.versioning == Versioning::Enabled);
    let copy = |place: usize| {
        let (version, row) = &source[place];
        let (retention, legal_hold) = protection(target, row, now);
        Copy { row: row.clone(), origin: version.origin, blob: None, retention, legal_hold }
    };
    Ok(places.into_iter().map(copy).collect())
}

/// In a bucket with object lock a copy is protected as its original is, and at least as the bucket's default says.
fn protection(target: &BucketRow, row: &VersionRow, now: i64) -> (Option<(LockMode, i64)>, bool) {
    if !target.object_lock || row.marker {
        return (None, false);
    }
    let own = row.retention_mode.zip(row.retained_until).filter(|(_, until)| *until > now);
    let length = |retention: Retention| {
        i64::from(retention.days.unwrap_or(0)) + 365 * i64::from(retention.years.unwrap_or(0))
    };
    let default = target.retention.map(|retention| (retention.mode, now + DAY * length(retention)));
    let longer = match (own, default) {
        (Some(own), Some(default)) if default.1 > own.1 => Some(default),
        (own, default) => own.or(default),
    };
    (longer, row.legal_hold)
}

/// Gives the data of each copy a name of its own; what was removed from the source meanwhile is left out.
async fn give_names(blobs: Blobs, mut plan: Plan) -> Result<(Plan, Vec<Draft>), StoreError> {
    blocking(move || {
        let mut drafts = Vec::new();
        let mut kept = Vec::with_capacity(plan.copies.len());
        for mut copy in plan.copies {
            if let Some(data) = &copy.row.blob {
                let Some(draft) = blobs.link(data)? else { continue };
                copy.blob = Some(draft.name().clone());
                drafts.push(draft);
            }
            kept.push(copy);
        }
        plan.copies = kept;
        Ok((plan, drafts))
    })
    .await
}

fn write(connection: &Connection, id: &str, plan: &Plan, bytes: u64, now: i64) -> Result<Made, Fault> {
    let (mut job, _) = at_work(connection, id)?;
    let (_, target, target_user) = pair(connection, &job)?;
    let mut gone = Vec::new();
    for copy in &plan.copies {
        let replaced = versions::replaced_by(connection, &target, &copy.row.key)?;
        if let Some(old) = &replaced {
            if old.is_locked(now) {
                let bucket = &target.name;
                return Err(Fault::Refused(format!("a locked object of bucket '{bucket}' is in the way")));
            }
            gone.extend(old.blob.clone());
        }
        copies::write(connection, &target, copy, replaced.as_ref())?;
    }
    let (_, target, _) = pair(connection, &job)?;
    if !plan.copies.is_empty() && copies::over_quota(connection, &target_user, &target)? {
        let bucket = &target.name;
        return Err(Fault::Refused(format!("a quota that bucket '{bucket}' counts for is exceeded")));
    }
    let JobProgress { versions, bytes: before, keys, .. } = job.progress;
    job.progress = JobProgress {
        versions: versions + plan.copies.len() as u64,
        bytes: before + bytes,
        keys: keys + plan.keys,
        last_key: plan.last_key.clone(),
    };
    jobs::update(connection, &job)?;
    Ok((if plan.end { Step::Done } else { Step::More }, gone))
}
