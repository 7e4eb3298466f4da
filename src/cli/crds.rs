//! `storekeeper crds`: the custom resource definitions.

use super::Failure;
use crate::api::crds;
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Print the custom resource definitions.
#[derive(Args)]
pub struct Options {
    /// How they are printed
    #[arg(long, short, value_enum, default_value_t, env = "STOREKEEPER_OUTPUT")]
    output: Output,
    /// Write one YAML file a kind into this folder instead of printing
    #[arg(long, value_name = "DIR", conflicts_with = "output")]
    directory: Option<PathBuf>,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Output {
    /// A stream of YAML documents
    #[default]
    Yaml,
    /// A List in JSON
    Json,
}

/// Prints the definitions on standard output, or writes them into a folder.
pub fn run(options: &Options) -> Result<(), Failure> {
    let crds = crds::all()?;
    match (&options.directory, options.output) {
        (Some(directory), _) => write_files(directory, &crds)?,
        (None, Output::Yaml) => {
            let documents: Result<Vec<_>, _> = crds.iter().map(serde_yaml::to_string).collect();
            print(&documents?.join("---\n"))?;
        }
        (None, Output::Json) => {
            let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": crds});
            print(&format!("{}\n", serde_json::to_string_pretty(&list)?))?;
        }
    }
    Ok(())
}

fn print(text: &str) -> std::io::Result<()> {
    std::io::stdout().write_all(text.as_bytes())
}

/// `<plural>.yaml` for each definition.
fn write_files(directory: &Path, crds: &[Value]) -> Result<(), Failure> {
    std::fs::create_dir_all(directory)?;
    for crd in crds {
        let plural = crd["spec"]["names"]["plural"].as_str().unwrap_or_default();
        std::fs::write(directory.join(format!("{plural}.yaml")), serde_yaml::to_string(crd)?)?;
    }
    Ok(())
}
