//! Tenants: names, patches, and what keeps one from being deleted.

use super::access::TenantFacts;
use super::{Refusal, fields};
use crate::wire::{TenantCreate, TenantItem, TenantPatch};
use jiff::Timestamp;

/// The tenant that is built in: its accounts are shared by all tenants, and only its users are global administrators.
pub const ADMINISTRATOR: &str = "administrator";

/// What hangs on a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hanging {
    /// Users, Root users of its accounts not counted.
    pub users: u64,
    /// Accounts.
    pub accounts: u64,
    /// Jobs on buckets of its users.
    pub jobs: u64,
}

/// What the matrix needs of a tenant.
pub fn facts(tenant: &TenantItem) -> TenantFacts {
    TenantFacts { id: tenant.id.clone(), visibility: tenant.visibility, built_in: tenant.built_in }
}

/// A new tenant.
pub fn create(id: String, wish: TenantCreate, now: Timestamp) -> Result<TenantItem, Refusal> {
    let TenantCreate { name, visibility, description, quota, labels } = wish;
    fields::name("name", &name)?;
    fields::text("description", &description)?;
    fields::labels(&labels)?;
    Ok(TenantItem { id, name, visibility, description, quota, labels, built_in: false, created_at: now })
}

/// A tenant after a patch.
pub fn patch(before: TenantItem, patch: TenantPatch) -> Result<TenantItem, Refusal> {
    let TenantPatch { visibility, description, quota, labels } = patch;
    let after = TenantItem {
        visibility: visibility.unwrap_or(before.visibility),
        description: description.unwrap_or(before.description),
        quota: quota.unwrap_or(before.quota),
        labels: labels.unwrap_or(before.labels),
        ..before
    };
    fields::text("description", &after.description)?;
    fields::labels(&after.labels)?;
    Ok(after)
}

/// Rules 11 and 12: a tenant with users, accounts or jobs is not deleted.
pub fn delete(tenant: &TenantItem, hanging: Hanging) -> Result<(), Refusal> {
    let Hanging { users, accounts, jobs } = hanging;
    let counts = [(users, "users"), (accounts, "accounts"), (jobs, "jobs")];
    Refusal::in_use(&format!("tenant '{}'", tenant.name), &counts).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::{Hanging, create, delete, patch};
    use crate::wire::{ProblemType, TenantCreate, TenantPatch, Visibility};
    use jiff::Timestamp;

    fn wish() -> TenantCreate {
        serde_json::from_value(serde_json::json!({"name": "acme", "description": "d", "labels": {"a": "b"}}))
            .unwrap()
    }

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let tenant = create("tn_1".to_owned(), wish(), Timestamp::UNIX_EPOCH).unwrap();
        let same = patch(tenant.clone(), TenantPatch::default()).unwrap();
        assert_eq!(same, tenant);
        let isolated = TenantPatch { visibility: Some(Visibility::Isolated), ..TenantPatch::default() };
        let after = patch(tenant.clone(), isolated).unwrap();
        assert_eq!(after.visibility, Visibility::Isolated);
        assert_eq!(after.labels, tenant.labels);
    }

    #[test]
    fn rules_11_and_12_a_tenant_with_users_accounts_or_jobs_is_not_deleted() {
        let tenant = create("tn_1".to_owned(), wish(), Timestamp::UNIX_EPOCH).unwrap();
        for (users, accounts, jobs, good) in
            [(0, 0, 0, true), (1, 0, 0, false), (0, 1, 0, false), (0, 0, 1, false), (2, 3, 4, false)]
        {
            let result = delete(&tenant, Hanging { users, accounts, jobs });
            assert_eq!(
                result.as_ref().map_err(|r| r.kind),
                if good { Ok(&()) } else { Err(ProblemType::InUse) }
            );
        }
    }
}
