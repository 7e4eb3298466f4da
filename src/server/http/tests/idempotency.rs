//! `Idempotency-Key`: with the flag the first answer is repeated, without it the header means nothing.

use super::{Client, Reply, Server, settings, text};
use crate::server::http::Settings;
use serde_json::{Value, json};

async fn start() -> (Server, Client, String) {
    let server = Server::with(Settings { idempotency_keys: true, ..settings() }).await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    (server, admin, user)
}

async fn mint(client: &Client, key: &str, body: Value) -> Reply {
    client.call("POST", "/v1/accessKeys", &[("idempotency-key", key)], Some(body)).await
}

#[tokio::test]
async fn the_same_key_replays_the_first_answer_secret_included_and_makes_nothing() {
    let (server, admin, user) = start().await;
    let body = json!({"userId": user, "permission": "Read"});
    let first = mint(&admin, "k1", body.clone()).await;
    let location = first.header("location");
    let first = first.expect(201);
    let before = server.dump();
    let again = mint(&admin, "k1", body.clone()).await;
    assert_eq!(
        (again.header("location"), again.header("idempotency-replayed")),
        (location, "true".to_owned())
    );
    assert_eq!(again.expect(201), first);
    assert_eq!(server.dump(), before);
    let other = mint(&admin, "k2", body).await.expect(201);
    assert_ne!(other, first);
    assert_eq!(admin.items(&format!("/v1/accessKeys?user={user}")).await.len(), 2);
}

#[tokio::test]
async fn another_request_with_the_same_key_is_refused() {
    let (server, admin, user) = start().await;
    mint(&admin, "k1", json!({"userId": user, "permission": "Read"})).await.expect(201);
    let before = server.dump();
    let other = json!({"userId": user, "permission": "Full"});
    mint(&admin, "k1", other).await.problem(422, "idempotency-mismatch");
    let elsewhere =
        admin.call("POST", "/v1/tenants", &[("idempotency-key", "k1")], Some(json!({"name": "x"}))).await;
    elsewhere.problem(422, "idempotency-mismatch");
    assert_eq!(server.dump(), before);
    mint(&admin, "", json!({"userId": user, "permission": "Read"})).await.problem(400, "malformed");
}

#[tokio::test]
async fn keys_of_different_principals_are_different_keys() {
    let (server, admin, user) = start().await;
    let built_in = text(&admin.items("/v1/tenants?name=administrator").await[0], "id");
    admin.user("second", "Administrator", &built_in).await;
    let second = server.sign_in("second", super::PASSWORD).await;
    second.post("/v1/sessions/verify", json!({"password": super::PASSWORD})).await.expect(204);
    let body = json!({"userId": user, "permission": "Read"});
    let one = mint(&admin, "k1", body.clone()).await.expect(201);
    let two = mint(&second, "k1", body).await.expect(201);
    assert_ne!(text(&one, "accessKeyId"), text(&two, "accessKeyId"));
}

#[tokio::test]
async fn while_a_request_is_under_way_the_same_key_answers_409() {
    let (server, admin, user) = start().await;
    let me = text(&admin.items("/v1/users?login=administrator").await[0], "id");
    let body = json!({"userId": user, "permission": "Read"});
    let under_way = server.app.in_progress.enter(&me, "k1").unwrap();
    mint(&admin, "k1", body.clone()).await.problem(409, "idempotency-in-progress");
    drop(under_way);
    mint(&admin, "k1", body).await.expect(201);
}

#[tokio::test]
async fn of_many_at_once_one_is_executed_and_all_that_succeed_say_the_same() {
    let (_server, admin, user) = start().await;
    let body = json!({"userId": user, "permission": "Read"});
    let replies = futures::future::join_all((0..20).map(|_| mint(&admin, "k1", body.clone()))).await;
    let mut good: Vec<Value> = Vec::new();
    for reply in replies {
        match reply.status.as_u16() {
            201 => good.push(reply.body),
            _ => drop(reply.problem(409, "idempotency-in-progress")),
        }
    }
    good.dedup();
    assert_eq!(good.len(), 1);
    assert_eq!(admin.items(&format!("/v1/accessKeys?user={user}")).await.len(), 1);
}

#[tokio::test]
async fn a_refused_request_is_not_remembered() {
    let (_server, admin, user) = start().await;
    let body = json!({"userId": user, "permission": "Read", "buckets": ["data"]});
    mint(&admin, "k1", body.clone()).await.problem(422, "rule-violated");
    admin.bucket(&user, "data").await;
    mint(&admin, "k1", body).await.expect(201);
}

#[tokio::test]
async fn an_answer_is_remembered_across_a_restart_and_lies_sealed_on_the_disk() {
    let (server, admin, user) = start().await;
    let body = json!({"userId": user, "permission": "Read"});
    let token = admin.token(&["read", "write", "keys:write"]).await;
    let first = mint(&token, "k1", body.clone()).await.expect(201);
    let secret = text(&first, "secretAccessKey");
    let bearer = token.token.clone().unwrap();
    drop((admin, token));
    let server = server.restart().await;
    let again = mint(&server.bearer(&bearer), "k1", body).await.expect(201);
    assert_eq!(again, first);
    for entry in std::fs::read_dir(server.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            for text in [&secret, &bearer, super::PASSWORD] {
                let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
                assert!(!found, "a secret lies open in {}", path.display());
            }
        }
    }
}

#[tokio::test]
async fn without_the_flag_the_header_is_ignored_and_capabilities_say_so() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    let body = json!({"userId": user, "permission": "Read"});
    let first = mint(&admin, "k1", body.clone()).await.expect(201);
    let second = mint(&admin, "k1", body).await.expect(201);
    assert_ne!(text(&first, "accessKeyId"), text(&second, "accessKeyId"));
    let said = admin.get("/v1/capabilities").await.expect(200);
    let features = json!(["key-buckets", "key-suspension", "versioning", "object-lock", "quotas", "jobs"]);
    assert_eq!((&said["features"], said.get("idempotencyHours")), (&features, None));
    let (_with, admin, _) = start().await;
    let said = admin.get("/v1/capabilities").await.expect(200);
    assert!(said["features"].as_array().unwrap().contains(&json!("idempotency-keys")));
    assert_eq!(said["idempotencyHours"], 24);
}
