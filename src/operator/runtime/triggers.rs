//! Which other objects need a pass when one has changed. Pure, over what is cached.
//!
//! Downwards, an object is told when what it refers to comes, goes, changes its spec or becomes Ready. Upwards, an object
//! is told when what it counts comes or goes: at once where it waits for the last of them to go, else now and then.

use super::kind::{Kind, Located, ObjectKey, is_deleting, name_of, namespace_of};
use super::status::{Conditioned, READY};
use super::store::{Change, Stores};
use super::wake::{Wake, When};
use crate::api::{AccessKey, Bucket, StorageAccount, StorageUser, Tenant};
use crate::operator::account::select;
use crate::operator::tenant::withdrawal::tenant_of;
use k8s_openapi::api::core::v1::Namespace;
use kube::Resource;
use kube::api::PartialObjectMeta;
use kube::core::object::HasStatus;

/// An object that needs a pass.
pub type Trigger = (Kind, Wake);

/// What has happened to an object, as far as others care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    /// It came or went.
    came_or_went: bool,
    /// Its spec changed, or somebody asked for its deletion.
    respecified: bool,
    /// It became Ready.
    became_ready: bool,
}

impl Facts {
    fn of<K>(change: &Change<K>) -> Self
    where
        K: Resource<DynamicType = ()> + HasStatus<Status: Conditioned>,
    {
        let ready = |object: &K| object.status().is_some_and(|status| status.conditions().is_true(READY));
        match (&change.before, &change.after) {
            (Some(before), Some(after)) => Self {
                came_or_went: before.meta().uid != after.meta().uid,
                respecified: before.meta().generation != after.meta().generation
                    || is_deleting(&**before) != is_deleting(&**after),
                became_ready: !ready(before) && ready(after),
            },
            (before, after) => Self {
                came_or_went: before.is_some() || after.is_some(),
                respecified: false,
                became_ready: false,
            },
        }
    }

    fn any(self) -> bool {
        self.came_or_went || self.respecified || self.became_ready
    }

    fn rules_changed(self) -> bool {
        self.came_or_went || self.respecified
    }
}

/// Whether the object itself needs a pass: not where only its status, or our own finalizer on it, is new.
pub fn needs_pass<K: Located>(change: &Change<K>, finalizer: &str) -> bool {
    let (Some(before), Some(after)) = (&change.before, &change.after) else { return true };
    let (before, after) = (before.meta(), after.meta());
    let held = |meta: &kube::api::ObjectMeta| meta.finalizers.iter().flatten().any(|name| name == finalizer);
    before.uid != after.uid
        || before.generation != after.generation
        || before.deletion_timestamp != after.deletion_timestamp
        || before.annotations != after.annotations
        || before.labels != after.labels
        || (held(before) && !held(after))
}

/// Others that care about a StorageAccount.
pub fn of_account(stores: &Stores, change: &Change<StorageAccount>) -> Vec<Trigger> {
    let facts = Facts::of(change);
    if !facts.any() {
        return Vec::new();
    }
    let name = &change.key.name;
    let mut told = Vec::new();
    if facts.rules_changed() {
        // Which account is the default concerns all of them.
        let others = stores.accounts.filter(|account| account.spec.default && name_of(account) != name);
        told.extend(others.iter().map(|account| now(&**account)));
    }
    let tenants = stores.tenants.filter(|tenant| {
        let named = tenant.spec.account_ref.as_ref().is_none_or(|reference| reference.name == *name);
        let made = tenant.status.iter().any(|status| status.accounts.iter().any(|there| there.name == *name));
        (named || made) && (facts.rules_changed() || !is_ready(tenant))
    });
    told.extend(tenants.iter().map(|tenant| now(&**tenant)));
    let users = stores.users.filter(|user| bound_account(user).is_none_or(|account| account == *name));
    for user in users {
        told.extend((!is_ready(&*user)).then(|| now(&*user)));
        told.extend(below_user(stores, namespace_of(&*user), name_of(&*user), false));
    }
    told
}

/// Others that care about a Tenant.
pub fn of_tenant(stores: &Stores, change: &Change<Tenant>) -> Vec<Trigger> {
    let facts = Facts::of(change);
    let accounts = |tenant: &Option<std::sync::Arc<Tenant>>| {
        tenant.as_ref().and_then(|tenant| tenant.status.as_ref()).map(|status| status.accounts.clone())
    };
    let moved = accounts(&change.before).unwrap_or_default() != accounts(&change.after).unwrap_or_default();
    let mut told = Vec::new();
    if moved || facts.came_or_went {
        let both = [&change.before, &change.after];
        for account in both.into_iter().flat_map(|side| accounts(side).unwrap_or_default()) {
            told.push(upwards(Kind::StorageAccount, &account.name, account_waits(stores, &account.name)));
        }
    }
    if !moved && !facts.any() {
        return told;
    }
    let all = facts.rules_changed();
    let name = &change.key.name;
    for user in stores.users.filter(|user| user.spec.tenant_ref.name == *name || tenant_of(user) == name) {
        told.extend((all || !is_ready(&*user)).then(|| now(&*user)));
        told.extend(below_user(stores, namespace_of(&*user), name_of(&*user), all));
    }
    told
}

/// Others that care about a StorageUser.
pub fn of_user(stores: &Stores, change: &Change<StorageUser>) -> Vec<Trigger> {
    let facts = Facts::of(change);
    let binding = |user: &Option<std::sync::Arc<StorageUser>>| {
        user.as_ref().map(|user| (user.spec.tenant_ref.name.clone(), bound_account(user).map(str::to_owned)))
    };
    let (before, after) = (binding(&change.before), binding(&change.after));
    let mut told = Vec::new();
    if before != after || facts.came_or_went {
        for (tenant, account) in before.iter().chain(after.iter()) {
            let leaves = account.as_ref().is_some_and(|account| is_going(stores, account));
            let lacks = lacks_account(stores, tenant, change.after.as_deref());
            let wait = leaves || lacks || tenant_waits(stores, tenant);
            told.push(upwards(Kind::Tenant, tenant, wait));
            if let Some(account) = account {
                told.push(upwards(Kind::StorageAccount, account, account_waits(stores, account)));
            }
        }
    }
    if facts.any() {
        let namespace = change.key.namespace.as_deref().unwrap_or_default();
        told.extend(below_user(stores, namespace, &change.key.name, facts.rules_changed()));
    }
    told
}

/// Others that care about an AccessKey.
pub fn of_key(stores: &Stores, change: &Change<AccessKey>) -> Vec<Trigger> {
    if !Facts::of(change).came_or_went {
        return Vec::new();
    }
    let either = change.after.as_ref().or(change.before.as_ref());
    either.map(|key| above(stores, &change.key, &key.spec.user_ref.name)).unwrap_or_default()
}

/// Others that care about a Bucket.
pub fn of_bucket(stores: &Stores, change: &Change<Bucket>) -> Vec<Trigger> {
    let facts = Facts::of(change);
    let Some(bucket) = change.after.as_ref().or(change.before.as_ref()) else { return Vec::new() };
    let user = &bucket.spec.user_ref.name;
    let mut told = if facts.came_or_went { above(stores, &change.key, user) } else { Vec::new() };
    if facts.any() {
        let keys = stores.keys.filter(|key| {
            key.metadata.namespace == change.key.namespace
                && key.spec.user_ref.name == *user
                && (facts.rules_changed() || !is_ready(key))
        });
        told.extend(keys.iter().map(|key| now(&**key)));
    }
    told
}

/// Others that care about the labels of a Namespace.
pub fn of_namespace(stores: &Stores, change: &Change<PartialObjectMeta<Namespace>>) -> Vec<Trigger> {
    let labels = |side: &Option<std::sync::Arc<PartialObjectMeta<Namespace>>>| {
        side.as_ref().and_then(|namespace| namespace.metadata.labels.clone())
    };
    if labels(&change.before) == labels(&change.after) {
        return Vec::new();
    }
    let inside = |meta: &kube::api::ObjectMeta| meta.namespace.as_ref() == Some(&change.key.name);
    let users = stores.users.filter(|user| inside(&user.metadata));
    let keys = stores.keys.filter(|key| inside(&key.metadata));
    let buckets = stores.buckets.filter(|bucket| inside(&bucket.metadata));
    let users = users.iter().map(|user| now(&**user));
    let keys = keys.iter().map(|key| now(&**key));
    users.chain(keys).chain(buckets.iter().map(|bucket| now(&**bucket))).collect()
}

/// The account that a user is in, or says it wants to be in.
pub fn bound_account(user: &StorageUser) -> Option<&str> {
    let made = user.status.as_ref().and_then(|status| status.account.as_deref());
    made.or_else(|| user.spec.account_ref.as_ref().map(|reference| reference.name.as_str()))
}

fn now<K: Located>(object: &K) -> Trigger {
    (K::KIND, Wake { key: ObjectKey::of(object.meta()), when: When::Now })
}

fn upwards(kind: Kind, name: &str, waits: bool) -> Trigger {
    (kind, Wake { key: ObjectKey::cluster(name), when: if waits { When::Now } else { When::Refresh } })
}

fn is_ready<K: HasStatus<Status: Conditioned>>(object: &K) -> bool {
    object.status().is_some_and(|status| status.conditions().is_true(READY))
}

/// The keys and buckets of a user: all, or those that are not Ready.
fn below_user(stores: &Stores, namespace: &str, user: &str, all: bool) -> Vec<Trigger> {
    let here = |meta: &kube::api::ObjectMeta| meta.namespace.as_deref() == Some(namespace);
    let keys = stores
        .keys
        .filter(|key| here(&key.metadata) && key.spec.user_ref.name == user && (all || !is_ready(key)));
    let buckets = stores.buckets.filter(|bucket| {
        here(&bucket.metadata) && bucket.spec.user_ref.name == user && (all || !is_ready(bucket))
    });
    keys.iter().map(|key| now(&**key)).chain(buckets.iter().map(|bucket| now(&**bucket))).collect()
}

/// The user, tenant and account above a key or a bucket that came or went.
fn above(stores: &Stores, child: &ObjectKey, user: &str) -> Vec<Trigger> {
    let namespace = child.namespace.as_deref().unwrap_or_default();
    let Some(user) = stores.user(namespace, user) else { return Vec::new() };
    let when = if is_deleting(&*user) { When::Now } else { When::Refresh };
    let mut told = vec![(Kind::StorageUser, Wake { key: ObjectKey::of(&user.metadata), when })];
    let tenant = &user.spec.tenant_ref.name;
    told.push(upwards(Kind::Tenant, tenant, tenant_waits(stores, tenant)));
    if let Some(account) = bound_account(&user) {
        told.push(upwards(Kind::StorageAccount, account, account_waits(stores, account)));
    }
    told
}

/// Whether the tenant is being deleted and its last user is gone.
fn tenant_waits(stores: &Stores, name: &str) -> bool {
    let deleting = stores.tenants.get(None, name).is_some_and(|tenant| is_deleting(&*tenant));
    deleting && stores.users.count(|user| user.spec.tenant_ref.name == name) == 0
}

/// Whether the account is being deleted and its last user is gone.
fn account_waits(stores: &Stores, name: &str) -> bool {
    is_going(stores, name) && stores.users.count(|user| bound_account(user) == Some(name)) == 0
}

/// Whether the account is being deleted.
fn is_going(stores: &Stores, account: &str) -> bool {
    stores.accounts.get(None, account).is_some_and(|account| is_deleting(&*account))
}

/// Whether the user selects an account that its tenant has not been made in yet.
fn lacks_account(stores: &Stores, tenant: &str, user: Option<&StorageUser>) -> bool {
    let (Some(tenant), Some(user)) = (stores.tenants.get(None, tenant), user) else { return false };
    let named = user.spec.account_ref.as_ref().map(|reference| reference.name.as_str());
    let Ok(account) = select(&stores.accounts.all(), named, &tenant) else { return false };
    let made = |status: &crate::api::TenantStatus| {
        status.accounts.iter().any(|there| there.name == name_of(&*account))
    };
    !tenant.status.as_ref().is_some_and(made)
}

#[cfg(test)]
mod tests;
