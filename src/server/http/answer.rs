//! Good answers: one item, a page of a list, nothing.

use super::tag::{self, Tagged};
use crate::server::domain::Refusal;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The media type of answers.
pub const JSON: &str = "application/json";
/// The media type of problem documents.
pub const PROBLEM: &str = "application/problem+json";

/// JSON with a tag; 304 where the caller has it already.
fn tagged(headers: &HeaderMap, body: Vec<u8>, tag: &str) -> Response {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response = if known.is_some_and(|known| tag::matches(known, tag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        json(StatusCode::OK, body)
    };
    if let Ok(value) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// JSON, already written.
pub fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

/// One item.
pub fn item<T: Tagged>(headers: &HeaderMap, item: &T) -> Result<Response, Refusal> {
    Ok(tagged(headers, serde_json::to_vec(item)?, &tag::of(item)?))
}

/// Anything whose tag is the hash of its JSON: a page of a list.
pub fn page<T: Serialize>(headers: &HeaderMap, page: &T) -> Result<Response, Refusal> {
    let body = serde_json::to_vec(page)?;
    let tag = format!("\"{}\"", tag::digest(&body));
    Ok(tagged(headers, body, &tag))
}
