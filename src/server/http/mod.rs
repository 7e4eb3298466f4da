//! The management API over HTTP: routes, principals, problem answers. Each handler authenticates, reads what a rule
//! needs, asks the rule, and writes what it allows; no rule is decided here.
//!
//! A change is one transaction of the store's writer: the caller's rights are read again, the rule is asked, the rows,
//! the audit event and, where there is one, the idempotency record are written, and the answer goes out after the
//! commit ([`change`]). What is refused before that has not been executed.

mod access_keys;
mod accounts;
mod answer;
mod body;
mod buckets;
mod call;
mod change;
mod failure;
mod frame;
mod limits;
mod list;
mod metrics;
mod operations;
mod sessions;
mod tag;
mod tenants;
mod tokens;
mod usage;
mod users;

#[cfg(test)]
mod tests;

pub use frame::Peer;

use super::passwords::{HashError, Passwords};
use super::random;
use super::store::Store;
use axum::Router;
use axum::middleware;
use axum::routing::{get, post};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use thiserror::Error;

/// What the API is told when it starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Region of the S3 endpoint.
    pub region: String,
    /// Whether `Idempotency-Key` is honoured.
    pub idempotency_keys: bool,
    /// Requests a second of one token; 0: any number.
    pub rate_limit: u32,
}

/// Why the API cannot be set up.
#[derive(Debug, Error)]
pub enum SetupError {
    /// No randomness.
    #[error("failed to prepare sign-in")]
    Random(#[from] random::RandomError),
    /// No password hash.
    #[error("failed to prepare sign-in")]
    Hash(#[from] HashError),
}

/// What all requests share.
pub struct App {
    store: Store,
    settings: Settings,
    passwords: Passwords,
    limiter: limits::Limiter,
    lockout: limits::Lockout,
    in_progress: change::InProgress,
    metrics: metrics::Metrics,
    draining: AtomicBool,
}

impl App {
    /// Sets the API up over a store.
    pub fn new(store: Store, settings: Settings) -> Result<Arc<Self>, SetupError> {
        Ok(Arc::new(Self {
            store,
            passwords: Passwords::new(&random::password()?)?,
            limiter: limits::Limiter::new(settings.rate_limit),
            settings,
            lockout: limits::Lockout::default(),
            in_progress: change::InProgress::default(),
            metrics: metrics::Metrics::new(),
            draining: AtomicBool::new(false),
        }))
    }

    /// From now on the server is not ready: no new work should come.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}

/// The routes.
pub fn router(app: &Arc<App>) -> Router {
    let v1 = Router::new()
        .route("/capabilities", get(operations::capabilities))
        .route("/sessions", post(sessions::create).delete(sessions::delete))
        .route("/sessions/verify", post(sessions::verify))
        .route("/tokens", get(tokens::list).post(tokens::create))
        .route("/tokens/{id}", get(tokens::get).delete(tokens::delete))
        .route("/tenants", get(tenants::list).post(tenants::create))
        .route("/tenants/{id}", get(tenants::get).patch(tenants::patch).delete(tenants::delete))
        .route("/accounts", get(accounts::list).post(accounts::create))
        .route("/accounts/{id}", get(accounts::get).patch(accounts::patch).delete(accounts::delete))
        .route("/accounts/{id}/rootKey/rotate", post(accounts::rotate_root_key))
        .route("/users", get(users::list).post(users::create))
        .route("/users/{id}", get(users::get).patch(users::patch).delete(users::delete))
        .route("/accessKeys", get(access_keys::list).post(access_keys::create))
        .route(
            "/accessKeys/{id}",
            get(access_keys::get).patch(access_keys::patch).delete(access_keys::delete),
        )
        .route("/buckets", get(buckets::list).post(buckets::create))
        .route("/buckets/{user}/{name}", get(buckets::get).patch(buckets::patch).delete(buckets::delete))
        .route("/auditEvents", get(operations::audit_events))
        .route("/usage", get(usage::list))
        .layer(middleware::from_fn_with_state(Arc::clone(app), limits::limit));
    Router::new()
        .nest("/v1", v1)
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .route("/metrics", get(operations::metrics))
        .fallback(operations::no_route)
        .method_not_allowed_fallback(operations::no_method)
        .layer(middleware::from_fn_with_state(Arc::clone(app), frame::frame))
        .with_state(Arc::clone(app))
}
