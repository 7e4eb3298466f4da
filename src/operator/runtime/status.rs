//! The next status of an object, as a pure function: conditions and generations. `None` means that nothing is sent.

use super::verdict::{Extra, Verdict};
use crate::api::shared::Conditions;
use crate::api::{
    AccessKeyStatus, BucketStatus, Reason, StorageAccountStatus, StorageUserStatus, TenantStatus,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// All is as the spec asks.
pub const READY: &str = "Ready";
/// Work goes on by itself. There only while `True`.
pub const RECONCILING: &str = "Reconciling";
/// Nothing happens until a person changes something. There only while `True`.
pub const STALLED: &str = "Stalled";
/// The object is being deleted and waits; the message says for what. There only while `True`.
pub const DELETION_BLOCKED: &str = "DeletionBlocked";
/// The user or the key does not work, though it is there. There only where it was or is so.
pub const SUSPENDED: &str = "Suspended";

/// A status with conditions.
pub trait Conditioned: Clone + PartialEq {
    /// The conditions.
    fn conditions(&self) -> &Conditions;
    /// The conditions, to be changed.
    fn conditions_mut(&mut self) -> &mut Conditions;
    /// The generation of the spec that the status speaks of.
    fn observed_generation(&self) -> i64;
    /// Says which generation the status speaks of.
    fn set_observed_generation(&mut self, generation: i64);
}

macro_rules! conditioned {
    ($($status:ty),+) => {$(
        impl Conditioned for $status {
            fn conditions(&self) -> &Conditions {
                &self.conditions
            }
            fn conditions_mut(&mut self) -> &mut Conditions {
                &mut self.conditions
            }
            fn observed_generation(&self) -> i64 {
                self.observed_generation
            }
            fn set_observed_generation(&mut self, generation: i64) {
                self.observed_generation = generation;
            }
        }
    )+};
}

conditioned!(AccessKeyStatus, BucketStatus, StorageAccountStatus, StorageUserStatus, TenantStatus);

/// How an object stands, with all that its conditions say.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// How it stands.
    pub verdict: Verdict,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The kind's own conditions: all of them; those that are not named are removed.
    pub extra: Vec<Extra>,
}

/// The status to write, or `None` where nothing has changed.
///
/// `draft` is the previous status with the kind's own fields as they are now; its conditions and generation are
/// replaced. A condition's `lastTransitionTime` moves only when its `status` does.
pub fn next<S: Conditioned>(
    previous: &S,
    mut draft: S,
    judgement: &Judgement,
    generation: i64,
    now: Timestamp,
) -> Option<S> {
    let before = previous.conditions();
    let conditions = wanted(judgement)
        .into_iter()
        .map(|wanted| {
            let status = if wanted.holds { "True" } else { "False" };
            let kept = before.get(wanted.kind).filter(|old| old.status == status);
            Condition {
                type_: wanted.kind.to_owned(),
                status: status.to_owned(),
                reason: wanted.reason.as_str().to_owned(),
                message: wanted.message,
                observed_generation: Some(generation),
                last_transition_time: kept
                    .map_or_else(|| whole_seconds(now), |old| old.last_transition_time.clone()),
            }
        })
        .collect();
    *draft.conditions_mut() = Conditions(conditions);
    draft.set_observed_generation(generation);
    (draft != *previous).then_some(draft)
}

/// The status that tells of a failed pass, or `None` where nothing has changed. The kind's own fields and conditions stay
/// as they are: nothing new is known about them.
pub fn after_failure<S: Conditioned>(
    previous: &S,
    verdict: Verdict,
    deleting: bool,
    generation: i64,
    now: Timestamp,
) -> Option<S> {
    let judgement = Judgement { verdict, deleting, extra: Vec::new() };
    let mut after = next(previous, previous.clone(), &judgement, generation, now)?;
    let own = previous.conditions().0.iter().filter(|condition| is_own(&condition.type_)).cloned();
    after.conditions_mut().0.extend(own);
    (after != *previous).then_some(after)
}

/// Whether a condition is one that only some kinds have.
pub fn is_own(kind: &str) -> bool {
    !matches!(kind, READY | RECONCILING | STALLED | DELETION_BLOCKED)
}

/// What the conditions should say, in the order in which they are shown.
fn wanted(judgement: &Judgement) -> Vec<Extra> {
    let Judgement { verdict, deleting, extra } = judgement;
    let condition =
        |kind, holds, reason, message: &str| Extra { kind, holds, reason, message: message.to_owned() };
    let mut conditions = match verdict {
        Verdict::Ready if *deleting => {
            vec![condition(READY, false, Reason::Deleting, "The object is being deleted.")]
        }
        Verdict::Ready => vec![condition(READY, true, Reason::Ready, "Everything is as the spec asks.")],
        Verdict::Waiting(reason, message) => {
            vec![condition(READY, false, *reason, message), condition(RECONCILING, true, *reason, message)]
        }
        Verdict::Blocked(reason, message) => {
            vec![condition(READY, false, *reason, message), condition(STALLED, true, *reason, message)]
        }
    };
    match verdict {
        Verdict::Waiting(reason, message) | Verdict::Blocked(reason, message) if *deleting => {
            conditions.push(condition(DELETION_BLOCKED, true, *reason, message));
        }
        Verdict::Ready | Verdict::Waiting(..) | Verdict::Blocked(..) => {}
    }
    conditions.extend(extra.iter().cloned());
    conditions
}

fn whole_seconds(now: Timestamp) -> Time {
    Time(Timestamp::from_second(now.as_second()).unwrap_or(now))
}

#[cfg(test)]
mod tests;
