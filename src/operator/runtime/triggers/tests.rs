use super::{Trigger, needs_pass, of_account, of_bucket, of_key, of_namespace, of_tenant, of_user};
use crate::api::{AccessKey, Bucket, FINALIZER, StorageAccount, StorageUser, Tenant};
use crate::operator::runtime::store::{Change, Decoded, Store, Stores};
use crate::operator::runtime::wake::When;
use crate::operator::runtime::{Located, ObjectKey};
use kube::Resource;
use serde_json::{Value, json};
use std::sync::Arc;

/// An object with a uid, generation 1, and `extra` merged into it.
fn object<K: Located + serde::de::DeserializeOwned>(
    namespace: Option<&str>,
    name: &str,
    spec: &Value,
    status: &Value,
) -> K {
    let meta = json!({"name": name, "namespace": namespace, "uid": format!("uid-{name}"), "generation": 1});
    let value = json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": K::KIND.as_str(),
        "metadata": meta, "spec": spec, "status": status,
    });
    serde_json::from_value(value).unwrap()
}

fn ready(status: &str) -> Value {
    json!([{"type": "Ready", "status": status, "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}])
}

fn account(name: &str, default: bool, is_ready: &str) -> StorageAccount {
    let spec = json!({"provider": {}, "s3": {"endpoint": "https://s3"}, "default": default});
    object(None, name, &spec, &json!({"conditions": ready(is_ready)}))
}

fn tenant(name: &str, accounts: &[&str]) -> Tenant {
    let accounts: Vec<Value> =
        accounts.iter().map(|name| json!({"name": name, "tenantId": "t", "ready": true})).collect();
    object(None, name, &json!({}), &json!({"conditions": ready("True"), "accounts": accounts}))
}

fn user(name: &str, account: Option<&str>) -> StorageUser {
    object(Some("ns"), name, &json!({"tenantRef": {"name": "acme"}}), &json!({"account": account}))
}

fn key(name: &str, user: &str) -> AccessKey {
    object(Some("ns"), name, &json!({"userRef": {"name": user}, "permission": "Read"}), &json!({}))
}

fn bucket(name: &str, user: &str) -> Bucket {
    object(Some("ns"), name, &json!({"userRef": {"name": user}}), &json!({}))
}

fn put<K: Located>(store: &Store<K>, object: K) {
    store.put(ObjectKey::of(object.meta()), Decoded::Valid(Arc::new(object)));
}

/// Two users in account main, one of them with a key and a bucket.
fn world() -> Stores {
    let stores = Stores::default();
    put(&stores.accounts, account("main", true, "True"));
    put(&stores.accounts, account("spare", false, "True"));
    put(&stores.tenants, tenant("acme", &["main"]));
    put(&stores.users, user("one", Some("main")));
    put(&stores.users, user("two", Some("spare")));
    put(&stores.keys, key("key", "one"));
    put(&stores.buckets, bucket("data", "one"));
    stores
}

fn change<K: Located>(before: Option<K>, after: Option<K>) -> Change<K> {
    let key = before.as_ref().or(after.as_ref()).map(|object| ObjectKey::of(object.meta())).unwrap();
    Change { key, before: before.map(Arc::new), after: after.map(Arc::new) }
}

/// `Kind name` of what is told at once, `(Kind name)` of what is told now and then, sorted.
fn told(triggers: Vec<Trigger>) -> Vec<String> {
    let mut told: Vec<String> = triggers
        .into_iter()
        .map(|(kind, wake)| match wake.when {
            When::Now => format!("{} {}", kind.as_str(), wake.key.name),
            When::Refresh => format!("({} {})", kind.as_str(), wake.key.name),
        })
        .collect();
    told.sort();
    told.dedup();
    told
}

fn respecified<K: Resource>(mut object: K) -> K {
    object.meta_mut().generation = Some(2);
    object
}

fn deleting<K: Resource>(mut object: K) -> K {
    let time = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(jiff::Timestamp::UNIX_EPOCH);
    object.meta_mut().deletion_timestamp = Some(time);
    object
}

#[test]
fn an_account_that_becomes_ready_wakes_those_of_its_dependants_that_are_not() {
    let stores = world();
    let became = change(Some(account("main", true, "False")), Some(account("main", true, "True")));
    assert_eq!(told(of_account(&stores, &became)), ["AccessKey key", "Bucket data", "StorageUser one"]);
    let failed = change(Some(account("main", true, "True")), Some(account("main", true, "False")));
    assert!(of_account(&stores, &failed).is_empty());
}

#[test]
fn a_new_account_concerns_the_default_and_the_tenants() {
    let stores = world();
    let came = told(of_account(&stores, &change(None, Some(account("other", true, "False")))));
    assert_eq!(came, ["StorageAccount main", "Tenant acme"]);
}

#[test]
fn the_rules_of_a_tenant_concern_all_its_users_with_their_keys_and_buckets() {
    let stores = world();
    let ruled = change(Some(tenant("acme", &["main"])), Some(respecified(tenant("acme", &["main"]))));
    let expected = ["AccessKey key", "Bucket data", "StorageUser one", "StorageUser two"];
    assert_eq!(told(of_tenant(&stores, &ruled)), expected);
    let counted = change(Some(tenant("acme", &["main"])), Some(tenant("acme", &["main"])));
    assert!(of_tenant(&stores, &counted).is_empty());
}

#[test]
fn a_tenant_that_is_made_in_an_account_is_counted_there_and_wakes_its_users() {
    let stores = world();
    let made = change(Some(tenant("acme", &[])), Some(tenant("acme", &["main"])));
    let expected =
        ["(StorageAccount main)", "AccessKey key", "Bucket data", "StorageUser one", "StorageUser two"];
    assert_eq!(told(of_tenant(&stores, &made)), expected);
}

#[test]
fn a_new_user_is_counted_now_and_then_and_wakes_a_tenant_that_lacks_its_account() {
    let stores = world();
    assert_eq!(told(of_user(&stores, &change(None, Some(user("new", None))))), ["(Tenant acme)"]);
    put(&stores.tenants, tenant("acme", &[]));
    assert_eq!(told(of_user(&stores, &change(None, Some(user("new", None))))), ["Tenant acme"]);
}

#[test]
fn a_user_that_is_made_in_an_account_is_counted_there() {
    let stores = world();
    let made = change(Some(user("one", None)), Some(user("one", Some("main"))));
    assert_eq!(told(of_user(&stores, &made)), ["(StorageAccount main)", "(Tenant acme)"]);
}

#[test]
fn the_last_user_that_goes_wakes_a_tenant_and_an_account_that_are_being_deleted() {
    let stores = Stores::default();
    put(&stores.accounts, deleting(account("main", false, "True")));
    put(&stores.tenants, deleting(tenant("acme", &["main"])));
    put(&stores.users, user("last", Some("main")));
    let gone = change(Some(user("one", Some("main"))), None);
    assert_eq!(told(of_user(&stores, &gone)), ["(StorageAccount main)", "Tenant acme"]);
    stores.users.remove(&ObjectKey::namespaced("ns", "last"));
    let gone = change(Some(user("last", Some("main"))), None);
    assert_eq!(told(of_user(&stores, &gone)), ["StorageAccount main", "Tenant acme"]);
}

#[test]
fn keys_are_counted_by_their_user_which_is_told_at_once_while_it_is_being_deleted() {
    let stores = world();
    let gone = || change(Some(key("key", "one")), None);
    assert_eq!(
        told(of_key(&stores, &gone())),
        ["(StorageAccount main)", "(StorageUser one)", "(Tenant acme)"]
    );
    put(&stores.users, deleting(user("one", Some("main"))));
    assert_eq!(told(of_key(&stores, &gone())), ["(StorageAccount main)", "(Tenant acme)", "StorageUser one"]);
    let same = change(Some(key("key", "one")), Some(key("key", "one")));
    assert!(of_key(&stores, &same).is_empty());
}

#[test]
fn a_new_bucket_wakes_the_keys_of_its_user() {
    let stores = world();
    let came = told(of_bucket(&stores, &change(None, Some(bucket("more", "one")))));
    let expected = ["(StorageAccount main)", "(StorageUser one)", "(Tenant acme)", "AccessKey key"];
    assert_eq!(came, expected);
}

#[test]
fn the_labels_of_a_namespace_concern_everything_in_it() {
    let stores = world();
    let namespace = |labels: Value| {
        let meta = json!({"metadata": {"name": "ns", "labels": labels}});
        serde_json::from_value(meta).unwrap()
    };
    let key = || ObjectKey::cluster("ns");
    let before = Some(Arc::new(namespace(json!({}))));
    let after = Some(Arc::new(namespace(json!({"a": "b"}))));
    let changed = Change { key: key(), before: before.clone(), after };
    let expected = ["AccessKey key", "Bucket data", "StorageUser one", "StorageUser two"];
    assert_eq!(told(of_namespace(&stores, &changed)), expected);
    let same = Change { key: key(), before: before.clone(), after: before };
    assert!(of_namespace(&stores, &same).is_empty());
}

#[test]
fn an_object_needs_a_pass_unless_only_its_status_or_our_finalizer_is_new() {
    let base = || user("one", None);
    let with = |edit: fn(&mut StorageUser)| {
        let mut user = base();
        edit(&mut user);
        user
    };
    let finalizer = |user: &mut StorageUser| user.metadata.finalizers = Some(vec![FINALIZER.to_owned()]);
    let annotated = |user: &mut StorageUser| {
        let annotation = ("storekeeper.dev/reissue".to_owned(), "2".to_owned());
        user.metadata.annotations = Some([annotation].into());
    };
    for (before, after, expected) in [
        (None, Some(base()), true),
        (Some(base()), None, true),
        (Some(base()), Some(user("one", Some("main"))), false),
        (Some(base()), Some(with(finalizer)), false),
        (Some(with(finalizer)), Some(base()), true),
        (Some(base()), Some(with(annotated)), true),
        (Some(base()), Some(respecified(base())), true),
        (Some(base()), Some(deleting(base())), true),
    ] {
        let change = change(before, after);
        assert_eq!(needs_pass(&change, FINALIZER), expected, "{change:?}");
    }
}
