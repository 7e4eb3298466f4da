//! Sending requests and reading answers, and what a refusal proves.

use crate::provider::http::failure::{no_answer, quoted};
use crate::provider::http::{BuildError, Call, Connections, bearer, read};
use crate::provider::{Error, ErrorKind};
use crate::wire::ShownSecret;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, StatusCode};
use reqwest::RequestBuilder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Bytes of an answer. Ten thousand keys, the most that Garage lists, are a few megabytes.
const LONGEST_ANSWER: usize = 32 << 20;
/// Bytes of a refusal.
const LONGEST_REFUSAL: usize = 64 << 10;

/// The connection to one Garage cluster.
pub struct Transport {
    token: ShownSecret,
    authorization: HeaderValue,
    connections: Connections,
}

/// What Garage says when it refuses.
#[derive(Deserialize)]
struct Refusal {
    code: String,
    message: String,
}

impl Transport {
    /// See [`super::Settings`].
    pub fn new(
        endpoint: &str,
        token: &ShownSecret,
        ca_pem: Option<&[u8]>,
        timeout: Duration,
    ) -> Result<Self, BuildError> {
        let connections = Connections::new(endpoint, ca_pem, timeout)?;
        Ok(Self { token: token.clone(), authorization: bearer(token)?, connections })
    }

    /// `GET /v2/<operation>`.
    pub async fn get<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        operation: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Error> {
        self.json(call, self.request(Method::GET, operation, query)).await
    }

    /// `POST /v2/<operation>` with a body.
    pub async fn post<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        operation: &str,
        query: &[(&str, &str)],
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.json(call, self.request(Method::POST, operation, query).json(body)).await
    }

    /// `POST /v2/<operation>` of something by its id; what is answered does not matter.
    pub async fn post_id(&self, call: Call<'_>, operation: &str, id: &str) -> Result<(), Error> {
        let request = self.request(Method::POST, operation, &[("id", id)]);
        self.answer(request).await.map(|_| ()).map_err(|kind| call.error(kind))
    }

    fn request(&self, method: Method, operation: &str, query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.connections.base.clone();
        // Only URLs without a host have no path to extend, and those are not http.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["v2", operation]);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.connections.pooled.request(method, url).header(AUTHORIZATION, self.authorization.clone())
    }

    async fn json<T: DeserializeOwned>(&self, call: Call<'_>, request: RequestBuilder) -> Result<T, Error> {
        let body = self.answer(request).await.map_err(|kind| call.error(kind))?;
        // serde's message may quote the body.
        serde_json::from_slice(&body)
            .map_err(|_| call.error(ErrorKind::Failed("its answer cannot be read".to_owned())))
    }

    async fn answer(&self, request: RequestBuilder) -> Result<zeroize::Zeroizing<Vec<u8>>, ErrorKind> {
        let response = request.send().await.map_err(|error| no_answer(&error))?;
        let status = response.status();
        if status.is_success() {
            return read(response, LONGEST_ANSWER).await;
        }
        let body = read(response, LONGEST_REFUSAL).await?;
        Err(refused(status, serde_json::from_slice(&body).ok(), &self.token))
    }
}

/// What a refusal proves. Only what Garage itself says counts: its code in JSON, with the status that belongs to it. What
/// something on the way says proves nothing, nor does Garage's own failure.
fn refused(status: StatusCode, said: Option<Refusal>, token: &ShownSecret) -> ErrorKind {
    let unclear = || ErrorKind::Failed(format!("it answered {}", status.as_u16()));
    let Some(Refusal { code, message }) = said else { return unclear() };
    let text = || quoted(&message, token);
    match (status.as_u16(), code.as_str()) {
        (404, "NoSuchAccessKey" | "NoSuchBucket") => ErrorKind::NotFound,
        (409, "KeyAlreadyExists" | "BucketAlreadyExists" | "BucketAlreadyOwnedByYou") => {
            ErrorKind::NameTaken(text())
        }
        (409, "BucketNotEmpty") => ErrorKind::InUse(text()),
        (401, _) => ErrorKind::Unauthenticated,
        (403, _) => ErrorKind::Forbidden(text()),
        (400, _) => ErrorKind::Refused(text()),
        _ => unclear(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Refusal, refused};
    use crate::provider::{Error, ErrorKind};
    use crate::wire::ShownSecret;
    use http::StatusCode;

    fn kind(status: u16, code: Option<&str>) -> ErrorKind {
        let said = code.map(|code| Refusal { code: code.to_owned(), message: "no".to_owned() });
        refused(StatusCode::from_u16(status).unwrap(), said, &ShownSecret::new("the-token".to_owned()))
    }

    #[test]
    fn only_garage_itself_can_refuse() {
        assert!(matches!(kind(404, Some("NoSuchAccessKey")), ErrorKind::NotFound));
        assert!(matches!(kind(409, Some("KeyAlreadyExists")), ErrorKind::NameTaken(_)));
        assert!(matches!(kind(409, Some("BucketNotEmpty")), ErrorKind::InUse(_)));
        assert!(matches!(kind(403, Some("AccessDenied")), ErrorKind::Forbidden(_)));
        assert!(matches!(kind(400, Some("InvalidRequest")), ErrorKind::Refused(_)));
        for (status, code) in [
            (404, None),
            (404, Some("NoSuchRoute")),
            (409, Some("Odd")),
            (500, Some("InternalError")),
            (503, None),
        ] {
            let error = Error { op: "test", object: String::new(), kind: kind(status, code) };
            assert!(!error.is_definite(), "{status} {code:?}");
        }
    }
}
