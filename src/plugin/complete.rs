//! Completion. kubectl (1.26 and later) asks an executable `kubectl_complete-storekeeper` on the PATH, in every shell
//! that kubectl itself completes in; it prints one candidate a line, and then `:` with what the shell is to do.

use super::cluster::{Cluster, Read};
use super::item::Kind;
use super::options::Connection;
use clap::{Args, CommandFactory as _};

/// Print the script that lets kubectl complete these commands.
///
/// Save it as `kubectl_complete-storekeeper` on your PATH. It works in every shell in which kubectl
/// completes (1.26 and later):
///
///     kubectl storekeeper completion > ~/.local/bin/kubectl_complete-storekeeper
///     chmod +x ~/.local/bin/kubectl_complete-storekeeper
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Options {}

/// What kubectl asks for.
#[derive(Args)]
pub struct Words {
    /// The words so far; the last one is being typed.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// The script.
pub fn script(_: &Options) -> String {
    "#!/bin/sh\nexec kubectl-storekeeper __complete \"$@\"\n".to_owned()
}

/// `:4`: no file names.
const NO_FILES: &str = ":4\n";

/// The candidates for the last word.
pub async fn complete(words: Words) -> String {
    let words = words.words;
    let (typed, before) =
        words.split_last().map_or(("", [].as_slice()), |(last, rest)| (last.as_str(), rest));
    let found = match wanted(before, typed) {
        Wanted::Words(found) => found,
        Wanted::Names(kind) => names(kind, before).await,
        Wanted::Namespaces => namespaces(before).await,
    };
    let mut text = String::new();
    for word in found.iter().filter(|word| word.starts_with(typed)) {
        text.push_str(word);
        text.push('\n');
    }
    text + NO_FILES
}

/// What may come next.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Words(Vec<String>),
    Names(Kind),
    Namespaces,
}

/// Options that take a value.
const WITH_VALUE: [&str; 14] = [
    "--kubeconfig",
    "--context",
    "--cluster",
    "--user",
    "--as",
    "--as-group",
    "--namespace",
    "-n",
    "--request-timeout",
    "--output",
    "-o",
    "--role",
    "--operator-namespace",
    "--service-account",
];

fn wanted(before: &[String], typed: &str) -> Wanted {
    let words = |all: &[&str]| Wanted::Words(all.iter().map(|word| (*word).to_owned()).collect());
    match before.last().map(String::as_str) {
        Some("-o" | "--output") => return words(&["table", "wide", "json", "yaml"]),
        Some("-n" | "--namespace") => return Wanted::Namespaces,
        Some("--role") => return words(&super::check::roles::names()),
        Some(option) if WITH_VALUE.contains(&option) => return words(&[]),
        Some(_) | None => {}
    }
    let positional = positional(before);
    if typed.starts_with('-') {
        return Wanted::Words(flags(positional.first().copied()));
    }
    match positional.as_slice() {
        [] => words(&["status", "reissue", "check", "completion"]),
        ["reissue"] => Wanted::Names(Kind::AccessKey),
        ["status"] => words(&["storageaccount", "tenant", "storageuser", "accesskey", "bucket"]),
        ["status", kind] => Kind::meant_by(kind).map_or_else(|| words(&[]), Wanted::Names),
        _ => words(&[]),
    }
}

fn positional(before: &[String]) -> Vec<&str> {
    let mut found = Vec::new();
    let mut words = before.iter();
    while let Some(word) = words.next() {
        if WITH_VALUE.contains(&word.as_str()) {
            words.next();
        } else if !word.starts_with('-') {
            found.push(word.as_str());
        }
    }
    found
}

/// The options of a sub-command.
fn flags(command: Option<&str>) -> Vec<String> {
    let mut cli = super::Cli::command();
    cli.build();
    let found = command.and_then(|name| cli.find_subcommand(name)).unwrap_or(&cli);
    found.get_arguments().filter_map(clap::Arg::get_long).map(|long| format!("--{long}")).collect()
}

/// The connection that the words so far ask for.
fn connection(before: &[String]) -> Connection {
    let value = |names: &[&str]| {
        let place = before.iter().position(|word| names.contains(&word.as_str()))?;
        before.get(place + 1).cloned()
    };
    Connection {
        kubeconfig: value(&["--kubeconfig"]).map(Into::into),
        context: value(&["--context"]),
        cluster: value(&["--cluster"]),
        user: value(&["--user"]),
        namespace: value(&["-n", "--namespace"]),
        request_timeout: std::time::Duration::from_secs(3),
        ..Connection::default()
    }
}

/// A cluster that does not answer offers nothing.
async fn names(kind: Kind, before: &[String]) -> Vec<String> {
    let Ok(cluster) = Cluster::connect(&connection(before)).await else { return Vec::new() };
    match cluster.list(kind, Some(cluster.namespace())).await {
        Ok(Read::Found(items)) => items.into_iter().map(|item| item.name).collect(),
        Ok(Read::Absent | Read::Forbidden) | Err(_) => Vec::new(),
    }
}

async fn namespaces(before: &[String]) -> Vec<String> {
    let Ok(cluster) = Cluster::connect(&connection(before)).await else { return Vec::new() };
    match cluster.raw("/api/v1/namespaces").await {
        Ok(Read::Found(list)) => {
            let items = list["items"].as_array().cloned().unwrap_or_default();
            items.iter().filter_map(|item| item["metadata"]["name"].as_str().map(str::to_owned)).collect()
        }
        Ok(Read::Absent | Read::Forbidden) | Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Wanted, wanted};
    use crate::plugin::item::Kind;

    #[test]
    fn what_comes_next_follows_from_the_words_so_far() {
        let words = |all: &[&str]| Wanted::Words(all.iter().map(|word| (*word).to_owned()).collect());
        for (line, expected) in [
            ("", words(&["status", "reissue", "check", "completion"])),
            ("reissue", Wanted::Names(Kind::AccessKey)),
            ("-n team-a reissue", Wanted::Names(Kind::AccessKey)),
            ("reissue app", words(&[])),
            ("status", words(&["storageaccount", "tenant", "storageuser", "accesskey", "bucket"])),
            ("status skb", Wanted::Names(Kind::Bucket)),
            ("status pods", words(&[])),
            ("status -o", words(&["table", "wide", "json", "yaml"])),
            ("status -n", Wanted::Namespaces),
            ("status --context", words(&[])),
        ] {
            let before: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            assert_eq!(wanted(&before, ""), expected, "{line}");
        }
        let Wanted::Words(flags) = wanted(&["reissue".to_owned()], "--") else { panic!("flags") };
        assert!(
            flags.contains(&"--yes".to_owned()) && flags.contains(&"--namespace".to_owned()),
            "{flags:?}"
        );
    }
}
