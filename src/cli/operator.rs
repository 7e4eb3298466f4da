//! `storekeeper operator`: the controllers.

use super::Failure;
use crate::operator::runtime::{self, Settings};
use crate::telemetry::{self, LogFormat};
use clap::{ArgAction, Args};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Shorter intervals would only keep the API server busy.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// Run the operator. It reaches the cluster by `--kubeconfig`, or from inside by its ServiceAccount.
#[derive(Args)]
pub struct Options {
    /// Kubeconfig file; without it `$KUBECONFIG`, `~/.kube/config` or the ServiceAccount of the pod
    #[arg(long, value_name = "FILE", env = "STOREKEEPER_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig file
    #[arg(long, value_name = "NAME", env = "STOREKEEPER_CONTEXT")]
    context: Option<String>,
    /// Namespaces to look after, separated by commas; without it all
    #[arg(long, value_name = "NAMES", value_delimiter = ',', env = "STOREKEEPER_NAMESPACES")]
    namespaces: Vec<String>,
    /// Namespace of the operator: of its lease, and of the Secrets that StorageAccounts name
    #[arg(
        long,
        value_name = "NAME",
        default_value = "storekeeper-system",
        env = "STOREKEEPER_OPERATOR_NAMESPACE"
    )]
    operator_namespace: String,
    /// Whether only one of several operators works at a time; nothing depends on it but efficiency
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set, env = "STOREKEEPER_LEADER_ELECTION")]
    leader_election: bool,
    /// Address of `/healthz`, `/readyz` and `/metrics`
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080",
        env = "STOREKEEPER_METRICS_LISTEN"
    )]
    listen: SocketAddr,
    /// Objects of one kind that are worked on at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 64, env = "STOREKEEPER_CONCURRENCY")]
    concurrency: u16,
    /// How often the Secret of a Ready AccessKey is looked for
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration, env = "STOREKEEPER_SECRET_CHECK_INTERVAL")]
    secret_check_interval: Duration,
    /// How often a Ready object is compared with the provider
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = humantime::parse_duration, env = "STOREKEEPER_RESYNC_INTERVAL")]
    resync_interval: Duration,
    /// Age at which a key without an AccessKey counts as an orphan
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = humantime::parse_duration, env = "STOREKEEPER_ORPHAN_QUARANTINE")]
    orphan_quarantine: Duration,
    /// How log lines look
    #[arg(long, value_enum, default_value_t, env = "STOREKEEPER_LOG_FORMAT")]
    log_format: LogFormat,
    /// Level or filter of log lines, such as `info` or `storekeeper=debug`
    #[arg(long, value_name = "FILTER", default_value = "info", env = "STOREKEEPER_LOG_LEVEL")]
    log_level: String,
}

/// Runs the operator until SIGTERM or SIGINT.
pub fn run(options: Options) -> Result<(), Failure> {
    telemetry::init(options.log_format, &options.log_level)?;
    let Options {
        kubeconfig,
        context,
        namespaces,
        operator_namespace,
        leader_election,
        listen,
        concurrency,
        ..
    } = options;
    let settings = Settings {
        namespaces: namespaces.into_iter().filter(|name| !name.is_empty()).collect(),
        operator_namespace,
        leader_election,
        listen,
        concurrency: usize::from(concurrency).max(1),
        secret_check_interval: options.secret_check_interval.max(SHORTEST_INTERVAL),
        resync_interval: options.resync_interval.max(SHORTEST_INTERVAL),
        orphan_quarantine: options.orphan_quarantine,
    };
    // A provider of its own is needed once per process; one that is there already is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let executor = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    executor.block_on(runtime::run::run(settings, kubeconfig.as_deref(), context.as_deref()))?;
    // What is left are tasks that nobody waits for, such as events that are on their way.
    executor.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}
