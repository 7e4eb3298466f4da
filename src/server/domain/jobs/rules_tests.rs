use super::{Side, buckets, check_sole_source, create, delete, patch, role_may};
use crate::server::domain::users::tests::user;
use crate::wire::{
    BucketRef, JobCreate, JobItem, JobKind, JobPatch, JobState, ProblemType, Role, Versioning,
};
use jiff::Timestamp;
use serde_json::{Value, json};

fn side(user: &str, name: &str) -> Side {
    Side {
        bucket: BucketRef { user_id: user.to_owned(), name: name.to_owned() },
        tenant_id: "tn_1".to_owned(),
        root: false,
        versioning: Versioning::Enabled,
    }
}

fn wish(value: Value) -> JobCreate {
    serde_json::from_value(value).unwrap()
}

fn backup_wish() -> Value {
    json!({
        "kind": "Backup", "source": {"userId": "us_1", "name": "data"}, "target": {"userId": "us_2", "name": "copy"},
    })
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A Backup of `us_1/data` to `us_2/copy`, queued at 0.
pub fn job() -> JobItem {
    let (source, target) = (side("us_1", "data"), side("us_2", "copy"));
    create("jb_1".to_owned(), &user(), wish(backup_wish()), &source, Some(&target), at(0)).unwrap()
}

#[test]
fn rule_10_backup_may_back_up_but_not_restore_and_read_only_may_nothing() {
    let all = [JobKind::Backup, JobKind::Restore, JobKind::EmptyBucket];
    for (role, may) in [
        (Role::Administrator, [true, true, true]),
        (Role::TenantAdministrator, [true, true, true]),
        (Role::FullAccess, [true, true, true]),
        (Role::Backup, [true, false, false]),
        (Role::ReadOnly, [false, false, false]),
    ] {
        assert_eq!(all.map(|kind| role_may(role, kind)), may, "{role:?}");
    }
}

#[test]
fn each_kind_names_the_buckets_that_it_needs_and_no_others() {
    let bucket = |name: &str| json!({"userId": "us_1", "name": name});
    let kind = |value: Value| buckets(&wish(value), Some(&job())).map_err(|refusal| refusal.detail);
    let refused = |value: Value| kind(value).unwrap_err();
    let (source, target) = kind(backup_wish()).unwrap();
    assert_eq!((source, target), (job().source, job().target));
    assert_eq!(
        refused(json!({"kind": "Backup", "source": bucket("a")})),
        "`target` must be given for Backup"
    );
    let with_id = json!({"kind": "EmptyBucket", "source": bucket("a"), "backupId": "jb_1"});
    assert_eq!(refused(with_id), "`backupId` must be absent for EmptyBucket");
    let with_target = json!({"kind": "EmptyBucket", "source": bucket("a"), "target": bucket("b")});
    assert_eq!(refused(with_target), "`target` must be absent for EmptyBucket");
    assert_eq!(refused(json!({"kind": "Restore"})), "`backupId` must be given for Restore");
    let scheduled = json!({"kind": "Restore", "backupId": "jb_1", "schedule": "* * * * *"});
    assert_eq!(refused(scheduled), "`schedule` must be absent for Restore");
}

#[test]
fn a_restore_reads_where_its_backup_writes_and_writes_back_or_elsewhere() {
    let restore = wish(json!({"kind": "Restore", "backupId": "jb_1"}));
    let (source, target) = buckets(&restore, Some(&job())).unwrap();
    assert_eq!((Some(source), target), (job().target, Some(job().source)));
    let elsewhere =
        json!({"kind": "Restore", "backupId": "jb_1", "target": {"userId": "us_1", "name": "other"}});
    assert_eq!(buckets(&wish(elsewhere), Some(&job())).unwrap().1, Some(side("us_1", "other").bucket));
    assert_eq!(buckets(&restore, None).unwrap_err().kind, ProblemType::NotFound);
    let emptying = JobItem { kind: JobKind::EmptyBucket, target: None, ..job() };
    assert_eq!(buckets(&restore, Some(&emptying)).unwrap_err().kind, ProblemType::RuleViolated);
}

#[test]
fn rule_3_data_stays_within_the_tenant_and_on_its_side_of_the_root_user() {
    let good = || (side("us_1", "data"), side("us_2", "copy"));
    let outcome = |kind: &str, (source, target): (Side, Side)| {
        let value = json!({"kind": kind, "source": source.bucket, "target": target.bucket});
        create("jb_1".to_owned(), &user(), wish(value), &source, Some(&target), at(0))
            .map(|_| ())
            .map_err(|r| r.kind)
    };
    let refused = Err(ProblemType::RuleViolated);
    assert_eq!(outcome("Backup", good()), Ok(()));
    assert_eq!(outcome("Backup", (good().0, good().0)), refused);
    let elsewhere = Side { tenant_id: "tn_2".to_owned(), ..good().1 };
    assert_eq!(outcome("Backup", (good().0, elsewhere)), refused);
    for kind in ["Backup", "Restore"] {
        let root = Side { root: true, ..good().1 };
        assert_eq!(outcome(kind, (good().0, root.clone())), refused);
        assert_eq!(outcome(kind, (root, good().0)), refused);
    }
    let unversioned = Side { versioning: Versioning::Suspended, ..good().1 };
    assert_eq!(outcome("Backup", (good().0, unversioned.clone())), refused);
    assert_eq!(outcome("Restore", (good().0, unversioned)), Ok(()));
    assert!(check_sole_source(0).is_ok() && check_sole_source(1).is_err());
}

#[test]
fn a_job_is_due_at_once_or_when_its_schedule_says_in_its_owners_time_zone() {
    assert_eq!((job().state, job().next_run_at), (JobState::Queued, Some(at(0))));
    let mut value = backup_wish();
    value["schedule"] = json!("30 2 * * *");
    let owner = crate::wire::UserItem { time_zone: "Asia/Tokyo".to_owned(), ..user() };
    let (source, target) = (side("us_1", "data"), side("us_2", "copy"));
    let made = create("jb_1".to_owned(), &owner, wish(value.clone()), &source, Some(&target), at(0)).unwrap();
    assert_eq!(made.next_run_at.unwrap().to_string(), "1970-01-01T17:30:00Z");
    value["schedule"] = json!("0 0 30 2 *");
    let never = create("jb_1".to_owned(), &owner, wish(value), &source, Some(&target), at(0)).unwrap_err();
    assert_eq!(never.detail, "`schedule` names a time that never comes");
}

#[test]
fn a_new_schedule_queues_a_job_and_without_one_it_does_not_run_by_itself() {
    let schedule =
        |text: Option<&str>| JobPatch { schedule: Some(text.map(str::to_owned)), ..JobPatch::default() };
    let apply = |job: JobItem, text| patch(job, schedule(text), "UTC", at(0)).unwrap();
    let done = JobItem { state: JobState::Succeeded, next_run_at: None, ..job() };
    let daily = apply(done.clone(), Some("0 1 * * *"));
    assert_eq!((daily.state, daily.next_run_at), (JobState::Succeeded, Some(at(3600))));
    let cancelled = JobItem { state: JobState::Cancelled, ..done };
    assert_eq!(apply(cancelled, Some("0 1 * * *")).state, JobState::Queued);
    let off = apply(JobItem { state: JobState::Queued, ..daily.clone() }, None);
    assert_eq!((off.state, off.next_run_at, off.schedule), (JobState::Cancelled, None, None));
    let running = JobItem { state: JobState::Running, next_run_at: Some(at(0)), ..daily };
    let after = apply(running, None);
    assert_eq!((after.state, after.next_run_at, after.schedule), (JobState::Running, Some(at(0)), None));
    let refused = patch(job(), schedule(Some("nonsense")), "UTC", at(0)).unwrap_err();
    assert_eq!(refused.kind, ProblemType::RuleViolated);
}

#[test]
fn a_job_at_work_and_a_backup_that_restores_wait_for_are_not_deleted() {
    let running = JobItem { state: JobState::Running, ..job() };
    assert_eq!(delete(&running, 0).unwrap_err().kind, ProblemType::WrongState);
    assert_eq!(delete(&job(), 1).unwrap_err().kind, ProblemType::InUse);
    assert_eq!(delete(&job(), 0), Ok(()));
}
