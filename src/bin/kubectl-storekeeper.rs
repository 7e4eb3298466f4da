//! The `kubectl-storekeeper` binary, which kubectl runs as `kubectl storekeeper`.
use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    storekeeper::plugin::run(storekeeper::plugin::Cli::parse())
}
