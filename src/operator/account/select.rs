//! Which account a user is made in. Pure.

use crate::api::{Reason, StorageAccount, Tenant};
use crate::operator::runtime::Verdict;
use crate::operator::runtime::kind::name_of;
use crate::operator::runtime::status::READY;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use std::sync::Arc;

/// The account of a user of this tenant: the one that the user names, else the tenant's, else the default one. It must be
/// unassigned, or assigned to the same tenant.
pub fn select(
    accounts: &[Arc<StorageAccount>],
    named: Option<&str>,
    tenant: &Tenant,
) -> Result<Arc<StorageAccount>, Verdict> {
    let of_tenant = tenant.spec.account_ref.as_ref().map(|reference| reference.name.as_str());
    let account = match named.or(of_tenant) {
        Some(name) => find(accounts, name)?,
        None => default_of(accounts)?,
    };
    admits_tenant(&account, name_of(tenant))?;
    Ok(account)
}

/// The account of that name.
pub fn find(accounts: &[Arc<StorageAccount>], name: &str) -> Result<Arc<StorageAccount>, Verdict> {
    accounts.iter().find(|account| name_of(&***account) == name).cloned().ok_or_else(|| {
        Verdict::waiting(
            Reason::AccountNotFound,
            format!("StorageAccount '{name}' does not exist. Waiting for it."),
        )
    })
}

/// Whether the account has said that it does not work.
pub fn is_broken(account: &StorageAccount) -> bool {
    ready(account).is_some_and(|ready| ready.status != "True")
}

/// That the account cannot be asked now, and where to look for what to do about it.
pub fn not_ready(account: &StorageAccount) -> Verdict {
    let name = name_of(account);
    let message = match ready(account).filter(|_| is_broken(account)) {
        Some(ready) => format!(
            "StorageAccount '{name}' is not Ready: {}. Waiting for it; `kubectl describe storageaccount {name}` says what to do.",
            ready.reason
        ),
        None => format!("StorageAccount '{name}' is not Ready: it is new. Waiting for it."),
    };
    Verdict::waiting(Reason::AccountNotReady, message)
}

fn ready(account: &StorageAccount) -> Option<&Condition> {
    account.status.as_ref().and_then(|status| status.conditions.get(READY))
}

/// Whether users of the tenant may be made in the account.
pub fn admits_tenant(account: &StorageAccount, tenant: &str) -> Result<(), Verdict> {
    match &account.spec.tenant_ref {
        Some(only) if only.name != tenant => Err(Verdict::blocked(
            Reason::AccountNotAllowed,
            format!(
                "StorageAccount '{}' is assigned to Tenant '{}' and may not be used by Tenant '{tenant}'. Name another account in `spec.accountRef`.",
                name_of(account),
                only.name
            ),
        )),
        Some(_) | None => Ok(()),
    }
}

/// The names of the accounts that are the default, sorted. More than one is a mistake.
pub fn defaults(accounts: &[Arc<StorageAccount>]) -> Vec<String> {
    let mut names: Vec<String> = accounts
        .iter()
        .filter(|account| account.spec.default)
        .map(|account| name_of(&**account).to_owned())
        .collect();
    names.sort();
    names
}

fn default_of(accounts: &[Arc<StorageAccount>]) -> Result<Arc<StorageAccount>, Verdict> {
    let names = defaults(accounts);
    match names.as_slice() {
        [] => Err(Verdict::waiting(
            Reason::AccountNotFound,
            "No StorageAccount is named, and none is the default. Name one in `spec.accountRef`, or make one the default.",
        )),
        [name] => find(accounts, name),
        several => Err(Verdict::blocked(
            Reason::SeveralDefaultAccounts,
            format!(
                "StorageAccounts '{}' are all the default. Leave `spec.default` true on one of them only.",
                several.join("', '")
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::select;
    use crate::api::{NameRef, Reason, StorageAccount, StorageAccountSpec, Tenant, TenantSpec};
    use crate::operator::runtime::Verdict;
    use crate::operator::runtime::kind::name_of;
    use std::sync::Arc;

    /// `name`, `name*` (the default), `name@tenant` (assigned).
    fn accounts(texts: &[&str]) -> Vec<Arc<StorageAccount>> {
        let account = |text: &&str| {
            let (text, tenant) =
                text.split_once('@').map_or((*text, None), |(text, tenant)| (text, Some(tenant)));
            let spec: StorageAccountSpec = serde_json::from_value(serde_json::json!({
                "provider": {}, "s3": {"endpoint": "https://s3"},
                "default": text.ends_with('*'), "tenantRef": tenant.map(|name| serde_json::json!({"name": name})),
            }))
            .unwrap();
            Arc::new(StorageAccount::new(text.trim_end_matches('*'), spec))
        };
        texts.iter().map(account).collect()
    }

    fn tenant(account: Option<&str>) -> Tenant {
        let account_ref = account.map(|name| NameRef { name: name.to_owned() });
        Tenant::new("acme", TenantSpec { account_ref, ..TenantSpec::default() })
    }

    #[test]
    fn the_users_account_comes_first_then_the_tenants_then_the_default() {
        for (existing, user, of_tenant, expected) in [
            (vec!["a", "b", "c*"], Some("a"), Some("b"), Ok("a")),
            (vec!["a", "b", "c*"], None, Some("b"), Ok("b")),
            (vec!["a", "b", "c*"], None, None, Ok("c")),
            (vec!["a@acme"], Some("a"), None, Ok("a")),
            (vec!["a*@acme"], None, None, Ok("a")),
            (vec!["a@other"], Some("a"), None, Err((true, Reason::AccountNotAllowed))),
            (vec!["a*@other"], None, None, Err((true, Reason::AccountNotAllowed))),
            (vec!["a"], Some("x"), None, Err((false, Reason::AccountNotFound))),
            (vec!["a"], None, Some("x"), Err((false, Reason::AccountNotFound))),
            (vec!["a"], None, None, Err((false, Reason::AccountNotFound))),
            (vec!["a*", "b*"], None, None, Err((true, Reason::SeveralDefaultAccounts))),
            (vec!["a*", "b*"], Some("b"), None, Ok("b")),
        ] {
            let found = select(&accounts(&existing), user, &tenant(of_tenant));
            let found = match &found {
                Ok(account) => Ok(name_of(&**account)),
                Err(Verdict::Blocked(reason, _)) => Err((true, *reason)),
                Err(Verdict::Waiting(reason, _)) => Err((false, *reason)),
                Err(Verdict::Ready) => panic!("ready is no refusal"),
            };
            assert_eq!(found, expected, "{existing:?} {user:?} {of_tenant:?}");
        }
    }
}
