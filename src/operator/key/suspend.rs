//! A published key that its Tenant does not allow any more: whether it is to work, and seeing to it.
//!
//! The protocol knows nothing of this: a key that is suspended is published all the same. [`standing`] decides, pure, by
//! what the key was made as, so that no change of its spec keeps it from being suspended; the rest compares with what the
//! provider lists and makes one call where that differs.

use super::pass::Pass;
use crate::api::{AccessKey, Reason, StorageUser, Tenant};
use crate::operator::runtime::kind::{is_deleting, namespace_of};
use crate::operator::runtime::status::SUSPENDED;
use crate::operator::runtime::{Blocked, Context, Error, Extra};
use crate::operator::tenant::withdrawal;
use crate::provider::{Capability, ErrorKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a key is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Not known, or nothing is published: it is left as it is.
    #[default]
    Unknown,
    /// It works.
    Works,
    /// It does not work, as its user does not.
    WithUser(Blocked),
    /// It does not work.
    Suspended(Blocked),
}

impl Standing {
    /// Why it is not to work.
    pub fn refusal(&self) -> Option<&Blocked> {
        match self {
            Self::Unknown | Self::Works => None,
            Self::WithUser(blocked) | Self::Suspended(blocked) => Some(blocked),
        }
    }
}

/// What the standing of a key follows from.
#[derive(Default)]
pub struct Around {
    /// The user that the key was made for.
    pub user: Option<Arc<StorageUser>>,
    /// The tenant that the user was made in.
    pub tenant: Option<Arc<Tenant>>,
    /// The labels of the namespace; `None`: not known.
    pub labels: Option<BTreeMap<String, String>>,
    /// The users of the tenant, where they count.
    pub users: Vec<Arc<StorageUser>>,
    /// The keys of the namespace, where they count.
    pub keys: Vec<Arc<AccessKey>>,
}

/// Decides how the key is to be. Pure.
pub fn standing(key: &AccessKey, around: &Around) -> Standing {
    let status = key.status.as_ref().filter(|status| status.published.is_some());
    let made_as = status.and_then(|status| status.identity.as_ref());
    let (Some(made_as), Some(user), Some(tenant)) = (made_as, &around.user, &around.tenant) else {
        return Standing::Unknown;
    };
    let of_user = withdrawal::of_user(user, tenant, around.labels.as_ref(), &around.users);
    if let Some(blocked) = of_user {
        return Standing::WithUser(blocked);
    }
    withdrawal::of_key(key, made_as, tenant, &around.keys).map_or(Standing::Works, Standing::Suspended)
}

/// What the standing follows from, by what is watched. Where nothing is suspended, nobody else is looked for.
pub fn around(ctx: &Context, key: &AccessKey) -> Around {
    let namespace = namespace_of(key);
    let made_as = key.status.as_ref().and_then(|status| status.identity.as_ref());
    let user = made_as.and_then(|made_as| ctx.stores.user(namespace, &made_as.user));
    let name = user.as_ref().map(|user| withdrawal::tenant_of(user).to_owned()).unwrap_or_default();
    let tenant = ctx.stores.tenants.get(None, &name);
    let quota =
        tenant.as_ref().filter(|tenant| withdrawal::suspends(tenant)).map(|tenant| &tenant.spec.quota);
    let users = quota
        .and_then(|quota| quota.users)
        .map(|_| ctx.stores.users.filter(|user| withdrawal::tenant_of(user) == name));
    let keys = quota
        .and_then(|quota| quota.access_keys_per_user)
        .map(|_| ctx.stores.keys.filter(|other| other.metadata.namespace.as_deref() == Some(namespace)));
    let labels = ctx.stores.known_labels(namespace);
    let (users, keys) = (users.unwrap_or_default(), keys.unwrap_or_default());
    Around { user, tenant, labels, users, keys }
}

/// The condition as it was, for writes in the middle of a pass.
pub fn as_before(key: &AccessKey) -> Option<Extra> {
    let before = key.status.as_ref()?.conditions.get(SUSPENDED)?;
    let reasons = [
        Reason::NamespaceNotAllowed,
        Reason::PermissionNotAllowed,
        Reason::QuotaExceeded,
        Reason::NotSupportedByProvider,
    ];
    let reason = reasons.into_iter().find(|reason| reason.as_str() == before.reason)?;
    let holds = before.status == "True";
    Some(Extra { kind: SUSPENDED, holds, reason, message: before.message.clone() })
}

fn suspended(Blocked(reason, message): &Blocked) -> Extra {
    let message = format!(
        "{message} Until then the key is refused. Nothing is lost: it works again with the same Secret."
    );
    Extra { kind: SUSPENDED, holds: true, reason: *reason, message }
}

/// The condition where the account has no way to suspend a single key.
fn cannot(account: &str, Blocked(_, message): &Blocked) -> Extra {
    let message = format!(
        "{message} Account '{account}' cannot suspend a single key, so this one goes on working: to stop it, delete this AccessKey."
    );
    Extra { kind: SUSPENDED, holds: false, reason: Reason::NotSupportedByProvider, message }
}

impl Pass<'_> {
    /// Makes the published key work, or not, as its Tenant says now; and says so.
    pub async fn hold_to_tenant(&mut self) -> Result<Option<Extra>, Error> {
        let Some(object) = self.object.clone().filter(|object| !is_deleting(&**object)) else {
            return Ok(None);
        };
        let before = as_before(&object);
        match self.standing.clone() {
            Standing::Unknown => Ok(before),
            Standing::WithUser(blocked) => Ok(Some(suspended(&blocked))),
            Standing::Works => {
                self.let_work(before.is_some()).await?;
                Ok(None)
            }
            Standing::Suspended(blocked) => {
                let Some(account) = self.account() else { return Ok(before) };
                if !account.can(Capability::KeySuspension) {
                    return Ok(Some(cannot(&account.name, &blocked)));
                }
                self.know_whether_active().await?;
                if self.active == Some(true) {
                    self.set_active(false).await?;
                }
                Ok(Some(suspended(&blocked)))
            }
        }
    }

    /// A key that does not work, and is to, works again. Without a list, and where the status says nothing, it works.
    async fn let_work(&mut self, was_suspended: bool) -> Result<(), Error> {
        if was_suspended {
            self.know_whether_active().await?;
        }
        if self.active == Some(false) { self.set_active(true).await } else { Ok(()) }
    }

    async fn know_whether_active(&mut self) -> Result<(), Error> {
        if self.active.is_none()
            && let Some(account) = self.account()
        {
            self.list_at(&account).await?;
        }
        Ok(())
    }

    async fn set_active(&mut self, active: bool) -> Result<(), Error> {
        let published = self.object.as_ref().and_then(|object| object.status.as_ref()?.published.clone());
        let Some(published) = published else { return Ok(()) };
        let account = self.connected("suspend or resume the key of")?;
        match account.provider().set_key_active(&published.access_key_id, active).await {
            // Revoked meanwhile: the next list shows it.
            Err(error) if matches!(error.kind, ErrorKind::NotFound) => Ok(()),
            done => done.map_err(|error| account.failed(error)),
        }
    }
}

#[cfg(test)]
mod tests;
