//! The API as a caller sees it, in the process: requests go to the router over a store in a folder of its own.

mod aging;
mod conventions;
mod durability;
mod idempotency;
mod isolation;
mod jobs;
mod keys;
mod matrix;
mod refusals;
mod rules;
mod sessions;
mod statuses;
mod usage;

use super::{App, BODY_TIME, Settings, router};
use crate::server::first_start;
use crate::server::store::Store;
use crate::wire::ShownSecret;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tower::ServiceExt as _;

pub const PASSWORD: &str = "correct horse battery";

pub fn settings() -> Settings {
    Settings {
        region: "storekeeper".to_owned(),
        idempotency_keys: false,
        rate_limit: 0,
        tls: false,
        body_time: BODY_TIME,
    }
}

/// A server without listeners.
pub struct Server {
    pub folder: TempDir,
    pub app: Arc<App>,
    router: Router,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(settings()).await
    }

    pub async fn with(settings: Settings) -> Self {
        Self::on(tempfile::tempdir().unwrap(), settings).await
    }

    async fn on(folder: TempDir, settings: Settings) -> Self {
        let store = Store::open(folder.path()).unwrap();
        if first_start::is_due(&store).await.unwrap() {
            let password = ShownSecret::new(PASSWORD.to_owned());
            first_start::fill(&store, Some(password), crate::clock::now(), |_| {}).await.unwrap();
        }
        let app = App::new(store, settings).unwrap();
        Self { folder, router: router(&app), app }
    }

    /// The same folder, opened anew.
    pub async fn restart(self) -> Self {
        let Self { folder, app, router } = self;
        let settings = app.settings.clone();
        drop((app, router));
        Self::on(folder, settings).await
    }

    /// A caller without credentials.
    pub fn anyone(&self) -> Client {
        Client { router: self.router.clone(), token: None }
    }

    pub fn bearer(&self, token: &str) -> Client {
        Client { token: Some(token.to_owned()), ..self.anyone() }
    }

    pub async fn sign_in(&self, login: &str, password: &str) -> Client {
        let body = json!({"login": login, "password": password});
        let created = self.anyone().post("/v1/sessions", body).await.expect(201);
        self.bearer(created["token"].as_str().unwrap())
    }

    /// The administrator with a verified session.
    pub async fn administrator(&self) -> Client {
        let client = self.sign_in("administrator", PASSWORD).await;
        client.post("/v1/sessions/verify", json!({"password": PASSWORD})).await.expect(204);
        client
    }

    /// Everything in the database but the audit log, as text.
    pub fn dump(&self) -> String {
        dump(self.folder.path())
    }
}

fn dump(folder: &Path) -> String {
    let connection = rusqlite::Connection::open(folder.join("storekeeper.db")).unwrap();
    let mut tables = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('audit', 'sqlite_sequence')")
        .unwrap();
    let names: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut text = String::new();
    for name in names {
        let mut rows = connection.prepare(&format!("SELECT * FROM {name} ORDER BY 1, 2")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<rusqlite::types::Value> = (0..columns).map(|n| row.get(n).unwrap()).collect();
            writeln!(text, "{name} {values:?}").unwrap();
        }
    }
    text
}

/// Someone who calls.
#[derive(Clone)]
pub struct Client {
    router: Router,
    token: Option<String>,
}

/// What was answered.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Reply {
    /// The body, of an answer with this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// The body of a problem of this type.
    #[track_caller]
    pub fn problem(self, status: u16, kind: &str) -> Value {
        assert_eq!((self.status.as_u16(), self.body["type"].as_str()), (status, Some(kind)), "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        self.body
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> String {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no header {name}"));
        value.to_str().unwrap().to_owned()
    }
}

impl Client {
    pub async fn send(&self, mut request: Request<Body>) -> Reply {
        if let Some(token) = &self.token {
            request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Reply { status: parts.status, headers: parts.headers, body }
    }

    pub async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call("POST", path, &[], Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.call("PATCH", path, &[], Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path, &[], None).await
    }

    pub async fn items(&self, path: &str) -> Vec<Value> {
        self.get(path).await.expect(200)["items"].as_array().unwrap().clone()
    }

    /// A tenant of that name; its id.
    pub async fn tenant(&self, name: &str, visibility: &str) -> String {
        let body = json!({"name": name, "visibility": visibility});
        id(&self.post("/v1/tenants", body).await.expect(201))
    }

    /// A user of that login, with [`PASSWORD`]; its id.
    pub async fn user(&self, login: &str, role: &str, tenant: &str) -> String {
        let body = json!({"login": login, "role": role, "tenantId": tenant, "password": PASSWORD});
        id(&self.post("/v1/users", body).await.expect(201))
    }

    /// A key of a user; the whole answer.
    pub async fn key(&self, user: &str, permission: &str) -> Value {
        self.post("/v1/accessKeys", json!({"userId": user, "permission": permission})).await.expect(201)
    }

    /// A bucket of a user; its path.
    pub async fn bucket(&self, user: &str, name: &str) -> String {
        self.post("/v1/buckets", json!({"userId": user, "name": name})).await.expect(201);
        format!("/v1/buckets/{user}/{name}")
    }

    /// An API token of the caller.
    pub async fn token(&self, scopes: &[&str]) -> Client {
        let created = self.post("/v1/tokens", json!({"name": "t", "scopes": scopes})).await.expect(201);
        Client { token: Some(text(&created, "token")), router: self.router.clone() }
    }
}

#[track_caller]
pub fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}")).to_owned()
}

#[track_caller]
pub fn id(value: &Value) -> String {
    text(value, "id")
}
