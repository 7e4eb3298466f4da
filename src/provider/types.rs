//! What providers are asked for and what they report, free of any one provider's spelling.

use crate::wire::{LockMode, Permission, Role, ShownSecret, Versioning, Visibility};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::fmt;

/// This Kubernetes cluster: the uid of its namespace `kube-system`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClusterId(pub String);

/// Which object of which cluster something at a provider was made for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OwnerMark {
    /// The cluster.
    pub cluster: ClusterId,
    /// The uid of the object.
    pub uid: String,
}

impl fmt::Display for OwnerMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.cluster.0, self.uid)
    }
}

impl OwnerMark {
    /// Reads a mark back; `None` where the text is no mark.
    pub fn parse(text: &str) -> Option<Self> {
        let (cluster, uid) = text.split_once('/')?;
        let filled = !cluster.is_empty() && !uid.is_empty() && !uid.contains('/');
        filled.then(|| Self { cluster: ClusterId(cluster.to_owned()), uid: uid.to_owned() })
    }
}

/// How people name the object that something at a provider was made for. For messages: it identifies nothing, as an
/// object can be made anew under the same name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName {
    /// Its namespace; `None`: it is cluster-scoped.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// What a provider can do beyond the four permission levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capability {
    /// Repeating a mint with the same idempotency key answers with the same pair (class A1).
    IdempotentMint,
    /// The caller chooses the pair (class B): `put_key` is used, and `mint_key` never.
    ChosenPairs,
    /// A key can be restricted to some of its user's buckets.
    KeyBuckets,
    /// A single key can be suspended, and works again with the same secret.
    KeySuspension,
    /// A key with permission Write cannot delete.
    ExactWrite,
    /// Buckets can keep older versions.
    Versioning,
    /// Buckets can be made with object lock.
    ObjectLock,
    /// Quotas are enforced.
    Quotas,
}

impl Capability {
    /// As `status.capabilities` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IdempotentMint => "idempotency-keys",
            Self::ChosenPairs => "chosen-pairs",
            Self::KeyBuckets => "key-buckets",
            Self::KeySuspension => "key-suspension",
            Self::ExactWrite => "exact-write",
            Self::Versioning => "versioning",
            Self::ObjectLock => "object-lock",
            Self::Quotas => "quotas",
        }
    }
}

/// Who answers, and what it can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// What the server calls itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The account that the connection works in.
    pub account_id: String,
    /// What it can do.
    pub capabilities: BTreeSet<Capability>,
}

/// Limits; `None` = no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Buckets.
    pub buckets: Option<u64>,
    /// Bytes.
    pub size: Option<u64>,
    /// Objects.
    pub objects: Option<u64>,
}

/// What is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Buckets.
    pub buckets: u64,
    /// Access keys.
    pub access_keys: u64,
    /// Bytes, all versions.
    pub size: u64,
    /// Objects, all versions.
    pub objects: u64,
}

/// A tenant as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantWish {
    /// Its name.
    pub name: String,
    /// Whether global administrators see its data.
    pub visibility: Visibility,
    /// What it is for.
    pub description: String,
    /// Limits of the whole tenant.
    pub quota: Quota,
    /// Whose it is.
    pub owner: OwnerMark,
    /// How people name the object that it is made for.
    pub object: ObjectName,
}

/// A tenant as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantState {
    /// The provider's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether global administrators see its data.
    pub visibility: Visibility,
    /// What it is for.
    pub description: String,
    /// Limits of the whole tenant.
    pub quota: Quota,
    /// Whose it is; `None`: not ours, nor any cluster's.
    pub owner: Option<OwnerMark>,
    /// How people name the object that it was made for, where the provider knows.
    pub object: Option<ObjectName>,
    /// Whether the provider has it built in.
    pub built_in: bool,
}

/// A user as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserWish {
    /// Its login.
    pub login: String,
    /// The provider's id of its tenant.
    pub tenant_id: String,
    /// Name for people.
    pub display_name: String,
    /// Where the user is written to; may be empty.
    pub email: String,
    /// IANA time zone.
    pub time_zone: String,
    /// What the user may do.
    pub role: Role,
    /// Whether the user and its keys work.
    pub enabled: bool,
    /// What the user is for.
    pub description: String,
    /// Limits of the user.
    pub quota: Quota,
    /// Whose it is.
    pub owner: OwnerMark,
    /// How people name the object that it is made for.
    pub object: ObjectName,
}

/// A user as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserState {
    /// The provider's id.
    pub id: String,
    /// Its login.
    pub login: String,
    /// The provider's id of its tenant.
    pub tenant_id: String,
    /// Name for people.
    pub display_name: String,
    /// Where the user is written to; may be empty.
    pub email: String,
    /// IANA time zone.
    pub time_zone: String,
    /// What the user may do.
    pub role: Role,
    /// Whether the user and its keys work.
    pub enabled: bool,
    /// What the user is for.
    pub description: String,
    /// Limits of the user.
    pub quota: Quota,
    /// Whose it is; `None`: not ours, nor any cluster's.
    pub owner: Option<OwnerMark>,
    /// How people name the object that it was made for, where the provider knows.
    pub object: Option<ObjectName>,
    /// What it has.
    pub usage: Usage,
}

/// A key as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyWish {
    /// The provider's id of its user.
    pub user_id: String,
    /// What it may do.
    pub permission: Permission,
    /// What it is for, ≤ 255 characters.
    pub description: String,
    /// Names of the buckets that it is restricted to; `None`: all of the user's.
    pub buckets: Option<Vec<String>>,
    /// Whose it is.
    pub owner: OwnerMark,
    /// How people name the object that it is made for.
    pub object: ObjectName,
    /// Name of the Secret, of the object's namespace, that it is for.
    pub secret: String,
    /// The how-manieth key of its object it is.
    pub epoch: u32,
    /// The attempt that makes it, 32 hexadecimal digits.
    pub nonce: String,
}

/// A key as the provider lists it. A key whose mark has no epoch or nonce that can be read is not listed as ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// Its id, not a secret.
    pub access_key_id: String,
    /// The provider's id of its user.
    pub user_id: String,
    /// Whether it works; `true` where the provider cannot suspend a single key.
    pub active: bool,
    /// Whose it is.
    pub owner: OwnerMark,
    /// How people name the object that it was made for, where the provider still knows.
    pub object: Option<ObjectName>,
    /// Name of the Secret that it was made for, where the provider still knows.
    pub secret: Option<String>,
    /// The how-manieth key of its object it is.
    pub epoch: u32,
    /// The attempt that made it.
    pub nonce: String,
    /// When it was made, by the provider's clock.
    pub created_at: Timestamp,
    /// Whether the provider has all that belongs to it. A chosen pair that is not complete is put again.
    pub complete: bool,
}

/// A new pair, on its way into its Secret. No `Debug`; zeroized when dropped.
#[derive(Clone)]
pub struct KeyPair {
    /// The id, not a secret.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: ShownSecret,
}

/// For how long a bucket keeps new objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Whether a Full key may lift it early.
    pub mode: LockMode,
    /// For how long.
    pub period: RetentionPeriod,
}

/// The length of a retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionPeriod {
    /// Days.
    Days(u32),
    /// Years.
    Years(u32),
}

/// A bucket as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketWish {
    /// The provider's id of its user.
    pub user_id: String,
    /// Its name.
    pub name: String,
    /// Whether older versions are kept.
    pub versioning: Versioning,
    /// Object lock with this default retention; `None`: no object lock.
    pub object_lock: Option<Retention>,
    /// Limits of the bucket.
    pub quota: Quota,
    /// Whose it is.
    pub owner: OwnerMark,
    /// How people name the object that it is made for.
    pub object: ObjectName,
}

/// A bucket as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketState {
    /// The provider's id of its user.
    pub user_id: String,
    /// Its name.
    pub name: String,
    /// Whether older versions are kept.
    pub versioning: Versioning,
    /// Whether it was made with object lock.
    pub object_lock: bool,
    /// How long it keeps new objects.
    pub default_retention: Option<Retention>,
    /// Limits of the bucket.
    pub quota: Quota,
    /// Whose it is; `None`: not ours, nor any cluster's.
    pub owner: Option<OwnerMark>,
    /// How people name the object that it was made for, where the provider knows.
    pub object: Option<ObjectName>,
    /// What is in it.
    pub usage: Usage,
    /// What keeps it from being deleted.
    pub contents: Contents,
    /// Whether every key of its user has what belongs to it. A bucket that is not complete is updated.
    pub complete: bool,
}

/// What keeps a bucket from being deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Versions with data.
    pub versions: u64,
    /// Delete markers.
    pub delete_markers: u64,
    /// Open multipart uploads.
    pub uploads: u64,
    /// Versions under retention or legal hold.
    pub locked: u64,
    /// When the last retention ends.
    pub locked_until: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::{ClusterId, OwnerMark};

    #[test]
    fn an_owner_mark_is_read_back_as_it_was_written() {
        let mark = OwnerMark { cluster: ClusterId("c-1".to_owned()), uid: "u-1".to_owned() };
        assert_eq!(OwnerMark::parse(&mark.to_string()), Some(mark));
        for text in ["", "/", "c/", "/u", "c", "c/u/x"] {
            assert_eq!(OwnerMark::parse(text), None, "{text}");
        }
    }
}
