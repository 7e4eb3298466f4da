//! What a refusal proves: from what the management server says to an [`ErrorKind`].

use crate::provider::ErrorKind;
use crate::provider::http::failure::quoted;
use crate::wire::{Problem, ProblemType, ShownSecret};
use http::StatusCode;
use std::time::Duration;

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

/// What the server says is wrong, in one line.
fn detail(problem: &Problem, token: &ShownSecret) -> String {
    let mut text = problem.detail.clone();
    for error in &problem.errors {
        text = format!("{text} (`{}`: {})", error.field, error.detail);
    }
    quoted(&text, token)
}

#[cfg(test)]
mod tests {
    use super::refusal;
    use crate::provider::ErrorKind;
    use crate::wire::{Problem, ProblemType, ShownSecret};
    use http::StatusCode;

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
    fn a_detail_names_the_fields_and_never_repeats_the_token() {
        let detail = |text: &str| match kind(422, Some(problem(ProblemType::RuleViolated, text))) {
            ErrorKind::Refused(detail) => detail,
            other => panic!("{other}"),
        };
        assert_eq!(detail("a\nb."), "a b");
        assert_eq!(detail("Bearer the-token is wrong"), "the reason is withheld");
    }
}
