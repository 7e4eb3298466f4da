//! What the gateway does that nobody would expect: each is shown past the client, and then that the client copes.

use crate::gateway::{Came, Gateway, Names, credentials, listed, made, pair, uuid};
use crate::sign::Credentials;
use storekeeper::provider::{ErrorKind, Provider};
use storekeeper::wire::{Permission, ShownSecret};

async fn foreign(gateway: &Gateway, more: &[(&str, &str)]) -> (String, Came) {
    let uid = format!("foreign-{}", uuid());
    let mut query = vec![("uid", uid.as_str()), ("display-name", "x")];
    query.extend(more);
    let came = gateway.admin("PUT", "user", &query).await;
    (uid.clone(), came)
}

#[tokio::test]
async fn a_user_that_is_made_without_saying_otherwise_has_a_hidden_key() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (uid, _) = foreign(&gateway, &[]).await;
    assert_eq!(gateway.rgw_user(&uid).await["data"]["keys"].as_array().unwrap().len(), 1);
    let user = gateway.client().create_user(&names.user()).await.unwrap();
    assert_eq!(gateway.rgw_user(&user.id).await["data"]["keys"], serde_json::json!([]));
}

#[tokio::test]
async fn any_change_of_a_user_takes_its_policies_away() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let key = made(&client, &names.key(&user, Permission::ReadWrite)).await;
    let answer = gateway.admin("GET", "user", &[("access-key", &key.access_key)]).await.body;
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let uid = format!("{}${}", answer["tenant"].as_str().unwrap(), answer["user_id"].as_str().unwrap());
    let policies = async || gateway.rgw_user(&uid).await["data"]["attrs"].as_array().unwrap().len();
    assert_eq!((policies().await, gateway.put(&key, "data", "x").await), (1, 200));
    assert_eq!(gateway.admin("POST", "user", &[("uid", &uid), ("display-name", "y")]).await.status, 200);
    assert_eq!((policies().await, gateway.put(&key, "data", "x").await), (0, 403));
    for enabled in [false, true] {
        let wish = storekeeper::provider::UserWish { enabled, ..names.user() };
        client.update_user(&user.id, &wish).await.unwrap();
    }
    assert_eq!((policies().await, gateway.put(&key, "data", "x").await), (1, 200));
}

#[tokio::test]
async fn a_key_that_is_not_there_is_answered_like_an_operator_that_is_not_known() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let gone = [("key", ""), ("uid", user.id.as_str()), ("access-key", "SKGONE"), ("key-type", "s3")];
    assert!(gateway.admin("DELETE", "user", &gone).await.is(403, "InvalidAccessKeyId"));
    let stranger =
        Credentials { access_key: "NOBODY".to_owned(), secret_key: ShownSecret::new("s".to_owned()) };
    let came = gateway.ask(&stranger, "DELETE", "/admin/user", &gone, "").await;
    assert!(came.is(403, "InvalidAccessKeyId"));
    for permission in [Permission::Full, Permission::Read] {
        let wish = names.key(&user, permission);
        let pair = pair(&client, &wish);
        client.put_key(&wish, &pair).await.unwrap();
        let unknown = gateway.client_at(&gateway.endpoint, &stranger);
        let error = unknown.revoke_key(&pair.access_key_id).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Unauthenticated), "{error}");
        assert_eq!(listed(&client, &wish).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_lookup_by_a_key_that_is_not_there_is_forbidden() {
    let gateway = Gateway::new();
    let came = gateway.admin("GET", "user", &[("access-key", "SKGONE")]).await;
    assert!(came.is(403, "AccessDenied"), "{came:?}");
}

#[tokio::test]
async fn the_same_id_with_another_secret_replaces_the_secret_without_a_word() {
    let gateway = Gateway::new();
    let (uid, _) = foreign(&gateway, &[("generate-key", "false")]).await;
    let id = uuid();
    for secret in ["first", "second"] {
        let key = [("key", ""), ("uid", uid.as_str()), ("access-key", &id), ("secret-key", secret)];
        assert_eq!(gateway.admin("PUT", "user", &key).await.status, 200);
    }
    let keys = &gateway.rgw_user(&uid).await["data"]["keys"];
    assert_eq!((keys.as_array().unwrap().len(), &keys[0]["secret_key"]), (1, &"second".into()));
}

#[tokio::test]
async fn a_tenant_with_other_characters_than_letters_and_digits_is_refused() {
    let gateway = Gateway::new();
    for tenant in ["team-a", "team.a", "team@a"] {
        let uid = format!("{tenant}$user");
        let came = gateway.admin("PUT", "user", &[("uid", &uid), ("display-name", "x")]).await;
        assert!(came.is(400, "InvalidTenantName"), "{came:?}");
    }
    let mut names = Names::new();
    names.login = format!("a.b@c_d-{}", names.login);
    let client = gateway.client();
    let user = client.create_user(&names.user()).await.unwrap();
    assert_eq!(client.find_user(&names.login).await.unwrap().unwrap(), user);
}

#[tokio::test]
async fn a_user_with_buckets_is_refused_with_the_code_of_another_mistake() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (_, user) = gateway.user_with_bucket(&names).await;
    let came = gateway.admin("DELETE", "user", &[("uid", &user.id)]).await;
    assert!(came.is(409, "BucketAlreadyExists"), "{came:?}");
}

#[tokio::test]
async fn the_buckets_of_nobody_are_none() {
    let gateway = Gateway::new();
    let came = gateway.admin("GET", "bucket", &[("uid", "sk_nobody$user")]).await;
    assert!(came.is(200, "[]"), "{came:?}");
}

#[tokio::test]
async fn a_lock_that_is_asked_for_on_ones_own_bucket_is_ignored_without_a_word() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let full = made(&client, &names.key(&user, Permission::Full)).await;
    let lock = [("x-amz-bucket-object-lock-enabled", "true".to_owned())];
    assert_eq!(gateway.ask_with(&full, "PUT", "/data", &[], &lock, "").await.status, 200);
    assert!(!client.find_bucket(&user.id, "data").await.unwrap().unwrap().object_lock);
}

#[tokio::test]
async fn a_subuser_may_make_buckets_whatever_it_is_called_and_no_key_of_ours_is_one() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (uid, _) = foreign(&gateway, &[("generate-key", "false")]).await;
    let subuser = [("uid", uid.as_str()), ("subuser", "s"), ("access", "read")];
    assert_eq!(gateway.admin("PUT", "user", &subuser).await.status, 200);
    let (id, name) = (uuid(), format!("{uid}:s"));
    let key = [
        ("key", ""),
        ("uid", &uid),
        ("subuser", &name),
        ("access-key", &id),
        ("secret-key", "s"),
        ("key-type", "s3"),
    ];
    assert_eq!(gateway.admin("PUT", "user", &key).await.status, 200);
    let key = Credentials { access_key: id, secret_key: ShownSecret::new("s".to_owned()) };
    let bucket = format!("/b-{}", uuid());
    assert_eq!(gateway.ask(&key, "PUT", &bucket, &[], "").await.status, 200, "of access read");
    let (client, user) = gateway.user_with_bucket(&names).await;
    let read = made(&client, &names.key(&user, Permission::Read)).await;
    assert_eq!(gateway.ask(&read, "PUT", &bucket, &[], "").await.status, 403);
}

#[tokio::test]
async fn secrets_are_shown_in_clear_by_the_gateway_and_the_client_keeps_none() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let wish = names.key(&user, Permission::Full);
    let pair = pair(&client, &wish);
    client.put_key(&wish, &pair).await.unwrap();
    let shown = gateway.admin("GET", "user", &[("uid", &user.id)]).await.body;
    assert!(shown.contains(pair.secret_access_key.reveal()));
    let seen = format!("{:?}", client.list_keys(&names.cluster, None).await.unwrap());
    assert!(!seen.contains(pair.secret_access_key.reveal()));
    assert_eq!(gateway.put(&credentials(&pair), "data", "x").await, 200);
}

#[tokio::test]
async fn the_gateway_logs_every_query_and_no_secret_is_in_one() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let mut pairs = Vec::new();
    for permission in Permission::ALL {
        let wish = names.key(&user, permission);
        let pair = pair(&client, &wish);
        client.put_key(&wish, &pair).await.unwrap();
        assert_eq!(
            gateway.put(&credentials(&pair), "data", &format!("by-{}", pair.access_key_id)).await / 100,
            if permission == Permission::Read { 4 } else { 2 }
        );
        pairs.push(pair);
    }
    let log = gateway.log_with(&format!("by-{}", pairs[0].access_key_id)).await;
    assert!(pairs.iter().all(|pair| !log.contains(pair.secret_access_key.reveal())));
}
