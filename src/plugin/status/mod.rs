//! `kubectl storekeeper status`: a tree of tenants, users, keys and buckets, each with how it stands and what it waits
//! for.
//!
//! `read` gets what the caller may see, [`tree`] puts it together, `render` writes it down: both pure.

mod read;
mod render;
pub mod tree;

use super::cluster::Cluster;
use super::item::Kind;
use super::options::Connection;
use super::output::{Format, Look};
use super::{Answer, Exit, Failure, Stand};
use clap::Args;
use thiserror::Error;

/// Show tenants, their users, keys and buckets as a tree, and what each waits for.
///
/// Without KIND: all of the namespace, or with -A of the cluster. With one: these objects, what is
/// above them, and what hangs on them. What you may not see is marked as hidden.
///
///     kubectl storekeeper status
///     kubectl storekeeper status tenant acme
///     kubectl storekeeper status accesskey app-rw -n team-a -o yaml
///
/// Exit code 1: something that is shown is not Ready.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Options {
    /// storageaccount, tenant, storageuser, accesskey or bucket (or ska, skt, sku, skk, skb), or KIND/NAME
    #[arg(value_name = "KIND")]
    kind: Option<String>,
    /// Name of the object; without it all of the kind
    #[arg(value_name = "NAME", requires = "kind")]
    name: Option<String>,
    /// All namespaces
    #[arg(long, short = 'A', conflicts_with = "namespace")]
    all_namespaces: bool,
    /// How the answer looks
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Why there is nothing to show.
#[derive(Debug, Error)]
enum StatusError {
    #[error(
        "'{0}' is no kind of storekeeper: it must be storageaccount, tenant, storageuser, accesskey or bucket"
    )]
    Kind(String),
    #[error("`NAME` must not be given twice: '{0}' and '{1}'")]
    TwoNames(String, String),
}

/// What is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Focus {
    /// Only objects of this kind, with what is above and below them.
    pub kind: Option<Kind>,
    /// Only those of this name.
    pub name: Option<String>,
}

impl Focus {
    fn parse(kind: Option<String>, name: Option<String>) -> Result<Self, StatusError> {
        let Some(text) = kind else { return Ok(Self::default()) };
        let (word, named) = match text.split_once('/') {
            Some((word, named)) => (word.to_owned(), Some(named.to_owned())),
            None => (text, None),
        };
        let kind = Kind::meant_by(&word).ok_or(StatusError::Kind(word))?;
        match (named, name) {
            (Some(one), Some(other)) => Err(StatusError::TwoNames(one, other)),
            (one, other) => Ok(Self { kind: Some(kind), name: one.or(other) }),
        }
    }
}

/// Reads, puts together, writes down.
pub async fn run(options: Options) -> Result<Answer, Failure> {
    let Options { kind, name, all_namespaces, output, connection } = options;
    let focus = Focus::parse(kind, name)?;
    let cluster = Cluster::connect(&connection).await?;
    // A tenant's users may live in many namespaces.
    let everywhere = focus.kind.is_some_and(|kind| !kind.is_namespaced()) && connection.namespace.is_none();
    let namespace = (!all_namespaces && !everywhere).then(|| cluster.namespace().to_owned());
    let there = read::read(&cluster, namespace.as_deref(), all_namespaces).await?;
    let notes = there.notes.clone();
    let forest = tree::forest(&there, &focus);
    let exit = if tree::is_well(&forest) && !forest.is_empty() { Exit::Well } else { Exit::NotWell };
    let document = render::document(&forest, &notes);
    if let Some(text) = output.document(&document) {
        return Ok(Answer { text: text?, exit });
    }
    let wide = output == Format::Wide;
    let text = match (forest.is_empty(), &focus.kind) {
        (false, _) => render::text(&forest, &notes, wide, Look::of_stdout(), crate::clock::now()),
        (true, kind) => render::nothing(*kind, focus.name.as_deref(), namespace.as_deref(), &notes),
    };
    // An empty namespace is no fault; an object that was named and is not there is.
    let exit = if forest.is_empty() && focus.name.is_none() { Exit::Well } else { exit };
    Ok(Answer { text, exit })
}

/// Whether that counts as well.
fn is_well(stand: Stand) -> bool {
    match stand {
        Stand::Ready | Stand::Hidden => true,
        Stand::Waiting | Stand::Blocked | Stand::Deleting | Stand::Unseen | Stand::Missing => false,
    }
}

#[cfg(test)]
mod tests;
