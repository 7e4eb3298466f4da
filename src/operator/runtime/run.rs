//! The operator as a process: connect, watch, lead, work, stop.
//!
//! ```text
//! connect ─> watches and probes ─> first lists complete ─> lease held ─> built-in tenant ─> accounts ─> the other kinds
//!                                                                                                │
//!     exit 0 <─ lease given back <─ passes come to their end, up to 25 s <─ SIGTERM or SIGINT <──┘
//! ```
//!
//! If any of these tasks ends by itself, or the lease is lost, the process stops with an error: whoever runs it starts it
//! again.

use super::clients::{self, Clients, ConnectError};
use super::context::{Context, Settings};
use super::error::{Error, chain};
use super::events::Events;
use super::leader::{Candidate, LeaderError};
use super::managed::Managed;
use super::metrics::Metrics;
use super::probes;
use super::random::SystemRandom;
use super::store::Store;
use super::supervisor::Group;
use super::triggers;
use super::wake::{self, Sleepers, Wake};
use super::watch::{self, Synced};
use super::worker::{LAST_PASSES, Worker};
use crate::clock;
use crate::operator::account::pool::Pool;
use crate::operator::key::{self, Kept};
use crate::operator::tenant;
use crate::provider::ClusterId;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error as ThisError;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

/// How long the other kinds wait for the accounts' first passes: without connections they could only say so.
const ACCOUNTS_FIRST: Duration = Duration::from_secs(10);

/// Why the operator ended.
#[derive(Debug, ThisError)]
pub enum RunError {
    /// No connection to a cluster.
    #[error("failed to connect to the cluster")]
    Connect(#[source] ConnectError),
    /// The address of the probes is not to be had.
    #[error("failed to listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// Signals cannot be caught.
    #[error("failed to listen for signals")]
    Signals(#[source] std::io::Error),
    /// Leader election does not work.
    #[error("failed to take part in leader election")]
    Leader(#[source] LeaderError),
    /// Another operator leads now.
    #[error("the lease was lost")]
    LeaseLost,
    /// The built-in tenant cannot be made.
    #[error("failed to make the built-in tenant")]
    BuiltIn(#[source] Error),
    /// A task that must go on for ever did not.
    #[error("the task '{0}' has ended")]
    TaskEnded(&'static str),
}

/// Runs until SIGTERM or SIGINT.
pub async fn run(
    settings: Settings,
    kubeconfig: Option<&Path>,
    context: Option<&str>,
) -> Result<(), RunError> {
    let stopping = stop_on_signals()?;
    let clients = clients::connect(kubeconfig, context).await.map_err(RunError::Connect)?;
    let cluster = clients::cluster_id(&clients.reader).await.map_err(RunError::Connect)?;
    let listen = settings.listen;
    let listener = TcpListener::bind(listen).await.map_err(|error| RunError::Listen(listen, error))?;
    let (ctx, sleepers) = world(settings, clients, cluster, stopping.clone());
    tracing::info!(cluster = ctx.cluster.0, %listen, version = env!("CARGO_PKG_VERSION"), "storekeeper operator started");
    let mut tasks = Group::default();
    let synced = start_watches(&ctx, &mut tasks);
    let served = probes::serve(listener, ctx.metrics.clone(), synced.clone());
    tasks.spawn(named("probes", served));
    tokio::select! {
        biased;
        () = stopping.cancelled() => return Ok(()),
        ended = ended(&mut tasks) => return Err(ended),
        () = synced.complete() => {}
    }
    if !ctx.settings.leader_election {
        return work(&ctx, sleepers, &mut tasks, std::future::pending()).await;
    }
    let identity = identity(&ctx);
    let mut candidate = Candidate::stand(ctx.writer.clone(), &ctx.settings.operator_namespace, &identity)
        .await
        .map_err(RunError::Leader)?;
    let result = lead(&ctx, sleepers, &mut tasks, &mut candidate).await;
    candidate.resign().await;
    result
}

/// Waits for the lease and works while it is held.
async fn lead(
    ctx: &Arc<Context>,
    sleepers: Sleepers,
    tasks: &mut Group<&'static str>,
    candidate: &mut Candidate,
) -> Result<(), RunError> {
    tokio::select! {
        biased;
        () = ctx.stopping.cancelled() => return Ok(()),
        ended = ended(tasks) => return Err(ended),
        held = candidate.until(true) => held.map_err(RunError::Leader)?,
    }
    let lost = async {
        match candidate.until(false).await {
            Ok(()) => RunError::LeaseLost,
            Err(error) => RunError::Leader(error),
        }
    };
    work(ctx, sleepers, tasks, lost).await
}

/// Makes the built-in tenant, starts the controllers, and stops them when asked to or when something fails.
async fn work(
    ctx: &Arc<Context>,
    sleepers: Sleepers,
    tasks: &mut Group<&'static str>,
    lost: impl Future<Output = RunError>,
) -> Result<(), RunError> {
    ctx.metrics.leading(true);
    tenant::built_in::at_start(ctx).await.map_err(RunError::BuiltIn)?;
    ctx.wakes.open();
    let mut workers = Group::default();
    let worker = async { RunError::TaskEnded(start_workers(ctx, sleepers, &mut workers).await) };
    let why = reason_to_stop(&ctx.stopping, ended(tasks), lost, worker).await;
    tracing::info!("stopping");
    ctx.stopping.cancel();
    let all = async {
        while !workers.is_empty() {
            let _ = workers.next().await;
        }
    };
    if tokio::time::timeout(LAST_PASSES + Duration::from_secs(1), all).await.is_err() {
        tracing::warn!("the controllers did not stop in time");
    }
    key::stop(ctx).await;
    ctx.metrics.leading(false);
    why
}

/// Waits until there is a reason to stop. Being told to is the first of them: the tasks end because of it too.
async fn reason_to_stop(
    stopping: &CancellationToken,
    task: impl Future<Output = RunError>,
    lease: impl Future<Output = RunError>,
    worker: impl Future<Output = RunError>,
) -> Result<(), RunError> {
    tokio::select! {
        biased;
        () = stopping.cancelled() => Ok(()),
        error = task => Err(error),
        error = lease => Err(error),
        error = worker => Err(error),
    }
}

/// Starts the controllers, accounts first, and waits until one of them ends.
async fn start_workers(
    ctx: &Arc<Context>,
    sleepers: Sleepers,
    workers: &mut Group<&'static str>,
) -> &'static str {
    let Sleepers { accounts, tenants, users, keys, buckets } = sleepers;
    let stores = &ctx.stores;
    let first = Worker::new(Arc::clone(ctx), stores.accounts.clone(), accounts);
    let mut first_round = first.first_round();
    workers.spawn(named("StorageAccount controller", first.run()));
    let connected = tokio::time::timeout(ACCOUNTS_FIRST, first_round.wait_for(|over| *over));
    if connected.await.is_err() {
        tracing::warn!("some accounts have not answered yet; the other controllers start without them");
    }
    start_worker(ctx, &stores.tenants, tenants, "Tenant controller", workers);
    start_worker(ctx, &stores.users, users, "StorageUser controller", workers);
    start_worker(ctx, &stores.keys, keys, "AccessKey controller", workers);
    start_worker(ctx, &stores.buckets, buckets, "Bucket controller", workers);
    match workers.next().await {
        Ok(name) => name,
        Err(_) => "a controller",
    }
}

fn start_worker<K: Managed>(
    ctx: &Arc<Context>,
    store: &Store<K>,
    wakes: UnboundedReceiver<Wake>,
    name: &'static str,
    workers: &mut Group<&'static str>,
) {
    workers.spawn(named(name, Worker::new(Arc::clone(ctx), store.clone(), wakes).run()));
}

fn world(
    settings: Settings,
    clients: Clients,
    cluster: String,
    stopping: CancellationToken,
) -> (Arc<Context>, Sleepers) {
    let (wakes, sleepers) = wake::channels();
    let instance = instance_name();
    let ctx = Context {
        events: Events::new(&clients, &instance),
        watcher: clients.watcher,
        reader: clients.reader,
        writer: clients.writer,
        cluster: ClusterId(cluster),
        settings,
        stores: super::store::Stores::default(),
        accounts: Pool::default(),
        kept: Kept::default(),
        metrics: Metrics::new(),
        wakes,
        stopping,
        now: clock::now,
        random: Arc::new(SystemRandom),
    };
    (Arc::new(ctx), sleepers)
}

/// Starts the watches: cluster-scoped kinds always everywhere, the others in the namespaces that are looked after.
fn start_watches(ctx: &Arc<Context>, tasks: &mut Group<&'static str>) -> Synced {
    let scopes: Vec<Option<String>> = if ctx.settings.namespaces.is_empty() {
        vec![None]
    } else {
        ctx.settings.namespaces.iter().cloned().map(Some).collect()
    };
    let synced = Synced::expecting(3 + 3 * scopes.len());
    let world = || Arc::clone(ctx);
    let stores = &ctx.stores;
    let (accounts, tenants) = (stores.accounts.clone(), stores.tenants.clone());
    let accounts = watch::kind(world(), accounts, None, triggers::of_account, synced.clone());
    let tenants = watch::kind(world(), tenants, None, triggers::of_tenant, synced.clone());
    tasks.spawn(named("watch of StorageAccounts", accounts));
    tasks.spawn(named("watch of Tenants", tenants));
    tasks.spawn(named("watch of Namespaces", watch::namespaces(world(), synced.clone())));
    for scope in scopes {
        let users = stores.users.clone();
        let users = watch::kind(world(), users, scope.clone(), triggers::of_user, synced.clone());
        tasks.spawn(named("watch of StorageUsers", users));
        let keys = stores.keys.clone();
        let keys = watch::kind(world(), keys, scope.clone(), triggers::of_key, synced.clone());
        tasks.spawn(named("watch of AccessKeys", keys));
        let buckets = stores.buckets.clone();
        let buckets = watch::kind(world(), buckets, scope, triggers::of_bucket, synced.clone());
        tasks.spawn(named("watch of Buckets", buckets));
    }
    synced
}

async fn named(name: &'static str, task: impl Future<Output = ()>) -> &'static str {
    task.await;
    name
}

/// Waits until a task ends that never should.
async fn ended(tasks: &mut Group<&'static str>) -> RunError {
    match tasks.next().await {
        Ok(name) => RunError::TaskEnded(name),
        Err(error) => {
            tracing::error!(error = chain(&error), "a task crashed");
            RunError::TaskEnded("unknown")
        }
    }
}

/// A token that SIGTERM or SIGINT cancels.
fn stop_on_signals() -> Result<CancellationToken, RunError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Signals)?;
    let stopping = CancellationToken::new();
    let token = stopping.clone();
    super::supervisor::detach(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
    });
    Ok(stopping)
}

/// The name of the pod or the machine.
fn instance_name() -> String {
    std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "storekeeper".to_owned())
}

/// What tells this operator from any other, also on the same machine.
fn identity(ctx: &Context) -> String {
    format!("{}_{}", instance_name(), ctx.random.nonce())
}

#[cfg(test)]
mod tests {
    use super::{RunError, reason_to_stop};
    use std::future::{pending, ready};
    use tokio_util::sync::CancellationToken;

    #[tokio::test]
    async fn a_task_that_ends_because_the_operator_stops_is_no_failure() {
        let stopping = CancellationToken::new();
        stopping.cancel();
        for _ in 0..64 {
            let ended = || ready(RunError::TaskEnded("a controller"));
            assert!(reason_to_stop(&stopping, ended(), ended(), ended()).await.is_ok());
        }
    }

    #[tokio::test]
    async fn a_task_that_ends_by_itself_ends_the_operator() {
        let result =
            reason_to_stop(&CancellationToken::new(), pending(), pending(), ready(RunError::TaskEnded("it")))
                .await;
        assert!(matches!(result, Err(RunError::TaskEnded("it"))));
    }
}
