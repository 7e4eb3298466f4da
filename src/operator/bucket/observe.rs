//! What there is: whose the bucket is, and what the provider has. Reads only.

use super::desired::{name_text, user_text};
use super::place::{self, Place};
use super::plan::{self, There};
use crate::api::bucket::BucketUsage;
use crate::api::{Bucket, DeletionPolicy, Reason, StorageUser};
use crate::operator::account::pool;
use crate::operator::runtime::kind::{is_deleting, name_of, namespace_of, uid_of};
use crate::operator::runtime::status::DELETION_BLOCKED;
use crate::operator::runtime::{Context, Error, Verdict};
use crate::operator::tenant::{quota, withdrawal};
use crate::provider::{BucketState, Capability, ObjectName, OwnerMark};
use std::collections::BTreeSet;

/// What there is.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Whose the bucket is.
    pub owner: OwnerMark,
    /// How people name it.
    pub object: ObjectName,
    /// The name that it has or would have.
    pub name: String,
    /// Whose it is, or why it cannot be made or kept. While it is being deleted: whose it was; an error means that it was
    /// never made.
    pub place: Result<Place, Verdict>,
    /// What the provider has.
    pub there: There,
    /// What the account can do; known where it can be asked.
    pub capabilities: BTreeSet<Capability>,
    /// What happens to the bucket when its object is deleted.
    pub policy: DeletionPolicy,
    /// Whether the namespace is being deleted.
    pub namespace_ends: bool,
    /// Whether the status has already said that the bucket is in use.
    pub announced: bool,
    /// What the status says of what is in the bucket, where it is too early to say it anew.
    pub told: Option<String>,
    /// Why the provider refused to remove the bucket a moment ago.
    pub refusal: Option<String>,
    /// Whether the figures in the status may be told anew.
    pub tell_usage: bool,
}

/// Looks.
pub async fn observe(bucket: &Bucket, ctx: &Context) -> Result<Seen, Error> {
    let deleting = is_deleting(bucket);
    let mut seen = unasked(bucket, ctx);
    let wanted = !deleting || seen.policy == DeletionPolicy::Delete;
    let Some(place) = seen.place.as_ref().ok().filter(|_| wanted && seen.there == There::NotAsked) else {
        return Ok(seen);
    };
    let account = match pool::usable(ctx, &place.account) {
        Ok(account) => account,
        Err(verdict) => {
            seen.there = There::OutOfReach(verdict);
            return Ok(seen);
        }
    };
    seen.capabilities.clone_from(&account.description.capabilities);
    let (inventory, provider) = (account.inventory(), account.provider());
    let (user_id, name) = (place.user_id.as_str(), seen.name.as_str());
    let found = if deleting {
        inventory.ask_bucket(provider, user_id, name).await
    } else if is_recorded(bucket) {
        inventory.bucket(provider, &ctx.cluster, user_id, name).await
    } else if let Some(known) = inventory.known_bucket(user_id, name) {
        Ok(Some(known))
    } else {
        // New: making it says whether the name is free, in one call.
        return Ok(seen);
    };
    seen.there = found
        .map_err(|error| account.failed(error))?
        .map_or(There::Nothing, |found| There::Bucket(Box::new(found)));
    seen.refusal = inventory.refusal(uid_of(bucket));
    if let There::Bucket(found) = &seen.there {
        let told = bucket.status.as_ref().and_then(|status| status.usage);
        seen.tell_usage = !deleting && told != Some(usage(found)) && inventory.may_tell(uid_of(bucket));
        let before = deleting.then(|| told_contents(bucket)).flatten();
        let changed = before.is_some() && before != plan::contents(found);
        seen.told = if changed && !inventory.may_tell(uid_of(bucket)) { before } else { None };
    }
    Ok(seen)
}

/// What is in a bucket, as the status tells it.
pub fn usage(found: &BucketState) -> BucketUsage {
    BucketUsage { size: found.usage.size, objects: found.usage.objects }
}

/// All but what the provider must be asked for.
fn unasked(bucket: &Bucket, ctx: &Context) -> Seen {
    let (namespace, name) = (namespace_of(bucket), name_of(bucket));
    let user = ctx.stores.user(namespace, user_text(bucket));
    let (place, there) = if is_deleting(bucket) {
        match user.as_deref().and_then(place::last) {
            Some(place) => (Ok(place), There::NotAsked),
            None => lost(bucket),
        }
    } else {
        let place = place::find(bucket, user.as_deref());
        (place.and_then(|place| within_quota(bucket, user.as_deref(), ctx).map(|()| place)), There::NotAsked)
    };
    let blocked = bucket.status.as_ref().and_then(|status| status.conditions.get(DELETION_BLOCKED));
    Seen {
        owner: ctx.owner_mark(bucket),
        object: ObjectName { namespace: Some(namespace.to_owned()), name: name.to_owned() },
        name: name_text(bucket).to_owned(),
        place,
        there,
        capabilities: BTreeSet::new(),
        policy: bucket.spec.deletion_policy,
        namespace_ends: ctx.stores.namespaces.get(None, namespace).is_some_and(|found| is_deleting(&*found)),
        announced: blocked.is_some_and(|condition| condition.reason == Reason::InUse.as_str()),
        told: None,
        refusal: None,
        tell_usage: false,
    }
}

/// Whether the tenant takes one more bucket. One that is made stays.
fn within_quota(bucket: &Bucket, user: Option<&StorageUser>, ctx: &Context) -> Result<(), Verdict> {
    let (Some(user), false) = (user, is_recorded(bucket)) else { return Ok(()) };
    let name = withdrawal::tenant_of(user);
    let Some(tenant) = ctx.stores.tenants.get(None, name) else { return Ok(()) };
    if tenant.spec.quota.buckets.is_none() && tenant.spec.quota.size.is_none() {
        return Ok(());
    }
    let users = ctx.stores.users.filter(|user| withdrawal::tenant_of(user) == name);
    quota::takes_bucket(bucket, &tenant, &users, &ctx.stores.buckets.all()).map_err(Verdict::from)
}

/// A bucket whose user is gone or was never made: where it is cannot be known, unless it was never made either.
fn lost(bucket: &Bucket) -> (Result<Place, Verdict>, There) {
    let user = user_text(bucket);
    let gone = Verdict::waiting(
        Reason::UserNotFound,
        format!("StorageUser '{user}' does not exist any more, so it is not known where the bucket is."),
    );
    if is_recorded(bucket) {
        (Err(gone.clone()), There::OutOfReach(gone))
    } else {
        (Err(gone), There::NotAsked)
    }
}

fn is_recorded(bucket: &Bucket) -> bool {
    bucket.status.as_ref().is_some_and(|status| status.bucket_name.is_some())
}

fn told_contents(bucket: &Bucket) -> Option<String> {
    let condition = bucket.status.as_ref()?.conditions.get(DELETION_BLOCKED)?;
    (condition.reason == Reason::BucketNotEmpty.as_str()).then(|| condition.message.clone())
}
