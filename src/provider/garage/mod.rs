//! The client of Garage's admin API, version 2.
//!
//! Garage has access keys and buckets, and nothing above them. Tenants and users are our own grouping: each is a *marker*, an
//! access key that has expired since long ago, may do nothing, and whose name says what it stands for ([`marks`]). A
//! user's buckets are those that its marker has local aliases for: one by the bucket's name, one that says whose it is.
//! Each key of the user has the same names as aliases of its own, so that two users may both have a bucket `data`.
//!
//! [`transport`] sends and reads, [`api`] is the list of calls with their JSON, [`view`] what two lists show, pure;
//! [`people`], [`keys`] and [`buckets`] are made of these. Secrets are dropped as answers are parsed, and never asked for
//! again. Nothing here knows of custom resources, and nothing is sent twice.

mod api;
mod buckets;
mod calls;
mod keys;
mod marks;
mod people;
#[cfg(test)]
mod tests;
mod transport;
mod view;

use super::Gather;
use super::http::BuildError;
use crate::wire::ShownSecret;
use std::time::Duration;
use transport::Transport;
use view::View;

/// How to reach a Garage cluster. No `Debug`: it holds the token.
#[derive(Clone)]
pub struct Settings {
    /// URL of the admin API, `https://host:port`.
    pub endpoint: String,
    /// An admin token with the scopes that `docs/providers/garage.md` lists.
    pub token: ShownSecret,
    /// The only certificates to trust, PEM. `None`: the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// How long one request may take in all. Nothing of it is sent after that.
    pub timeout: Duration,
}

/// The admin API of one Garage cluster.
pub struct Client {
    transport: Transport,
    /// The two lists that most calls begin with, shared by those that begin at the same time.
    views: Gather<(), View>,
}

impl Client {
    /// A client that has not connected yet.
    pub fn new(settings: Settings) -> Result<Self, BuildError> {
        let Settings { endpoint, token, ca_pem, timeout } = settings;
        Ok(Self {
            transport: Transport::new(&endpoint, &token, ca_pem.as_deref(), timeout)?,
            views: Gather::default(),
        })
    }
}
