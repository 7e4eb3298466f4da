//! What a tenant has withdrawn from a user or a key that is there already, where it says to suspend them. Pure.
//!
//! What is not known withdraws nothing: a namespace whose labels were not seen keeps what it has. Of too many, those that
//! came last are suspended.

use super::admission::{admits, allows};
use super::quota::{keys_used_up, users_used_up};
use crate::api::key::{AccessKey, KeyIdentity};
use crate::api::tenant::OnWithdrawal;
use crate::api::{StorageUser, Tenant};
use crate::operator::runtime::Blocked;
use crate::operator::runtime::kind::{Located, namespace_of, uid_of};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whether the tenant suspends what it does not allow any more.
pub fn suspends(tenant: &Tenant) -> bool {
    match tenant.spec.on_withdrawal {
        OnWithdrawal::Keep => false,
        OnWithdrawal::Suspend => true,
    }
}

/// The tenant that a user was made in, or would be.
pub fn tenant_of(user: &StorageUser) -> &str {
    let made = user.status.as_ref().and_then(|status| status.tenant.as_deref());
    made.unwrap_or(&user.spec.tenant_ref.name)
}

/// Why a user that was made is to be suspended: its namespace is not admitted any more, or there are too many users.
/// `labels` are those of its namespace; `users` are all of the tenant.
pub fn of_user(
    user: &StorageUser,
    tenant: &Tenant,
    labels: Option<&BTreeMap<String, String>>,
    users: &[Arc<StorageUser>],
) -> Option<Blocked> {
    if !suspends(tenant) {
        return None;
    }
    if let Some(labels) = labels
        && let Err(blocked) = admits(tenant, namespace_of(user), labels)
    {
        return Some(blocked);
    }
    let limit = tenant.spec.quota.users?;
    let made = |user: &StorageUser| user.status.as_ref().is_some_and(|status| status.user_id.is_some());
    let before = users.iter().filter(|other| made(other) && is_before(&***other, user));
    (before.count() >= limit as usize).then(|| users_used_up(tenant, limit))
}

/// Why a key that was published is to be suspended: its permission is not allowed any more, or its user has too many keys.
/// `made_as` is what it was made as, whatever its spec says now; `keys` may be anybody's of the namespace.
pub fn of_key(
    key: &AccessKey,
    made_as: &KeyIdentity,
    tenant: &Tenant,
    keys: &[Arc<AccessKey>],
) -> Option<Blocked> {
    if !suspends(tenant) {
        return None;
    }
    if let Err(blocked) = allows(tenant, made_as.permission) {
        return Some(blocked);
    }
    let limit = tenant.spec.quota.access_keys_per_user?;
    let begun = |other: &AccessKey| {
        let status = other.status.as_ref();
        let user = status.and_then(|status| status.identity.as_ref()).map(|made_as| made_as.user.as_str());
        user == Some(made_as.user.as_str())
    };
    let before = keys.iter().filter(|other| begun(other) && is_before(&***other, key));
    (before.count() >= limit as usize).then(|| keys_used_up(tenant, limit, &made_as.user))
}

fn is_before<K: Located>(other: &K, one: &K) -> bool {
    uid_of(other) != uid_of(one) && age(other) < age(one)
}

fn age<K: Located>(object: &K) -> (Option<Timestamp>, &str) {
    (object.meta().creation_timestamp.as_ref().map(|time| time.0), uid_of(object))
}

#[cfg(test)]
mod tests;
