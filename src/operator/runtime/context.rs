//! The world that a pass runs in: clients, what is watched, accounts, settings, time and randomness.

use super::error::Error;
use super::events::Events;
use super::metrics::Metrics;
use super::random::Random;
use super::store::Stores;
use super::wake::Wakes;
use crate::operator::account::pool::Pool;
use crate::operator::key::Kept;
use crate::provider::{ClusterId, OwnerMark};
use jiff::Timestamp;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What every pass has at hand.
pub struct Context {
    /// For watches.
    pub watcher: kube::Client,
    /// For reads: tried again where the API server asks for it.
    pub reader: kube::Client,
    /// For writes: one transmission each, whatever comes back.
    pub writer: kube::Client,
    /// This Kubernetes cluster.
    pub cluster: ClusterId,
    /// What the command line says.
    pub settings: Settings,
    /// What is watched: caches, a moment old.
    pub stores: Stores,
    /// Connections to the accounts' management APIs.
    pub accounts: Pool,
    /// What this process remembers of AccessKeys between passes.
    pub kept: Kept,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// Tells of transitions.
    pub events: Events,
    /// Asks for passes over other objects.
    pub wakes: Wakes,
    /// Cancelled at SIGTERM: finish what is under way and start nothing new.
    pub stopping: CancellationToken,
    /// The clock.
    pub now: fn() -> Timestamp,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

/// What the command line says.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Namespaces that are looked after; empty: all.
    pub namespaces: Vec<String>,
    /// The operator's own namespace.
    pub operator_namespace: String,
    /// Whether only one of several operators works at a time.
    pub leader_election: bool,
    /// Where `/healthz`, `/readyz` and `/metrics` are.
    pub listen: SocketAddr,
    /// Objects of one kind that are worked on at a time.
    pub concurrency: usize,
    /// How often the Secret of a Ready AccessKey is looked for.
    pub secret_check_interval: Duration,
    /// How often a Ready object is compared with the provider.
    pub resync_interval: Duration,
    /// Age at which a key without an AccessKey counts as an orphan.
    pub orphan_quarantine: Duration,
}

impl Context {
    /// The mark that what is made for this object carries at the provider.
    pub fn owner_mark<K: kube::Resource>(&self, object: &K) -> OwnerMark {
        OwnerMark { cluster: self.cluster.clone(), uid: super::kind::uid_of(object).to_owned() }
    }

    /// The bytes of an entry of a Secret in the operator's own namespace: `None` where the Secret is definitely not
    /// there. Other failures are errors.
    pub async fn own_secret(&self, name: &str) -> Result<Option<OwnSecret>, Error> {
        super::clients::own_secret(&self.reader, &self.settings.operator_namespace, name).await
    }
}

pub use super::clients::OwnSecret;
