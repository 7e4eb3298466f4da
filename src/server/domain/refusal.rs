//! How a rule says no: a problem type, and a text that says what to do.

use crate::wire::ProblemType;
use crate::wire::problem::FieldError;

/// Why something is not done. Nothing has been changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The problem type of the answer.
    pub kind: ProblemType,
    /// What is wrong and what to do. Never a secret.
    pub detail: String,
    /// What is wrong with single fields.
    pub errors: Vec<FieldError>,
}

impl Refusal {
    /// A refusal of some kind.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new() }
    }

    /// Not there, or not to be seen: the same words for both (rule 13).
    pub fn not_found() -> Self {
        Self::new(ProblemType::NotFound, "there is no such resource")
    }

    /// The principal's role does not allow it.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::Forbidden, detail)
    }

    /// A rule forbids it, whoever asks.
    pub fn rule(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::RuleViolated, detail)
    }

    /// It is built in, or the default.
    pub fn built_in(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::BuiltIn, detail)
    }

    /// A quota is used up.
    pub fn quota(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::QuotaExceeded, detail)
    }

    /// A field has a value that it must not have.
    pub fn field(field: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            kind: ProblemType::RuleViolated,
            detail: format!("`{field}` {detail}"),
            errors: vec![FieldError { field: field.to_owned(), detail }],
        }
    }

    /// Something hangs on it (rule 12): `counts` are how many of what, in words that fit any number; those of zero are
    /// not named.
    pub fn in_use(what: &str, counts: &[(u64, &str)]) -> Option<Self> {
        let named: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, things)| format!("{things}: {count}"))
            .collect();
        (!named.is_empty()).then(|| {
            Self::new(
                ProblemType::InUse,
                format!("{what} is in use; remove first what hangs on it ({})", named.join(", ")),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Refusal;

    #[test]
    fn rule_12_what_is_in_the_way_is_named_with_its_count() {
        assert_eq!(Refusal::in_use("tenant 'a'", &[(0, "users"), (0, "accounts")]), None);
        let refusal = Refusal::in_use("tenant 'a'", &[(2, "users"), (1, "accounts"), (0, "jobs")]).unwrap();
        assert_eq!(
            refusal.detail,
            "tenant 'a' is in use; remove first what hangs on it (users: 2, accounts: 1)"
        );
    }
}
