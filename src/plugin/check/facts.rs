//! What `read` finds out and `judge` judges. Types only.

use super::roles::Right;
use crate::plugin::cluster::Read;
use crate::plugin::item::Item;
use jiff::Timestamp;
use serde_json::Value;

/// What was found out.
pub struct Facts {
    /// The time.
    pub now: Timestamp,
    /// The namespace that is asked about.
    pub namespace: String,
    /// The version of the API server.
    pub version: Read<String>,
    /// The OpenAPI document of our group, as the API server has it.
    pub schemas: Read<Value>,
    /// Who asks.
    pub me: Option<String>,
    /// What they may do.
    pub rights: Vec<(Right, bool)>,
    /// Who the operator is.
    pub operator: String,
    /// The operator's namespace.
    pub operator_namespace: String,
    /// What it may do.
    pub operator_rights: Read<Vec<(Right, bool)>>,
    /// Its Lease.
    pub lease: Read<Lease>,
    /// All `ValidatingAdmissionPolicies` of the cluster.
    pub policies: Read<Vec<Policy>>,
    /// All their bindings.
    pub bindings: Read<Vec<Binding>>,
    /// All StorageAccounts.
    pub accounts: Read<Vec<Item>>,
    /// The Tenant that the namespace's label names; `None`: it has none.
    pub label: Read<Option<String>>,
    /// That Tenant.
    pub tenant: Option<(String, Read<Item>)>,
}

/// Who leads, and since when it was not heard of.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The operator that holds it; empty: none.
    pub holder: String,
    /// When it was last renewed.
    pub renewed: Option<Timestamp>,
    /// For how long a renewal is good, in seconds.
    pub seconds: i64,
}

/// A policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Whether the API server says that an expression does not fit the types.
    pub is_wrong: bool,
}

/// A binding of a policy.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The policy's name.
    pub policy: String,
    /// Whether it refuses, rather than warns.
    pub denies: bool,
}
