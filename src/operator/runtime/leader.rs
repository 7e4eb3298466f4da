//! Leader election by a Lease, so that only one of several operators works at a time. It saves work; nothing depends on it:
//! two that work at once are as safe as one.

use kube::Client;
use kube_lease_manager::{LeaseManager, LeaseManagerBuilder, LeaseManagerError};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Name of the Lease.
const LEASE: &str = "storekeeper";
/// Seconds after which another may take over from one that is silent, and how long before that it speaks again.
const DURATION: u64 = 15;
const GRACE: u64 = 5;
/// How long giving the lease back may take.
const RELEASE: Duration = Duration::from_secs(3);

/// Why there is no lease.
#[derive(Debug, Error)]
pub enum LeaderError {
    /// The Lease cannot be made or read.
    #[error("failed to set up leader election")]
    Setup(#[source] LeaseManagerError),
    /// Leader election has ended by itself.
    #[error("leader election has ended")]
    Ended,
}

/// A part in the election.
pub struct Candidate {
    state: watch::Receiver<bool>,
    task: JoinHandle<Result<LeaseManager, LeaseManagerError>>,
}

impl Candidate {
    /// Stands for election under a name that nobody else has.
    pub async fn stand(client: Client, namespace: &str, identity: &str) -> Result<Self, LeaderError> {
        let manager = LeaseManagerBuilder::new(client, LEASE)
            .with_namespace(namespace)
            .with_identity(identity)
            .with_duration(DURATION)
            .with_grace(GRACE)
            .build()
            .await
            .map_err(LeaderError::Setup)?;
        let (state, task) = manager.watch().await;
        Ok(Self { state, task })
    }

    /// Waits until the lease is held, or is not.
    pub async fn until(&mut self, held: bool) -> Result<(), LeaderError> {
        self.state.wait_for(|state| *state == held).await.map(|_| ()).map_err(|_| LeaderError::Ended)
    }

    /// Gives the lease back, so that another can take over at once.
    pub async fn resign(self) {
        let Self { state, task } = self;
        drop(state);
        if tokio::time::timeout(RELEASE, task).await.is_err() {
            tracing::warn!("the lease was not given back in time; it runs out by itself");
        }
    }
}
