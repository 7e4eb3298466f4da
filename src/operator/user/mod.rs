//! StorageUser: an identity at a provider.
//!
//! ```text
//!            tenant admits, account known, tenant there          login free
//!   (new) ───────────────────────────────────────────> create ───────────────> Ready <──┐
//!     │ no                                                │ login taken          │      │ update, where
//!     v                                                   v                      └──────┘ something differs
//!   Waiting / Blocked                              Blocked NameTaken
//!
//!   (deleted) ── keys or buckets refer to it ──> Waiting InUse ── gone ──> remove at the provider ──> (gone)
//!                                                    ^                        │ in use there
//!                                                    └────────────────────────┘
//! ```
//!
//! [`desired`] parses the spec and refuses a changed identity, [`place`] finds out where the user lives, [`plan`] decides:
//! all pure. [`observe`] reads and [`act`] calls the provider. Identity is `tenantRef`, `accountRef` and the login, as the
//! status recorded them when the user was made.

mod act;
mod desired;
mod observe;
mod place;
mod plan;

#[cfg(test)]
mod tests;

pub use act::Step;
pub use desired::Desired;
pub use observe::Seen;

use crate::api::StorageUser;
use crate::operator::runtime::{Blocked, Context, Error, Managed, Plan};
use jiff::Timestamp;
use plan::There;

/// What a spec comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// It can be had.
    Valid(Box<Desired>),
    /// It cannot; the user was made before, and is still held to what its tenant allows.
    Refused(Blocked),
}

impl Managed for StorageUser {
    type Desired = Wanted;
    type Seen = Seen;
    type Step = Step;

    fn desired(&self) -> Result<Wanted, Blocked> {
        match Desired::of(self) {
            Ok(desired) => Ok(Wanted::Valid(Box::new(desired))),
            Err(blocked) if place::is_made(self) => Ok(Wanted::Refused(blocked)),
            Err(blocked) => Err(blocked),
        }
    }

    async fn observe(&self, ctx: &Context) -> Result<Seen, Error> {
        observe::observe(self, ctx).await
    }

    fn plan(wanted: Option<&Wanted>, seen: &Seen, _now: Timestamp) -> Plan<Step> {
        match wanted {
            Some(Wanted::Valid(desired)) => plan::plan(Some(desired), seen),
            Some(Wanted::Refused(because)) => plan::refused(because, seen),
            None => plan::plan(None, seen),
        }
    }

    async fn act(ctx: &Context, step: Step) -> Result<(), Error> {
        act::act(ctx, step).await
    }

    fn report(&self, wanted: Option<&Wanted>, seen: &Seen, status: &mut Self::Status) {
        let (Some(Wanted::Valid(desired)), Ok(place), There::User(user)) = (wanted, &seen.place, &seen.there)
        else {
            return;
        };
        if user.owner.as_ref() != Some(&seen.owner) {
            return;
        }
        status.user_id = Some(user.id.clone());
        status.login = Some(user.login.clone());
        status.account = Some(place.account.clone());
        status.tenant = Some(desired.tenant.clone());
        if status.usage.is_none() || seen.tell_usage {
            status.usage = Some(observe::usage(user));
        }
    }
}
