//! StorageAccount: the connection to one account of one provider.
//!
//! ```text
//!   credentials, CA ──> client ──> describe ──> same account as before? ──> connect ──> Ready
//!        │ absent         │ bad        │ refused        │ no, and in use
//!        v                v            v                v
//!   CredentialsNotFound  InvalidCABundle  CredentialsRefused  IdentityChanged        deleted: default? in use? wait ──> gone
//! ```
//!
//! * [`pool`]: the connections that the other kinds use; [`guard`]: limit, circuit breaker and counting around each;
//!   [`connect`]: how they are made.
//! * [`plan`], [`breaker`] and [`mod@select`] are pure: what is done, when calls fail at once, which account a user is made
//!   in.

pub mod breaker;
pub mod connect;
pub mod guard;
mod observe;
pub mod plan;
pub mod pool;
pub mod select;

pub use pool::Account;
pub use select::select;

use crate::api::account::OrphanPolicy;
use crate::api::{StorageAccount, StorageAccountStatus};
use crate::operator::key::sweep;
use crate::operator::runtime::error::chain;
use crate::operator::runtime::kind::name_of;
use crate::operator::runtime::{Blocked, Context, Error, Managed, ObjectKey, Plan};
use jiff::Timestamp;
use plan::{Desired, Seen, Step};
use std::time::Duration;

impl Managed for StorageAccount {
    const CHECKED: bool = true;
    // Everything in the account waits for it.
    const LONGEST_RETRY: Duration = Duration::from_secs(30);

    type Desired = Desired;
    type Seen = Seen;
    type Step = Step;

    fn desired(&self) -> Result<Desired, Blocked> {
        plan::desired(name_of(self), &self.spec)
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
            Step::Connect { name, made_from, description, request_timeout } => {
                if let Some(guard) = ctx.accounts.guard(&name, &made_from) {
                    ctx.accounts.answered(Account::new(&name, description, request_timeout, guard));
                }
            }
            Step::Disconnect { name } => ctx.accounts.remove(&name),
            Step::Sweep { name, policy } => sweep(ctx, &name, policy).await,
        }
        Ok(())
    }

    fn report(&self, _: Option<&Desired>, seen: &Seen, status: &mut StorageAccountStatus) {
        plan::report(seen, status);
    }

    async fn absent(ctx: &Context, key: &ObjectKey) -> Result<(), Error> {
        forget(ctx, &key.name);
        Ok(())
    }

    /// Whether the Secrets that the account names have changed since the connection was made.
    async fn check(&self, ctx: &Context) -> Result<bool, Error> {
        let Ok(desired) = self.desired() else { return Ok(false) };
        connect::has_changed(ctx, name_of(self), &desired).await
    }
}

fn forget(ctx: &Context, name: &str) {
    ctx.accounts.forget(name);
    ctx.metrics.forget_account(name);
}

/// Looks for keys that outlived their AccessKeys. If that fails the account is no worse for it: it is tried again.
async fn sweep(ctx: &Context, name: &str, policy: OrphanPolicy) {
    let Some(account) = ctx.accounts.find(name) else { return };
    let found = match sweep::sweep(ctx, &account, policy).await {
        Ok(found) => Some(found),
        Err(error) => {
            tracing::warn!(error = chain(&error), "failed to look for orphaned keys");
            None
        }
    };
    ctx.accounts.swept(name, found);
}
