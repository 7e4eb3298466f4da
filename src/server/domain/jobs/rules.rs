//! What a job may be made of, and what may be done to it.

use super::Schedule;
use super::schedule::ScheduleError;
use crate::server::domain::{Refusal, fields};
use crate::wire::{
    BucketRef, JobCreate, JobItem, JobKind, JobPatch, JobProgress, JobState, ProblemType, Role, UserItem,
    Versioning,
};
use jiff::Timestamp;

/// What the rules need of a bucket that a job names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The bucket.
    pub bucket: BucketRef,
    /// The tenant of its owner.
    pub tenant_id: String,
    /// Whether its owner is a Root user.
    pub root: bool,
    /// Whether it keeps older versions.
    pub versioning: Versioning,
}

/// The kinds of job that a role may have: rule 10. What one may not make, one may not change, run or remove either.
pub fn role_may(role: Role, kind: JobKind) -> bool {
    match role {
        Role::Administrator | Role::TenantAdministrator | Role::FullAccess => true,
        Role::Backup => kind == JobKind::Backup,
        Role::ReadOnly => false,
    }
}

/// The buckets that a new job names. `backup` is the Backup job that a Restore names, where the caller may see it.
pub fn buckets(
    wish: &JobCreate,
    backup: Option<&JobItem>,
) -> Result<(BucketRef, Option<BucketRef>), Refusal> {
    let JobCreate { kind, source, target, backup_id, up_to, description: _, schedule } = wish;
    let absent = |field: &str, there: bool| {
        let refusal = || Refusal::field(field, format!("must be absent for {kind:?}"));
        if there { Err(refusal()) } else { Ok(()) }
    };
    let needed = |field: &str| Refusal::field(field, format!("must be given for {kind:?}"));
    if *kind != JobKind::Restore {
        absent("backupId", backup_id.is_some())?;
        absent("upTo", up_to.is_some())?;
    }
    match kind {
        JobKind::Backup => {
            let source = source.clone().ok_or_else(|| needed("source"))?;
            Ok((source, Some(target.clone().ok_or_else(|| needed("target"))?)))
        }
        JobKind::EmptyBucket => {
            absent("target", target.is_some())?;
            Ok((source.clone().ok_or_else(|| needed("source"))?, None))
        }
        JobKind::Restore => {
            absent("source", source.is_some())?;
            absent("schedule", schedule.is_some())?;
            backup_id.as_ref().ok_or_else(|| needed("backupId"))?;
            let backup = backup.ok_or_else(Refusal::not_found)?;
            let copies = backup.target.clone().filter(|_| backup.kind == JobKind::Backup);
            let copies = copies.ok_or_else(|| Refusal::field("backupId", "must name a Backup job"))?;
            Ok((copies, Some(target.clone().unwrap_or_else(|| backup.source.clone()))))
        }
    }
}

/// A new job. It is due at once, or when its schedule says.
pub fn create(
    id: String,
    owner: &UserItem,
    wish: JobCreate,
    source: &Side,
    target: Option<&Side>,
    now: Timestamp,
) -> Result<JobItem, Refusal> {
    let JobCreate { kind, source: _, target: _, backup_id, up_to, description, schedule } = wish;
    fields::text("description", &description)?;
    if let Some(target) = target {
        check_pair(kind, source, target)?;
    }
    let next = match &schedule {
        Some(schedule) => next_run(schedule, &owner.time_zone, now)?,
        None => now,
    };
    Ok(JobItem {
        id,
        kind,
        user_id: owner.id.clone(),
        source: source.bucket.clone(),
        target: target.map(|side| side.bucket.clone()),
        backup_id,
        up_to,
        description,
        schedule,
        state: JobState::Queued,
        next_run_at: Some(next),
        started_at: None,
        finished_at: None,
        retries: 0,
        message: None,
        progress: JobProgress::default(),
        hold_up: None,
        created_at: now,
    })
}

/// Data stays within the tenant, and on its side of the wall between a Root user and the others (rule 3).
fn check_pair(kind: JobKind, source: &Side, target: &Side) -> Result<(), Refusal> {
    if source.bucket == target.bucket {
        return Err(Refusal::field("target", "must be another bucket than `source`"));
    }
    if source.tenant_id != target.tenant_id {
        return Err(Refusal::field("target", "must be a bucket of the same tenant"));
    }
    if source.root != target.root {
        return Err(Refusal::field(
            "target",
            "must not be across the line between a Root user and other users",
        ));
    }
    if kind == JobKind::Backup && target.versioning != Versioning::Enabled {
        let detail = "must have versioning Enabled: a backup keeps every version";
        return Err(Refusal::field("target", detail));
    }
    Ok(())
}

/// A bucket takes the backups of one other bucket only, so that what is restored from it is of that one.
pub fn check_sole_source(others: u64) -> Result<(), Refusal> {
    if others == 0 {
        return Ok(());
    }
    Err(Refusal::field("target", "already takes the backups of another bucket"))
}

/// When a schedule comes next in the owner's time zone.
pub fn next_run(schedule: &str, time_zone: &str, now: Timestamp) -> Result<Timestamp, Refusal> {
    let zone = fields::zone(time_zone)
        .ok_or_else(|| Refusal::field("timeZone", "of the job's owner must be an IANA time zone"))?;
    let unfit = |error: ScheduleError| Refusal::field("schedule", error.to_string());
    Schedule::parse(schedule).and_then(|schedule| schedule.next(now, &zone)).map_err(unfit)
}

/// A job after a patch. A new schedule queues it; without one it no longer runs by itself.
pub fn patch(before: JobItem, patch: JobPatch, time_zone: &str, now: Timestamp) -> Result<JobItem, Refusal> {
    let JobPatch { description, schedule } = patch;
    let mut after = JobItem { description: description.unwrap_or(before.description), ..before };
    fields::text("description", &after.description)?;
    let Some(schedule) = schedule.filter(|schedule| *schedule != after.schedule) else { return Ok(after) };
    if after.kind == JobKind::Restore {
        return Err(Refusal::field("schedule", "must be absent for Restore"));
    }
    let next = schedule.as_deref().map(|text| next_run(text, time_zone, now)).transpose()?;
    let waits_for_its_schedule = after.state != JobState::Running && !super::life::interrupted(&after);
    if waits_for_its_schedule {
        after.next_run_at = next;
        after.state = match (after.state, next.is_some()) {
            (JobState::Cancelled, true) => JobState::Queued,
            (JobState::Queued, false) => JobState::Cancelled,
            (state, _) => state,
        };
    }
    after.schedule = schedule;
    Ok(after)
}

/// A job whose owner is in another time zone from now on: what waits for its schedule waits for another time.
pub fn moved(job: JobItem, time_zone: &str, now: Timestamp) -> Result<JobItem, Refusal> {
    let waits = job.next_run_at.is_some() && !super::life::due(&job, now) && !super::life::interrupted(&job);
    match job.schedule.as_deref().filter(|_| waits) {
        Some(schedule) => Ok(JobItem { next_run_at: Some(next_run(schedule, time_zone, now)?), ..job }),
        None => Ok(job),
    }
}

/// A job at work is cancelled first; a Backup that restores wait for is kept.
pub fn delete(job: &JobItem, restores: u64) -> Result<(), Refusal> {
    if job.state == JobState::Running {
        return Err(Refusal::new(ProblemType::WrongState, "the job is at work: cancel it first"));
    }
    let what = format!("job '{}'", job.id);
    Refusal::in_use(&what, &[(restores, "unfinished Restore jobs")]).map_or(Ok(()), Err)
}

#[cfg(test)]
#[path = "rules_tests.rs"]
pub(in crate::server) mod tests;
