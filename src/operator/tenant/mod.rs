//! Tenant: a group of users, public or isolated, and what it is allowed.
//!
//! ```text
//!                    ┌─ foreign ──> Blocked NameTaken
//!   per account: ────┼─ absent ───> create ─┐
//!   default, users'  ├─ differs ──> update ─┼─> as wished ──> Ready ──deleted──> in use? wait ──> delete or retain ──> gone
//!                    └─ as wished ──────────┘
//! ```
//!
//! [`admission`] is what the other kinds ask of a tenant, [`quota`] how much it allows, [`withdrawal`] what becomes of
//! what it does not allow any more; [`built_in`] is the tenant of global administrators;
//! [`bindings`] is who may do what with the objects of a tenant, as RBAC objects for people to apply.

pub mod admission;
pub mod bindings;
pub mod built_in;
mod observe;
pub mod plan;
pub mod quota;
pub mod withdrawal;

pub use admission::{admits, allows, in_account};

use crate::api::{ADMINISTRATOR_TENANT, ByteSize, DeletionPolicy, Reason, Tenant, TenantStatus};
use crate::operator::account::pool;
use crate::operator::runtime::kind::name_of;
use crate::operator::runtime::{Blocked, Context, Error, Managed, ObjectKey, Plan};
use crate::provider::{Quota, TenantWish, plain_text};
use jiff::Timestamp;
use plan::{Desired, Seen, Step};

impl Managed for Tenant {
    type Desired = Desired;
    type Seen = Seen;
    type Step = Step;

    fn desired(&self) -> Result<Desired, Blocked> {
        let built_in = name_of(self) == ADMINISTRATOR_TENANT;
        if built_in && built_in::is_edited(&self.spec) {
            return Err(Blocked::new(
                Reason::BuiltIn,
                "Tenant 'administrator' is built in: only `spec.allowedNamespaces` and `spec.accountRef` may be changed. Undo the other changes.",
            ));
        }
        let size = self.spec.quota.size.as_ref().map(|size| bytes("spec.quota.size", size)).transpose()?;
        let spec = &self.spec;
        let description = spec.description.as_ref().or(spec.display_name.as_ref());
        let quota = Quota { buckets: spec.quota.buckets.map(u64::from), size, objects: None };
        Ok(Desired {
            name: name_of(self).to_owned(),
            visibility: spec.visibility,
            description: description.map(|text| plain_text(text)).unwrap_or_default(),
            quota,
            built_in,
        })
    }

    async fn observe(&self, ctx: &Context) -> Result<Seen, Error> {
        observe::observe(self, ctx).await
    }

    fn plan(desired: Option<&Desired>, seen: &Seen, _: Timestamp) -> Plan<Step> {
        match desired {
            Some(desired) => plan::make(desired, seen),
            None => plan::remove(seen),
        }
    }

    async fn act(ctx: &Context, step: Step) -> Result<(), Error> {
        match step {
            Step::Create { account, wish } => create(ctx, &account, &wish).await,
            Step::Update { account, id, wish } => {
                let account = pool::connected(ctx, "update tenant", &account)?;
                let updated = account.provider().update_tenant(&id, &wish).await;
                updated.map(drop).map_err(|error| account.failed(error))
            }
            Step::Delete { account, id } => {
                let account = pool::connected(ctx, "delete tenant", &account)?;
                account.provider().delete_tenant(&id).await.map_err(|error| account.failed(error))
            }
        }
    }

    fn report(&self, desired: Option<&Desired>, seen: &Seen, status: &mut TenantStatus) {
        status.accounts = plan::accounts(desired, seen, &status.accounts);
        status.bound = Some(seen.bound.counts());
    }

    async fn absent(ctx: &Context, key: &ObjectKey) -> Result<(), Error> {
        if key.name == ADMINISTRATOR_TENANT { built_in::ensure(ctx).await } else { Ok(()) }
    }
}

async fn create(ctx: &Context, account: &str, wish: &TenantWish) -> Result<(), Error> {
    let account = pool::connected(ctx, "create tenant", account)?;
    account.provider().create_tenant(wish).await.map(drop).map_err(|error| account.failed(error))
}

/// Whether what was made for a tenant stays when its object goes. What is built in always does.
fn is_retained(tenant: &Tenant) -> bool {
    tenant.spec.deletion_policy == DeletionPolicy::Retain || name_of(tenant) == ADMINISTRATOR_TENANT
}

/// The bytes of a size in a spec.
pub fn bytes(field: &str, size: &ByteSize) -> Result<u64, Blocked> {
    size.bytes().ok_or_else(|| {
        Blocked::new(
            Reason::InvalidSpec,
            format!("`{field}` must be a size such as '500Gi', below 8 EiB, and is '{}'.", size.0),
        )
    })
}
