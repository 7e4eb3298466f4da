//! What the gateway does that nobody would expect: each is shown past the client, and then that the client copes.

use crate::gateway::{Came, Gateway, Names, credentials, listed, made, pair, uuid};
use crate::sign::Credentials;
use storekeeper::provider::{BucketWish, ErrorKind, Provider, Retention, RetentionPeriod};
use storekeeper::wire::{LockMode, Permission, ShownSecret, Versioning};

async fn foreign(gateway: &Gateway, more: &[(&str, &str)]) -> (String, Came) {
    let uid = format!("foreign-{}", uuid());
    let mut query = vec![("uid", uid.as_str()), ("display-name", "x")];
    query.extend(more);
    let came = gateway.admin("PUT", "user", &query).await;
    (uid.clone(), came)
}

/// The key that the gateway made for a user.
async fn key_of(gateway: &Gateway, uid: &str) -> Credentials {
    let user = gateway.rgw_user(uid).await;
    let text = |name: &str| user["data"]["keys"][0][name].as_str().unwrap().to_owned();
    Credentials { access_key: text("access_key"), secret_key: ShownSecret::new(text("secret_key")) }
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
        let unknown = Gateway::client_at(&gateway.endpoint, &stranger);
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

#[tokio::test]
async fn refusals_are_told_by_status_and_code_and_have_no_words() {
    let gateway = Gateway::new();
    let (uid, _) = foreign(&gateway, &[("generate-key", "false")]).await;
    let (other, _) = foreign(&gateway, &[("generate-key", "false")]).await;
    let id = uuid();
    let key = |uid: &str| {
        let pairs = [("key", ""), ("uid", uid), ("access-key", &id), ("secret-key", "s")];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let put = async |uid: &str| {
        let key = key(uid);
        let pairs = key.each_ref().map(|(name, value)| (name.as_str(), value.as_str()));
        gateway.admin("PUT", "user", &pairs).await
    };
    assert_eq!(put(&uid).await.status, 200);
    let again = gateway.admin("PUT", "user", &[("uid", &uid), ("display-name", "x")]).await;
    let taken = put(&other).await;
    assert_eq!(gateway.admin("DELETE", "user", &[("uid", &uid)]).await.status, 200);
    let gone = gateway.admin("DELETE", "user", &[("uid", &uid)]).await;
    for (came, status, code) in
        [(again, 409, "UserAlreadyExists"), (taken, 409, "KeyExists"), (gone, 404, "NoSuchUser")]
    {
        assert!(came.is(status, code), "{came:?}");
        let body: serde_json::Value = serde_json::from_str(&came.body).unwrap();
        assert!(body.get("Message").is_none_or(|message| message == ""), "{body}");
    }
}

#[tokio::test]
async fn a_tenant_beside_the_uid_is_ignored() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (_, user) = gateway.user_with_bucket(&names).await;
    let (tenant, uid) = user.id.split_once('$').unwrap();
    let beside = gateway.admin("GET", "user", &[("uid", uid), ("tenant", tenant)]).await;
    assert!(beside.is(404, "NoSuchUser"), "{beside:?}");
    assert_eq!(gateway.admin("GET", "user", &[("uid", &user.id)]).await.status, 200);
}

#[tokio::test]
async fn a_mask_of_operations_that_is_none_locks_the_user_out() {
    let gateway = Gateway::new();
    let (uid, _) = foreign(&gateway, &[]).await;
    let key = key_of(&gateway, &uid).await;
    let bucket = format!("/b-{}", uuid());
    assert_eq!(gateway.ask(&key, "PUT", &bucket, &[], "").await.status, 200);
    assert_eq!(gateway.admin("POST", "user", &[("uid", &uid), ("op-mask", "bogus")]).await.status, 200);
    assert_eq!(gateway.ask(&key, "GET", &bucket, &[], "").await.status, 403);
}

#[tokio::test]
async fn a_key_without_a_secret_is_given_one() {
    let gateway = Gateway::new();
    let (uid, _) = foreign(&gateway, &[("generate-key", "false")]).await;
    let id = uuid();
    let key = [("key", ""), ("uid", uid.as_str()), ("access-key", &id), ("key-type", "s3")];
    assert_eq!(gateway.admin("PUT", "user", &key).await.status, 200);
    let keys = &gateway.rgw_user(&uid).await["data"]["keys"];
    assert!(!keys[0]["secret_key"].as_str().unwrap().is_empty(), "the caller never learns it by name");
}

#[tokio::test]
async fn a_quota_in_a_body_is_not_taken() {
    let gateway = Gateway::new();
    let (uid, _) = foreign(&gateway, &[("generate-key", "false")]).await;
    let quota = [("quota", ""), ("uid", uid.as_str()), ("quota-type", "user")];
    let body = r#"{"enabled": true, "max_objects": 7}"#;
    let came = gateway.ask(&gateway.operator, "PUT", "/admin/user", &quota, body).await;
    assert_eq!(came.status, 501, "{came:?}");
    let wanted = [&quota[..], &[("max-objects", "7"), ("enabled", "true")]].concat();
    assert_eq!(gateway.admin("PUT", "user", &wanted).await.status, 200);
    assert_eq!(gateway.rgw_user(&uid).await["data"]["user_quota"]["max_objects"], 7);
}

#[tokio::test]
async fn a_bucket_that_is_made_in_anothers_name_is_the_makers() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let bucket = format!("b-{}", uuid());
    let came =
        gateway.ask(&gateway.operator, "PUT", &format!("/{bucket}"), &[("rgwx-uid", &user.id)], "").await;
    assert_eq!(came.status, 200, "{came:?}");
    let shown = gateway.admin("GET", "bucket", &[("bucket", &bucket), ("stats", "true")]).await;
    let shown: serde_json::Value = serde_json::from_str(&shown.body).unwrap();
    assert_ne!(shown["owner"], user.id.as_str());
    assert_eq!(client.find_bucket(&user.id, &bucket).await.unwrap(), None);
}

#[tokio::test]
async fn a_bucket_that_is_linked_across_tenants_takes_anothers_place_and_ours_never_leaves_its_own() {
    let (gateway, names, others) = (Gateway::new(), Names::new(), Names::new());
    let (client, user) = gateway.user_with_bucket(&names).await;
    let (_, other) = gateway.user_with_bucket(&others).await;
    let full = made(&client, &names.key(&user, Permission::Full)).await;
    assert_eq!(gateway.put(&full, "data", "mine").await, 200);
    let tenant = other.id.split('$').next().unwrap();
    let bucket = format!("{tenant}/data");
    let came = gateway.admin("PUT", "bucket", &[("bucket", &bucket), ("uid", &user.id)]).await;
    assert_eq!(came.status, 200, "{came:?}");
    assert_ne!(gateway.get(&full, "data", "mine").await, 200, "the entry is the other bucket's now");
}

#[tokio::test]
async fn purging_takes_what_is_locked_with_it_and_is_not_how_a_bucket_of_ours_goes() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let client = gateway.client();
    let user = client.create_user(&names.user()).await.unwrap();
    let object_lock = Some(Retention { mode: LockMode::Compliance, period: RetentionPeriod::Days(1) });
    let versioning = Versioning::Enabled;
    client
        .create_bucket(&BucketWish { versioning, object_lock, ..names.bucket(&user, "locked") })
        .await
        .unwrap();
    let full = made(&client, &names.key(&user, Permission::Full)).await;
    let retained = [
        ("x-amz-object-lock-mode", "COMPLIANCE".to_owned()),
        ("x-amz-object-lock-retain-until-date", "2099-01-01T00:00:00Z".to_owned()),
    ];
    assert_eq!(gateway.ask_with(&full, "PUT", "/locked/a", &[], &retained, "data").await.status, 200);
    let refused = client.delete_bucket(&user.id, "locked").await.unwrap_err();
    assert!(matches!(refused.kind, ErrorKind::InUse(_)), "{refused}");
    assert_eq!(gateway.get(&full, "locked", "a").await, 200);
    let bucket = format!("{}/locked", user.id.split('$').next().unwrap());
    let purge = [("bucket", bucket.as_str()), ("purge-objects", "true")];
    assert_eq!(gateway.admin("DELETE", "bucket", &purge).await.status, 200);
    assert_eq!(client.find_bucket(&user.id, "locked").await.unwrap(), None);
}

#[tokio::test]
async fn a_policy_that_is_not_there_is_answered_by_success_and_refusal_at_once() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (_, user) = gateway.user_with_bucket(&names).await;
    let (admin, _) = foreign(&gateway, &[("user-caps", "user-policy=*")]).await;
    let ask = [("Action", "GetUserPolicy"), ("PolicyName", "none"), ("UserName", user.id.as_str())];
    let came = gateway.iam(&key_of(&gateway, &admin).await, &ask).await;
    assert!(came.body.contains("GetUserPolicyResponse") && came.body.contains("NoSuchEntity"), "{came:?}");
}

#[tokio::test]
async fn a_policy_that_names_a_tenant_is_refused() {
    let (gateway, names) = (Gateway::new(), Names::new());
    let (_, user) = gateway.user_with_bucket(&names).await;
    let document = |resource: &str| {
        let statement = serde_json::json!({"Effect": "Allow", "Action": "s3:*", "Resource": resource});
        serde_json::json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    let (admin, _) = foreign(&gateway, &[("user-caps", "user-policy=*")]).await;
    let admin = key_of(&gateway, &admin).await;
    for (resource, status) in [("arn:aws:s3:::*", 200), ("arn:aws:s3::sk_tenant:*", 400)] {
        let document = document(resource);
        let ask = [
            ("Action", "PutUserPolicy"),
            ("PolicyDocument", document.as_str()),
            ("PolicyName", "p"),
            ("UserName", user.id.as_str()),
        ];
        let came = gateway.iam(&admin, &ask).await;
        assert_eq!(came.status, status, "{resource}: {came:?}");
    }
}
