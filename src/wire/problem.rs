//! Errors of the management API: RFC 9457 problem details with a closed list of types.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The body of every error answer, `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem it is: a stable slug.
    #[serde(rename = "type")]
    pub type_: ProblemType,
    /// The type in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request and what to do. Never a secret.
    pub detail: String,
    /// The request's id, as in `X-Request-Id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What is wrong with single fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// What is wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// The field, dotted from the body's root.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

/// The closed list of problem types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemType {
    /// 400: the request cannot be read.
    Malformed,
    /// 401: no credentials, or ones that are wrong or have expired.
    Unauthenticated,
    /// 403: the principal's role does not allow it.
    Forbidden,
    /// 403: the session has not verified its password within 15 minutes (rule 5).
    PasswordVerificationRequired,
    /// 403: the token lacks a scope.
    ScopeMissing,
    /// 403: a change by a cookie session without its `X-CSRF-Token`.
    CsrfTokenRequired,
    /// 404: not there, or not to be seen by this principal (rule 13).
    NotFound,
    /// 405: the resource does not have this method.
    MethodNotAllowed,
    /// 409: the name is taken.
    NameTaken,
    /// 409: something else hangs on it (rule 12).
    InUse,
    /// 409: it is built in, or the default.
    BuiltIn,
    /// 409: what it is doing now does not allow it.
    WrongState,
    /// 409: a request with the same idempotency key is under way.
    IdempotencyInProgress,
    /// 412: it has changed since it was read.
    PreconditionFailed,
    /// 413: the body is too large.
    TooLarge,
    /// 415: the body is not JSON.
    UnsupportedMediaType,
    /// 422: a rule forbids it, whoever asks.
    RuleViolated,
    /// 422: a quota is used up.
    QuotaExceeded,
    /// 422: the idempotency key was used with another request.
    IdempotencyMismatch,
    /// 429: too many requests; not executed.
    TooManyRequests,
    /// 500: the server failed; whether the request was executed is not known.
    Internal,
    /// 503: the server cannot take requests now; not executed.
    Unavailable,
    /// 507: no room on the server's disk; not executed.
    InsufficientStorage,
    /// A type that this client does not know.
    #[serde(other)]
    Unknown,
}

impl ProblemType {
    /// All that answers may have.
    pub const ALL: [Self; 23] = [
        Self::Malformed,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::PasswordVerificationRequired,
        Self::ScopeMissing,
        Self::CsrfTokenRequired,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NameTaken,
        Self::InUse,
        Self::BuiltIn,
        Self::WrongState,
        Self::IdempotencyInProgress,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::RuleViolated,
        Self::QuotaExceeded,
        Self::IdempotencyMismatch,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
        Self::InsufficientStorage,
    ];

    /// The HTTP status of answers of this type.
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden
            | Self::PasswordVerificationRequired
            | Self::ScopeMissing
            | Self::CsrfTokenRequired => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::NameTaken
            | Self::InUse
            | Self::BuiltIn
            | Self::WrongState
            | Self::IdempotencyInProgress => 409,
            Self::PreconditionFailed => 412,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::RuleViolated | Self::QuotaExceeded | Self::IdempotencyMismatch => 422,
            Self::TooManyRequests => 429,
            Self::Internal | Self::Unknown => 500,
            Self::Unavailable => 503,
            Self::InsufficientStorage => 507,
        }
    }

    /// The type in words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Malformed => "the request cannot be read",
            Self::Unauthenticated => "credentials are missing, wrong or expired",
            Self::Forbidden => "not allowed",
            Self::PasswordVerificationRequired => "the password must be verified",
            Self::ScopeMissing => "the token lacks a scope",
            Self::CsrfTokenRequired => "the CSRF token is missing or wrong",
            Self::NotFound => "not found",
            Self::MethodNotAllowed => "method not allowed",
            Self::NameTaken => "the name is taken",
            Self::InUse => "in use",
            Self::BuiltIn => "built in",
            Self::WrongState => "not in its present state",
            Self::IdempotencyInProgress => "the same request is under way",
            Self::PreconditionFailed => "changed since it was read",
            Self::TooLarge => "too large",
            Self::UnsupportedMediaType => "the body must be JSON",
            Self::RuleViolated => "a rule forbids it",
            Self::QuotaExceeded => "a quota is used up",
            Self::IdempotencyMismatch => "the idempotency key was used with another request",
            Self::TooManyRequests => "too many requests",
            Self::Internal => "the server failed",
            Self::Unavailable => "the server cannot take requests now",
            Self::InsufficientStorage => "no room on the disk",
            Self::Unknown => "unknown problem",
        }
    }
}

impl ToSchema for ProblemType {
    fn name() -> Cow<'static, str> {
        "ProblemType".into()
    }
}

/// The words of all types, and a table of what each means.
impl PartialSchema for ProblemType {
    fn schema() -> RefOr<Schema> {
        let word = |kind: &Self| serde_json::to_value(kind).unwrap_or_default();
        let row = |kind: &Self| {
            let word = word(kind);
            let word = word.as_str().unwrap_or_default();
            format!("| `{word}` | {} | {} |\n", kind.status(), kind.title())
        };
        let rows: String = Self::ALL.iter().map(row).collect();
        let description =
            format!("A stable slug; more may come.\n\n| type | status | means |\n|---|---|---|\n{rows}");
        let words: Vec<serde_json::Value> = Self::ALL.iter().map(word).collect();
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(words))
            .description(Some(description))
            .into()
    }
}
