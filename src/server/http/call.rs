//! The caller of a request, and what its headers ask for.

use super::App;
use super::cookie;
use super::frame::{Identified, RequestId};
use super::tag;
use crate::server::domain::access::{self, Credential, Principal};
use crate::server::domain::{Refusal, tenants};
use crate::server::store::credentials::{self, TokenHash};
use crate::wire::{ProblemType, Scope};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use jiff::Timestamp;
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// Who calls, and with what.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who.
    pub principal: Principal,
    /// With what.
    pub credential: Credential,
    /// The hash of the bearer token.
    pub hash: TokenHash,
}

impl Caller {
    /// Whether the credential may be used for this.
    pub fn needs(&self, scope: Scope) -> Result<(), Refusal> {
        access::scope(&self.credential, scope)
    }
}

/// An authenticated request, but for its body. No `Debug`: its headers hold the bearer token.
#[derive(Clone)]
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    /// The request's id.
    pub request_id: String,
    /// Method and path: what an idempotency key was used for.
    pub line: String,
    /// The headers.
    pub headers: HeaderMap,
}

/// `Idempotency-Key`
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request's bearer token.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

/// The hash of what a request is authenticated by: its bearer token, or its session cookie, which must come with the
/// CSRF token where something is to be changed.
fn credential(parts: &Parts, tls: bool) -> Result<TokenHash, Refusal> {
    if parts.headers.contains_key(header::AUTHORIZATION) {
        let token = bearer(&parts.headers).ok_or_else(unauthenticated)?;
        return Ok(Sha256::digest(token.as_bytes()).into());
    }
    let token = cookie::session(&parts.headers, tls).ok_or_else(unauthenticated)?;
    if !parts.method.is_safe() {
        cookie::check_csrf(&parts.headers, token)?;
    }
    Ok(Sha256::digest(token.as_bytes()).into())
}

/// Who a token hash belongs to at this time.
pub fn authenticate(connection: &Connection, hash: &TokenHash, now: Timestamp) -> Result<Caller, Refusal> {
    let found = credentials::authenticate(connection, hash, now)?;
    let (principal, credential) = found.ok_or_else(unauthenticated)?;
    Ok(Caller { principal, credential, hash: *hash })
}

/// The one answer to missing, wrong and expired credentials.
pub fn unauthenticated() -> Refusal {
    Refusal::new(
        ProblemType::Unauthenticated,
        "send a session's or an API token as `Authorization: Bearer …`",
    )
}

impl FromRequestParts<Arc<App>> for Call {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let hash = credential(parts, app.settings.tls)?;
        let now = crate::clock::now();
        let caller = app.store.read(move |connection| authenticate(connection, &hash, now)).await?;
        if let Some(identified) = parts.extensions.get::<Identified>() {
            identified.0.get_or_init(|| caller.principal.user_id.clone());
        }
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
        let line = format!("{} {}", parts.method, parts.uri.path());
        Ok(Self { caller, request_id, line, headers: parts.headers.clone() })
    }
}

impl Call {
    /// Refuses a change of something that is no longer as the caller read it.
    pub fn precondition<T: tag::Tagged>(&self, item: &T) -> Result<(), Refusal> {
        let Some(wanted) = self.headers.get(header::IF_MATCH) else { return Ok(()) };
        let tag = tag::of(item)?;
        if wanted.to_str().is_ok_and(|wanted| tag::settings_match(wanted, &tag)) {
            return Ok(());
        }
        Err(Refusal::new(ProblemType::PreconditionFailed, "it has changed since it was read: read it again"))
    }

    /// The idempotency key: 1 to 255 visible ASCII characters.
    pub fn idempotency_key(&self) -> Result<Option<String>, Refusal> {
        let Some(value) = self.headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
        match value.to_str() {
            Ok(key) if (1..=255).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(Some(key.to_owned()))
            }
            Ok(_) | Err(_) => {
                let detail = "`Idempotency-Key` must have 1 to 255 visible ASCII characters";
                Err(Refusal::new(ProblemType::Malformed, detail))
            }
        }
    }
}

impl App {
    /// Answers from one snapshot: the caller's rights and what it asks for are of the same moment.
    pub async fn look<T, F>(&self, call: &Call, read: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &Caller, Timestamp) -> Result<T, Refusal> + Send + 'static,
    {
        let hash = call.caller.hash;
        let now = crate::clock::now();
        self.store
            .read(move |connection| {
                let caller = authenticate(connection, &hash, now)?;
                caller.needs(Scope::Read)?;
                read(connection, &caller, now)
            })
            .await
    }
}

/// What the matrix needs of a tenant that a request names; one that is not there answers 404.
pub fn tenant_facts(connection: &Connection, id: &str) -> Result<access::TenantFacts, Refusal> {
    let tenant = crate::server::store::tenants::get(connection, id)?.ok_or_else(Refusal::not_found)?;
    Ok(tenants::facts(&tenant))
}
