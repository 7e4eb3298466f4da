//! `storekeeper server`: the management server with its S3 endpoint.

use super::Failure;
use crate::telemetry::{self, LogFormat};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Run the management server: tenants, accounts, users, keys and buckets over HTTPS, and S3.
#[derive(Args)]
pub struct Options {
    /// Folder of the database, the key file and the objects' data; made if it is not there
    #[arg(long, value_name = "DIR", env = "STOREKEEPER_DATA_DIR")]
    data_dir: PathBuf,
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

/// Runs the server until SIGTERM or SIGINT.
pub fn run(options: Options) -> Result<(), Failure> {
    telemetry::init(options.log_format, &options.log_level)?;
    Ok(())
}
