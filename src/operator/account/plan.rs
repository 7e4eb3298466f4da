//! What is done about an account. Pure.

use crate::api::account::{
    AccountBound, CephRgwSpec, GarageSpec, ManagementSpec, OrphanPolicy, ProviderSpec, ProviderStatus,
};
use crate::api::{Reason, StorageAccountSpec, StorageAccountStatus};
use crate::operator::runtime::{Blocked, Extra, Plan, Verdict};
use crate::operator::tenant::plan::first_names;
use crate::provider::{Description, ErrorKind};
use std::collections::BTreeSet;
use std::time::Duration;

/// What the spec asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Which object store, and what only it needs to know.
    pub kind: Kind,
    /// URL of the management API.
    pub endpoint: String,
    /// Secret with the credentials.
    pub credentials: String,
    /// Secret with the certificates to trust.
    pub ca_bundle: Option<String>,
    /// Calls at one time.
    pub turns: usize,
    /// How long a call may take.
    pub request_timeout: Duration,
    /// The only tenant that may use it.
    pub tenant: Option<String>,
    /// What is done about keys that outlived their AccessKeys.
    pub orphan_policy: OrphanPolicy,
}

/// The object stores that an account can be at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// storekeeper's own management server.
    Management {
        /// The account there; `None`: that of the credentials.
        account_id: Option<String>,
    },
    /// Ceph's object gateway.
    CephRgw {
        /// The region that requests are signed for; `None`: the gateways' default.
        region: Option<String>,
    },
    /// Garage.
    Garage,
}

impl Kind {
    /// The field of `spec.provider` that asks for it.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Management { .. } => "management",
            Self::CephRgw { .. } => "cephRgw",
            Self::Garage => "garage",
        }
    }

    /// The credentials that it takes: the entries of their Secret, and what they are.
    pub fn credentials(&self) -> Credentials {
        match self {
            Self::Management { .. } => Credentials { entries: &["token"], what: "an API token" },
            Self::CephRgw { .. } => {
                Credentials { entries: &["accessKey", "secretKey"], what: "the key of an admin user" }
            }
            Self::Garage => Credentials { entries: &["token"], what: "an admin token" },
        }
    }
}

/// What a Secret with credentials holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Its entries.
    pub entries: &'static [&'static str],
    /// What is in them, with an article.
    pub what: &'static str,
}

impl Credentials {
    /// What to put where, in words: an API token in its entry `token`.
    pub fn in_words(self) -> String {
        let names: Vec<String> = self.entries.iter().map(|entry| format!("`{entry}`")).collect();
        let entries = if names.len() == 1 { "entry" } else { "entries" };
        format!("{} in its {entries} {}", self.what, names.join(" and "))
    }
}

/// What there is.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The name of the StorageAccount.
    pub name: String,
    /// What came of talking to the provider.
    pub link: Link,
    /// Whether the other kinds use a connection.
    pub connected: bool,
    /// The account at the provider, as it was when it was last Ready.
    pub known_as: Option<String>,
    /// Whether it is the default.
    pub is_default: bool,
    /// All accounts that are the default.
    pub defaults: Vec<String>,
    /// What uses it.
    pub bound: Bound,
    /// The condition that tells of keys that outlived their AccessKeys, as of the last look for them.
    pub orphans: Option<Extra>,
    /// Whether it is time for another look.
    pub sweep_due: bool,
}

/// What came of talking to the provider.
#[derive(Clone, Debug, PartialEq)]
pub enum Link {
    /// Not known: the object is being deleted, and that must not depend on it.
    NotKnown,
    /// The settings make no connection, or the provider refuses it.
    Unusable(Verdict),
    /// A connection was made of these settings; nothing was asked yet.
    Made(String),
    /// The provider answers.
    Talks(Talk),
}

/// The provider answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Talk {
    /// What the connection was made from.
    pub made_from: String,
    /// Who answers.
    pub description: Description,
    /// How long a call may take.
    pub request_timeout: Duration,
}

/// What uses an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// Tenants that are made in it or name it, sorted.
    pub tenants: Vec<String>,
    /// Tenants of the users in it.
    pub tenants_of_users: BTreeSet<String>,
    /// StorageUsers as `namespace/name`, sorted.
    pub users: Vec<String>,
    /// AccessKeys of those users.
    pub access_keys: usize,
    /// Buckets of those users.
    pub buckets: usize,
}

impl Bound {
    fn is_empty(&self) -> bool {
        self.tenants.is_empty() && self.users.is_empty()
    }

    fn counts(&self) -> AccountBound {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        AccountBound {
            tenants: count(self.tenants.len()),
            users: count(self.users.len()),
            access_keys: count(self.access_keys),
            buckets: count(self.buckets),
        }
    }
}

/// What changes for the other kinds.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The connection may be used.
    Connect {
        /// Which account.
        name: String,
        /// What the connection was made from.
        made_from: String,
        /// Who answers.
        description: Description,
        /// How long a call may take.
        request_timeout: Duration,
    },
    /// Look for keys that outlived their AccessKeys.
    Sweep {
        /// Which account.
        name: String,
        /// What is done about them.
        policy: OrphanPolicy,
    },
    /// The connection must not be used any more.
    Disconnect {
        /// Which account.
        name: String,
    },
}

/// Parses the spec.
pub fn desired(name: &str, spec: &StorageAccountSpec) -> Result<Desired, Blocked> {
    let ProviderSpec { management, ceph_rgw, garage } = &spec.provider;
    let (kind, endpoint, credentials, ca_bundle) = match (management, ceph_rgw, garage) {
        (
            Some(ManagementSpec { endpoint, account_id, credentials_secret_ref, ca_bundle_secret_ref }),
            _,
            _,
        ) => {
            let kind = Kind::Management { account_id: account_id.clone() };
            (kind, endpoint, credentials_secret_ref, ca_bundle_secret_ref)
        }
        (None, Some(CephRgwSpec { endpoint, region, credentials_secret_ref, ca_bundle_secret_ref }), _) => {
            let kind = Kind::CephRgw { region: region.clone() };
            (kind, endpoint, credentials_secret_ref, ca_bundle_secret_ref)
        }
        (
            None,
            None,
            Some(GarageSpec {
                endpoint,
                credentials_secret_ref,
                ca_bundle_secret_ref,
                allow_write_to_delete: _,
            }),
        ) => (Kind::Garage, endpoint, credentials_secret_ref, ca_bundle_secret_ref),
        // The schema does not let it come to that.
        (None, None, None) => {
            let message = format!("`spec.provider` of StorageAccount '{name}' must name one object store.");
            return Err(Blocked::new(Reason::InvalidSpec, message));
        }
    };
    Ok(Desired {
        kind,
        endpoint: endpoint.clone(),
        credentials: credentials.name.clone(),
        ca_bundle: ca_bundle.as_ref().map(|reference| reference.name.clone()),
        turns: usize::try_from(spec.limits.max_concurrent_requests).unwrap_or(1).max(1),
        request_timeout: Duration::from_secs(spec.limits.request_timeout_seconds.max(1).into()),
        tenant: spec.tenant_ref.as_ref().map(|reference| reference.name.clone()),
        orphan_policy: spec.orphan_policy,
    })
}

/// What is done while the account is wanted.
pub fn make(desired: &Desired, seen: &Seen) -> Plan<Step> {
    connection(desired, seen).with_extra(seen.orphans.iter().cloned().collect())
}

/// Faults that concern only who may use it leave the connection as it is: what
/// was made in the account goes on being looked after.
fn connection(desired: &Desired, seen: &Seen) -> Plan<Step> {
    let disconnect = || {
        let step = Step::Disconnect { name: seen.name.clone() };
        if seen.connected { vec![step] } else { Vec::new() }
    };
    let talk = match &seen.link {
        Link::Talks(talk) => talk,
        Link::Unusable(verdict) => {
            return Plan { steps: disconnect(), verdict: verdict.clone(), extra: Vec::new() };
        }
        Link::NotKnown | Link::Made(_) => {
            return Plan::settled(Verdict::waiting(
                Reason::Progressing,
                "The account has not been asked yet.",
            ));
        }
    };
    if let Some(verdict) = another_account(seen, &talk.description) {
        return Plan { steps: disconnect(), verdict, extra: Vec::new() };
    }
    let verdict = several_defaults(seen).or_else(|| another_tenant(desired, seen)).unwrap_or(Verdict::Ready);
    let mut steps = connect(seen, talk);
    if seen.sweep_due {
        steps.push(Step::Sweep { name: seen.name.clone(), policy: desired.orphan_policy });
    }
    Plan { steps, verdict, extra: Vec::new() }
}

fn connect(seen: &Seen, talk: &Talk) -> Vec<Step> {
    if seen.connected {
        return Vec::new();
    }
    let Talk { made_from, description, request_timeout } = talk.clone();
    vec![Step::Connect { name: seen.name.clone(), made_from, description, request_timeout }]
}

/// The connection leads to another account than before: everything that was made would seem to be gone.
fn another_account(seen: &Seen, description: &Description) -> Option<Verdict> {
    let before = seen.known_as.as_ref().filter(|before| **before != description.account_id)?;
    (!seen.bound.is_empty()).then(|| {
        Verdict::blocked(
            Reason::IdentityChanged,
            format!(
                "StorageAccount '{}' was account '{before}' at the provider and must not become account '{}' while anything uses it. Change the settings back, or make a new StorageAccount.",
                seen.name, description.account_id
            ),
        )
    })
}

fn several_defaults(seen: &Seen) -> Option<Verdict> {
    (seen.is_default && seen.defaults.len() > 1).then(|| {
        Verdict::blocked(
            Reason::SeveralDefaultAccounts,
            format!(
                "StorageAccounts '{}' are all the default. Leave `spec.default` true on one of them only.",
                seen.defaults.join("', '")
            ),
        )
    })
}

/// The account is assigned to a tenant while users of others are in it.
fn another_tenant(desired: &Desired, seen: &Seen) -> Option<Verdict> {
    let tenant = desired.tenant.as_ref()?;
    let others: Vec<String> =
        seen.bound.tenants_of_users.iter().filter(|other| *other != tenant).cloned().collect();
    (!others.is_empty()).then(|| {
        Verdict::blocked(
            Reason::IdentityChanged,
            format!(
                "`spec.tenantRef` must not be changed to '{tenant}' while the account has users of other tenants: {}. Change it back, or move those users to another account.",
                first_names(&others)
            ),
        )
    })
}

/// What is done while the account is being deleted. What uses it needs the connection to be cleaned up.
pub fn remove(seen: &Seen) -> Plan<Step> {
    if let Some(what) = uses(&seen.bound) {
        let message = format!("StorageAccount '{}' is used by {what}. Remove or move them first.", seen.name);
        let steps = match &seen.link {
            Link::Talks(talk) => connect(seen, talk),
            Link::NotKnown | Link::Unusable(_) | Link::Made(_) => Vec::new(),
        };
        return Plan { steps, verdict: Verdict::waiting(Reason::InUse, message), extra: Vec::new() };
    }
    if seen.is_default {
        return Plan::settled(Verdict::waiting(
            Reason::InUse,
            format!(
                "StorageAccount '{}' is the default and may not be deleted. Set its `spec.default` to false first.",
                seen.name
            ),
        ));
    }
    if seen.connected {
        return Plan::doing(vec![Step::Disconnect { name: seen.name.clone() }]);
    }
    Plan::settled(Verdict::Ready)
}

/// What uses the account, in words.
fn uses(bound: &Bound) -> Option<String> {
    let part = |kind: &str, names: &[String]| {
        let plural = if names.len() == 1 { "" } else { "s" };
        (!names.is_empty()).then(|| format!("{} {kind}{plural} ({})", names.len(), first_names(names)))
    };
    let parts: Vec<String> =
        [part("StorageUser", &bound.users), part("Tenant", &bound.tenants)].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" and "))
}

/// The provider refuses the credentials.
pub fn credentials_refused(name: &str, desired: &Desired, kind: &ErrorKind) -> Verdict {
    let secret = &desired.credentials;
    let message = match kind {
        ErrorKind::Forbidden(why) => format!(
            "Account '{name}' does not allow what the operator must do with the token in Secret '{secret}' (403): {why}. Give the token the scopes that are missing."
        ),
        _ => format!(
            "Account '{name}' refused the credentials in Secret '{secret}' (401). Put a valid token into it."
        ),
    };
    Verdict::blocked(Reason::CredentialsRefused, message)
}

/// The provider's certificate is not trusted.
pub fn untrusted(name: &str, desired: &Desired) -> Verdict {
    let message = match &desired.ca_bundle {
        Some(bundle) => format!(
            "The certificate of account '{name}' does not come from the authority in Secret '{bundle}'. Put the right certificate into its entry `ca.crt`."
        ),
        None => format!(
            "The certificate of account '{name}' is not trusted by the operator's system. Name a Secret with the authority's certificate in `caBundleSecretRef`."
        ),
    };
    Verdict::blocked(Reason::InvalidCaBundle, message)
}

/// Puts what was seen into the status. What an unusable account said before stays.
pub fn report(seen: &Seen, status: &mut StorageAccountStatus) {
    status.bound = Some(seen.bound.counts());
    let Link::Talks(Talk { description, .. }) = &seen.link else { return };
    if another_account(seen, description).is_some() {
        return;
    }
    let Description { name, version, account_id, capabilities } = description.clone();
    status.provider = Some(ProviderStatus { name, version });
    status.account_id = Some(account_id);
    status.capabilities = capabilities.into_iter().map(|capability| capability.as_str().to_owned()).collect();
}

#[cfg(test)]
mod tests;
