//! Who may do what with the objects of a tenant, as RBAC objects that a person applies: one `RoleBinding` a role and
//! namespace; and, as Kubernetes tells cluster-scoped objects apart by nothing but their names, the names of the tenant's
//! accounts. Pure. The roles themselves are in `deploy/roles/`.

use super::admission::admits;
use crate::api::tenant::Visibility;
use crate::api::{ADMINISTRATOR_TENANT, GROUP, StorageAccount, StorageAccountSpec, Tenant};
use crate::operator::runtime::kind::name_of;
use k8s_openapi::api::core::v1::Namespace;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

const RBAC: &str = "rbac.authorization.k8s.io";
/// The role of global administrators, and the name of their bindings.
const ADMINISTRATOR: &str = "storekeeper-administrator";
/// The role of who manages a tenant.
const TENANT_ADMINISTRATOR: &str = "storekeeper-tenant-administrator";

/// A person, a group or a program, as RBAC names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// `User:NAME`
    User(String),
    /// `Group:NAME`
    Group(String),
    /// `ServiceAccount:NAMESPACE/NAME`
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// A text that names no subject.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be User:NAME, Group:NAME or ServiceAccount:NAMESPACE/NAME")]
pub struct InvalidSubject;

impl FromStr for Subject {
    type Err = InvalidSubject;

    fn from_str(text: &str) -> Result<Self, InvalidSubject> {
        let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty()).ok_or(InvalidSubject)?;
        match kind {
            "User" => Ok(Self::User(name.to_owned())),
            "Group" => Ok(Self::Group(name.to_owned())),
            "ServiceAccount" => match name.split_once('/') {
                Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
                    Ok(Self::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() })
                }
                Some(_) | None => Err(InvalidSubject),
            },
            _ => Err(InvalidSubject),
        }
    }
}

impl Subject {
    fn rendered(&self) -> Value {
        match self {
            Self::User(name) => json!({"apiGroup": RBAC, "kind": "User", "name": name}),
            Self::Group(name) => json!({"apiGroup": RBAC, "kind": "Group", "name": name}),
            Self::ServiceAccount { namespace, name } => {
                json!({"kind": "ServiceAccount", "namespace": namespace, "name": name})
            }
        }
    }
}

/// Who has which role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Global administrators: they see isolated tenants' users, and nothing else of them.
    pub administrators: Vec<Subject>,
    /// Who manages the tenant: its users and accounts, keys and buckets.
    pub tenant_administrators: Vec<Subject>,
    /// Who manages keys and buckets.
    pub full_access: Vec<Subject>,
    /// Who may ask for keys that can only upload.
    pub backup: Vec<Subject>,
    /// Who looks on.
    pub read_only: Vec<Subject>,
}

/// What the tenant has.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// All StorageAccounts.
    pub accounts: Vec<StorageAccount>,
    /// All namespaces; `None`: not known, those that the Tenant names are taken.
    pub namespaces: Option<Vec<Namespace>>,
    /// Secrets of the operator's namespace that new accounts of the tenant may name, beside those that its accounts name.
    pub credentials: Vec<String>,
}

/// The RBAC objects, cluster-scoped ones first.
pub fn render(tenant: &Tenant, around: &Surroundings, people: &People) -> Vec<Value> {
    let People { administrators, tenant_administrators, full_access, backup, read_only } = people;
    let name = name_of(tenant);
    let built_in = name == ADMINISTRATOR_TENANT;
    // Seed: global administrators see the data of public tenants, and not that of isolated ones.
    let seen = built_in || tenant.spec.visibility == Visibility::Public;
    let seeing: &[Subject] = if seen { administrators } else { &[] };
    let managers: Vec<Subject> = tenant_administrators.iter().chain(seeing).cloned().collect();

    let mut objects = Vec::new();
    if built_in {
        objects.extend(binding(name, None, ADMINISTRATOR, ADMINISTRATOR, administrators));
    }
    if !managers.is_empty() {
        let role = format!("storekeeper-accounts-of-{name}");
        objects.push(accounts_role(name, &role, around));
        objects.extend(binding(name, None, &role, &role, &managers));
    }
    for namespace in namespaces(tenant, around.namespaces.as_deref()) {
        let at = Some(namespace.as_str());
        for (binding_name, role, subjects) in [
            (ADMINISTRATOR, TENANT_ADMINISTRATOR, seeing),
            (TENANT_ADMINISTRATOR, TENANT_ADMINISTRATOR, tenant_administrators.as_slice()),
            ("storekeeper-full-access", "storekeeper-full-access", full_access),
            ("storekeeper-backup", "storekeeper-backup", backup),
            ("storekeeper-read-only", "storekeeper-read-only", read_only),
        ] {
            objects.extend(binding(name, at, binding_name, role, subjects));
        }
    }
    objects
}

/// The namespaces that the tenant admits, sorted.
fn namespaces(tenant: &Tenant, known: Option<&[Namespace]>) -> BTreeSet<String> {
    let Some(known) = known else {
        return tenant.spec.allowed_namespaces.names.iter().cloned().collect();
    };
    let unlabelled = BTreeMap::new();
    let admitted = known.iter().filter_map(|namespace| {
        let labels = namespace.metadata.labels.as_ref().unwrap_or(&unlabelled);
        let name = namespace.metadata.name.as_deref()?;
        admits(tenant, name, labels).ok().map(|()| name.to_owned())
    });
    admitted.collect()
}

/// The rights on the accounts of the tenant: those that are its own, and for the built-in tenant also those of none.
fn accounts_role(tenant: &str, role: &str, around: &Surroundings) -> Value {
    let owner = |account: &&StorageAccount| {
        let owner = account.spec.tenant_ref.as_ref().map_or(ADMINISTRATOR_TENANT, |tenant| &tenant.name);
        owner == tenant
    };
    let own: Vec<&StorageAccount> = around.accounts.iter().filter(owner).collect();
    let names: BTreeSet<&str> = own.iter().map(|account| name_of(*account)).collect();
    let credentials: BTreeSet<&str> = own
        .iter()
        .filter_map(|account| credentials_of(&account.spec))
        .chain(around.credentials.iter().map(String::as_str))
        .collect();
    let mut rules = vec![
        json!({"apiGroups": [GROUP], "resources": ["tenants"], "resourceNames": [tenant], "verbs": ["connect"]}),
        // Which tenant a new account is for is asked by the policy account-connect.storekeeper.dev.
        json!({"apiGroups": [GROUP], "resources": ["storageaccounts"], "verbs": ["create"]}),
    ];
    // A rule with an empty list of names would be one for all of them.
    if !names.is_empty() {
        rules.push(json!({
            "apiGroups": [GROUP], "resources": ["storageaccounts"], "resourceNames": names,
            "verbs": ["get", "list", "watch", "update", "patch", "delete"],
        }));
    }
    if !credentials.is_empty() {
        rules.push(json!({
            "apiGroups": [GROUP], "resources": ["credentials"], "resourceNames": credentials, "verbs": ["use"],
        }));
    }
    json!({
        "apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRole",
        "metadata": {"name": role, "labels": labels(tenant)},
        "rules": rules,
    })
}

fn credentials_of(spec: &StorageAccountSpec) -> Option<&str> {
    let provider = &spec.provider;
    let management = provider.management.as_ref().map(|to| &to.credentials_secret_ref);
    let ceph_rgw = provider.ceph_rgw.as_ref().map(|to| &to.credentials_secret_ref);
    let garage = provider.garage.as_ref().map(|to| &to.credentials_secret_ref);
    management.or(ceph_rgw).or(garage).map(|secret| secret.name.as_str())
}

/// A binding, unless it would bind nobody.
fn binding(
    tenant: &str,
    namespace: Option<&str>,
    name: &str,
    role: &str,
    subjects: &[Subject],
) -> Option<Value> {
    let mut metadata = json!({"name": name, "labels": labels(tenant)});
    let kind = match namespace {
        Some(namespace) => {
            metadata["namespace"] = json!(namespace);
            "RoleBinding"
        }
        None => "ClusterRoleBinding",
    };
    (!subjects.is_empty()).then(|| {
        json!({
            "apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": metadata,
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
            "subjects": subjects.iter().map(Subject::rendered).collect::<Vec<_>>(),
        })
    })
}

fn labels(tenant: &str) -> Value {
    json!({"app.kubernetes.io/name": "storekeeper", "storekeeper.dev/roles-of": tenant})
}

#[cfg(test)]
mod tests;
