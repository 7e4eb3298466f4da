//! What must be true before a key is asked for. Pure: one ordered list of rules over what was gathered.

use crate::api::bucket::Bucket;
use crate::api::key::{AccessKey, KeyIdentity};
use crate::api::{Reason, StorageAccount, StorageUser, Tenant};
use crate::operator::runtime::kind::{is_deleting, name_of, namespace_of, uid_of};
use crate::operator::runtime::status::READY;
use crate::operator::runtime::{Blocked, Verdict};
use crate::operator::secret::render::{RenderError, render_dummy};
use crate::operator::tenant::{admission, quota};
use crate::provider::Capability;
use crate::wire::Permission;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What an AccessKey refers to, as it was last seen.
pub struct Surroundings {
    /// Its StorageUser.
    pub user: Option<Arc<StorageUser>>,
    /// The user's Tenant.
    pub tenant: Option<Arc<Tenant>>,
    /// The labels of its namespace.
    pub namespace_labels: BTreeMap<String, String>,
    /// The account that the user was made in.
    pub account: Option<Arc<StorageAccount>>,
    /// What the account can do; `None`: it has never answered.
    pub capabilities: Option<BTreeSet<Capability>>,
    /// The Buckets of its namespace.
    pub buckets: Vec<Arc<Bucket>>,
    /// The access keys of its namespace.
    pub keys: Vec<Arc<AccessKey>>,
}

/// What a key is asked for with: everything has been found and allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Admitted {
    /// The StorageAccount.
    pub account: String,
    /// The user at the provider.
    pub user_id: String,
    /// Names of the buckets that the key is restricted to.
    pub buckets: Option<Vec<String>>,
    /// The bucket that the Secret names.
    pub bucket: Option<String>,
}

/// Whether a key may be asked for, or why not.
pub fn admit(key: &AccessKey, around: &Surroundings) -> Result<Admitted, Verdict> {
    let identity = same_identity(key)?;
    secret_type_allowed(key)?;
    let user = user(key, around)?;
    let tenant = tenant(key, user, around)?;
    admission::allows(tenant, identity.permission)?;
    role_allows(user, &identity)?;
    if !is_begun(key) {
        within_quota(key, tenant, around)?;
    }
    ready(user.status.as_ref().map(|status| &status.conditions), || {
        (Reason::UserNotReady, format!("StorageUser '{}'", name_of(user)))
    })?;
    let status = user.status.as_ref();
    let (Some(account), Some(user_id)) =
        (status.and_then(|status| status.account.clone()), status.and_then(|status| status.user_id.clone()))
    else {
        return Err(waiting_for(
            Reason::UserNotReady,
            &format!("StorageUser '{}'", name_of(user)),
            "it is new",
        ));
    };
    let connected = connected(&account, around)?;
    write_is_exact(&identity, connected)?;
    let buckets = buckets(&identity, connected, around)?;
    let bucket = bucket_of_secret(key, &identity, buckets.as_deref(), around);
    // Whether the Secret can be rendered is known before its key is made.
    render_dummy(key.spec.secret.format, &connected.0.spec.s3, bucket.as_deref())
        .map_err(|error| not_rendered(error, key, &identity, around))?;
    Ok(Admitted { account, user_id, buckets, bucket })
}

/// The identity fields as they were when a key was first asked for.
fn same_identity(key: &AccessKey) -> Result<KeyIdentity, Blocked> {
    let now = key.identity();
    let Some(before) = key.status.as_ref().and_then(|status| status.identity.clone()) else { return Ok(now) };
    let list = |names: &Option<Vec<String>>| {
        names.as_ref().map_or_else(|| "absent".to_owned(), |names| format!("'{}'", names.join("', '")))
    };
    let quoted = |name: &str| format!("'{name}'");
    let KeyIdentity { user, permission, buckets, secret } = &before;
    let changed = [
        ("spec.userRef", quoted(user), quoted(&now.user)),
        ("spec.permission", quoted(permission.as_str()), quoted(now.permission.as_str())),
        ("spec.bucketRefs", list(buckets), list(&now.buckets)),
        ("spec.secret.name", quoted(secret), quoted(&now.secret)),
    ];
    match changed.into_iter().find(|(_, before, now)| before != now) {
        None => Ok(before),
        Some((field, before, now)) => Err(Blocked::new(
            Reason::IdentityChanged,
            format!(
                "`{field}` was {before} and must not change to {now}. Change it back, or make a new AccessKey."
            ),
        )),
    }
}

/// Kubernetes gives Secrets of its own types powers: one of type `kubernetes.io/service-account-token` is filled with the
/// token of any ServiceAccount that an annotation names. Whoever may make an AccessKey may not ask for one.
fn secret_type_allowed(key: &AccessKey) -> Result<(), Blocked> {
    let Some(type_) = &key.spec.secret.type_ else { return Ok(()) };
    let domain = type_.split('/').next().unwrap_or_default();
    let of_kubernetes = domain == "kubernetes.io" || domain.ends_with(".kubernetes.io");
    if !of_kubernetes {
        return Ok(());
    }
    Err(Blocked::new(
        Reason::InvalidSpec,
        format!(
            "`spec.secret.type` may not be '{type_}': types of kubernetes.io have a meaning of their own. Leave it out, or choose Opaque or a type of another domain."
        ),
    ))
}

fn user<'a>(key: &AccessKey, around: &'a Surroundings) -> Result<&'a StorageUser, Verdict> {
    let name = &key.spec.user_ref.name;
    match around.user.as_deref() {
        Some(user) if is_deleting(user) => Err(Verdict::waiting(
            Reason::UserNotReady,
            format!("StorageUser '{name}' is being deleted. Waiting for another of that name."),
        )),
        Some(user) => Ok(user),
        None => Err(Verdict::waiting(
            Reason::UserNotFound,
            format!(
                "StorageUser '{name}' does not exist in namespace '{}'. Waiting for it.",
                namespace_of(key)
            ),
        )),
    }
}

fn tenant<'a>(key: &AccessKey, user: &StorageUser, around: &'a Surroundings) -> Result<&'a Tenant, Verdict> {
    let tenant = around.tenant.as_deref().ok_or_else(|| {
        Verdict::waiting(
            Reason::TenantNotFound,
            format!("Tenant '{}' does not exist. Waiting for it.", user.spec.tenant_ref.name),
        )
    })?;
    admission::admits(tenant, namespace_of(key), &around.namespace_labels)?;
    Ok(tenant)
}

fn role_allows(user: &StorageUser, identity: &KeyIdentity) -> Result<(), Blocked> {
    let allowed = user.spec.role.permissions();
    if allowed.contains(&identity.permission) {
        return Ok(());
    }
    let allowed: Vec<&str> = allowed.iter().map(|permission| permission.as_str()).collect();
    Err(Blocked::new(
        Reason::RoleNotAllowed,
        format!(
            "StorageUser '{}' has role {:?}, whose keys may be {} only; this key asks for {}. Ask who manages the users of the Tenant to change `spec.role`.",
            name_of(user),
            user.spec.role,
            allowed.join(" or "),
            identity.permission.as_str()
        ),
    ))
}

/// Whether a key was asked for, or its Secret made: from then on it counts.
fn is_begun(key: &AccessKey) -> bool {
    key.status.as_ref().is_some_and(|status| status.issue.is_some() || status.identity.is_some())
}

/// Keys that were begun before this one, and older ones that wait as this one does, come first.
fn within_quota(key: &AccessKey, tenant: &Tenant, around: &Surroundings) -> Result<(), Blocked> {
    let Some(most) = tenant.spec.quota.access_keys_per_user else { return Ok(()) };
    let user = &key.spec.user_ref.name;
    let age = |key: &AccessKey| (key.metadata.creation_timestamp.clone(), name_of(key).to_owned());
    let before = |other: &&Arc<AccessKey>| {
        let begun = is_begun(other);
        other.spec.user_ref.name == *user
            && uid_of(&***other) != uid_of(key)
            && (begun || (!is_deleting(&***other) && age(other) < age(key)))
    };
    let taken = around.keys.iter().filter(before).count();
    let room = u32::try_from(taken).is_ok_and(|taken| taken < most);
    if room { Ok(()) } else { Err(quota::keys_used_up(tenant, most, user)) }
}

type Connected<'a> = (&'a StorageAccount, &'a BTreeSet<Capability>);

fn connected<'a>(name: &str, around: &'a Surroundings) -> Result<Connected<'a>, Verdict> {
    let account = around.account.as_deref().ok_or_else(|| {
        Verdict::waiting(
            Reason::AccountNotFound,
            format!("StorageAccount '{name}' does not exist. Waiting for it."),
        )
    })?;
    ready(account.status.as_ref().map(|status| &status.conditions), || {
        (Reason::AccountNotReady, format!("StorageAccount '{name}'"))
    })?;
    let capabilities = around.capabilities.as_ref().ok_or_else(|| {
        waiting_for(Reason::AccountNotReady, &format!("StorageAccount '{name}'"), "it has not answered yet")
    })?;
    Ok((account, capabilities))
}

/// Where a key with permission Write can delete too, somebody who answers for the account must have allowed it.
fn write_is_exact(identity: &KeyIdentity, (account, capabilities): Connected<'_>) -> Result<(), Blocked> {
    let garage = account.spec.provider.garage.as_ref();
    let allowed = garage.is_some_and(|garage| garage.allow_write_to_delete);
    if identity.permission != Permission::Write || capabilities.contains(&Capability::ExactWrite) || allowed {
        return Ok(());
    }
    Err(Blocked::new(
        Reason::NotSupportedByProvider,
        format!(
            "At StorageAccount '{}' a key with permission Write can delete objects too. Choose another permission, or ask who manages the account to set `spec.provider.garage.allowWriteToDelete`.",
            name_of(account)
        ),
    ))
}

/// The names at the provider of the buckets that the key is restricted to.
fn buckets(
    identity: &KeyIdentity,
    (account, capabilities): Connected<'_>,
    around: &Surroundings,
) -> Result<Option<Vec<String>>, Verdict> {
    let Some(references) = &identity.buckets else { return Ok(None) };
    if !capabilities.contains(&Capability::KeyBuckets) {
        return Err(Verdict::blocked(
            Reason::NotSupportedByProvider,
            format!(
                "StorageAccount '{}' cannot restrict a key to buckets. Leave out `spec.bucketRefs`.",
                name_of(account)
            ),
        ));
    }
    references.iter().map(|name| bucket(identity, name, around)).collect::<Result<_, _>>().map(Some)
}

fn bucket(identity: &KeyIdentity, name: &str, around: &Surroundings) -> Result<String, Verdict> {
    let bucket = around.buckets.iter().find(|bucket| name_of(&***bucket) == name).ok_or_else(|| {
        Verdict::waiting(
            Reason::BucketNotFound,
            format!("Bucket '{name}' does not exist in this namespace. Waiting for it."),
        )
    })?;
    let owner = &bucket.spec.user_ref.name;
    if *owner != identity.user {
        return Err(Verdict::blocked(
            Reason::BucketNotReady,
            format!(
                "Bucket '{name}' belongs to StorageUser '{owner}' and not to '{}'. A key may only name Buckets of its own user.",
                identity.user
            ),
        ));
    }
    ready(bucket.status.as_ref().map(|status| &status.conditions), || {
        (Reason::BucketNotReady, format!("Bucket '{name}'"))
    })?;
    Ok(bucket_name(bucket))
}

/// The one bucket of the key, or else of its user.
fn bucket_of_secret(
    key: &AccessKey,
    identity: &KeyIdentity,
    restricted: Option<&[String]>,
    around: &Surroundings,
) -> Option<String> {
    if let Some(names) = restricted {
        return (names.len() == 1).then(|| names[0].clone());
    }
    let mut all = buckets_of_user(key, identity, around);
    match (all.next(), all.next()) {
        (Some(only), None) => Some(bucket_name(only)),
        (None | Some(_), _) => None,
    }
}

fn buckets_of_user<'a>(
    key: &'a AccessKey,
    identity: &'a KeyIdentity,
    around: &'a Surroundings,
) -> impl Iterator<Item = &'a Arc<Bucket>> {
    around.buckets.iter().filter(move |bucket| {
        bucket.spec.user_ref.name == identity.user && namespace_of(&***bucket) == namespace_of(key)
    })
}

/// A user's first Bucket may come with the next manifest; which of several is meant, only a person can say.
fn not_rendered(
    error: RenderError,
    key: &AccessKey,
    identity: &KeyIdentity,
    around: &Surroundings,
) -> Verdict {
    match error {
        RenderError::BucketRequired(format) if buckets_of_user(key, identity, around).next().is_none() => {
            Verdict::waiting(
                Reason::BucketRequired,
                format!(
                    "Format '{format}' names one bucket, and StorageUser '{}' has none. Waiting for one.",
                    identity.user
                ),
            )
        }
        RenderError::BucketRequired(_) | RenderError::Endpoint => Blocked::from(error).into(),
    }
}

fn bucket_name(bucket: &Bucket) -> String {
    let made = bucket.status.as_ref().and_then(|status| status.bucket_name.clone());
    made.or_else(|| bucket.spec.name.clone()).unwrap_or_else(|| name_of(bucket).to_owned())
}

fn ready(
    conditions: Option<&crate::api::Conditions>,
    what: impl Fn() -> (Reason, String),
) -> Result<(), Verdict> {
    let ready = conditions.and_then(|conditions| conditions.get(READY));
    match ready {
        Some(condition) if condition.status == "True" => Ok(()),
        Some(condition) => {
            let (reason, what) = what();
            Err(waiting_for(reason, &what, &condition.reason))
        }
        None => {
            let (reason, what) = what();
            Err(waiting_for(reason, &what, "it is new"))
        }
    }
}

fn waiting_for(reason: Reason, what: &str, why: &str) -> Verdict {
    Verdict::waiting(reason, format!("{what} is not Ready: {why}. Waiting for it."))
}

#[cfg(test)]
mod tests;
