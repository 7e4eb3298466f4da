//! What a spec asks for, what it may not ask for, and whose the bucket is.

use super::{bucket, made};
use crate::api::bucket::ObjectLock;
use crate::api::{Bucket, ByteSize, NameRef, Reason, StorageUser};
use crate::operator::bucket::Desired;
use crate::operator::bucket::place::{Place, find};
use crate::operator::runtime::{Blocked, Verdict};
use crate::provider::{Quota, Retention, RetentionPeriod};
use crate::wire::{LockMode, Versioning};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

fn lock(days: Option<u32>, years: Option<u32>) -> ObjectLock {
    ObjectLock { mode: LockMode::Governance, days, years }
}

#[test]
fn object_lock_turns_versioning_on() {
    for versioning in [Versioning::Disabled, Versioning::Enabled] {
        let mut bucket = bucket();
        bucket.spec.versioning = versioning;
        bucket.spec.object_lock = Some(lock(Some(7), None));
        bucket.spec.quota.size = Some(ByteSize("1Mi".to_owned()));
        let desired = Desired::of(&bucket).unwrap();
        assert_eq!(desired.versioning, Versioning::Enabled);
        let period = RetentionPeriod::Days(7);
        assert_eq!(desired.lock, Some(Retention { mode: LockMode::Governance, period }));
        assert_eq!(desired.quota, Quota { size: Some(1 << 20), ..Quota::default() });
    }
}

#[test]
fn a_spec_that_cannot_be_is_refused_with_its_field_and_value() {
    type Change = fn(&mut Bucket);
    let cases: [(Change, &str); 8] = [
        (
            |bucket| bucket.spec.name = Some("ab".to_owned()),
            "`spec.name`, 'ab', must have 3 to 63 characters.",
        ),
        (
            |bucket| bucket.spec.name = Some("10.0.0.1".to_owned()),
            "`spec.name`, '10.0.0.1', must not look like an IP address.",
        ),
        (
            |bucket| bucket.metadata.name = Some("a..b".to_owned()),
            "`spec.name`, 'a..b', must consist of labels that begin and end with a letter or digit.",
        ),
        (
            |bucket| bucket.spec.quota.size = Some(ByteSize("1Xi".to_owned())),
            "`spec.quota.size`, '1Xi', must be a size below 8Ei, such as '50Gi'.",
        ),
        (
            |bucket| {
                bucket.spec.object_lock = Some(lock(Some(1), None));
                bucket.spec.versioning = Versioning::Suspended;
            },
            "`spec.versioning` may not be Suspended with `spec.objectLock`, which needs versions. Set it to Enabled.",
        ),
        (
            |bucket| bucket.spec.object_lock = Some(lock(None, None)),
            "exactly one of `days` and `years`, and at least 1.",
        ),
        (
            |bucket| bucket.spec.object_lock = Some(lock(Some(1), Some(1))),
            "exactly one of `days` and `years`, and at least 1.",
        ),
        (
            |bucket| bucket.spec.object_lock = Some(lock(Some(0), None)),
            "exactly one of `days` and `years`, and at least 1.",
        ),
    ];
    for (change, expected) in cases {
        let mut bucket = bucket();
        change(&mut bucket);
        let Blocked(reason, message) = Desired::of(&bucket).unwrap_err();
        assert_eq!(reason, Reason::InvalidSpec);
        assert!(message.ends_with(expected), "{message}");
    }
}

#[test]
fn identity_is_what_the_bucket_was_made_as() {
    type Change = fn(&mut Bucket);
    let cases: [(Change, &str); 4] = [
        (
            |bucket| bucket.spec.user_ref = NameRef { name: "web".to_owned() },
            "`spec.userRef` was 'app' and must not change to 'web'. Change it back, or make a new Bucket.",
        ),
        (
            |bucket| bucket.spec.name = Some("other".to_owned()),
            "`spec.name` was 'data' and must not change to 'other'. Change it back, or make a new Bucket.",
        ),
        (
            |bucket| bucket.spec.object_lock = Some(lock(Some(1), None)),
            "Bucket 'data' was made without object lock, and `spec.objectLock` can only be asked for at creation. Remove it, or make a new Bucket.",
        ),
        (
            |bucket| bucket.status.as_mut().unwrap().object_lock = Some(true),
            "Bucket 'data' was made with object lock, and `spec.objectLock` must not be removed. Put it back, or make a new Bucket.",
        ),
    ];
    assert!(Desired::of(&made()).is_ok());
    for (change, expected) in cases {
        let mut bucket = made();
        change(&mut bucket);
        let Blocked(reason, message) = Desired::of(&bucket).unwrap_err();
        assert_eq!((reason, message.as_str()), (Reason::IdentityChanged, expected));
    }
    let mut changed_retention = made();
    changed_retention.status.as_mut().unwrap().object_lock = Some(true);
    changed_retention.spec.object_lock = Some(lock(None, Some(2)));
    assert!(Desired::of(&changed_retention).is_ok(), "the length of the retention is no identity");
}

fn user(ready: Option<(&str, &str)>) -> StorageUser {
    let conditions: Vec<_> = ready
        .into_iter()
        .map(|(status, reason)| {
            json!({
                "type": "Ready", "status": status, "reason": reason, "message": "",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            })
        })
        .collect();
    serde_json::from_value(json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": "StorageUser",
        "metadata": { "name": "app", "namespace": "team-a" },
        "spec": { "tenantRef": { "name": "acme" } },
        "status": { "userId": "us_1", "account": "main", "conditions": conditions },
    }))
    .unwrap()
}

#[test]
fn a_bucket_waits_until_its_user_is_ready() {
    let ready = user(Some(("True", "Ready")));
    assert_eq!(
        find(&bucket(), Some(&ready)),
        Ok(Place { account: "main".to_owned(), user_id: "us_1".to_owned() })
    );
    let mut nameless = ready.clone();
    nameless.status.as_mut().unwrap().user_id = None;
    for (user, reason, message) in [
        (
            None,
            Reason::UserNotFound,
            "StorageUser 'app' does not exist in namespace 'team-a'. Waiting for it.",
        ),
        (
            Some(user(None)),
            Reason::UserNotReady,
            "StorageUser 'app' is not Ready: it is new. Waiting for it.",
        ),
        (
            Some(user(Some(("False", "TenantNotFound")))),
            Reason::UserNotReady,
            "StorageUser 'app' is not Ready: TenantNotFound. Waiting for it.",
        ),
        (Some(nameless), Reason::UserNotReady, "StorageUser 'app' is not Ready: it is new. Waiting for it."),
    ] {
        assert_eq!(find(&bucket(), user.as_ref()), Err(Verdict::waiting(reason, message)));
    }
}

#[test]
fn a_user_that_is_being_deleted_gets_no_new_buckets() {
    let mut leaving = user(Some(("True", "Ready")));
    leaving.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
    assert!(matches!(find(&bucket(), Some(&leaving)), Err(Verdict::Waiting(Reason::UserNotReady, _))));
    assert!(find(&made(), Some(&leaving)).is_ok());
}
