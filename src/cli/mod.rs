//! The command line: one file per sub-command. A sub-command parses its options and hands them to the operator or the
//! server; nothing is decided here but exit codes: 2 for wrong usage, 1 for failure.

mod crds;
mod openapi;
mod operator;
mod roles;
mod server;
mod server_maintenance;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Storage tenants, users, access keys and buckets as Kubernetes resources; every generated secret is written into a
/// Secret exactly once.
#[derive(Parser)]
#[command(name = "storekeeper", version, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the operator: make the custom resources of a cluster true
    Operator(operator::Options),
    /// Run the management server with its S3 endpoint, on one machine
    Server(Box<server::Command>),
    /// Print the custom resource definitions as YAML
    Crds(crds::Options),
    /// Print the RBAC objects that give people their roles in a tenant
    Roles(roles::Options),
    /// Print the OpenAPI document of the management API
    Openapi(openapi::Options),
}

/// Runs what the command line asks for and maps the outcome to an exit code.
pub fn run(cli: Cli) -> ExitCode {
    let outcome = match cli.command {
        Command::Operator(options) => operator::run(options),
        Command::Server(command) => server::run(*command),
        Command::Crds(options) => crds::run(&options),
        Command::Roles(options) => roles::run(options),
        Command::Openapi(options) => openapi::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&*error);
            ExitCode::FAILURE
        }
    }
}

/// What ends a sub-command early.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One line on standard error: the error and its causes.
#[allow(clippy::print_stderr)]
fn report(error: &(dyn std::error::Error + Send + Sync + 'static)) {
    let mut line = format!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    eprintln!("{line}");
}
