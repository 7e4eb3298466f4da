//! What is done about a bucket. Every decision about it is here, as a pure function.

use super::act::Step;
use super::desired::{Desired, lock_changed};
use super::observe::Seen;
use super::place::Place;
use crate::api::{DeletionPolicy, Reason};
use crate::operator::runtime::{Plan, Verdict};
use crate::operator::words;
use crate::provider::{BucketState, BucketWish, Capability, Contents, Quota};
use crate::wire::Versioning;

/// What the provider has under the user and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum There {
    /// Nobody asked: making the bucket will tell.
    NotAsked,
    /// The account cannot be asked now, or it is not known which one.
    OutOfReach(Verdict),
    /// Definitely nothing.
    Nothing,
    /// A bucket, whoever made it.
    Bucket(Box<BucketState>),
}

/// Decides. `desired` is `None` while the object is being deleted.
pub fn plan(desired: Option<&Desired>, seen: &Seen) -> Plan<Step> {
    match desired {
        Some(desired) => keep(desired, seen),
        None => remove(seen),
    }
}

fn keep(desired: &Desired, seen: &Seen) -> Plan<Step> {
    let place = match &seen.place {
        Ok(place) => place,
        Err(verdict) => return Plan::settled(verdict.clone()),
    };
    let unable = unable(desired, seen, place);
    let (account, wish) = (place.account.clone(), wish(desired, seen, place));
    match &seen.there {
        There::OutOfReach(verdict) => Plan::settled(verdict.clone()),
        There::NotAsked | There::Nothing => match unable {
            Some(verdict) => Plan::settled(verdict),
            None => Plan::doing(vec![Step::Create { account, wish }]),
        },
        There::Bucket(bucket) => match refusal(bucket, &wish, desired, seen, place).or(unable) {
            Some(verdict) => Plan::settled(verdict),
            None if differs(bucket, &wish) => Plan::doing(vec![Step::Update { account, wish }]),
            None => Plan::settled(Verdict::Ready),
        },
    }
}

fn wish(desired: &Desired, seen: &Seen, place: &Place) -> BucketWish {
    let Desired { user: _, name, versioning, lock, quota } = desired;
    BucketWish {
        user_id: place.user_id.clone(),
        name: name.as_str().to_owned(),
        versioning: *versioning,
        object_lock: *lock,
        quota: *quota,
        owner: seen.owner.clone(),
        object: seen.object.clone(),
    }
}

/// What the account would have to be able to do, and is not.
fn unable(desired: &Desired, seen: &Seen, place: &Place) -> Option<Verdict> {
    let Quota { buckets: _, size, objects } = desired.quota;
    let needs = [
        (desired.lock.is_some(), Capability::ObjectLock, "make buckets with object lock", "spec.objectLock"),
        (
            desired.versioning != Versioning::Disabled,
            Capability::Versioning,
            "keep older versions",
            "spec.versioning",
        ),
        (size.is_some() || objects.is_some(), Capability::Quotas, "enforce quotas", "spec.quota"),
    ];
    let missing = needs
        .into_iter()
        .find(|(needed, capability, _, _)| *needed && !seen.capabilities.contains(capability));
    missing.map(|(_, _, what, field)| {
        Verdict::blocked(
            Reason::NotSupportedByProvider,
            format!("Account '{}' cannot {what}. Remove `{field}`, or use another account.", place.account),
        )
    })
}

/// Why a bucket that is there may not be made as wished.
fn refusal(
    bucket: &BucketState,
    wish: &BucketWish,
    desired: &Desired,
    seen: &Seen,
    place: &Place,
) -> Option<Verdict> {
    if bucket.owner.as_ref() != Some(&seen.owner) {
        return Some(taken(bucket, desired, seen, place));
    }
    if bucket.object_lock != wish.object_lock.is_some() {
        return Some(lock_changed(&bucket.name, bucket.object_lock).into());
    }
    match (bucket.versioning, wish.versioning) {
        (Versioning::Enabled | Versioning::Suspended, Versioning::Disabled) => Some(Verdict::blocked(
            Reason::InvalidSpec,
            format!(
                "Bucket '{}' has had versioning enabled, and `spec.versioning` may not go back to Disabled: it can only be suspended. Set it to Suspended or Enabled.",
                bucket.name
            ),
        )),
        (Versioning::Disabled, _) | (_, Versioning::Enabled | Versioning::Suspended) => None,
    }
}

fn taken(bucket: &BucketState, desired: &Desired, seen: &Seen, place: &Place) -> Verdict {
    let of = words::maker("Bucket", bucket.owner.as_ref(), bucket.object.as_ref(), &seen.owner.cluster);
    Verdict::blocked(
        Reason::NameTaken,
        format!(
            "StorageUser '{}' has a bucket '{}' at account '{}' that {of}; it is left as it is. Choose another `spec.name`, or remove that bucket there.",
            desired.user, bucket.name, place.account
        ),
    )
}

/// Whether the bucket is not as wished. Owner and name are not wishes but which bucket it is.
fn differs(bucket: &BucketState, wish: &BucketWish) -> bool {
    let BucketWish { user_id: _, name: _, versioning, object_lock, quota, owner: _, object: _ } = wish;
    bucket.versioning != *versioning
        || bucket.default_retention != *object_lock
        || bucket.quota.size != quota.size
        || bucket.quota.objects != quota.objects
        || !bucket.complete
}

/// Lets the object go once the bucket is gone, or is meant to stay.
fn remove(seen: &Seen) -> Plan<Step> {
    if seen.policy == DeletionPolicy::Retain {
        return Plan::settled(Verdict::Ready);
    }
    match (&seen.there, &seen.place) {
        (There::OutOfReach(verdict), _) => Plan::settled(out_of_reach(verdict, seen)),
        // Without a user nothing was ever made.
        (There::Nothing, _) | (_, Err(_)) => Plan::settled(Verdict::Ready),
        // Asked whenever it matters; were it not, letting go would leave the bucket behind unseen.
        (There::NotAsked, Ok(_)) => {
            Plan::settled(Verdict::waiting(Reason::Deleting, "The object is being deleted."))
        }
        (There::Bucket(bucket), Ok(_)) if bucket.owner.as_ref() != Some(&seen.owner) => {
            Plan::settled(Verdict::Ready)
        }
        (There::Bucket(bucket), Ok(place)) => remove_empty(bucket, seen, place),
    }
}

fn remove_empty(bucket: &BucketState, seen: &Seen, place: &Place) -> Plan<Step> {
    match (contents(bucket), &seen.refusal) {
        (Some(full), _) => {
            let message = seen.told.clone().unwrap_or(full);
            Plan::settled(Verdict::waiting(Reason::BucketNotEmpty, message))
        }
        (None, Some(why)) => Plan::settled(in_use(why, bucket, seen, place)),
        (None, None) => Plan::doing(vec![Step::Delete {
            account: place.account.clone(),
            user_id: bucket.user_id.clone(),
            name: bucket.name.clone(),
            uid: seen.owner.uid.clone(),
        }]),
    }
}

/// What is in the bucket and what to do about it; `None` where nothing is.
pub fn contents(bucket: &BucketState) -> Option<String> {
    let Contents { versions, delete_markers, uploads, locked, locked_until } = bucket.contents;
    let objects = if bucket.versioning == Versioning::Disabled { "object" } else { "object version" };
    let stored = words::counted(versions.max(bucket.usage.objects), objects).map(|count| {
        let lock = if locked == 0 {
            String::new()
        } else {
            let until = locked_until.map(|time| format!(" until {}", time.strftime("%Y-%m-%d")));
            format!(", {} of them locked{}", words::grouped(locked), until.unwrap_or_default())
        };
        format!("{count} ({}){lock}", words::size(bucket.usage.size))
    });
    let parts = [
        stored,
        words::counted(delete_markers, "delete marker"),
        words::counted(uploads, "unfinished upload"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| {
        format!(
            "Bucket '{}' holds {}. Empty it, or set `spec.deletionPolicy` to Retain.",
            bucket.name,
            parts.join("; ")
        )
    })
}

/// An empty bucket that the provider keeps for another reason, such as a key that is restricted to it. In a namespace that
/// is being deleted nobody may hold the others up: it is said once, and then the object is let go as if it were retained.
fn in_use(why: &str, bucket: &BucketState, seen: &Seen, place: &Place) -> Verdict {
    let there =
        format!("Bucket '{}' cannot be removed from account '{}': {why}.", bucket.name, place.account);
    match (seen.namespace_ends, seen.announced) {
        (true, true) => Verdict::Ready,
        (true, false) => Verdict::waiting(
            Reason::InUse,
            format!(
                "{there} As the namespace is being deleted, the bucket stays there and this object goes."
            ),
        ),
        (false, _) => Verdict::waiting(
            Reason::InUse,
            format!(
                "{there} Remove that there, or set `spec.deletionPolicy` to Retain to keep the bucket and let this object go."
            ),
        ),
    }
}

fn out_of_reach(verdict: &Verdict, seen: &Seen) -> Verdict {
    let (reason, why) = match verdict {
        Verdict::Ready => (Reason::AccountNotReady, "The account is not Ready."),
        Verdict::Waiting(reason, why) | Verdict::Blocked(reason, why) => (*reason, why.as_str()),
    };
    Verdict::waiting(
        reason,
        format!(
            "Bucket '{}' cannot be removed now. {why} To let this object go without it, set `spec.deletionPolicy` to Retain.",
            seen.name
        ),
    )
}
