//! The options that kubectl has too: which cluster, as whom, which namespace.

use clap::Args;
use std::path::PathBuf;

/// Which cluster, and as whom. As kubectl has them.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Cluster")]
pub struct Connection {
    /// Kubeconfig file; without it `$KUBECONFIG`, `~/.kube/config` or the ServiceAccount of the pod
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig file
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Cluster of the kubeconfig file
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// User of the kubeconfig file
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Somebody to act as: a user, or `system:serviceaccount:NAMESPACE:NAME`
    #[arg(long = "as", value_name = "NAME")]
    pub impersonate: Option<String>,
    /// Group to act as a member of; may be repeated
    #[arg(long = "as-group", value_name = "NAME", requires = "impersonate")]
    pub impersonate_group: Vec<String>,
    /// Namespace; without it the context's
    #[arg(long, short, value_name = "NAME")]
    pub namespace: Option<String>,
    /// How long an answer of the API server may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub request_timeout: std::time::Duration,
}
