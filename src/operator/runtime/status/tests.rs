use super::{Conditioned as _, Judgement, after_failure, next};
use crate::api::{BucketStatus, Reason};
use crate::operator::runtime::{Extra, Verdict};
use jiff::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn judged(verdict: Verdict) -> Judgement {
    Judgement { verdict, deleting: false, extra: Vec::new() }
}

fn fresh() -> BucketStatus {
    BucketStatus { observed_generation: -1, ..BucketStatus::default() }
}

fn lines(status: &BucketStatus) -> Vec<String> {
    let line = |c: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition| {
        format!("{}={} {}", c.type_, c.status, c.reason)
    };
    status.conditions().0.iter().map(line).collect()
}

#[test]
fn a_verdict_becomes_the_conditions_that_gitops_tools_read() {
    let waiting = || Verdict::waiting(Reason::UserNotFound, "StorageUser 'u' does not exist.");
    let blocked = || Verdict::blocked(Reason::NameTaken, "taken");
    for (verdict, deleting, expected) in [
        (Verdict::Ready, false, vec!["Ready=True Ready"]),
        (waiting(), false, vec!["Ready=False UserNotFound", "Reconciling=True UserNotFound"]),
        (blocked(), false, vec!["Ready=False NameTaken", "Stalled=True NameTaken"]),
        (Verdict::Ready, true, vec!["Ready=False Deleting"]),
        (
            waiting(),
            true,
            vec![
                "Ready=False UserNotFound",
                "Reconciling=True UserNotFound",
                "DeletionBlocked=True UserNotFound",
            ],
        ),
        (
            blocked(),
            true,
            vec!["Ready=False NameTaken", "Stalled=True NameTaken", "DeletionBlocked=True NameTaken"],
        ),
    ] {
        let judgement = Judgement { verdict, deleting, extra: Vec::new() };
        let status = next(&fresh(), fresh(), &judgement, 3, at(10)).unwrap();
        assert_eq!(lines(&status), expected);
        assert_eq!(status.observed_generation, 3);
        assert!(status.conditions.0.iter().all(|c| c.observed_generation == Some(3)));
    }
}

#[test]
fn an_unchanged_verdict_is_not_written_again() {
    let judgement = judged(Verdict::waiting(Reason::UserNotFound, "m"));
    let status = next(&fresh(), fresh(), &judgement, 1, at(10)).unwrap();
    assert_eq!(next(&status, status.clone(), &judgement, 1, at(999)), None);
}

#[test]
fn the_time_of_a_condition_moves_only_when_its_status_does() {
    let first =
        next(&fresh(), fresh(), &judged(Verdict::waiting(Reason::UserNotFound, "m")), 1, at(10)).unwrap();
    let other = judged(Verdict::waiting(Reason::UserNotReady, "m"));
    let second = next(&first, first.clone(), &other, 1, at(20)).unwrap();
    assert_eq!(second.conditions.get("Ready").unwrap().last_transition_time.0, at(10));
    let third = next(&second, second.clone(), &judged(Verdict::Ready), 1, at(30)).unwrap();
    assert_eq!(third.conditions.get("Ready").unwrap().last_transition_time.0, at(30));
    assert_eq!(third.conditions.get("Reconciling"), None);
}

#[test]
fn a_new_generation_is_written_even_where_nothing_else_changed() {
    let ready = judged(Verdict::Ready);
    let first = next(&fresh(), fresh(), &ready, 1, at(10)).unwrap();
    let second = next(&first, first.clone(), &ready, 2, at(20)).unwrap();
    assert_eq!(second.observed_generation, 2);
    assert_eq!(second.conditions.get("Ready").unwrap().last_transition_time.0, at(10));
}

#[test]
fn fields_of_the_kind_are_written_when_they_change() {
    let ready = judged(Verdict::Ready);
    let first = next(&fresh(), fresh(), &ready, 1, at(10)).unwrap();
    let draft = BucketStatus { owner: Some("u".to_owned()), ..first.clone() };
    assert_eq!(next(&first, draft, &ready, 1, at(20)).unwrap().owner.as_deref(), Some("u"));
}

#[test]
fn conditions_of_the_kind_come_and_go_with_the_plan() {
    let extra = Extra {
        kind: "SecretPublished",
        holds: false,
        reason: Reason::NotPublished,
        message: "m".to_owned(),
    };
    let with = Judgement { verdict: Verdict::Ready, deleting: false, extra: vec![extra] };
    let first = next(&fresh(), fresh(), &with, 1, at(10)).unwrap();
    assert_eq!(lines(&first), ["Ready=True Ready", "SecretPublished=False NotPublished"]);
    let second = next(&first, first.clone(), &judged(Verdict::Ready), 1, at(20)).unwrap();
    assert_eq!(lines(&second), ["Ready=True Ready"]);
}

#[test]
fn a_failure_leaves_the_conditions_of_the_kind_as_they_are() {
    let extra =
        Extra { kind: "SecretPublished", holds: true, reason: Reason::Published, message: "m".to_owned() };
    let ready = Judgement { verdict: Verdict::Ready, deleting: false, extra: vec![extra] };
    let before = next(&fresh(), fresh(), &ready, 1, at(10)).unwrap();
    let failed = || Verdict::waiting(Reason::AccountUnreachable, "m");
    let after = after_failure(&before, failed(), false, 1, at(20)).unwrap();
    let expected = [
        "Ready=False AccountUnreachable",
        "Reconciling=True AccountUnreachable",
        "SecretPublished=True Published",
    ];
    assert_eq!(lines(&after), expected);
    assert_eq!(after_failure(&after, failed(), false, 1, at(30)), None);
}
