//! The life of a job.
//!
//! ```text
//!            ┌────────── schedule, run ───────────┐
//!            v                                    │
//!   Queued ──begin──> Running ──done──> Succeeded ┤
//!     ^  ^               │ │                      │
//!     │  └─ try again ───┘ └──give up──> Failed ──┤
//!     └──── held up ─────┘                        │
//!   Queued, Running ──────cancel──────> Cancelled ┘
//! ```
//!
//! A run is interrupted where it has begun and not ended: after a crash (still Running), between tries, or held up.
//! It goes on where it stopped; every other run begins anew.

use super::rules::{next_run, role_may};
use crate::server::domain::Refusal;
use crate::server::domain::access::{self, Action, OwnerFacts, Principal, Target};
use crate::wire::{HoldUp, JobItem, JobProgress, JobState, ProblemType, UserItem};
use jiff::{SignedDuration, Timestamp};

/// How often a run is tried again.
const TRIES: u32 = 8;
/// The longest wait between two tries.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// When a bucket is looked at again that is held up by what nobody knows the end of.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(60);

/// How a run, or a try, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is done.
    Done,
    /// It cannot be done, and trying again would not help.
    Refused(String),
    /// The server failed; it may go better later.
    Failed(String),
    /// The bucket cannot be empty yet.
    HeldUp(HoldUp),
}

/// Whether a run has begun and not ended.
pub fn interrupted(job: &JobItem) -> bool {
    job.started_at.is_some() && job.finished_at.is_none()
}

/// Whether it is time for a job to be taken up, by a runner that does not have it.
pub fn due(job: &JobItem, now: Timestamp) -> bool {
    job.next_run_at.is_some_and(|time| time <= now)
}

/// Whether the job's owner may still have it: a user that is not enabled, whose role was taken back, or who could not
/// make such a job on one of these buckets today, runs nothing.
pub fn owner_may(job: &JobItem, owner: &UserItem, buckets: &[(&str, OwnerFacts)]) -> Result<(), String> {
    if !owner.enabled {
        return Err("the job's owner is not enabled".to_owned());
    }
    if !role_may(owner.role, job.kind) {
        return Err(format!("the role of the job's owner does not allow {:?}", job.kind));
    }
    let principal =
        Principal { user_id: owner.id.clone(), role: owner.role, tenant_id: owner.tenant_id.clone() };
    let refused =
        |facts: &OwnerFacts| access::may(&principal, Action::Create, Target::Job(facts, job.kind)).is_err();
    match buckets.iter().find(|(_, facts)| refused(facts)) {
        Some((name, _)) => {
            Err(format!("the job's owner may no longer have such a job on the bucket '{name}'"))
        }
        None => Ok(()),
    }
}

/// The job at work. It stays due, so that it is taken up again by whoever comes after a crash.
pub fn begin(job: JobItem, now: Timestamp) -> JobItem {
    let fresh = !interrupted(&job);
    JobItem {
        state: JobState::Running,
        next_run_at: Some(now),
        started_at: if fresh { Some(now) } else { job.started_at },
        finished_at: None,
        retries: if fresh { 0 } else { job.retries },
        message: None,
        progress: if fresh { JobProgress::default() } else { job.progress },
        hold_up: None,
        ..job
    }
}

/// The job after a run or a try. `time_zone` is its owner's.
pub fn end(job: JobItem, outcome: Outcome, time_zone: &str, now: Timestamp) -> JobItem {
    let next = job.schedule.as_deref().and_then(|schedule| next_run(schedule, time_zone, now).ok());
    let ended = |job: JobItem, state, message| JobItem {
        state,
        next_run_at: next,
        finished_at: Some(now),
        message,
        progress: JobProgress { last_key: None, ..job.progress },
        ..job
    };
    match outcome {
        Outcome::Done => ended(job, JobState::Succeeded, None),
        Outcome::Refused(message) => ended(job, JobState::Failed, Some(message)),
        Outcome::Failed(message) if job.retries >= TRIES => ended(job, JobState::Failed, Some(message)),
        Outcome::Failed(message) => JobItem {
            state: JobState::Queued,
            next_run_at: Some(later(now, wait(job.retries))),
            retries: job.retries + 1,
            message: Some(message),
            ..job
        },
        Outcome::HeldUp(hold_up) => JobItem {
            state: JobState::Queued,
            next_run_at: Some(hold_up.earliest.unwrap_or_else(|| later(now, LOOK_AGAIN)).max(now)),
            message: Some("the bucket cannot be empty yet; `holdUp` says why".to_owned()),
            progress: JobProgress { last_key: None, ..job.progress },
            hold_up: Some(hold_up),
            ..job
        },
    }
}

/// What holds a bucket up that nothing more can be removed from; nothing where it is empty.
pub fn hold_up(
    retained: u64,
    retained_until: Option<Timestamp>,
    legal_holds: u64,
    uploads: u64,
) -> Option<HoldUp> {
    let known = legal_holds == 0 && uploads == 0;
    let held = retained > 0 || !known;
    let earliest = retained_until.filter(|_| known);
    held.then_some(HoldUp { retained, retained_until, legal_holds, uploads, earliest })
}

fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// 1, 2, 4 … seconds, at most five minutes.
fn wait(retries: u32) -> SignedDuration {
    SignedDuration::from_secs(1_i64 << retries.min(16)).min(LONGEST_WAIT)
}

/// The job, told to run now.
pub fn run(job: JobItem, now: Timestamp) -> Result<JobItem, Refusal> {
    if job.state == JobState::Running || (job.state == JobState::Queued && due(&job, now)) {
        return Err(Refusal::new(ProblemType::WrongState, "the job is at work, or about to be"));
    }
    Ok(JobItem { state: JobState::Queued, next_run_at: Some(now), ..job })
}

/// The job, ended for good: neither its schedule nor a retry takes it up again, only being told to run.
pub fn cancel(job: JobItem, now: Timestamp) -> Result<JobItem, Refusal> {
    if job.next_run_at.is_none() {
        return Err(Refusal::new(
            ProblemType::WrongState,
            "the job is not going to run: nothing is to be cancelled",
        ));
    }
    let finished_at = if interrupted(&job) { Some(now) } else { job.finished_at };
    Ok(JobItem { state: JobState::Cancelled, next_run_at: None, finished_at, hold_up: None, ..job })
}

#[cfg(test)]
#[path = "life_tests.rs"]
mod tests;
