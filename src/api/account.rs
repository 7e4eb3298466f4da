//! StorageAccount: a connection to one account of one provider, with its credentials.

use super::shared::{Conditions, NameRef, never_observed};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A connection to one account of one object store's management API.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "storekeeper.dev",
    version = "v1alpha1",
    kind = "StorageAccount",
    status = "StorageAccountStatus",
    derive = "PartialEq",
    shortname = "ska",
    category = "storekeeper",
    selectable = ".spec.tenantRef.name",
    doc = "A StorageAccount is a connection to one account of one object store's management API. Users, keys and buckets are made in it.",
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Provider", type_ = "string", json_path = ".status.provider.name"),
    printcolumn(name = "Default", type_ = "boolean", json_path = ".spec.default"),
    printcolumn(name = "Users", type_ = "integer", json_path = ".status.bound.users"),
    printcolumn(name = "Keys", type_ = "integer", json_path = ".status.bound.accessKeys"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Message", type_ = "string", priority = "1", json_path = r#".status.conditions[?(@.type=="Ready")].message"#),
    validation = Rule::new("size(self.metadata.name) <= 63").message("metadata.name must be at most 63 characters")
)]
#[serde(rename_all = "camelCase")]
pub struct StorageAccountSpec {
    /// The object store, and how to reach its management API. Exactly one of its fields is set.
    pub provider: ProviderSpec,
    /// The S3 endpoint that applications use, as published Secrets name it.
    pub s3: S3Spec,
    /// The only tenant that may use this account. Absent: any tenant may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_ref: Option<NameRef>,
    /// Whether this account is used where nothing names one. At most one account is the default.
    #[serde(default)]
    pub default: bool,
    /// What this account is for, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,
    /// How hard the account may be worked.
    #[serde(default)]
    pub limits: Limits,
    /// What is done about keys of ours whose AccessKey is gone.
    #[serde(default)]
    pub orphan_policy: OrphanPolicy,
}

/// The object store. Exactly one field must be set.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.management), has(self.cephRgw), has(self.garage)].filter(x, x).size() == 1").message("exactly one of `management`, `cephRgw` and `garage` must be set"))]
pub struct ProviderSpec {
    /// storekeeper's own management server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub management: Option<ManagementSpec>,
    /// Ceph's object gateway, by its Admin Ops API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceph_rgw: Option<CephRgwSpec>,
    /// Garage, by its admin API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub garage: Option<GarageSpec>,
}

/// How to reach a storekeeper management server.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ManagementSpec {
    /// URL of the management API, such as `https://storage.example.com:8443`.
    #[schemars(length(max = 512), regex(pattern = r"^https?://[^\s/?#]+/?$"))]
    pub endpoint: String,
    /// The Account ID at the server, 12 digits. Absent: the account that the credentials belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{12}$"))]
    pub account_id: Option<String>,
    /// Secret in the operator's namespace with the entry `token`: an API token with the scopes `read`, `write` and `keys:write`.
    pub credentials_secret_ref: NameRef,
    /// Secret in the operator's namespace with the entry `ca.crt`: the certificates to trust, PEM. Absent: the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle_secret_ref: Option<NameRef>,
}

/// How to reach a Ceph object gateway.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CephRgwSpec {
    /// URL of the gateway, such as `https://rgw.example.com`.
    #[schemars(length(max = 512), regex(pattern = r"^https?://[^\s/?#]+/?$"))]
    pub endpoint: String,
    /// Region used for signing. Absent: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub region: Option<String>,
    /// Secret in the operator's namespace with the entries `accessKey` and `secretKey` of an admin user.
    pub credentials_secret_ref: NameRef,
    /// Secret in the operator's namespace with the entry `ca.crt`: the certificates to trust, PEM. Absent: the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle_secret_ref: Option<NameRef>,
}

/// How to reach a Garage cluster.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GarageSpec {
    /// URL of the admin API, such as `https://garage.example.com:3903`.
    #[schemars(length(max = 512), regex(pattern = r"^https?://[^\s/?#]+/?$"))]
    pub endpoint: String,
    /// Secret in the operator's namespace with the entry `token`: the admin token.
    pub credentials_secret_ref: NameRef,
    /// Secret in the operator's namespace with the entry `ca.crt`: the certificates to trust, PEM. Absent: the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle_secret_ref: Option<NameRef>,
    /// Allow keys with permission Write, although at Garage such a key can delete objects too.
    #[serde(default)]
    pub allow_write_to_delete: bool,
}

/// The S3 endpoint that applications use.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct S3Spec {
    /// URL of the S3 endpoint, such as `https://s3.example.com`.
    #[schemars(length(max = 512), regex(pattern = r"^https?://[^\s/?#]+/?$"))]
    pub endpoint: String,
    /// Region that clients sign for.
    #[serde(default = "default_region")]
    #[schemars(length(min = 1, max = 63))]
    pub region: String,
    /// Whether the bucket is named in the path or in the host name.
    #[serde(default)]
    pub addressing_style: AddressingStyle,
}

fn default_region() -> String {
    "storekeeper".to_owned()
}

/// Where an S3 request names its bucket.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressingStyle {
    /// `https://s3.example.com/bucket/key`
    #[default]
    Path,
    /// `https://bucket.s3.example.com/key`
    Virtual,
}

/// How hard an account may be worked.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Requests to the management API at one time.
    #[serde(default = "default_max_concurrent_requests")]
    #[schemars(range(min = 1, max = 256))]
    pub max_concurrent_requests: u32,
    /// Seconds after which a request to the management API is given up.
    #[serde(default = "default_request_timeout_seconds")]
    #[schemars(range(min = 1, max = 300))]
    pub request_timeout_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_concurrent_requests: default_max_concurrent_requests(),
            request_timeout_seconds: default_request_timeout_seconds(),
        }
    }
}

fn default_max_concurrent_requests() -> u32 {
    8
}

fn default_request_timeout_seconds() -> u32 {
    30
}

/// What is done about a key that carries our mark and whose AccessKey is gone.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrphanPolicy {
    /// A condition, an event and a metric tell of it. After a restore of etcd a missing object does not prove a missing application.
    #[default]
    Report,
    /// It is revoked once it is older than the quarantine.
    Revoke,
}

/// What was observed of a StorageAccount.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct StorageAccountStatus {
    /// The generation of the spec that this status speaks of; -1 before the first look.
    #[serde(default = "never_observed")]
    pub observed_generation: i64,
    /// Ready, Reconciling, Stalled, DeletionBlocked, OrphanedKeys.
    #[serde(default)]
    pub conditions: Conditions,
    /// The server that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderStatus>,
    /// What the server can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 63)), extend("x-kubernetes-list-type" = "set"))]
    pub capabilities: Vec<String>,
    /// The account at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub account_id: Option<String>,
    /// How many objects use this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<AccountBound>,
}

/// The server behind a StorageAccount.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct ProviderStatus {
    /// What it calls itself.
    #[schemars(length(max = 63))]
    pub name: String,
    /// Its version.
    #[schemars(length(max = 63))]
    pub version: String,
}

/// How many objects use an account.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
#[serde(rename_all = "camelCase")]
pub struct AccountBound {
    /// Tenants made in it.
    pub tenants: u32,
    /// StorageUsers.
    pub users: u32,
    /// AccessKeys.
    pub access_keys: u32,
    /// Buckets.
    pub buckets: u32,
}
