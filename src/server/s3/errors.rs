//! Why an operation does not succeed: S3 says no, or the store fails.

use crate::server::store::StoreError;
use http::StatusCode;
use s3s::{S3Error, S3ErrorCode, s3_error};

/// A refusal of S3, or a failure of the store.
#[derive(Debug)]
pub enum Fault {
    /// What the client is told; nothing was changed.
    Refused(S3Error),
    /// What the client is not told.
    Store(StoreError),
}

impl From<S3Error> for Fault {
    fn from(error: S3Error) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Fault> for S3Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(error) => error,
            Fault::Store(StoreError::Closed) => s3_error!(ServiceUnavailable, "the server is stopping"),
            Fault::Store(StoreError::Busy) => {
                tracing::warn!("the database is busy; nothing was changed");
                s3_error!(ServiceUnavailable, "the server is busy; nothing was changed")
            }
            Fault::Store(error) if error.is_full() => custom(
                "InsufficientStorage",
                StatusCode::INSUFFICIENT_STORAGE,
                "the server has no space left",
            ),
            Fault::Store(error) => {
                tracing::error!(error = %chain(&error), "an S3 operation failed");
                S3Error::new(S3ErrorCode::InternalError)
            }
        }
    }
}

/// The error and its sources, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// A code that AWS does not have.
pub fn custom(code: &'static str, status: StatusCode, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
}

/// Over a limit of the bucket or of its user.
pub fn quota_exceeded(message: &'static str) -> S3Error {
    custom("QuotaExceeded", StatusCode::FORBIDDEN, message)
}
