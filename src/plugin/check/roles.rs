//! What whom needs, as the files of `deploy/` say that give it to them. Pure.

use k8s_openapi::api::rbac::v1::PolicyRule;
use serde::Deserialize;
use thiserror::Error;

/// One thing that somebody may do or not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Right {
    /// API group.
    pub group: String,
    /// Resource, with its subresource if it has one: `tenants/status`.
    pub resource: String,
    /// Name of the object; `None`: any.
    pub name: Option<String>,
    /// Verb.
    pub verb: String,
    /// Namespace; `None`: the whole cluster.
    pub namespace: Option<String>,
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` {}", self.verb, self.resource)?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, "/{name}"))
    }
}

/// The files cannot be read: a bug of this build.
#[derive(Debug, Error)]
#[error("failed to read the rules of '{name}' that this program was built with")]
pub struct BuiltIn {
    name: &'static str,
    #[source]
    source: serde_yaml::Error,
}

/// A role of people, or what else somebody may need.
struct Role {
    /// As the command line has it.
    name: &'static str,
    /// What it lets somebody do.
    what: &'static str,
    /// The file that gives it.
    file: &'static str,
    /// Whether it is given for the whole cluster.
    everywhere: bool,
}

const ROLES: [Role; 5] = [
    Role {
        name: "read-only",
        what: "ReadOnly: look at keys and buckets",
        file: include_str!("../../../deploy/roles/read-only.yaml"),
        everywhere: false,
    },
    Role {
        name: "backup",
        what: "Backup: make keys that can only upload",
        file: include_str!("../../../deploy/roles/backup.yaml"),
        everywhere: false,
    },
    Role {
        name: "full-access",
        what: "FullAccess: manage keys and buckets",
        file: include_str!("../../../deploy/roles/full-access.yaml"),
        everywhere: false,
    },
    Role {
        name: "tenant-administrator",
        what: "TenantAdministrator: manage users, keys and buckets",
        file: include_str!("../../../deploy/roles/tenant-administrator.yaml"),
        everywhere: false,
    },
    Role {
        name: "administrator",
        what: "Administrator: manage tenants and all users",
        file: include_str!("../../../deploy/roles/administrator.yaml"),
        everywhere: true,
    },
];

/// What `storekeeper roles` gives the administrators of a tenant beside their role.
const ACCOUNTS: (&str, &str) =
    ("accounts", "StorageAccounts of the namespace's Tenant: make and change them");

const OPERATOR: &str = include_str!("../../../deploy/rbac/role.yaml");

/// Verbs on Secrets that the operator must not have.
const TOO_MUCH: [&str; 4] = ["update", "patch", "list", "watch"];

/// The roles, as the command line has them.
pub fn names() -> Vec<&'static str> {
    ROLES.iter().map(|role| role.name).chain([ACCOUNTS.0]).collect()
}

/// What a role is for, and what it needs in a namespace of a tenant; `None`: there is no such role.
pub fn needs(
    name: &str,
    namespace: &str,
    tenant: Option<&str>,
) -> Result<Option<(&'static str, Vec<Right>)>, BuiltIn> {
    if name == ACCOUNTS.0 {
        let right = |resource: &str, verb: &str, name: Option<&str>| Right {
            group: crate::api::GROUP.to_owned(),
            resource: resource.to_owned(),
            name: name.map(str::to_owned),
            verb: verb.to_owned(),
            namespace: None,
        };
        let rights = vec![right("storageaccounts", "create", None), right("tenants", "connect", tenant)];
        return Ok(Some((ACCOUNTS.1, rights)));
    }
    let Some(role) = ROLES.iter().find(|role| role.name == name) else { return Ok(None) };
    let mut rights = Vec::new();
    for (_, rules) in rules(role.name, role.file)? {
        rights.extend(expanded(&rules, (!role.everywhere).then_some(namespace)));
    }
    // A policy asks for this Tenant by name.
    for right in rights.iter_mut().filter(|right| right.verb == "use") {
        right.name = tenant.map(str::to_owned);
    }
    Ok(Some((role.what, rights)))
}

/// What the operator needs in a namespace that it looks after, and in its own.
pub fn of_operator(namespace: &str, own: &str) -> Result<Vec<Right>, BuiltIn> {
    let mut rights = Vec::new();
    for (kind, rules) in rules("storekeeper", OPERATOR)? {
        let place = if kind == "Role" { own } else { namespace };
        let cluster_scoped = |right: &Right| {
            let resource = right.resource.split('/').next().unwrap_or_default();
            matches!(resource, "storageaccounts" | "tenants" | "namespaces")
        };
        rights.extend(
            expanded(&rules, Some(place))
                .into_iter()
                .map(|right| if cluster_scoped(&right) { Right { namespace: None, ..right } } else { right }),
        );
    }
    Ok(rights)
}

/// What the operator must not be able to do in a namespace.
pub fn not_of_operator(namespace: &str) -> Vec<Right> {
    let right = |verb: &str| Right {
        group: String::new(),
        resource: "secrets".to_owned(),
        name: None,
        verb: verb.to_owned(),
        namespace: Some(namespace.to_owned()),
    };
    TOO_MUCH.into_iter().map(right).collect()
}

/// The rules of all roles in a file, each with its kind.
fn rules(name: &'static str, text: &str) -> Result<Vec<(String, Vec<PolicyRule>)>, BuiltIn> {
    #[derive(Deserialize)]
    struct Document {
        kind: String,
        #[serde(default)]
        rules: Vec<PolicyRule>,
    }
    let documents = serde_yaml::Deserializer::from_str(text).map(Document::deserialize);
    let read = documents.map(|document| document.map(|document| (document.kind, document.rules)));
    read.collect::<Result<Vec<_>, _>>().map_err(|source| BuiltIn { name, source })
}

fn expanded(rules: &[PolicyRule], namespace: Option<&str>) -> Vec<Right> {
    let mut rights = Vec::new();
    for rule in rules {
        let groups = rule.api_groups.as_deref().unwrap_or_default();
        let resources = rule.resources.as_deref().unwrap_or_default();
        let named: Vec<Option<String>> = match rule.resource_names.as_deref() {
            None | Some([]) => vec![None],
            Some(names) => names.iter().cloned().map(Some).collect(),
        };
        for (group, resource) in groups.iter().flat_map(|group| resources.iter().map(move |one| (group, one)))
        {
            for (name, verb) in named.iter().flat_map(|name| rule.verbs.iter().map(move |verb| (name, verb)))
            {
                rights.push(Right {
                    group: group.clone(),
                    resource: resource.clone(),
                    name: name.clone(),
                    verb: verb.clone(),
                    namespace: namespace.map(str::to_owned),
                });
            }
        }
    }
    rights
}
