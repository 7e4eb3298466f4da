//! API tokens: names, scopes, expiry.

use super::access::{Credential, verified_recently};
use super::{Refusal, fields};
use crate::wire::{Scope, TokenCreate, TokenItem};
use jiff::Timestamp;

/// A scope as requests spell it.
pub fn scope_word(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read",
        Scope::Write => "write",
        Scope::KeysWrite => "keys:write",
    }
}

/// A new token. Rule 5: one with `keys:write` is made by a session that verified its password within 15 minutes; a
/// token makes tokens with no more scopes than its own, and never with `keys:write`.
pub fn create(
    id: String,
    user_id: String,
    credential: &Credential,
    wish: TokenCreate,
    now: Timestamp,
) -> Result<TokenItem, Refusal> {
    let TokenCreate { name, mut scopes, expires_at } = wish;
    fields::name("name", &name)?;
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(Refusal::field("scopes", "must have at least one of 'read', 'write' and 'keys:write'"));
    }
    if expires_at.is_some_and(|time| time <= now) {
        return Err(Refusal::field("expiresAt", "must be in the future"));
    }
    match credential {
        Credential::Session { verified } if scopes.contains(&Scope::KeysWrite) => {
            verified_recently(*verified, now)?;
        }
        Credential::Session { .. } => {}
        Credential::Token { .. } if scopes.contains(&Scope::KeysWrite) => verified_recently(None, now)?,
        Credential::Token { scopes: own } => {
            if let Some(more) = scopes.iter().find(|scope| !own.contains(scope)) {
                let detail = format!("must not have '{}', which this token does not have", scope_word(*more));
                return Err(Refusal::field("scopes", detail));
            }
        }
    }
    Ok(TokenItem { id, user_id, name, scopes, expires_at, created_at: now })
}

#[cfg(test)]
mod tests {
    use super::create;
    use crate::server::domain::access::Credential;
    use crate::wire::{ProblemType, Scope, TokenCreate};
    use jiff::{SignedDuration, Timestamp};

    fn outcome(
        credential: &Credential,
        scopes: &[Scope],
        expires_at: Option<Timestamp>,
    ) -> Result<(), ProblemType> {
        let now = Timestamp::from_second(100_000).unwrap();
        let wish = TokenCreate { name: "t".to_owned(), scopes: scopes.to_vec(), expires_at };
        create("tk_1".to_owned(), "us_1".to_owned(), credential, wish, now)
            .map(|_| ())
            .map_err(|refusal| refusal.kind)
    }

    #[test]
    fn rule_5_a_token_that_makes_keys_is_made_by_a_session_that_verified_within_15_minutes() {
        let now = Timestamp::from_second(100_000).unwrap();
        let keys = [Scope::Read, Scope::KeysWrite];
        let needed = Err(ProblemType::PasswordVerificationRequired);
        let ago = |seconds| Credential::Session { verified: Some(now - SignedDuration::from_secs(seconds)) };
        let token = Credential::Token { scopes: vec![Scope::Read, Scope::Write, Scope::KeysWrite] };
        assert_eq!(outcome(&ago(0), &keys, None), Ok(()));
        assert_eq!(outcome(&ago(899), &keys, None), Ok(()));
        assert_eq!(outcome(&ago(900), &keys, None), needed);
        assert_eq!(outcome(&Credential::Session { verified: None }, &keys, None), needed);
        assert_eq!(outcome(&Credential::Session { verified: None }, &[Scope::Write], None), Ok(()));
        assert_eq!(outcome(&token, &keys, None), needed);
        assert_eq!(outcome(&token, &[Scope::Read], None), Ok(()));
    }

    #[test]
    fn a_token_gives_no_more_than_it_has_and_does_not_begin_expired() {
        let reader = Credential::Token { scopes: vec![Scope::Read] };
        assert_eq!(outcome(&reader, &[Scope::Write], None), Err(ProblemType::RuleViolated));
        assert_eq!(outcome(&reader, &[], None), Err(ProblemType::RuleViolated));
        let past = Timestamp::from_second(100_000).unwrap();
        assert_eq!(outcome(&reader, &[Scope::Read], Some(past)), Err(ProblemType::RuleViolated));
    }
}
