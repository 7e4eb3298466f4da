//! The client of storekeeper's own management API: one account of one management server.
//!
//! [`transport`] sends and reads, [`failure`] tells what a refusal proves, [`convert`] translates between the wire's
//! words and the provider's, [`marks`] writes and reads the labels that say whose something is, and [`calls`] is the
//! list of calls. Nothing here decides anything about a custom resource, and nothing here sends a request twice.

mod calls;
mod convert;
mod failure;
mod marks;
mod transport;

#[cfg(test)]
mod tests;

use super::http::BuildError;
use crate::wire::ShownSecret;
use std::time::Duration;
use tokio::sync::OnceCell;
use transport::Transport;

/// How to reach one account of a management server. No `Debug`: it holds the token.
#[derive(Clone)]
pub struct Settings {
    /// URL of the management API, `https://host:port`.
    pub endpoint: String,
    /// API token with the scopes `read`, `write` and `keys:write`.
    pub token: ShownSecret,
    /// The only certificates to trust, PEM. `None`: the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// The Account ID, 12 digits. `None`: the account that the server has as the default, else the only one that the
    /// token may see.
    pub account_id: Option<String>,
    /// How long one call may take in all. Nothing of a request is sent after it.
    pub timeout: Duration,
}

/// The management API of one account. Cheap calls share connections; making a key has a connection of its own.
pub struct Client {
    transport: Transport,
    named_account: Option<String>,
    account: OnceCell<String>,
}

impl Client {
    /// A client that has not connected yet.
    pub fn new(settings: Settings) -> Result<Self, BuildError> {
        let Settings { endpoint, token, ca_pem, account_id, timeout } = settings;
        let transport = Transport::new(&endpoint, &token, ca_pem.as_deref(), timeout)?;
        Ok(Self { transport, named_account: account_id, account: OnceCell::new() })
    }
}
