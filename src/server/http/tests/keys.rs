//! The rules of keys and of the Root user, through the API.

use super::{PASSWORD, Server, text};
use crate::server::store::keys::find_for_signing;
use serde_json::{Value, json};

async fn usable(server: &Server, key: &Value) -> bool {
    find_for_signing(&server.app.store, &text(key, "accessKeyId")).await.unwrap().is_some()
}

#[tokio::test]
async fn rule_1_the_root_user_has_exactly_one_full_key_pair() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let account = admin.items("/v1/accounts").await.remove(0);
    let root = text(&account, "rootUserId");
    let keys = admin.items(&format!("/v1/accessKeys?user={root}")).await;
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["permission"], "Full");
    admin
        .post("/v1/accessKeys", json!({"userId": root, "permission": "Full"}))
        .await
        .problem(422, "rule-violated");
    let path = format!("/v1/accessKeys/{}", text(&keys[0], "accessKeyId"));
    admin.delete(&path).await.problem(422, "rule-violated");
    assert_eq!(admin.items(&format!("/v1/accessKeys?user={root}")).await, keys);
}

#[tokio::test]
async fn rule_1_rotating_shows_the_new_pair_once_and_the_old_one_stops() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let account = admin.items("/v1/accounts").await.remove(0);
    let (id, root) = (text(&account, "id"), text(&account, "rootUserId"));
    let old = admin.items(&format!("/v1/accessKeys?user={root}")).await.remove(0);
    assert!(usable(&server, &old).await);
    let reply = admin.call("POST", &format!("/v1/accounts/{id}/rootKey/rotate"), &[], None).await;
    let path = reply.header("location");
    let new = reply.expect(201);
    assert_eq!(text(&new, "secretAccessKey").len(), 40);
    assert!(!usable(&server, &old).await);
    let found = find_for_signing(&server.app.store, &text(&new, "accessKeyId")).await.unwrap().unwrap();
    assert_eq!(found.secret.reveal(), text(&new, "secretAccessKey"));
    assert!(admin.get(&path).await.expect(200).get("secretAccessKey").is_none());
    assert_eq!(admin.items(&format!("/v1/accessKeys?user={root}")).await.len(), 1);
}

#[tokio::test]
async fn rule_2_users_may_have_many_keys_and_each_keeps_what_it_was_made_with() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    admin.bucket(&user, "data").await;
    for permission in ["Full", "ReadWrite", "Read", "Write"] {
        let body = json!({
            "userId": user, "permission": permission, "description": "CI",
            "buckets": ["data"], "labels": {"storekeeper.dev/owner": "c/u"},
        });
        let made = admin.post("/v1/accessKeys", body).await;
        let read = admin.get(&made.header("location")).await.expect(200);
        let mut made = made.expect(201);
        let id = text(&made, "accessKeyId");
        assert_eq!(text(&made, "hint"), format!("{}…{}", &id[..4], &id[16..]));
        let secret = made.as_object_mut().unwrap().remove("secretAccessKey").unwrap();
        assert_eq!(made, read);
        let signing = find_for_signing(&server.app.store, &id).await.unwrap().unwrap();
        assert_eq!(signing.secret.reveal(), secret);
        assert_eq!((signing.permission.as_str(), signing.user_id), (permission, user.clone()));
        assert_eq!(signing.buckets, Some(vec!["data".to_owned()]));
    }
    assert_eq!(admin.items("/v1/accessKeys?label=storekeeper.dev/owner:c/u").await.len(), 4);
}

#[tokio::test]
async fn rule_3_a_key_is_restricted_to_buckets_of_its_own_user() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let (user, other) =
        (admin.user("u", "FullAccess", &tenant).await, admin.user("o", "FullAccess", &tenant).await);
    let (mine, theirs) = (admin.bucket(&user, "data").await, admin.bucket(&other, "data").await);
    assert_ne!(mine, theirs);
    admin.bucket(&other, "logs").await;
    let body = json!({"userId": user, "permission": "Read", "buckets": ["logs"]});
    admin.post("/v1/accessKeys", body).await.problem(422, "rule-violated");
    let body = json!({"userId": user, "permission": "Read", "buckets": ["data"]});
    admin.post("/v1/accessKeys", body).await.expect(201);
    admin.delete(&mine).await.problem(409, "in-use");
    admin.delete(&theirs).await.expect(204);
}

#[tokio::test]
async fn rule_4_no_call_returns_the_secret_again() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    let made = admin.key(&user, "Full").await;
    let (id, secret) = (text(&made, "accessKeyId"), text(&made, "secretAccessKey"));
    for path in ["", "?limit=1000", &format!("/{id}")] {
        let reply = admin.get(&format!("/v1/accessKeys{path}")).await.expect(200);
        assert!(!reply.to_string().contains(&secret), "{path}");
    }
    for path in ["secret", "secretAccessKey", "secretKey"] {
        admin.get(&format!("/v1/accessKeys/{id}/{path}")).await.problem(404, "not-found");
    }
    admin.get(&format!("/v1/accessKeys/{secret}")).await.problem(404, "not-found");
    let events = admin.get("/v1/auditEvents?limit=1000").await.expect(200);
    assert!(!events.to_string().contains(&secret));
    let changed = admin.patch(&format!("/v1/accessKeys/{id}"), json!({"description": "d"})).await.expect(200);
    assert!(changed.get("secretAccessKey").is_none());
}

#[tokio::test]
async fn rule_5_a_session_makes_keys_only_after_verifying_its_password() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    let account = text(&admin.items("/v1/accounts").await[0], "id");
    let rotate = format!("/v1/accounts/{account}/rootKey/rotate");
    let body = json!({"userId": user, "permission": "Read"});

    let session = server.sign_in("administrator", PASSWORD).await;
    let token = json!({"name": "t", "scopes": ["read", "keys:write"]});
    let needed = "password-verification-required";
    session.post("/v1/accessKeys", body.clone()).await.problem(403, needed);
    session.call("POST", &rotate, &[], None).await.problem(403, needed);
    session.post("/v1/tokens", token.clone()).await.problem(403, needed);
    session.post("/v1/sessions/verify", json!({"password": "wrong"})).await.problem(403, "forbidden");
    session.post("/v1/accessKeys", body.clone()).await.problem(403, needed);
    session.post("/v1/sessions/verify", json!({"password": PASSWORD})).await.expect(204);
    session.post("/v1/accessKeys", body.clone()).await.expect(201);
    session.post("/v1/tokens", token).await.expect(201);

    let keys = session.token(&["read", "keys:write"]).await;
    keys.post("/v1/accessKeys", body.clone()).await.expect(201);
    keys.post("/v1/tenants", json!({"name": "x"})).await.problem(403, "scope-missing");
    let writer = session.token(&["read", "write"]).await;
    writer.post("/v1/accessKeys", body).await.problem(403, "scope-missing");
    let one = text(&writer.items("/v1/accessKeys").await[0], "accessKeyId");
    writer.delete(&format!("/v1/accessKeys/{one}")).await.problem(403, "scope-missing");
    writer.post("/v1/sessions/verify", json!({"password": PASSWORD})).await.problem(403, "forbidden");
}

#[tokio::test]
async fn rule_10_a_user_that_is_disabled_stops_at_once_and_loses_nothing() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("ta", "TenantAdministrator", &tenant).await;
    let key = admin.key(&user, "Full").await;
    let session = server.sign_in("ta", PASSWORD).await;
    session.post("/v1/sessions/verify", json!({"password": PASSWORD})).await.expect(204);
    let token = session.token(&["read", "write", "keys:write"]).await;
    let path = format!("/v1/users/{user}");

    admin.patch(&path, json!({"enabled": false})).await.expect(200);
    session.get("/v1/users").await.problem(401, "unauthenticated");
    token.get("/v1/users").await.problem(401, "unauthenticated");
    assert!(!usable(&server, &key).await);
    let body = json!({"login": "ta", "password": PASSWORD});
    server.anyone().post("/v1/sessions", body).await.problem(401, "unauthenticated");

    admin.patch(&path, json!({"enabled": true})).await.expect(200);
    token.get("/v1/users").await.expect(200);
    assert!(usable(&server, &key).await);
    session.get("/v1/users").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_role_that_shrinks_takes_its_keys_with_it_at_once() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    let (full, read) = (admin.key(&user, "Full").await, admin.key(&user, "Read").await);
    admin.patch(&format!("/v1/users/{user}"), json!({"role": "ReadOnly"})).await.expect(200);
    assert!(!usable(&server, &full).await);
    assert!(usable(&server, &read).await);
}

#[tokio::test]
async fn a_revoked_key_and_a_removed_token_stop_at_once() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    let key = admin.key(&user, "Full").await;
    admin.delete(&format!("/v1/accessKeys/{}", text(&key, "accessKeyId"))).await.expect(204);
    assert!(!usable(&server, &key).await);

    let token = admin.token(&["read"]).await;
    let id = text(&admin.items("/v1/tokens?name=t").await[0], "id");
    token.get("/v1/tenants").await.expect(200);
    admin.delete(&format!("/v1/tokens/{id}")).await.expect(204);
    token.get("/v1/tenants").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let soon = crate::clock::now() + jiff::SignedDuration::from_millis(300);
    let body = json!({"name": "t", "scopes": ["read"], "expiresAt": soon});
    let token = server.bearer(&text(&admin.post("/v1/tokens", body).await.expect(201), "token"));
    token.get("/v1/tenants").await.expect(200);
    while crate::clock::now() < soon {
        tokio::task::yield_now().await;
    }
    token.get("/v1/tenants").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn the_last_use_of_a_key_is_shown_without_a_write_for_each_use() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    let key = text(&admin.key(&user, "Full").await, "accessKeyId");
    let before = server.dump();
    server.app.store.key_used(&key, jiff::Timestamp::from_second(1_800_000_059).unwrap());
    assert_eq!(server.dump(), before);
    server.app.store.write_key_uses().await.unwrap();
    let shown = admin.get(&format!("/v1/accessKeys/{key}")).await.expect(200);
    assert_eq!(text(&shown, "lastUsedAt"), "2027-01-15T08:00:00Z");
}

#[tokio::test]
async fn a_suspended_key_is_refused_and_works_again_with_the_same_secret() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    let (key, other) = (admin.key(&user, "Full").await, admin.key(&user, "Full").await);
    assert_eq!(key["active"], true);
    let path = format!("/v1/accessKeys/{}", text(&key, "accessKeyId"));
    assert_eq!(admin.patch(&path, json!({"active": false})).await.expect(200)["active"], false);
    assert!(!usable(&server, &key).await);
    assert!(usable(&server, &other).await, "the user's other keys go on");
    admin.patch(&path, json!({"description": "d"})).await.expect(200);
    assert!(!usable(&server, &key).await, "another change does not let it work again");
    admin.patch(&path, json!({"active": true})).await.expect(200);
    let found = find_for_signing(&server.app.store, &text(&key, "accessKeyId")).await.unwrap().unwrap();
    assert_eq!(found.secret.reveal(), text(&key, "secretAccessKey"));

    let root = text(&admin.items("/v1/accounts").await[0], "rootUserId");
    let root_key = admin.items(&format!("/v1/accessKeys?user={root}")).await.remove(0);
    let path = format!("/v1/accessKeys/{}", text(&root_key, "accessKeyId"));
    admin.patch(&path, json!({"active": false})).await.problem(422, "rule-violated");
    assert!(usable(&server, &root_key).await);
}
