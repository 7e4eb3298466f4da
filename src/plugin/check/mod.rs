//! `kubectl storekeeper check`: whether an installation works, and whether a person and the operator may do what they
//! need.
//!
//! `read` gathers `facts`, [`judge`] says what they mean, `render` writes that down: the last two pure. [`roles`] is what
//! whom needs, from the same files that give it to them.

mod facts;
pub mod judge;
mod read;
mod render;
pub mod roles;
mod schemas;

use super::cluster::Cluster;
use super::options::Connection;
use super::output::{Format, Look};
use super::{Answer, Exit, Failure};
use clap::Args;

/// Check that the installation works, and that you and the operator may do what you need.
///
/// Asks the API server: are the custom resources those of this version; is an operator at work, and
/// may it do what it must; which policies are in force; do the StorageAccounts work; which roles do
/// you have in the namespace. Also those verbs and resources that only policies know (use, assign,
/// grant, connect; permissions, roles), for which `kubectl auth can-i` always says no. With --as it
/// answers for somebody else.
///
///     kubectl storekeeper check -n team-a
///     kubectl storekeeper check -n team-a --role full-access --as tina@example.com
///
/// What you may not look at is marked `?` and does no harm. Exit code 1: at least one line is
/// marked ✗.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Options {
    /// The role that you need: every right of it that you lack is a failure
    #[arg(long, value_name = "ROLE", value_parser = clap::builder::PossibleValuesParser::new(roles::names()))]
    role: Option<String>,
    /// Namespace of the operator
    #[arg(
        long,
        value_name = "NAME",
        default_value = "storekeeper-system",
        env = "STOREKEEPER_OPERATOR_NAMESPACE"
    )]
    operator_namespace: String,
    /// ServiceAccount of the operator
    #[arg(long, value_name = "NAME", default_value = "storekeeper")]
    service_account: String,
    /// How the answer looks
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Gathers, judges, writes down.
pub async fn run(options: Options) -> Result<Answer, Failure> {
    let Options { role, operator_namespace, service_account, output, connection } = options;
    let cluster = Cluster::connect(&connection).await?;
    let operator = read::Operator { namespace: operator_namespace, service_account };
    let facts = read::facts(&cluster, &operator, crate::clock::now()).await?;
    let findings = judge::findings(&facts, role.as_deref())?;
    let exit = if judge::is_well(&findings) { Exit::Well } else { Exit::NotWell };
    let text = match output.document(&render::document(&findings)) {
        Some(text) => text?,
        None => render::text(&findings, output == Format::Wide, Look::of_stdout()),
    };
    Ok(Answer { text, exit })
}

#[cfg(test)]
mod tests;
