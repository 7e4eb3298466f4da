//! The objects that a schedule begins with.

use crate::plan::Plan;
use crate::world::{NAME, NAMESPACE};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::PartialObjectMeta;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};
use storekeeper::api::{StorageAccount, StorageUser, Tenant};

/// What an AccessKey refers to, as watches have it.
pub struct Around {
    pub account: Arc<StorageAccount>,
    pub tenant: Arc<Tenant>,
    pub user: Arc<StorageUser>,
    pub user_not_ready: Arc<StorageUser>,
    pub namespace: Arc<PartialObjectMeta<Namespace>>,
}

pub static AROUND: LazyLock<Around> = LazyLock::new(|| Around {
    account: read(json!({
        "metadata": meta("main", None),
        "spec": {
            "provider": {"management": {"endpoint": "https://memory.example", "credentialsSecretRef": {"name": "token"}}},
            "s3": {"endpoint": "https://s3.example", "region": "eu-1"},
        },
        "status": {"observedGeneration": 1, "conditions": ready("True")},
    })),
    tenant: read(json!({
        "metadata": meta("acme", None),
        "spec": {"allowedNamespaces": {"names": [NAMESPACE]}},
        "status": {"observedGeneration": 1, "conditions": ready("True"),
            "accounts": [{"name": "main", "tenantId": "tn_1", "ready": true}]},
    })),
    user: user("True"),
    user_not_ready: user("False"),
    namespace: read(json!({ "metadata": meta(NAMESPACE, None) })),
});

fn user(is_ready: &str) -> Arc<StorageUser> {
    read(json!({
        "metadata": meta("backup", Some(NAMESPACE)),
        "spec": {"tenantRef": {"name": "acme"}},
        "status": {"observedGeneration": 1, "conditions": ready(is_ready), "userId": crate::vault::USER,
            "login": "team_backup", "account": "main", "tenant": "acme"},
    }))
}

fn meta(name: &str, namespace: Option<&str>) -> Value {
    json!({"name": name, "namespace": namespace, "uid": format!("uid-{name}"), "generation": 1,
        "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z"})
}

fn ready(status: &str) -> Value {
    let reason = if status == "True" { "Ready" } else { "Progressing" };
    json!([{"type": "Ready", "status": status, "reason": reason, "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z"}])
}

/// `apiVersion` and `kind` are added by the type itself, where it has them.
fn read<K: DeserializeOwned>(mut object: Value) -> Arc<K> {
    object["apiVersion"] = json!("storekeeper.dev/v1alpha1");
    object["kind"] = json!("Any");
    Arc::new(serde_json::from_value(object).unwrap())
}

/// The AccessKey, as a person applies it.
pub fn access_key(plan: &Plan) -> Value {
    json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": "AccessKey", "metadata": {"name": NAME},
        "spec": {
            "userRef": {"name": "backup"}, "permission": "ReadWrite",
            "onSecretLoss": if plan.reissue { "Reissue" } else { "Block" },
            "deletionPolicy": if plan.retain { "Retain" } else { "Delete" },
        },
        "status": {"observedGeneration": -1},
    })
}

/// A Secret that somebody else made.
pub fn foreign_secret() -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME}, "data": {"mine": "eA=="}})
}
