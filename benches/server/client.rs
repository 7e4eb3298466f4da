//! The client: as little as can be, so that it is the server that is measured. Signs with AWS4-HMAC-SHA256 and leaves
//! the payload unsigned, as clients do over TLS.

use super::server::Server;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

const REGION: &str = "storekeeper";

/// A client of one bucket.
pub struct Client {
    http: reqwest::Client,
    host: String,
    s3: String,
    management: String,
    token: String,
    user: String,
    access_key: String,
    secret: String,
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

impl Client {
    pub fn new(server: &Server) -> Self {
        Self {
            http: reqwest::Client::builder().pool_max_idle_per_host(64).build().unwrap(),
            host: server.s3.trim_start_matches("http://").to_owned(),
            s3: server.s3.clone(),
            management: server.management.clone(),
            token: server.token.clone(),
            user: server.user.clone(),
            access_key: server.access_key.clone(),
            secret: server.secret.clone(),
        }
    }

    fn signed(&self, method: reqwest::Method, path: &str, query: &str) -> reqwest::RequestBuilder {
        let time = jiff::Zoned::now().in_tz("UTC").unwrap().strftime("%Y%m%dT%H%M%SZ").to_string();
        let date = &time[..8];
        let signed = "host;x-amz-content-sha256;x-amz-date";
        let canonical = format!(
            "{method}\n{path}\n{query}\nhost:{}\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:{time}\n\n{signed}\nUNSIGNED-PAYLOAD",
            self.host
        );
        let scope = format!("{date}/{REGION}/s3/aws4_request");
        let to_sign =
            format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
        let key = [date, REGION, "s3", "aws4_request"]
            .iter()
            .fold(format!("AWS4{}", self.secret).into_bytes(), |key, text| mac(&key, text));
        let signature = hex(&mac(&key, &to_sign));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
            self.access_key
        );
        let separator = if query.is_empty() { "" } else { "?" };
        self.http
            .request(method, format!("{}{path}{separator}{query}", self.s3))
            .header("x-amz-date", time)
            .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
            .header("authorization", authorization)
    }

    pub async fn put(&self, key: &str, data: Bytes) {
        let request = self.signed(reqwest::Method::PUT, &format!("/bench/{key}"), "").body(data);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// An object of so many zeros, which are made while they are sent.
    pub async fn put_zeros(&self, key: &str, size: u64) {
        const PIECE: u64 = 1 << 20;
        static ZEROS: [u8; PIECE as usize] = [0; PIECE as usize];
        let pieces = (0..size / PIECE).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&ZEROS)));
        let body = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
        let request = self.signed(reqwest::Method::PUT, &format!("/bench/{key}"), "");
        let answer = request.header("content-length", size).body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    pub async fn get(&self, key: &str, size: usize) {
        let request = self.signed(reqwest::Method::GET, &format!("/bench/{key}"), "");
        read(request.send().await.unwrap(), size).await;
    }

    pub async fn plain_get(&self, url: &str, size: usize) {
        read(self.http.get(url).send().await.unwrap(), size).await;
    }

    pub async fn list(&self) {
        let answer = self.signed(reqwest::Method::GET, "/bench", "list-type=2").send().await.unwrap();
        assert!(answer.status().is_success());
        answer.bytes().await.unwrap();
    }

    pub async fn make_key(&self) {
        let body = json!({"userId": self.user, "permission": "Read"}).to_string();
        let request = self.http.post(format!("{}/v1/accessKeys", self.management)).bearer_auth(&self.token);
        let answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.bytes().await.unwrap();
    }
}

/// Reads an answer to its end without keeping it.
async fn read(mut answer: reqwest::Response, size: usize) {
    assert!(answer.status().is_success(), "{}", answer.status());
    let mut found = 0;
    while let Some(piece) = answer.chunk().await.unwrap() {
        found += piece.len();
    }
    assert_eq!(found, size);
}
