//! `kubectl storekeeper`: how things stand, a new key for a lost Secret, and whether an installation and a person can
//! do what they need.
//!
//! Reads are in [`cluster`] and in `read.rs` of each command; what is made of them (trees, judgements, texts) is pure
//! and knows no client. Nothing here reads a Secret, or needs the right to; the only write is the annotation of `reissue`.
//!
//! Exit codes: [`Exit`].

pub mod check;
mod cluster;
mod complete;
mod item;
mod options;
mod output;
pub mod reissue;
pub mod status;

pub use cluster::ClusterError;
pub use item::{Item, Stand};
pub use output::{Format, Look};

use crate::operator::runtime::error::chain;
use clap::{Parser, Subcommand};
use std::io::Write as _;
use std::process::ExitCode;

/// How storage users, access keys and buckets stand, and what they wait for.
///
/// Reads what kubectl reads, by the same kubeconfig, and never a Secret.
///
/// Exit codes: 0, all is as it should be, or done; 1, something is not, or was refused: what, is printed; 2, the
/// command line is wrong, or the cluster cannot be asked.
#[derive(Parser)]
#[command(
    name = "kubectl-storekeeper",
    bin_name = "kubectl storekeeper",
    version,
    max_term_width = 100,
    propagate_version = true
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Status(status::Options),
    Reissue(reissue::Options),
    Check(check::Options),
    Completion(complete::Options),
    #[command(name = "__complete", hide = true, disable_help_flag = true)]
    Complete(complete::Words),
}

/// What a command comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is as it should be, or done.
    Well,
    /// Something is not as it should be, or was refused; it was printed.
    NotWell,
    /// The command line is wrong, or the cluster cannot be asked.
    Unable,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Well => Self::SUCCESS,
            Exit::NotWell => Self::from(1),
            Exit::Unable => Self::from(2),
        }
    }
}

/// What keeps a command from its answer.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a command prints, and what it comes to.
pub struct Answer {
    /// For standard output.
    pub text: String,
    /// The exit code.
    pub exit: Exit,
}

/// Runs what the command line asks for.
pub fn run(cli: Cli) -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|executor| executor.block_on(answer(cli)));
    let written = outcome.and_then(|answer| print(&answer.text).map(|()| answer.exit));
    match written {
        Ok(exit) => exit.into(),
        Err(error) => {
            report(&*error);
            Exit::Unable.into()
        }
    }
}

async fn answer(cli: Cli) -> Result<Answer, Failure> {
    match cli.command {
        Command::Status(options) => status::run(options).await,
        Command::Reissue(options) => reissue::run(options).await,
        Command::Check(options) => check::run(options).await,
        Command::Completion(options) => Ok(Answer { text: complete::script(&options), exit: Exit::Well }),
        Command::Complete(words) => Ok(Answer { text: complete::complete(words).await, exit: Exit::Well }),
    }
}

/// One line on standard error: the error and its causes.
#[allow(clippy::print_stderr)]
fn report(error: &(dyn std::error::Error + Send + Sync + 'static)) {
    eprintln!("error: {}", chain(error));
}

/// A reader that has seen enough, such as `head`, ends the output without an error.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
