//! Access keys: one key pair of one user, published as one Secret, exactly once.
//!
//! * Pure: [`once`] is the protocol; `plan` says whether a key may be asked for at all, `translate` what the protocol
//!   sees, `words` what the conditions say.
//! * `pass` runs the protocol over one object: `look` reads, `act` writes, `chosen` writes where the caller chooses the
//!   pair. `kept` is what this process remembers between passes, [`lists`] are the lists of keys that passes share.
//! * `suspend` holds a published key to what its Tenant still allows.
//! * [`sweep`] finds keys that outlived their AccessKey; [`stop`] ends what a stopping process holds.
//!
//! Unlike the other kinds this one reads live, not from what is watched, and its reads and writes interleave: every step
//! is decided anew from what has been read so far. What is watched serves `plan` only.

mod act;
mod check;
mod chosen;
mod kept;
pub mod lists;
mod look;
pub mod once;
mod pass;
mod plan;
mod suspend;
pub mod sweep;
mod translate;
mod words;

pub use kept::Kept;

use crate::api::{AccessKey, AccessKeyStatus};
use crate::operator::runtime::kind::uid_of;
use crate::operator::runtime::{Blocked, Context, Error, Managed, ObjectKey, Outcome, Plan, Verdict};
use jiff::Timestamp;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// Between two reads of Secrets outside of passes: at most fifty in a second.
const BETWEEN_CHECKS: Duration = Duration::from_millis(20);

impl Managed for AccessKey {
    const CHECKED: bool = true;

    // The generic pass is not used: see `reconcile`.
    type Desired = ();
    type Seen = ();
    type Step = Infallible;

    fn desired(&self) -> Result<(), Blocked> {
        Ok(())
    }

    async fn observe(&self, _: &Context) -> Result<(), Error> {
        Ok(())
    }

    fn plan(_: Option<&()>, (): &(), _: Timestamp) -> Plan<Infallible> {
        Plan::settled(Verdict::Ready)
    }

    async fn act(_: &Context, step: Infallible) -> Result<(), Error> {
        match step {}
    }

    fn report(&self, _: Option<&()>, (): &(), _: &mut AccessKeyStatus) {}

    async fn reconcile(ctx: &Context, object: Arc<Self>) -> Result<Outcome, Error> {
        let at = ObjectKey::of(&object.metadata);
        if let Err(error) = finish_others(ctx, &at, Some(uid_of(&*object))).await {
            tracing::warn!(object = %at, %error, "what a deleted AccessKey left cannot be ended yet");
        }
        pass::run(ctx, &at, uid_of(&*object)).await
    }

    async fn absent(ctx: &Context, at: &ObjectKey) -> Result<(), Error> {
        finish_others(ctx, at, None).await
    }

    async fn check(&self, ctx: &Context) -> Result<bool, Error> {
        check::check(self, ctx).await
    }
}

/// Ends what is remembered of objects of that name that are gone, as far as it can be ended now.
async fn finish_others(ctx: &Context, at: &ObjectKey, but: Option<&str>) -> Result<(), Error> {
    for uid in ctx.kept.uids_at(at).into_iter().filter(|uid| Some(uid.as_str()) != but) {
        pass::run(ctx, at, &uid).await?;
    }
    Ok(())
}

/// Ends what this process holds, because it is asked to end: no pair is lost without a try to publish it or, where that
/// can hurt nobody, to revoke its key.
pub async fn stop(ctx: &Context) {
    for (at, uid) in ctx.kept.pairs() {
        pass::stop(ctx, &at, &uid).await;
    }
}
