//! What a failure proves: from what reqwest or the server says to an [`ErrorKind`].
//!
//! The texts end up in conditions, so they are stable (no times, ports or request ids) and never hold a body, a secret
//! or the token.

use crate::provider::ErrorKind;
use crate::wire::{Problem, ProblemType, ShownSecret};
use http::StatusCode;
use rustls::CertificateError;
use std::error::Error as StdError;
use std::io;
use std::time::Duration;

/// No wait that a server asks for is longer.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// No text of a server is taken over beyond this many characters.
const LONGEST_DETAIL: usize = 500;

/// A request that got no answer, or whose answer's body broke off.
pub fn no_answer(error: &reqwest::Error) -> ErrorKind {
    if let Some(kind) = causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        // Only a handshake proves that nothing was sent; later, TLS breaking off is a cut like any other.
        if error.is_connect() {
            return ErrorKind::Untrusted(distrust(kind).to_owned());
        }
    }
    if error.is_connect() {
        return ErrorKind::Unreachable(unreachable(error).to_owned());
    }
    if error.is_timeout() {
        return ErrorKind::NoAnswer("no answer in time".to_owned());
    }
    ErrorKind::NoAnswer("the connection was closed before the answer was complete".to_owned())
}

/// The causes of an error, itself first.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

/// The cause of an error. An `io::Error` hides what it wraps from `source`.
fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

fn unreachable(error: &reqwest::Error) -> &'static str {
    if error.is_dns() {
        return "the host name is not known";
    }
    if error.is_timeout() {
        return "no connection in time";
    }
    match causes(error).find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => "connection refused",
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe) => {
            "connection closed by the other side"
        }
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => "no route to the host",
        Some(io::ErrorKind::TimedOut) => "no connection in time",
        _ => "the connection failed",
    }
}

/// In words without times: rustls's own hold the time of the check.
fn distrust(error: &rustls::Error) -> &'static str {
    let certificate = match error {
        rustls::Error::InvalidCertificate(certificate) => certificate,
        rustls::Error::InvalidMessage(_) => return "the other side does not speak TLS",
        _ => return "the TLS handshake failed",
    };
    match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet"
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the server's certificate was not issued by a trusted authority"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another host name"
        }
        _ => "the server's certificate is not acceptable",
    }
}

/// An answer that is not a success: its status, what `Retry-After` says, and its body where that is a problem document.
///
/// Without a problem document it is not the management server that speaks but something on the way, whose statuses
/// prove nothing.
pub fn refusal(
    status: StatusCode,
    after: Option<Duration>,
    problem: Option<Problem>,
    token: &ShownSecret,
) -> ErrorKind {
    let made_no_sense = || ErrorKind::Failed(format!("it answered {}", status.as_u16()));
    let Some(problem) = problem else { return made_no_sense() };
    if problem.type_ != ProblemType::Unknown && problem.type_.status() != status.as_u16() {
        return made_no_sense();
    }
    let detail = || detail(&problem, token);
    match problem.type_ {
        ProblemType::NotFound => ErrorKind::NotFound,
        ProblemType::NameTaken => ErrorKind::NameTaken(detail()),
        ProblemType::InUse => ErrorKind::InUse(detail()),
        ProblemType::Malformed
        | ProblemType::MethodNotAllowed
        | ProblemType::BuiltIn
        | ProblemType::WrongState
        | ProblemType::PreconditionFailed
        | ProblemType::TooLarge
        | ProblemType::UnsupportedMediaType
        | ProblemType::RuleViolated
        | ProblemType::IdempotencyMismatch => ErrorKind::Refused(detail()),
        ProblemType::QuotaExceeded => ErrorKind::QuotaExceeded(detail()),
        ProblemType::Unauthenticated => ErrorKind::Unauthenticated,
        ProblemType::Forbidden
        | ProblemType::PasswordVerificationRequired
        | ProblemType::ScopeMissing
        | ProblemType::CsrfTokenRequired => ErrorKind::Forbidden(detail()),
        ProblemType::TooManyRequests => ErrorKind::Throttled { after },
        ProblemType::Unavailable | ProblemType::InsufficientStorage => ErrorKind::Unavailable { after },
        ProblemType::Unknown if status == StatusCode::TOO_MANY_REQUESTS => ErrorKind::Throttled { after },
        ProblemType::Unknown if status == StatusCode::SERVICE_UNAVAILABLE => ErrorKind::Unavailable { after },
        // With an idempotency key in use, the other request may yet be executed.
        ProblemType::IdempotencyInProgress | ProblemType::Internal | ProblemType::Unknown => made_no_sense(),
    }
}

/// `Retry-After` in seconds; the form with a date is not used by the management API.
pub fn retry_after(value: &str) -> Option<Duration> {
    let wait = Duration::from_secs(value.trim().parse().ok()?);
    Some(wait.min(LONGEST_WAIT))
}

/// What the server says is wrong, in one line of a bounded length. Withheld where it repeats the token; a word that looks
/// like the secret of a key is left out.
fn detail(problem: &Problem, token: &ShownSecret) -> String {
    let mut text = problem.detail.clone();
    for error in &problem.errors {
        text = format!("{text} (`{}`: {})", error.field, error.detail);
    }
    if token.is_in(&text) {
        return "the reason is withheld".to_owned();
    }
    let words = text.split_inclusive(|c| !may_be_of_a_secret(c)).map(|word| {
        let (run, end) = word.split_at(word.trim_end_matches(|c| !may_be_of_a_secret(c)).len());
        if looks_secret(run) { format!("…{end}") } else { word.to_owned() }
    });
    let text: String = words.collect();
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(LONGEST_DETAIL).collect::<String>().trim_end_matches('.').to_owned()
}

fn may_be_of_a_secret(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_')
}

/// Secrets of keys have 40 letters of both cases, or 64 hexadecimal digits. Names are in lower case and shorter than that,
/// and uids have dashes.
fn looks_secret(run: &str) -> bool {
    let both =
        run.contains(|c: char| c.is_ascii_lowercase()) && run.contains(|c: char| c.is_ascii_uppercase());
    (run.len() >= 40 && both) || run.len() >= 64
}

#[cfg(test)]
mod tests {
    use super::{refusal, retry_after};
    use crate::provider::ErrorKind;
    use crate::wire::{Problem, ProblemType, ShownSecret};
    use http::StatusCode;
    use std::time::Duration;

    fn problem(type_: ProblemType, detail: &str) -> Problem {
        Problem {
            type_,
            title: type_.title().to_owned(),
            status: type_.status(),
            detail: detail.to_owned(),
            instance: None,
            errors: Vec::new(),
        }
    }

    fn kind(status: u16, problem: Option<Problem>) -> ErrorKind {
        let token = ShownSecret::new("the-token".to_owned());
        refusal(StatusCode::from_u16(status).unwrap(), None, problem, &token)
    }

    fn definite(kind: ErrorKind) -> bool {
        crate::provider::Error { op: "test", object: String::new(), kind }.is_definite()
    }

    #[test]
    fn only_a_problem_document_proves_that_nothing_was_executed() {
        for type_ in [
            ProblemType::NotFound,
            ProblemType::NameTaken,
            ProblemType::RuleViolated,
            ProblemType::TooManyRequests,
            ProblemType::Unavailable,
            ProblemType::InsufficientStorage,
        ] {
            assert!(definite(kind(type_.status(), Some(problem(type_, "")))), "{type_:?}");
            assert!(!definite(kind(type_.status(), None)), "{type_:?} without a document");
        }
        for type_ in [ProblemType::Internal, ProblemType::IdempotencyInProgress] {
            assert!(!definite(kind(type_.status(), Some(problem(type_, "")))), "{type_:?}");
        }
    }

    #[test]
    fn a_status_that_contradicts_its_document_proves_nothing() {
        assert!(matches!(kind(500, Some(problem(ProblemType::NotFound, ""))), ErrorKind::Failed(_)));
    }

    #[test]
    fn a_problem_of_an_unknown_type_is_a_refusal_only_with_429_and_503() {
        let unknown = || Some(problem(ProblemType::Unknown, ""));
        assert!(matches!(kind(429, unknown()), ErrorKind::Throttled { .. }));
        assert!(matches!(kind(503, unknown()), ErrorKind::Unavailable { .. }));
        for status in [400, 404, 409, 500, 504] {
            assert!(matches!(kind(status, unknown()), ErrorKind::Failed(_)), "{status}");
        }
    }

    #[test]
    fn a_detail_is_one_bounded_line_and_never_repeats_the_token() {
        let detail = |text: &str| match kind(422, Some(problem(ProblemType::RuleViolated, text))) {
            ErrorKind::Refused(detail) => detail,
            other => panic!("{other}"),
        };
        assert_eq!(detail("a\nb."), "a b");
        assert_eq!(detail(&"x ".repeat(9_000)).len(), super::LONGEST_DETAIL);
        assert_eq!(detail("Bearer the-token is wrong"), "the reason is withheld");
    }

    #[test]
    fn a_detail_has_no_word_that_looks_like_the_secret_of_a_key() {
        let detail = |text: &str| match kind(422, Some(problem(ProblemType::RuleViolated, text))) {
            ErrorKind::Refused(detail) => detail,
            other => panic!("{other}"),
        };
        assert_eq!(detail("key='wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'."), "key='…'");
        assert_eq!(detail(&format!("{} is bad", "0a".repeat(32))), "… is bad");
        let name = format!("bucket '{}' of 1b4e28ba-2fa1-11d2-883f-0016d3cca427/x", "a".repeat(63));
        assert_eq!(detail(&name), name);
    }

    #[test]
    fn a_wait_is_read_in_seconds_and_has_an_upper_bound() {
        assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("999999999"), Some(Duration::from_hours(1)));
        assert_eq!(retry_after("Fri, 31 Dec 1999 23:59:59 GMT"), None);
    }
}
