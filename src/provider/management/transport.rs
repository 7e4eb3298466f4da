//! Sending requests and reading answers. One call is one transmission, but for requests that never left a broken idle
//! connection; a call that makes a key has a connection of its own, so that not even that can happen.

use super::failure::refusal;
use crate::provider::http::failure::{no_answer, retry_after};
use crate::provider::http::{BuildError, Call, Connections, bearer, read};
use crate::provider::{Error, ErrorKind};
use crate::wire::{Page, Problem, ShownSecret};
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, StatusCode};
use reqwest::{RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::time::Duration;
use zeroize::Zeroizing;

/// Items asked for at a time; the most that the API gives.
const PAGE_SIZE: &str = "1000";
/// Pages of one list: a million items.
const MOST_PAGES: usize = 1000;
/// Bytes of an answer. A page of 1000 items is about one megabyte.
const LONGEST_ANSWER: usize = 32 << 20;
/// Bytes of a problem document.
const LONGEST_PROBLEM: usize = 64 << 10;

/// The connection to one management server.
pub struct Transport {
    token: ShownSecret,
    authorization: HeaderValue,
    connections: Connections,
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

    /// `GET`: one item.
    pub async fn get<T: DeserializeOwned>(&self, call: Call<'_>, path: &[&str]) -> Result<T, Error> {
        self.json(call, self.request(Method::GET, path, &[])).await
    }

    /// `GET`: a whole collection, filtered. A page that fails fails the list: half a list is no list.
    pub async fn list<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        path: &[&str],
        filters: &[(&str, &str)],
    ) -> Result<Vec<T>, Error> {
        let mut items = Vec::new();
        let mut cursors = BTreeSet::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut query = filters.to_vec();
            query.push(("limit", PAGE_SIZE));
            if let Some(cursor) = &cursor {
                query.push(("after", cursor));
            }
            let page: Page<T> = self.json(call, self.request(Method::GET, path, &query)).await?;
            items.extend(page.items);
            let Some(next) = page.next else { return Ok(items) };
            if !cursors.insert(next.clone()) {
                break;
            }
            cursor = Some(next);
        }
        Err(call.error(ErrorKind::Failed("its list does not end".to_owned())))
    }

    /// `POST` to a collection.
    pub async fn post<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.json(call, self.request(Method::POST, path, &[]).json(body)).await
    }

    /// `PATCH` of one item.
    pub async fn patch<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let request = self.request(Method::PATCH, path, &[]).json(body);
        self.json(call, request.header(CONTENT_TYPE, "application/merge-patch+json")).await
    }

    /// `DELETE` of one item; what is not there counts as deleted.
    pub async fn delete(&self, call: Call<'_>, path: &[&str]) -> Result<(), Error> {
        match self.answer(self.request(Method::DELETE, path, &[])).await {
            Ok(_) | Err(ErrorKind::NotFound) => Ok(()),
            Err(kind) => Err(call.error(kind)),
        }
    }

    /// `POST`, transmitted once and on a connection of its own.
    pub async fn post_once<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        path: &[&str],
        idempotency_key: Option<&str>,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let mut request = self.builder(&self.connections.single, Method::POST, path, &[]).json(body);
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        self.json(call, request).await
    }

    fn request(&self, method: Method, path: &[&str], query: &[(&str, &str)]) -> RequestBuilder {
        self.builder(&self.connections.pooled, method, path, query)
    }

    fn builder(
        &self,
        client: &reqwest::Client,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> RequestBuilder {
        let mut url = self.connections.base.clone();
        // Only URLs without a host have no path to extend, and those are not http.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        client.request(method, url).header(AUTHORIZATION, self.authorization.clone())
    }

    async fn json<T: DeserializeOwned>(&self, call: Call<'_>, request: RequestBuilder) -> Result<T, Error> {
        let body = self.answer(request).await.map_err(|kind| call.error(kind))?;
        // serde's message may quote the body.
        serde_json::from_slice(&body)
            .map_err(|_| call.error(ErrorKind::Failed("its answer cannot be read".to_owned())))
    }

    /// The whole body of a success, or what its failure proves.
    async fn answer(&self, request: RequestBuilder) -> Result<Zeroizing<Vec<u8>>, ErrorKind> {
        let response = request.send().await.map_err(|error| no_answer(&error))?;
        let status = response.status();
        if status.is_success() {
            return read(response, LONGEST_ANSWER).await;
        }
        let header = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let after = header(RETRY_AFTER).and_then(retry_after);
        let documented =
            header(CONTENT_TYPE).is_some_and(|value| value.starts_with("application/problem+json"));
        let problem = if documented { self.problem(response, status).await? } else { None };
        Err(refusal(status, after, problem, &self.token))
    }

    async fn problem(&self, response: Response, status: StatusCode) -> Result<Option<Problem>, ErrorKind> {
        let body = read(response, LONGEST_PROBLEM).await?;
        let problem = serde_json::from_slice::<Problem>(&body).ok();
        Ok(problem.filter(|problem| problem.status == status.as_u16()))
    }
}
