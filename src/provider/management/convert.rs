//! From the provider's words to the wire's and back. A field that is added to either side fails to compile here.

use super::marks;
use crate::provider::{
    BucketState, BucketWish, Capability, Contents, KeyState, KeyWish, Quota, Retention, RetentionPeriod,
    TenantState, TenantWish, Usage, UserState, UserWish,
};
use crate::wire;
use std::collections::BTreeSet;

/// What the server says it can do; features that this client does not know are left out. Its permission levels are exact.
pub fn capabilities(features: &[String]) -> BTreeSet<Capability> {
    let known = [
        Capability::IdempotentMint,
        Capability::KeyBuckets,
        Capability::KeySuspension,
        Capability::Versioning,
        Capability::ObjectLock,
        Capability::Quotas,
    ];
    let said = |known: &Capability| features.iter().any(|feature| feature == known.as_str());
    known.into_iter().filter(said).chain([Capability::ExactWrite]).collect()
}

fn quota_to_wire(quota: Quota) -> wire::Quota {
    let Quota { buckets, size, objects } = quota;
    wire::Quota { buckets, size, objects }
}

fn quota(quota: wire::Quota) -> Quota {
    let wire::Quota { buckets, size, objects } = quota;
    Quota { buckets, size, objects }
}

fn usage(usage: wire::Usage) -> Usage {
    let wire::Usage { buckets, access_keys, size, objects } = usage;
    Usage { buckets, access_keys, size, objects }
}

/// The request that makes a tenant.
pub fn tenant_create(wish: &TenantWish) -> wire::TenantCreate {
    let TenantWish { name, visibility, description, quota, owner, object } = wish;
    wire::TenantCreate {
        name: name.clone(),
        visibility: *visibility,
        description: description.clone(),
        quota: quota_to_wire(*quota),
        labels: marks::labels(owner, object),
    }
}

/// The request that makes a tenant as wished. Labels stay: others may have added theirs.
pub fn tenant_patch(wish: &TenantWish) -> wire::TenantPatch {
    let TenantWish { name: _, visibility, description, quota, owner: _, object: _ } = wish;
    wire::TenantPatch {
        visibility: Some(*visibility),
        description: Some(description.clone()),
        quota: Some(quota_to_wire(*quota)),
        labels: None,
    }
}

/// A tenant as the server has it.
pub fn tenant(item: wire::TenantItem) -> TenantState {
    let wire::TenantItem {
        id,
        name,
        visibility,
        description,
        quota: limits,
        labels,
        built_in,
        created_at: _,
    } = item;
    TenantState {
        id,
        name,
        visibility,
        description,
        quota: quota(limits),
        owner: marks::owner(&labels),
        object: marks::object(&labels),
        built_in,
    }
}

/// The request that makes a user in an account.
pub fn user_create(wish: &UserWish, account_id: &str) -> wire::UserCreate {
    let UserWish {
        login,
        tenant_id,
        display_name,
        email,
        time_zone,
        role,
        enabled,
        description,
        quota,
        owner,
        object,
    } = wish;
    wire::UserCreate {
        login: login.clone(),
        name: display_name.clone(),
        email: email.clone(),
        time_zone: time_zone.clone(),
        role: *role,
        tenant_id: tenant_id.clone(),
        account_id: Some(account_id.to_owned()),
        enabled: *enabled,
        description: description.clone(),
        password: None,
        quota: quota_to_wire(*quota),
        labels: marks::labels(owner, object),
    }
}

/// The request that makes a user as wished.
pub fn user_patch(wish: &UserWish) -> wire::UserPatch {
    let UserWish {
        login: _,
        tenant_id: _,
        display_name,
        email,
        time_zone,
        role,
        enabled,
        description,
        quota,
        owner: _,
        object: _,
    } = wish;
    wire::UserPatch {
        name: Some(display_name.clone()),
        email: Some(email.clone()),
        time_zone: Some(time_zone.clone()),
        role: Some(*role),
        tenant_id: None,
        enabled: Some(*enabled),
        description: Some(description.clone()),
        password: None,
        quota: Some(quota_to_wire(*quota)),
        labels: None,
    }
}

/// A user as the server has it.
pub fn user(item: wire::UserItem) -> UserState {
    let wire::UserItem {
        id,
        login,
        name,
        email,
        time_zone,
        role,
        tenant_id,
        account_id: _,
        enabled,
        root: _,
        description,
        quota: limits,
        labels,
        usage: stored,
        created_at: _,
    } = item;
    UserState {
        id,
        login,
        tenant_id,
        display_name: name,
        email,
        time_zone,
        role,
        enabled,
        description,
        quota: quota(limits),
        owner: marks::owner(&labels),
        object: marks::object(&labels),
        usage: usage(stored),
    }
}

/// The request that makes a key.
pub fn key_create(wish: &KeyWish) -> wire::AccessKeyCreate {
    let KeyWish { user_id, permission, description, buckets, owner, object, secret, epoch, nonce } = wish;
    let mut labels = marks::key_labels(owner, object, *epoch, nonce);
    labels.insert(marks::SECRET.to_owned(), secret.clone());
    wire::AccessKeyCreate {
        user_id: user_id.clone(),
        permission: *permission,
        description: description.clone(),
        buckets: buckets.clone(),
        labels,
    }
}

/// A key as the server lists it; `None` where its mark cannot be read in full.
pub fn key(item: wire::AccessKeyItem) -> Option<KeyState> {
    let (epoch, nonce) = marks::attempt(&item.labels)?;
    Some(KeyState {
        owner: marks::owner(&item.labels)?,
        object: marks::object(&item.labels),
        secret: item.labels.get(marks::SECRET).cloned(),
        access_key_id: item.access_key_id,
        user_id: item.user_id,
        active: item.active,
        epoch,
        nonce,
        created_at: item.created_at,
        complete: true,
    })
}

fn retention_to_wire(retention: Retention) -> wire::Retention {
    let Retention { mode, period } = retention;
    let (days, years) = match period {
        RetentionPeriod::Days(days) => (Some(days), None),
        RetentionPeriod::Years(years) => (None, Some(years)),
    };
    wire::Retention { mode, days, years }
}

fn retention(retention: wire::Retention) -> Option<Retention> {
    let wire::Retention { mode, days, years } = retention;
    let period = match (days, years) {
        (Some(days), None) => RetentionPeriod::Days(days),
        (None, Some(years)) => RetentionPeriod::Years(years),
        (Some(_), Some(_)) | (None, None) => return None,
    };
    Some(Retention { mode, period })
}

/// The request that makes a bucket.
pub fn bucket_create(wish: &BucketWish) -> wire::BucketCreate {
    let BucketWish { user_id, name, versioning, object_lock, quota, owner, object } = wish;
    wire::BucketCreate {
        user_id: user_id.clone(),
        name: name.clone(),
        versioning: *versioning,
        object_lock: object_lock.is_some(),
        default_retention: object_lock.map(retention_to_wire),
        quota: quota_to_wire(*quota),
        labels: marks::labels(owner, object),
    }
}

/// The request that makes a bucket as wished. A retention is only spoken of where the bucket may have one.
pub fn bucket_patch(wish: &BucketWish) -> wire::BucketPatch {
    let BucketWish { user_id: _, name: _, versioning, object_lock, quota, owner: _, object: _ } = wish;
    wire::BucketPatch {
        versioning: Some(*versioning),
        default_retention: object_lock.map(|retention| Some(retention_to_wire(retention))),
        quota: Some(quota_to_wire(*quota)),
        labels: None,
    }
}

/// A bucket as the server has it.
pub fn bucket(item: wire::BucketItem) -> BucketState {
    let wire::BucketItem {
        user_id,
        name,
        versioning,
        object_lock,
        default_retention,
        quota: limits,
        labels,
        usage: stored,
        contents,
        created_at: _,
    } = item;
    let wire::BucketContents { versions, delete_markers, uploads, locked, locked_until } = contents;
    BucketState {
        user_id,
        name,
        versioning,
        object_lock,
        default_retention: default_retention.and_then(retention),
        quota: quota(limits),
        owner: marks::owner(&labels),
        object: marks::object(&labels),
        usage: usage(stored),
        contents: Contents { versions, delete_markers, uploads, locked, locked_until },
        complete: true,
    }
}
