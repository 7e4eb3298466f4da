//! `storekeeper roles`: the RBAC objects that give people their roles in a tenant.

use super::Failure;
use crate::api::Tenant;
use crate::operator::tenant::bindings::{People, Subject, Surroundings, render};
use clap::Args;
use k8s_openapi::api::core::v1::Namespace;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Print the RBAC objects that give people their roles in a tenant.
///
/// Nothing is applied. What the tenant has is read from what kubectl prints:
///
/// kubectl get tenants,storageaccounts,namespaces -o yaml | storekeeper roles --tenant acme --full-access Group:devs
///
/// A subject is User:NAME, Group:NAME or ServiceAccount:NAMESPACE/NAME. Each option may be repeated.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Options {
    /// The tenant; `administrator` for the global administrators and the accounts of no tenant
    #[arg(long, value_name = "NAME", env = "STOREKEEPER_TENANT")]
    tenant: String,
    /// File with the Tenant, the StorageAccounts and the Namespaces, as YAML or JSON; `-` is standard input
    #[arg(long, short, value_name = "FILE", default_value = "-", env = "STOREKEEPER_FILE")]
    file: PathBuf,
    #[command(flatten)]
    subjects: Subjects,
    /// Secret of the operator's namespace that new accounts of the tenant may name
    #[arg(long, value_name = "SECRET", env = "STOREKEEPER_CREDENTIALS", value_delimiter = ',')]
    credentials: Vec<String>,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct Subjects {
    /// Global administrator: sees and manages public tenants, and of isolated ones the users
    #[arg(long, value_name = "SUBJECT", env = "STOREKEEPER_ADMINISTRATOR", value_delimiter = ',')]
    administrator: Vec<Subject>,
    /// Manages the tenant: its users, accounts, keys and buckets
    #[arg(long, value_name = "SUBJECT", env = "STOREKEEPER_TENANT_ADMINISTRATOR", value_delimiter = ',')]
    tenant_administrator: Vec<Subject>,
    /// Manages keys and buckets
    #[arg(long, value_name = "SUBJECT", env = "STOREKEEPER_FULL_ACCESS", value_delimiter = ',')]
    full_access: Vec<Subject>,
    /// Makes keys that can only upload
    #[arg(long, value_name = "SUBJECT", env = "STOREKEEPER_BACKUP", value_delimiter = ',')]
    backup: Vec<Subject>,
    /// Looks at keys and buckets
    #[arg(long, value_name = "SUBJECT", env = "STOREKEEPER_READ_ONLY", value_delimiter = ',')]
    read_only: Vec<Subject>,
}

#[derive(Debug, thiserror::Error)]
enum RolesError {
    #[error("failed to read '{name}'")]
    File { name: String, source: std::io::Error },
    #[error("failed to read what was given as YAML or JSON")]
    Format(#[source] serde_yaml::Error),
    #[error("failed to read {kind} '{name}'")]
    Object { kind: String, name: String, source: serde_json::Error },
    #[error(
        "no Tenant '{0}' in what was given: pass what `kubectl get tenants,storageaccounts,namespaces -o yaml` prints"
    )]
    NoTenant(String),
}

/// Prints the objects on standard output.
pub fn run(options: Options) -> Result<(), Failure> {
    let Options { tenant: name, file, subjects, credentials } = options;
    let Subjects { administrator, tenant_administrator, full_access, backup, read_only } = subjects;
    let given = parse(&read(&file)?)?;
    let tenants: Vec<Tenant> = of_kind(&given, "Tenant")?;
    let tenant = tenants.into_iter().find(|tenant| tenant.metadata.name.as_deref() == Some(name.as_str()));
    let tenant = tenant.ok_or(RolesError::NoTenant(name))?;
    let namespaces: Vec<Namespace> = of_kind(&given, "Namespace")?;
    let around = Surroundings {
        accounts: of_kind(&given, "StorageAccount")?,
        namespaces: (!namespaces.is_empty()).then_some(namespaces),
        credentials,
    };
    let people = People {
        administrators: administrator,
        tenant_administrators: tenant_administrator,
        full_access,
        backup,
        read_only,
    };
    let documents: Result<Vec<String>, _> =
        render(&tenant, &around, &people).iter().map(serde_yaml::to_string).collect();
    std::io::stdout().write_all(documents?.join("---\n").as_bytes())?;
    Ok(())
}

fn read(file: &Path) -> Result<String, RolesError> {
    let failed = |source| RolesError::File { name: file.display().to_string(), source };
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(failed)?;
        return Ok(text);
    }
    std::fs::read_to_string(file).map_err(failed)
}

/// The objects of all documents, those of lists included.
fn parse(text: &str) -> Result<Vec<Value>, RolesError> {
    let mut objects = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let mut object = Value::deserialize(document).map_err(RolesError::Format)?;
        match object.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => objects.extend(items),
            Some(_) | None => objects.push(object),
        }
    }
    Ok(objects)
}

fn of_kind<T: DeserializeOwned>(objects: &[Value], kind: &str) -> Result<Vec<T>, RolesError> {
    let parsed = |object: &Value| {
        serde_json::from_value(object.clone()).map_err(|source| {
            let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            RolesError::Object { kind: kind.to_owned(), name, source }
        })
    };
    objects.iter().filter(|object| object["kind"] == kind).map(parsed).collect()
}
