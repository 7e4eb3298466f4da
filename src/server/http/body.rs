//! The body of a request: JSON of at most 64 KiB without unknown fields.

use super::App;
use crate::server::domain::Refusal;
use crate::wire::ProblemType;
use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use sha2::{Digest as _, Sha256};
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

/// The largest body.
pub const LARGEST: usize = 64 * 1024;
/// How long a body may take to arrive, where the server is not told otherwise.
pub const BODY_TIME: Duration = Duration::from_secs(30);

/// A body that has been read, and the hash of its bytes.
pub struct Body<T> {
    /// What it says.
    pub value: T,
    /// SHA-256 of it.
    pub hash: [u8; 32],
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refusal> {
        if !is_json(request.headers()) {
            let detail = "the body must be JSON, with `Content-Type: application/json`";
            return Err(Refusal::new(ProblemType::UnsupportedMediaType, detail));
        }
        let arriving = tokio::time::timeout(app.settings.body_time, to_bytes(request.into_body(), LARGEST));
        let bytes = match arriving.await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) if error.source().is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) => {
                let detail = format!("the body must have at most {LARGEST} bytes");
                return Err(Refusal::new(ProblemType::TooLarge, detail));
            }
            Ok(Err(_)) | Err(_) => {
                return Err(Refusal::new(ProblemType::Malformed, "the body did not arrive in full"));
            }
        };
        let value = serde_json::from_slice(&bytes).map_err(|error| malformed(&error))?;
        Ok(Self { value, hash: Sha256::digest(&bytes).into() })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json") || kind.eq_ignore_ascii_case("application/merge-patch+json")
}

/// What is wrong with the JSON. The parser's own words quote values, which may be passwords: only those of its messages
/// that name fields are passed on.
fn malformed(error: &serde_json::Error) -> Refusal {
    let place = format!("line {} column {}", error.line(), error.column());
    let text = error.to_string();
    let names_fields =
        ["unknown field", "missing field", "duplicate field"].iter().any(|start| text.starts_with(start));
    let detail = match error.classify() {
        Category::Data if names_fields => text.chars().take(300).collect(),
        Category::Data => format!("a value at {place} is not of the kind that the field takes"),
        Category::Syntax | Category::Eof => format!("the body is not JSON: {place}"),
        Category::Io => "the body did not arrive in full".to_owned(),
    };
    Refusal::new(ProblemType::Malformed, detail)
}
