//! `storekeeper openapi`: the management API's document.

use super::Failure;
use crate::server::http::openapi;
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;

/// Print the OpenAPI document of the management API, JSON.
#[derive(Args)]
pub struct Options {
    /// Write it to this file instead of printing
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Prints the document on standard output, or writes it to a file.
pub fn run(options: &Options) -> Result<(), Failure> {
    let text = format!("{}\n", openapi::document().to_pretty_json()?);
    match &options.file {
        Some(file) => std::fs::write(file, text)?,
        None => std::io::stdout().write_all(text.as_bytes())?,
    }
    Ok(())
}
