//! Tenants and users.

use crate::gateway::{Gateway, Names, made, uuid};
use std::collections::BTreeSet;
use storekeeper::provider::{ErrorKind, ObjectName, Provider, Quota, TenantWish};
use storekeeper::wire::{Permission, Role, ShownSecret, Visibility};

#[tokio::test]
async fn the_gateway_says_what_it_can_do_and_what_the_operator_may_not() {
    let gateway = Gateway::new();
    let said = gateway.client().describe().await.unwrap();
    assert_eq!((said.name.as_str(), said.account_id.as_str()), ("Ceph RGW", "storekeeper"));
    let mut who = gateway.operator.clone();
    who.secret_key = ShownSecret::new("wrong".to_owned());
    let error = Gateway::client_at(&gateway.endpoint, &who).describe().await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Unauthenticated), "{error}");
    let (uid, id) = (format!("weak-{}", uuid()), uuid());
    let weak = [
        ("uid", uid.as_str()),
        ("display-name", "x"),
        ("access-key", &id),
        ("secret-key", "s"),
        ("user-caps", "users=*;buckets=*;metadata=read"),
    ];
    assert_eq!(gateway.admin("PUT", "user", &weak).await.status, 200);
    who.access_key = id.clone();
    who.secret_key = ShownSecret::new("s".to_owned());
    let error = Gateway::client_at(&gateway.endpoint, &who).describe().await.unwrap_err();
    assert!(error.to_string().contains("'metadata=*'"), "{error}");
}

#[tokio::test]
async fn a_tenant_is_made_once_found_changed_and_removed() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let client = gateway.client();
    let name = format!("acme.{}", uuid());
    let mut wish = TenantWish {
        name: name.clone(),
        visibility: Visibility::Public,
        description: "ä, \"b\"".to_owned(),
        quota: Quota { buckets: Some(3), size: None, objects: None },
        owner: names.owner("skt"),
        object: ObjectName { namespace: None, name: name.clone() },
    };
    let made = client.create_tenant(&wish).await.unwrap();
    assert_eq!((made.owner.as_ref(), made.built_in), (Some(&wish.owner), false));
    assert_eq!((made.description.as_str(), made.quota), (wish.description.as_str(), wish.quota));
    assert_eq!(gateway.client().find_tenant(&name).await.unwrap(), Some(made.clone()));
    let again = client.create_tenant(&wish).await.unwrap_err();
    assert!(matches!(again.kind, ErrorKind::NameTaken(_)), "{again}");
    wish.visibility = Visibility::Isolated;
    let changed = client.update_tenant(&made.id, &wish).await.unwrap();
    assert_eq!((changed.visibility, &changed.owner), (Visibility::Isolated, &made.owner));
    let mut user = names.user();
    user.tenant_id.clone_from(&made.id);
    let user = client.create_user(&user).await.unwrap();
    let in_use = client.delete_tenant(&made.id).await.unwrap_err();
    assert!(matches!(&in_use.kind, ErrorKind::InUse(what) if what == "users: 1"), "{in_use}");
    client.delete_user(&user.id).await.unwrap();
    for _ in 0..2 {
        client.delete_tenant(&made.id).await.unwrap();
    }
    assert_eq!(client.find_tenant(&name).await.unwrap(), None);
    assert!(client.find_tenant("administrator").await.unwrap().is_some_and(|tenant| tenant.built_in));
}

#[tokio::test]
async fn a_user_is_made_once_found_changed_and_removed() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let client = gateway.client();
    assert_eq!(client.find_user(&names.login).await.unwrap(), None);
    let mut wish = names.user();
    wish.quota = Quota { buckets: Some(2), size: Some(1_000_001), objects: None };
    let made = client.create_user(&wish).await.unwrap();
    assert_eq!((made.owner.as_ref(), made.object.as_ref()), (Some(&wish.owner), Some(&wish.object)));
    assert_eq!((&made.display_name, &made.email, made.quota), (&wish.display_name, &wish.email, wish.quota));
    assert_eq!((made.usage.access_keys, made.usage.buckets), (0, 0));
    assert_eq!(gateway.client().find_user(&names.login).await.unwrap(), Some(made.clone()));
    wish.role = Role::Backup;
    wish.description = "\u{10ffff}".repeat(255);
    wish.display_name = "\u{10ffff}".repeat(255);
    wish.email = "\u{10ffff}".repeat(255);
    wish.quota = Quota { buckets: Some(0), size: None, objects: Some(9) };
    let changed = client.update_user(&made.id, &wish).await.unwrap();
    assert_eq!(
        (changed.role, changed.quota, &changed.tenant_id),
        (Role::Backup, wish.quota, &made.tenant_id)
    );
    assert_eq!((&changed.description, &changed.owner), (&wish.description, &made.owner));
    assert_eq!(client.update_user(&made.id, &wish).await.unwrap(), changed, "once more changes nothing");
    let again = client.create_user(&wish).await.unwrap_err();
    assert!(matches!(again.kind, ErrorKind::NameTaken(_)), "{again}");
    for _ in 0..2 {
        client.delete_user(&made.id).await.unwrap();
    }
    assert_eq!(client.find_user(&names.login).await.unwrap(), None);
}

#[tokio::test]
async fn a_user_that_somebody_else_made_is_foreign_and_left_alone() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let client = gateway.client();
    let ours = client.create_user(&names.user()).await.unwrap();
    client.delete_user(&ours.id).await.unwrap();
    let theirs = [("uid", ours.id.as_str()), ("display-name", "theirs"), ("generate-key", "false")];
    assert_eq!(gateway.admin("PUT", "user", &theirs).await.status, 200);
    assert_eq!(client.find_user(&names.login).await.unwrap().unwrap().owner, None);
    let taken = client.create_user(&names.user()).await.unwrap_err();
    assert!(matches!(taken.kind, ErrorKind::NameTaken(_)), "{taken}");
    assert!(client.update_user(&ours.id, &names.user()).await.is_err());
    assert!(client.delete_user(&ours.id).await.is_err());
    assert_eq!(gateway.rgw_user(&ours.id).await["data"]["display_name"], "theirs");
    assert_eq!(client.list_users(&names.cluster).await.unwrap(), []);
}

#[tokio::test]
async fn lists_show_what_carries_the_clusters_mark_and_nothing_else() {
    let (gateway, names, others) = (Gateway::new(), Names::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let (_, foreign) = gateway.user_with_bucket(&others).await;
    made(&client, &names.key(&user, Permission::Read)).await;
    made(&client, &others.key(&foreign, Permission::Read)).await;
    for (names, user) in [(&names, &user), (&others, &foreign)] {
        let users = client.list_users(&names.cluster).await.unwrap();
        let buckets = client.list_buckets(&names.cluster).await.unwrap();
        let keys = client.list_keys(&names.cluster, None).await.unwrap();
        assert_eq!(users.iter().map(|user| user.id.as_str()).collect::<Vec<_>>(), [user.id.as_str()]);
        assert_eq!((users[0].usage.buckets, users[0].usage.access_keys), (1, 1));
        assert_eq!((buckets.len(), buckets[0].user_id.as_str()), (1, user.id.as_str()));
        assert_eq!((keys.len(), keys[0].user_id.as_str()), (1, user.id.as_str()));
    }
    assert_eq!(client.list_users(&Names::new().cluster).await.unwrap(), []);
}

#[tokio::test]
async fn a_user_with_keys_or_buckets_is_not_removed() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let mut ids = BTreeSet::new();
    for permission in [Permission::Full, Permission::Read] {
        ids.insert(made(&client, &names.key(&user, permission)).await.access_key);
    }
    let error = client.delete_user(&user.id).await.unwrap_err();
    assert!(matches!(&error.kind, ErrorKind::InUse(what) if what == "buckets: 1, access keys: 2"), "{error}");
    client.delete_bucket(&user.id, "data").await.unwrap();
    for id in ids {
        assert!(client.delete_user(&user.id).await.is_err());
        client.revoke_key(&id).await.unwrap();
    }
    client.delete_user(&user.id).await.unwrap();
    let tenant = user.id.split('$').next().unwrap();
    let left = gateway.admin("GET", "user", &[("list", ""), ("max-entries", "1000")]).await.body;
    assert!(!left.contains(tenant), "{left}");
}

#[tokio::test]
async fn the_longest_login_has_users_keys_and_buckets_like_any_other() {
    let (gateway, mut names) = (Gateway::new(), Names::new());
    names.login = format!("{}{}", "a", "-".repeat(90)) + &names.login[..37];
    assert_eq!(names.login.len(), 128);
    let client = gateway.client();
    let user = client.create_user(&names.user()).await.unwrap();
    let name = "b".repeat(63);
    client.create_bucket(&names.bucket(&user, &name)).await.unwrap();
    for permission in Permission::ALL {
        let key = made(&client, &names.key(&user, permission)).await;
        let expected = if permission == Permission::Read { 403 } else { 200 };
        assert_eq!(gateway.put(&key, &name, "x").await, expected);
        client.revoke_key(&key.access_key).await.unwrap();
    }
}
