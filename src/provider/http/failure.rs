//! What a failure of the connection proves, and what may be quoted of an answer.
//!
//! The texts end up in conditions, so they are stable (no times, ports or request ids) and never hold a body, a secret
//! or the credentials.

use crate::provider::ErrorKind;
use crate::wire::ShownSecret;
use rustls::CertificateError;
use std::error::Error as StdError;
use std::io;
use std::time::Duration;

/// No wait that a server asks for is longer.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// No text of a server is taken over beyond this many characters.
pub const LONGEST_TEXT: usize = 500;

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

/// `Retry-After` in seconds; the form with a date is not used by the servers that we ask.
pub fn retry_after(value: &str) -> Option<Duration> {
    let wait = Duration::from_secs(value.trim().parse().ok()?);
    Some(wait.min(LONGEST_WAIT))
}

/// What a server says, in one line of a bounded length. Withheld where it repeats the credentials; a word that looks like
/// the secret of a key is left out.
pub fn quoted(text: &str, credentials: &ShownSecret) -> String {
    if credentials.is_in(text) {
        return "the reason is withheld".to_owned();
    }
    let words = text.split_inclusive(|c| !may_be_of_a_secret(c)).map(|word| {
        let (run, end) = word.split_at(word.trim_end_matches(|c| !may_be_of_a_secret(c)).len());
        if looks_secret(run) { format!("…{end}") } else { word.to_owned() }
    });
    let text: String = words.collect();
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(LONGEST_TEXT).collect::<String>().trim_end_matches('.').to_owned()
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
    use super::{LONGEST_TEXT, quoted, retry_after};
    use crate::wire::ShownSecret;
    use std::time::Duration;

    fn text(text: &str) -> String {
        quoted(text, &ShownSecret::new("the-token".to_owned()))
    }

    #[test]
    fn what_is_quoted_is_one_bounded_line_and_never_repeats_the_credentials() {
        assert_eq!(text("a\nb."), "a b");
        assert_eq!(text(&"x ".repeat(9_000)).len(), LONGEST_TEXT);
        assert_eq!(text("Bearer the-token is wrong"), "the reason is withheld");
    }

    #[test]
    fn what_is_quoted_has_no_word_that_looks_like_the_secret_of_a_key() {
        assert_eq!(text("key='wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'."), "key='…'");
        assert_eq!(text(&format!("{} is bad", "0a".repeat(32))), "… is bad");
        let name = format!("bucket '{}' of 1b4e28ba-2fa1-11d2-883f-0016d3cca427/x", "a".repeat(63));
        assert_eq!(text(&name), name);
    }

    #[test]
    fn a_wait_is_read_in_seconds_and_has_an_upper_bound() {
        assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("999999999"), Some(Duration::from_hours(1)));
        assert_eq!(retry_after("Fri, 31 Dec 1999 23:59:59 GMT"), None);
    }
}
