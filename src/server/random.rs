//! Ids and secrets, drawn from the operating system's randomness.

use crate::wire::ShownSecret;
use rand::TryRng as _;
use rand::rngs::SysRng;
use thiserror::Error;
use zeroize::Zeroizing;

/// The operating system gives no randomness.
#[derive(Debug, Error)]
#[error("failed to read the operating system's randomness")]
pub struct RandomError(#[source] rand::rngs::SysError);

const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE32_LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
const DIGITS: &[u8] = b"0123456789";
const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `length` characters of the alphabet, each equally likely: bytes beyond its largest multiple are drawn again.
fn draw(prefix: &str, alphabet: &[u8], length: usize) -> Result<String, RandomError> {
    let size = alphabet.len();
    let limit = 256 - 256 % size;
    let mut text = String::with_capacity(prefix.len() + length);
    text.push_str(prefix);
    let mut bytes = Zeroizing::new([0_u8; 64]);
    while text.len() < prefix.len() + length {
        SysRng.try_fill_bytes(bytes.as_mut_slice()).map_err(RandomError)?;
        let missing = prefix.len() + length - text.len();
        let drawn = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < limit);
        text.extend(drawn.take(missing).filter_map(|byte| alphabet.get(byte % size)).map(|c| char::from(*c)));
    }
    Ok(text)
}

/// An id such as `us_…`: the prefix and 20 of `a-z2-7`.
pub fn id(prefix: &str) -> Result<String, RandomError> {
    draw(prefix, BASE32_LOWER, 20)
}

/// An Account ID: 12 decimal digits.
pub fn account_id() -> Result<String, RandomError> {
    draw("", DIGITS, 12)
}

/// An access key id: `SK` and 18 of `A-Z2-7`.
pub fn access_key_id() -> Result<String, RandomError> {
    draw("SK", BASE32, 18)
}

/// The secret of an access key: 40 letters and digits, 238 bits.
pub fn secret_access_key() -> Result<ShownSecret, RandomError> {
    draw("", ALPHANUMERIC, 40).map(ShownSecret::new)
}

/// A bearer token: its prefix and 43 letters and digits, 256 bits.
pub fn bearer_token(prefix: &str) -> Result<ShownSecret, RandomError> {
    draw(prefix, ALPHANUMERIC, 43).map(ShownSecret::new)
}

/// A password: 24 letters and digits, 142 bits.
pub fn password() -> Result<ShownSecret, RandomError> {
    draw("", ALPHANUMERIC, 24).map(ShownSecret::new)
}

#[cfg(test)]
mod tests {
    use super::{access_key_id, account_id, id, secret_access_key};
    use std::collections::HashSet;

    #[test]
    fn ids_and_secrets_have_their_documented_shape_and_do_not_repeat() {
        let keys: HashSet<String> = (0..200).map(|_| access_key_id().unwrap()).collect();
        assert_eq!(keys.len(), 200);
        for key in keys {
            let rest = key.strip_prefix("SK").unwrap();
            assert_eq!(rest.len(), 18);
            assert!(rest.chars().all(|c| c.is_ascii_uppercase() || ('2'..='7').contains(&c)), "{key}");
        }
        let secrets: HashSet<String> =
            (0..200).map(|_| secret_access_key().unwrap().reveal().to_owned()).collect();
        assert_eq!(secrets.len(), 200);
        assert!(secrets.iter().all(|s| s.len() == 40 && s.chars().all(|c| c.is_ascii_alphanumeric())));
        let account = account_id().unwrap();
        assert!(account.len() == 12 && account.chars().all(|c| c.is_ascii_digit()));
        assert_eq!(id("us_").unwrap().len(), 23);
    }
}
