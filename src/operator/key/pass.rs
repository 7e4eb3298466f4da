//! One pass over one AccessKey: ask the protocol for the next step, make that one call, and so on until it rests.
//!
//! The decisions are [`once::next`]'s; this file holds what a pass has at hand, [`super::look`] reads, [`super::act`]
//! writes.

use super::kept::{Hold, INTENT_BUDGET};
use super::once::{
    self, Class, Gate, Memory, ObjectSeen, OnLoss, Preflight, Protocol, SecretSeen, Seen, Step,
};
use super::plan::{Admitted, Surroundings, admit};
use super::suspend::{self, Standing};
use super::{act, translate, words};
use crate::api::{AccessKey, AccessKeyStatus, DeletionPolicy, Reason};
use crate::operator::account::Account;
use crate::operator::account::guard::LONGEST_WAIT;
use crate::operator::runtime::kind::{is_deleting, namespace_of};
use crate::operator::runtime::status::SUSPENDED;
use crate::operator::runtime::{
    Class as Failure, Context, Ended, Error, Extra, ObjectKey, Outcome, Verdict, driver,
};
use crate::provider::{Capability, OwnerMark};
use crate::wire::Permission;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Steps of one pass. A key is made in fifteen; more than this means that others keep changing what is read.
const MAX_STEPS: usize = 60;
/// How long a request may take where the account does not say.
const USUAL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a create of a Secret may be on its way.
const SECRET_ON_ITS_WAY: Duration = Duration::from_secs(30);
/// For clocks and queues that are not exact.
const MARGIN: Duration = Duration::from_secs(1);

/// What comes after a step.
pub enum Flow {
    /// The next one.
    Go,
    /// Nothing: the pass is over.
    End(Outcome),
}

/// What a pass has at hand.
pub struct Pass<'a> {
    pub ctx: &'a Context,
    /// Where the object is.
    pub at: ObjectKey,
    /// Which object it is.
    pub uid: String,
    /// What this process remembers of it.
    pub held: Hold<'a>,
    /// What this pass has read, for the protocol.
    pub seen: Seen,
    /// The object, as it was last read or written.
    pub object: Option<Arc<AccessKey>>,
    /// Whether a key may be asked for, and with what.
    pub admission: Option<Result<Admitted, Verdict>>,
    /// Whether the published key is to work.
    pub standing: Standing,
    /// Whether the published key works, as of the last list of this pass.
    pub active: Option<bool>,
    /// What the API server said to the Secret.
    pub refusal: Option<String>,
    /// A Secret was recorded whose epoch had more than one attempt: what came late must be looked for again.
    pub look_again: bool,
    /// When the object was read.
    pub read_at: Instant,
    /// What was rehearsed before the pass began again.
    pub rehearsed: Option<Preflight>,
}

/// One pass over the object with that uid, whether it is still there or not.
pub async fn run(ctx: &Context, at: &ObjectKey, uid: &str) -> Result<Outcome, Error> {
    let mut pass = Pass {
        ctx,
        at: at.clone(),
        uid: uid.to_owned(),
        held: ctx.kept.take(at, uid),
        seen: Seen::default(),
        object: None,
        admission: None,
        standing: Standing::Unknown,
        active: None,
        refusal: None,
        look_again: false,
        read_at: Instant::now(),
        rehearsed: None,
    };
    pass.after_break();
    for _ in 0..MAX_STEPS {
        let step = pass.next();
        tracing::debug!(step = name_of_step(&step), "next step");
        match pass.act(step).await {
            Ok(Flow::Go) => {}
            Ok(Flow::End(outcome)) => {
                pass.after_break();
                return Ok(outcome);
            }
            // Somebody else has written it, or it is gone: nothing has happened.
            Err(error) if error.class() == Failure::Conflict || error.is_absent() => {
                pass.after_break();
                pass.forget_reads();
            }
            Err(error) => return Err(error),
        }
    }
    tracing::warn!("a pass did not come to an end");
    Ok(Outcome { ended: Ended::Waiting, again: None })
}

/// Ends what is held of one object, because the process is asked to end.
pub async fn stop(ctx: &Context, at: &ObjectKey, uid: &str) {
    let mut held = ctx.kept.take(at, uid);
    loop {
        match once::stop(&held.memory) {
            Step::PostSecret => match act::post(ctx, &mut held).await {
                Some(answer) => tracing::info!(object = %at, ?answer, "a Secret was posted at the end"),
                None => held.remember(Memory::Nothing),
            },
            Step::StartOver => held.remember(Memory::Nothing),
            _ => return,
        }
    }
}

impl Pass<'_> {
    fn next(&mut self) -> Step {
        let now = Instant::now();
        self.seen.in_time = now.saturating_duration_since(self.read_at) <= INTENT_BUDGET;
        self.seen.back_off_over = match &self.seen.object {
            ObjectSeen::Found(once::Object { issue: Some(issue), .. }) if issue.open => {
                self.held.open_for(issue.attempt.nonce, now) >= self.back_off()
            }
            ObjectSeen::Found(_) => {
                self.held.open_since = None;
                true
            }
            ObjectSeen::Unread | ObjectSeen::Gone => true,
        };
        once::next(&self.protocol(), &self.seen, &self.held.memory_at(now))
    }

    /// The rules for this object. Where they are not known, those that revoke the least.
    pub fn protocol(&self) -> Protocol {
        self.held.protocol.unwrap_or(Protocol {
            class: Class::A1,
            on_loss: OnLoss::Block,
            retain: false,
            max_attempts: once::MAX_ATTEMPTS,
        })
    }

    fn after_break(&mut self) {
        let memory = self.held.memory.after_break();
        self.held.remember(memory);
    }

    pub fn forget_reads(&mut self) {
        self.seen = Seen::default();
        self.active = None;
        self.refusal = None;
    }

    /// Takes over the object as it was just read or written.
    pub fn see(&mut self, object: AccessKey) -> Result<(), Error> {
        let seen = translate::object(&object)
            .map_err(|error| Error::bug("read the status of", self.at.to_string(), error))?;
        let published = seen.published.is_some();
        self.seen.object = ObjectSeen::Found(seen);
        self.object = Some(Arc::new(object));
        self.judge(published);
        Ok(())
    }

    fn judge(&mut self, published: bool) {
        let Some(object) = self.object.clone() else { return };
        let around = surroundings(self.ctx, &object);
        self.standing = suspend::standing(&object, &suspend::around(self.ctx, &object));
        let withdrawn = self.standing.refusal().map(|blocked| Err(Verdict::from(blocked.clone())));
        let is_withdrawn = withdrawn.is_some();
        let admission =
            (!is_deleting(&*object)).then(|| withdrawn.unwrap_or_else(|| admit(&object, &around)));
        let of_user = around.user.as_ref().and_then(|user| user.status.as_ref()?.account.clone());
        let of_status = object.status.as_ref().and_then(|status| status.account.clone());
        self.held.account = of_status.or(of_user);
        if let Some(Ok(admitted)) = &admission {
            self.held.account = Some(admitted.account.clone());
        }
        self.seen.gate = match &admission {
            Some(Err(verdict)) if is_withdrawn || !(published && passes(verdict)) => Gate::Closed,
            Some(Ok(_) | Err(_)) | None => Gate::Open,
        };
        self.admission = admission;
        let class = match self.account() {
            Some(account) if account.can(Capability::ChosenPairs) => Class::B,
            Some(account) if !account.can(Capability::IdempotentMint) => Class::A3,
            Some(_) | None => Class::A1,
        };
        self.held.protocol = Some(Protocol {
            class,
            on_loss: translate::on_loss(object.spec.on_secret_loss),
            retain: object.spec.deletion_policy == DeletionPolicy::Retain,
            max_attempts: once::MAX_ATTEMPTS,
        });
    }

    /// The connection to the account, if there is one.
    pub fn account(&self) -> Option<Arc<Account>> {
        self.ctx.accounts.find(self.held.account.as_deref()?)
    }

    pub fn account_name(&self) -> &str {
        self.held.account.as_deref().unwrap_or_default()
    }

    pub fn mark(&self) -> OwnerMark {
        OwnerMark { cluster: self.ctx.cluster.clone(), uid: self.uid.clone() }
    }

    /// Where the Secret is: as it was when a key was first asked for.
    pub fn secret_at(&self) -> ObjectKey {
        let recorded = self.object.as_ref().map(|object| {
            let identity = object.status.as_ref().and_then(|status| status.identity.as_ref());
            identity.map_or_else(|| object.secret_name().to_owned(), |identity| identity.secret.clone())
        });
        let pending = self.held.secret.as_ref().map(|pending| pending.shape.at.name.clone());
        ObjectKey { namespace: self.at.namespace.clone(), name: pending.or(recorded).unwrap_or_default() }
    }

    /// How long a request for a key can live after its intent was written.
    pub fn back_off(&self) -> Duration {
        let timeout = self.account().map_or(USUAL_TIMEOUT, |account| account.request_timeout);
        INTENT_BUDGET + LONGEST_WAIT + timeout + MARGIN
    }

    /// How long anything for this object can be under way.
    pub fn in_flight(&self) -> Duration {
        // A Secret that lands without its object is collected, unless it was to outlive it.
        let secret = if self.protocol().retain { SECRET_ON_ITS_WAY } else { Duration::ZERO };
        self.back_off() + secret
    }

    /// Ends the pass: the status is written if it says something else.
    pub async fn finish(&mut self, verdict: Verdict, again: Option<Duration>) -> Result<Flow, Error> {
        let Some(object) = self.object.clone() else { return Ok(Flow::End(Outcome::GONE)) };
        let there = self.secret_is_published();
        let draft = self.draft();
        let suspended = self.hold_to_tenant().await?;
        let mut extra = self.extra(&object, there);
        extra.retain(|condition| condition.kind != SUSPENDED);
        extra.extend(suspended);
        let outcome = driver::settle(self.ctx, &*object, draft, verdict, extra).await?;
        Ok(Flow::End(again.map_or(outcome, |after| outcome.again_after(after))))
    }

    /// The conditions beside Ready. `there`: whether the recorded Secret is there, where this pass knows.
    pub fn extra(&self, object: &AccessKey, there: Option<bool>) -> Vec<Extra> {
        let status = object.status.as_ref();
        let identity = status.and_then(|status| status.identity.as_ref());
        let permission = identity.map_or(object.spec.permission, |identity| identity.permission);
        let wider = match self.account() {
            Some(account) => permission == Permission::Write && !account.can(Capability::ExactWrite),
            None => status.is_some_and(|status| status.conditions.get(words::WIDER_THAN_ASKED).is_some()),
        };
        let mut extra = words::published(object, there);
        extra.extend(wider.then(words::wider));
        extra
    }

    /// The status as it was last read.
    pub fn draft(&self) -> AccessKeyStatus {
        self.object.as_deref().map(driver::previous).unwrap_or_default()
    }

    /// Whether the recorded Secret is there; `None`: this pass has not looked.
    pub fn secret_is_published(&self) -> Option<bool> {
        let ObjectSeen::Found(object) = &self.seen.object else { return None };
        self.seen.secret.as_ref().map(|secret| match secret {
            SecretSeen::Ours(secret) => object.recorded(secret),
            SecretSeen::Absent | SecretSeen::Foreign => false,
        })
    }
}

/// Refusals that do not concern a key which is published already: what it was made with is there.
fn passes(verdict: &Verdict) -> bool {
    let reason = match verdict {
        Verdict::Ready => return true,
        Verdict::Waiting(reason, _) | Verdict::Blocked(reason, _) => *reason,
    };
    matches!(
        reason,
        Reason::UserNotReady
            | Reason::TenantNotReady
            | Reason::AccountNotReady
            | Reason::BucketNotFound
            | Reason::BucketNotReady
            | Reason::BucketRequired
            | Reason::InvalidSpec
            | Reason::NotSupportedByProvider
            | Reason::QuotaExceeded
    )
}

/// What the object refers to, from what is watched.
fn surroundings(ctx: &Context, object: &AccessKey) -> Surroundings {
    let namespace = namespace_of(object);
    let user = ctx.stores.user(namespace, &object.spec.user_ref.name);
    let tenant = user.as_ref().and_then(|user| ctx.stores.tenants.get(None, &user.spec.tenant_ref.name));
    let account = user.as_ref().and_then(|user| user.status.as_ref()?.account.clone());
    let same = |meta: &kube::api::ObjectMeta| meta.namespace.as_deref() == Some(namespace);
    Surroundings {
        tenant,
        namespace_labels: ctx.stores.namespace_labels(namespace),
        account: account.as_deref().and_then(|name| ctx.stores.accounts.get(None, name)),
        capabilities: account
            .as_deref()
            .and_then(|name| ctx.accounts.find(name))
            .map(|account| account.description.capabilities.clone()),
        buckets: ctx.stores.buckets.filter(|bucket| same(&bucket.metadata)),
        keys: ctx.stores.keys.filter(|key| same(&key.metadata)),
        user,
    }
}

fn name_of_step(step: &Step) -> &'static str {
    match step {
        Step::GetObject => "get object",
        Step::GetSecret => "get secret",
        Step::ListKeys => "list keys",
        Step::Preflight => "preflight",
        Step::AddFinalizer => "add finalizer",
        Step::WriteIntent { .. } => "write intent",
        Step::CloseIssue => "close issue",
        Step::Mint(_) => "mint",
        Step::PostSecret => "post secret",
        Step::PostNew { .. } => "post new",
        Step::Put(_) => "put",
        Step::Record { .. } => "record",
        Step::Revoke(_) => "revoke",
        Step::RevokeOwn(_) => "revoke own",
        Step::StartOver => "start over",
        Step::DeleteSecret(_) => "delete secret",
        Step::Wait(_) => "wait",
        Step::RemoveFinalizer => "remove finalizer",
        Step::Rest(_) => "rest",
    }
}
