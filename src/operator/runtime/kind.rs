//! Which of the five kinds, and which object of it.

use crate::api::{AccessKey, Bucket, StorageAccount, StorageUser, Tenant};
use crate::provider::ObjectName;
use kube::api::ObjectMeta;
use kube::core::DeserializeGuard;
use kube::{Api, Client, Resource};
use std::fmt;

/// One of the five kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A connection to a provider.
    StorageAccount,
    /// A group of users.
    Tenant,
    /// An owner of keys and buckets.
    StorageUser,
    /// A key pair.
    AccessKey,
    /// A bucket.
    Bucket,
}

impl Kind {
    /// All five, parents first.
    pub const ALL: [Self; 5] =
        [Self::StorageAccount, Self::Tenant, Self::StorageUser, Self::AccessKey, Self::Bucket];

    /// As users write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StorageAccount => "StorageAccount",
            Self::Tenant => "Tenant",
            Self::StorageUser => "StorageUser",
            Self::AccessKey => "AccessKey",
            Self::Bucket => "Bucket",
        }
    }
}

/// Where the objects of a kind are found.
pub trait Located: Resource<DynamicType = ()> + Clone + 'static {
    /// Which kind it is.
    const KIND: Kind;
    /// Whether its objects live in namespaces.
    const NAMESPACED: bool;

    /// The API of one namespace, or of all. Cluster-scoped kinds have but one.
    fn api(client: Client, namespace: Option<&str>) -> Api<Self>;
    /// The same, tolerating objects that do not decode.
    fn guarded_api(client: Client, namespace: Option<&str>) -> Api<DeserializeGuard<Self>>;
}

macro_rules! cluster_scoped {
    ($($kind:ident),+) => {$(
        impl Located for $kind {
            const KIND: Kind = Kind::$kind;
            const NAMESPACED: bool = false;

            fn api(client: Client, _: Option<&str>) -> Api<Self> {
                Api::all(client)
            }
            fn guarded_api(client: Client, _: Option<&str>) -> Api<DeserializeGuard<Self>> {
                Api::all(client)
            }
        }
    )+};
}

macro_rules! namespaced {
    ($($kind:ident),+) => {$(
        impl Located for $kind {
            const KIND: Kind = Kind::$kind;
            const NAMESPACED: bool = true;

            fn api(client: Client, namespace: Option<&str>) -> Api<Self> {
                match namespace {
                    Some(namespace) => Api::namespaced(client, namespace),
                    None => Api::all(client),
                }
            }
            fn guarded_api(client: Client, namespace: Option<&str>) -> Api<DeserializeGuard<Self>> {
                match namespace {
                    Some(namespace) => Api::namespaced(client, namespace),
                    None => Api::all(client),
                }
            }
        }
    )+};
}

cluster_scoped!(StorageAccount, Tenant);
namespaced!(StorageUser, AccessKey, Bucket);

/// Where an object is: its namespace, where its kind has one, and its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    /// The namespace; `None` for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl ObjectKey {
    /// A cluster-scoped object.
    pub fn cluster(name: &str) -> Self {
        Self { namespace: None, name: name.to_owned() }
    }

    /// A namespaced object.
    pub fn namespaced(namespace: &str, name: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), name: name.to_owned() }
    }

    /// The object with this metadata.
    pub fn of(meta: &ObjectMeta) -> Self {
        Self { namespace: meta.namespace.clone(), name: meta.name.clone().unwrap_or_default() }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl From<ObjectKey> for ObjectName {
    fn from(ObjectKey { namespace, name }: ObjectKey) -> Self {
        Self { namespace, name }
    }
}

/// Whether somebody has asked for the object to be deleted.
pub fn is_deleting<K: Resource>(object: &K) -> bool {
    object.meta().deletion_timestamp.is_some()
}

/// The name of an object; every object that the API server sends has one.
pub fn name_of<K: Resource>(object: &K) -> &str {
    object.meta().name.as_deref().unwrap_or_default()
}

/// The namespace of an object; empty for cluster-scoped kinds.
pub fn namespace_of<K: Resource>(object: &K) -> &str {
    object.meta().namespace.as_deref().unwrap_or_default()
}

/// The uid of an object; every object that the API server sends has one.
pub fn uid_of<K: Resource>(object: &K) -> &str {
    object.meta().uid.as_deref().unwrap_or_default()
}
