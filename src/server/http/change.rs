//! One change: one transaction that reads the caller's rights again, asks the rules, writes the rows, the audit event
//! and the idempotency record. What a rule refuses is rolled back; its audit event stays.

use super::App;
use super::answer;
use super::call::{Call, Caller, authenticate};
use super::tag::{self, Tagged};
use crate::server::domain::Refusal;
use crate::server::store::columns::{to_millis, word};
use crate::server::store::{Sealed, Store, StoreError, audit, idempotency, in_savepoint};
use crate::wire::{ProblemType, ShownSecret};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Inside the transaction of a change.
pub struct Tx<'a> {
    /// The writer's connection.
    pub connection: &'a Connection,
    /// The caller with its rights as of now.
    pub caller: &'a Caller,
    /// The request.
    pub call: &'a Call,
    /// The time of the change, to the millisecond.
    pub now: Timestamp,
    /// For sealing.
    pub store: &'a Store,
}

/// What a change answers.
pub struct Done {
    target: String,
    answer: Answer,
}

/// An answer as it can be remembered. It may hold a secret that is shown once: no `Debug`.
#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    location: Option<String>,
    etag: Option<String>,
    body: Option<ShownSecret>,
}

/// What is remembered under an idempotency key, sealed.
#[derive(Serialize, Deserialize)]
struct Memory {
    request_hash: [u8; 32],
    answer: Answer,
}

impl Done {
    /// 201 with what was made and where it is.
    pub fn created<T: Serialize>(id: &str, location: String, body: &T) -> Result<Self, Refusal> {
        let body = Some(ShownSecret::new(serde_json::to_string(body)?));
        let answer = Answer { status: 201, location: Some(location), etag: None, body };
        Ok(Self { target: id.to_owned(), answer })
    }

    /// The same with a tag.
    pub fn created_item<T: Tagged>(id: &str, location: String, item: &T) -> Result<Self, Refusal> {
        let mut done = Self::created(id, location, item)?;
        done.answer.etag = Some(tag::of(item)?);
        Ok(done)
    }

    /// 200 with what it is now.
    pub fn changed<T: Tagged>(id: &str, item: &T) -> Result<Self, Refusal> {
        let body = Some(ShownSecret::new(serde_json::to_string(item)?));
        let answer = Answer { status: 200, location: None, etag: Some(tag::of(item)?), body };
        Ok(Self { target: id.to_owned(), answer })
    }

    /// 204.
    pub fn removed(id: &str) -> Self {
        let answer = Answer { status: 204, location: None, etag: None, body: None };
        Self { target: id.to_owned(), answer }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = match self.body {
            Some(body) => answer::json(status, body.reveal().as_bytes().to_vec()),
            None => status.into_response(),
        };
        for (name, value) in [(header::LOCATION, self.location), (header::ETAG, self.etag)] {
            if let Some(value) = value.and_then(|text| HeaderValue::from_str(&text).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// Requests with an idempotency key that are under way, by principal and key.
#[derive(Default)]
pub struct InProgress {
    keys: Mutex<HashSet<(String, String)>>,
}

/// Takes its key out again when dropped.
pub(super) struct UnderWay<'a> {
    all: &'a InProgress,
    key: (String, String),
}

impl InProgress {
    /// Takes the key for as long as the guard lives; `None` where someone else has it.
    pub(super) fn enter(&self, principal: &str, key: &str) -> Option<UnderWay<'_>> {
        let key = (principal.to_owned(), key.to_owned());
        let fresh = self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        fresh.then_some(UnderWay { all: self, key })
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.all.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// How a transaction ended, refusals included: they are committed with their audit event.
enum Outcome {
    Done(Answer),
    Replayed(Answer),
    Refused(Refusal),
}

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What is being done, for the audit log.
pub struct Deed {
    /// `accessKey.create`, …
    pub action: &'static str,
    /// On what, as far as the request says; an answer that made something says better.
    pub target: String,
    /// The hash of the request's body; of none where there is none.
    pub body_hash: [u8; 32],
}

impl Deed {
    /// A change with a body.
    pub fn new(action: &'static str, target: &str, body_hash: [u8; 32]) -> Self {
        Self { action, target: plain_id(target), body_hash }
    }

    /// A change without a body.
    pub fn bare(action: &'static str, target: &str) -> Self {
        Self::new(action, target, [0; 32])
    }
}

/// Only what looks like an id goes to the audit log: a caller may have put anything there.
fn plain_id(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/');
    if text.len() <= 128 && text.bytes().all(plain) { text.to_owned() } else { String::new() }
}

impl App {
    /// Runs a change and answers after its commit.
    pub async fn change<F>(&self, call: Call, deed: Deed, apply: F) -> Result<Response, Refusal>
    where
        F: FnOnce(&Tx<'_>) -> Result<Done, Refusal> + Send + 'static,
    {
        let key = if self.settings.idempotency_keys && call.line.starts_with(Method::POST.as_str()) {
            call.idempotency_key()?
        } else {
            None
        };
        let removes = call.line.starts_with(Method::DELETE.as_str());
        let principal = &call.caller.principal.user_id;
        let under_way = match &key {
            None => None,
            Some(key) => Some(self.in_progress.enter(principal, key).ok_or_else(|| {
                let detail = "a request with this `Idempotency-Key` is under way; repeat it later";
                Refusal::new(ProblemType::IdempotencyInProgress, detail)
            })?),
        };
        let now = to_millis(crate::clock::now());
        let store = self.store.clone();
        let outcome = self
            .store
            .write(move |connection| {
                let caller = authenticate(connection, &call.caller.hash, now)?;
                let tx = Tx { connection, caller: &caller, call: &call, now, store: &store };
                run(&tx, &deed, key.as_deref(), apply)
            })
            .await;
        drop(under_way);
        match outcome {
            Err(refusal) if removes && refusal.kind == ProblemType::InsufficientStorage => {
                Err(self.store.with_reserve(StoreError::Full).await.into())
            }
            Err(refusal) => Err(refusal),
            Ok(outcome) => outcome.answer(),
        }
    }
}

impl Outcome {
    fn answer(self) -> Result<Response, Refusal> {
        match self {
            Self::Done(answer) => Ok(answer.into_response()),
            Self::Refused(refusal) => Err(refusal),
            Self::Replayed(answer) => {
                let mut response = answer.into_response();
                response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
                Ok(response)
            }
        }
    }
}

fn run(
    tx: &Tx<'_>,
    deed: &Deed,
    key: Option<&str>,
    apply: impl FnOnce(&Tx<'_>) -> Result<Done, Refusal>,
) -> Result<Outcome, Refusal> {
    let principal = &tx.caller.principal;
    let request_hash = request_hash(&tx.call.line, &deed.body_hash);
    if let Some(key) = key
        && let Some(sealed) = idempotency::find(tx.connection, &principal.user_id, key, tx.now)?
    {
        return replay(tx, &sealed, &request_hash);
    }
    let result = in_savepoint(tx.connection, |_| apply(tx));
    let (outcome, target, word) = match result {
        Ok(Done { target, answer }) => {
            if let Some(key) = key {
                return remember(tx, deed, key, request_hash, &target, answer);
            }
            (Outcome::Done(answer), target, "ok".to_owned())
        }
        Err(refusal) if refusal.kind.status() >= 500 => return Err(refusal),
        Err(refusal) => {
            let word = word(&refusal.kind);
            (Outcome::Refused(refusal), deed.target.clone(), word)
        }
    };
    write_down(tx, deed.action, &target, &word)?;
    Ok(outcome)
}

fn remember(
    tx: &Tx<'_>,
    deed: &Deed,
    key: &str,
    request_hash: [u8; 32],
    target: &str,
    answer: Answer,
) -> Result<Outcome, Refusal> {
    let memory = Memory { request_hash, answer };
    let text = ShownSecret::new(serde_json::to_string(&memory)?);
    let sealed = tx.store.cipher().seal(text.reveal())?;
    idempotency::remember(tx.connection, &tx.caller.principal.user_id, key, &sealed, tx.now)?;
    write_down(tx, deed.action, target, "ok")?;
    Ok(Outcome::Done(memory.answer))
}

fn replay(tx: &Tx<'_>, sealed: &Sealed, request_hash: &[u8; 32]) -> Result<Outcome, Refusal> {
    let text = tx.store.cipher().open_sealed(sealed)?;
    let memory: Memory = serde_json::from_str(text.reveal())?;
    if memory.request_hash == *request_hash {
        return Ok(Outcome::Replayed(memory.answer));
    }
    let detail = "this `Idempotency-Key` was used with another request in the last 24 hours";
    Ok(Outcome::Refused(Refusal::new(ProblemType::IdempotencyMismatch, detail)))
}

fn request_hash(line: &str, body_hash: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update(line.as_bytes()).chain_update([0]).chain_update(body_hash).finalize().into()
}

fn write_down(tx: &Tx<'_>, action: &str, target: &str, outcome: &str) -> Result<(), Refusal> {
    let entry = audit::Entry {
        time: tx.now,
        principal: &tx.caller.principal.user_id,
        tenant: &tx.caller.principal.tenant_id,
        action,
        target,
        outcome,
        request_id: &tx.call.request_id,
    };
    audit::append(tx.connection, &entry)?;
    Ok(())
}
