//! What can go wrong when a provider is asked, and what that proves.

use std::time::Duration;
use thiserror::Error;

/// A call to a provider that failed.
#[derive(Clone, Debug, Error)]
#[error("failed to {op} '{object}': {kind}")]
pub struct Error {
    /// What was asked for, as a verb phrase: `create user`.
    pub op: &'static str,
    /// What it was asked for: a name or an id, never a secret.
    pub object: String,
    /// What came back.
    pub kind: ErrorKind,
}

/// What came back instead of success.
#[derive(Clone, Debug, Error)]
pub enum ErrorKind {
    /// A definite 404.
    #[error("not found")]
    NotFound,
    /// The name is taken.
    #[error("the name is taken: {0}")]
    NameTaken(String),
    /// Something hangs on it; the text says what, and how many.
    #[error("in use: {0}")]
    InUse(String),
    /// A rule or the form of the request: refused whoever asks and however often.
    #[error("refused: {0}")]
    Refused(String),
    /// A quota is used up.
    #[error("quota exceeded: {0}")]
    QuotaExceeded(String),
    /// The credentials are wrong or expired.
    #[error("the credentials are refused")]
    Unauthenticated,
    /// The credentials do not allow it.
    #[error("not allowed: {0}")]
    Forbidden(String),
    /// Too many requests; by contract not executed.
    #[error("too many requests")]
    Throttled {
        /// When to come back, where the provider said so.
        after: Option<Duration>,
    },
    /// 503; by contract not executed.
    #[error("the provider is unavailable")]
    Unavailable {
        /// When to come back, where the provider said so.
        after: Option<Duration>,
    },
    /// No connection was made, so nothing was sent.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The server's certificate is not trusted, or the handshake failed; nothing was sent.
    #[error("the connection is not trusted: {0}")]
    Untrusted(String),
    /// No answer, or half of one: whether it was executed is not known.
    #[error("no complete answer: {0}")]
    NoAnswer(String),
    /// An answer that is an error of the provider's own, or makes no sense: whether it was executed is not known.
    #[error("the provider failed: {0}")]
    Failed(String),
    /// The provider cannot do that.
    #[error("not supported by the provider: {0}")]
    NotSupported(String),
}

/// What a failure asks of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Trying again later may help.
    Transient,
    /// The provider says when to try again.
    Throttled(Option<Duration>),
    /// The account's credentials or rights do not suffice: every other call would fail too.
    Denied,
    /// This request will not succeed as it is.
    Refused,
    /// It is not there.
    NotFound,
}

impl Error {
    /// What the failure asks of the caller.
    pub fn class(&self) -> Class {
        match &self.kind {
            ErrorKind::NotFound => Class::NotFound,
            ErrorKind::NameTaken(_)
            | ErrorKind::InUse(_)
            | ErrorKind::Refused(_)
            | ErrorKind::QuotaExceeded(_)
            | ErrorKind::NotSupported(_) => Class::Refused,
            ErrorKind::Unauthenticated | ErrorKind::Forbidden(_) | ErrorKind::Untrusted(_) => Class::Denied,
            ErrorKind::Throttled { after } | ErrorKind::Unavailable { after } => Class::Throttled(*after),
            ErrorKind::Unreachable(_) | ErrorKind::NoAnswer(_) | ErrorKind::Failed(_) => Class::Transient,
        }
    }

    /// Whether the failure proves that the request was not executed and will not be.
    pub fn is_definite(&self) -> bool {
        match &self.kind {
            ErrorKind::NotFound
            | ErrorKind::NameTaken(_)
            | ErrorKind::InUse(_)
            | ErrorKind::Refused(_)
            | ErrorKind::QuotaExceeded(_)
            | ErrorKind::Unauthenticated
            | ErrorKind::Forbidden(_)
            | ErrorKind::Throttled { .. }
            | ErrorKind::Unavailable { .. }
            | ErrorKind::Unreachable(_)
            | ErrorKind::Untrusted(_)
            | ErrorKind::NotSupported(_) => true,
            ErrorKind::NoAnswer(_) | ErrorKind::Failed(_) => false,
        }
    }
}
