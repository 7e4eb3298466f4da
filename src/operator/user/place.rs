//! Where a user lives: its tenant at its account. Pure, over what is cached; the rules are asked in order, and the first
//! that says no is the answer.

use crate::api::{Reason, StorageAccount, StorageUser, Tenant};
use crate::operator::account::select;
use crate::operator::runtime::kind::{is_deleting, name_of, namespace_of, uid_of};
use crate::operator::runtime::{Blocked, Verdict};
use crate::operator::tenant::{self, quota, withdrawal};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a user lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the StorageAccount.
    pub account: String,
    /// The provider's id of the tenant there.
    pub tenant_id: String,
    /// Why a user that was made is to be suspended: the tenant does not allow it any more.
    pub withdrawn: Option<Blocked>,
}

/// What the rules are asked of.
pub struct Surroundings<'a> {
    /// The Tenant that the spec names.
    pub tenant: Option<&'a Tenant>,
    /// All StorageAccounts.
    pub accounts: &'a [Arc<StorageAccount>],
    /// The labels of the namespace; `None`: not known.
    pub labels: Option<&'a BTreeMap<String, String>>,
    /// All StorageUsers of the same tenant, this one included or not.
    pub siblings: &'a [Arc<StorageUser>],
}

/// Where the user lives, or why it may not live there.
pub fn find(user: &StorageUser, around: &Surroundings<'_>) -> Result<Place, Verdict> {
    let tenant = around.tenant.ok_or_else(|| {
        let name = withdrawal::tenant_of(user);
        Verdict::waiting(Reason::TenantNotFound, format!("Tenant '{name}' does not exist. Waiting for it."))
    })?;
    let withdrawn =
        if is_made(user) { withdrawal::of_user(user, tenant, around.labels, around.siblings) } else { None };
    if withdrawn.is_none() {
        tenant::admits(tenant, namespace_of(user), around.labels.unwrap_or(&BTreeMap::new()))?;
    }
    if !is_made(user) {
        takes_more(user, tenant, around.siblings)?;
    }
    let account = account(user, tenant, around.accounts)?;
    // A tenant is not in an account that does not work: then it is the account that is waited for.
    let tenant_id = tenant::in_account(tenant, &account).map_err(|waiting| {
        let broken =
            select::find(around.accounts, &account).ok().filter(|account| select::is_broken(account));
        broken.map_or(waiting, |account| select::not_ready(&account))
    })?;
    Ok(Place { account, tenant_id, withdrawn })
}

/// The account of the user: the one that it was made in, else the one that would be chosen now.
pub fn account(
    user: &StorageUser,
    tenant: &Tenant,
    accounts: &[Arc<StorageAccount>],
) -> Result<String, Verdict> {
    let named = user.spec.account_ref.as_ref().map(|account| account.name.as_str());
    let account = select::select(accounts, recorded(user).or(named), tenant)?;
    Ok(name_of(&*account).to_owned())
}

/// The account that the user was made in.
pub fn recorded(user: &StorageUser) -> Option<&str> {
    user.status.as_ref().and_then(|status| status.account.as_deref())
}

/// Whether the status has the user recorded.
pub fn is_made(user: &StorageUser) -> bool {
    user.status.as_ref().is_some_and(|status| status.user_id.is_some())
}

/// Whether the tenant takes one more user. Those that are made come first, then the older ones: so two new users never
/// refuse each other.
fn takes_more(user: &StorageUser, tenant: &Tenant, siblings: &[Arc<StorageUser>]) -> Result<(), Verdict> {
    let name = name_of(tenant);
    if is_deleting(tenant) {
        return Err(Verdict::waiting(
            Reason::TenantNotReady,
            format!("Tenant '{name}' is being deleted and takes no new users."),
        ));
    }
    let Some(limit) = tenant.spec.quota.users else { return Ok(()) };
    let rank = |user: &StorageUser| {
        let created = user.metadata.creation_timestamp.as_ref().map(|time| time.0);
        (!is_made(user), created, uid_of(user).to_owned())
    };
    let mine = rank(user);
    let before =
        siblings.iter().filter(|sibling| uid_of(&***sibling) != uid_of(user) && rank(sibling) < mine);
    if before.count() < limit as usize { Ok(()) } else { Err(quota::users_used_up(tenant, limit).into()) }
}
