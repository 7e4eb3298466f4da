//! What ends by itself, over rows that were made older by hand; and lists of ten thousand.

use super::{Client, PASSWORD, Server, settings, text};
use crate::server::http::Settings;
use crate::server::store::StoreError;
use serde_json::json;
use std::collections::BTreeSet;

const MINUTE: i64 = 60 * 1000;

async fn sql(server: &Server, text: String) {
    server.app.store.write(move |c| Ok::<_, StoreError>(c.execute_batch(&text)?)).await.unwrap();
}

async fn count(server: &Server, table: &str) -> i64 {
    let text = format!("SELECT count(*) FROM {table}");
    let read = move |c: &rusqlite::Connection| Ok::<_, StoreError>(c.query_row(&text, [], |row| row.get(0))?);
    server.app.store.read(read).await.unwrap()
}

async fn user(admin: &Client) -> String {
    let tenant = admin.tenant("acme", "Public").await;
    admin.user("u", "FullAccess", &tenant).await
}

#[tokio::test]
async fn rule_5_a_verified_password_counts_for_fifteen_minutes() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let user = user(&admin).await;
    admin.key(&user, "Read").await;
    sql(&server, format!("UPDATE session SET verified = verified - {}", 14 * MINUTE)).await;
    admin.key(&user, "Read").await;
    sql(&server, format!("UPDATE session SET verified = verified - {MINUTE}")).await;
    let wish = json!({"userId": user, "permission": "Read"});
    let needed = "password-verification-required";
    admin.post("/v1/accessKeys", wish.clone()).await.problem(403, needed);
    let account = text(&admin.items("/v1/accounts").await[0], "id");
    let rotate = format!("/v1/accounts/{account}/rootKey/rotate");
    admin.call("POST", &rotate, &[], None).await.problem(403, needed);
    let token = json!({"name": "t", "scopes": ["keys:write"]});
    admin.post("/v1/tokens", token).await.problem(403, needed);
    admin.get("/v1/users").await.expect(200);
    admin.post("/v1/sessions/verify", json!({"password": PASSWORD})).await.expect(204);
    admin.post("/v1/accessKeys", wish).await.expect(201);
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_and_is_forgotten() {
    let server = Server::start().await;
    let session = server.sign_in("administrator", PASSWORD).await;
    sql(&server, format!("UPDATE session SET expires = expires - {}", 719 * MINUTE)).await;
    session.get("/v1/users").await.expect(200);
    sql(&server, format!("UPDATE session SET expires = expires - {MINUTE}")).await;
    session.get("/v1/users").await.problem(401, "unauthenticated");
    session.delete("/v1/sessions").await.problem(401, "unauthenticated");
    server.sign_in("administrator", PASSWORD).await;
    assert_eq!(count(&server, "session").await, 1, "the next sign-in forgets it");
}

#[tokio::test]
async fn a_remembered_answer_is_forgotten_after_a_day() {
    let server = Server::with(Settings { idempotency_keys: true, ..settings() }).await;
    let admin = server.administrator().await;
    let user = user(&admin).await;
    let wish = json!({"userId": user, "permission": "Read"});
    let mint = async || {
        let headers = [("idempotency-key", "k")];
        let made = admin.call("POST", "/v1/accessKeys", &headers, Some(wish.clone())).await;
        text(&made.expect(201), "accessKeyId")
    };
    let first = mint().await;
    sql(&server, format!("UPDATE idempotency SET created = created - {}", 1439 * MINUTE)).await;
    assert_eq!(mint().await, first);
    sql(&server, format!("UPDATE idempotency SET created = created - {MINUTE}")).await;
    assert_ne!(mint().await, first);
    assert_eq!(count(&server, "idempotency").await, 1, "the new answer takes the place of the old one");
}

#[tokio::test]
async fn ten_thousand_keys_are_seen_in_ten_pages() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let user = user(&admin).await;
    admin.key(&user, "Read").await;
    let more = "WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < 9999) \
                INSERT INTO access_key (id, user, permission, description, labels, sealed_secret, created) \
                SELECT printf('SK%018d', n), user, permission, description, labels, sealed_secret, created \
                FROM access_key, more WHERE user = ";
    sql(&server, format!("{more} '{user}'")).await;
    let mut seen = BTreeSet::new();
    let mut after = String::new();
    for number in 1..=10 {
        let path = format!("/v1/accessKeys?user={user}&limit=1000{after}");
        let page = admin.get(&path).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert_eq!(items.len(), 1000, "page {number}");
        seen.extend(items.iter().map(|item| text(item, "accessKeyId")));
        assert_eq!(page.get("next").is_some(), number < 10, "page {number}");
        after = page["next"].as_str().map(|next| format!("&after={next}")).unwrap_or_default();
    }
    assert_eq!(seen.len(), 10_000);
}
