//! Rule 13: a refused action changes nothing, is written down, and does not tell what there is.

use super::{PASSWORD, Server, text};
use serde_json::{Value, json};

/// What there is when the table's requests come.
struct Facts {
    built_in: String,
    account: String,
    root: String,
    tenant: String,
    user: String,
    bucket: String,
}

/// Method, path, body, status, and what the audit log says.
type Row = (&'static str, String, Option<Value>, u16, &'static str);

#[rustfmt::skip] // a table: one line a case
fn refused(facts: &Facts) -> Vec<Row> {
    let Facts { built_in, account, root, tenant, user, bucket } = facts;
    vec![
        ("POST", "/v1/tenants".into(), Some(json!({"name": "acme"})), 409, "tenant.create name-taken"),
        ("POST", "/v1/tenants".into(), Some(json!({"name": ""})), 422, "tenant.create rule-violated"),
        ("PATCH", format!("/v1/tenants/{built_in}"), Some(json!({"description": "x"})), 409, "tenant.update built-in"),
        ("DELETE", format!("/v1/tenants/{built_in}"), None, 409, "tenant.delete built-in"),
        ("DELETE", format!("/v1/tenants/{tenant}"), None, 409, "tenant.delete in-use"),
        ("PATCH", "/v1/tenants/tn_none".into(), Some(json!({})), 404, "tenant.update not-found"),
        ("POST", "/v1/accounts".into(), Some(json!({"name": "default", "tenantId": tenant})), 409, "account.create name-taken"),
        ("DELETE", format!("/v1/accounts/{account}"), None, 409, "account.delete built-in"),
        ("PATCH", format!("/v1/accounts/{account}"), Some(json!({"tenantId": tenant})), 409, "account.update in-use"),
        ("POST", "/v1/users".into(), Some(json!({"login": "u", "role": "ReadOnly", "tenantId": tenant})), 409, "user.create name-taken"),
        ("POST", "/v1/users".into(), Some(json!({"login": "-", "role": "ReadOnly", "tenantId": tenant})), 422, "user.create rule-violated"),
        ("POST", "/v1/users".into(), Some(json!({"login": "x", "role": "Administrator", "tenantId": tenant})), 422, "user.create rule-violated"),
        ("PATCH", format!("/v1/users/{user}"), Some(json!({"timeZone": "Mars"})), 422, "user.update rule-violated"),
        ("DELETE", format!("/v1/users/{user}"), None, 409, "user.delete in-use"),
        ("DELETE", format!("/v1/users/{root}"), None, 409, "user.delete built-in"),
        ("POST", "/v1/accessKeys".into(), Some(json!({"userId": root, "permission": "Full"})), 422, "accessKey.create rule-violated"),
        ("POST", "/v1/accessKeys".into(), Some(json!({"userId": "us_none", "permission": "Full"})), 404, "accessKey.create not-found"),
        ("POST", "/v1/buckets".into(), Some(json!({"userId": user, "name": "data"})), 409, "bucket.create name-taken"),
        ("POST", "/v1/buckets".into(), Some(json!({"userId": user, "name": "X"})), 422, "bucket.create rule-violated"),
        ("PATCH", bucket.clone(), Some(json!({"defaultRetention": {"mode": "Governance", "days": 1}})), 422, "bucket.update rule-violated"),
        ("POST", "/v1/tokens".into(), Some(json!({"name": "t", "scopes": []})), 422, "token.create rule-violated"),
    ]
}

#[tokio::test]
async fn rule_13_a_refused_action_changes_nothing_and_is_in_the_audit_log() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let built_in = text(&admin.items("/v1/tenants?name=administrator").await[0], "id");
    let account = text(&admin.items("/v1/accounts").await[0], "id");
    let root = text(&admin.items("/v1/accounts").await[0], "rootUserId");
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    let bucket = admin.bucket(&user, "data").await;
    admin.key(&user, "Read").await;

    let facts = Facts { built_in, account, root, tenant, user, bucket };
    for (method, path, body, status, event) in refused(&facts) {
        let before = server.dump();
        let reply = admin.call(method, &path, &[("x-request-id", "this-one")], body).await;
        assert_eq!(reply.status.as_u16(), status, "{method} {path}: {}", reply.body);
        assert_eq!(server.dump(), before, "{method} {path}");
        let last = admin.items("/v1/auditEvents?limit=1000").await.pop().unwrap();
        assert_eq!(format!("{} {}", text(&last, "action"), text(&last, "outcome")), event);
        assert_eq!(text(&last, "requestId"), "this-one");
    }
}

#[tokio::test]
async fn rule_13_what_one_may_not_read_answers_as_if_it_were_not_there() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let (acme, other) = (admin.tenant("acme", "Public").await, admin.tenant("other", "Public").await);
    admin.user("ta", "TenantAdministrator", &acme).await;
    let stranger = admin.user("stranger", "FullAccess", &other).await;
    admin.bucket(&stranger, "data").await;
    let ta = server.sign_in("ta", PASSWORD).await;
    for (there, not_there) in [
        (format!("/v1/users/{stranger}"), "/v1/users/us_none".to_owned()),
        (format!("/v1/buckets/{stranger}/data"), "/v1/buckets/us_none/data".to_owned()),
        (format!("/v1/tenants/{other}"), "/v1/tenants/tn_none".to_owned()),
    ] {
        for method in ["GET", "DELETE"] {
            let mut answers = Vec::new();
            for path in [&there, &not_there] {
                let mut problem = ta.call(method, path, &[], None).await.problem(404, "not-found");
                problem.as_object_mut().unwrap().remove("instance");
                answers.push(problem);
            }
            assert_eq!(answers[0], answers[1], "{method} {there}");
        }
    }
}

#[tokio::test]
async fn the_audit_log_never_holds_what_a_caller_typed() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let typed = "hunter2 hunter2";
    let body = json!({"login": typed, "password": typed});
    server.anyone().post("/v1/sessions", body).await.problem(401, "unauthenticated");
    let body = json!({"userId": typed, "permission": "Full"});
    admin.post("/v1/accessKeys", body).await.problem(404, "not-found");
    let events = admin.get("/v1/auditEvents?limit=1000").await.expect(200).to_string();
    assert!(events.contains("unauthenticated") && !events.contains("hunter2"), "{events}");
}

#[tokio::test]
async fn the_audit_log_is_filtered_and_walked_in_the_order_of_its_sequence() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    for n in 0..12 {
        admin.tenant(&format!("t{n}"), "Public").await;
    }
    let first = admin.get("/v1/auditEvents?action=tenant.create&limit=11").await.expect(200);
    let path = format!("/v1/auditEvents?action=tenant.create&limit=11&after={}", text(&first, "next"));
    let second = admin.get(&path).await.expect(200);
    let sequence = |page: &Value| -> Vec<i64> {
        page["items"].as_array().unwrap().iter().map(|event| event["sequence"].as_i64().unwrap()).collect()
    };
    let all: Vec<i64> = [sequence(&first), sequence(&second)].concat();
    assert!(all.len() == 12 && all.is_sorted(), "{all:?}");
}
