//! Every status and every problem type, each from a real request.

use super::{Client, PASSWORD, Reply, Server, settings, text};
use crate::server::http::Settings;
use crate::server::store::StoreError;
use crate::server::store::columns::word;
use crate::wire::ProblemType;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What has been met, and the world that it is met in.
struct Met {
    server: Server,
    admin: Client,
    user: String,
    statuses: BTreeSet<u16>,
    types: BTreeSet<String>,
}

impl Met {
    /// The answer must be of this status, and a problem of this type where one is named.
    fn meet(&mut self, reply: Reply, status: u16, kind: &str) {
        self.statuses.insert(status);
        if kind.is_empty() {
            reply.expect(status);
            return;
        }
        let retry = reply.headers.contains_key("retry-after");
        assert_eq!(retry, status == 429 || status == 503, "{kind}: only these say when to come back");
        reply.problem(status, kind);
        self.types.insert(kind.to_owned());
    }

    async fn call(&mut self, method: &str, path: &str, body: Option<Value>, status: u16, kind: &str) {
        let reply = self.admin.call(method, path, &[], body).await;
        self.meet(reply, status, kind);
    }

    async fn good_answers(&mut self) {
        let listed = self.admin.get("/v1/tenants").await;
        let tag = listed.header("etag");
        self.meet(listed, 200, "");
        let same = self.admin.call("GET", "/v1/tenants", &[("if-none-match", &tag)], None).await;
        self.meet(same, 304, "");
        let made = self.admin.post("/v1/tenants", json!({"name": "short-lived"})).await;
        let path = made.header("location");
        self.meet(made, 201, "");
        self.call("DELETE", &path, None, 204, "").await;
    }

    async fn refused_before_any_rule(&mut self) {
        self.call("POST", "/v1/tenants", Some(json!({"colour": 1})), 400, "malformed").await;
        let large = json!({"name": "x".repeat(64 * 1024)});
        self.call("POST", "/v1/tenants", Some(large), 413, "too-large").await;
        self.call("POST", "/v1/tenants", None, 415, "unsupported-media-type").await;
        self.call("PUT", "/v1/tenants", None, 405, "method-not-allowed").await;
        self.call("GET", "/v1/users/us_none", None, 404, "not-found").await;
        let unknown = self.server.anyone().get("/v1/users").await;
        self.meet(unknown, 401, "unauthenticated");
        let reader = self.admin.token(&["read"]).await;
        let scope = reader.post("/v1/tenants", json!({"name": "x"})).await;
        self.meet(scope, 403, "scope-missing");
        let sign_in = json!({"login": "administrator", "password": PASSWORD, "cookie": true});
        let cookie = self.server.anyone().post("/v1/sessions", sign_in).await.header("set-cookie");
        let cookie = cookie.split(';').next().unwrap();
        let body = Some(json!({"name": "x"}));
        let forged = self.server.anyone().call("POST", "/v1/tenants", &[("cookie", cookie)], body).await;
        self.meet(forged, 403, "csrf-token-required");
    }

    async fn refused_by_rules(&mut self) {
        let user = self.user.clone();
        let other = self.server.sign_in("u", PASSWORD).await.get("/v1/tenants").await;
        self.meet(other, 403, "forbidden");
        let unverified = self.server.sign_in("administrator", PASSWORD).await;
        let key = json!({"userId": user, "permission": "Read"});
        let unverified = unverified.post("/v1/accessKeys", key).await;
        self.meet(unverified, 403, "password-verification-required");
        let bucket = |name: &str| Some(json!({"userId": user, "name": name}));
        self.call("POST", "/v1/buckets", bucket("X"), 422, "rule-violated").await;
        self.call("POST", "/v1/buckets", bucket("data"), 201, "").await;
        self.call("POST", "/v1/buckets", bucket("data"), 409, "name-taken").await;
        self.call("POST", "/v1/buckets", bucket("second"), 201, "").await;
        self.call("POST", "/v1/buckets", bucket("third"), 422, "quota-exceeded").await;
        self.call("DELETE", &format!("/v1/users/{user}"), None, 409, "in-use").await;
        let built_in = text(&self.admin.items("/v1/tenants?name=administrator").await[0], "id");
        self.call("DELETE", &format!("/v1/tenants/{built_in}"), None, 409, "built-in").await;
        let path = format!("/v1/buckets/{user}/data");
        let stale = self.admin.call("DELETE", &path, &[("if-match", "\"old\"")], None).await;
        self.meet(stale, 412, "precondition-failed");
        let job = json!({"kind": "EmptyBucket", "source": {"userId": user, "name": "data"}});
        let job = self.admin.post("/v1/jobs", job).await.header("location");
        self.call("POST", &format!("{job}/run"), None, 409, "wrong-state").await;
    }

    async fn idempotency(&mut self) {
        let post = async |admin: &Client, name: &str| {
            let body = json!({"name": name});
            admin.call("POST", "/v1/tenants", &[("idempotency-key", "k")], Some(body)).await
        };
        let me = text(&self.admin.items("/v1/users?login=administrator").await[0], "id");
        let app = std::sync::Arc::clone(&self.server.app);
        let under_way = app.in_progress.enter(&me, "k").unwrap();
        let reply = post(&self.admin, "one").await;
        self.meet(reply, 409, "idempotency-in-progress");
        drop(under_way);
        post(&self.admin, "one").await.expect(201);
        let reply = post(&self.admin, "two").await;
        self.meet(reply, 422, "idempotency-mismatch");
    }

    async fn the_server_in_trouble(&mut self) {
        let store = self.server.app.store.clone();
        let run = async |sql: &'static str| {
            store.write(move |c| Ok::<_, StoreError>(c.execute_batch(sql)?)).await.unwrap();
        };
        run("PRAGMA max_page_count = 1").await;
        let long = "x".repeat(250);
        let mut reply = self.admin.post("/v1/tenants", json!({"name": "t", "description": long})).await;
        for n in 0..200 {
            if reply.status != 201 {
                break;
            }
            reply = self.admin.post("/v1/tenants", json!({"name": n.to_string(), "description": long})).await;
        }
        self.meet(reply, 507, "insufficient-storage");
        run("PRAGMA max_page_count = 1000000").await;
        self.call("POST", "/v1/tenants", Some(json!({"name": "room-again"})), 201, "").await;

        run("UPDATE tenant SET quota = 'nonsense' WHERE name = 'acme'").await;
        self.call("GET", "/v1/tenants", None, 500, "internal").await;
        self.server.app.drain();
        self.call("GET", "/readyz", None, 503, "unavailable").await;
    }
}

#[tokio::test]
async fn every_status_and_every_problem_type_comes_when_it_should() {
    let server = Server::with(Settings { idempotency_keys: true, ..settings() }).await;
    let admin = server.administrator().await;
    let tenant = admin.tenant("acme", "Public").await;
    let user = admin.user("u", "FullAccess", &tenant).await;
    admin.patch(&format!("/v1/users/{user}"), json!({"quota": {"buckets": 2}})).await.expect(200);
    let mut met = Met { server, admin, user, statuses: BTreeSet::new(), types: BTreeSet::new() };
    met.good_answers().await;
    met.refused_before_any_rule().await;
    met.refused_by_rules().await;
    met.idempotency().await;
    for _ in 0..6 {
        let wrong = json!({"login": "u", "password": "wrong password"});
        let reply = met.server.anyone().post("/v1/sessions", wrong).await;
        if reply.status == 429 {
            met.meet(reply, 429, "too-many-requests");
        }
    }
    met.the_server_in_trouble().await;

    let all: BTreeSet<String> = ProblemType::ALL.iter().map(word).collect();
    assert_eq!(met.types, all, "each type is met");
    let good = [200, 201, 204, 304];
    let statuses: BTreeSet<u16> = ProblemType::ALL.iter().map(|kind| kind.status()).chain(good).collect();
    assert_eq!(met.statuses, statuses, "each status is met");
}
