//! What is done about a bucket: one row a rule.

use super::{desired, seen};
use crate::api::{DeletionPolicy, Reason};
use crate::operator::bucket::observe::Seen;
use crate::operator::bucket::plan::{There, contents, plan};
use crate::operator::bucket::{Desired, Step};
use crate::operator::runtime::{Plan, Verdict};
use crate::provider::{BucketState, Capability, Retention, RetentionPeriod};
use crate::wire::{LockMode, Versioning};

/// A plan in short: what it does, and where it does nothing, how the object stands.
fn short(plan: &Plan<Step>) -> String {
    let steps: Vec<String> = plan
        .steps
        .iter()
        .map(|step| match step {
            Step::Create { account, wish } => format!("create {} at {account}", wish.name),
            Step::Update { account, wish } => format!("update {} at {account}", wish.name),
            Step::Delete { account, name, .. } => format!("delete {name} at {account}"),
        })
        .collect();
    match (&plan.verdict, steps.is_empty()) {
        (_, false) => steps.join(", "),
        (Verdict::Ready, true) => "Ready".to_owned(),
        (Verdict::Waiting(reason, _), true) => format!("Waiting {reason}"),
        (Verdict::Blocked(reason, _), true) => format!("Blocked {reason}"),
    }
}

fn message(plan: &Plan<Step>) -> &str {
    match &plan.verdict {
        Verdict::Ready => "",
        Verdict::Waiting(_, message) | Verdict::Blocked(_, message) => message,
    }
}

fn bucket(seen: &mut Seen) -> &mut BucketState {
    match &mut seen.there {
        There::Bucket(bucket) => bucket,
        other => panic!("{other:?}"),
    }
}

fn retention(days: u32) -> Retention {
    Retention { mode: LockMode::Governance, period: RetentionPeriod::Days(days) }
}

fn out_of_reach() -> There {
    There::OutOfReach(Verdict::waiting(Reason::AccountNotReady, "StorageAccount 'main' is not Ready."))
}

#[test]
fn a_bucket_is_made_and_kept_as_its_spec_asks() {
    type Change = fn(&mut Desired, &mut Seen);
    let cases: [(&str, Change, &str); 16] = [
        ("as it should be", |_, _| (), "Ready"),
        ("new", |_, seen| seen.there = There::NotAsked, "create data at main"),
        ("gone at the provider", |_, seen| seen.there = There::Nothing, "create data at main"),
        (
            "no user",
            |_, seen| seen.place = Err(Verdict::waiting(Reason::UserNotFound, "")),
            "Waiting UserNotFound",
        ),
        ("account down", |_, seen| seen.there = out_of_reach(), "Waiting AccountNotReady"),
        ("quota", |desired, _| desired.quota.objects = Some(1), "update data at main"),
        ("quota there", |_, seen| bucket(seen).quota.size = Some(1), "update data at main"),
        ("no mark", |_, seen| bucket(seen).owner = None, "Blocked NameTaken"),
        (
            "another object's",
            |_, seen| bucket(seen).owner.as_mut().unwrap().uid = "u-2".to_owned(),
            "Blocked NameTaken",
        ),
        (
            "lock asked for",
            |desired, _| {
                (desired.lock, desired.versioning) = (Some(retention(1)), Versioning::Enabled);
            },
            "Blocked IdentityChanged",
        ),
        ("lock there", |_, seen| bucket(seen).object_lock = true, "Blocked IdentityChanged"),
        (
            "longer retention",
            |desired, seen| {
                (desired.lock, desired.versioning) = (Some(retention(2)), Versioning::Enabled);
                let bucket = bucket(seen);
                (bucket.object_lock, bucket.default_retention) = (true, Some(retention(1)));
                bucket.versioning = Versioning::Enabled;
            },
            "update data at main",
        ),
        (
            "no versioning",
            |desired, seen| {
                desired.versioning = Versioning::Enabled;
                seen.capabilities.remove(&Capability::Versioning);
            },
            "Blocked NotSupportedByProvider",
        ),
        (
            "no quotas",
            |desired, seen| {
                desired.quota.size = Some(1);
                seen.capabilities.remove(&Capability::Quotas);
                seen.there = There::NotAsked;
            },
            "Blocked NotSupportedByProvider",
        ),
        (
            "no lock",
            |desired, seen| {
                (desired.lock, desired.versioning) = (Some(retention(1)), Versioning::Enabled);
                seen.capabilities.remove(&Capability::ObjectLock);
                seen.there = There::NotAsked;
            },
            "Blocked NotSupportedByProvider",
        ),
        ("usage", |_, seen| bucket(seen).usage.objects = 7, "Ready"),
    ];
    for (what, change, expected) in cases {
        let (mut desired, mut seen) = (desired(), seen());
        change(&mut desired, &mut seen);
        assert_eq!(short(&plan(Some(&desired), &seen)), expected, "{what}");
    }
}

#[test]
fn versioning_is_enabled_and_suspended_but_never_disabled_again() {
    use Versioning::{Disabled, Enabled, Suspended};
    for (is, wanted, expected) in [
        (Disabled, Disabled, "Ready"),
        (Disabled, Enabled, "update data at main"),
        (Disabled, Suspended, "update data at main"),
        (Enabled, Enabled, "Ready"),
        (Enabled, Suspended, "update data at main"),
        (Enabled, Disabled, "Blocked InvalidSpec"),
        (Suspended, Suspended, "Ready"),
        (Suspended, Enabled, "update data at main"),
        (Suspended, Disabled, "Blocked InvalidSpec"),
    ] {
        let (mut desired, mut seen) = (desired(), seen());
        desired.versioning = wanted;
        bucket(&mut seen).versioning = is;
        let plan = plan(Some(&desired), &seen);
        assert_eq!(short(&plan), expected, "{is:?} to {wanted:?}");
        if expected.starts_with("Blocked") {
            assert_eq!(
                message(&plan),
                "Bucket 'data' has had versioning enabled, and `spec.versioning` may not go back to Disabled: it can only be suspended. Set it to Suspended or Enabled."
            );
        }
    }
}

#[test]
fn a_taken_name_says_by_whom_and_what_to_do() {
    let mut seen = seen();
    bucket(&mut seen).owner = None;
    assert_eq!(
        message(&plan(Some(&desired()), &seen)),
        "StorageUser 'app' has a bucket 'data' at account 'main' that was not made by storekeeper; it is left as it is. Choose another `spec.name`, or remove that bucket there."
    );
    assert_eq!(short(&plan(None, &seen)), "Ready", "it is not removed either");
}

#[test]
fn a_bucket_is_removed_only_where_that_is_asked_for_and_it_is_empty() {
    type Change = fn(&mut Seen);
    let cases: [(&str, Change, &str); 15] = [
        ("empty", |_| (), "delete data at main"),
        ("retained", |seen| seen.policy = DeletionPolicy::Retain, "Ready"),
        ("gone already", |seen| seen.there = There::Nothing, "Ready"),
        (
            "never made",
            |seen| {
                (seen.place, seen.there) = (Err(Verdict::waiting(Reason::UserNotFound, "")), There::NotAsked);
            },
            "Ready",
        ),
        ("objects", |seen| bucket(seen).usage.objects = 1, "Waiting BucketNotEmpty"),
        ("versions", |seen| bucket(seen).contents.versions = 1, "Waiting BucketNotEmpty"),
        ("delete markers", |seen| bucket(seen).contents.delete_markers = 1, "Waiting BucketNotEmpty"),
        ("uploads", |seen| bucket(seen).contents.uploads = 1, "Waiting BucketNotEmpty"),
        (
            "data in a namespace that ends",
            |seen| {
                (seen.namespace_ends, seen.announced) = (true, true);
                bucket(seen).contents.versions = 1;
            },
            "Waiting BucketNotEmpty",
        ),
        ("refused", |seen| seen.refusal = Some("1 access key".to_owned()), "Waiting InUse"),
        (
            "refused in a namespace that ends",
            |seen| {
                (seen.namespace_ends, seen.refusal) = (true, Some("1 access key".to_owned()));
            },
            "Waiting InUse",
        ),
        (
            "said so in a namespace that ends",
            |seen| {
                (seen.namespace_ends, seen.announced, seen.refusal) =
                    (true, true, Some("1 access key".to_owned()));
            },
            "Ready",
        ),
        ("account down", |seen| seen.there = out_of_reach(), "Waiting AccountNotReady"),
        (
            "user gone",
            |seen| {
                let gone = Verdict::waiting(Reason::UserNotFound, "");
                (seen.place, seen.there) = (Err(gone.clone()), There::OutOfReach(gone));
            },
            "Waiting UserNotFound",
        ),
        ("not asked", |seen| seen.there = There::NotAsked, "Waiting Deleting"),
    ];
    for (what, change, expected) in cases {
        let mut seen = seen();
        change(&mut seen);
        assert_eq!(short(&plan(None, &seen)), expected, "{what}");
    }
}

#[test]
fn what_is_in_a_bucket_is_told_with_its_numbers_and_the_way_out() {
    let mut full = super::there();
    assert_eq!(contents(&full), None);
    full.usage.size = 3_328_599_654;
    full.contents.versions = 1_204;
    full.contents.locked = 12;
    full.contents.locked_until = Some("2027-01-31T12:00:00Z".parse().unwrap());
    assert_eq!(
        contents(&full).unwrap(),
        "Bucket 'data' holds 1 204 objects (3.1 GiB), 12 of them locked until 2027-01-31. Empty it, or set `spec.deletionPolicy` to Retain."
    );
    full.versioning = Versioning::Suspended;
    full.contents.locked = 0;
    full.contents.versions = 1;
    full.usage.size = 5;
    full.contents.delete_markers = 2;
    full.contents.uploads = 1;
    assert_eq!(
        contents(&full).unwrap(),
        "Bucket 'data' holds 1 object version (5 B); 2 delete markers; 1 unfinished upload. Empty it, or set `spec.deletionPolicy` to Retain."
    );
}

#[test]
fn numbers_that_were_told_a_moment_ago_are_kept() {
    let mut seen = seen();
    bucket(&mut seen).contents.versions = 8;
    seen.told = Some("Bucket 'data' holds 7 objects.".to_owned());
    assert_eq!(message(&plan(None, &seen)), "Bucket 'data' holds 7 objects.");
    bucket(&mut seen).contents.versions = 0;
    assert_eq!(short(&plan(None, &seen)), "delete data at main", "an empty bucket goes whatever was told");
}
