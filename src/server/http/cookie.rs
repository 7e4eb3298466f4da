//! Sessions of browsers: a cookie that no script can read and that no other site can send, and a CSRF token that every
//! change must carry besides.
//!
//! The CSRF token is made from the session's token, which is in the cookie only: who can read it has signed in, and
//! knowing it does not help to find the session's token. Nothing of it is stored.

use crate::hex::hex;
use crate::server::domain::Refusal;
use crate::wire::{ProblemType, ShownSecret};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// `X-CSRF-Token`
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");

/// Over TLS the prefix makes browsers insist on what we say: TLS only, this host only, the whole of it.
fn name(tls: bool) -> &'static str {
    if tls { "__Host-storekeeper" } else { "storekeeper" }
}

/// The token of the session in a request's cookies.
pub fn session(headers: &HeaderMap, tls: bool) -> Option<&str> {
    let values = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name(tls)).map(|(_, value)| value)
}

fn attributes(tls: bool) -> &'static str {
    if tls { "; Path=/; HttpOnly; SameSite=Strict; Secure" } else { "; Path=/; HttpOnly; SameSite=Strict" }
}

/// `Set-Cookie` of a new session.
pub fn set(token: &ShownSecret, lasts: SignedDuration, tls: bool) -> Result<HeaderValue, Refusal> {
    let text = format!("{}={}; Max-Age={}{}", name(tls), token.reveal(), lasts.as_secs(), attributes(tls));
    let mut value = HeaderValue::from_str(&text).map_err(|_| super::failure::internal())?;
    value.set_sensitive(true);
    Ok(value)
}

/// `Set-Cookie` that makes a browser forget it.
pub fn clear(tls: bool) -> HeaderValue {
    HeaderValue::from_static(if tls {
        "__Host-storekeeper=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict; Secure"
    } else {
        "storekeeper=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict"
    })
}

/// The CSRF token of a session: 64 hexadecimal digits.
pub fn csrf(token: &str) -> ShownSecret {
    let digest = Sha256::new().chain_update(b"storekeeper CSRF token\0").chain_update(token).finalize();
    ShownSecret::new(hex(&digest))
}

/// Refuses a change that does not carry the session's CSRF token.
pub fn check_csrf(headers: &HeaderMap, token: &str) -> Result<(), Refusal> {
    let given = headers.get(CSRF).map(HeaderValue::as_bytes).unwrap_or_default();
    let expected = csrf(token);
    if expected.reveal().as_bytes().ct_eq(given).into() {
        return Ok(());
    }
    let detail =
        "changes by a cookie session need `X-CSRF-Token`, which the sign-in and `GET /v1/sessions` answer";
    Err(Refusal::new(ProblemType::CsrfTokenRequired, detail))
}

#[cfg(test)]
mod tests {
    use super::{check_csrf, csrf, session};
    use axum::http::{HeaderMap, HeaderValue};
    use proptest::prelude::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_session_is_found_among_other_cookies_and_only_under_its_own_name() {
        let cookies = headers(&[("cookie", "a=b; storekeeper=sks_1;c=d")]);
        assert_eq!(session(&cookies, false), Some("sks_1"));
        assert_eq!(session(&cookies, true), None, "over TLS only the cookie that TLS protects counts");
        assert_eq!(session(&headers(&[("cookie", "__Host-storekeeper=x")]), true), Some("x"));
        assert_eq!(session(&headers(&[("cookie", "storekeeperx=1")]), false), None);
        assert_eq!(session(&headers(&[]), false), None);
    }

    #[test]
    fn only_the_csrf_token_of_the_same_session_is_taken() {
        let token = csrf("sks_1");
        assert!(check_csrf(&headers(&[("x-csrf-token", token.reveal())]), "sks_1").is_ok());
        assert!(check_csrf(&headers(&[("x-csrf-token", token.reveal())]), "sks_2").is_err());
        assert!(check_csrf(&headers(&[("x-csrf-token", "")]), "sks_1").is_err());
        assert!(check_csrf(&headers(&[]), "sks_1").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_of_a_cookie_are_read_or_passed_over(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let value = HeaderValue::from_bytes(&bytes);
            let headers: HeaderMap = value.into_iter().map(|value| ("cookie".parse().unwrap(), value)).collect();
            if let Some(found) = session(&headers, false) {
                let of_ours = format!("storekeeper={found}");
                prop_assert!(bytes.windows(of_ours.len()).any(|window| window == of_ours.as_bytes()));
            }
        }

        #[test]
        fn the_session_is_found_wherever_it_stands(
            before in proptest::collection::vec("[a-z]{1,10}=[!-:<-~]{0,10}", 0..5),
            token in "[A-Za-z0-9_=-]{1,40}",
            after in proptest::collection::vec("[ -:<-~]{0,20}", 0..5),
            blank in "[ ]{0,2}",
        ) {
            let ours = [format!("storekeeper={token}")];
            let others = before.iter().filter(|pair| !pair.starts_with("storekeeper="));
            let all: Vec<_> = others.chain(&ours).chain(&after).cloned().collect();
            let text = all.join(&format!(";{blank}"));
            let cookies = headers(&[("cookie", text.as_str())]);
            prop_assert_eq!(session(&cookies, false), Some(token.as_str()));
        }
    }
}
