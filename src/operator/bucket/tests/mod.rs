//! One valid bucket, and what a change of one thing about it comes to.

mod desired;
mod plan;
mod property;

use super::desired::Desired;
use super::observe::Seen;
use super::place::Place;
use super::plan::There;
use crate::api::{Bucket, DeletionPolicy};
use crate::provider::{BucketState, Capability, ClusterId, Contents, ObjectName, OwnerMark, Quota, Usage};
use crate::wire::Versioning;
use serde_json::json;

/// A Bucket as the API server would send it, not yet made.
pub fn bucket() -> Bucket {
    serde_json::from_value(json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": "Bucket",
        "metadata": { "name": "data", "namespace": "team-a", "uid": "u-1" },
        "spec": { "userRef": { "name": "app" } },
    }))
    .unwrap()
}

/// The same, made and recorded.
pub fn made() -> Bucket {
    let mut bucket = bucket();
    let status = json!({ "bucketName": "data", "owner": "app", "objectLock": false });
    bucket.status = serde_json::from_value(status).unwrap();
    bucket
}

pub fn desired() -> Desired {
    Desired::of(&bucket()).unwrap()
}

pub fn owner() -> OwnerMark {
    OwnerMark { cluster: ClusterId("c-1".to_owned()), uid: "u-1".to_owned() }
}

pub fn object() -> ObjectName {
    ObjectName { namespace: Some("team-a".to_owned()), name: "data".to_owned() }
}

/// The bucket as the provider has it, just as [`bucket`] asks.
pub fn there() -> BucketState {
    BucketState {
        user_id: "us_1".to_owned(),
        name: "data".to_owned(),
        versioning: Versioning::Disabled,
        object_lock: false,
        default_retention: None,
        quota: Quota::default(),
        owner: Some(owner()),
        object: Some(object()),
        usage: Usage::default(),
        contents: Contents::default(),
        complete: true,
    }
}

/// What there is when everything is as it should be.
pub fn seen() -> Seen {
    Seen {
        owner: owner(),
        object: object(),
        name: "data".to_owned(),
        place: Ok(Place { account: "main".to_owned(), user_id: "us_1".to_owned() }),
        there: There::Bucket(Box::new(there())),
        capabilities: [Capability::Versioning, Capability::ObjectLock, Capability::Quotas].into(),
        policy: DeletionPolicy::Delete,
        namespace_ends: false,
        announced: false,
        told: None,
        refusal: None,
        tell_usage: false,
    }
}
