//! Access keys and buckets: a tenant's data. The conventions are those of [`super::resources`].

use super::optional::present;
use super::{Labels, LockMode, Permission, Quota, ShownSecret, Usage, Versioning};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An access key, without its secret. `GET /v1/accessKeys/{accessKeyId}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessKeyItem {
    /// `SK` and 18 of `A-Z2-7`.
    pub access_key_id: String,
    /// Whose it is, `us_…`.
    pub user_id: String,
    /// What it may do.
    pub permission: Permission,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// The first four and the last four characters of the id.
    pub hint: String,
    /// The buckets that it is restricted to; absent: all of the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<Vec<String>>,
    /// Whether it works. One that does not is refused like one that is not there, and loses nothing.
    #[serde(default = "yes")]
    pub active: bool,
    /// Labels.
    #[serde(default)]
    #[schema(inline)]
    pub labels: Labels,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

fn yes() -> bool {
    true
}

/// `POST /v1/accessKeys`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessKeyCreate {
    /// Whose it is, `us_…`.
    pub user_id: String,
    /// What it may do.
    pub permission: Permission,
    /// What it is for, ≤ 255 characters.
    #[serde(default)]
    pub description: String,
    /// The buckets that it is restricted to; absent: all of the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<Vec<String>>,
    /// Labels.
    #[serde(default)]
    #[schema(inline)]
    pub labels: Labels,
}

/// `PATCH /v1/accessKeys/{accessKeyId}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessKeyPatch {
    /// What it is for, ≤ 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it works: `false` suspends the key, `true` lets the same pair work again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// All labels anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub labels: Option<Labels>,
}

/// The answer to `POST /v1/accessKeys` and to `…/rootKey/rotate`: the only one that ever shows the secret (rule 4).
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessKeyCreated {
    /// The key.
    #[serde(flatten)]
    pub key: AccessKeyItem,
    /// Its secret, 40 characters, shown here and never again.
    pub secret_access_key: ShownSecret,
}

/// Default retention of a bucket with object lock: exactly one of `days` and `years`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retention {
    /// Whether a Full key may lift it early.
    pub mode: LockMode,
    /// Days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// Years.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub years: Option<u32>,
}

/// A bucket. `GET /v1/buckets/{userId}/{name}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BucketItem {
    /// Whose it is, `us_…`.
    pub user_id: String,
    /// Unique within the user.
    pub name: String,
    /// Whether older versions are kept.
    pub versioning: Versioning,
    /// Whether it was made with object lock.
    pub object_lock: bool,
    /// How long new objects are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_retention: Option<Retention>,
    /// Limits of the bucket.
    #[serde(default)]
    pub quota: Quota,
    /// Labels.
    #[serde(default)]
    #[schema(inline)]
    pub labels: Labels,
    /// What is in it.
    #[serde(default)]
    pub usage: Usage,
    /// What keeps it from being deleted.
    #[serde(default)]
    pub contents: BucketContents,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What is in a bucket, so that one can see what keeps it from being deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BucketContents {
    /// Versions with data.
    #[serde(default)]
    pub versions: u64,
    /// Delete markers.
    #[serde(default)]
    pub delete_markers: u64,
    /// Open multipart uploads.
    #[serde(default)]
    pub uploads: u64,
    /// Versions under retention or legal hold.
    #[serde(default)]
    pub locked: u64,
    /// When the last retention ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<Timestamp>,
}

/// `POST /v1/buckets`
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketCreate {
    /// Whose it is, `us_…` (rule 8).
    pub user_id: String,
    /// Unique within the user.
    pub name: String,
    /// Whether older versions are kept.
    #[serde(default)]
    pub versioning: Versioning,
    /// Object lock; forces versioning on.
    #[serde(default)]
    pub object_lock: bool,
    /// How long new objects are kept; needs `objectLock`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_retention: Option<Retention>,
    /// Limits of the bucket.
    #[serde(default)]
    pub quota: Quota,
    /// Labels.
    #[serde(default)]
    #[schema(inline)]
    pub labels: Labels,
}

/// `PATCH /v1/buckets/{userId}/{name}`
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketPatch {
    /// Whether older versions are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versioning: Option<Versioning>,
    /// How long new objects are kept; `null` clears it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub default_retention: Option<Option<Retention>>,
    /// All limits anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// All labels anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub labels: Option<Labels>,
}
