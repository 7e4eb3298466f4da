//! What every client of a management API needs of HTTP: which certificates are trusted, connections with timeouts that
//! never repeat a request, bodies of a bounded length in memory that is zeroized, and what a failure proves. What is asked,
//! and what an answer means, is each client's own.

pub mod failure;
mod tls;

use crate::provider::{Error, ErrorKind};
use crate::wire::ShownSecret;
use http::HeaderValue;
use reqwest::{Response, Url, redirect};
use std::time::Duration;
use thiserror::Error as ThisError;
use zeroize::Zeroizing;

/// Connecting is given up after this time, or after half of the whole call's if that is shorter: so a call that only
/// ever connected is known to have sent nothing.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a client cannot be made of its settings.
#[derive(Debug, ThisError)]
pub enum BuildError {
    /// The endpoint is not an `http` or `https` URL of a host.
    #[error("the endpoint '{0}' must be an http or https URL")]
    Endpoint(String),
    /// The credentials have characters that no HTTP header may have, or are empty.
    #[error("the credentials must be printable text without spaces")]
    Credentials,
    /// The CA bundle has no certificate, or one that cannot be read.
    #[error("the CA bundle must be one or more PEM certificates")]
    CaBundle,
    /// The system has no certificates to trust.
    #[error("the system has no trusted certificates; name a CA bundle")]
    SystemRoots,
    /// The HTTP client cannot be made.
    #[error("failed to set up the HTTP client")]
    Http(#[source] reqwest::Error),
}

/// What is being done, and to what: for error messages.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// As a verb phrase: `create user`.
    pub op: &'static str,
    /// A name or an id, never a secret.
    pub object: &'a str,
}

impl Call<'_> {
    /// The error of this call.
    pub fn error(self, kind: ErrorKind) -> Error {
        Error { op: self.op, object: self.object.to_owned(), kind }
    }
}

/// Connections to one server. No redirects, no proxies, no retries, HTTP/1.1, `TCP_NODELAY`.
pub struct Connections {
    /// Where the server is.
    pub base: Url,
    /// For calls that may share connections. One that turns out to have been closed takes no request, and another is made.
    pub pooled: reqwest::Client,
    /// For calls that must be transmitted once: each has a connection of its own.
    pub single: reqwest::Client,
}

impl Connections {
    /// Connections that are not made yet. `ca_pem`: the only certificates to trust; `None`: the system's. `timeout`: how
    /// long one call may take in all; nothing of a request is sent after it.
    pub fn new(endpoint: &str, ca_pem: Option<&[u8]>, timeout: Duration) -> Result<Self, BuildError> {
        let base = Url::parse(endpoint).map_err(|_| BuildError::Endpoint(endpoint.to_owned()))?;
        let tls = match base.scheme() {
            "https" => tls::config(ca_pem)?,
            "http" => tls::nobody()?,
            _ => return Err(BuildError::Endpoint(endpoint.to_owned())),
        };
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("storekeeper/", env!("CARGO_PKG_VERSION")))
                .tls_backend_preconfigured(tls.clone())
                .http1_only()
                .tcp_nodelay(true)
                .no_proxy()
                .retry(reqwest::retry::never())
                .redirect(redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT.min(timeout / 2))
                .timeout(timeout)
        };
        let pooled = builder().pool_idle_timeout(Duration::from_secs(30)).build();
        // A client that keeps an idle connection sends again what that connection turned out not to take.
        let single = builder().pool_max_idle_per_host(0).build();
        Ok(Self {
            base,
            pooled: pooled.map_err(BuildError::Http)?,
            single: single.map_err(BuildError::Http)?,
        })
    }
}

/// Whether it can be part of a header: printable text without spaces.
pub fn is_graphic(credentials: &ShownSecret) -> bool {
    let text = credentials.reveal();
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The header `Authorization` with a bearer token.
pub fn bearer(token: &ShownSecret) -> Result<HeaderValue, BuildError> {
    if !is_graphic(token) {
        return Err(BuildError::Credentials);
    }
    let header = Zeroizing::new(format!("Bearer {}", token.reveal()));
    let mut header = HeaderValue::from_str(&header).map_err(|_| BuildError::Credentials)?;
    header.set_sensitive(true);
    Ok(header)
}

/// The whole body, in memory that is zeroized: it may hold a secret.
pub async fn read(mut response: Response, longest: usize) -> Result<Zeroizing<Vec<u8>>, ErrorKind> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut body = Zeroizing::new(Vec::with_capacity(announced.unwrap_or(4096).min(longest)));
    while let Some(chunk) = response.chunk().await.map_err(|error| failure::no_answer(&error))? {
        if body.len() + chunk.len() > longest {
            return Err(ErrorKind::Failed("its answer is too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
