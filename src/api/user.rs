//! StorageUser: an identity that owns keys and buckets.

pub use crate::wire::terms::Role;

use super::shared::{ByteSize, Conditions, DeletionPolicy, NameRef, never_observed};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An identity that owns keys and buckets.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "storekeeper.dev",
    version = "v1alpha1",
    kind = "StorageUser",
    namespaced,
    status = "StorageUserStatus",
    derive = "PartialEq",
    shortname = "sku",
    category = "storekeeper",
    selectable = ".spec.tenantRef.name",
    selectable = ".spec.accountRef.name",
    doc = "A StorageUser is an identity at the object store that owns access keys and buckets. No other user can see them.",
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.tenantRef.name"),
    printcolumn(name = "Role", type_ = "string", json_path = ".spec.role"),
    printcolumn(name = "Login", type_ = "string", json_path = ".status.login"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Account", type_ = "string", priority = "1", json_path = ".status.account"),
    printcolumn(name = "Used", type_ = "integer", format = "int64", priority = "1", json_path = ".status.usage.size"),
    printcolumn(name = "Message", type_ = "string", priority = "1", json_path = r#".status.conditions[?(@.type=="Ready")].message"#),
    validation = Rule::new("size(self.metadata.name) <= 63").message("metadata.name must be at most 63 characters")
)]
#[serde(rename_all = "camelCase")]
pub struct StorageUserSpec {
    /// The tenant that the user belongs to. It must admit this namespace. It must not change.
    pub tenant_ref: NameRef,
    /// The account that the user is made in. Absent: the tenant's, else the default one. It must not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_ref: Option<NameRef>,
    /// The login at the provider. Absent: `<namespace>_<name>`. It must not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._@-]*$"))]
    pub login: Option<String>,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub display_name: Option<String>,
    /// Where the user is written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254), regex(pattern = r"^[^\s@]+@[^\s@]+$"))]
    pub email: Option<String>,
    /// IANA time zone that the user's schedules and reports are in.
    #[serde(default = "default_time_zone")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_+/-]+$"))]
    pub time_zone: String,
    /// What the user may do. It caps what the user's keys may be.
    #[serde(default)]
    pub role: Role,
    /// Whether the user and all its keys work. Nothing is lost while they do not.
    #[serde(default = "default_enabled")]
    pub enabled: bool,
    /// What this user is for, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// Limits of the user.
    #[serde(default)]
    pub quota: UserQuota,
    /// What happens to the user at the provider when this object is deleted.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

fn default_time_zone() -> String {
    "UTC".to_owned()
}

fn default_enabled() -> bool {
    true
}

/// Limits of a user. Absent: no limit.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct UserQuota {
    /// Buckets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub buckets: Option<u32>,
    /// Bytes stored, such as `50Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<ByteSize>,
    /// Objects stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub objects: Option<u64>,
}

/// What was observed of a StorageUser.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct StorageUserStatus {
    /// The generation of the spec that this status speaks of; -1 before the first look.
    #[serde(default = "never_observed")]
    pub observed_generation: i64,
    /// Ready, Reconciling, Stalled, Suspended, DeletionBlocked.
    #[serde(default)]
    pub conditions: Conditions,
    /// The user's id at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub user_id: Option<String>,
    /// The login that the user was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub login: Option<String>,
    /// The StorageAccount that the user was made in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub account: Option<String>,
    /// The Tenant that the user was made in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub tenant: Option<String>,
    /// What the user has stored, as of the last look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<UserUsage>,
}

/// What a user has.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
#[serde(rename_all = "camelCase")]
pub struct UserUsage {
    /// Buckets.
    pub buckets: u64,
    /// Access keys.
    pub access_keys: u64,
    /// Bytes stored.
    pub size: u64,
    /// Objects stored.
    pub objects: u64,
}
