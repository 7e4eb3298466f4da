//! The `storekeeper` binary: parse the command line, run it, map the outcome to an exit code.
use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    storekeeper::cli::run(storekeeper::cli::Cli::parse())
}
