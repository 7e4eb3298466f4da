//! The quotas of a tenant: who comes first, and what who comes too late is told. Pure.
//!
//! What was made comes first, then what is older: so two new objects never refuse each other.

use crate::api::{Bucket, Reason, StorageUser, Tenant};
use crate::operator::runtime::Blocked;
use crate::operator::runtime::kind::{name_of, namespace_of, uid_of};
use crate::operator::words;
use std::collections::HashSet;
use std::sync::Arc;

/// The refusal of one StorageUser too many.
pub fn users_used_up(tenant: &Tenant, limit: u32) -> Blocked {
    let users = if limit == 1 { "user" } else { "users" };
    Blocked::new(
        Reason::QuotaExceeded,
        format!(
            "Tenant '{}' may have {limit} {users} and has them. Ask its owner to raise `spec.quota.users`, or delete another StorageUser.",
            name_of(tenant)
        ),
    )
}

/// The refusal of one AccessKey of a user too many.
pub fn keys_used_up(tenant: &Tenant, limit: u32, user: &str) -> Blocked {
    Blocked::new(
        Reason::QuotaExceeded,
        format!(
            "Tenant '{}' allows {limit} access keys per user, and StorageUser '{user}' has as many. Delete one of them, or ask the owner of the Tenant to raise `spec.quota.accessKeysPerUser`.",
            name_of(tenant)
        ),
    )
}

/// Whether the tenant takes one more bucket. `users` are its users, `buckets` may be anybody's. What is stored is as of
/// the last look at each user; that nothing more is written into buckets that exist is for the provider to see to.
pub fn takes_bucket(
    bucket: &Bucket,
    tenant: &Tenant,
    users: &[Arc<StorageUser>],
    buckets: &[Arc<Bucket>],
) -> Result<(), Blocked> {
    let quota = &tenant.spec.quota;
    if let Some(limit) = quota.buckets {
        let of: HashSet<_> = users.iter().map(|user| (namespace_of(&**user), name_of(&**user))).collect();
        let mine = rank(bucket);
        let first = |other: &&Arc<Bucket>| {
            of.contains(&(namespace_of(&***other), other.spec.user_ref.name.as_str()))
                && uid_of(&***other) != uid_of(bucket)
                && rank(other) < mine
        };
        if buckets.iter().filter(first).count() >= limit as usize {
            return Err(Blocked::new(
                Reason::QuotaExceeded,
                format!(
                    "Tenant '{}' may have {} and has them. Ask its owner to raise `spec.quota.buckets`, or delete another Bucket.",
                    name_of(tenant),
                    words::counted(u64::from(limit), "bucket").unwrap_or_else(|| "no buckets".to_owned())
                ),
            ));
        }
    }
    let Some(size) = &quota.size else { return Ok(()) };
    let stored: u64 = users.iter().filter_map(|user| Some(user.status.as_ref()?.usage?.size)).sum();
    if size.bytes().is_some_and(|limit| stored >= limit) {
        return Err(Blocked::new(
            Reason::QuotaExceeded,
            format!(
                "Tenant '{}' may store {} and has stored as much, so it gets no new buckets. Ask its owner to raise `spec.quota.size`, or remove data.",
                name_of(tenant),
                size.0
            ),
        ));
    }
    Ok(())
}

fn rank(bucket: &Bucket) -> (bool, Option<jiff::Timestamp>, String) {
    let made = bucket.status.as_ref().is_some_and(|status| status.bucket_name.is_some());
    let created = bucket.metadata.creation_timestamp.as_ref().map(|time| time.0);
    (!made, created, uid_of(bucket).to_owned())
}

#[cfg(test)]
mod tests;
