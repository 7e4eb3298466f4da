//! The client of the management API against the real server, in one process: what a provider promises, asked of both
//! sides of the wire at once.

// All of this file is a test, helpers included.
#![cfg(test)]

#[path = "provider/server.rs"]
mod server;

use server::{Server, wish};
use std::collections::BTreeSet;
use storekeeper::provider::{
    BucketWish, Capability, ClusterId, ErrorKind, KeyWish, ObjectName, OwnerMark, Provider, Quota, Retention,
    RetentionPeriod, TenantState, UserState,
};
use storekeeper::wire::{LockMode, Permission, Role, Versioning, Visibility};

fn cluster() -> ClusterId {
    ClusterId("c-1".to_owned())
}

fn owner(uid: &str) -> OwnerMark {
    OwnerMark { cluster: cluster(), uid: uid.to_owned() }
}

fn named(name: &str) -> ObjectName {
    ObjectName { namespace: Some("team-a".to_owned()), name: name.to_owned() }
}

async fn tenant(provider: &dyn Provider) -> TenantState {
    provider.create_tenant(&wish::tenant("acme", owner("t-1"))).await.unwrap()
}

async fn user(provider: &dyn Provider, login: &str) -> UserState {
    let tenant = match provider.find_tenant("acme").await.unwrap() {
        Some(tenant) => tenant,
        None => tenant(provider).await,
    };
    provider.create_user(&wish::user(login, &tenant.id, owner(login))).await.unwrap()
}

fn key(user: &UserState, epoch: u32, nonce: &str) -> KeyWish {
    KeyWish {
        user_id: user.id.clone(),
        permission: Permission::ReadWrite,
        description: "CI".to_owned(),
        buckets: None,
        owner: owner("k-1"),
        object: named("ci"),
        secret: "ci-keys".to_owned(),
        epoch,
        nonce: nonce.to_owned(),
    }
}

fn bucket(user: &UserState, name: &str) -> BucketWish {
    BucketWish {
        user_id: user.id.clone(),
        name: name.to_owned(),
        versioning: Versioning::Disabled,
        object_lock: None,
        quota: Quota::default(),
        owner: owner("b-1"),
        object: named(name),
    }
}

#[tokio::test]
async fn the_server_says_who_it_is_and_what_it_can_do() {
    let server = Server::start(false).await;
    let said = server.provider().describe().await.unwrap();
    assert_eq!(said.account_id.len(), 12);
    let able = [
        Capability::KeyBuckets,
        Capability::KeySuspension,
        Capability::ExactWrite,
        Capability::Versioning,
        Capability::ObjectLock,
        Capability::Quotas,
    ];
    assert_eq!(said.capabilities, BTreeSet::from(able));
    let server = Server::start(true).await;
    let said = server.provider().describe().await.unwrap();
    assert!(said.capabilities.contains(&Capability::IdempotentMint));
}

#[tokio::test]
async fn credentials_that_are_wrong_are_told_from_a_server_that_fails() {
    let server = Server::start(false).await;
    let error = server.with_token("not-a-token").describe().await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Unauthenticated), "{error}");
}

#[tokio::test]
async fn a_tenant_is_made_once_found_changed_and_removed() {
    let server = Server::start(false).await;
    let provider = server.provider();
    let made = tenant(&provider).await;
    assert_eq!((made.owner.as_ref(), made.built_in), (Some(&owner("t-1")), false));
    assert_eq!(provider.find_tenant("acme").await.unwrap().as_ref(), Some(&made));
    assert_eq!(provider.find_tenant("acm").await.unwrap(), None);
    let again = provider.create_tenant(&wish::tenant("acme", owner("t-2"))).await.unwrap_err();
    assert!(matches!(again.kind, ErrorKind::NameTaken(_)), "{again}");
    let mut other = wish::tenant("acme", owner("t-1"));
    other.visibility = Visibility::Isolated;
    other.quota.buckets = Some(3);
    let changed = provider.update_tenant(&made.id, &other).await.unwrap();
    assert_eq!((changed.visibility, changed.quota.buckets), (Visibility::Isolated, Some(3)));
    assert_eq!(changed.owner, made.owner, "the mark stays");
    for _ in 0..2 {
        provider.delete_tenant(&made.id).await.unwrap();
    }
    assert_eq!(provider.find_tenant("acme").await.unwrap(), None);
    assert!(provider.find_tenant("administrator").await.unwrap().is_some_and(|tenant| tenant.built_in));
}

#[tokio::test]
async fn a_user_is_made_once_found_changed_and_removed() {
    let server = Server::start(false).await;
    let provider = server.provider();
    let made = user(&provider, "team-a_app").await;
    assert_eq!(made.object, Some(named("team-a_app")));
    let found = provider.find_user("team-a_app").await.unwrap();
    assert_eq!(found.as_ref(), Some(&made));
    let mut other = wish::user("team-a_app", &made.tenant_id, owner("team-a_app"));
    other.enabled = false;
    other.role = Role::Backup;
    other.quota = Quota { buckets: Some(1), size: Some(2), objects: Some(3) };
    let changed = provider.update_user(&made.id, &other).await.unwrap();
    assert_eq!((changed.enabled, changed.role, changed.quota), (false, Role::Backup, other.quota));
    assert_eq!(provider.update_user(&made.id, &other).await.unwrap(), changed, "once more changes nothing");
    let again = provider.create_user(&other).await.unwrap_err();
    assert!(matches!(again.kind, ErrorKind::NameTaken(_)), "{again}");
    let in_use = provider.delete_tenant(&made.tenant_id).await.unwrap_err();
    assert!(matches!(&in_use.kind, ErrorKind::InUse(what) if what.contains("users: 1")), "{in_use}");
    for _ in 0..2 {
        provider.delete_user(&made.id).await.unwrap();
    }
    assert_eq!(provider.find_user("team-a_app").await.unwrap(), None);
}

#[tokio::test]
async fn lists_show_what_carries_the_clusters_mark_and_nothing_else() {
    let server = Server::start(false).await;
    let provider = server.provider();
    let tenant = tenant(&provider).await;
    for number in 0..3 {
        user(&provider, &format!("u{number}")).await;
    }
    let foreign = OwnerMark { cluster: ClusterId("c-2".to_owned()), uid: "x".to_owned() };
    provider.create_user(&wish::user("foreign", &tenant.id, foreign)).await.unwrap();
    let logins: BTreeSet<String> =
        provider.list_users(&cluster()).await.unwrap().into_iter().map(|user| user.login).collect();
    assert_eq!(logins, ["u0", "u1", "u2"].map(str::to_owned).into());
    let app = provider.find_user("u0").await.unwrap().unwrap();
    provider.create_bucket(&bucket(&app, "data")).await.unwrap();
    assert_eq!(provider.list_buckets(&cluster()).await.unwrap().len(), 1);
    assert_eq!(provider.list_buckets(&ClusterId("c-2".to_owned())).await.unwrap(), []);
}

#[tokio::test]
async fn a_key_is_made_listed_by_its_mark_and_revoked() {
    let server = Server::start(false).await;
    let provider = server.provider();
    let app = user(&provider, "app").await;
    let pair = provider.mint_key(&key(&app, 1, "00ff"), None).await.ok().unwrap();
    assert_eq!(pair.secret_access_key.reveal().len(), 40);
    let other = provider.mint_key(&key(&app, 2, "11ee"), None).await.ok().unwrap();
    assert_ne!(pair.access_key_id, other.access_key_id);
    let listed = provider.list_keys(&cluster(), Some(&owner("k-1"))).await.unwrap();
    let attempts: BTreeSet<_> = listed.iter().map(|key| (key.epoch, key.nonce.as_str())).collect();
    assert_eq!(attempts, [(1, "00ff"), (2, "11ee")].into());
    assert!(listed.iter().all(|key| key.user_id == app.id && key.object == Some(named("ci"))));
    assert!(listed.iter().all(|key| key.secret.as_deref() == Some("ci-keys")));
    assert_eq!(provider.list_keys(&cluster(), None).await.unwrap().len(), 2);
    assert_eq!(provider.list_keys(&cluster(), Some(&owner("k-2"))).await.unwrap(), []);
    let in_use = provider.delete_user(&app.id).await.unwrap_err();
    assert!(matches!(in_use.kind, ErrorKind::InUse(_)), "{in_use}");
    for active in [false, true] {
        provider.set_key_active(&other.access_key_id, active).await.unwrap();
        let listed = provider.list_keys(&cluster(), None).await.unwrap();
        let states = listed.iter().map(|key| (key.epoch, key.active));
        assert_eq!(states.collect::<BTreeSet<_>>(), [(1, true), (2, active)].into());
    }
    for _ in 0..2 {
        provider.revoke_key(&pair.access_key_id).await.unwrap();
    }
    let left = provider.list_keys(&cluster(), None).await.unwrap();
    assert_eq!(left.iter().map(|key| key.epoch).collect::<Vec<_>>(), [2]);
    assert_eq!(provider.find_user("app").await.unwrap().unwrap().usage.access_keys, 1);
}

#[tokio::test]
async fn a_mint_is_repeated_only_where_the_server_remembers() {
    for remembers in [false, true] {
        let server = Server::start(remembers).await;
        let provider = server.provider();
        let app = user(&provider, "app").await;
        let mut ids = BTreeSet::new();
        for _ in 0..2 {
            ids.insert(
                provider.mint_key(&key(&app, 1, "00ff"), Some("00ff")).await.ok().unwrap().access_key_id,
            );
        }
        let expected = if remembers { 1 } else { 2 };
        assert_eq!(ids.len(), expected);
        assert_eq!(provider.list_keys(&cluster(), None).await.unwrap().len(), expected);
    }
}

#[tokio::test]
async fn a_key_that_a_rule_forbids_is_definitely_not_made() {
    let server = Server::start(false).await;
    let provider = server.provider();
    let mut app = user(&provider, "app").await;
    let mut restricted = key(&app, 1, "00ff");
    restricted.description = "x".repeat(256);
    let refused = provider.mint_key(&restricted, None).await.err().unwrap();
    assert!(refused.is_definite(), "{refused}");
    app.id = "us_aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned();
    let unknown = provider.mint_key(&key(&app, 1, "00ff"), None).await.err().unwrap();
    assert!(unknown.is_definite(), "{unknown}");
    assert_eq!(provider.list_keys(&cluster(), None).await.unwrap(), []);
}

#[tokio::test]
async fn a_bucket_is_made_once_found_changed_and_removed() {
    let server = Server::start(false).await;
    let provider = server.provider();
    let app = user(&provider, "app").await;
    let mut wish = bucket(&app, "data");
    let made = provider.create_bucket(&wish).await.unwrap();
    assert_eq!(
        (made.versioning, made.object_lock, made.default_retention),
        (Versioning::Disabled, false, None)
    );
    assert_eq!(provider.find_bucket(&app.id, "data").await.unwrap().as_ref(), Some(&made));
    assert_eq!(provider.find_bucket(&app.id, "other").await.unwrap(), None);
    let again = provider.create_bucket(&wish).await.unwrap_err();
    assert!(matches!(again.kind, ErrorKind::NameTaken(_)), "{again}");
    wish.versioning = Versioning::Enabled;
    wish.quota = Quota { buckets: None, size: Some(1), objects: Some(2) };
    let changed = provider.update_bucket(&wish).await.unwrap();
    assert_eq!((changed.versioning, changed.quota), (Versioning::Enabled, wish.quota));
    wish.versioning = Versioning::Disabled;
    let refused = provider.update_bucket(&wish).await.unwrap_err();
    assert!(matches!(refused.kind, ErrorKind::Refused(_)), "{refused}");
    let in_use = provider.delete_user(&app.id).await.unwrap_err();
    assert!(matches!(&in_use.kind, ErrorKind::InUse(what) if what.contains("buckets: 1")), "{in_use}");
    for _ in 0..2 {
        provider.delete_bucket(&app.id, "data").await.unwrap();
    }
    assert_eq!(provider.find_bucket(&app.id, "data").await.unwrap(), None);
}

#[tokio::test]
async fn a_bucket_with_object_lock_keeps_it_and_takes_another_retention() {
    let server = Server::start(false).await;
    let provider = server.provider();
    let app = user(&provider, "app").await;
    let mut wish = bucket(&app, "data");
    wish.versioning = Versioning::Enabled;
    let days = |days| Retention { mode: LockMode::Governance, period: RetentionPeriod::Days(days) };
    wish.object_lock = Some(days(7));
    let made = provider.create_bucket(&wish).await.unwrap();
    assert_eq!((made.object_lock, made.default_retention), (true, Some(days(7))));
    let years = Retention { mode: LockMode::Compliance, period: RetentionPeriod::Years(1) };
    wish.object_lock = Some(years);
    assert_eq!(provider.update_bucket(&wish).await.unwrap().default_retention, Some(years));
}

#[tokio::test]
async fn two_users_have_buckets_of_the_same_name() {
    let server = Server::start(false).await;
    let provider = server.provider();
    let (one, other) = (user(&provider, "one").await, user(&provider, "other").await);
    provider.create_bucket(&bucket(&one, "data")).await.unwrap();
    provider.create_bucket(&bucket(&other, "data")).await.unwrap();
    provider.delete_bucket(&one.id, "data").await.unwrap();
    assert!(provider.find_bucket(&other.id, "data").await.unwrap().is_some());
}

#[tokio::test]
async fn keys_and_buckets_of_an_isolated_tenant_are_managed_too() {
    let server = Server::start(false).await;
    let provider = server.provider();
    let mut wish = wish::tenant("acme", owner("t-1"));
    wish.visibility = Visibility::Isolated;
    provider.create_tenant(&wish).await.unwrap();
    let app = user(&provider, "app").await;
    provider.create_bucket(&bucket(&app, "data")).await.unwrap();
    provider.mint_key(&key(&app, 1, "00ff"), None).await.map_err(|error| error.to_string()).unwrap();
    assert_eq!(provider.list_keys(&cluster(), None).await.unwrap().len(), 1);
    assert_eq!(provider.list_buckets(&cluster()).await.unwrap().len(), 1);
}
