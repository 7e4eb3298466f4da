//! Buckets: names, versioning, object lock, quotas, and what keeps one from being deleted.

use super::{Refusal, fields};
use crate::wire::{
    BucketContents, BucketCreate, BucketItem, BucketName, BucketPatch, Quota, Retention, Usage, UserItem,
    Versioning,
};
use jiff::Timestamp;

/// The longest retention.
const YEARS: u32 = 100;

/// How many buckets there are, against the quotas that a new one counts for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Room {
    /// Buckets of the user.
    pub user_buckets: u64,
    /// Buckets of all users of the user's tenant.
    pub tenant_buckets: u64,
    /// The tenant's quota.
    pub tenant_quota: Quota,
}

/// A new bucket of a user (rule 8). Object lock turns versioning on.
pub fn create(
    owner: &UserItem,
    wish: BucketCreate,
    room: Room,
    now: Timestamp,
) -> Result<BucketItem, Refusal> {
    let BucketCreate { user_id, name, versioning, object_lock, default_retention, quota, labels } = wish;
    BucketName::parse(&name).map_err(|error| Refusal::field("name", error.to_string()))?;
    fields::labels(&labels)?;
    let bucket = BucketItem {
        user_id,
        name,
        versioning: if object_lock && versioning == Versioning::Disabled {
            Versioning::Enabled
        } else {
            versioning
        },
        object_lock,
        default_retention,
        quota,
        labels,
        usage: Usage::default(),
        contents: BucketContents::default(),
        created_at: now,
    };
    check_lock(&bucket)?;
    check_quota(&bucket.quota)?;
    let limits = [
        (owner.quota.buckets, room.user_buckets, "user"),
        (room.tenant_quota.buckets, room.tenant_buckets, "tenant"),
    ];
    for (limit, there, whose) in limits {
        if let Some(limit) = limit.filter(|limit| there >= *limit) {
            return Err(Refusal::quota(format!(
                "the {whose}'s quota is {limit} buckets, and there are {there}"
            )));
        }
    }
    Ok(bucket)
}

/// A bucket after a patch. As in S3, versioning is suspended, never disabled again, and stays on under object lock.
pub fn patch(before: BucketItem, patch: BucketPatch) -> Result<BucketItem, Refusal> {
    let BucketPatch { versioning, default_retention, quota, labels } = patch;
    let versioning = versioning.unwrap_or(before.versioning);
    if versioning == Versioning::Disabled && before.versioning != Versioning::Disabled {
        return Err(Refusal::field("versioning", "must be Enabled or Suspended once it was Enabled"));
    }
    let after = BucketItem {
        versioning,
        default_retention: default_retention.unwrap_or(before.default_retention),
        quota: quota.unwrap_or(before.quota),
        labels: labels.unwrap_or(before.labels),
        ..before
    };
    check_lock(&after)?;
    check_quota(&after.quota)?;
    fields::labels(&after.labels)?;
    Ok(after)
}

fn check_quota(quota: &Quota) -> Result<(), Refusal> {
    if quota.buckets.is_some() {
        return Err(Refusal::field("quota.buckets", "must be absent on a bucket"));
    }
    Ok(())
}

fn check_lock(bucket: &BucketItem) -> Result<(), Refusal> {
    if bucket.object_lock && bucket.versioning != Versioning::Enabled {
        return Err(Refusal::field("versioning", "must be Enabled with object lock"));
    }
    match bucket.default_retention {
        None => Ok(()),
        Some(_) if !bucket.object_lock => Err(Refusal::field(
            "defaultRetention",
            "needs `objectLock`, which is chosen when a bucket is made",
        )),
        Some(retention) => check_retention(retention),
    }
}

/// Exactly one of days and years, at least 1 and at most 100 years.
fn check_retention(retention: Retention) -> Result<(), Refusal> {
    let good = match (retention.days, retention.years) {
        (Some(days), None) => (1..=YEARS * 365).contains(&days),
        (None, Some(years)) => (1..=YEARS).contains(&years),
        (None, None) | (Some(_), Some(_)) => false,
    };
    if good {
        return Ok(());
    }
    let detail = format!("must have exactly one of `days` and `years`, from 1 day to {YEARS} years");
    Err(Refusal::field("defaultRetention", detail))
}

/// Rule 12: only an empty bucket is deleted, and none that a key is restricted to or that a job is going to work on.
pub fn delete(bucket: &BucketItem, keys: u64, jobs: u64) -> Result<(), Refusal> {
    let BucketContents { versions, delete_markers, uploads, locked, locked_until } = bucket.contents;
    let counts = [
        (versions, "object versions"),
        (delete_markers, "delete markers"),
        (uploads, "unfinished uploads"),
        (keys, "access keys restricted to it"),
        (jobs, "jobs that are going to run"),
    ];
    let Some(mut refusal) = Refusal::in_use(&format!("bucket '{}'", bucket.name), &counts) else {
        return Ok(());
    };
    if locked > 0 {
        let until = locked_until.map_or_else(String::new, |time| format!(" until {time}"));
        refusal.detail = format!("{}; {locked} of them locked{until}", refusal.detail);
    }
    Err(refusal)
}

#[cfg(test)]
#[path = "buckets_tests.rs"]
mod tests;
