//! `kubectl storekeeper reissue`: asks for a new key by the annotation `storekeeper.dev/reissue`, with exactly the
//! epoch that the status offers. [`judge`] decides, pure; the annotation is the only thing that this plugin writes.

use super::cluster::{Cluster, Read};
use super::item::{Item, Kind};
use super::options::Connection;
use super::output::Format;
use super::{Answer, Exit, Failure, Stand};
use crate::api::key::{REISSUE, offered_epoch};
use clap::Args;
use serde_json::json;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use thiserror::Error;

/// Ask for a new key where the Secret of an AccessKey is lost, or its key is gone at the provider.
///
/// Sets the annotation storekeeper.dev/reissue to the number that the AccessKey's status offers.
/// Nothing else brings a new key: one that is in use is never replaced. On a terminal it asks
/// before it writes; elsewhere it needs --yes.
///
///     kubectl storekeeper reissue app-rw -n team-a
///
/// Exit code 1: there is no new key to be had; what stands in the way is printed.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Options {
    /// Name of the AccessKey
    #[arg(value_name = "NAME")]
    name: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Have the API server check the change, and keep nothing of it
    #[arg(long)]
    dry_run: bool,
    /// How the answer looks
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Error)]
enum ReissueError {
    #[error("AccessKey '{name}' does not exist in namespace '{namespace}'")]
    Absent { name: String, namespace: String },
    #[error("you may not read AccessKeys in namespace '{0}'")]
    Forbidden(String),
    #[error("there is no terminal to ask on: add --yes")]
    NoTerminal,
}

/// What may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The value of the annotation.
    pub epoch: u32,
    /// What becomes of what is there.
    pub consequence: String,
    /// What is left to do for a person.
    pub then: Option<String>,
    /// Whether it was asked for already.
    pub asked: bool,
}

/// Whether a new key makes sense, or why not.
pub fn judge(key: &Item) -> Result<Offer, String> {
    let name = &key.name;
    let namespace = key.namespace.as_deref().unwrap_or_default();
    let secret = secret_of(key);
    match key.stand() {
        Stand::Ready => {
            return Err(format!(
                "AccessKey '{name}' is Ready: Secret '{secret}' holds a key that works, and a key in use is never replaced. For another one, make another AccessKey, move the application to its Secret, and delete this one."
            ));
        }
        Stand::Deleting => return Err(format!("AccessKey '{name}' is being deleted.")),
        Stand::Unseen => {
            return Err(format!(
                "The operator has not looked at AccessKey '{name}' since it was made or changed. Try again when it has; `kubectl storekeeper check` says whether it runs."
            ));
        }
        Stand::Waiting | Stand::Blocked | Stand::Hidden | Stand::Missing => {}
    }
    let ready = key.condition("Ready");
    let (reason, message) =
        ready.as_ref().map_or(("", ""), |condition| (condition.reason, condition.message));
    let Some(epoch) = offered_epoch(message) else {
        return Err(format!("A new key is not what AccessKey '{name}' needs. {reason}: {message}"));
    };
    let asked = key.annotations.get(REISSUE).map(String::as_str) == Some(epoch.to_string().as_str());
    let (consequence, then) = if reason == "KeyRevokedExternally" {
        (
            format!(
                "The key in Secret '{secret}' is gone at the provider already; nothing that works is lost."
            ),
            Some(format!(
                "Now delete the old Secret: kubectl delete secret {secret} --namespace {namespace}"
            )),
        )
    } else {
        (
            format!(
                "A new key is written into Secret '{secret}'. When that is there, the old key is revoked: whatever still uses a copy of it is refused from then on."
            ),
            None,
        )
    };
    Ok(Offer { epoch, consequence, then, asked })
}

fn secret_of(key: &Item) -> &str {
    key.status_text("/identity/secret").or_else(|| key.spec_text("/secret/name")).unwrap_or(&key.name)
}

/// Reads, judges, asks, writes.
pub async fn run(options: Options) -> Result<Answer, Failure> {
    let Options { name, yes, dry_run, output, connection } = options;
    let cluster = Cluster::connect(&connection).await?;
    let namespace = cluster.namespace().to_owned();
    let key = match cluster.get(Kind::AccessKey, Some(&namespace), &name).await? {
        Read::Found(key) => key,
        Read::Absent => return Err(ReissueError::Absent { name, namespace }.into()),
        Read::Forbidden => return Err(ReissueError::Forbidden(namespace).into()),
    };
    let offer = match judge(&key) {
        Ok(offer) => offer,
        Err(why) => return told(output, &key, None, &why, Exit::NotWell),
    };
    if offer.asked {
        let words = format!(
            "A new key was asked for already ({REISSUE}={}).{} The operator makes it when nothing is in the way.",
            offer.epoch,
            offer.then.as_ref().map(|then| format!(" {then}")).unwrap_or_default()
        );
        return told(output, &key, Some(&offer), &words, Exit::Well);
    }
    if !yes && !dry_run && !confirmed(&key, &offer)? {
        return told(output, &key, Some(&offer), "Nothing was changed.", Exit::NotWell);
    }
    cluster.annotate(&key, REISSUE, &offer.epoch.to_string(), dry_run).await?;
    let done = if dry_run { "would be annotated" } else { "is annotated" };
    let then = offer.then.clone().unwrap_or_else(|| {
        format!("See what becomes of it: kubectl storekeeper status accesskey {name} --namespace {namespace}")
    });
    let words = format!("AccessKey '{name}' {done} {REISSUE}={}. {then}", offer.epoch);
    told(output, &key, Some(&offer), &words, Exit::Well)
}

fn told(
    output: Format,
    key: &Item,
    offer: Option<&Offer>,
    words: &str,
    exit: Exit,
) -> Result<Answer, Failure> {
    let document = json!({
        "apiVersion": "cli.storekeeper.dev/v1alpha1",
        "kind": "Reissue",
        "accessKey": key.name,
        "namespace": key.namespace,
        "epoch": offer.map(|offer| offer.epoch),
        "asked": exit == Exit::Well,
        "message": words,
    });
    let text = output.document(&document).unwrap_or_else(|| Ok(format!("{words}\n")))?;
    Ok(Answer { text, exit })
}

/// Asks on the terminal.
fn confirmed(key: &Item, offer: &Offer) -> Result<bool, Failure> {
    let (stdin, mut stderr) = (std::io::stdin(), std::io::stderr());
    if !stdin.is_terminal() || !stderr.is_terminal() {
        return Err(ReissueError::NoTerminal.into());
    }
    write!(stderr, "{}\nAsk for a new key of AccessKey '{}'? [y/N] ", offer.consequence, key.name)?;
    stderr.flush()?;
    let mut line = String::new();
    stdin.lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests;
