//! A secret on its way to the one who may see it: no `Debug`, no `Display`, zeroized when dropped.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use zeroize::Zeroizing;

/// So many characters of a secret in a row are no chance.
const PIECE: usize = 10;

/// A secret that is shown once, in the answer that it was made by. Serializing it is showing it.
#[derive(Clone, PartialEq, Eq)]
pub struct ShownSecret(Zeroizing<String>);

impl ShownSecret {
    /// Takes over the text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Shows the text. Whoever calls this answers for where it goes.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a text repeats a piece of it: as it is, or in base64 of something that it is part of.
    pub fn is_in(&self, text: &str) -> bool {
        let secret = self.0.as_bytes();
        // Of something shorter than a piece, the whole.
        let plain = secret.windows(secret.len().clamp(1, PIECE)).any(|piece| contains(text, piece));
        // In base64 three bytes become four characters, so that the beginning falls in one of three places.
        plain
            || (0..3).any(|skipped| {
                let rest = secret.get(skipped..).unwrap_or_default();
                let whole = &rest[..rest.len() - rest.len() % 3];
                [STANDARD_NO_PAD, URL_SAFE_NO_PAD].iter().any(|alphabet| {
                    let encoded = Zeroizing::new(alphabet.encode(whole));
                    encoded.as_bytes().windows(PIECE + 2).any(|piece| contains(text, piece))
                })
            })
    }
}

fn contains(text: &str, piece: &[u8]) -> bool {
    text.as_bytes().windows(piece.len()).any(|part| part == piece)
}

impl Serialize for ShownSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ShownSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl ToSchema for ShownSecret {
    fn name() -> Cow<'static, str> {
        "Secret".into()
    }
}

impl PartialSchema for ShownSecret {
    fn schema() -> RefOr<Schema> {
        let secret = ObjectBuilder::new().schema_type(Type::String);
        secret
            .description(Some("A secret: in the one request or answer that it is for, and nowhere else"))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::ShownSecret;
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    #[test]
    fn a_secret_is_found_in_a_text_whole_in_part_and_in_base64() {
        let secret = ShownSecret::new(SECRET.to_owned());
        for before in ["", "a", "ab", "abc"] {
            for text in [
                format!("{before}{SECRET}."),
                format!("{before}{}…", &SECRET[..12]),
                format!("{before}…{}", &SECRET[28..]),
                STANDARD.encode(format!("{before}{SECRET}")),
                URL_SAFE.encode(format!("{before}{SECRET} and more")),
            ] {
                assert!(secret.is_in(&text), "{text}");
            }
        }
        assert!(ShownSecret::new("short".to_owned()).is_in("a short one"));
    }

    #[test]
    fn chance_is_not_taken_for_a_secret() {
        let secret = ShownSecret::new(SECRET.to_owned());
        for text in
            ["", "wJalrXUtn", "the endpoint https://s3.example.com is not allowed", &SECRET.to_lowercase()]
        {
            assert!(!secret.is_in(text), "{text}");
        }
        assert!(!ShownSecret::new(String::new()).is_in("anything"));
    }
}
