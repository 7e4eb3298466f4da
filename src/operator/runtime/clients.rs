//! The two clients of the API server, and the Secrets in the operator's own namespace that StorageAccounts name.

use super::error::Error;
use super::quiet;
use crate::wire::ShownSecret;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use thiserror::Error as ThisError;
use zeroize::Zeroizing;

/// How long the API server may take for an answer. Watches answer for longer: they notice silence themselves.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// The clients of one API server.
pub struct Clients {
    /// For watches.
    pub watcher: Client,
    /// For reads: tried again where the API server asks for it.
    pub reader: Client,
    /// For writes: one transmission each, whatever comes back. A POST that is sent twice could answer "already exists"
    /// about its own first transmission.
    pub writer: Client,
}

/// Why there is no connection to a cluster.
#[derive(Debug, ThisError)]
pub enum ConnectError {
    /// The file cannot be read.
    #[error("failed to read the kubeconfig")]
    Kubeconfig(#[source] kube::config::KubeconfigError),
    /// Neither a kubeconfig nor a ServiceAccount.
    #[error("failed to find a cluster: no kubeconfig and no ServiceAccount")]
    Nowhere(#[source] Box<kube::config::InferConfigError>),
    /// The configuration makes no client.
    #[error("failed to set up the client of the API server")]
    Client(#[source] Box<kube::Error>),
    /// The cluster does not say who it is.
    #[error("failed to read the namespace 'kube-system', whose uid is the identity of the cluster")]
    Identity(#[source] Box<kube::Error>),
    /// The namespace came without a uid.
    #[error("the namespace 'kube-system' has no uid")]
    NoIdentity,
}

/// Connects by a kubeconfig file, or by what the environment offers.
pub async fn connect(kubeconfig: Option<&Path>, context: Option<&str>) -> Result<Clients, ConnectError> {
    let options = KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let config = match (kubeconfig, context) {
        (Some(path), _) => {
            let file = Kubeconfig::read_from(path).map_err(ConnectError::Kubeconfig)?;
            Config::from_custom_kubeconfig(file, &options).await.map_err(ConnectError::Kubeconfig)?
        }
        (None, Some(_)) => Config::from_kubeconfig(&options).await.map_err(ConnectError::Kubeconfig)?,
        (None, None) => Config::infer().await.map_err(|error| ConnectError::Nowhere(Box::new(error)))?,
    };
    let client = |config| Client::try_from(config).map_err(|error| ConnectError::Client(Box::new(error)));
    let mut reads = config.clone();
    reads.read_timeout = Some(LONGEST_ANSWER);
    reads.reset_reader_on_write = true;
    let mut writes = reads.clone();
    writes.default_retry = false;
    Ok(Clients { watcher: client(config)?, reader: client(reads)?, writer: client(writes)? })
}

/// The identity of the cluster: the uid of its namespace `kube-system`.
pub async fn cluster_id(client: &Client) -> Result<String, ConnectError> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let kube_system =
        namespaces.get("kube-system").await.map_err(|error| ConnectError::Identity(Box::new(error)))?;
    kube_system.metadata.uid.ok_or(ConnectError::NoIdentity)
}

/// A Secret in the operator's own namespace. No `Debug`; its entries are zeroized when dropped.
pub struct OwnSecret {
    /// Its uid and its revision: another one means other bytes.
    pub version: String,
    entries: BTreeMap<String, Zeroizing<Vec<u8>>>,
}

impl OwnSecret {
    /// The bytes of an entry.
    pub fn bytes(&self, entry: &str) -> Option<&[u8]> {
        self.entries.get(entry).map(|bytes| bytes.as_slice())
    }

    /// An entry as text, without white space around it.
    pub fn text(&self, entry: &str) -> Option<ShownSecret> {
        let text = std::str::from_utf8(self.bytes(entry)?).ok()?.trim();
        (!text.is_empty()).then(|| ShownSecret::new(text.to_owned()))
    }
}

impl From<Secret> for OwnSecret {
    fn from(secret: Secret) -> Self {
        let Secret { metadata, data, .. } = secret;
        let part = |text: Option<String>| text.unwrap_or_default();
        Self {
            version: format!("{}/{}", part(metadata.uid), part(metadata.resource_version)),
            entries: data
                .unwrap_or_default()
                .into_iter()
                .map(|(key, value)| (key, Zeroizing::new(value.0)))
                .collect(),
        }
    }
}

/// Reads a Secret of the operator's own namespace; `None` only where it is definitely not there.
pub async fn own_secret(client: &Client, namespace: &str, name: &str) -> Result<Option<OwnSecret>, Error> {
    let uri = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
    match quiet::read::<Secret>(client, &uri, quiet::WHOLE).await {
        Ok(secret) => Ok(secret.map(OwnSecret::from)),
        Err(error) => Err(Error::kube("read the Secret", format!("{namespace}/{name}"), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::OwnSecret;
    use k8s_openapi::ByteString;
    use k8s_openapi::api::core::v1::Secret;

    #[test]
    fn entries_are_read_without_white_space_and_empty_ones_count_as_missing() {
        let data = [("token", " abc\n"), ("empty", " \n")];
        let data = data.map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().to_vec())));
        let secret = OwnSecret::from(Secret { data: Some(data.into()), ..Secret::default() });
        assert!(secret.text("token").is_some_and(|token| token.reveal() == "abc"));
        assert!(secret.text("empty").is_none());
        assert!(secret.text("missing").is_none());
    }
}
