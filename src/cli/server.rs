//! `storekeeper server`: the management server with its S3 endpoint.

use super::Failure;
use super::server_maintenance::{self, Maintenance};
use crate::server::http::{BODY_TIME, Settings};
use crate::server::{self, FirstStart, Patience, ServeOptions};
use crate::telemetry::{self, LogFormat};
use clap::Args;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::signal::unix::{SignalKind, signal};

/// Run the management server, or work on its data folder.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Command {
    #[command(subcommand)]
    maintenance: Option<Maintenance>,
    #[command(flatten)]
    options: Options,
}

/// Run the management server: tenants, accounts, users, keys and buckets over HTTPS, and S3.
#[derive(Args)]
pub struct Options {
    /// Folder of the database, the key file and the objects' data; made if it is not there
    #[arg(long, required = true, value_name = "DIR", env = "STOREKEEPER_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Address of the management API
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443", env = "STOREKEEPER_LISTEN")]
    listen: SocketAddr,
    /// Address of the S3 endpoint
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8444", env = "STOREKEEPER_S3_LISTEN")]
    s3_listen: SocketAddr,
    /// Certificate chain for both addresses, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key", env = "STOREKEEPER_TLS_CERT")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", env = "STOREKEEPER_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// Serve without TLS on addresses other than loopback
    #[arg(long, env = "STOREKEEPER_INSECURE_LISTEN")]
    insecure_listen: bool,
    /// Region that S3 clients sign for
    #[arg(long, default_value = "storekeeper", env = "STOREKEEPER_REGION")]
    region: String,
    /// File with the password of the login `administrator`, for the first start; without it one is made up and printed once
    #[arg(long, value_name = "FILE", env = "STOREKEEPER_ADMIN_PASSWORD_FILE")]
    admin_password_file: Option<PathBuf>,
    /// Honour `Idempotency-Key`: repeat the first answer for 24 hours, new secrets included
    #[arg(long, env = "STOREKEEPER_IDEMPOTENCY_KEYS")]
    idempotency_keys: bool,
    /// Management requests a second that one token may make; 0: any number
    #[arg(long, value_name = "NUMBER", default_value_t = 200, env = "STOREKEEPER_RATE_LIMIT")]
    rate_limit: u32,
    /// How log lines look
    #[arg(long, value_enum, default_value_t, env = "STOREKEEPER_LOG_FORMAT")]
    log_format: LogFormat,
    /// Level or filter of log lines, such as `info` or `storekeeper=debug`
    #[arg(long, value_name = "FILTER", default_value = "info", env = "STOREKEEPER_LOG_LEVEL")]
    log_level: String,
}

/// Runs the server until SIGTERM or SIGINT, or the work on its data folder to its end.
pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command { maintenance: Some(what), options: _ } => server_maintenance::run(what),
        Command { maintenance: None, options } => serve(options),
    }
}

fn serve(options: Options) -> Result<(), Failure> {
    let Options {
        data_dir,
        listen,
        s3_listen,
        tls_cert,
        tls_key,
        insecure_listen,
        region,
        admin_password_file,
        idempotency_keys,
        rate_limit,
        log_format,
        log_level,
    } = options;
    let data_dir = data_dir.ok_or("`--data-dir` must be given")?;
    telemetry::init(log_format, &log_level)?;
    let told = data_dir.clone();
    let tls = tls_cert.zip(tls_key);
    let options = ServeOptions {
        data_dir,
        listen,
        s3_listen,
        insecure_listen,
        admin_password_file,
        settings: Settings { region, idempotency_keys, rate_limit, tls: tls.is_some(), body_time: BODY_TIME },
        tls,
        patience: Patience::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = stop_signal()?;
        server::serve(options, stop, |first| tell(first, &told)).await?;
        Ok(())
    })
}

/// Done when the process is told to stop.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Says, once in the life of a data folder, how to sign in and what to keep.
#[allow(clippy::print_stdout)]
fn tell(first: &FirstStart, data: &Path) {
    let password = match &first.generated_password {
        Some(password) => format!("{}   (shown once; change it soon)", password.reveal()),
        None => "as in the password file".to_owned(),
    };
    println!("First start of the management server");
    println!("  login      {}", first.login);
    println!("  password   {password}");
    println!("  account    {}", first.account_id);
    println!("  data       {}", data.display());
    println!(
        "  key file   {}   (back it up apart from the data: without it no secret can be read)",
        data.join("storekeeper.key").display()
    );
}
