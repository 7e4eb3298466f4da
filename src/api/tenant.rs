//! Tenant: a group of users, public or isolated, and what it is allowed.

pub use crate::wire::terms::Visibility;

use super::key::Permission;
use super::shared::{ByteSize, Conditions, DeletionPolicy, NameRef, never_observed};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A group of users, and what it is allowed.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[kube(
    group = "storekeeper.dev",
    version = "v1alpha1",
    kind = "Tenant",
    status = "TenantStatus",
    derive = "PartialEq",
    shortname = "skt",
    category = "storekeeper",
    selectable = ".spec.accountRef.name",
    doc = "A Tenant is a group of storage users: which namespaces they may live in, which permissions their keys may have, and how much they may store.",
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Visibility", type_ = "string", json_path = ".spec.visibility"),
    printcolumn(name = "Users", type_ = "integer", json_path = ".status.bound.users"),
    printcolumn(name = "Keys", type_ = "integer", json_path = ".status.bound.accessKeys"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Message", type_ = "string", priority = "1", json_path = r#".status.conditions[?(@.type=="Ready")].message"#),
    validation = Rule::new("size(self.metadata.name) <= 63").message("metadata.name must be at most 63 characters")
)]
#[serde(rename_all = "camelCase")]
pub struct TenantSpec {
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub display_name: Option<String>,
    /// What this tenant is for, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// Whether global administrators see the tenant's data.
    #[serde(default)]
    pub visibility: Visibility,
    /// The account of the tenant's users where they name none. Absent: the default account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_ref: Option<NameRef>,
    /// The namespaces whose users may belong to this tenant. Empty: none.
    #[serde(default)]
    pub allowed_namespaces: AllowedNamespaces,
    /// The permissions that the tenant's keys may have. Absent: all four.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4), extend("x-kubernetes-list-type" = "set"))]
    pub allowed_permissions: Option<Vec<Permission>>,
    /// Limits of the whole tenant.
    #[serde(default)]
    pub quota: TenantQuota,
    /// What happens to the tenant at the provider when this object is deleted.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// What happens to users and keys that are there already when the tenant does not allow them any more: a namespace or
    /// a permission was withdrawn, or a quota of users or of keys lowered.
    #[serde(default)]
    pub on_withdrawal: OnWithdrawal,
}

/// What happens to users and keys that a tenant does not allow any more.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnWithdrawal {
    /// They go on working, and say what is not allowed. Nothing new is made for them.
    #[default]
    Keep,
    /// They are suspended: their keys are refused. Nothing is lost: allowed again, they work again with the same Secret.
    Suspend,
}

/// Which namespaces a tenant admits: those named, and those with all of the labels.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AllowedNamespaces {
    /// Namespaces by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub names: Vec<String>,
    /// Namespaces that carry all of these labels. Empty: none by label.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    pub match_labels: BTreeMap<String, String>,
}

/// Limits of a tenant. Absent: no limit.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TenantQuota {
    /// StorageUsers of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub users: Option<u32>,
    /// AccessKeys of each of its users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub access_keys_per_user: Option<u32>,
    /// Buckets of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub buckets: Option<u32>,
    /// Bytes stored by the tenant, such as `500Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<ByteSize>,
}

/// What was observed of a Tenant.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct TenantStatus {
    /// The generation of the spec that this status speaks of; -1 before the first look.
    #[serde(default = "never_observed")]
    pub observed_generation: i64,
    /// Ready, Reconciling, Stalled, DeletionBlocked.
    #[serde(default)]
    pub conditions: Conditions,
    /// The accounts that the tenant was made in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub accounts: Vec<TenantAccount>,
    /// How many objects belong to this tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<TenantBound>,
}

/// The tenant in one account.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TenantAccount {
    /// Name of the StorageAccount.
    #[schemars(length(max = 253))]
    pub name: String,
    /// The tenant's id at the provider.
    #[schemars(length(max = 253))]
    pub tenant_id: String,
    /// Whether the tenant is as it should be there.
    pub ready: bool,
}

/// How many objects belong to a tenant.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
#[serde(rename_all = "camelCase")]
pub struct TenantBound {
    /// StorageUsers.
    pub users: u32,
    /// AccessKeys.
    pub access_keys: u32,
    /// Buckets.
    pub buckets: u32,
}
