//! AccessKey: one key pair of one user, with one permission level, published as one Secret.

pub use crate::wire::terms::Permission;

use super::shared::{Conditions, DeletionPolicy, NameRef, never_observed};
use jiff::Timestamp;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The annotation by which a person asks for the next epoch of a key whose Secret is lost; its value is that epoch.
pub const REISSUE: &str = "storekeeper.dev/reissue";

/// The epoch that the message of a condition says may be asked for by [`REISSUE`].
pub fn offered_epoch(message: &str) -> Option<u32> {
    let (_, after) = message.split_once(REISSUE)?;
    let (epoch, _) = after.strip_prefix("=\"")?.split_once('"')?;
    epoch.parse().ok()
}

/// One key pair of one user, published as one Secret.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "storekeeper.dev",
    version = "v1alpha1",
    kind = "AccessKey",
    namespaced,
    status = "AccessKeyStatus",
    derive = "PartialEq",
    shortname = "skk",
    category = "storekeeper",
    selectable = ".spec.userRef.name",
    doc = "An AccessKey is one key pair of one StorageUser with one permission level. Its secret is written into one Secret, once.",
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "User", type_ = "string", json_path = ".spec.userRef.name"),
    printcolumn(name = "Permission", type_ = "string", json_path = ".spec.permission"),
    printcolumn(name = "Key", type_ = "string", json_path = ".status.keyHint"),
    printcolumn(name = "Secret", type_ = "string", json_path = ".status.published.secret.name"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Message", type_ = "string", priority = "1", json_path = r#".status.conditions[?(@.type=="Ready")].message"#),
    validation = Rule::new("size(self.metadata.name) <= 253").message("metadata.name must be at most 253 characters")
)]
#[serde(rename_all = "camelCase")]
pub struct AccessKeySpec {
    /// The StorageUser of this namespace that the key belongs to. It must not change.
    pub user_ref: NameRef,
    /// What the key may do. It must not change.
    pub permission: Permission,
    /// What the key is for; shown at the provider too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub description: Option<String>,
    /// Restrict the key to these Buckets of the same user, where the provider can. Absent: all of the user's. It must not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), extend("x-kubernetes-list-type" = "atomic"))]
    pub bucket_refs: Option<Vec<NameRef>>,
    /// The Secret that the key is written into.
    #[serde(default)]
    pub secret: SecretSpec,
    /// What is done when somebody deletes the Secret.
    #[serde(default)]
    pub on_secret_loss: OnSecretLoss,
    /// What happens to the key and its Secret when this object is deleted.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

/// The Secret that a key is written into.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SecretSpec {
    /// Name of the Secret. Absent: the name of the AccessKey. It must not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub name: Option<String>,
    /// Type of the Secret. Absent: the format's own, most often `Opaque`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub type_: Option<String>,
    /// What the entries of the Secret are called.
    #[serde(default)]
    pub format: SecretFormat,
    /// Labels for the Secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32))]
    pub labels: BTreeMap<String, String>,
    /// Annotations for the Secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32))]
    pub annotations: BTreeMap<String, String>,
}

/// What the entries of a Secret are called, after the consumer that reads it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SecretFormat {
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT_URL_S3`, `AWS_REGION`, and `BUCKET_NAME` when there is one.
    #[default]
    Env,
    /// As an ObjectBucketClaim has it, its ConfigMap's entries included.
    ObjectBucketClaim,
    /// `COSI_S3_…`, as the Container Object Storage Interface has it.
    Cosi,
    /// The Service Binding specification, type `s3`.
    ServiceBinding,
    /// `cloud`: an INI file as AWS clients and Velero read it.
    CredentialsFile,
    /// Grafana Loki.
    Loki,
    /// Grafana Tempo.
    Tempo,
    /// Thanos: `objstore.yml`.
    Thanos,
    /// Barman and CloudNativePG.
    Barman,
    /// K8up.
    K8up,
    /// `rclone.conf`.
    Rclone,
    /// Longhorn.
    Longhorn,
    /// Harbor.
    Harbor,
    /// A Flux Bucket source.
    FluxBucket,
}

impl SecretFormat {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Env,
        Self::ObjectBucketClaim,
        Self::Cosi,
        Self::ServiceBinding,
        Self::CredentialsFile,
        Self::Loki,
        Self::Tempo,
        Self::Thanos,
        Self::Barman,
        Self::K8up,
        Self::Rclone,
        Self::Longhorn,
        Self::Harbor,
        Self::FluxBucket,
    ];
}

/// What is done when somebody deletes the Secret of a key.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnSecretLoss {
    /// Nothing: the object says so and waits for a person.
    #[default]
    Block,
    /// A new key is made and published; then the old one is revoked.
    Reissue,
}

/// What was observed of an AccessKey.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct AccessKeyStatus {
    /// The generation of the spec that this status speaks of; -1 before the first look.
    #[serde(default = "never_observed")]
    pub observed_generation: i64,
    /// Ready, Reconciling, Stalled, SecretPublished, Suspended, DeletionBlocked.
    #[serde(default)]
    pub conditions: Conditions,
    /// The last attempt to make a key. Its counters never go back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<Issue>,
    /// What is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
    /// What the key was made as: these fields of the spec must not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<KeyIdentity>,
    /// The StorageAccount that the key was asked for at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub account: Option<String>,
    /// The first four and the last four characters of the access key id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub key_hint: Option<String>,
}

/// One attempt to make a key, written down before the provider is asked.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    /// The how-manieth key of this object it is, from 1.
    #[schemars(range(min = 1))]
    pub epoch: u32,
    /// The how-manieth attempt of this epoch it is, from 1.
    #[schemars(range(min = 1))]
    pub attempt: u32,
    /// What tells this attempt's key and Secret from any other's, 32 hexadecimal digits.
    #[schemars(regex(pattern = r"^[0-9a-f]{32}$"))]
    pub nonce: String,
    /// Whether the attempt may still be under way.
    #[serde(default)]
    pub open: bool,
}

/// Which attempt's Secret is the one.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// The newest epoch that is committed by it.
    #[schemars(range(min = 1))]
    pub epoch: u32,
    /// The nonce of the attempt that won.
    #[schemars(regex(pattern = r"^[0-9a-f]{32}$"))]
    pub nonce: String,
    /// The key in the Secret.
    #[schemars(length(max = 128))]
    pub access_key_id: String,
    /// The Secret.
    pub secret: SecretRecord,
    /// When it was recorded.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub time: Timestamp,
}

/// A Secret that was published.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SecretRecord {
    /// Its name.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Its uid.
    #[schemars(length(max = 64))]
    pub uid: String,
}

/// The fields of an AccessKey that must not change once a key is asked for.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct KeyIdentity {
    /// `spec.userRef.name`
    #[schemars(length(max = 253))]
    pub user: String,
    /// `spec.permission`
    pub permission: Permission,
    /// Names in `spec.bucketRefs`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), inner(length(max = 253)), extend("x-kubernetes-list-type" = "atomic"))]
    pub buckets: Option<Vec<String>>,
    /// `spec.secret.name`, or the name of the object
    #[schemars(length(max = 253))]
    pub secret: String,
}

impl AccessKey {
    /// The name of the Secret that this key is written into.
    pub fn secret_name(&self) -> &str {
        self.spec.secret.name.as_deref().or(self.metadata.name.as_deref()).unwrap_or_default()
    }

    /// The identity fields, as the spec has them now.
    pub fn identity(&self) -> KeyIdentity {
        KeyIdentity {
            user: self.spec.user_ref.name.clone(),
            permission: self.spec.permission,
            buckets: self
                .spec
                .bucket_refs
                .as_ref()
                .map(|refs| refs.iter().map(|reference| reference.name.clone()).collect()),
            secret: self.secret_name().to_owned(),
        }
    }
}
