//! What the other kinds ask of a tenant: whether it admits a namespace or a permission, and who it is at an account. Pure.
//!
//! The admission policies in `deploy/policies/` refuse the same things in the same words (`tests/admission` compares them).

use crate::api::key::Permission;
use crate::api::{Reason, Tenant};
use crate::operator::runtime::kind::name_of;
use crate::operator::runtime::status::READY;
use crate::operator::runtime::{Blocked, Verdict};
use std::collections::BTreeMap;

/// Where a namespace carries this label, it says which tenant the namespace belongs to.
pub const TENANT_LABEL: &str = "storekeeper.dev/tenant";

/// Whether objects of the namespace may belong to the tenant: it is named, or has all the labels, and its own label, if
/// it has one, agrees.
pub fn admits(tenant: &Tenant, namespace: &str, labels: &BTreeMap<String, String>) -> Result<(), Blocked> {
    let name = name_of(tenant);
    if let Some(other) = labels.get(TENANT_LABEL).filter(|other| *other != name) {
        return Err(Blocked::new(
            Reason::NamespaceNotAllowed,
            format!(
                "Namespace '{namespace}' belongs to Tenant '{other}', as its label {TENANT_LABEL} says, and may not have objects of Tenant '{name}'."
            ),
        ));
    }
    let allowed = &tenant.spec.allowed_namespaces;
    let by_name = allowed.names.iter().any(|allowed| allowed == namespace);
    let by_labels = !allowed.match_labels.is_empty()
        && allowed.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value));
    if by_name || by_labels {
        return Ok(());
    }
    Err(Blocked::new(
        Reason::NamespaceNotAllowed,
        format!(
            "Tenant '{name}' does not admit namespace '{namespace}'. Ask the owner of the Tenant to add it to `spec.allowedNamespaces`."
        ),
    ))
}

/// Whether keys of the tenant may have the permission.
pub fn allows(tenant: &Tenant, permission: Permission) -> Result<(), Blocked> {
    let Some(allowed) = &tenant.spec.allowed_permissions else { return Ok(()) };
    if allowed.contains(&permission) {
        return Ok(());
    }
    let names: Vec<&str> =
        Permission::ALL.into_iter().filter(|known| allowed.contains(known)).map(Permission::as_str).collect();
    let allowed = match names.split_last() {
        None => "no permission at all".to_owned(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    };
    Err(Blocked::new(
        Reason::PermissionNotAllowed,
        format!(
            "Tenant '{}' allows {allowed}; this key asks for {}. Ask the owner of the Tenant to add it to `spec.allowedPermissions`.",
            name_of(tenant),
            permission.as_str()
        ),
    ))
}

/// The tenant's id at an account, once the tenant controller has made it there. It does so for every account that a user
/// of the tenant selects.
pub fn in_account(tenant: &Tenant, account: &str) -> Result<String, Verdict> {
    let status = tenant.status.as_ref();
    let there = status.and_then(|status| status.accounts.iter().find(|entry| entry.name == account));
    if let Some(entry) = there.filter(|entry| entry.ready) {
        return Ok(entry.tenant_id.clone());
    }
    let ready = status.and_then(|status| status.conditions.get(READY));
    let name = name_of(tenant);
    let message = match ready.filter(|ready| ready.status != "True") {
        Some(ready) => format!(
            "Tenant '{name}' is not in account '{account}' yet, and not Ready: {}. Waiting for it; `kubectl describe tenant {name}` says what to do.",
            ready.reason
        ),
        None => format!("Tenant '{name}' is not in account '{account}' yet. Waiting for it."),
    };
    Err(Verdict::waiting(Reason::TenantNotReady, message))
}

#[cfg(test)]
mod tests {
    use super::{TENANT_LABEL, admits, allows, in_account};
    use crate::api::key::Permission;
    use crate::api::tenant::{AllowedNamespaces, TenantAccount};
    use crate::api::{Reason, Tenant, TenantSpec, TenantStatus};
    use crate::operator::runtime::Verdict;
    use std::collections::BTreeMap;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn acme(names: &[&str], match_labels: &[(&str, &str)]) -> Tenant {
        let allowed_namespaces = AllowedNamespaces {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            match_labels: labels(match_labels),
        };
        Tenant::new("acme", TenantSpec { allowed_namespaces, ..TenantSpec::default() })
    }

    #[test]
    fn a_namespace_is_admitted_by_name_or_by_all_labels_and_its_own_label_must_agree() {
        for (names, match_labels, namespace_labels, admitted) in [
            (vec![], vec![], vec![], false),
            (vec!["team-a"], vec![], vec![], true),
            (vec!["team-b"], vec![], vec![], false),
            (vec![], vec![("a", "1"), ("b", "2")], vec![("a", "1"), ("b", "2"), ("c", "3")], true),
            (vec![], vec![("a", "1"), ("b", "2")], vec![("a", "1")], false),
            (vec!["team-a"], vec![], vec![(TENANT_LABEL, "acme")], true),
            (vec!["team-a"], vec![], vec![(TENANT_LABEL, "other")], false),
            (vec![], vec![], vec![(TENANT_LABEL, "acme")], false),
        ] {
            let outcome = admits(&acme(&names, &match_labels), "team-a", &labels(&namespace_labels));
            assert_eq!(outcome.is_ok(), admitted, "{names:?} {match_labels:?} {namespace_labels:?}");
            if let Err(blocked) = outcome {
                assert_eq!(blocked.0, Reason::NamespaceNotAllowed);
            }
        }
    }

    #[test]
    fn permissions_are_all_allowed_unless_a_list_says_otherwise() {
        for (allowed, message) in [
            (None, None),
            (Some(vec![Permission::Full]), None),
            (
                Some(vec![Permission::Write, Permission::Read]),
                Some(
                    "Tenant 'acme' allows Read and Write; this key asks for Full. Ask the owner of the Tenant to add it to `spec.allowedPermissions`.",
                ),
            ),
            (
                Some(vec![]),
                Some(
                    "Tenant 'acme' allows no permission at all; this key asks for Full. Ask the owner of the Tenant to add it to `spec.allowedPermissions`.",
                ),
            ),
        ] {
            let tenant =
                Tenant::new("acme", TenantSpec { allowed_permissions: allowed, ..TenantSpec::default() });
            assert_eq!(allows(&tenant, Permission::Full).err().map(|blocked| blocked.1).as_deref(), message);
        }
    }

    #[test]
    fn the_id_at_an_account_is_known_once_the_tenant_is_ready_there() {
        let mut tenant = acme(&[], &[]);
        let entry =
            |name: &str, ready| TenantAccount { name: name.to_owned(), tenant_id: "tn_1".to_owned(), ready };
        tenant.status = Some(TenantStatus {
            accounts: vec![entry("main", true), entry("half", false)],
            ..TenantStatus::default()
        });
        assert_eq!(in_account(&tenant, "main"), Ok("tn_1".to_owned()));
        for account in ["half", "none"] {
            let refusal = in_account(&tenant, account);
            assert!(matches!(refusal, Err(Verdict::Waiting(Reason::TenantNotReady, _))), "{account}");
        }
    }
}
