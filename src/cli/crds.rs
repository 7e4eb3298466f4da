//! `storekeeper crds`: the custom resource definitions.

use super::Failure;
use crate::api::crds;
use clap::{Args, ValueEnum};
use std::io::Write as _;

/// Print the custom resource definitions.
#[derive(Args)]
pub struct Options {
    /// How they are printed
    #[arg(long, short, value_enum, default_value_t, env = "STOREKEEPER_OUTPUT")]
    output: Output,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Output {
    /// A stream of YAML documents
    #[default]
    Yaml,
    /// A List in JSON
    Json,
}

/// Prints the definitions on standard output.
pub fn run(options: &Options) -> Result<(), Failure> {
    let crds = crds::all();
    let text = match options.output {
        Output::Yaml => {
            let documents: Result<Vec<_>, _> = crds.iter().map(serde_yaml::to_string).collect();
            documents?.join("---\n")
        }
        Output::Json => {
            let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": crds});
            format!("{}\n", serde_json::to_string_pretty(&list)?)
        }
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
