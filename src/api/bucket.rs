//! Bucket: one bucket of one user.

pub use crate::wire::terms::{LockMode, Versioning};

use super::shared::{ByteSize, Conditions, DeletionPolicy, NameRef, never_observed};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One bucket of one user.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "storekeeper.dev",
    version = "v1alpha1",
    kind = "Bucket",
    namespaced,
    status = "BucketStatus",
    derive = "PartialEq",
    shortname = "skb",
    category = "storekeeper",
    selectable = ".spec.userRef.name",
    doc = "A Bucket is one bucket of one StorageUser. Its data is never destroyed on the strength of a deleted manifest.",
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "User", type_ = "string", json_path = ".spec.userRef.name"),
    printcolumn(name = "Bucket", type_ = "string", json_path = ".status.bucketName"),
    printcolumn(name = "Versioning", type_ = "string", json_path = ".status.versioning"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Used", type_ = "integer", format = "int64", priority = "1", json_path = ".status.usage.size"),
    printcolumn(name = "Message", type_ = "string", priority = "1", json_path = r#".status.conditions[?(@.type=="Ready")].message"#),
    validation = Rule::new("has(self.spec.name) || (size(self.metadata.name) >= 3 && size(self.metadata.name) <= 63)").message("metadata.name must have 3 to 63 characters, or `spec.name` must name the bucket")
)]
#[x_kube(validation = Rule::new("!has(self.objectLock) || !has(self.versioning) || self.versioning != 'Suspended'").message("`versioning` may not be 'Suspended' with `objectLock`").field_path(".versioning"))]
#[serde(rename_all = "camelCase")]
pub struct BucketSpec {
    /// The StorageUser of this namespace that owns the bucket. It must not change.
    pub user_ref: NameRef,
    /// Name of the bucket. Absent: the name of this object. It is unique within the user. It must not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 63), regex(pattern = r"^[a-z0-9][a-z0-9.-]*[a-z0-9]$"))]
    pub name: Option<String>,
    /// Whether overwritten and deleted objects are kept as older versions. Once enabled it can only be suspended.
    #[serde(default)]
    pub versioning: Versioning,
    /// Keep every object for some time. It can only be asked for at creation, and forces versioning on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_lock: Option<ObjectLock>,
    /// Limits of the bucket.
    #[serde(default)]
    pub quota: BucketQuota,
    /// What happens to the bucket when this object is deleted. Delete removes an empty bucket only.
    #[serde(default = "default_deletion_policy")]
    pub deletion_policy: DeletionPolicy,
}

fn default_deletion_policy() -> DeletionPolicy {
    DeletionPolicy::Retain
}

/// How long objects are kept. Exactly one of `days` and `years` must be set.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[x_kube(validation = Rule::new("has(self.days) != has(self.years)").message("exactly one of `days` and `years` must be set"))]
pub struct ObjectLock {
    /// Whether a Full key may lift it early.
    pub mode: LockMode,
    /// Days that an object is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 36_500))]
    pub days: Option<u32>,
    /// Years that an object is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub years: Option<u32>,
}

/// Limits of a bucket. Absent: no limit.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketQuota {
    /// Bytes stored, such as `50Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<ByteSize>,
    /// Objects stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub objects: Option<u64>,
}

/// What was observed of a Bucket.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct BucketStatus {
    /// The generation of the spec that this status speaks of; -1 before the first look.
    #[serde(default = "never_observed")]
    pub observed_generation: i64,
    /// Ready, Reconciling, Stalled, DeletionBlocked.
    #[serde(default)]
    pub conditions: Conditions,
    /// The name that the bucket was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub bucket_name: Option<String>,
    /// The StorageUser that the bucket was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub owner: Option<String>,
    /// Whether the bucket was made with object lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_lock: Option<bool>,
    /// Whether older versions are kept, as of the last look. Object lock forces it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versioning: Option<Versioning>,
    /// What is in it, as of the last look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<BucketUsage>,
}

/// What a bucket holds.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct BucketUsage {
    /// Bytes stored, all versions.
    pub size: u64,
    /// Objects stored, all versions.
    pub objects: u64,
}

impl Bucket {
    /// The name of the bucket at the provider.
    pub fn bucket_name(&self) -> &str {
        self.spec.name.as_deref().or(self.metadata.name.as_deref()).unwrap_or_default()
    }
}
