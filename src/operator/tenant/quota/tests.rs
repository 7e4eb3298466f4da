//! Who comes first where a quota of buckets or of size is all but used up.

use super::takes_bucket;
use crate::api::{Bucket, ByteSize, Reason, StorageUser, Tenant, TenantSpec};
use serde_json::json;
use std::sync::Arc;

fn bucket(uid: &str, user: &str, made: bool, created: &str) -> Bucket {
    let status = if made { json!({ "bucketName": uid }) } else { json!({}) };
    serde_json::from_value(json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": "Bucket",
        "metadata": { "name": uid, "namespace": "team-a", "uid": uid, "creationTimestamp": created },
        "spec": { "userRef": { "name": user } }, "status": status,
    }))
    .unwrap()
}

fn user(name: &str, stored: u64) -> Arc<StorageUser> {
    let usage = json!({ "buckets": 1, "accessKeys": 0, "size": stored, "objects": 1 });
    Arc::new(
        serde_json::from_value(json!({
            "apiVersion": "storekeeper.dev/v1alpha1", "kind": "StorageUser",
            "metadata": { "name": name, "namespace": "team-a", "uid": name },
            "spec": { "tenantRef": { "name": "acme" } }, "status": { "usage": usage },
        }))
        .unwrap(),
    )
}

const OLDER: &str = "2026-01-01T00:00:00Z";
const NEWER: &str = "2026-01-03T00:00:00Z";

#[test]
fn a_quota_of_buckets_goes_to_those_that_are_made_and_then_to_the_older_ones() {
    let mine = bucket("b-1", "app", false, "2026-01-02T00:00:00Z");
    for (what, limit, others, taken) in [
        ("no room at all", 0, vec![], false),
        ("itself", 1, vec![mine.clone()], true),
        ("an older one", 1, vec![bucket("b-0", "app", false, OLDER)], false),
        ("a newer one", 1, vec![bucket("b-2", "app", false, NEWER)], true),
        ("a newer one that is made", 1, vec![bucket("b-2", "web", true, NEWER)], false),
        ("one of another tenant", 1, vec![bucket("b-0", "stranger", true, OLDER)], true),
        ("room for both", 2, vec![bucket("b-0", "app", true, OLDER)], true),
    ] {
        let mut tenant = Tenant::new("acme", TenantSpec::default());
        tenant.spec.quota.buckets = Some(limit);
        let others: Vec<_> = others.into_iter().map(Arc::new).collect();
        let outcome = takes_bucket(&mine, &tenant, &[user("app", 0), user("web", 0)], &others);
        assert_eq!(outcome.is_ok(), taken, "{what}");
        if let Err(blocked) = outcome {
            assert_eq!(blocked.0, Reason::QuotaExceeded);
            assert!(blocked.1.contains("`spec.quota.buckets`"), "{}", blocked.1);
        }
    }
}

#[test]
fn a_tenant_that_has_stored_as_much_as_it_may_gets_no_new_buckets() {
    let mine = bucket("b-1", "app", false, OLDER);
    for (size, stored, taken) in
        [(None, u64::MAX, true), (Some("1Ki"), 1023, true), (Some("1Ki"), 1024, false), (Some("0"), 0, false)]
    {
        let mut tenant = Tenant::new("acme", TenantSpec::default());
        tenant.spec.quota.size = size.map(|text| ByteSize(text.to_owned()));
        let outcome = takes_bucket(&mine, &tenant, &[user("app", stored)], &[]);
        assert_eq!(outcome.is_ok(), taken, "{size:?} {stored}");
        if let Err(blocked) = outcome {
            assert!(blocked.1.contains("`spec.quota.size`"), "{}", blocked.1);
        }
    }
}
