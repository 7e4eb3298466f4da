//! What there is of a tenant: at the accounts that it should be in, and what uses it.

use super::is_retained;
use super::plan::{Bound, Place, Seen, There};
use crate::api::{StorageUser, Tenant};
use crate::operator::account::{pool, select};
use crate::operator::runtime::kind::{is_deleting, name_of, namespace_of};
use crate::operator::runtime::store::Stores;
use crate::operator::runtime::triggers::bound_account;
use crate::operator::runtime::{Context, Error, Verdict};
use std::collections::{BTreeSet, HashSet};

/// Reads what there is. Fails only where no account at all could be asked: one that is broken must not stop the others.
pub async fn observe(tenant: &Tenant, ctx: &Context) -> Result<Seen, Error> {
    let name = name_of(tenant);
    let users = ctx.stores.users.filter(|user| user.spec.tenant_ref.name == name);
    let accounts = ctx.stores.accounts.all();
    let own = select(&accounts, None, tenant);
    let made: BTreeSet<String> =
        tenant.status.iter().flat_map(|status| &status.accounts).map(|entry| entry.name.clone()).collect();
    let mut used: BTreeSet<String> =
        users.iter().filter_map(|user| bound_account(user)).map(str::to_owned).collect();
    used.extend(own.iter().map(|account| name_of(&**account).to_owned()));
    for user in &users {
        let named = user.spec.account_ref.as_ref().map(|reference| reference.name.as_str());
        let account = select(&accounts, named, tenant);
        used.extend(account.iter().map(|account| name_of(&**account).to_owned()));
    }
    let wanted: BTreeSet<String> = made.union(&used).cloned().collect();
    let leaving = |account: &str| {
        let there = ctx.stores.accounts.get(None, account);
        !used.contains(account) && there.is_some_and(|account| is_deleting(&*account))
    };
    let mut others = BTreeSet::new();
    if is_deleting(tenant) {
        // A crash may have come between making it there and noting so.
        others.extend(accounts.iter().map(|account| name_of(&**account).to_owned()));
    }
    let mut places = Vec::new();
    let mut failure = None;
    let mut asked = false;
    for account in wanted.union(&others) {
        match look(ctx, account, name).await {
            Ok(there) => {
                asked = true;
                let known = !matches!(there, There::Unknown(_));
                if known || wanted.contains(account) {
                    places.push(Place { account: account.clone(), there, leaving: leaving(account) });
                }
            }
            Err(error) if wanted.contains(account) => {
                let verdict = error.verdict().unwrap_or(Verdict::Ready);
                let (there, leaving) = (There::Unknown(verdict), leaving(account));
                places.push(Place { account: account.clone(), there, leaving });
                failure = Some(error);
            }
            Err(_) => {}
        }
    }
    match failure {
        Some(error) if !asked => Err(error),
        Some(_) | None => Ok(Seen {
            name: name.to_owned(),
            mark: ctx.owner_mark(tenant),
            no_account: own.err(),
            places,
            bound: bound(&ctx.stores, &users),
            retain: is_retained(tenant),
        }),
    }
}

async fn look(ctx: &Context, account: &str, name: &str) -> Result<There, Error> {
    if ctx.stores.accounts.get(None, account).is_none() {
        return Ok(There::NoAccount);
    }
    match pool::usable(ctx, account) {
        Err(verdict) => Ok(There::Unknown(verdict)),
        Ok(account) => match account.provider().find_tenant(name).await {
            Ok(Some(state)) => Ok(There::Found(state)),
            Ok(None) => Ok(There::Absent),
            Err(error) => Err(account.failed(error)),
        },
    }
}

fn bound(stores: &Stores, users: &[std::sync::Arc<StorageUser>]) -> Bound {
    let names: HashSet<(&str, &str)> =
        users.iter().map(|user| (namespace_of(&**user), name_of(&**user))).collect();
    let mut listed: Vec<String> =
        names.iter().map(|(namespace, name)| format!("{namespace}/{name}")).collect();
    listed.sort();
    Bound {
        access_keys: stores
            .keys
            .count(|key| names.contains(&(namespace_of(key), key.spec.user_ref.name.as_str()))),
        buckets: stores
            .buckets
            .count(|bucket| names.contains(&(namespace_of(bucket), bucket.spec.user_ref.name.as_str()))),
        users: listed,
    }
}
