//! One pass over one object, as every kind but AccessKey has it.

use super::context::Context;
use super::error::Error;
use super::kind::{is_deleting, name_of};
use super::managed::Managed;
use super::status::{self, Judgement};
use super::verdict::{Extra, Outcome, Plan, Verdict};
use super::writer;
use crate::api::Reason;
use std::sync::Arc;

/// How often a pass plans before it gives way to the next one. Making an object takes one or two rounds.
const MAX_ROUNDS: usize = 8;

/// Finalizer, observe, plan, act, observe again if anything was done, status.
pub async fn reconcile<K: Managed>(ctx: &Context, object: Arc<K>) -> Result<Outcome, Error> {
    let deleting = is_deleting(&*object);
    if deleting && !writer::has_finalizer(&*object) {
        return Ok(Outcome::GONE);
    }
    let desired = match (deleting, object.desired()) {
        (true, _) => None,
        (false, Ok(desired)) => Some(desired),
        (false, Err(blocked)) => {
            return settle(ctx, &*object, previous(&*object), blocked.into(), Vec::new()).await;
        }
    };
    let object = if deleting { object } else { Arc::new(writer::ensure_finalizer(ctx, &*object).await?) };
    for _ in 0..MAX_ROUNDS {
        let seen = object.observe(ctx).await?;
        let Plan { steps, verdict, extra } = K::plan(desired.as_ref(), &seen, (ctx.now)());
        if steps.is_empty() {
            if deleting && verdict.is_ready() {
                writer::remove_finalizer(ctx, &*object).await?;
                return Ok(Outcome::GONE);
            }
            let mut draft = previous(&*object);
            object.report(desired.as_ref(), &seen, &mut draft);
            return settle(ctx, &*object, draft, verdict, extra).await;
        }
        for step in steps {
            K::act(ctx, step).await?;
        }
    }
    tracing::warn!(kind = K::KIND.as_str(), object = name_of(&*object), "a pass did not come to an end");
    let verdict = Verdict::waiting(Reason::Progressing, "Work is under way.");
    settle(ctx, &*object, previous(&*object), verdict, Vec::new()).await
}

/// The status as it was last read.
pub fn previous<K: Managed>(object: &K) -> K::Status {
    object.status().cloned().unwrap_or_default()
}

/// Writes the status if it has changed, tells of a transition, and says how the pass ended.
pub async fn settle<K: Managed>(
    ctx: &Context,
    object: &K,
    draft: K::Status,
    verdict: Verdict,
    extra: Vec<Extra>,
) -> Result<Outcome, Error> {
    let outcome = Outcome::from(&verdict);
    let judgement = Judgement { verdict, deleting: is_deleting(object), extra };
    write_if_changed(ctx, object, draft, &judgement).await?;
    Ok(outcome)
}

/// Writes the status if it has changed, and tells of a transition. Answers with the object as it is now.
pub async fn write_if_changed<K: Managed>(
    ctx: &Context,
    object: &K,
    draft: K::Status,
    judgement: &Judgement,
) -> Result<Option<K>, Error> {
    let before = previous(object);
    let generation = object.meta().generation.unwrap_or_default();
    let Some(next) = status::next(&before, draft, judgement, generation, (ctx.now)()) else {
        return Ok(None);
    };
    let written = writer::write_status(ctx, object, &next).await?;
    ctx.metrics.status_written(K::KIND);
    ctx.events.tell(ctx, object, &before, &next);
    Ok(Some(written))
}

#[cfg(test)]
mod tests;
