//! What there is: where the user lives, what the provider has there, and who refers to it. Reads only.

use super::desired::{Desired, login_text};
use super::place::{self, Place, Surroundings};
use super::plan::There;
use crate::api::user::UserUsage;
use crate::api::{DeletionPolicy, Reason, StorageUser};
use crate::operator::account::pool;
use crate::operator::runtime::kind::{is_deleting, name_of, namespace_of, uid_of};
use crate::operator::runtime::status::DELETION_BLOCKED;
use crate::operator::runtime::{Context, Error, Verdict};
use crate::operator::tenant::withdrawal;
use crate::provider::{ObjectName, OwnerMark, Usage, UserState};

/// What there is.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Whose the user is.
    pub owner: OwnerMark,
    /// How people name it.
    pub object: ObjectName,
    /// The login that it has or would have.
    pub login: String,
    /// Where it lives, or why it may not live there. While it is being deleted: where it was made, or would have been.
    pub place: Result<Place, Verdict>,
    /// What the provider has.
    pub there: There,
    /// AccessKeys and Buckets that refer to it.
    pub referrers: Referrers,
    /// What happens to the user when its object is deleted.
    pub policy: DeletionPolicy,
    /// Whether the namespace is being deleted.
    pub namespace_ends: bool,
    /// Whether the status has already said that the user is in use.
    pub announced: bool,
    /// Why the provider refused to remove the user a moment ago.
    pub refusal: Option<String>,
    /// Whether the figures in the status may be told anew.
    pub tell_usage: bool,
}

/// The names of the objects that refer to a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Referrers {
    /// AccessKeys.
    pub keys: Vec<String>,
    /// Buckets.
    pub buckets: Vec<String>,
}

/// Looks.
pub async fn observe(user: &StorageUser, ctx: &Context) -> Result<Seen, Error> {
    let deleting = is_deleting(user);
    let mut seen = unasked(user, ctx);
    let wanted =
        !deleting || (seen.policy == DeletionPolicy::Delete && seen.referrers == Referrers::default());
    let Some(place) = seen.place.as_ref().ok().filter(|_| wanted) else { return Ok(seen) };
    // A spec that is refused is not looked after, but it keeps nobody from being suspended.
    if !deleting && place.withdrawn.is_none() && Desired::of(user).is_err() {
        return Ok(seen);
    }
    let account = match pool::usable(ctx, &place.account) {
        Ok(account) => account,
        Err(verdict) => {
            seen.there = There::OutOfReach(verdict);
            return Ok(seen);
        }
    };
    let (inventory, provider, login) = (account.inventory(), account.provider(), seen.login.as_str());
    let found = if deleting {
        inventory.ask_user(provider, login).await
    } else if place::is_made(user) {
        inventory.user(provider, &ctx.cluster, login).await
    } else if let Some(known) = inventory.known_user(login) {
        Ok(Some(known))
    } else {
        // New: making it says whether the login is free, in one call.
        return Ok(seen);
    };
    seen.there = found
        .map_err(|error| account.failed(error))?
        .map_or(There::Nothing, |found| There::User(Box::new(found)));
    if let There::User(found) = &seen.there {
        let told = user.status.as_ref().and_then(|status| status.usage);
        seen.tell_usage = !deleting && told != Some(usage(found)) && inventory.may_tell(uid_of(user));
    }
    seen.refusal = inventory.refusal(uid_of(user));
    Ok(seen)
}

/// What a user has, as the status tells it.
pub fn usage(found: &UserState) -> UserUsage {
    let Usage { buckets, access_keys, size, objects } = found.usage;
    UserUsage { buckets, access_keys, size, objects }
}

/// All but what the provider must be asked for.
fn unasked(user: &StorageUser, ctx: &Context) -> Seen {
    let (namespace, name) = (namespace_of(user), name_of(user));
    let blocked = user.status.as_ref().and_then(|status| status.conditions.get(DELETION_BLOCKED));
    Seen {
        owner: ctx.owner_mark(user),
        object: ObjectName { namespace: Some(namespace.to_owned()), name: name.to_owned() },
        login: login_text(user),
        place: if is_deleting(user) { last_place(user, ctx) } else { place_now(user, ctx) },
        there: There::NotAsked,
        referrers: if is_deleting(user) { referrers(ctx, namespace, name) } else { Referrers::default() },
        policy: user.spec.deletion_policy,
        namespace_ends: ctx.stores.namespaces.get(None, namespace).is_some_and(|found| is_deleting(&*found)),
        announced: blocked.is_some_and(|condition| condition.reason == Reason::InUse.as_str()),
        refusal: None,
        tell_usage: false,
    }
}

fn place_now(user: &StorageUser, ctx: &Context) -> Result<Place, Verdict> {
    let stores = &ctx.stores;
    let tenant_name = withdrawal::tenant_of(user);
    let tenant = stores.tenants.get(None, tenant_name);
    // Only where the others count.
    let limited = tenant.as_ref().is_some_and(|tenant| tenant.spec.quota.users.is_some());
    let siblings = if limited {
        stores.users.filter(|sibling| withdrawal::tenant_of(sibling) == tenant_name)
    } else {
        Vec::new()
    };
    let labels = stores.known_labels(namespace_of(user));
    let around = Surroundings {
        tenant: tenant.as_deref(),
        accounts: &stores.accounts.all(),
        labels: labels.as_ref(),
        siblings: &siblings,
    };
    place::find(user, &around)
}

/// Where a user that is being deleted was made, or would have been. What the rules say now does not matter, nor does the
/// tenant.
fn last_place(user: &StorageUser, ctx: &Context) -> Result<Place, Verdict> {
    let account = if let Some(account) = place::recorded(user) {
        account.to_owned()
    } else {
        let name = &user.spec.tenant_ref.name;
        let tenant = ctx.stores.tenants.get(None, name).ok_or_else(|| {
            Verdict::waiting(Reason::TenantNotFound, format!("Tenant '{name}' does not exist."))
        })?;
        place::account(user, &tenant, &ctx.stores.accounts.all())?
    };
    Ok(Place { account, tenant_id: String::new(), withdrawn: None })
}

/// Objects that refer to the user, by their spec or by what they were made as.
fn referrers(ctx: &Context, namespace: &str, name: &str) -> Referrers {
    let inside = |found: Option<&str>| found == Some(namespace);
    let keys = ctx.stores.keys.filter(|key| {
        let made_as = key.status.as_ref().and_then(|status| status.identity.as_ref());
        inside(key.metadata.namespace.as_deref())
            && (key.spec.user_ref.name == name || made_as.is_some_and(|made| made.user == name))
    });
    let buckets = ctx.stores.buckets.filter(|bucket| {
        let made_for = bucket.status.as_ref().and_then(|status| status.owner.as_deref());
        inside(bucket.metadata.namespace.as_deref())
            && (bucket.spec.user_ref.name == name || made_for == Some(name))
    });
    let mut referrers = Referrers {
        keys: keys.iter().map(|key| name_of(&**key).to_owned()).collect(),
        buckets: buckets.iter().map(|bucket| name_of(&**bucket).to_owned()).collect(),
    };
    referrers.keys.sort();
    referrers.buckets.sort();
    referrers
}
