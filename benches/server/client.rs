//! The client: as little as can be, so that it is the server that is measured. Signs with AWS4-HMAC-SHA256 and leaves
//! the payload unsigned, as clients do over TLS.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use storekeeper::hex::hex;

/// A bucket at a store, and a key that may do everything with it. No `Debug`: it holds a secret.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The store's name, for people.
    pub name: String,
    /// URL of its S3 endpoint.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    pub bucket: String,
    pub access_key: String,
    pub secret_key: String,
}

/// A client of one bucket.
pub struct Client {
    http: reqwest::Client,
    place: Place,
}

/// Connections that are kept open, for as many clients as there ever are.
pub fn connections() -> reqwest::Client {
    reqwest::Client::builder().pool_max_idle_per_host(64).build().unwrap()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

impl Client {
    pub fn new(place: Place) -> Self {
        Self { http: connections(), place }
    }

    /// The store's name.
    pub fn name(&self) -> &str {
        &self.place.name
    }

    /// Of an object in the bucket; of the bucket, if `key` is empty.
    fn signed(&self, method: reqwest::Method, key: &str, query: &str) -> reqwest::RequestBuilder {
        let Place { endpoint, region, bucket, access_key, secret_key, name: _ } = &self.place;
        let host = endpoint.trim_start_matches("http://");
        let path = if key.is_empty() { format!("/{bucket}") } else { format!("/{bucket}/{key}") };
        let time = jiff::Zoned::now().in_tz("UTC").unwrap().strftime("%Y%m%dT%H%M%SZ").to_string();
        let date = &time[..8];
        let signed = "host;x-amz-content-sha256;x-amz-date";
        let canonical = format!(
            "{method}\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:{time}\n\n{signed}\nUNSIGNED-PAYLOAD",
        );
        let scope = format!("{date}/{region}/s3/aws4_request");
        let to_sign =
            format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
        let key = [date, region, "s3", "aws4_request"]
            .iter()
            .fold(format!("AWS4{secret_key}").into_bytes(), |key, text| mac(&key, text));
        let signature = hex(&mac(&key, &to_sign));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={signed}, Signature={signature}"
        );
        let separator = if query.is_empty() { "" } else { "?" };
        self.http
            .request(method, format!("{endpoint}{path}{separator}{query}"))
            .header("x-amz-date", time)
            .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
            .header("authorization", authorization)
    }

    pub async fn put(&self, key: &str, data: Bytes) {
        let request = self.signed(reqwest::Method::PUT, key, "").body(data);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// An object of so many zeros, which are made while they are sent.
    pub async fn put_zeros(&self, key: &str, size: u64) {
        const PIECE: u64 = 1 << 20;
        static ZEROS: [u8; PIECE as usize] = [0; PIECE as usize];
        let pieces = (0..size / PIECE).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&ZEROS)));
        let body = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
        let request = self.signed(reqwest::Method::PUT, key, "");
        let answer = request.header("content-length", size).body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    pub async fn get(&self, key: &str, size: usize) {
        let request = self.signed(reqwest::Method::GET, key, "");
        read(request.send().await.unwrap(), size).await;
    }

    pub async fn list(&self) {
        let answer = self.signed(reqwest::Method::GET, "", "list-type=2").send().await.unwrap();
        assert!(answer.status().is_success());
        answer.bytes().await.unwrap();
    }
}

/// Reads an answer to its end without keeping it.
pub async fn read(mut answer: reqwest::Response, size: usize) {
    assert!(answer.status().is_success(), "{}", answer.status());
    let mut found = 0;
    while let Some(piece) = answer.chunk().await.unwrap() {
        found += piece.len();
    }
    assert_eq!(found, size);
}
