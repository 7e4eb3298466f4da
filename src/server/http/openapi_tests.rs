//! The document against the router and against real answers.

use super::document;
use crate::server::http::tests::{Client, PASSWORD, Reply, Server, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn api() -> Value {
    serde_json::to_value(document()).unwrap()
}

/// Checks an answer against the schema that the document has for it; what the schema does not name is wrong, too.
fn check(api: &Value, operation: &str, reply: &Reply) {
    let mut found =
        api["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let entry = found.find(|entry| entry["operationId"] == operation).unwrap();
    let status = reply.status.as_u16();
    let responses = &entry["responses"];
    let response = if status < 400 {
        &responses[status.to_string()]
    } else {
        &api["components"]["responses"]["Problem"]
    };
    assert!(response.is_object(), "{operation}: {status} is not documented: {}", reply.body);
    let Some(content) = response.get("content") else {
        assert_eq!(reply.body, json!(""), "{operation}");
        return;
    };
    let (kind, content) = content.as_object().unwrap().iter().next().unwrap();
    assert_eq!(reply.header("content-type"), *kind, "{operation}");
    let mut schema = content["schema"].clone();
    schema["components"] = api["components"].clone();
    schema["unevaluatedProperties"] = json!(false);
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&reply.body).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{operation}: {errors:?} in {}", reply.body);
}

/// A caller whose answers are all checked.
struct Tour {
    api: Value,
    client: Client,
    seen: BTreeSet<String>,
}

impl Tour {
    async fn call(
        &mut self,
        operation: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
        status: u16,
    ) -> Value {
        let reply = self.client.call(method, path, &[], body).await;
        assert_eq!(reply.status.as_u16(), status, "{operation}: {}", reply.body);
        check(&self.api, operation, &reply);
        self.seen.insert(operation.to_owned());
        reply.body
    }

    async fn get(&mut self, operation: &str, path: &str) -> Value {
        self.call(operation, "GET", path, None, 200).await
    }

    async fn make(&mut self, operation: &str, path: &str, body: Value) -> Value {
        self.call(operation, "POST", path, Some(body), 201).await
    }

    async fn change(&mut self, operation: &str, path: &str, body: Value) {
        self.call(operation, "PATCH", path, Some(body), 200).await;
    }

    async fn remove(&mut self, operation: &str, path: &str) {
        self.call(operation, "DELETE", path, None, 204).await;
    }
}

async fn sessions_and_tokens(tour: &mut Tour) {
    let sign_in = json!({"login": "administrator", "password": PASSWORD, "cookie": true});
    tour.make("createSession", "/v1/sessions", sign_in).await;
    let verify = Some(json!({"password": PASSWORD}));
    tour.call("verifySession", "POST", "/v1/sessions/verify", verify, 204).await;
    tour.get("getSession", "/v1/sessions").await;
    let body = json!({"name": "t", "scopes": ["read", "keys:write"], "expiresAt": "2099-01-01T00:00:00Z"});
    let token = text(&tour.make("createToken", "/v1/tokens", body).await, "id");
    tour.get("listTokens", "/v1/tokens").await;
    tour.get("getToken", &format!("/v1/tokens/{token}")).await;
    tour.remove("deleteToken", &format!("/v1/tokens/{token}")).await;
}

async fn tenants_and_accounts(tour: &mut Tour) -> String {
    let body = json!({"name": "acme", "labels": {"a": "b"}, "quota": {"buckets": 9}});
    let tenant = text(&tour.make("createTenant", "/v1/tenants", body).await, "id");
    let path = format!("/v1/tenants/{tenant}");
    tour.get("listTenants", "/v1/tenants?limit=1").await;
    tour.get("getTenant", &path).await;
    tour.change("updateTenant", &path, json!({"description": "d"})).await;
    let body = json!({"name": "acme", "tenantId": tenant});
    let account = text(&tour.make("createAccount", "/v1/accounts", body).await, "id");
    let path = format!("/v1/accounts/{account}");
    tour.get("listAccounts", "/v1/accounts").await;
    tour.get("getAccount", &path).await;
    tour.change("updateAccount", &path, json!({"description": "d"})).await;
    tour.call("rotateRootKey", "POST", &format!("{path}/rootKey/rotate"), None, 201).await;
    tour.remove("deleteAccount", &path).await;
    tenant
}

async fn users_keys_and_buckets(tour: &mut Tour, tenant: &str) -> String {
    let body = json!({"login": "u", "role": "FullAccess", "tenantId": tenant, "password": PASSWORD});
    let user = text(&tour.make("createUser", "/v1/users", body).await, "id");
    let path = format!("/v1/users/{user}");
    tour.get("listUsers", "/v1/users").await;
    tour.get("getUser", &path).await;
    tour.change("updateUser", &path, json!({"quota": {"size": 1_000_000}})).await;
    let body = json!({"userId": user, "name": "data", "labels": {"a": "b"}});
    tour.make("createBucket", "/v1/buckets", body).await;
    let locked = json!({
        "userId": user, "name": "copy", "objectLock": true, "defaultRetention": {"mode": "Governance", "days": 1},
    });
    tour.make("createBucket", "/v1/buckets", locked).await;
    let path = format!("/v1/buckets/{user}/copy");
    tour.get("listBuckets", "/v1/buckets").await;
    tour.get("getBucket", &path).await;
    tour.change("updateBucket", &path, json!({"defaultRetention": null})).await;
    let body = json!({"userId": user, "permission": "Read", "buckets": ["data"], "labels": {"a": "b"}});
    let key = text(&tour.make("createAccessKey", "/v1/accessKeys", body).await, "accessKeyId");
    let path = format!("/v1/accessKeys/{key}");
    tour.get("listAccessKeys", "/v1/accessKeys").await;
    tour.get("getAccessKey", &path).await;
    tour.change("updateAccessKey", &path, json!({"description": "d"})).await;
    tour.remove("deleteAccessKey", &path).await;
    user
}

async fn jobs(tour: &mut Tour, user: &str) {
    let bucket = |name: &str| json!({"userId": user, "name": name});
    let body = json!({
        "kind": "Backup", "source": bucket("data"), "target": bucket("copy"), "schedule": "0 1 * * *",
    });
    let job = text(&tour.make("createJob", "/v1/jobs", body).await, "id");
    let restore = json!({"kind": "Restore", "backupId": job, "upTo": "2026-01-01T00:00:00Z"});
    tour.make("createJob", "/v1/jobs", restore).await;
    let path = format!("/v1/jobs/{job}");
    tour.get("listJobs", "/v1/jobs").await;
    tour.get("getJob", &path).await;
    tour.change("updateJob", &path, json!({"schedule": null})).await;
    tour.call("runJob", "POST", &format!("{path}/run"), None, 200).await;
    tour.call("cancelJob", "POST", &format!("{path}/cancel"), None, 200).await;
    let restore = text(&tour.get("listJobs", "/v1/jobs?kind=Restore").await["items"][0], "id");
    tour.call("cancelJob", "POST", &format!("/v1/jobs/{restore}/cancel"), None, 200).await;
    tour.remove("deleteJob", &format!("/v1/jobs/{restore}")).await;
    tour.remove("deleteJob", &path).await;
}

#[tokio::test]
async fn real_answers_of_every_operation_fit_the_document() {
    let server = Server::start().await;
    let mut tour = Tour { api: api(), client: server.administrator().await, seen: BTreeSet::new() };
    tour.get("getCapabilities", "/v1/capabilities").await;
    sessions_and_tokens(&mut tour).await;
    let tenant = tenants_and_accounts(&mut tour).await;
    let user = users_keys_and_buckets(&mut tour, &tenant).await;
    jobs(&mut tour, &user).await;
    tour.call("createTenant", "POST", "/v1/tenants", Some(json!({"name": "acme"})), 409).await;
    tour.call("createUser", "POST", "/v1/users", Some(json!({"login": 1})), 400).await;
    let bad = json!({"userId": user, "name": "X"});
    tour.call("createBucket", "POST", "/v1/buckets", Some(bad), 422).await;
    for name in ["data", "copy"] {
        tour.remove("deleteBucket", &format!("/v1/buckets/{user}/{name}")).await;
    }
    tour.remove("deleteUser", &format!("/v1/users/{user}")).await;
    tour.remove("deleteTenant", &format!("/v1/tenants/{tenant}")).await;
    tour.get("listUsage", "/v1/usage?group=User").await;
    tour.get("listAuditEvents", "/v1/auditEvents?limit=1000").await;
    tour.remove("deleteSession", "/v1/sessions").await;

    let api = api();
    let items =
        api["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let all: BTreeSet<String> = items.map(|entry| text(entry, "operationId")).collect();
    assert_eq!(tour.seen, all, "the tour calls every operation");
}

#[tokio::test]
async fn the_document_has_every_route_and_each_of_its_operations_is_there() {
    let source = include_str!("mod.rs");
    let v1 = source.split("let v1 = ").nth(1).unwrap().split(".layer(").next().unwrap();
    let routed: BTreeSet<String> =
        v1.split(".route(").skip(1).map(|route| format!("/v1{}", route.split('"').nth(1).unwrap())).collect();
    let api = api();
    let documented: BTreeSet<String> = api["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(routed, documented);
    let server = Server::start().await;
    for (path, item) in api["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let path = path.replace("{id}", "x").replace("{user}", "x").replace("{name}", "x");
            let reply = server.anyone().call(&method.to_uppercase(), &path, &[], Some(json!({}))).await;
            assert!(![404, 405].contains(&reply.status.as_u16()), "{method} {path}: {}", reply.body);
        }
    }
}

#[tokio::test]
async fn the_document_is_openapi_3_1_and_all_its_references_lead_somewhere() {
    let api = api();
    assert_eq!(text(&api, "openapi"), "3.1.0");
    let text = api.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(api.pointer(reference).is_some(), "{reference} is not there");
    }
    let server = Server::start().await;
    assert_eq!(server.anyone().get("/openapi.json").await.expect(200), api);
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let server = Server::start().await;
    for path in ["/docs", "/docs/page.js", "/docs/page.css"] {
        let reply = server.anyone().get(path).await;
        assert!(reply.header("content-security-policy").contains("default-src 'none'"));
        let text = reply.expect(200).as_str().unwrap().to_owned();
        assert!(!text.contains("//cdn") && !text.contains("http:") && !text.contains("https:"), "{path}");
    }
    let page = server.anyone().get("/docs").await.expect(200);
    let page = page.as_str().unwrap();
    let loaded = page.split(['"', '\'']).filter(|part| part.starts_with('/')).collect::<BTreeSet<_>>();
    assert_eq!(loaded, BTreeSet::from(["/docs/page.css", "/docs/page.js", "/openapi.json"]));
}
