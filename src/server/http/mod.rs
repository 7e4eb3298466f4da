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
mod collection;
mod cookie;
mod failure;
mod frame;
mod jobs;
mod limits;
mod list;
mod metrics;
pub mod openapi;
mod operations;
mod sessions;
mod tag;
mod tenants;
mod tokens;
mod usage;
mod users;

#[cfg(test)]
mod tests;

pub use body::BODY_TIME;
pub use frame::Peer;

use super::jobs::{Counters, Runner};
use super::passwords::{HashError, Passwords};
use super::random;
use super::store::Store;
use axum::Router;
use axum::middleware;
use axum::routing::{MethodRouter, get, post};
use collection::{Collection, Patched, Removed};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::Notify;

/// What the API is told when it starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Region of the S3 endpoint.
    pub region: String,
    /// Whether `Idempotency-Key` is honoured.
    pub idempotency_keys: bool,
    /// Requests a second of one token; 0: any number.
    pub rate_limit: u32,
    /// Whether callers come over TLS: session cookies are then for TLS only.
    pub tls: bool,
    /// How long a body may take to arrive.
    pub body_time: Duration,
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
    jobs: Jobs,
    metrics: metrics::Metrics,
    draining: AtomicBool,
}

/// What the API shares with the runner of jobs.
#[derive(Default)]
struct Jobs {
    bell: Arc<Notify>,
    counters: Counters,
}

impl Jobs {
    /// There is something new to do, or to stop.
    fn ring(&self) {
        self.bell.notify_one();
    }
}

impl App {
    /// Sets the API up over a store.
    pub fn new(store: Store, settings: Settings) -> Result<Arc<Self>, SetupError> {
        let jobs = Jobs::default();
        let passwords = Passwords::new(&random::password()?)?;
        Ok(Arc::new(Self {
            store,
            limiter: limits::Limiter::new(settings.rate_limit),
            settings,
            lockout: limits::Lockout::default(),
            in_progress: change::InProgress::default(),
            metrics: metrics::Metrics::new(&jobs.counters, &passwords),
            passwords,
            jobs,
            draining: AtomicBool::new(false),
        }))
    }

    /// The runner of the jobs that are made here.
    pub fn runner(&self) -> Runner {
        Runner::new(self.store.clone(), Arc::clone(&self.jobs.bell), self.jobs.counters.clone())
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
        .route("/sessions", get(sessions::get).post(sessions::create).delete(sessions::delete))
        .route("/sessions/verify", post(sessions::verify))
        .route("/tokens", all::<tokens::Tokens>().post(tokens::create))
        .route("/tokens/{id}", item::<tokens::Tokens>())
        .route("/tenants", all::<tenants::Tenants>().post(tenants::create))
        .route("/tenants/{id}", patched_item::<tenants::Tenants>())
        .route("/accounts", all::<accounts::Accounts>().post(accounts::create))
        .route("/accounts/{id}", patched_item::<accounts::Accounts>())
        .route("/accounts/{id}/rootKey/rotate", post(accounts::rotate_root_key))
        .route("/users", all::<users::Users>().post(users::create))
        .route("/users/{id}", item::<users::Users>().patch(users::patch))
        .route("/accessKeys", all::<access_keys::AccessKeys>().post(access_keys::create))
        .route("/accessKeys/{id}", patched_item::<access_keys::AccessKeys>())
        .route("/buckets", all::<buckets::Buckets>().post(buckets::create))
        .route("/buckets/{user}/{name}", patched_item::<buckets::Buckets>())
        .route("/jobs", all::<jobs::Jobs>().post(jobs::create))
        .route("/jobs/{id}", patched_item::<jobs::Jobs>())
        .route("/jobs/{id}/run", post(jobs::run))
        .route("/jobs/{id}/cancel", post(jobs::cancel))
        .route("/auditEvents", get(operations::audit_events))
        .route("/usage", get(usage::list))
        .layer(middleware::from_fn_with_state(Arc::clone(app), limits::limit));
    Router::new()
        .nest("/v1", v1)
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .route("/metrics", get(operations::metrics))
        .route("/openapi.json", get(operations::openapi))
        .route("/docs", get(operations::docs))
        .route("/docs/page.js", get(operations::docs_script))
        .route("/docs/page.css", get(operations::docs_style))
        .fallback(operations::no_route)
        .method_not_allowed_fallback(operations::no_method)
        .layer(middleware::from_fn_with_state(Arc::clone(app), frame::frame))
        .with_state(Arc::clone(app))
}

type Methods = MethodRouter<Arc<App>>;

fn all<C: Collection>() -> Methods {
    get(collection::list::<C>)
}

fn item<C: Removed>() -> Methods {
    get(collection::get::<C>).delete(collection::delete::<C>)
}

fn patched_item<C: Patched<Change: DeserializeOwned> + Removed>() -> Methods {
    item::<C>().patch(collection::patch::<C>)
}
