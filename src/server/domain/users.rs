//! Users: where they may be, what role they may have, and what nobody does to oneself.

use super::access::{Principal, TenantFacts};
use super::{Refusal, accounts, fields};
use crate::wire::{Role, Usage, UserCreate, UserItem, UserPatch};
use jiff::Timestamp;

/// What hangs on a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hanging {
    /// Buckets.
    pub buckets: u64,
    /// Access keys.
    pub access_keys: u64,
    /// Jobs that it made, or that work on its buckets.
    pub jobs: u64,
}

/// Where a user is to be: a tenant, and an account with its tenant.
#[derive(Clone, Debug)]
pub struct Place {
    /// The user's tenant.
    pub tenant: TenantFacts,
    /// The Account ID.
    pub account: String,
    /// The account's tenant.
    pub account_tenant: TenantFacts,
    /// Jobs that pin the user to the tenant that it is in.
    pub jobs: u64,
}

/// A new user: no bucket, no key (rule 7).
pub fn create(
    principal: &Principal,
    id: String,
    wish: &UserCreate,
    place: &Place,
    now: Timestamp,
) -> Result<UserItem, Refusal> {
    fields::login(&wish.login)?;
    if let Some(password) = &wish.password {
        fields::password(password.reveal())?;
    }
    let user = UserItem {
        id,
        login: wish.login.clone(),
        name: wish.name.clone(),
        email: wish.email.clone(),
        time_zone: wish.time_zone.clone(),
        role: wish.role,
        tenant_id: place.tenant.id.clone(),
        account_id: place.account.clone(),
        enabled: wish.enabled,
        root: false,
        description: wish.description.clone(),
        quota: wish.quota,
        labels: wish.labels.clone(),
        usage: Usage::default(),
        created_at: now,
    };
    check_fields(&user)?;
    check_place(principal, &user, place)?;
    Ok(user)
}

/// A user after a patch; `place` is where it is to be afterwards.
pub fn patch(
    principal: &Principal,
    before: UserItem,
    patch: UserPatch,
    place: &Place,
) -> Result<UserItem, Refusal> {
    let UserPatch { name, email, time_zone, role, tenant_id, enabled, description, password, quota, labels } =
        patch;
    let moved = tenant_id.is_some_and(|id| id != before.tenant_id);
    let new_role = role.filter(|role| *role != before.role);
    if before.root && (moved || new_role.is_some() || password.is_some()) {
        return Err(Refusal::built_in("the role, tenant and password of a Root user do not change"));
    }
    if moved && principal.role != Role::Administrator {
        return Err(Refusal::forbidden("only a global administrator changes a user's tenant"));
    }
    if moved {
        let what = format!("user '{}'", before.login);
        if let Some(refusal) = Refusal::in_use(&what, &[(place.jobs, "jobs")]) {
            return Err(refusal);
        }
    }
    if principal.user_id == before.id {
        check_oneself(before.role, new_role, enabled)?;
    }
    if let Some(password) = &password {
        fields::password(password.reveal())?;
    }
    let after = UserItem {
        name: name.unwrap_or(before.name),
        email: email.unwrap_or(before.email),
        time_zone: time_zone.unwrap_or(before.time_zone),
        role: new_role.unwrap_or(before.role),
        tenant_id: place.tenant.id.clone(),
        enabled: enabled.unwrap_or(before.enabled),
        description: description.unwrap_or(before.description),
        quota: quota.unwrap_or(before.quota),
        labels: labels.unwrap_or(before.labels),
        ..before
    };
    check_fields(&after)?;
    if moved || new_role.is_some() {
        check_place(principal, &after, place)?;
    }
    Ok(after)
}

/// Rules 11 and 12: never oneself, never a Root user, and nobody with buckets, keys or jobs.
pub fn delete(principal: &Principal, user: &UserItem, hanging: Hanging) -> Result<(), Refusal> {
    if user.root {
        return Err(Refusal::built_in("a Root user is deleted with its account"));
    }
    if principal.user_id == user.id {
        return Err(Refusal::rule("nobody deletes their own user"));
    }
    let Hanging { buckets, access_keys, jobs } = hanging;
    let counts = [(buckets, "buckets"), (access_keys, "access keys"), (jobs, "jobs")];
    Refusal::in_use(&format!("user '{}'", user.login), &counts).map_or(Ok(()), Err)
}

fn check_fields(user: &UserItem) -> Result<(), Refusal> {
    fields::text("name", &user.name)?;
    fields::email(&user.email)?;
    fields::time_zone(&user.time_zone)?;
    fields::text("description", &user.description)?;
    fields::labels(&user.labels)
}

fn check_place(principal: &Principal, user: &UserItem, place: &Place) -> Result<(), Refusal> {
    if user.role == Role::Administrator {
        if principal.role != Role::Administrator {
            return Err(Refusal::forbidden("only a global administrator gives the role Administrator"));
        }
        if !place.tenant.built_in {
            return Err(Refusal::field(
                "role",
                "must not be Administrator outside the tenant `administrator`",
            ));
        }
    }
    accounts::check_takes(&place.account, &place.account_tenant, &place.tenant.id)
}

/// Nobody removes their own administrator role, nor shuts themselves out.
fn check_oneself(role: Role, new_role: Option<Role>, enabled: Option<bool>) -> Result<(), Refusal> {
    let administrator = matches!(role, Role::Administrator | Role::TenantAdministrator);
    if administrator && new_role.is_some() {
        return Err(Refusal::rule("nobody removes their own administrator role"));
    }
    if enabled == Some(false) {
        return Err(Refusal::rule("nobody disables their own user"));
    }
    Ok(())
}

#[cfg(test)]
#[path = "users_tests.rs"]
pub(in crate::server) mod tests;
