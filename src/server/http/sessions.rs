//! `/v1/sessions`: signing in, verifying the password (rule 5), signing out. A session is a bearer token, or a cookie.
//!
//! Unknown logins, users without a password and wrong passwords get the same answer after the same work.

use super::App;
use super::answer;
use super::body::Body;
use super::call::{Call, unauthenticated};
use super::change::{Deed, Done};
use super::cookie;
use super::frame::RequestId;
use crate::server::domain::Refusal;
use crate::server::domain::access::Credential;
use crate::server::random;
use crate::server::store::columns::to_millis;
use crate::server::store::credentials as rows;
use crate::server::store::{audit, users};
use crate::wire::{SessionCreate, SessionCreated, SessionItem, SessionVerify, ShownSecret};
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Instant;

/// How long a session lasts.
const LASTS: SignedDuration = SignedDuration::from_hours(12);

pub async fn create(
    State(app): State<Arc<App>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    body: Body<SessionCreate>,
) -> Result<Response, Refusal> {
    let SessionCreate { login, password, cookie } = body.value;
    let attempt = app.lockout.attempt(&login, Instant::now).await?;
    let wanted = login.clone();
    let found = app.store.read(move |connection| users::for_sign_in(connection, &wanted)).await?;
    let (user, hash, enabled) = match found {
        Some((id, hash, enabled)) => (Some(id), hash, enabled),
        None => (None, None, false),
    };
    let right = app.passwords.verify(password, hash.clone()).await;
    let now = to_millis(crate::clock::now());
    let sign_in = SignIn { user, hash, request_id, now };
    if !(right && enabled) {
        drop(attempt);
        sign_in.write_down_failure(&app).await?;
        return Err(wrong_password());
    }
    attempt.succeeded();
    let (token, user_id, expires_at) = sign_in.begin_session(&app).await?;
    if !cookie {
        let created = SessionCreated { token: Some(token), csrf_token: None, user_id, expires_at };
        return Ok((StatusCode::CREATED, axum::Json(created)).into_response());
    }
    let csrf_token = Some(cookie::csrf(token.reveal()));
    let header = cookie::set(&token, LASTS, app.settings.tls)?;
    let created = SessionCreated { token: None, csrf_token, user_id, expires_at };
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, header)], axum::Json(created)).into_response())
}

/// `GET /v1/sessions`: the caller's own, so that a page that was loaded anew has its CSRF token again.
pub async fn get(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    only_sessions(&call)?;
    let csrf_token = if call.headers.contains_key(header::AUTHORIZATION) {
        None
    } else {
        cookie::session(&call.headers, app.settings.tls).map(cookie::csrf)
    };
    let item = app
        .look(&call, move |_, caller, _| {
            let verified_at = match &caller.credential {
                Credential::Session { verified } => *verified,
                Credential::Token { .. } => None,
            };
            Ok(SessionItem { user_id: caller.principal.user_id.clone(), verified_at, csrf_token })
        })
        .await?;
    answer::page(&call.headers, &item)
}

fn wrong_password() -> Refusal {
    Refusal {
        detail: "login or password is wrong, or the user is not enabled".to_owned(),
        ..unauthenticated()
    }
}

struct SignIn {
    user: Option<String>,
    hash: Option<String>,
    request_id: String,
    now: Timestamp,
}

impl SignIn {
    /// What was typed as login is not written down: it may be a password in the wrong place.
    async fn write_down_failure(self, app: &App) -> Result<(), Refusal> {
        app.store
            .write(move |connection| {
                let user = self.user.as_deref().unwrap_or("unknown");
                append(connection, user, user, "unauthenticated", &self.request_id, self.now)
            })
            .await
    }

    async fn begin_session(self, app: &App) -> Result<(ShownSecret, String, Timestamp), Refusal> {
        let token = random::bearer_token("sks_")?;
        let hash: rows::TokenHash = Sha256::digest(token.reveal().as_bytes()).into();
        let expires_at = self.now.checked_add(LASTS).map_err(|_| super::failure::internal())?;
        let user_id = self.user.ok_or_else(wrong_password)?;
        let (id, known, now) = (user_id.clone(), self.hash, self.now);
        app.store
            .write(move |connection| {
                // The user may have been disabled, or the password changed, while this one was being verified.
                let user = users::get(connection, &id)?.filter(|user| user.enabled);
                let Some(user) = user else { return Err(wrong_password()) };
                if users::password(connection, &id)? != known {
                    return Err(wrong_password());
                }
                rows::insert_session(connection, &hash, &id, now, expires_at)?;
                append(connection, &id, &user.tenant_id, "ok", &self.request_id, now)
            })
            .await?;
        Ok((token, user_id, expires_at))
    }
}

fn append(
    connection: &rusqlite::Connection,
    user: &str,
    tenant: &str,
    outcome: &str,
    request_id: &str,
    time: Timestamp,
) -> Result<(), Refusal> {
    let entry = audit::Entry {
        time,
        principal: user,
        tenant,
        action: "session.create",
        target: user,
        outcome,
        request_id,
    };
    audit::append(connection, &entry)?;
    Ok(())
}

/// `POST /v1/sessions/verify`
pub async fn verify(
    State(app): State<Arc<App>>,
    call: Call,
    body: Body<SessionVerify>,
) -> Result<Response, Refusal> {
    only_sessions(&call)?;
    let user = call.caller.principal.user_id.clone();
    let attempt = app.lockout.attempt(&user, Instant::now).await?;
    let id = user.clone();
    let hash = app.store.read(move |connection| users::password(connection, &id)).await?;
    let right = app.passwords.verify(body.value.password, hash).await;
    if right {
        attempt.succeeded();
    } else {
        drop(attempt);
    }
    let deed = Deed::bare("session.verify", &user);
    app.change(call, deed, move |tx| {
        if !right {
            return Err(Refusal::forbidden("the password is wrong"));
        }
        rows::verify_session(tx.connection, &tx.caller.hash, tx.now)?;
        Ok(Done::removed(&user))
    })
    .await
}

/// `DELETE /v1/sessions`: this session ends.
pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    only_sessions(&call)?;
    let user = call.caller.principal.user_id.clone();
    let deed = Deed::bare("session.delete", &user);
    let mut response = app
        .change(call, deed, move |tx| {
            rows::delete_session(tx.connection, &tx.caller.hash)?;
            Ok(Done::removed(&user))
        })
        .await?;
    response.headers_mut().insert(header::SET_COOKIE, cookie::clear(app.settings.tls));
    Ok(response)
}

fn only_sessions(call: &Call) -> Result<(), Refusal> {
    match call.caller.credential {
        Credential::Session { .. } => Ok(()),
        Credential::Token { .. } => {
            Err(Refusal::forbidden("this is for sessions; an API token is removed by its id"))
        }
    }
}
