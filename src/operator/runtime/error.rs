//! Failed I/O: what was tried, on what, what came back, and what that asks of the runner.

use super::verdict::Verdict;
use crate::api::Reason;
use crate::provider::{self, ErrorKind};
use kube::core::Status;
use std::time::Duration;
use thiserror::Error;

/// A read or a write that failed. A refusal that a rule makes is no error but a [`Verdict`].
#[derive(Debug, Error)]
#[error("failed to {op} '{object}'")]
pub struct Error {
    /// What was tried, as a verb phrase: `create user`.
    pub op: &'static str,
    /// On what: a name or an id, never a secret.
    pub object: String,
    /// What came back.
    #[source]
    pub source: Source,
}

/// Who failed.
#[derive(Debug, Error)]
pub enum Source {
    /// The Kubernetes API server, with an answer.
    #[error("the API server refused ({})", .0.code)]
    Api(#[source] Box<Status>),
    /// The way to the Kubernetes API server.
    #[error("the API server did not answer")]
    Kube(#[source] Box<kube::Error>),
    /// The management API of an account, or the way to it.
    #[error("account '{account}' refused or did not answer")]
    Provider {
        /// The StorageAccount.
        account: String,
        /// What came back.
        #[source]
        kind: ErrorKind,
    },
    /// A fault of our own: it is logged, and tried again like any other.
    #[error("{0}")]
    Bug(String),
}

/// What a failure asks of the runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Try again with growing pauses.
    Transient,
    /// Try again when told, or as if transient.
    Throttled(Option<Duration>),
    /// Rights or credentials do not suffice: try again now and then.
    Denied,
    /// The request as it is will not succeed: a person must change something.
    Refused,
    /// A fault of our own.
    Bug,
    /// The object has changed since it was read: start over.
    Conflict,
}

impl Class {
    /// As metrics have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Throttled(_) => "throttled",
            Self::Denied => "denied",
            Self::Refused => "refused",
            Self::Bug => "bug",
            Self::Conflict => "conflict",
        }
    }
}

impl Error {
    /// A call to the API server that failed.
    pub fn kube(op: &'static str, object: impl Into<String>, source: kube::Error) -> Self {
        let source = match source {
            kube::Error::Api(status) => Source::Api(status),
            other => Source::Kube(Box::new(other)),
        };
        Self { op, object: object.into(), source }
    }

    /// A call to an account's management API that failed.
    pub fn provider(account: &str, error: provider::Error) -> Self {
        let provider::Error { op, object, kind } = error;
        Self { op, object, source: Source::Provider { account: account.to_owned(), kind } }
    }

    /// A fault of our own.
    pub fn bug(op: &'static str, object: impl Into<String>, what: impl Into<String>) -> Self {
        Self { op, object: object.into(), source: Source::Bug(what.into()) }
    }

    /// What the failure asks of the runner.
    pub fn class(&self) -> Class {
        match &self.source {
            Source::Api(status) => api_class(status),
            Source::Kube(error) => match **error {
                kube::Error::SerdeError(_) | kube::Error::BuildRequest(_) => Class::Bug,
                _ => Class::Transient,
            },
            Source::Provider { kind, .. } => provider_class(kind),
            Source::Bug(_) => Class::Bug,
        }
    }

    /// Whether the API server says, definitely, that the object is not there.
    pub fn is_absent(&self) -> bool {
        matches!(&self.source, Source::Api(status) if status.code == 404)
    }

    /// What the object's conditions say of the failure: stable words, the details are in the log. `None` where the
    /// conditions are left as they are: the API server itself failed, or the pass starts over.
    pub fn verdict(&self) -> Option<Verdict> {
        match &self.source {
            Source::Kube(_) => None,
            Source::Api(status) => match api_class(status) {
                Class::Denied => Some(Verdict::waiting(
                    Reason::Progressing,
                    format!(
                        "The API server does not let the operator {}. Check the operator's role.",
                        self.op
                    ),
                )),
                Class::Refused => Some(Verdict::waiting(
                    Reason::Progressing,
                    format!("The API server refuses to let the operator {}; its log says why.", self.op),
                )),
                Class::Transient | Class::Throttled(_) | Class::Bug | Class::Conflict => None,
            },
            Source::Provider { account, kind } => Some(provider_verdict(account, self.op, kind)),
            Source::Bug(_) => Some(Verdict::waiting(
                Reason::Progressing,
                format!("The operator failed to {}; its log says why. Retrying.", self.op),
            )),
        }
    }
}

fn api_class(status: &Status) -> Class {
    let after = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
    match status.code {
        401 | 403 => Class::Denied,
        409 => Class::Conflict,
        429 => Class::Throttled((after > 0).then(|| Duration::from_secs(after.into()))),
        400 | 405 | 413 | 415 | 422 => Class::Refused,
        _ => Class::Transient,
    }
}

fn provider_class(kind: &ErrorKind) -> Class {
    match kind {
        ErrorKind::Unauthenticated | ErrorKind::Forbidden(_) | ErrorKind::Untrusted(_) => Class::Denied,
        ErrorKind::Throttled { after } | ErrorKind::Unavailable { after } => Class::Throttled(*after),
        // Whatever was there a moment ago is gone, or something has come to hang on it: the next look sees that.
        ErrorKind::NotFound
        | ErrorKind::InUse(_)
        | ErrorKind::Unreachable(_)
        | ErrorKind::NoAnswer(_)
        | ErrorKind::Failed(_) => Class::Transient,
        ErrorKind::NameTaken(_)
        | ErrorKind::Refused(_)
        | ErrorKind::QuotaExceeded(_)
        | ErrorKind::NotSupported(_) => Class::Refused,
    }
}

/// Words for a failed call. Texts of the provider are repeated only where it refuses for a reason of its own.
fn provider_verdict(account: &str, op: &str, kind: &ErrorKind) -> Verdict {
    match kind {
        ErrorKind::Unreachable(_) => Verdict::waiting(
            Reason::AccountUnreachable,
            format!("Account '{account}' does not answer: no connection. Retrying."),
        ),
        ErrorKind::NoAnswer(_) => Verdict::waiting(
            Reason::AccountUnreachable,
            format!("Account '{account}' does not answer completely, or not in time. Retrying."),
        ),
        ErrorKind::Failed(_) | ErrorKind::NotFound => {
            Verdict::waiting(Reason::ProviderFailing, format!("Account '{account}' fails to {op}. Retrying."))
        }
        ErrorKind::Throttled { .. } => Verdict::waiting(
            Reason::Throttled,
            format!("Account '{account}' asks to slow down. Retrying as it says."),
        ),
        ErrorKind::Unavailable { .. } => Verdict::waiting(
            Reason::ProviderFailing,
            format!("Account '{account}' says that it is unavailable. Retrying."),
        ),
        ErrorKind::Unauthenticated => Verdict::blocked(
            Reason::CredentialsRefused,
            format!(
                "Account '{account}' refuses the operator's credentials (401). Put valid ones into the account's Secret."
            ),
        ),
        ErrorKind::Forbidden(why) => Verdict::blocked(
            Reason::CredentialsRefused,
            format!("Account '{account}' does not allow the operator to {op} (403): {why}."),
        ),
        ErrorKind::Untrusted(_) => Verdict::blocked(
            Reason::InvalidCaBundle,
            format!(
                "The certificate of account '{account}' is not trusted. Put the authority's certificate into the Secret that the account's `caBundleSecretRef` names."
            ),
        ),
        ErrorKind::NameTaken(what) => Verdict::blocked(
            Reason::NameTaken,
            format!("Account '{account}' has something of that name already: {what}."),
        ),
        ErrorKind::InUse(what) => Verdict::waiting(
            Reason::InUse,
            format!("Account '{account}' refuses to {op}: still in use: {what}."),
        ),
        ErrorKind::Refused(why) => {
            Verdict::blocked(Reason::ProviderRefused, format!("Account '{account}' refuses to {op}: {why}."))
        }
        ErrorKind::QuotaExceeded(what) => Verdict::blocked(
            Reason::QuotaExceeded,
            format!("Account '{account}' refuses to {op}: a quota is used up: {what}."),
        ),
        ErrorKind::NotSupported(what) => Verdict::blocked(
            Reason::NotSupportedByProvider,
            format!("Account '{account}' cannot do that: {what}."),
        ),
    }
}

/// An error and its causes in one line, for the log.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{Class, Error, chain};
    use crate::api::Reason;
    use crate::operator::runtime::Verdict;
    use crate::provider::{self, ErrorKind};
    use kube::core::Status;
    use std::time::Duration;

    fn api(code: u16) -> Error {
        let status = Status { code, message: "no".to_owned(), ..Status::default() };
        Error::kube("read", "x", kube::Error::Api(Box::new(status)))
    }

    fn provider(kind: ErrorKind) -> Error {
        Error::provider("main", provider::Error { op: "create user", object: "u".to_owned(), kind })
    }

    #[test]
    fn answers_of_the_api_server_are_classified_by_their_code() {
        for (code, class) in [
            (401, Class::Denied),
            (403, Class::Denied),
            (404, Class::Transient),
            (409, Class::Conflict),
            (422, Class::Refused),
            (429, Class::Throttled(None)),
            (500, Class::Transient),
            (503, Class::Transient),
        ] {
            assert_eq!(api(code).class(), class, "{code}");
        }
    }

    #[test]
    fn failures_of_an_account_become_reasons() {
        let after = Some(Duration::from_secs(7));
        let text = || "x".to_owned();
        for (kind, class, reason, blocked) in [
            (ErrorKind::Unreachable(text()), Class::Transient, Reason::AccountUnreachable, false),
            (ErrorKind::NoAnswer(text()), Class::Transient, Reason::AccountUnreachable, false),
            (ErrorKind::Failed(text()), Class::Transient, Reason::ProviderFailing, false),
            (ErrorKind::Throttled { after }, Class::Throttled(after), Reason::Throttled, false),
            (ErrorKind::Unavailable { after }, Class::Throttled(after), Reason::ProviderFailing, false),
            (ErrorKind::Unauthenticated, Class::Denied, Reason::CredentialsRefused, true),
            (ErrorKind::Forbidden(text()), Class::Denied, Reason::CredentialsRefused, true),
            (ErrorKind::Untrusted(text()), Class::Denied, Reason::InvalidCaBundle, true),
            (ErrorKind::NameTaken(text()), Class::Refused, Reason::NameTaken, true),
            (ErrorKind::InUse(text()), Class::Transient, Reason::InUse, false),
            (ErrorKind::QuotaExceeded(text()), Class::Refused, Reason::QuotaExceeded, true),
            (ErrorKind::NotSupported(text()), Class::Refused, Reason::NotSupportedByProvider, true),
        ] {
            let error = provider(kind);
            assert_eq!(error.class(), class, "{error:?}");
            match error.verdict() {
                Some(Verdict::Blocked(found, _)) => assert!(blocked && found == reason, "{error:?}"),
                Some(Verdict::Waiting(found, _)) => assert!(!blocked && found == reason, "{error:?}"),
                other => panic!("{error:?} gave {other:?}"),
            }
        }
    }

    #[test]
    fn details_of_a_failed_connection_go_to_the_log_and_not_into_conditions() {
        let error = provider(ErrorKind::Unreachable("connection refused (os error 111)".to_owned()));
        assert!(chain(&error).contains("os error 111"));
        assert!(!format!("{:?}", error.verdict()).contains("111"));
    }
}
