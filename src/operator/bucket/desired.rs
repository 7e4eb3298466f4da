//! What the spec of a Bucket asks for, parsed. Pure.

use crate::api::bucket::{BucketQuota, ObjectLock};
use crate::api::{Bucket, BucketSpec, Reason};
use crate::operator::limits;
use crate::operator::runtime::Blocked;
use crate::provider::{Quota, Retention, RetentionPeriod};
use crate::wire::{BucketName, Versioning};

/// What the spec asks for: nothing about it can fail any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The StorageUser that owns the bucket.
    pub user: String,
    /// The name of the bucket.
    pub name: BucketName,
    /// Whether older versions are kept; object lock needs it on.
    pub versioning: Versioning,
    /// Object lock with this default retention.
    pub lock: Option<Retention>,
    /// Limits.
    pub quota: Quota,
}

impl Desired {
    /// Parses the spec, and refuses one whose identity is not that of the bucket that was made.
    pub fn of(bucket: &Bucket) -> Result<Self, Blocked> {
        let text = bucket.bucket_name();
        let name = BucketName::parse(text)
            .map_err(|error| Blocked::new(Reason::InvalidSpec, format!("`spec.name`, '{text}', {error}.")))?;
        unchanged(bucket)?;
        let BucketSpec { user_ref, name: _, versioning, object_lock, quota, deletion_policy: _ } =
            &bucket.spec;
        let lock = object_lock.map(retention).transpose()?;
        let BucketQuota { size, objects } = quota;
        Ok(Self {
            user: user_ref.name.clone(),
            name,
            versioning: effective(*versioning, lock.is_some())?,
            lock,
            quota: Quota {
                buckets: None,
                size: limits::size("spec.quota.size", size.as_ref())?,
                objects: *objects,
            },
        })
    }
}

/// The name that the bucket was made with, or would be.
pub fn name_text(bucket: &Bucket) -> &str {
    let recorded = bucket.status.as_ref().and_then(|status| status.bucket_name.as_deref());
    recorded.unwrap_or_else(|| bucket.bucket_name())
}

/// The StorageUser that the bucket was made for, or would be.
pub fn user_text(bucket: &Bucket) -> &str {
    let recorded = bucket.status.as_ref().and_then(|status| status.owner.as_deref());
    recorded.unwrap_or(&bucket.spec.user_ref.name)
}

fn unchanged(bucket: &Bucket) -> Result<(), Blocked> {
    let Some(status) = &bucket.status else { return Ok(()) };
    let fields = [
        ("spec.userRef", status.owner.as_deref(), bucket.spec.user_ref.name.as_str()),
        ("spec.name", status.bucket_name.as_deref(), bucket.bucket_name()),
    ];
    for (field, was, is) in fields {
        if let Some(was) = was
            && was != is
        {
            return Err(Blocked::new(
                Reason::IdentityChanged,
                format!(
                    "`{field}` was '{was}' and must not change to '{is}'. Change it back, or make a new Bucket."
                ),
            ));
        }
    }
    match (status.object_lock, bucket.spec.object_lock.is_some()) {
        (Some(was), is) if was != is => Err(lock_changed(bucket.bucket_name(), was)),
        (Some(_) | None, _) => Ok(()),
    }
}

/// The refusal where the spec asks for object lock and the bucket has none, or the other way round.
pub fn lock_changed(name: &str, has_lock: bool) -> Blocked {
    let message = if has_lock {
        format!(
            "Bucket '{name}' was made with object lock, and `spec.objectLock` must not be removed. Put it back, or make a new Bucket."
        )
    } else {
        format!(
            "Bucket '{name}' was made without object lock, and `spec.objectLock` can only be asked for at creation. Remove it, or make a new Bucket."
        )
    };
    Blocked::new(Reason::IdentityChanged, message)
}

fn effective(versioning: Versioning, locked: bool) -> Result<Versioning, Blocked> {
    match (versioning, locked) {
        (versioning, false) => Ok(versioning),
        (Versioning::Disabled | Versioning::Enabled, true) => Ok(Versioning::Enabled),
        (Versioning::Suspended, true) => Err(Blocked::new(
            Reason::InvalidSpec,
            "`spec.versioning` may not be Suspended with `spec.objectLock`, which needs versions. Set it to Enabled.",
        )),
    }
}

fn retention(lock: ObjectLock) -> Result<Retention, Blocked> {
    let ObjectLock { mode, days, years } = lock;
    let period = match (days, years) {
        (Some(days @ 1..), None) => RetentionPeriod::Days(days),
        (None, Some(years @ 1..)) => RetentionPeriod::Years(years),
        (None | Some(_), None | Some(_)) => {
            let message = "`spec.objectLock` must have exactly one of `days` and `years`, and at least 1.";
            return Err(Blocked::new(Reason::InvalidSpec, message));
        }
    };
    Ok(Retention { mode, period })
}
