//! What is done around every request: its id, one log line, its count, and problem documents for all errors.

use super::failure;
use super::{App, answer};
use crate::server::domain::Refusal;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt as _;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// The address that a request came from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The request's id: the caller's `X-Request-Id` where it is plain and short, else a new one.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Filled in when the caller is known, for the log line.
#[derive(Clone, Default)]
pub struct Identified(pub Arc<OnceLock<String>>);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The middleware.
pub async fn frame(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let id = request_id(&request);
    let identified = Identified::default();
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(identified.clone());

    let ran = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = ran.unwrap_or_else(|_| {
        tracing::error!(request_id = id, "a handler panicked");
        axum::response::IntoResponse::into_response(failure::internal())
    });
    response = with_problem(response, &id);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

    let status = response.status().as_u16();
    let duration = begun.elapsed();
    app.metrics.count(&method, status, duration);
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let principal = identified.0.get().map_or("", String::as_str);
    let probe = !path.starts_with("/v1/");
    if probe && status < 400 {
        tracing::debug!(%method, path, status, duration_ms, request_id = id, principal, "request");
    } else {
        tracing::info!(%method, path, status, duration_ms, request_id = id, principal, "request");
    }
    response
}

fn request_id(request: &Request) -> String {
    let plain = |text: &&str| {
        (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
    };
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(plain);
    given.map_or_else(|| format!("{:032x}", rand::random::<u128>()), str::to_owned)
}

/// Every error answer is a problem document, whoever made it.
fn with_problem(mut response: Response, request_id: &str) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let refusal = response.extensions_mut().remove::<Refusal>().unwrap_or_else(|| failure::of_status(status));
    let document = failure::problem(&refusal, request_id);
    let bytes = serde_json::to_vec(&document).unwrap_or_default();
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer::PROBLEM));
    Response::from_parts(parts, Body::from(bytes))
}
