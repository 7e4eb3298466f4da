//! Bucket: one bucket of one user.
//!
//! ```text
//!            user Ready, provider able to                    name free
//!   (new) ─────────────────────────────────> create ───────────────────> Ready <──┐
//!     │ no                                      │ name taken               │       │ update, where
//!     v                                         v                          └───────┘ something differs
//!   Waiting / Blocked                    Blocked NameTaken
//!
//!   (deleted) ── Retain ──────────────────────────────────────────────────────────────> (gone)
//!       └─────── Delete ──> holds data ──> Waiting BucketNotEmpty ── emptied ──> remove ──> (gone)
//! ```
//!
//! [`desired`] parses the spec and refuses a changed identity, [`place`] finds out whose the bucket is, [`plan`] decides: all
//! pure. [`observe`] reads and [`act`] calls the provider. Identity is the owner, the name, and whether there is object
//! lock, as the status recorded them when the bucket was made. No data is ever removed.

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

use crate::api::Bucket;
use crate::operator::runtime::{Blocked, Context, Error, Managed, Plan};
use jiff::Timestamp;
use plan::There;

impl Managed for Bucket {
    type Desired = Desired;
    type Seen = Seen;
    type Step = Step;

    fn desired(&self) -> Result<Desired, Blocked> {
        Desired::of(self)
    }

    async fn observe(&self, ctx: &Context) -> Result<Seen, Error> {
        observe::observe(self, ctx).await
    }

    fn plan(desired: Option<&Desired>, seen: &Seen, _now: Timestamp) -> Plan<Step> {
        plan::plan(desired, seen)
    }

    async fn act(ctx: &Context, step: Step) -> Result<(), Error> {
        act::act(ctx, step).await
    }

    fn report(&self, desired: Option<&Desired>, seen: &Seen, status: &mut Self::Status) {
        let (Some(desired), There::Bucket(bucket)) = (desired, &seen.there) else { return };
        if bucket.owner.as_ref() != Some(&seen.owner) {
            return;
        }
        status.bucket_name = Some(bucket.name.clone());
        status.owner = Some(desired.user.clone());
        status.object_lock = Some(bucket.object_lock);
        status.versioning = Some(bucket.versioning);
        if status.usage.is_none() || seen.tell_usage {
            status.usage = Some(observe::usage(bucket));
        }
    }
}
