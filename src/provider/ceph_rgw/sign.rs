//! AWS Signature Version 4, for requests whose whole body is at hand. The gateway takes it for its Admin Ops API, for IAM and
//! for S3 alike, always as the service `s3`.

use crate::hex::hex;
use crate::wire::ShownSecret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A key pair to sign with. No `Debug`.
#[derive(Clone)]
pub struct Credentials {
    /// The id.
    pub access_key: String,
    /// The secret.
    pub secret_key: ShownSecret,
}

/// What is signed.
pub struct Parts<'a> {
    /// `GET`.
    pub method: &'a str,
    /// `host:port`, as the header `Host` has it.
    pub host: &'a str,
    /// Not encoded yet.
    pub path: &'a str,
    /// See [`query`].
    pub query: &'a str,
    /// Further headers, with names in lower case.
    pub headers: &'a [(&'static str, String)],
    /// The whole body.
    pub body: &'a [u8],
}

/// Names and values, encoded and in the order of the names: both as they are sent and as they are signed.
pub fn query(pairs: &[(&str, String)]) -> String {
    let mut pairs: Vec<(String, String)> =
        pairs.iter().map(|(name, value)| (encode(name), encode(value))).collect();
    // Not as texts: `=` comes after `-`.
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// A path with all but its slashes encoded.
pub fn path(path: &str) -> String {
    path.split('/').map(encode).collect::<Vec<_>>().join("/")
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, &PLAIN).to_string()
}

/// The headers that a request needs beyond its own, its signature among them.
pub fn sign(
    credentials: &Credentials,
    region: &str,
    now: Timestamp,
    parts: &Parts<'_>,
) -> Vec<(&'static str, String)> {
    let time = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
    let date = time.get(..8).unwrap_or_default();
    let digest = hex(&Sha256::digest(parts.body));
    let mut added = vec![("x-amz-content-sha256", digest.clone()), ("x-amz-date", time.clone())];
    let mut signed: Vec<(&str, &str)> = vec![("host", parts.host)];
    signed.extend(parts.headers.iter().chain(&added).map(|(name, value)| (*name, value.as_str())));
    signed.sort_unstable();
    let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = signed.iter().flat_map(|(name, value)| [*name, ":", value.trim(), "\n"]).collect();
    let request = [parts.method, &path(parts.path), parts.query, &lines, &names, &digest].join("\n");
    let scope = format!("{date}/{region}/s3/aws4_request");
    let text = [ALGORITHM, &time, &scope, &hex(&Sha256::digest(request.as_bytes()))].join("\n");
    let signature = hex(&mac(&key(&credentials.secret_key, date, region), &text));
    let id = &credentials.access_key;
    let header = format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
    added.push(("authorization", header));
    added
}

fn key(secret: &ShownSecret, date: &str, region: &str) -> Zeroizing<Vec<u8>> {
    let secret = Zeroizing::new(format!("AWS4{}", secret.reveal()));
    [date, region, "s3", "aws4_request"]
        .into_iter()
        .fold(Zeroizing::new(secret.as_bytes().to_vec()), |key, text| mac(&key, text))
}

fn mac(key: &[u8], text: &str) -> Zeroizing<Vec<u8>> {
    // A key of any length is taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Zeroizing::default() };
    mac.update(text.as_bytes());
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::{Credentials, Parts, query, sign};
    use crate::wire::ShownSecret;

    /// The example of Amazon's documentation, "GET Bucket (List Objects)".
    #[test]
    fn signatures_are_those_of_the_documented_example() {
        let credentials = Credentials {
            access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_key: ShownSecret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        };
        let parts = Parts {
            method: "GET",
            host: "examplebucket.s3.amazonaws.com",
            path: "/",
            query: &query(&[("prefix", "J".to_owned()), ("max-keys", "2".to_owned())]),
            headers: &[],
            body: b"",
        };
        let now = "2013-05-24T00:00:00Z".parse().unwrap();
        let headers = sign(&credentials, "us-east-1", now, &parts);
        let authorization = headers.iter().find(|(name, _)| *name == "authorization").unwrap();
        assert_eq!(
            authorization.1,
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }

    #[test]
    fn queries_are_encoded_and_in_order() {
        let pairs = [("uid", "sk_a$user".to_owned()), ("key", String::new()), ("name", "a b+c/ü".to_owned())];
        assert_eq!(query(&pairs), "key=&name=a%20b%2Bc%2F%C3%BC&uid=sk_a%24user");
        let pairs = [("bucket-id", "1".to_owned()), ("bucket", "b".to_owned())];
        assert_eq!(query(&pairs), "bucket=b&bucket-id=1");
    }
}
