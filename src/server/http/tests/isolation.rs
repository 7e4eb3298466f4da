//! Isolated tenants, and the roles that only look on, through the API.

use super::{PASSWORD, Server, text};
use serde_json::json;

#[tokio::test]
async fn isolation_hides_keys_and_buckets_from_administrators_who_did_not_make_their_owner() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let built_in = text(&admin.items("/v1/tenants?name=administrator").await[0], "id");
    let tenant = admin.tenant("acme", "Isolated").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    let bucket = admin.bucket(&user, "data").await;
    let key = format!("/v1/accessKeys/{}", text(&admin.key(&user, "Read").await, "accessKeyId"));
    admin.user("second", "Administrator", &built_in).await;
    let second = server.sign_in("second", PASSWORD).await;
    second.post("/v1/sessions/verify", json!({"password": PASSWORD})).await.expect(204);

    second.get(&format!("/v1/users/{user}")).await.expect(200);
    for path in [&bucket, &key] {
        admin.get(path).await.expect(200);
        second.get(path).await.problem(404, "not-found");
        second.delete(path).await.problem(404, "not-found");
    }
    let count = async |path: &str| (admin.items(path).await.len(), second.items(path).await.len());
    assert_eq!(count(&format!("/v1/buckets?user={user}")).await, (1, 0));
    assert_eq!(count(&format!("/v1/accessKeys?user={user}")).await, (1, 0));
    let make = json!({"userId": user, "permission": "Read"});
    second.post("/v1/accessKeys", make).await.problem(403, "forbidden");
    admin.post("/v1/accounts", json!({"name": "a", "tenantId": tenant})).await.problem(403, "forbidden");

    admin.patch(&format!("/v1/tenants/{tenant}"), json!({"visibility": "Public"})).await.expect(200);
    second.get(&bucket).await.expect(200);
    assert_eq!(count(&format!("/v1/accessKeys?user={user}")).await, (1, 1));
}

#[tokio::test]
async fn rule_10_backup_and_read_only_look_on_and_full_access_has_its_own_keys() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    let bucket = admin.bucket(&user, "data").await;
    let key = format!("/v1/accessKeys/{}", text(&admin.key(&user, "Read").await, "accessKeyId"));
    for role in ["Backup", "ReadOnly"] {
        let id = admin.user(role, role, &tenant).await;
        let client = server.sign_in(role, PASSWORD).await;
        client.get(&bucket).await.expect(200);
        client.get(&key).await.expect(200);
        client.get("/v1/users").await.problem(403, "forbidden");
        client.delete(&bucket).await.problem(403, "forbidden");
        client.delete(&key).await.problem(403, "forbidden");
        client.post("/v1/buckets", json!({"userId": id, "name": "mine"})).await.problem(403, "forbidden");
    }
    let own = server.sign_in("u", PASSWORD).await;
    own.post("/v1/sessions/verify", json!({"password": PASSWORD})).await.expect(204);
    own.key(&user, "Full").await;
    own.delete(&key).await.expect(204);
    let other = admin.user("other", "FullAccess", &tenant).await;
    own.bucket(&other, "for-them").await;
    own.post("/v1/accessKeys", json!({"userId": other, "permission": "Full"}))
        .await
        .problem(403, "forbidden");
    own.post("/v1/users", json!({"login": "x", "role": "ReadOnly", "tenantId": tenant}))
        .await
        .problem(403, "forbidden");
}

#[tokio::test]
async fn tokens_are_their_owners_and_their_administrators_business() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    for login in ["one", "two"] {
        admin.user(login, "FullAccess", &tenant).await;
    }
    let (one, two) = (server.sign_in("one", PASSWORD).await, server.sign_in("two", PASSWORD).await);
    let body = json!({"name": "ci", "scopes": ["read"]});
    let made = one.post("/v1/tokens", body).await;
    let path = made.header("location");
    let token = text(&made.expect(201), "token");
    assert!(one.get(&path).await.expect(200).get("token").is_none());
    assert!(!one.get("/v1/tokens").await.expect(200).to_string().contains(&token));
    two.get(&path).await.problem(404, "not-found");
    two.delete(&path).await.problem(404, "not-found");
    assert!(two.items("/v1/tokens").await.is_empty());
    assert_eq!(admin.items("/v1/tokens").await.len(), 1);
    admin.delete(&path).await.expect(204);
    server.bearer(&token).get("/v1/buckets").await.problem(401, "unauthenticated");
}
