//! What the entries of a published Secret are called and what they say, for each format: one pure function of the pair,
//! the account's S3 endpoint and the bucket.
//!
//! Names and values follow what the consumer's own documentation asks for. Values are text; none ends in a line break
//! but those of whole files.

mod formats;
mod read_back;

#[cfg(test)]
mod tests;

use crate::api::Reason;
use crate::api::account::S3Spec;
use crate::api::key::SecretFormat;
use crate::operator::runtime::Blocked;
use crate::provider::KeyPair;
use crate::wire::ShownSecret;
use std::collections::BTreeMap;
use thiserror::Error;
use zeroize::Zeroizing;

pub use read_back::pair_in;

/// What a Secret is made of. No `Debug`; zeroized when dropped.
#[derive(Clone)]
pub struct Rendered {
    /// The type of the Secret, where its AccessKey names none.
    pub type_: &'static str,
    /// The entries, by name.
    pub entries: BTreeMap<&'static str, Zeroizing<Vec<u8>>>,
    /// What no message may repeat.
    pub secret: ShownSecret,
}

/// Why a Secret cannot be made.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RenderError {
    /// The format names a bucket, and there is none, or more than one to choose from.
    #[error(
        "Format '{0}' names one bucket. Name exactly one in `spec.bucketRefs`, or give the StorageUser exactly one Bucket."
    )]
    BucketRequired(&'static str),
    /// The endpoint is not a URL of a host.
    #[error(
        "`spec.s3.endpoint` of the StorageAccount must be a URL of a host, such as 'https://s3.example.com'."
    )]
    Endpoint,
}

impl From<RenderError> for Blocked {
    fn from(error: RenderError) -> Self {
        let reason = match error {
            RenderError::BucketRequired(_) => Reason::BucketRequired,
            RenderError::Endpoint => Reason::InvalidSpec,
        };
        Self::new(reason, error.to_string())
    }
}

/// The entries of the Secret with this pair in it.
pub fn render(
    format: SecretFormat,
    pair: &KeyPair,
    s3: &S3Spec,
    bucket: Option<&str>,
) -> Result<Rendered, RenderError> {
    let endpoint = Endpoint::parse(&s3.endpoint).ok_or(RenderError::Endpoint)?;
    let subject = formats::Subject {
        id: &pair.access_key_id,
        secret: pair.secret_access_key.reveal(),
        endpoint: &endpoint,
        region: &s3.region,
        style: s3.addressing_style,
        bucket,
    };
    formats::entries(format, &subject)
}

/// The same with bytes of the same length that open nothing: for asking the API server whether it would take the Secret.
pub fn render_dummy(
    format: SecretFormat,
    s3: &S3Spec,
    bucket: Option<&str>,
) -> Result<Rendered, RenderError> {
    let pair = KeyPair { access_key_id: "X".repeat(20), secret_access_key: ShownSecret::new("x".repeat(40)) };
    render(format, &pair, s3, bucket)
}

/// An S3 endpoint, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Endpoint {
    /// Whether it speaks TLS.
    secure: bool,
    /// A name or an address; IPv6 in brackets, as in a URL.
    host: String,
    /// The port, the scheme's own where none is named.
    port: u16,
    /// Host, and port where it is named.
    authority: String,
}

impl Endpoint {
    fn parse(url: &str) -> Option<Self> {
        let (secure, rest) = match url.split_once("://")? {
            ("https", rest) => (true, rest),
            ("http", rest) => (false, rest),
            _ => return None,
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        // In brackets a colon is part of the address.
        let after_address = authority.rfind(']').map_or(0, |end| end + 1);
        let (host, port) = match authority[after_address..].rfind(':') {
            Some(colon) => {
                let (host, port) = authority.split_at(after_address + colon);
                (host, port[1..].parse().ok()?)
            }
            None => (authority, if secure { 443 } else { 80 }),
        };
        let plain = !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']);
        plain.then(|| Self { secure, host: host.to_owned(), port, authority: authority.to_owned() })
    }

    /// As a URL, without a slash at the end.
    fn url(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority)
    }

    fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }
}
