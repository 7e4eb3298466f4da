//! The one trait that every controller implements.

use super::context::Context;
use super::driver;
use super::error::Error;
use super::kind::{Located, ObjectKey};
use super::status::Conditioned;
use super::verdict::{Blocked, Outcome, Plan};
use crate::api;
use jiff::Timestamp;
use kube::core::object::HasStatus;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// A kind that the operator makes true.
///
/// ```text
/// guard -> finalizer -> observe -> plan -> act (each step) -> observe again if anything was done -> status -> requeue
/// ```
pub trait Managed:
    Located
    + HasStatus<Status: Conditioned + Default + Debug + Serialize + Send + Sync>
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
{
    /// What holds an object until what was made for it is cleaned up.
    const FINALIZER: &'static str = api::FINALIZER;
    /// Whether [`Managed::check`] has anything to look at between two resyncs.
    const CHECKED: bool = false;
    /// The longest pause between two passes that fail.
    const LONGEST_RETRY: Duration = Duration::from_mins(5);

    /// What the spec asks for, parsed: after that nothing about it can fail.
    type Desired: Send + Sync;
    /// What there is.
    type Seen: Send + Sync;
    /// One call that changes something.
    type Step: Send;

    /// Parses the spec. Pure. Never called while the object is being deleted.
    fn desired(&self) -> Result<Self::Desired, Blocked>;

    /// Reads what there is. Changes nothing. Only a definite 404 means absent; any other failed read is an error.
    fn observe(&self, ctx: &Context) -> impl Future<Output = Result<Self::Seen, Error>> + Send;

    /// Decides. Pure and total. `desired` is `None` while the object is being deleted; then [`Verdict::Ready`] without
    /// steps lets the object go.
    ///
    /// [`Verdict::Ready`]: super::Verdict::Ready
    fn plan(desired: Option<&Self::Desired>, seen: &Self::Seen, now: Timestamp) -> Plan<Self::Step>;

    /// Does one step: one match, no decisions.
    fn act(ctx: &Context, step: Self::Step) -> impl Future<Output = Result<(), Error>> + Send;

    /// Puts what was seen into the kind's own fields of the status. Pure.
    fn report(&self, desired: Option<&Self::Desired>, seen: &Self::Seen, status: &mut Self::Status);

    /// One pass over an object. Kinds whose reads and writes interleave bring their own.
    fn reconcile(ctx: &Context, object: Arc<Self>) -> impl Future<Output = Result<Outcome, Error>> + Send {
        driver::reconcile(ctx, object)
    }

    /// Called when an object is gone, for what the operator keeps about it, and for objects that must always be there.
    fn absent(ctx: &Context, key: &ObjectKey) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (ctx, key);
        async { Ok(()) }
    }

    /// A cheap look between two resyncs, at most every `--secret-check-interval`: whether the object needs a pass now.
    fn check(&self, ctx: &Context) -> impl Future<Output = Result<bool, Error>> + Send {
        let _ = ctx;
        async { Ok(false) }
    }
}
