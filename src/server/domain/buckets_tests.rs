//! Tables for the rules of buckets.

use super::{Room, create, delete, patch};
use crate::server::domain::users::tests::user;
use crate::wire::{
    BucketContents, BucketCreate, BucketItem, BucketPatch, ProblemType, Quota, UserItem, Versioning,
};
use jiff::Timestamp;
use serde_json::json;

fn made(fields: &serde_json::Value) -> Result<BucketItem, ProblemType> {
    let mut body = json!({"userId": "us_1", "name": "data"});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let wish: BucketCreate = serde_json::from_value(body).unwrap();
    create(&user(), wish, Room::default(), Timestamp::UNIX_EPOCH).map_err(|refusal| refusal.kind)
}

fn patched(before: &BucketItem, fields: serde_json::Value) -> Result<BucketItem, ProblemType> {
    let change: BucketPatch = serde_json::from_value(fields).unwrap();
    patch(before.clone(), change).map_err(|refusal| refusal.kind)
}

const VIOLATED: ProblemType = ProblemType::RuleViolated;

#[test]
fn rule_8_versioning_and_object_lock_are_optional_and_lock_turns_versioning_on() {
    assert_eq!(made(&json!({})).unwrap().versioning, Versioning::Disabled);
    assert_eq!(made(&json!({"versioning": "Enabled"})).unwrap().versioning, Versioning::Enabled);
    let locked = made(&json!({"objectLock": true})).unwrap();
    assert!(locked.object_lock && locked.versioning == Versioning::Enabled);
    assert_eq!(made(&json!({"objectLock": true, "versioning": "Suspended"})), Err(VIOLATED));
}

#[test]
fn bucket_names_follow_the_rules_of_s3() {
    for (name, good) in [("data", true), ("ab", false), ("Data", false), ("a..b", false), ("10.0.0.1", false)]
    {
        assert_eq!(made(&json!({"name": name})).is_ok(), good, "{name}");
    }
}

#[test]
fn a_default_retention_needs_object_lock_and_has_days_or_years() {
    let of = |lock: bool, retention: &serde_json::Value| {
        made(&json!({"objectLock": lock, "defaultRetention": retention})).map(|_| ())
    };
    for (lock, retention, outcome) in [
        (true, json!({"mode": "Governance", "days": 1}), Ok(())),
        (true, json!({"mode": "Compliance", "years": 100}), Ok(())),
        (true, json!({"mode": "Compliance", "years": 101}), Err(VIOLATED)),
        (true, json!({"mode": "Governance", "days": 0}), Err(VIOLATED)),
        (true, json!({"mode": "Governance"}), Err(VIOLATED)),
        (true, json!({"mode": "Governance", "days": 1, "years": 1}), Err(VIOLATED)),
        (false, json!({"mode": "Governance", "days": 1}), Err(VIOLATED)),
    ] {
        assert_eq!(of(lock, &retention), outcome, "{retention}");
    }
}

#[test]
fn versioning_is_suspended_but_never_disabled_again() {
    let at = |versioning: &str| made(&json!({"versioning": versioning})).unwrap();
    for (from, to, good) in [
        ("Disabled", "Enabled", true),
        ("Disabled", "Suspended", true),
        ("Enabled", "Suspended", true),
        ("Suspended", "Enabled", true),
        ("Enabled", "Disabled", false),
        ("Suspended", "Disabled", false),
    ] {
        assert_eq!(patched(&at(from), json!({"versioning": to})).is_ok(), good, "{from} → {to}");
    }
    let locked = made(&json!({"objectLock": true})).unwrap();
    assert_eq!(patched(&locked, json!({"versioning": "Suspended"})), Err(VIOLATED));
}

#[test]
fn a_patch_with_null_clears_the_retention_and_one_without_keeps_it() {
    let retention = json!({"mode": "Governance", "days": 3});
    let before = made(&json!({"objectLock": true, "defaultRetention": retention})).unwrap();
    assert_eq!(patched(&before, json!({})).unwrap(), before);
    assert_eq!(patched(&before, json!({"defaultRetention": null})).unwrap().default_retention, None);
}

#[test]
fn the_quotas_of_user_and_tenant_bound_the_number_of_buckets() {
    let limit = |buckets| Quota { buckets, ..Quota::default() };
    for (user_limit, tenant_limit, good) in [
        (None, None, true),
        (Some(3), None, true),
        (Some(2), None, false),
        (None, Some(6), true),
        (None, Some(5), false),
        (Some(0), None, false),
    ] {
        let owner = UserItem { quota: limit(user_limit), ..user() };
        let room = Room { user_buckets: 2, tenant_buckets: 5, tenant_quota: limit(tenant_limit) };
        let wish = serde_json::from_value(json!({"userId": "us_1", "name": "data"})).unwrap();
        let result = create(&owner, wish, room, Timestamp::UNIX_EPOCH).map_err(|refusal| refusal.kind);
        assert_eq!(result.is_ok(), good, "{user_limit:?} {tenant_limit:?}");
        assert!(good || result == Err(ProblemType::QuotaExceeded));
    }
    assert_eq!(made(&json!({"quota": {"buckets": 1}})), Err(VIOLATED));
}

#[test]
fn rule_12_only_an_empty_bucket_is_deleted_and_what_is_in_it_is_named() {
    let holding = |contents| BucketItem { contents, ..made(&json!({})).unwrap() };
    assert_eq!(delete(&holding(BucketContents::default()), 0, 0), Ok(()));
    for contents in [
        BucketContents { versions: 1, ..BucketContents::default() },
        BucketContents { delete_markers: 1, ..BucketContents::default() },
        BucketContents { uploads: 1, ..BucketContents::default() },
    ] {
        assert_eq!(delete(&holding(contents), 0, 0).unwrap_err().kind, ProblemType::InUse);
    }
    let until = Timestamp::from_second(1_800_000_000).unwrap();
    let locked =
        BucketContents { versions: 12, locked: 3, locked_until: Some(until), ..BucketContents::default() };
    let detail = delete(&holding(locked), 0, 0).unwrap_err().detail;
    assert!(detail.contains("12") && detail.contains("3 of them locked until 2027-01-15"), "{detail}");
    let empty = holding(BucketContents::default());
    assert!(delete(&empty, 2, 0).unwrap_err().detail.contains("restricted to it: 2"));
    assert!(delete(&empty, 0, 1).unwrap_err().detail.contains("going to run: 1"));
}
