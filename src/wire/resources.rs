//! The resources of the management API: what requests carry and what answers show. Tenants, accounts and users; keys
//! and buckets are in [`super::storage`].
//!
//! Times are RFC 3339 UTC; sizes are bytes; labels are up to 16, key ≤ 63 and value ≤ 255 characters. A `…Patch` is a
//! JSON merge patch: an absent field stays as it is; a field that may be cleared is `Option<Option<T>>`, `null` clears.

use super::{Role, ShownSecret, Visibility};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Labels of a resource.
pub type Labels = BTreeMap<String, String>;

/// One page of a list; `next` is the cursor for `?after=`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items, in a stable order.
    pub items: Vec<T>,
    /// The cursor of the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `GET /v1/capabilities`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// What the server calls itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it can do: `idempotency-keys`, `key-buckets`, `key-suspension`, `object-lock`, `versioning`, `quotas`, `jobs`, …
    pub features: Vec<String>,
    /// Hours for which an idempotency key is remembered, where there are such keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_hours: Option<u32>,
    /// The region of the S3 endpoint.
    pub region: String,
}

/// The feature that says that idempotency keys are honoured.
pub const FEATURE_IDEMPOTENCY_KEYS: &str = "idempotency-keys";
/// The feature that says that a key can be restricted to buckets.
pub const FEATURE_KEY_BUCKETS: &str = "key-buckets";
/// The feature that says that a single key can be suspended.
pub const FEATURE_KEY_SUSPENSION: &str = "key-suspension";
/// The feature that says that buckets can keep older versions.
pub const FEATURE_VERSIONING: &str = "versioning";
/// The feature that says that buckets can be made with object lock.
pub const FEATURE_OBJECT_LOCK: &str = "object-lock";
/// The feature that says that quotas are enforced.
pub const FEATURE_QUOTAS: &str = "quotas";
/// The feature that says that there are jobs: Backup, Restore and EmptyBucket.
pub const FEATURE_JOBS: &str = "jobs";

/// Limits. Absent: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quota {
    /// Buckets (of a user, a tenant).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buckets: Option<u64>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<u64>,
}

/// What is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Buckets.
    #[serde(default)]
    pub buckets: u64,
    /// Access keys.
    #[serde(default)]
    pub access_keys: u64,
    /// Bytes, all versions.
    #[serde(default)]
    pub size: u64,
    /// Objects, all versions.
    #[serde(default)]
    pub objects: u64,
}

/// A tenant. `GET /v1/tenants/{id}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantItem {
    /// `tn_…`
    pub id: String,
    /// Unique name.
    pub name: String,
    /// Whether global administrators see its data.
    pub visibility: Visibility,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Limits of the whole tenant.
    #[serde(default)]
    pub quota: Quota,
    /// Labels.
    #[serde(default)]
    #[schema(inline)]
    pub labels: Labels,
    /// Whether it is built in: not edited, not deleted.
    #[serde(default)]
    pub built_in: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// `POST /v1/tenants`
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantCreate {
    /// Unique name.
    pub name: String,
    /// Whether global administrators see its data.
    #[serde(default)]
    pub visibility: Visibility,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Limits of the whole tenant.
    #[serde(default)]
    pub quota: Quota,
    /// Labels.
    #[serde(default)]
    #[schema(inline)]
    pub labels: Labels,
}

/// `PATCH /v1/tenants/{id}`
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantPatch {
    /// Whether global administrators see its data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// All limits anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// All labels anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub labels: Option<Labels>,
}

/// An account. `GET /v1/accounts/{id}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountItem {
    /// The Account ID: 12 decimal digits.
    pub id: String,
    /// Unique name.
    pub name: String,
    /// The tenant that it is assigned to, `tn_…`.
    pub tenant_id: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Whether it is used where nothing names one.
    #[serde(default)]
    pub default: bool,
    /// Its Root user, `us_…`.
    pub root_user_id: String,
    /// What is stored, all users together.
    #[serde(default)]
    pub usage: Usage,
    /// When it was made.
    pub created_at: Timestamp,
}

/// `POST /v1/accounts`
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountCreate {
    /// Unique name.
    pub name: String,
    /// The tenant, `tn_…`.
    pub tenant_id: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
}

/// `PATCH /v1/accounts/{id}`
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountPatch {
    /// The tenant, `tn_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Make it the default one; it takes the place of the present default. `false` is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<bool>,
}

/// A user. `GET /v1/users/{id}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserItem {
    /// `us_…`
    pub id: String,
    /// Unique in the installation.
    pub login: String,
    /// Name for people.
    #[serde(default)]
    pub name: String,
    /// Where the user is written to; may be empty.
    #[serde(default)]
    pub email: String,
    /// IANA time zone.
    pub time_zone: String,
    /// What the user may do.
    pub role: Role,
    /// The tenant, `tn_…`.
    pub tenant_id: String,
    /// The Account ID.
    pub account_id: String,
    /// Whether the user and its keys work.
    pub enabled: bool,
    /// Whether it is the account's Root user (rule 1).
    #[serde(default)]
    pub root: bool,
    /// What the user is for.
    #[serde(default)]
    pub description: String,
    /// Limits of the user.
    #[serde(default)]
    pub quota: Quota,
    /// Labels.
    #[serde(default)]
    #[schema(inline)]
    pub labels: Labels,
    /// Buckets, keys, bytes and objects (rule 6).
    #[serde(default)]
    pub usage: Usage,
    /// When it was made.
    pub created_at: Timestamp,
}

/// `POST /v1/users`
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserCreate {
    /// Unique in the installation.
    pub login: String,
    /// Name for people.
    #[serde(default)]
    pub name: String,
    /// Where the user is written to; may be empty.
    #[serde(default)]
    pub email: String,
    /// IANA time zone; `UTC` when absent.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// What the user may do.
    pub role: Role,
    /// The tenant, `tn_…`.
    pub tenant_id: String,
    /// The Account ID; the default account when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Whether the user and its keys work.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// What the user is for.
    #[serde(default)]
    pub description: String,
    /// The password for signing in. Absent: the user cannot sign in; its keys work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<ShownSecret>,
    /// Limits of the user.
    #[serde(default)]
    pub quota: Quota,
    /// Labels.
    #[serde(default)]
    #[schema(inline)]
    pub labels: Labels,
}

/// `PATCH /v1/users/{id}`
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserPatch {
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the user is written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// IANA time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What the user may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The tenant, `tn_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// Whether the user and its keys work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What the user is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A new password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<ShownSecret>,
    /// All limits anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// All labels anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub labels: Option<Labels>,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn yes() -> bool {
    true
}
