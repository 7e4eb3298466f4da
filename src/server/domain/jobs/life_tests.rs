use super::{Outcome, begin, cancel, due, end, hold_up, interrupted, owner_may, run};
use crate::server::domain::access::{OwnerFacts, TenantFacts};
use crate::server::domain::jobs::rules::tests::job;
use crate::server::domain::users::tests::user;
use crate::wire::{HoldUp, JobItem, JobKind, JobProgress, JobState, ProblemType, Role, UserItem, Visibility};
use jiff::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn progressed(job: JobItem) -> JobItem {
    let progress = JobProgress { versions: 3, bytes: 30, keys: 2, last_key: Some("k".to_owned()) };
    JobItem { progress, ..job }
}

#[test]
fn a_run_that_crashed_goes_on_where_it_stopped() {
    let running = progressed(begin(job(), at(10)));
    assert!(due(&running, at(10)) && interrupted(&running));
    let resumed = begin(running.clone(), at(99));
    assert_eq!((resumed.started_at, &resumed.progress), (Some(at(10)), &running.progress));
}

#[test]
fn a_new_run_begins_anew_and_a_finished_one_stays_finished() {
    let done = end(progressed(begin(job(), at(10))), Outcome::Done, "UTC", at(20));
    assert_eq!((done.state, done.next_run_at, done.finished_at), (JobState::Succeeded, None, Some(at(20))));
    assert_eq!((done.progress.versions, done.progress.last_key.as_deref()), (3, None));
    assert!(!due(&done, at(1000)) && !interrupted(&done));
    let again = begin(run(done, at(30)).unwrap(), at(31));
    assert_eq!(
        (again.started_at, again.finished_at, again.progress),
        (Some(at(31)), None, JobProgress::default())
    );
}

#[test]
fn a_failure_is_tried_again_after_a_growing_wait_and_given_up_in_the_end() {
    let mut now = at(0);
    let mut waits = Vec::new();
    let mut failing = progressed(begin(job(), now));
    loop {
        failing = end(failing, Outcome::Failed("disk".to_owned()), "UTC", now);
        if failing.state == JobState::Failed {
            break;
        }
        assert_eq!((failing.state, failing.message.as_deref()), (JobState::Queued, Some("disk")));
        let next = failing.next_run_at.unwrap();
        waits.push(next.as_second() - now.as_second());
        now = next;
        failing = begin(failing, now);
        assert_eq!(failing.progress.versions, 3, "a try goes on where the one before stopped");
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128]);
    assert_eq!((failing.next_run_at, failing.message.as_deref()), (None, Some("disk")));
}

#[test]
fn what_cannot_be_done_is_not_tried_again_before_its_schedule() {
    let scheduled = JobItem { schedule: Some("0 1 * * *".to_owned()), ..job() };
    let refused = end(begin(scheduled, at(0)), Outcome::Refused("no".to_owned()), "UTC", at(1));
    assert_eq!((refused.state, refused.next_run_at), (JobState::Failed, Some(at(3600))));
}

#[test]
fn a_bucket_that_is_held_up_is_looked_at_when_it_can_be_empty_or_in_an_hour() {
    for (earliest, next) in [(Some(at(5000)), at(5000)), (None, at(3601)), (Some(at(0)), at(1))] {
        let hold_up = HoldUp { retained: 1, earliest, ..HoldUp::default() };
        let held = end(begin(job(), at(0)), Outcome::HeldUp(hold_up.clone()), "UTC", at(1));
        assert_eq!(
            (held.state, held.next_run_at, held.hold_up),
            (JobState::Queued, Some(next), Some(hold_up))
        );
    }
}

#[test]
fn an_empty_bucket_has_its_earliest_time_only_where_nobody_has_to_end_something_first() {
    for (retained, until, legal_holds, uploads, expected) in [
        (0, None, 0, 0, None),
        (2, Some(at(9)), 0, 0, Some(Some(at(9)))),
        (2, Some(at(9)), 1, 0, Some(None)),
        (2, Some(at(9)), 0, 1, Some(None)),
        (0, None, 1, 0, Some(None)),
        (0, None, 0, 1, Some(None)),
    ] {
        let held = hold_up(retained, until, legal_holds, uploads);
        assert_eq!(held.map(|held| held.earliest), expected, "{retained} {legal_holds} {uploads}");
    }
}

#[test]
fn a_cancelled_job_runs_only_when_told_to() {
    let scheduled = JobItem { schedule: Some("0 1 * * *".to_owned()), ..job() };
    let cancelled = cancel(begin(scheduled, at(0)), at(5)).unwrap();
    assert_eq!((cancelled.state, cancelled.next_run_at), (JobState::Cancelled, None));
    assert_eq!(cancelled.finished_at, Some(at(5)));
    assert_eq!(cancel(cancelled.clone(), at(6)).unwrap_err().kind, ProblemType::WrongState);
    let again = run(cancelled, at(7)).unwrap();
    assert_eq!((again.state, again.next_run_at), (JobState::Queued, Some(at(7))));
    assert_eq!(run(again, at(7)).unwrap_err().kind, ProblemType::WrongState);
    assert_eq!(run(begin(job(), at(0)), at(7)).unwrap_err().kind, ProblemType::WrongState);
}

#[test]
fn rule_10_a_job_stops_with_its_owners_right_to_it() {
    let with = |role, enabled| UserItem { role, enabled, ..user() };
    let backup = job();
    let restore = JobItem { kind: JobKind::Restore, ..job() };
    let may = |job, owner: UserItem| owner_may(job, &owner, &[]).is_ok();
    assert!(may(&backup, with(Role::Backup, true)));
    assert!(!may(&backup, with(Role::Backup, false)));
    assert!(!may(&backup, with(Role::ReadOnly, true)));
    assert!(!may(&restore, with(Role::Backup, true)));
    assert!(may(&restore, with(Role::FullAccess, true)));
}

#[test]
fn rule_11_a_job_stops_with_its_owners_right_to_each_of_its_buckets() {
    let of = |tenant: &str| OwnerFacts {
        user_id: "us_other".to_owned(),
        tenant: TenantFacts { id: tenant.to_owned(), visibility: Visibility::Public, built_in: false },
        made_by: "system".to_owned(),
    };
    let owner = UserItem { role: Role::FullAccess, tenant_id: "tn_1".to_owned(), ..user() };
    let may = |buckets: &[(&str, OwnerFacts)]| owner_may(&job(), &owner, buckets);
    assert_eq!(may(&[("data", of("tn_1")), ("copy", of("tn_1"))]), Ok(()));
    let refused = may(&[("data", of("tn_1")), ("copy", of("tn_2"))]).unwrap_err();
    assert_eq!(refused, "the job's owner may no longer have such a job on the bucket 'copy'");
}
