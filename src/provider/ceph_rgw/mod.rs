//! The client of Ceph's object gateway, by its Admin Ops API.
//!
//! Pure: [`names`] says how everything is called there, [`record`] what is written down for us, [`policy`] what a key may do,
//! [`wire`] what the gateway answers, without its secrets, [`draft`] what is written back to it, [`failure`] what a refusal
//! proves, [`sign`] the signature. Requests: [`transport`] sends, [`admin`] and [`s3`] are the list of requests. [`keys`], [`users`], [`tenants`] and
//! [`buckets`] make of them the calls of the provider, which are in [`calls`]; [`turns`] lets changes of one RGW user wait
//! for each other, and [`memory`] saves questions. Nothing here decides anything about a custom resource.

mod admin;
mod buckets;
mod calls;
mod describe;
mod draft;
mod failure;
mod keys;
mod memory;
mod names;
mod policy;
mod record;
mod s3;
mod sign;
mod tenants;
mod transport;
mod turns;
mod users;
mod wire;

pub use crate::provider::http::BuildError;
use crate::wire::ShownSecret;
use admin::Admin;
use memory::Memory;
use sign::Credentials;
use std::time::Duration;
use transport::Transport;
use turns::Turns;

/// The region that gateways take where none is configured.
const REGION: &str = "default";

/// How to reach a gateway. No `Debug`: it holds a secret.
#[derive(Clone)]
pub struct Settings {
    /// URL of the gateway, `https://host:port`.
    pub endpoint: String,
    /// The id of the operator's key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: ShownSecret,
    /// The region that requests are signed for; `None`: `default`.
    pub region: Option<String>,
    /// The only certificates to trust, PEM. `None`: the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// How long one call may take in all.
    pub timeout: Duration,
}

/// One gateway.
pub struct Client {
    admin: Admin,
    /// Of those who change an RGW user.
    turns: Turns,
    /// Of those who look at an owner: one asks, the others find what it has noted.
    looks: Turns,
    memory: Memory,
    timeout: Duration,
}

impl Client {
    /// A client that has not connected yet.
    pub fn new(settings: Settings) -> Result<Self, BuildError> {
        let Settings { endpoint, access_key, secret_key, region, ca_pem, timeout } = settings;
        let graphic = access_key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
        if access_key.is_empty() || !graphic || secret_key.reveal().is_empty() {
            return Err(BuildError::Credentials);
        }
        let region = region.unwrap_or_else(|| REGION.to_owned());
        let transport = Transport::new(&endpoint, region, ca_pem.as_deref(), timeout)?;
        let admin = Admin { transport, credentials: Credentials { access_key, secret_key } };
        Ok(Self {
            admin,
            turns: Turns::default(),
            looks: Turns::default(),
            memory: Memory::default(),
            timeout,
        })
    }
}
