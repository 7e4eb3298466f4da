//! The rules of users, tenants, accounts and buckets, through the API.

use super::{PASSWORD, Server, id, text};
use serde_json::json;

#[tokio::test]
async fn rule_6_the_users_list_shows_account_buckets_storage_and_keys_root_included() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    admin.bucket(&user, "one").await;
    admin.bucket(&user, "two").await;
    admin.key(&user, "Read").await;
    let users = admin.items("/v1/users").await;
    let account = text(&admin.items("/v1/accounts").await[0], "id");
    let found = users.iter().find(|item| id(item) == user).unwrap();
    assert_eq!(found["usage"], json!({"buckets": 2, "accessKeys": 1, "size": 0, "objects": 0}));
    assert_eq!((text(found, "login"), text(found, "accountId")), ("u".to_owned(), account));
    let roots: Vec<_> = users.iter().filter(|item| item["root"] == true).collect();
    assert_eq!(roots.len(), 1);
    assert_eq!(roots[0]["usage"]["accessKeys"], 1);
}

#[tokio::test]
async fn rule_7_a_new_user_has_no_bucket_and_no_key() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    assert!(admin.items(&format!("/v1/accessKeys?user={user}")).await.is_empty());
    assert!(admin.items(&format!("/v1/buckets?user={user}")).await.is_empty());
}

#[tokio::test]
async fn rule_8_a_bucket_names_its_owner_and_its_settings_are_kept() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    let body = json!({
        "userId": user, "name": "data", "objectLock": true,
        "defaultRetention": {"mode": "Governance", "days": 1}, "quota": {"size": 1000}, "labels": {"a": "b"},
    });
    let made = admin.post("/v1/buckets", body.clone()).await;
    let path = made.header("location");
    let tag = made.header("etag");
    let made = made.expect(201);
    assert_eq!((made["versioning"].as_str(), made["objectLock"].as_bool()), (Some("Enabled"), Some(true)));
    let read = admin.get(&path).await;
    assert_eq!((read.header("etag"), read.body), (tag, made));
    admin.post("/v1/buckets", body).await.problem(409, "name-taken");
    let changed = admin.patch(&path, json!({"defaultRetention": null, "quota": {}})).await.expect(200);
    assert!(changed.get("defaultRetention").is_none() && changed["quota"] == json!({}));
    assert_eq!(admin.items("/v1/buckets?label=a:b").await.len(), 1);
    admin.delete(&path).await.expect(204);
    assert!(admin.items("/v1/buckets?label=a:b").await.is_empty());
    let missing = json!({"userId": "us_none", "name": "data"});
    admin.post("/v1/buckets", missing).await.problem(404, "not-found");
}

#[tokio::test]
async fn rule_9_usage_rolls_up_to_the_account() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    for login in ["a", "b"] {
        let user = admin.user(login, "FullAccess", &tenant).await;
        admin.bucket(&user, "data").await;
        admin.key(&user, "Read").await;
    }
    let account = &admin.items("/v1/accounts").await[0];
    assert_eq!(account["usage"], json!({"buckets": 2, "accessKeys": 3, "size": 0, "objects": 0}));
}

#[tokio::test]
async fn a_shared_account_holds_users_of_several_tenants() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let account = text(&admin.items("/v1/accounts").await[0], "id");
    for (name, visibility) in [("acme", "Public"), ("other", "Isolated")] {
        let tenant = admin.tenant(name, visibility).await;
        let body = json!({"login": name, "role": "FullAccess", "tenantId": tenant, "accountId": account});
        let user = admin.post("/v1/users", body).await.expect(201);
        assert_eq!(text(&user, "accountId"), account);
    }
}

#[tokio::test]
async fn an_account_of_a_tenant_takes_only_its_users_and_has_a_root_user_of_its_own() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let (acme, other) = (admin.tenant("acme", "Public").await, admin.tenant("other", "Public").await);
    let body = json!({"name": "acme", "tenantId": acme});
    let account = admin.post("/v1/accounts", body).await.expect(201);
    let number = id(&account);
    assert!(number.len() == 12 && number.chars().all(|c| c.is_ascii_digit()));
    let root = admin.get(&format!("/v1/users/{}", text(&account, "rootUserId"))).await.expect(200);
    assert_eq!((root["root"].as_bool(), text(&root, "tenantId")), (Some(true), acme.clone()));
    let user = |login: &str, tenant: &str| json!({"login": login, "role": "FullAccess", "tenantId": tenant, "accountId": number});
    admin.post("/v1/users", user("o", &other)).await.problem(422, "rule-violated");
    let made = id(&admin.post("/v1/users", user("a", &acme)).await.expect(201));
    let path = format!("/v1/accounts/{number}");
    admin.patch(&path, json!({"tenantId": other})).await.problem(409, "in-use");
    admin.delete(&path).await.problem(409, "in-use");
    admin.delete(&format!("/v1/users/{made}")).await.expect(204);
    admin.patch(&path, json!({"tenantId": other})).await.expect(200);
    let moved = admin.get(&format!("/v1/users/{}", text(&account, "rootUserId"))).await.expect(200);
    assert_eq!(text(&moved, "tenantId"), other);
    admin.delete(&path).await.expect(204);
    admin.get(&format!("/v1/users/{}", text(&account, "rootUserId"))).await.problem(404, "not-found");
    admin.delete(&format!("/v1/tenants/{other}")).await.expect(204);
}

#[tokio::test]
async fn rule_11_the_default_account_is_handed_on_but_never_deleted() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let built_in = text(&admin.items("/v1/tenants?name=administrator").await[0], "id");
    let old = text(&admin.items("/v1/accounts").await[0], "id");
    let second =
        admin.post("/v1/accounts", json!({"name": "second", "tenantId": built_in})).await.expect(201);
    let second = format!("/v1/accounts/{}", id(&second));
    admin.delete(&format!("/v1/accounts/{old}")).await.problem(409, "built-in");
    admin.patch(&second, json!({"default": true})).await.expect(200);
    let defaults: Vec<_> =
        admin.items("/v1/accounts").await.into_iter().filter(|item| item["default"] == true).collect();
    assert_eq!(defaults.len(), 1);
    assert_eq!(format!("/v1/accounts/{}", id(&defaults[0])), second);
    admin.patch(&second, json!({"default": false})).await.problem(409, "built-in");
}

#[tokio::test]
async fn rule_11_a_tenant_administrator_manages_its_tenant_and_sees_no_other() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let (acme, other) = (admin.tenant("acme", "Isolated").await, admin.tenant("other", "Public").await);
    admin.user("ta", "TenantAdministrator", &acme).await;
    let stranger = admin.user("stranger", "FullAccess", &other).await;
    let theirs = admin.bucket(&stranger, "data").await;
    let ta = server.sign_in("ta", PASSWORD).await;

    ta.post("/v1/sessions/verify", json!({"password": PASSWORD})).await.expect(204);
    let user = ta.user("mine", "FullAccess", &acme).await;
    ta.bucket(&user, "data").await;
    ta.key(&user, "Full").await;
    ta.post("/v1/accounts", json!({"name": "a", "tenantId": acme})).await.expect(201);
    assert_eq!(ta.items("/v1/users").await.len(), 3, "ta, mine and the Root user of the new account");

    let with = |tenant: &str, role: &str| json!({"login": "x", "tenantId": tenant, "role": role});
    ta.post("/v1/users", with(&other, "FullAccess")).await.problem(404, "not-found");
    ta.post("/v1/users", with(&acme, "Administrator")).await.problem(403, "forbidden");
    ta.post("/v1/accounts", json!({"name": "b", "tenantId": other})).await.problem(404, "not-found");
    ta.get(&format!("/v1/users/{stranger}")).await.problem(404, "not-found");
    ta.get(&theirs).await.problem(404, "not-found");
    ta.get("/v1/tenants").await.problem(403, "forbidden");
    ta.get(&format!("/v1/tenants/{acme}")).await.problem(404, "not-found");
    ta.patch(&format!("/v1/users/{user}"), json!({"tenantId": other})).await.problem(404, "not-found");
    ta.patch(&format!("/v1/users/{user}"), json!({"role": "Administrator"})).await.problem(403, "forbidden");
    assert!(ta.items("/v1/auditEvents").await.iter().all(|event| event["target"] != json!(stranger)));
}

#[tokio::test]
async fn rule_11_nobody_demotes_disables_or_deletes_themselves() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let me = format!("/v1/users/{}", text(&admin.items("/v1/users?login=administrator").await[0], "id"));
    admin.patch(&me, json!({"role": "FullAccess"})).await.problem(422, "rule-violated");
    admin.patch(&me, json!({"enabled": false})).await.problem(422, "rule-violated");
    admin.delete(&me).await.problem(422, "rule-violated");
}

#[tokio::test]
async fn rule_12_what_is_in_the_way_of_a_deletion_is_named() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    let bucket = admin.bucket(&user, "data").await;
    let key = text(&admin.key(&user, "Read").await, "accessKeyId");
    let (tenant, user) = (format!("/v1/tenants/{tenant}"), format!("/v1/users/{user}"));
    let detail = text(&admin.delete(&user).await.problem(409, "in-use"), "detail");
    assert!(detail.contains("buckets: 1") && detail.contains("access keys: 1"), "{detail}");
    let detail = text(&admin.delete(&tenant).await.problem(409, "in-use"), "detail");
    assert!(detail.contains("users: 1"), "{detail}");
    for path in [bucket, format!("/v1/accessKeys/{key}"), user, tenant] {
        admin.delete(&path).await.expect(204);
        admin.delete(&path).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_that_knew_the_old_one() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("ta", "TenantAdministrator", &tenant).await;
    let session = server.sign_in("ta", PASSWORD).await;
    admin.patch(&format!("/v1/users/{user}"), json!({"password": "another password"})).await.expect(200);
    session.get("/v1/users").await.problem(401, "unauthenticated");
    let old = json!({"login": "ta", "password": PASSWORD});
    server.anyone().post("/v1/sessions", old).await.problem(401, "unauthenticated");
    let session = server.sign_in("ta", "another password").await;
    session.delete("/v1/sessions").await.expect(204);
    session.get("/v1/users").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn failed_sign_ins_are_answered_alike_and_then_slowed_down() {
    let server = Server::start().await;
    let client = server.anyone();
    for login in ["administrator", "nobody"] {
        let body = || json!({"login": login, "password": "wrong password"});
        let mut details = Vec::new();
        for _ in 0..5 {
            details.push(text(
                &client.post("/v1/sessions", body()).await.problem(401, "unauthenticated"),
                "detail",
            ));
        }
        details.dedup();
        assert_eq!(details, ["login or password is wrong, or the user is not enabled"]);
        let reply = client.post("/v1/sessions", body()).await;
        assert_eq!(reply.header("retry-after"), "1");
        reply.problem(429, "too-many-requests");
    }
}

#[tokio::test]
async fn of_many_wrong_passwords_at_once_five_are_looked_at() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let statuses = async |client: &super::Client, path: &str, body: serde_json::Value| {
        let replies = (0..24).map(|_| client.post(path, body.clone()));
        let mut all: Vec<_> =
            futures::future::join_all(replies).await.iter().map(|reply| reply.status.as_u16()).collect();
        all.sort_unstable();
        all
    };
    let refused = |looked_at: u16| [vec![looked_at; 5], vec![429; 19]].concat();
    for login in ["administrator", "nobody"] {
        let wrong = json!({"login": login, "password": "wrong password"});
        assert_eq!(statuses(&server.anyone(), "/v1/sessions", wrong).await, refused(401), "{login}");
    }
    let wrong = json!({"password": "wrong password"});
    assert_eq!(statuses(&admin, "/v1/sessions/verify", wrong).await, refused(403));
}

#[tokio::test]
async fn of_many_right_passwords_at_once_none_is_refused() {
    let server = Server::start().await;
    let right = json!({"login": "administrator", "password": PASSWORD});
    let client = server.anyone();
    let replies = futures::future::join_all((0..8).map(|_| client.post("/v1/sessions", right.clone()))).await;
    assert!(replies.iter().all(|reply| reply.status == 201), "{replies:?}");
}
