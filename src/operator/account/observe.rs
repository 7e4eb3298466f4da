//! What there is of an account: whether it answers, as whom, and what uses it.

use super::connect;
use super::plan::{self, Bound, Link, Seen, Talk};
use super::select;
use crate::api::{ADMINISTRATOR_TENANT, Reason, StorageAccount};
use crate::operator::key::sweep::ORPHANED_KEYS;
use crate::operator::runtime::kind::{is_deleting, name_of, namespace_of};
use crate::operator::runtime::store::Stores;
use crate::operator::runtime::triggers::bound_account;
use crate::operator::runtime::{Context, Error, Extra};
use crate::provider::ErrorKind;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use std::collections::{BTreeSet, HashMap};

/// Resyncs vary by a fifth: each of them sweeps, what comes between does not.
const SWEEP_PART: f64 = 0.7;

/// Reads what there is. A connection is made here because it changes nothing at either end.
pub async fn observe(account: &StorageAccount, ctx: &Context) -> Result<Seen, Error> {
    let name = name_of(account);
    let link = match plan::desired(name, &account.spec) {
        Ok(desired) => match talk(ctx, name, &desired).await {
            Err(_) if is_deleting(account) => Link::NotKnown,
            link => link?,
        },
        Err(_) => Link::NotKnown,
    };
    let status = account.status.as_ref();
    let (swept, recently) = ctx.accounts.last_sweep(name, ctx.settings.resync_interval.mul_f64(SWEEP_PART));
    let orphans = match swept {
        Some(swept) => swept.condition(),
        None => status.and_then(|status| status.conditions.get(ORPHANED_KEYS)).map(as_before),
    };
    Ok(Seen {
        name: name.to_owned(),
        link,
        connected: ctx.accounts.find(name).is_some(),
        known_as: status.and_then(|status| status.account_id.clone()),
        is_default: account.spec.default,
        defaults: select::defaults(&ctx.stores.accounts.all()),
        bound: bound(&ctx.stores, name),
        orphans,
        sweep_due: !recently,
    })
}

/// Until a sweep has succeeded, the condition of an earlier one stands.
fn as_before(condition: &Condition) -> Extra {
    let message = condition.message.clone();
    Extra { kind: ORPHANED_KEYS, holds: true, reason: Reason::OrphanedKeys, message }
}

async fn talk(ctx: &Context, name: &str, desired: &plan::Desired) -> Result<Link, Error> {
    let (made_from, guard) = match connect::link(ctx, name, desired).await? {
        (Link::Made(made_from), Some(guard)) => (made_from, guard),
        (link, _) => return Ok(link),
    };
    match crate::provider::Provider::describe(&*guard).await {
        Ok(description) => {
            Ok(Link::Talks(Talk { made_from, description, request_timeout: desired.request_timeout }))
        }
        Err(error) => match &error.kind {
            ErrorKind::Unauthenticated | ErrorKind::Forbidden(_) => {
                Ok(Link::Unusable(plan::credentials_refused(name, desired, &error.kind)))
            }
            ErrorKind::Untrusted(_) => Ok(Link::Unusable(plan::untrusted(name, desired))),
            _ => Err(Error::provider(name, error)),
        },
    }
}

/// What uses the account. The built-in tenant does not count: nothing was made for it.
fn bound(stores: &Stores, name: &str) -> Bound {
    let users = stores.users.filter(|user| bound_account(user) == Some(name));
    let by_place: HashMap<(&str, &str), &str> = users
        .iter()
        .map(|user| ((namespace_of(&**user), name_of(&**user)), user.spec.tenant_ref.name.as_str()))
        .collect();
    let mut tenants: BTreeSet<String> = stores
        .tenants
        .filter(|tenant| {
            let made =
                tenant.status.iter().flat_map(|status| &status.accounts).any(|there| there.name == name);
            let named = tenant.spec.account_ref.as_ref().is_some_and(|reference| reference.name == name);
            made || named
        })
        .iter()
        .map(|tenant| name_of(&**tenant).to_owned())
        .collect();
    tenants.remove(ADMINISTRATOR_TENANT);
    let of_users = by_place.values().map(|tenant| (*tenant).to_owned());
    let mut listed: Vec<String> =
        by_place.keys().map(|(namespace, name)| format!("{namespace}/{name}")).collect();
    listed.sort();
    Bound {
        tenants_of_users: of_users.collect(),
        tenants: tenants.into_iter().collect(),
        access_keys: stores
            .keys
            .count(|key| by_place.contains_key(&(namespace_of(key), key.spec.user_ref.name.as_str()))),
        buckets: stores.buckets.count(|bucket| {
            by_place.contains_key(&(namespace_of(bucket), bucket.spec.user_ref.name.as_str()))
        }),
        users: listed,
    }
}
