//! What all resources have in common: problems, ids of requests, tags, pages, the rate limit.

use super::{Server, id, settings, text};
use crate::server::http::Settings;
use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use std::collections::BTreeSet;

fn raw(method: &str, path: &str, kind: Option<&str>, body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn every_error_is_a_problem_document_with_the_requests_id() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let json = Some("application/json");
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(64 * 1024));
    let table = [
        (raw("GET", "/v1/nothing", None, ""), 404, "not-found"),
        (raw("GET", "/nothing", None, ""), 404, "not-found"),
        (raw("PUT", "/v1/users", None, ""), 405, "method-not-allowed"),
        (raw("POST", "/v1/tenants", None, "{}"), 415, "unsupported-media-type"),
        (raw("POST", "/v1/tenants", Some("text/plain"), "{}"), 415, "unsupported-media-type"),
        (raw("POST", "/v1/tenants", json, &large), 413, "too-large"),
        (raw("POST", "/v1/tenants", json, "{\"name\":"), 400, "malformed"),
        (raw("POST", "/v1/tenants", json, "{}"), 400, "malformed"),
        (raw("POST", "/v1/tenants", json, "{\"name\":\"a\",\"colour\":1}"), 400, "malformed"),
        (raw("POST", "/v1/tenants", json, "{\"name\":1}"), 400, "malformed"),
        (raw("POST", "/v1/tenants", json, "{\"name\":\"\"}"), 422, "rule-violated"),
        (raw("GET", "/v1/users?colour=red", None, ""), 400, "malformed"),
        (raw("GET", "/v1/users?limit=1001", None, ""), 400, "malformed"),
        (raw("GET", "/v1/users/%ff", None, ""), 400, "malformed"),
    ];
    for (request, status, kind) in table {
        let line = format!("{} {}", request.method(), request.uri());
        let reply = admin.send(request).await;
        let request_id = reply.header("x-request-id");
        let problem = reply.problem(status, kind);
        assert_eq!(text(&problem, "instance"), request_id, "{line}");
        assert!(!text(&problem, "detail").is_empty() && problem["status"] == status, "{line}");
    }
    let allowed = admin.call("PUT", "/v1/users", &[], None).await;
    assert_eq!(allowed.header("allow"), "GET,HEAD,POST");
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_not_quoted() {
    let server = Server::start().await;
    let body = "{\"login\":\"a\",\"password\":[\"hunter2-hunter2\"],\"x\":\"hunter2-hunter2\"}";
    for body in [
        body,
        "{\"login\": \"hunter2-hunter2",
        "{\"login\":true,\"password\":\"hunter2-hunter2\"}",
        "\"hunter2-hunter2\"",
    ] {
        let reply = server.anyone().send(raw("POST", "/v1/sessions", Some("application/json"), body)).await;
        assert!(!reply.problem(400, "malformed").to_string().contains("hunter2"), "{body}");
    }
}

#[tokio::test]
async fn wrong_missing_and_expired_credentials_get_the_same_answer() {
    let server = Server::start().await;
    let mut answers = BTreeSet::new();
    for client in [server.anyone(), server.bearer("wrong"), server.bearer("")] {
        let reply = client.get("/v1/users").await;
        assert_eq!(reply.header("www-authenticate"), "Bearer");
        answers.insert(text(&reply.problem(401, "unauthenticated"), "detail"));
    }
    assert_eq!(answers.len(), 1);
}

#[tokio::test]
async fn a_plain_request_id_comes_back_and_any_other_is_replaced() {
    let server = Server::start().await;
    let client = server.anyone();
    let reply = client.call("GET", "/healthz", &[("x-request-id", "abc-1")], None).await;
    assert_eq!(reply.header("x-request-id"), "abc-1");
    let reply = client.call("GET", "/healthz", &[("x-request-id", "a b\"c")], None).await;
    assert_eq!(reply.header("x-request-id").len(), 32);
    assert_eq!(reply.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_resource_has_a_location_and_a_tag_that_guards_its_changes() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let made = admin.post("/v1/tenants", json!({"name": "acme"})).await;
    let (path, tag) = (made.header("location"), made.header("etag"));
    assert_eq!(path, format!("/v1/tenants/{}", id(&made.body)));
    let read = admin.get(&path).await;
    assert_eq!((read.header("etag"), &read.body), (tag.clone(), &made.body));
    let unchanged = admin.call("GET", &path, &[("if-none-match", &tag)], None).await;
    assert_eq!((unchanged.status.as_u16(), unchanged.body), (304, json!("")));

    let change = |text: &str| Some(json!({"description": text}));
    let first = admin.call("PATCH", &path, &[("if-match", &tag)], change("one")).await;
    let newer = first.header("etag");
    first.expect(200);
    let before = server.dump();
    admin
        .call("PATCH", &path, &[("if-match", &tag)], change("two"))
        .await
        .problem(412, "precondition-failed");
    admin.call("DELETE", &path, &[("if-match", &tag)], None).await.problem(412, "precondition-failed");
    assert_eq!(server.dump(), before);
    admin.call("GET", &path, &[("if-none-match", &tag)], None).await.expect(200);
    admin.call("DELETE", &path, &[("if-match", &newer)], None).await.expect(204);
    admin.get(&path).await.problem(404, "not-found");
}

#[tokio::test]
async fn what_a_user_gets_is_no_reason_to_refuse_a_change_of_the_user() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    let path = format!("/v1/users/{user}");
    let tag = admin.get(&path).await.header("etag");
    admin.bucket(&user, "data").await;
    admin.call("GET", &path, &[("if-none-match", &tag)], None).await.expect(200);
    admin.call("PATCH", &path, &[("if-match", &tag)], Some(json!({"name": "n"}))).await.expect(200);
}

#[tokio::test]
async fn lists_are_walked_page_by_page_without_gaps_or_repeats() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let mut made = BTreeSet::new();
    for n in 0..5 {
        made.insert(admin.user(&format!("u{n}"), "FullAccess", &tenant).await);
    }
    let mut seen = Vec::new();
    let mut path = format!("/v1/users?limit=2&tenant={tenant}");
    loop {
        let page = admin.get(&path).await.expect(200);
        seen.extend(page["items"].as_array().unwrap().iter().map(id));
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/users?limit=2&tenant={tenant}&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), made);
}

#[tokio::test]
async fn a_list_has_a_tag() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tag = admin.get("/v1/tenants").await.header("etag");
    let same = admin.call("GET", "/v1/tenants", &[("if-none-match", &tag)], None).await;
    assert_eq!(same.status.as_u16(), 304);
    admin.tenant("acme", "Public").await;
    admin.call("GET", "/v1/tenants", &[("if-none-match", &tag)], None).await.expect(200);
}

#[tokio::test]
async fn lists_are_filtered_by_labels_and_exact_fields() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let make = |login: &str, labels: serde_json::Value| {
        admin.post(
            "/v1/users",
            json!({"login": login, "role": "FullAccess", "tenantId": tenant, "labels": labels}),
        )
    };
    let first = id(&make("one", json!({"owner": "c/1", "kind": "a:b"})).await.expect(201));
    let second = id(&make("two", json!({"owner": "c/2", "kind": "a:b"})).await.expect(201));
    let ids = async |query: &str| {
        let items = admin.items(&format!("/v1/users?{query}")).await;
        items.iter().map(id).collect::<BTreeSet<_>>()
    };
    assert_eq!(ids("label=owner:c/1").await, BTreeSet::from([first.clone()]));
    assert_eq!(ids("label=owner%3Ac%2F1").await, BTreeSet::from([first.clone()]));
    assert_eq!(ids("label=kind:a:b").await, BTreeSet::from([first.clone(), second.clone()]));
    assert_eq!(ids("label=kind:a:b&label=owner:c/2").await, BTreeSet::from([second.clone()]));
    assert_eq!(ids("login=two").await, BTreeSet::from([second.clone()]));
    assert_eq!(ids("login=tw").await, BTreeSet::new());
    let path = format!("/v1/users/{first}");
    admin.patch(&path, json!({"labels": {"owner": "c/9"}})).await.expect(200);
    assert_eq!(ids("label=owner:c/1").await, BTreeSet::new());
    assert_eq!(ids("label=owner:c/9").await, BTreeSet::from([first]));
    admin.get("/v1/users?label=x").await.problem(400, "malformed");
}

#[tokio::test]
async fn a_request_beyond_the_rate_is_not_executed_and_says_when_to_come_back() {
    let server = Server::with(Settings { rate_limit: 3, ..settings() }).await;
    let admin = server.sign_in("administrator", super::PASSWORD).await;
    let other = server.sign_in("administrator", super::PASSWORD).await;
    let mut refused = 0;
    for n in 0..40 {
        let reply = admin.post("/v1/tenants", json!({"name": format!("t{n}")})).await;
        assert!(reply.header("ratelimit-policy").contains("q=3"));
        if reply.status.as_u16() == 429 {
            assert_eq!(reply.header("retry-after"), "1");
            assert!(reply.header("ratelimit").contains("r=0"));
            reply.problem(429, "too-many-requests");
            refused += 1;
            let name = format!("t{n}");
            let made = server.dump().contains(&format!("{name:?}"));
            assert!(!made, "a refused request must not be executed");
        }
    }
    assert!(refused > 0);
    other.get("/v1/tenants").await.expect(200);
}

#[tokio::test]
async fn a_server_that_stops_is_alive_but_not_ready() {
    let server = Server::start().await;
    let client = server.anyone();
    client.get("/readyz").await.expect(200);
    server.app.drain();
    let reply = client.get("/readyz").await;
    assert_eq!(reply.header("retry-after"), "1");
    reply.problem(503, "unavailable");
    client.get("/healthz").await.expect(200);
}

#[tokio::test]
async fn metrics_count_requests_by_method_and_status() {
    let server = Server::start().await;
    let client = server.anyone();
    client.get("/v1/users").await.problem(401, "unauthenticated");
    let metrics = client.get("/metrics").await.body;
    let line = r#"storekeeper_server_requests_total{method="GET",status="401"} 1"#;
    assert!(metrics.as_str().unwrap().contains(line), "{metrics}");
}
