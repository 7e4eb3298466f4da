//! The API server, as the kubeconfig says. Every read tells what it may not see from what is not there.

use super::item::{Item, Kind};
use super::options::Connection;
use http::Request;
use kube::api::{DynamicObject, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

/// Why the cluster cannot be asked.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// The kubeconfig cannot be read, or lacks what was named.
    #[error("failed to read the kubeconfig")]
    Kubeconfig(#[source] kube::config::KubeconfigError),
    /// Neither a kubeconfig nor a ServiceAccount.
    #[error("failed to find a cluster: no kubeconfig and no ServiceAccount")]
    Nowhere(#[source] Box<kube::config::InferConfigError>),
    /// The configuration makes no client.
    #[error("failed to set up the client of the API server")]
    Client(#[source] Box<kube::Error>),
    /// A request failed.
    #[error("failed to {op}")]
    Call {
        /// What was asked, as a verb phrase.
        op: String,
        /// Why.
        #[source]
        source: Box<kube::Error>,
    },
}

/// What a read came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read<T> {
    /// It is there.
    Found(T),
    /// It is definitely not there.
    Absent,
    /// The caller may not look.
    Forbidden,
}

/// A connection.
pub struct Cluster {
    client: Client,
    namespace: String,
}

impl Cluster {
    /// Connects as the options say; nothing is sent yet.
    pub async fn connect(connection: &Connection) -> Result<Self, ClusterError> {
        let mut config = config(connection).await?;
        if let Some(namespace) = &connection.namespace {
            config.default_namespace.clone_from(namespace);
        }
        if let Some(user) = &connection.impersonate {
            config.auth_info.impersonate = Some(user.clone());
            config.auth_info.impersonate_groups =
                Some(connection.impersonate_group.clone()).filter(|groups| !groups.is_empty());
        }
        config.read_timeout = Some(connection.request_timeout);
        config.default_retry = false;
        let namespace = config.default_namespace.clone();
        let client = Client::try_from(config).map_err(|error| ClusterError::Client(Box::new(error)))?;
        Ok(Self { client, namespace })
    }

    /// The namespace that was asked for, or the context's.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// All objects of a kind, in one namespace or in all.
    pub async fn list(&self, kind: Kind, namespace: Option<&str>) -> Result<Read<Vec<Item>>, ClusterError> {
        let api = self.api(kind, namespace);
        let op = || format!("list {}", kind.plural());
        let found = read(op, api.list(&ListParams::default()).await)?;
        Ok(found.map(|list| list.items.into_iter().map(|object| Item::of(kind, object)).collect()))
    }

    /// One object.
    pub async fn get(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Read<Item>, ClusterError> {
        let api = self.api(kind, namespace);
        let found = read(|| format!("read {} '{name}'", kind.as_str()), api.get(name).await)?;
        Ok(found.map(|object| Item::of(kind, object)))
    }

    /// Whatever is at a path.
    pub async fn raw(&self, path: &str) -> Result<Read<Value>, ClusterError> {
        self.fetch(path).await
    }

    /// Whatever is at a path, as a type.
    #[allow(clippy::disallowed_methods, reason = "no secret is read here, and nothing logged")]
    pub async fn fetch<T: DeserializeOwned>(&self, path: &str) -> Result<Read<T>, ClusterError> {
        let op = || format!("read '{path}'");
        let request = Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError);
        let answer = match request {
            Ok(request) => self.client.request::<T>(request).await,
            Err(error) => Err(error),
        };
        read(op, answer)
    }

    /// Asks the API server something that it answers and does not keep: a review of rights.
    #[allow(clippy::disallowed_methods, reason = "no secret is read here, and nothing logged")]
    pub async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        question: &impl Serialize,
    ) -> Result<Read<T>, ClusterError> {
        let op = || format!("ask '{path}'");
        let body = serde_json::to_vec(question).map_err(kube::Error::SerdeError);
        let request = body.and_then(|body| {
            let request = Request::post(path).header("Content-Type", "application/json");
            request.body(body).map_err(kube::Error::HttpError)
        });
        let answer = match request {
            Ok(request) => self.client.request::<T>(request).await,
            Err(error) => Err(error),
        };
        read(op, answer)
    }

    /// Sets annotations of one object, as it was read: a change in between is a conflict.
    pub async fn annotate(
        &self,
        item: &Item,
        name: &str,
        value: &str,
        dry_run: bool,
    ) -> Result<(), ClusterError> {
        let api = self.api(item.kind, item.namespace.as_deref());
        let patch = serde_json::json!({
            "metadata": {"resourceVersion": item.resource_version, "annotations": {name: value}},
        });
        let field_manager = Some("kubectl-storekeeper".to_owned());
        let how = kube::api::PatchParams { dry_run, field_manager, ..kube::api::PatchParams::default() };
        let patched = api.patch(&item.name, &how, &kube::api::Patch::Merge(&patch)).await;
        let op = format!("annotate {} '{}'", item.kind.as_str(), item.name);
        patched.map(drop).map_err(|source| ClusterError::Call { op, source: Box::new(source) })
    }

    fn api(&self, kind: Kind, namespace: Option<&str>) -> Api<DynamicObject> {
        let resource = kind.resource();
        match namespace.filter(|_| kind.is_namespaced()) {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        }
    }
}

impl<T> Read<T> {
    /// The same of something made of it.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Read<U> {
        match self {
            Self::Found(found) => Read::Found(change(found)),
            Self::Absent => Read::Absent,
            Self::Forbidden => Read::Forbidden,
        }
    }

    /// What was found.
    pub fn found(self) -> Option<T> {
        match self {
            Self::Found(found) => Some(found),
            Self::Absent | Self::Forbidden => None,
        }
    }
}

async fn config(connection: &Connection) -> Result<Config, ClusterError> {
    let options = KubeConfigOptions {
        context: connection.context.clone(),
        cluster: connection.cluster.clone(),
        user: connection.user.clone(),
    };
    let named = options.context.is_some() || options.cluster.is_some() || options.user.is_some();
    match &connection.kubeconfig {
        Some(path) => {
            let file = Kubeconfig::read_from(path).map_err(ClusterError::Kubeconfig)?;
            Config::from_custom_kubeconfig(file, &options).await.map_err(ClusterError::Kubeconfig)
        }
        None if named => Config::from_kubeconfig(&options).await.map_err(ClusterError::Kubeconfig),
        None => Config::infer().await.map_err(|error| ClusterError::Nowhere(Box::new(error))),
    }
}

fn read<T>(op: impl FnOnce() -> String, answer: Result<T, kube::Error>) -> Result<Read<T>, ClusterError> {
    match answer {
        Ok(found) => Ok(Read::Found(found)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Read::Absent),
        Err(kube::Error::Api(status)) if status.code == 403 => Ok(Read::Forbidden),
        Err(source) => Err(ClusterError::Call { op: op(), source: Box::new(source) }),
    }
}
