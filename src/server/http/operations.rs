//! What is not a resource of its own: capabilities, the audit log, health, metrics, and what is not there.

use super::App;
use super::answer;
use super::call::Call;
use super::failure;
use super::list::Query;
use crate::server::domain::Refusal;
use crate::server::domain::access::{self, Collection};
use crate::server::store::audit;
use crate::server::store::idempotency::HOURS;
use crate::server::store::lists::Where;
use crate::wire::{
    Capabilities, FEATURE_IDEMPOTENCY_KEYS, FEATURE_JOBS, FEATURE_KEY_BUCKETS, FEATURE_KEY_SUSPENSION,
    FEATURE_OBJECT_LOCK, FEATURE_QUOTAS, FEATURE_VERSIONING, ProblemType,
};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

/// `GET /v1/capabilities`: for every caller that is known.
pub async fn capabilities(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    let idempotency = app.settings.idempotency_keys;
    let mut features = vec![
        FEATURE_KEY_BUCKETS,
        FEATURE_KEY_SUSPENSION,
        FEATURE_VERSIONING,
        FEATURE_OBJECT_LOCK,
        FEATURE_QUOTAS,
        FEATURE_JOBS,
    ];
    if idempotency {
        features.push(FEATURE_IDEMPOTENCY_KEYS);
    }
    let capabilities = Capabilities {
        name: "storekeeper".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        features: features.into_iter().map(str::to_owned).collect(),
        idempotency_hours: idempotency.then_some(HOURS),
        region: app.settings.region.clone(),
    };
    answer::page(&call.headers, &capabilities)
}

/// The filters of the audit log.
pub const AUDIT_FILTERS: &[&str] = &["principal", "action", "target", "outcome"];

/// `GET /v1/auditEvents`, oldest first
pub async fn audit_events(
    State(app): State<Arc<App>>,
    call: Call,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Query::parse(query.as_deref(), AUDIT_FILTERS)?;
    let events = app
        .look(&call, move |connection, caller, _| {
            let filter = Where::default()
                .visible(&access::visible(&caller.principal, Collection::AuditEvents)?)
                .and_if("e.principal = ?", query.filter("principal"))
                .and_if("e.action = ?", query.filter("action"))
                .and_if("e.target = ?", query.filter("target"))
                .and_if("e.outcome = ?", query.filter("outcome"));
            let events = audit::list(connection, &query.page, filter)?;
            Ok(query.page(events, |event| event.sequence.to_string()))
        })
        .await?;
    answer::page(&call.headers, &events)
}

/// `GET /healthz`: the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the database answers, and the server is not stopping.
pub async fn readyz(State(app): State<Arc<App>>) -> Result<&'static str, Refusal> {
    if app.draining.load(std::sync::atomic::Ordering::Relaxed) {
        return Err(Refusal::new(ProblemType::Unavailable, "the server is stopping"));
    }
    app.store
        .read(|connection| {
            let one: i64 = connection
                .query_row("SELECT 1", [], |row| row.get(0))
                .map_err(crate::server::store::StoreError::from)?;
            Ok::<_, Refusal>(one)
        })
        .await?;
    Ok("ok\n")
}

/// `GET /openapi.json`
pub async fn openapi() -> Result<Response, Refusal> {
    Ok(answer::json(StatusCode::OK, super::openapi::document().to_pretty_json()?.into_bytes()))
}

/// A file of the page that renders the document. It loads nothing from elsewhere, and browsers see to that.
fn page(kind: &'static str, text: &'static str) -> Response {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, policy)];
    (headers, text).into_response()
}

/// `GET /docs`
pub async fn docs() -> Response {
    page("text/html; charset=utf-8", include_str!("docs/page.html"))
}

/// `GET /docs/page.js`
pub async fn docs_script() -> Response {
    page("text/javascript; charset=utf-8", include_str!("docs/page.js"))
}

/// `GET /docs/page.css`
pub async fn docs_style() -> Response {
    page("text/css; charset=utf-8", include_str!("docs/page.css"))
}

/// `GET /metrics`
pub async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let text = app.metrics.text().map_err(|_| failure::internal())?;
    let mut response = text.into_response();
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// No such route.
pub async fn no_route() -> Refusal {
    failure::of_status(StatusCode::NOT_FOUND)
}

/// No such method.
pub async fn no_method() -> Refusal {
    failure::of_status(StatusCode::METHOD_NOT_ALLOWED)
}
