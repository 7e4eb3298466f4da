//! Structured logs on standard error, for people or for machines. The only place that sets up logging.

use clap::ValueEnum;
use thiserror::Error;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Why logging cannot be set up.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("`--log-level` must be a level or a filter such as 'info' or 'storekeeper=debug'")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// Logging is set up already.
    #[error("logging is already set up")]
    Twice(#[source] tracing_subscriber::util::TryInitError),
}

/// Sets up logging for the process: a level or a filter of the `tracing` kind; colours only on a terminal.
pub fn init(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    // s3s calls every refused request an error of the server; the data plane says itself what matters.
    let quiet = if filter.contains("s3s") { "" } else { ",s3s=off" };
    let filter = EnvFilter::try_new(format!("{filter}{quiet}")).map_err(TelemetryError::Filter)?;
    let registry = tracing_subscriber::registry().with(filter);
    let result = match format {
        LogFormat::Text => {
            let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
            registry.with(fmt::layer().with_writer(std::io::stderr).with_ansi(colours)).try_init()
        }
        LogFormat::Json => {
            registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init()
        }
    };
    result.map_err(TelemetryError::Twice)?;
    log_panics();
    Ok(())
}

/// Panics go to the log, with where they happened. What they say goes there only if it is a literal of the source: a
/// message that was put together at run time may quote anything that was in scope.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let said = panic.payload().downcast_ref::<&'static str>();
        let thread = std::thread::current();
        tracing::error!(
            place,
            thread = thread.name().unwrap_or_default(),
            said = said.copied().unwrap_or("its message is withheld: it may quote a secret"),
            "panicked"
        );
    }));
}
