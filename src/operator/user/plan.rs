//! What is done about a user. Every decision about it is here, as a pure function.

use super::act::Step;
use super::desired::Desired;
use super::observe::{Referrers, Seen};
use super::place::Place;
use crate::api::{DeletionPolicy, Reason};
use crate::operator::runtime::status::SUSPENDED;
use crate::operator::runtime::{Blocked, Extra, Plan, Verdict};
use crate::operator::words;
use crate::provider::{Quota, Usage, UserState, UserWish};

/// What the provider has under the user's login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum There {
    /// Nobody asked: making the user will tell.
    NotAsked,
    /// The account cannot be asked now.
    OutOfReach(Verdict),
    /// Definitely nothing.
    Nothing,
    /// A user, whoever made it.
    User(Box<UserState>),
}

/// Decides. `desired` is `None` while the object is being deleted.
pub fn plan(desired: Option<&Desired>, seen: &Seen) -> Plan<Step> {
    match desired {
        Some(desired) => keep(desired, seen),
        None => remove(seen),
    }
}

/// What is done about a user that was made and whose spec is refused: it stays as it is, unless its tenant withdraws what
/// it has. A spec that cannot be must not keep a user from being suspended.
pub fn refused(because: &Blocked, seen: &Seen) -> Plan<Step> {
    let withdrawn = seen.place.as_ref().ok().filter(|place| place.withdrawn.is_some());
    match (withdrawn, &seen.there) {
        (Some(place), There::User(user)) if user.owner.as_ref() == Some(&seen.owner) => {
            if !user.enabled {
                return Plan::settled(because.clone().into()).with_extra(withdrawn_from(place));
            }
            let (account, id) = (place.account.clone(), user.id.clone());
            Plan::doing(vec![Step::Update { account, id, wish: switched_off(user, seen) }])
        }
        (Some(_) | None, _) => Plan::settled(because.clone().into()),
    }
}

/// The user as it is, but that it does not work.
fn switched_off(user: &UserState, seen: &Seen) -> UserWish {
    let UserState {
        id: _,
        login,
        tenant_id,
        display_name,
        email,
        time_zone,
        role,
        enabled: _,
        description,
        quota,
        owner: _,
        object: _,
        usage: _,
    } = user.clone();
    UserWish {
        login,
        tenant_id,
        display_name,
        email,
        time_zone,
        role,
        enabled: false,
        description,
        quota,
        owner: seen.owner.clone(),
        object: seen.object.clone(),
    }
}

fn keep(desired: &Desired, seen: &Seen) -> Plan<Step> {
    let place = match &seen.place {
        Ok(place) => place,
        Err(verdict) => return Plan::settled(verdict.clone()),
    };
    let wish = wish(desired, seen, place);
    match &seen.there {
        There::OutOfReach(verdict) => Plan::settled(verdict.clone()),
        There::NotAsked | There::Nothing if place.withdrawn.is_some() => {
            Plan::settled(place.withdrawn.clone().map_or(Verdict::Ready, Verdict::from))
        }
        There::NotAsked | There::Nothing => {
            Plan::doing(vec![Step::Create { account: place.account.clone(), wish }])
        }
        There::User(user) if user.owner.as_ref() != Some(&seen.owner) => {
            Plan::settled(taken(user, place, seen))
        }
        There::User(user) if user.tenant_id != wish.tenant_id => Plan::settled(moved(user, place, desired)),
        There::User(user) if differs(user, &wish) => {
            let id = user.id.clone();
            Plan::doing(vec![Step::Update { account: place.account.clone(), id, wish }])
        }
        There::User(_) => match &place.withdrawn {
            Some(blocked) => Plan::settled(blocked.clone().into()).with_extra(withdrawn_from(place)),
            None => Plan::settled(Verdict::Ready).with_extra(suspended(desired)),
        },
    }
}

fn wish(desired: &Desired, seen: &Seen, place: &Place) -> UserWish {
    let Desired { tenant: _, login, display_name, email, time_zone, role, enabled, description, quota } =
        desired;
    UserWish {
        login: login.as_str().to_owned(),
        tenant_id: place.tenant_id.clone(),
        display_name: display_name.clone(),
        email: email.clone(),
        time_zone: time_zone.clone(),
        role: *role,
        enabled: *enabled && place.withdrawn.is_none(),
        description: description.clone(),
        quota: *quota,
        owner: seen.owner.clone(),
        object: seen.object.clone(),
    }
}

/// Whether the user is not as wished. Login, tenant and owner are not wishes but who it is.
fn differs(user: &UserState, wish: &UserWish) -> bool {
    let UserWish {
        login: _,
        tenant_id: _,
        display_name,
        email,
        time_zone,
        role,
        enabled,
        description,
        quota,
        owner: _,
        object: _,
    } = wish;
    user.display_name != *display_name
        || user.email != *email
        || user.time_zone != *time_zone
        || user.role != *role
        || user.enabled != *enabled
        || user.description != *description
        || !same(user.quota, *quota)
}

fn same(there: Quota, wished: Quota) -> bool {
    let Quota { buckets, size, objects } = wished;
    there.buckets == buckets && there.size == size && there.objects == objects
}

fn taken(user: &UserState, place: &Place, seen: &Seen) -> Verdict {
    let of = words::maker("StorageUser", user.owner.as_ref(), user.object.as_ref(), &seen.owner.cluster);
    Verdict::blocked(
        Reason::NameTaken,
        format!(
            "Login '{}' exists at account '{}' and {of}; it is left as it is. Choose another `spec.login`, or remove that user there.",
            user.login, place.account
        ),
    )
}

fn moved(user: &UserState, place: &Place, desired: &Desired) -> Verdict {
    Verdict::blocked(
        Reason::ProviderRefused,
        format!(
            "User '{}' was moved at account '{}' and does not belong to Tenant '{}' there any more. Move it back there, or make a new StorageUser.",
            user.login, place.account, desired.tenant
        ),
    )
}

fn suspended(desired: &Desired) -> Vec<Extra> {
    if desired.enabled {
        return Vec::new();
    }
    vec![Extra {
        kind: SUSPENDED,
        holds: true,
        reason: Reason::Suspended,
        message: "The user and its keys do not work, as `spec.enabled` is false. Nothing is lost.".to_owned(),
    }]
}

fn withdrawn_from(place: &Place) -> Vec<Extra> {
    let told = |Blocked(reason, message): &Blocked| Extra {
        kind: SUSPENDED,
        holds: true,
        reason: *reason,
        message: format!("{message} Until then the user's keys are refused. Nothing is lost."),
    };
    place.withdrawn.iter().map(told).collect()
}

/// Lets the object go once nothing of it is left, or what is left is meant to stay.
fn remove(seen: &Seen) -> Plan<Step> {
    if seen.referrers != Referrers::default() {
        return Plan::settled(referred_to(seen));
    }
    // Without a place nothing was ever made.
    let (DeletionPolicy::Delete, Ok(place)) = (seen.policy, &seen.place) else {
        return Plan::settled(Verdict::Ready);
    };
    match &seen.there {
        // Asked whenever it matters; were it not, letting go would leave the user behind unseen.
        There::NotAsked => Plan::settled(Verdict::waiting(Reason::Deleting, "The object is being deleted.")),
        There::OutOfReach(verdict) => Plan::settled(out_of_reach(verdict, seen, place)),
        There::Nothing => Plan::settled(Verdict::Ready),
        There::User(user) if user.owner.as_ref() != Some(&seen.owner) => Plan::settled(Verdict::Ready),
        There::User(user) => match held_by(user, seen) {
            Some(what) => Plan::settled(in_use(&what, user, seen, place)),
            None => Plan::doing(vec![Step::Delete {
                account: place.account.clone(),
                id: user.id.clone(),
                login: user.login.clone(),
                uid: seen.owner.uid.clone(),
            }]),
        },
    }
}

fn referred_to(seen: &Seen) -> Verdict {
    let Referrers { keys, buckets } = &seen.referrers;
    let kinds = [words::named("AccessKey", keys), words::named("Bucket", buckets)];
    let what = kinds.into_iter().flatten().collect::<Vec<_>>().join(" and ");
    Verdict::waiting(
        Reason::InUse,
        format!("Still used by {what}. Delete them first; this object waits for them."),
    )
}

/// What keeps the provider from removing the user.
fn held_by(user: &UserState, seen: &Seen) -> Option<String> {
    let Usage { buckets, access_keys, size: _, objects: _ } = user.usage;
    let counts = [words::counted(buckets, "bucket"), words::counted(access_keys, "access key")];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    if counts.is_empty() { seen.refusal.clone() } else { Some(counts.join(" and ")) }
}

/// In a namespace that is being deleted nobody may hold the others up: it is said once, and then the object is let go as
/// if it were retained.
fn in_use(what: &str, user: &UserState, seen: &Seen, place: &Place) -> Verdict {
    let there = format!("User '{}' is still in use at account '{}': {what}.", user.login, place.account);
    match (seen.namespace_ends, seen.announced) {
        (true, true) => Verdict::Ready,
        (true, false) => Verdict::waiting(
            Reason::InUse,
            format!("{there} As the namespace is being deleted, the user stays there and this object goes."),
        ),
        (false, _) => Verdict::waiting(
            Reason::InUse,
            format!(
                "{there} Remove that there, or set `spec.deletionPolicy` to Retain to keep the user and let this object go."
            ),
        ),
    }
}

fn out_of_reach(verdict: &Verdict, seen: &Seen, place: &Place) -> Verdict {
    let (reason, why) = match verdict {
        Verdict::Ready => (Reason::AccountNotReady, "The account is not Ready."),
        Verdict::Waiting(reason, why) | Verdict::Blocked(reason, why) => (*reason, why.as_str()),
    };
    Verdict::waiting(
        reason,
        format!(
            "User '{}' cannot be removed from account '{}' now. {why} To let this object go without it, set `spec.deletionPolicy` to Retain.",
            seen.login, place.account
        ),
    )
}
