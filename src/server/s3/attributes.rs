//! What is stored beside an object's data: headers, user metadata, checksums, tags.

use super::checksums::Sums;
use super::convert::{millis, timestamp};
use crate::server::store::StoreError;
use s3s::dto::Timestamp;
use s3s::{S3Error, S3Result, s3_error};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Most bytes of user metadata, names and values together (AWS's limit).
const METADATA_BYTES: usize = 2048;

/// Headers that come back as they were sent, user metadata and checksums.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Sums::is_empty")]
    pub sums: Sums,
}

/// Takes the [`Attributes`] that an input of s3s asks for out of it.
macro_rules! attributes_of {
    ($input:expr) => {{
        let mut attributes = crate::server::s3::attributes::Attributes {
            content_type: $input.content_type.take(),
            content_encoding: $input.content_encoding.take(),
            content_disposition: $input.content_disposition.take(),
            content_language: $input.content_language.take(),
            cache_control: $input.cache_control.take(),
            ..Default::default()
        };
        attributes.complete($input.expires.as_ref(), $input.metadata.take()).map(|()| attributes)
    }};
}
pub(super) use attributes_of;

impl Attributes {
    /// Adds what needs looking at.
    pub fn complete(
        &mut self,
        expires: Option<&Timestamp>,
        metadata: Option<HashMap<String, String>>,
    ) -> S3Result<()> {
        self.expires = expires.map(millis);
        self.metadata = metadata.unwrap_or_default().into_iter().collect();
        let bytes: usize = self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > METADATA_BYTES {
            return Err(s3_error!(MetadataTooLarge));
        }
        // How the body came over the wire is not a property of the object.
        let encodings = self.content_encoding.take().unwrap_or_default();
        let encodings: Vec<_> =
            encodings.split(',').map(str::trim).filter(|e| !e.is_empty() && *e != "aws-chunked").collect();
        self.content_encoding = (!encodings.is_empty()).then(|| encodings.join(","));
        Ok(())
    }

    /// User metadata for an answer.
    pub fn metadata(&self) -> Option<HashMap<String, String>> {
        let pairs = self.metadata.iter().map(|(name, value)| (name.clone(), value.clone()));
        (!self.metadata.is_empty()).then(|| pairs.collect())
    }

    /// `Expires` for an answer.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires.map(timestamp)
    }

    /// The media type for an answer.
    pub fn content_type(&self) -> String {
        self.content_type.clone().unwrap_or_else(|| "binary/octet-stream".to_owned())
    }
}

/// Tags of an object, in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tags(pub Vec<(String, String)>);

impl Tags {
    /// Tags by AWS's rules: at most 10, keys of 1 to 128 characters, each once, values of at most 256.
    pub fn new(pairs: Vec<(String, String)>) -> S3Result<Self> {
        if pairs.len() > 10 {
            return Err(s3_error!(InvalidTag, "an object must not have more than 10 tags"));
        }
        for (position, (key, value)) in pairs.iter().enumerate() {
            if !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 {
                return Err(s3_error!(
                    InvalidTag,
                    "a tag's key must have 1 to 128 characters, its value at most 256"
                ));
            }
            if pairs[..position].iter().any(|(other, _)| other == key) {
                return Err(s3_error!(InvalidTag, "a tag's key must not be given twice"));
            }
        }
        Ok(Self(pairs))
    }

    /// Tags of an `x-amz-tagging` header: `key=value&…`, percent-encoded.
    pub fn from_header(header: Option<&str>) -> S3Result<Self> {
        let decode = |text: &str| {
            let spaced = text.replace('+', " ");
            let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8();
            decoded.map(std::borrow::Cow::into_owned).map_err(|_| invalid_header())
        };
        let pairs = header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(key)?, decode(value)?))
        });
        Self::new(pairs.collect::<S3Result<_>>()?)
    }
}

fn invalid_header() -> S3Error {
    s3_error!(InvalidArgument, "the header x-amz-tagging must be percent-encoded UTF-8")
}

/// Reads what the database has as JSON.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("attributes: {error}")))
}

/// What the database keeps as JSON.
pub fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(format!("attributes: {error}")))
}

#[cfg(test)]
mod tests {
    use super::{Attributes, Tags, from_json, to_json};

    #[test]
    fn the_encoding_of_the_transfer_is_not_kept() {
        for (sent, kept) in
            [("aws-chunked", None), ("gzip,aws-chunked", Some("gzip")), ("aws-chunked, br", Some("br"))]
        {
            let mut attributes =
                Attributes { content_encoding: Some(sent.to_owned()), ..Attributes::default() };
            attributes.complete(None, None).unwrap();
            assert_eq!(attributes.content_encoding.as_deref(), kept, "{sent}");
        }
    }

    #[test]
    fn attributes_survive_the_database() {
        let mut attributes =
            Attributes { content_type: Some("text/plain".to_owned()), ..Attributes::default() };
        attributes.metadata.insert("a".to_owned(), "b".to_owned());
        assert_eq!(from_json::<Attributes>(&to_json(&attributes).unwrap()).unwrap(), attributes);
        assert_eq!(from_json::<Attributes>("{}").unwrap(), Attributes::default());
    }

    #[test]
    fn tags_follow_the_rules_of_s3() {
        let tags = Tags::from_header(Some("a=1&b+c=%C3%A9&d")).unwrap();
        let expected = [("a", "1"), ("b c", "é"), ("d", "")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(tags.0, expected);
        let many = "abcdefghijk".chars().map(|c| format!("{c}=1")).collect::<Vec<_>>().join("&");
        for bad in ["a=1&a=2", "=1", "a=%FF", many.as_str()] {
            assert!(Tags::from_header(Some(bad)).is_err(), "{bad}");
        }
    }
}
