//! Accounts: whom they take, which one is the default, and their Root user (rule 1).
//!
//! An account of the built-in tenant is shared: users of any tenant may be in it. An account of another tenant takes
//! users of that tenant only.

use super::access::TenantFacts;
use super::{Refusal, fields};
use crate::wire::{AccountCreate, AccountItem, AccountPatch, Quota, Role, Usage, UserItem};
use jiff::Timestamp;

/// What hangs on an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hanging {
    /// Users, its Root user not counted.
    pub users: u64,
    /// Buckets of its Root user.
    pub root_buckets: u64,
    /// Jobs on buckets of its users.
    pub jobs: u64,
}

/// What keeps an account in its tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pinned {
    /// Those of its users (its Root user aside) that the new tenant's accounts do not take.
    pub foreign_users: u64,
    /// Jobs on buckets of its users.
    pub jobs: u64,
}

/// Whether users of a tenant may be in an account of a tenant.
pub fn takes(account_tenant: &TenantFacts, user_tenant: &str) -> bool {
    account_tenant.built_in || account_tenant.id == user_tenant
}

/// The same as a rule.
pub fn check_takes(account: &str, account_tenant: &TenantFacts, user_tenant: &str) -> Result<(), Refusal> {
    if takes(account_tenant, user_tenant) {
        return Ok(());
    }
    Err(Refusal::field("accountId", format!("account '{account}' is assigned to another tenant")))
}

/// A new account.
pub fn create(
    id: String,
    root_user_id: String,
    wish: AccountCreate,
    now: Timestamp,
) -> Result<AccountItem, Refusal> {
    let AccountCreate { name, tenant_id, description } = wish;
    fields::name("name", &name)?;
    fields::text("description", &description)?;
    let usage = Usage { access_keys: 1, ..Usage::default() };
    Ok(AccountItem { id, name, tenant_id, description, default: false, root_user_id, usage, created_at: now })
}

/// The Root user of an account: it cannot sign in, and has one Full key.
pub fn root_user(account: &AccountItem) -> UserItem {
    UserItem {
        id: account.root_user_id.clone(),
        login: format!("root-{}", account.id),
        name: "Root user".to_owned(),
        email: String::new(),
        time_zone: "UTC".to_owned(),
        role: Role::FullAccess,
        tenant_id: account.tenant_id.clone(),
        account_id: account.id.clone(),
        enabled: true,
        root: true,
        description: format!("Root user of account '{}'", account.name),
        quota: Quota::default(),
        labels: crate::wire::Labels::new(),
        usage: Usage::default(),
        created_at: account.created_at,
    }
}

/// An account after a patch. Rule 11: one that is used in jobs does not change its tenant.
pub fn patch(
    before: AccountItem,
    patch: AccountPatch,
    global_administrator: bool,
    pinned: Pinned,
) -> Result<AccountItem, Refusal> {
    let AccountPatch { tenant_id, description, default } = patch;
    if default.is_some() && !global_administrator {
        return Err(Refusal::forbidden("only a global administrator chooses the default account"));
    }
    if default == Some(false) && before.default {
        return Err(Refusal::built_in("there must be a default account: make another one the default"));
    }
    let tenant_id = tenant_id.unwrap_or_else(|| before.tenant_id.clone());
    if tenant_id != before.tenant_id {
        if !global_administrator {
            return Err(Refusal::forbidden("only a global administrator moves an account to another tenant"));
        }
        let what = format!("account '{}'", before.id);
        let Pinned { foreign_users, jobs } = pinned;
        let counts = [(foreign_users, "users of other tenants"), (jobs, "jobs")];
        if let Some(refusal) = Refusal::in_use(&what, &counts) {
            return Err(refusal);
        }
    }
    let after = AccountItem {
        tenant_id,
        description: description.unwrap_or(before.description),
        default: before.default || default == Some(true),
        ..before
    };
    fields::text("description", &after.description)?;
    Ok(after)
}

/// Rules 11 and 12: the default account is never deleted, nor one with users or jobs, nor one whose Root user has
/// buckets.
pub fn delete(account: &AccountItem, hanging: Hanging) -> Result<(), Refusal> {
    if account.default {
        return Err(Refusal::built_in("the default account is not deleted: make another one the default"));
    }
    let Hanging { users, root_buckets, jobs } = hanging;
    let counts = [(users, "users"), (root_buckets, "buckets of its Root users"), (jobs, "jobs")];
    Refusal::in_use(&format!("account '{}'", account.id), &counts).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::{Hanging, Pinned, create, delete, patch, root_user, takes};
    use crate::server::domain::access::TenantFacts;
    use crate::wire::{AccountCreate, AccountItem, AccountPatch, ProblemType, Role, Visibility};
    use jiff::Timestamp;

    fn account() -> AccountItem {
        let wish =
            AccountCreate { name: "a".to_owned(), tenant_id: "tn_1".to_owned(), description: String::new() };
        create("000000000001".to_owned(), "us_r".to_owned(), wish, Timestamp::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn an_account_takes_users_of_its_tenant_and_a_shared_one_takes_all() {
        let of =
            |id: &str, built_in| TenantFacts { id: id.to_owned(), visibility: Visibility::Public, built_in };
        assert!(takes(&of("tn_1", false), "tn_1"));
        assert!(!takes(&of("tn_1", false), "tn_2"));
        assert!(takes(&of("tn_0", true), "tn_2"));
    }

    #[test]
    fn rule_1_an_account_has_a_root_user_who_owns_only_what_is_its_own() {
        let root = root_user(&account());
        assert!(root.root);
        assert_eq!(root.role, Role::FullAccess);
        assert_eq!(root.id, account().root_user_id);
        assert_eq!(root.account_id, account().id);
    }

    #[test]
    fn rule_11_the_default_account_is_never_deleted() {
        let default = AccountItem { default: true, ..account() };
        assert_eq!(delete(&default, Hanging::default()).unwrap_err().kind, ProblemType::BuiltIn);
        assert!(delete(&account(), Hanging::default()).is_ok());
        let unset = AccountPatch { default: Some(false), ..AccountPatch::default() };
        assert_eq!(patch(default, unset, true, Pinned::default()).unwrap_err().kind, ProblemType::BuiltIn);
    }

    #[test]
    fn rules_11_and_12_an_account_with_users_buckets_or_jobs_is_not_deleted() {
        for hanging in [
            Hanging { users: 1, ..Hanging::default() },
            Hanging { root_buckets: 2, ..Hanging::default() },
            Hanging { jobs: 1, ..Hanging::default() },
        ] {
            assert_eq!(delete(&account(), hanging).unwrap_err().kind, ProblemType::InUse);
        }
    }

    #[test]
    fn rule_11_an_account_moves_only_without_jobs_and_foreign_users_and_by_a_global_administrator() {
        let move_it = || AccountPatch { tenant_id: Some("tn_2".to_owned()), ..AccountPatch::default() };
        for (administrator, foreign_users, jobs, outcome) in [
            (true, 0, 0, Ok(())),
            (true, 1, 0, Err(ProblemType::InUse)),
            (true, 0, 1, Err(ProblemType::InUse)),
            (false, 0, 0, Err(ProblemType::Forbidden)),
        ] {
            let result = patch(account(), move_it(), administrator, Pinned { foreign_users, jobs });
            assert_eq!(result.map(|_| ()).map_err(|r| r.kind), outcome);
        }
    }
}
