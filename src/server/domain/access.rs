//! Who may do what: the roles of rule 10 and the matrix of rule 11.
//!
//! Two questions, asked of the same table: [`visible`] says which part of a collection a principal sees, [`may`]
//! whether it may do something to one item. What one may not read answers as if it were not there (rule 13).
//!
//! Keys, buckets and jobs are a tenant's data. Isolation hides a tenant's data from global administrators, but not from the
//! one who made the user that owns it: an administrator that provisions an isolated tenant can go on doing so.

use super::{Refusal, jobs};
use crate::wire::{JobKind, ProblemType, Role, Scope, Visibility};
use jiff::{SignedDuration, Timestamp};

/// For how long a verified password counts (rule 5).
pub const VERIFICATION: SignedDuration = SignedDuration::from_mins(15);

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// `us_…`
    pub user_id: String,
    /// What it may do.
    pub role: Role,
    /// Its tenant, `tn_…`.
    pub tenant_id: String,
}

/// What it asks with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A session, and when it last verified its password.
    Session {
        /// When; `None`: not yet.
        verified: Option<Timestamp>,
    },
    /// An API token with its scopes.
    Token {
        /// What it may be used for.
        scopes: Vec<Scope>,
    },
}

/// What is done to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Look at it.
    Read,
    /// Make it.
    Create,
    /// Change it.
    Edit,
    /// Remove it.
    Delete,
}

/// What the matrix needs of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantFacts {
    /// `tn_…`
    pub id: String,
    /// Public or isolated.
    pub visibility: Visibility,
    /// Whether it is `administrator`.
    pub built_in: bool,
}

/// What the matrix needs of the user that owns a key or bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerFacts {
    /// `us_…`
    pub user_id: String,
    /// Its tenant.
    pub tenant: TenantFacts,
    /// The user who made it, or `system`.
    pub made_by: String,
}

/// What something is done to.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// A tenant.
    Tenant(&'a TenantFacts),
    /// An account, by its tenant.
    Account(&'a TenantFacts),
    /// A user, by its tenant and its present role.
    User(&'a TenantFacts, Role),
    /// A key of this user.
    AccessKey(&'a OwnerFacts),
    /// A bucket of this user.
    Bucket(&'a OwnerFacts),
    /// A job of this kind on a bucket of this user.
    Job(&'a OwnerFacts, JobKind),
}

/// A collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collection {
    /// Tenants.
    Tenants,
    /// Accounts.
    Accounts,
    /// Users.
    Users,
    /// Access keys, buckets and jobs: a tenant's data.
    Data,
    /// The audit log.
    AuditEvents,
}

/// Which part of a collection is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visible {
    /// All of it.
    All,
    /// What belongs to this tenant.
    Tenant(String),
    /// What belongs to public tenants, to the principal's own, and (of keys and buckets) what the principal's users have.
    PublicOr {
        /// The principal's tenant.
        own: String,
    },
}

/// Which part of a collection a principal sees: the row "read" of rule 11.
pub fn visible(principal: &Principal, collection: Collection) -> Result<Visible, Refusal> {
    let own = || principal.tenant_id.clone();
    match (principal.role, collection) {
        (Role::Administrator, Collection::Tenants | Collection::Users | Collection::AuditEvents) => {
            Ok(Visible::All)
        }
        (Role::Administrator, Collection::Accounts | Collection::Data) => {
            Ok(Visible::PublicOr { own: own() })
        }
        (Role::TenantAdministrator, Collection::Tenants) => Err(only("a global administrator")),
        (
            Role::TenantAdministrator,
            Collection::Accounts | Collection::Users | Collection::Data | Collection::AuditEvents,
        )
        | (Role::FullAccess | Role::Backup | Role::ReadOnly, Collection::Data) => Ok(Visible::Tenant(own())),
        (
            Role::FullAccess | Role::Backup | Role::ReadOnly,
            Collection::Tenants | Collection::Accounts | Collection::Users | Collection::AuditEvents,
        ) => Err(only("an administrator")),
    }
}

fn only(who: &str) -> Refusal {
    Refusal::forbidden(format!("only {who} may do this"))
}

/// Whether a principal may do something to one item: rule 11.
pub fn may(principal: &Principal, action: Action, target: Target<'_>) -> Result<(), Refusal> {
    if !reads(principal, target) {
        return Err(if action == Action::Create {
            no_place(principal, target)
        } else {
            Refusal::not_found()
        });
    }
    if action == Action::Read {
        return Ok(());
    }
    match target {
        Target::Tenant(tenant) if tenant.built_in && action != Action::Create => {
            Err(Refusal::built_in("the tenant `administrator` is built in; it is neither edited nor deleted"))
        }
        Target::Tenant(_) | Target::Account(_) => Ok(()),
        Target::User(_, role) => {
            let above = role == Role::Administrator && principal.role != Role::Administrator;
            if above { Err(only("a global administrator")) } else { Ok(()) }
        }
        Target::AccessKey(owner) => changes_data(principal, principal.user_id == owner.user_id),
        Target::Bucket(_) => changes_data(principal, true),
        Target::Job(_, kind) if jobs::rules::role_may(principal.role, kind) => Ok(()),
        Target::Job(_, kind) => Err(Refusal::forbidden(format!(
            "the role {:?} may not have jobs of kind {kind:?}",
            principal.role
        ))),
    }
}

/// Why something cannot be made in a place that one cannot see. Only what the principal knows anyway is said: that its
/// role never may, or, to a global administrator, who sees all tenants, that the tenant is isolated.
fn no_place(principal: &Principal, target: Target<'_>) -> Refusal {
    let (collection, _, _) = place(target);
    match visible(principal, collection) {
        Err(refusal) => refusal,
        Ok(Visible::PublicOr { .. }) => {
            Refusal::forbidden("the tenant is isolated: only its own administrators may do this")
        }
        Ok(Visible::All | Visible::Tenant(_)) => Refusal::not_found(),
    }
}

fn place(target: Target<'_>) -> (Collection, &TenantFacts, Option<&String>) {
    match target {
        Target::Tenant(tenant) => (Collection::Tenants, tenant, None),
        Target::Account(tenant) => (Collection::Accounts, tenant, None),
        Target::User(tenant, _) => (Collection::Users, tenant, None),
        Target::AccessKey(owner) | Target::Bucket(owner) | Target::Job(owner, _) => {
            (Collection::Data, &owner.tenant, Some(&owner.made_by))
        }
    }
}

fn reads(principal: &Principal, target: Target<'_>) -> bool {
    let (collection, tenant, made_by) = place(target);
    match visible(principal, collection) {
        Ok(Visible::All) => true,
        Ok(Visible::Tenant(own)) => own == tenant.id,
        Ok(Visible::PublicOr { own }) => {
            tenant.visibility == Visibility::Public || own == tenant.id || made_by == Some(&principal.user_id)
        }
        Err(_) => false,
    }
}

/// Rule 10: `FullAccess` changes the tenant's buckets and its own keys; `Backup` and `ReadOnly` change nothing.
fn changes_data(principal: &Principal, own: bool) -> Result<(), Refusal> {
    match principal.role {
        Role::Administrator | Role::TenantAdministrator => Ok(()),
        Role::FullAccess if own => Ok(()),
        Role::FullAccess => Err(only("an administrator")),
        Role::Backup | Role::ReadOnly => {
            Err(Refusal::forbidden("the roles Backup and ReadOnly may not change this"))
        }
    }
}

/// Whether the credential may be used for this; sessions are never limited.
pub fn scope(credential: &Credential, needed: Scope) -> Result<(), Refusal> {
    match credential {
        Credential::Session { .. } => Ok(()),
        Credential::Token { scopes } if scopes.contains(&needed) => Ok(()),
        Credential::Token { .. } => {
            let word = crate::server::domain::tokens::scope_word(needed);
            Err(Refusal::new(ProblemType::ScopeMissing, format!("the token needs the scope '{word}'")))
        }
    }
}

/// Rule 5: keys are made by a session that verified its password within 15 minutes, or by a token with `keys:write`.
pub fn may_make_keys(credential: &Credential, now: Timestamp) -> Result<(), Refusal> {
    scope(credential, Scope::KeysWrite)?;
    match credential {
        Credential::Token { .. } => Ok(()),
        Credential::Session { verified } => verified_recently(*verified, now),
    }
}

/// Whether a session's password was verified within 15 minutes.
pub fn verified_recently(verified: Option<Timestamp>, now: Timestamp) -> Result<(), Refusal> {
    let fresh = verified.is_some_and(|time| now.duration_since(time) < VERIFICATION && time <= now);
    if fresh {
        return Ok(());
    }
    Err(Refusal::new(
        ProblemType::PasswordVerificationRequired,
        "verify the password with `POST /v1/sessions/verify`; that holds for 15 minutes",
    ))
}

#[cfg(test)]
#[path = "access_tests.rs"]
mod tests;
