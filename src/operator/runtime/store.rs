//! Caches of what is watched: objects by namespace and name, a moment old. Only the watches write to them.
//!
//! Several watches can feed one store (one per namespace): each replaces only what is in its own scope.

use super::kind::ObjectKey;
use crate::api::{AccessKey, Bucket, StorageAccount, StorageUser, Tenant};
use k8s_openapi::api::core::v1::Namespace;
use kube::Resource;
use kube::api::PartialObjectMeta;
use kube::core::error_boundary::InvalidObject;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A cache of one kind. Clones share it.
pub struct Store<K> {
    inner: Arc<RwLock<Inner<K>>>,
}

/// Ordered, so that what is done about several objects does not depend on how they hash.
struct Inner<K> {
    objects: BTreeMap<ObjectKey, Arc<K>>,
    /// Objects that do not decode: they exist, but what they ask for is not known.
    undecoded: BTreeMap<ObjectKey, Arc<InvalidObject>>,
}

/// An object as a watch has it.
#[derive(Clone, Debug)]
pub enum Decoded<K> {
    /// It decodes.
    Valid(Arc<K>),
    /// It does not; why, and what its metadata says.
    Invalid(Arc<InvalidObject>),
}

/// What was there before, and what is there now.
#[derive(Clone, Debug)]
pub struct Change<K> {
    /// Which object.
    pub key: ObjectKey,
    /// `None`: it was not there, or did not decode.
    pub before: Option<Arc<K>>,
    /// `None`: it is gone, or does not decode.
    pub after: Option<Arc<K>>,
}

impl<K> Default for Store<K> {
    fn default() -> Self {
        let inner = Inner { objects: BTreeMap::new(), undecoded: BTreeMap::new() };
        Self { inner: Arc::new(RwLock::new(inner)) }
    }
}

impl<K> Clone for Store<K> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<K: Resource<DynamicType = ()>> Store<K> {
    /// The object of that name; cluster-scoped kinds have no namespace.
    pub fn get(&self, namespace: Option<&str>, name: &str) -> Option<Arc<K>> {
        let key = ObjectKey { namespace: namespace.map(str::to_owned), name: name.to_owned() };
        self.by_key(&key)
    }

    /// The object at that place.
    pub fn by_key(&self, key: &ObjectKey) -> Option<Arc<K>> {
        self.read().objects.get(key).cloned()
    }

    /// The object at that place, if it does not decode.
    pub fn undecoded(&self, key: &ObjectKey) -> Option<Arc<InvalidObject>> {
        self.read().undecoded.get(key).cloned()
    }

    /// Where all objects are, whether they decode or not.
    pub fn keys(&self) -> Vec<ObjectKey> {
        let inner = self.read();
        inner.objects.keys().chain(inner.undecoded.keys()).cloned().collect()
    }

    /// All objects that decode.
    pub fn all(&self) -> Vec<Arc<K>> {
        self.read().objects.values().cloned().collect()
    }

    /// All objects that decode and of which the rule is true.
    pub fn filter(&self, rule: impl Fn(&K) -> bool) -> Vec<Arc<K>> {
        self.read().objects.values().filter(|object| rule(object)).cloned().collect()
    }

    /// How many objects that decode the rule is true of.
    pub fn count(&self, rule: impl Fn(&K) -> bool) -> usize {
        self.read().objects.values().filter(|object| rule(object)).count()
    }

    /// The uids of all objects that exist, whether they decode or not.
    pub fn uids(&self) -> HashSet<String> {
        let inner = self.read();
        let valid = inner.objects.values().map(|object| object.meta());
        let invalid = inner.undecoded.values().map(|object| &object.metadata);
        valid.chain(invalid).filter_map(|meta| meta.uid.clone()).collect()
    }

    /// Puts an object in.
    pub fn put(&self, key: ObjectKey, object: Decoded<K>) -> Change<K> {
        let mut inner = self.write();
        match object {
            Decoded::Valid(object) => {
                inner.undecoded.remove(&key);
                let before = inner.objects.insert(key.clone(), Arc::clone(&object));
                Change { key, before, after: Some(object) }
            }
            Decoded::Invalid(object) => {
                inner.undecoded.insert(key.clone(), object);
                let before = inner.objects.remove(&key);
                Change { key, before, after: None }
            }
        }
    }

    /// Takes an object out.
    pub fn remove(&self, key: &ObjectKey) -> Change<K> {
        let mut inner = self.write();
        inner.undecoded.remove(key);
        let before = inner.objects.remove(key);
        Change { key: key.clone(), before, after: None }
    }

    /// Takes out what is in the scope of a watch (one namespace, or all) and not in its list.
    pub fn retain(&self, scope: Option<&str>, listed: &HashSet<ObjectKey>) -> Vec<Change<K>> {
        let in_scope = |key: &ObjectKey| scope.is_none() || key.namespace.as_deref() == scope;
        let mut inner = self.write();
        inner.undecoded.retain(|key, _| !in_scope(key) || listed.contains(key));
        let gone: Vec<ObjectKey> =
            inner.objects.keys().filter(|key| in_scope(key) && !listed.contains(*key)).cloned().collect();
        gone.into_iter().map(|key| Change { before: inner.objects.remove(&key), after: None, key }).collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner<K>> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner<K>> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The caches of all that is watched.
#[derive(Clone, Default)]
pub struct Stores {
    /// StorageAccounts.
    pub accounts: Store<StorageAccount>,
    /// Tenants.
    pub tenants: Store<Tenant>,
    /// StorageUsers.
    pub users: Store<StorageUser>,
    /// AccessKeys.
    pub keys: Store<AccessKey>,
    /// Buckets.
    pub buckets: Store<Bucket>,
    /// Namespaces, metadata only.
    pub namespaces: Store<PartialObjectMeta<Namespace>>,
}

impl Stores {
    /// The labels of a namespace; none where it is not known.
    pub fn namespace_labels(&self, name: &str) -> BTreeMap<String, String> {
        self.known_labels(name).unwrap_or_default()
    }

    /// The same; `None` where the namespace was not seen.
    pub fn known_labels(&self, name: &str) -> Option<BTreeMap<String, String>> {
        let namespace = self.namespaces.get(None, name)?;
        Some(namespace.metadata.labels.clone().unwrap_or_default())
    }

    /// The StorageUser that an object of the same namespace refers to.
    pub fn user(&self, namespace: &str, name: &str) -> Option<Arc<StorageUser>> {
        self.users.get(Some(namespace), name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Decoded, Store};
    use crate::api::{Bucket, BucketSpec};
    use crate::operator::runtime::ObjectKey;
    use kube::core::error_boundary::InvalidObject;
    use std::collections::HashSet;
    use std::sync::Arc;

    fn bucket(namespace: &str, name: &str) -> (ObjectKey, Decoded<Bucket>) {
        let spec: BucketSpec = serde_json::from_value(serde_json::json!({"userRef": {"name": "u"}})).unwrap();
        let mut bucket = Bucket::new(name, spec);
        bucket.metadata.namespace = Some(namespace.to_owned());
        bucket.metadata.uid = Some(format!("uid-{namespace}-{name}"));
        (ObjectKey::namespaced(namespace, name), Decoded::Valid(Arc::new(bucket)))
    }

    #[test]
    fn a_list_of_one_namespace_replaces_only_that_namespace() {
        let store = Store::default();
        for (namespace, name) in [("a", "one"), ("a", "two"), ("b", "one")] {
            let (key, object) = bucket(namespace, name);
            store.put(key, object);
        }
        let gone = store.retain(Some("a"), &HashSet::from([ObjectKey::namespaced("a", "two")]));
        assert_eq!(gone.len(), 1);
        assert_eq!(gone[0].key, ObjectKey::namespaced("a", "one"));
        assert!(store.get(Some("a"), "two").is_some() && store.get(Some("b"), "one").is_some());
    }

    #[test]
    fn an_object_that_does_not_decode_still_exists() {
        let store = Store::default();
        let (key, object) = bucket("a", "one");
        let Decoded::Valid(valid) = &object else { unreachable!() };
        let invalid = InvalidObject { error: "no `spec`".to_owned(), metadata: valid.metadata.clone() };
        store.put(key.clone(), object);
        let change = store.put(key.clone(), Decoded::Invalid(Arc::new(invalid)));
        assert!(change.before.is_some() && change.after.is_none());
        assert!(store.by_key(&key).is_none() && store.undecoded(&key).is_some());
        assert!(store.uids().contains("uid-a-one"));
    }
}
