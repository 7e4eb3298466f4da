//! How refusals and failures become answers. The problem document is put together by [`super::frame`], which knows the
//! request's id.

use crate::server::domain::Refusal;
use crate::server::passwords::HashError;
use crate::server::random::RandomError;
use crate::server::store::StoreError;
use crate::wire::{Problem, ProblemType};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        let retry = match self.kind {
            ProblemType::TooManyRequests | ProblemType::Unavailable => Some("1"),
            _ => None,
        };
        if let Some(seconds) = retry {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        if self.kind == ProblemType::Unauthenticated {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The document of a refusal.
pub fn problem(refusal: &Refusal, request_id: &str) -> Problem {
    Problem {
        type_: refusal.kind,
        title: refusal.kind.title().to_owned(),
        status: refusal.kind.status(),
        detail: refusal.detail.clone(),
        instance: Some(request_id.to_owned()),
        errors: refusal.errors.clone(),
    }
}

/// An answer with an error status that no handler of ours made, as a refusal.
pub fn of_status(status: StatusCode) -> Refusal {
    match status {
        StatusCode::NOT_FOUND => Refusal::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => {
            Refusal::new(ProblemType::MethodNotAllowed, "the resource does not have this method")
        }
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(ProblemType::TooLarge, "the body is too large"),
        status if status.is_client_error() => {
            Refusal::new(ProblemType::Malformed, "the request cannot be read")
        }
        _ => internal(),
    }
}

/// The server failed.
pub fn internal() -> Refusal {
    Refusal::new(ProblemType::Internal, "the server failed; its log has the request's id")
}

fn failed(error: &dyn std::error::Error) -> Refusal {
    let mut chain = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        chain = format!("{chain}: {error}");
        cause = error.source();
    }
    tracing::error!(error = chain, "request failed");
    internal()
}

impl From<StoreError> for Refusal {
    /// 503 and 507 only where nothing was executed; a failure whose outcome is not known is a 500.
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Closed => Self::new(ProblemType::Unavailable, "the server is stopping"),
            StoreError::Busy => {
                tracing::warn!(%error, "nothing was changed");
                Self::new(ProblemType::Unavailable, "the server is busy; nothing was changed")
            }
            error if error.is_full() => {
                Self::new(ProblemType::InsufficientStorage, "the server's disk is full; nothing was changed")
            }
            StoreError::File { .. }
            | StoreError::Database(_)
            | StoreError::NewerSchema { .. }
            | StoreError::WrongKey(_)
            | StoreError::Locked(_)
            | StoreError::Full
            | StoreError::Commit
            | StoreError::Thread
            | StoreError::Corrupt(_) => failed(&error),
        }
    }
}

impl From<RandomError> for Refusal {
    fn from(error: RandomError) -> Self {
        failed(&error)
    }
}

impl From<HashError> for Refusal {
    fn from(error: HashError) -> Self {
        failed(&error)
    }
}

impl From<serde_json::Error> for Refusal {
    /// Of our own answers: a request's body is read elsewhere.
    fn from(error: serde_json::Error) -> Self {
        failed(&error)
    }
}
