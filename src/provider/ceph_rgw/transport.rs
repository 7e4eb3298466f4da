//! Sending signed requests and reading answers. A request that the gateway refuses because changes raced is sent again:
//! all requests here may be repeated.

use super::failure::{Failure, Refusal};
use super::sign::{self, Credentials, Parts};
use crate::clock;
use crate::provider::ErrorKind;
use crate::provider::http::{BuildError, Connections, failure, read};
use http::Method;
use serde::de::DeserializeOwned;
use std::time::Duration;
use zeroize::Zeroizing;

/// The pauses before a request is sent again, each twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// Times that a request is sent again; the last pause is over a second.
const REPETITIONS: u32 = 7;
/// Bytes of an answer. A page of uids is a tenth of a megabyte.
const LONGEST_ANSWER: usize = 32 << 20;

/// The body of a success. It may hold secrets.
pub type Body = Zeroizing<Vec<u8>>;

/// A request.
pub struct Ask<'a> {
    /// What to do.
    pub method: Method,
    /// From the root, not encoded.
    pub path: &'a str,
    /// Names and values, not encoded.
    pub query: &'a [(&'a str, String)],
    /// Further headers, with names in lower case.
    pub headers: &'a [(&'static str, String)],
    /// The body. It may hold a secret.
    pub body: &'a [u8],
}

impl<'a> Ask<'a> {
    /// One without headers and body.
    pub fn new(method: Method, path: &'a str, query: &'a [(&'a str, String)]) -> Self {
        Self { method, path, query, headers: &[], body: &[] }
    }
}

/// The connection to one gateway.
pub struct Transport {
    connections: Connections,
    host: String,
    region: String,
}

impl Transport {
    /// See [`super::Settings`].
    pub fn new(
        endpoint: &str,
        region: String,
        ca_pem: Option<&[u8]>,
        timeout: Duration,
    ) -> Result<Self, BuildError> {
        let connections = Connections::new(endpoint, ca_pem, timeout)?;
        let name = connections.base.host_str().ok_or_else(|| BuildError::Endpoint(endpoint.to_owned()))?;
        let host = connections.base.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        Ok(Self { connections, host, region })
    }

    /// Sends a request, again if changes raced, and takes the whole answer.
    pub async fn send(&self, who: &Credentials, ask: &Ask<'_>) -> Result<Body, Failure> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..REPETITIONS {
            match self.send_once(who, ask).await {
                Err(Failure::Refused(refusal)) if refusal.passes() => {}
                result => return result,
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.send_once(who, ask).await
    }

    async fn send_once(&self, who: &Credentials, ask: &Ask<'_>) -> Result<Body, Failure> {
        let Ask { method, path, query, headers, body } = ask;
        let query = sign::query(query);
        let parts = Parts { method: method.as_str(), host: &self.host, path, query: &query, headers, body };
        let signature = sign::sign(who, &self.region, clock::now(), &parts);
        let mut url = self.connections.base.clone();
        url.set_path(&sign::path(path));
        url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
        let mut request = self.connections.pooled.request(method.clone(), url);
        for (name, value) in headers.iter().chain(&signature) {
            request = request.header(*name, value);
        }
        let response =
            request.body(body.to_vec()).send().await.map_err(|error| failure::no_answer(&error))?;
        let status = response.status();
        let body = read(response, LONGEST_ANSWER).await?;
        if status.is_success() { Ok(body) } else { Err(Failure::Refused(Refusal::new(status, &body))) }
    }
}

/// Reads an answer.
pub fn parse<T: DeserializeOwned>(body: &Body) -> Result<T, Failure> {
    // serde's message may quote the body.
    let unreadable = |_| Failure::Other(ErrorKind::Failed("its answer cannot be read".to_owned()));
    serde_json::from_slice(body).map_err(unreadable)
}
