//! One valid user, and what a change of one thing about it comes to.

mod desired;
mod place;
mod plan;
mod property;

use super::desired::Desired;
use super::observe::{Referrers, Seen};
use super::place::Place;
use super::plan::There;
use crate::api::{DeletionPolicy, StorageUser};
use crate::provider::{ClusterId, ObjectName, OwnerMark, Quota, Usage, UserState};
use crate::wire::Role;
use serde_json::json;

/// A StorageUser as the API server would send it, not yet made.
pub fn user() -> StorageUser {
    serde_json::from_value(json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": "StorageUser",
        "metadata": { "name": "app", "namespace": "team-a", "uid": "u-1", "creationTimestamp": "2026-01-02T00:00:00Z" },
        "spec": { "tenantRef": { "name": "acme" }, "displayName": "The app", "email": "app@example.com" },
    }))
    .unwrap()
}

/// The same, made and recorded.
pub fn made() -> StorageUser {
    let mut user = user();
    user.status = serde_json::from_value(json!({
        "userId": "us_1", "login": "team-a_app", "account": "main", "tenant": "acme",
    }))
    .unwrap();
    user
}

pub fn desired() -> Desired {
    Desired::of(&user()).unwrap()
}

pub fn owner() -> OwnerMark {
    OwnerMark { cluster: ClusterId("c-1".to_owned()), uid: "u-1".to_owned() }
}

pub fn object() -> ObjectName {
    ObjectName { namespace: Some("team-a".to_owned()), name: "app".to_owned() }
}

/// The user as the provider has it, just as [`user`] asks.
pub fn there() -> UserState {
    UserState {
        id: "us_1".to_owned(),
        login: "team-a_app".to_owned(),
        tenant_id: "tn_1".to_owned(),
        display_name: "The app".to_owned(),
        email: "app@example.com".to_owned(),
        time_zone: "UTC".to_owned(),
        role: Role::FullAccess,
        enabled: true,
        description: String::new(),
        quota: Quota::default(),
        owner: Some(owner()),
        object: Some(object()),
        usage: Usage::default(),
    }
}

/// What there is when everything is as it should be.
pub fn seen() -> Seen {
    Seen {
        owner: owner(),
        object: object(),
        login: "team-a_app".to_owned(),
        place: Ok(Place { account: "main".to_owned(), tenant_id: "tn_1".to_owned(), withdrawn: None }),
        there: There::User(Box::new(there())),
        referrers: Referrers::default(),
        policy: DeletionPolicy::Delete,
        namespace_ends: false,
        announced: false,
        refusal: None,
        tell_usage: false,
    }
}
