//! What is done about a tenant. Pure.

use crate::api::Reason;
use crate::api::tenant::{TenantAccount, TenantBound};
use crate::operator::runtime::{Plan, Verdict};
use crate::provider::{ObjectName, OwnerMark, Quota, TenantState, TenantWish};
use crate::wire::Visibility;

/// What the spec asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Its name at the providers.
    pub name: String,
    /// Whether global administrators see its data.
    pub visibility: Visibility,
    /// What it is for.
    pub description: String,
    /// Its limits.
    pub quota: Quota,
    /// Whether it is the built-in tenant, which is only looked up.
    pub built_in: bool,
}

/// What there is.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The name of the Tenant.
    pub name: String,
    /// The mark that what is made for it carries.
    pub mark: OwnerMark,
    /// Why there is no account where its users name none.
    pub no_account: Option<Verdict>,
    /// The accounts that it should be in, or is in.
    pub places: Vec<Place>,
    /// What uses it.
    pub bound: Bound,
    /// Whether what was made stays when the Tenant goes.
    pub retain: bool,
}

/// The tenant at one account.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Name of the StorageAccount.
    pub account: String,
    /// What is there.
    pub there: There,
    /// Whether the account is being deleted and the tenant has no user in it: the tenant must not be in its way.
    pub leaving: bool,
}

/// What is at an account.
#[derive(Clone, Debug, PartialEq)]
pub enum There {
    /// Not known, and why.
    Unknown(Verdict),
    /// The account itself does not exist any more.
    NoAccount,
    /// Definitely no tenant of that name.
    Absent,
    /// A tenant of that name.
    Found(TenantState),
}

/// What uses a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// StorageUsers as `namespace/name`, sorted.
    pub users: Vec<String>,
    /// AccessKeys of its users.
    pub access_keys: usize,
    /// Buckets of its users.
    pub buckets: usize,
}

impl Bound {
    /// As the status has it.
    pub fn counts(&self) -> TenantBound {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        TenantBound {
            users: count(self.users.len()),
            access_keys: count(self.access_keys),
            buckets: count(self.buckets),
        }
    }
}

/// One call that changes something.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Make it.
    Create {
        /// Where.
        account: String,
        /// As what.
        wish: TenantWish,
    },
    /// Make it as wished.
    Update {
        /// Where.
        account: String,
        /// Its id there.
        id: String,
        /// As what.
        wish: TenantWish,
    },
    /// Remove it.
    Delete {
        /// Where.
        account: String,
        /// Its id there.
        id: String,
    },
}

/// What is done while the Tenant is wanted.
pub fn make(desired: &Desired, seen: &Seen) -> Plan<Step> {
    let mut steps = Vec::new();
    let mut refusals = Vec::new();
    for Place { account, there, leaving } in &seen.places {
        if *leaving {
            match there {
                There::Unknown(_) if !seen.retain => refusals.push(cannot_leave(account)),
                There::Found(state) if seen.retain || stays_elsewhere(seen, state) => {}
                There::Found(_) | There::Absent | There::NoAccount | There::Unknown(_) => {
                    steps.extend(delete(seen, account, there));
                }
            }
            continue;
        }
        match standing(desired, seen, account, there) {
            Standing::AsWished | Standing::Gone => {}
            Standing::Step(step) => steps.push(*step),
            Standing::Refused(verdict) => refusals.push(verdict),
        }
    }
    if !desired.built_in {
        refusals.extend(seen.no_account.clone());
    }
    Plan { steps, verdict: worst(&refusals), extra: Vec::new() }
}

/// How the tenant stands at one account.
enum Standing {
    AsWished,
    /// The account does not exist any more.
    Gone,
    Step(Box<Step>),
    Refused(Verdict),
}

fn standing(desired: &Desired, seen: &Seen, account: &str, there: &There) -> Standing {
    let step = |step| Standing::Step(Box::new(step));
    match there {
        There::NoAccount => Standing::Gone,
        There::Unknown(verdict) => Standing::Refused(verdict.clone()),
        There::Absent if desired.built_in => Standing::Refused(Verdict::waiting(
            Reason::ProviderFailing,
            format!("Account '{account}' has no built-in tenant '{}'.", desired.name),
        )),
        There::Absent => step(Step::Create { account: account.to_owned(), wish: wish(desired, seen) }),
        There::Found(state) if desired.built_in && state.built_in => Standing::AsWished,
        There::Found(state) if state.owner.as_ref() == Some(&seen.mark) && !state.built_in => {
            if is_as_wished(desired, state) {
                Standing::AsWished
            } else {
                let (account, id) = (account.to_owned(), state.id.clone());
                step(Step::Update { account, id, wish: wish(desired, seen) })
            }
        }
        There::Found(_) => Standing::Refused(Verdict::blocked(
            Reason::NameTaken,
            format!(
                "Account '{account}' already has a tenant '{}' that was not made by this Tenant; it is left as it is. Choose another name for this Tenant, or remove that one.",
                desired.name
            ),
        )),
    }
}

fn wish(desired: &Desired, seen: &Seen) -> TenantWish {
    let Desired { name, visibility, description, quota, built_in: _ } = desired.clone();
    let object = ObjectName { namespace: None, name: seen.name.clone() };
    TenantWish { name, visibility, description, quota, owner: seen.mark.clone(), object }
}

fn is_as_wished(desired: &Desired, state: &TenantState) -> bool {
    state.visibility == desired.visibility
        && state.description == desired.description
        && state.quota == desired.quota
}

/// The refusal that counts: one that a person must end before one that ends by itself.
fn worst(refusals: &[Verdict]) -> Verdict {
    let blocked = refusals.iter().find(|verdict| matches!(verdict, Verdict::Blocked(..)));
    blocked.or_else(|| refusals.first()).cloned().unwrap_or(Verdict::Ready)
}

/// What is done while the Tenant is being deleted.
pub fn remove(seen: &Seen) -> Plan<Step> {
    if !seen.bound.users.is_empty() {
        return Plan::settled(in_use(seen));
    }
    if seen.retain {
        return Plan::settled(Verdict::Ready);
    }
    let mut steps = Vec::new();
    let mut refusals = Vec::new();
    for Place { account, there, leaving: _ } in &seen.places {
        match there {
            There::Found(_) | There::Absent | There::NoAccount => steps.extend(delete(seen, account, there)),
            There::Unknown(_) => refusals.push(cannot_leave(account)),
        }
    }
    Plan { steps, verdict: worst(&refusals), extra: Vec::new() }
}

fn cannot_leave(account: &str) -> Verdict {
    Verdict::waiting(
        Reason::AccountNotReady,
        format!(
            "The tenant cannot be removed from account '{account}', which does not work. Waiting for it. To leave the tenant there, set `spec.deletionPolicy` to Retain."
        ),
    )
}

/// Whether another account leads to the same tenant: two StorageAccounts can be connections to one account.
fn stays_elsewhere(seen: &Seen, state: &TenantState) -> bool {
    seen.places
        .iter()
        .any(|place| !place.leaving && matches!(&place.there, There::Found(other) if other.id == state.id))
}

/// What is not ours is never removed.
fn delete(seen: &Seen, account: &str, there: &There) -> Option<Step> {
    match there {
        There::Found(state) if state.owner.as_ref() == Some(&seen.mark) => {
            Some(Step::Delete { account: account.to_owned(), id: state.id.clone() })
        }
        There::Found(_) | There::Absent | There::NoAccount | There::Unknown(_) => None,
    }
}

fn in_use(seen: &Seen) -> Verdict {
    let users = &seen.bound.users;
    let plural = if users.len() == 1 { "" } else { "s" };
    Verdict::waiting(
        Reason::InUse,
        format!(
            "Tenant '{}' is used by {} StorageUser{plural}: {}. Delete them first.",
            seen.name,
            users.len(),
            first_names(users)
        ),
    )
}

/// The first few of many names.
pub fn first_names(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("'{name}'")).collect();
    let more = if names.len() > SHOWN { " and others" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// The accounts that the status lists. What is not known stays as it was.
pub fn accounts(desired: Option<&Desired>, seen: &Seen, before: &[TenantAccount]) -> Vec<TenantAccount> {
    let mut accounts: Vec<TenantAccount> = seen
        .places
        .iter()
        .filter_map(|Place { account, there, leaving }| match there {
            There::Found(_) if *leaving => None,
            There::Unknown(_) if *leaving && seen.retain => None,
            There::Unknown(_) => before.iter().find(|entry| entry.name == *account).cloned(),
            There::NoAccount | There::Absent => None,
            There::Found(state) => {
                let ours = state.owner.as_ref() == Some(&seen.mark) || (state.built_in && seen.retain);
                let ready = desired.is_none_or(|desired| desired.built_in || is_as_wished(desired, state));
                ours.then(|| TenantAccount { name: account.clone(), tenant_id: state.id.clone(), ready })
            }
        })
        .collect();
    accounts.sort_by(|one, other| one.name.cmp(&other.name));
    accounts
}

#[cfg(test)]
mod tests;
