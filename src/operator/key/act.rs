//! The writes of a pass: each step one call, and what its answer makes of the memory. No decisions.

use super::kept::Pending;
use super::once::{
    Attempt, KeyId, Memory, Minted, Nonce, ObjectSeen, OurSecret, Posted, SecretUid, Step, Verdict as Rest,
    Wait,
};
use super::pass::{Flow, Pass};
use super::plan::Admitted;
use super::{translate, words};
use crate::api::account::S3Spec;
use crate::api::{AccessKey, DeletionPolicy};
use crate::operator::runtime::kind::{is_deleting, uid_of};
use crate::operator::runtime::{Context, Error, Judgement, ObjectKey, Outcome, Verdict, driver, writer};
use crate::operator::secret::publish::{self, Answer, Mark, Shape};
use crate::operator::secret::render::render;
use crate::provider::{Capability, KeyPair, KeyWish, ObjectName, plain_text};
use kube::Resource as _;
use std::time::Duration;
use tokio::time::Instant;

/// When a Secret that was refused is tried again.
const AFTER_REFUSAL: Duration = Duration::from_secs(20);

impl Pass<'_> {
    pub async fn act(&mut self, step: Step) -> Result<Flow, Error> {
        match step {
            Step::GetObject => self.get_object().await,
            Step::GetSecret => self.get_secret().await,
            Step::ListKeys => self.list_keys().await,
            Step::Preflight => self.rehearse().await,
            Step::AddFinalizer => self.add_finalizer().await,
            Step::WriteIntent { epoch, attempt } => self.write_intent(epoch, attempt).await,
            Step::CloseIssue => self.close_issue().await,
            Step::Mint(attempt) => self.mint(attempt).await,
            Step::PostSecret => self.post_secret().await,
            Step::Record { epoch, secret } => self.record(epoch, &secret).await,
            Step::Revoke(keys) => self.revoke(&keys).await,
            Step::RevokeOwn(key) => self.revoke_own(&key).await,
            Step::StartOver => Ok(self.start_over()),
            Step::DeleteSecret(uid) => self.delete_secret(&uid).await,
            Step::Wait(Wait::BackOff) => self.back_off_first().await,
            Step::Wait(Wait::InFlight) => self.drain().await,
            Step::RemoveFinalizer => self.remove_finalizer().await,
            Step::Rest(verdict) => self.rest(verdict).await,
            Step::PostNew { epoch } => self.post_new(epoch).await,
            Step::Put(secret) => self.put(&secret).await,
        }
    }

    /// Begins again, with nothing but the rehearsal: where the API server is slow, all of it at once would be late again.
    pub fn start_over(&mut self) -> Flow {
        self.held.remember(Memory::Nothing);
        self.rehearsed = self.seen.preflight;
        self.forget_reads();
        Flow::Go
    }

    async fn add_finalizer(&mut self) -> Result<Flow, Error> {
        if let Some(object) = self.object.clone() {
            let held = writer::ensure_finalizer(self.ctx, &*object).await?;
            self.forget_reads();
            self.see(held)?;
        }
        Ok(Flow::Go)
    }

    async fn write_intent(&mut self, epoch: u32, number: u32) -> Result<Flow, Error> {
        let (Some(Ok(admitted)), Some(object)) = (&self.admission, self.object.clone()) else {
            return self.rest(Rest::Held).await;
        };
        let attempt = Attempt { epoch, attempt: number, nonce: self.new_nonce() };
        let mut draft = self.draft();
        draft.issue = Some(translate::issue_of(attempt, true));
        draft.identity.get_or_insert_with(|| object.identity());
        draft.account = Some(admitted.account.clone());
        let judgement = Judgement {
            verdict: words::progressing(),
            deleting: false,
            extra: self.extra(&object, Some(false)),
        };
        let before = Instant::now();
        let written = driver::write_if_changed(self.ctx, &*object, draft, &judgement).await?;
        self.forget_reads();
        if let Some(written) = written {
            self.see(written)?;
            self.seen.object = ObjectSeen::Unread;
            self.held.intend(attempt, before);
        }
        Ok(Flow::Go)
    }

    async fn mint(&mut self, attempt: Attempt) -> Result<Flow, Error> {
        self.forget_reads();
        let (Some(Ok(admitted)), Some(object), Some(account)) =
            (self.admission.clone(), self.object.clone(), self.account())
        else {
            self.held.remember(Memory::Nothing);
            return Ok(Flow::Go);
        };
        let wish = self.wish(&object, &admitted, attempt.epoch, attempt.nonce);
        let idempotency_key = account.can(Capability::IdempotentMint).then_some(wish.nonce.as_str());
        // A pass that is cut off before the answer comes must not leave an intent that could be carried out again.
        let before = std::mem::take(&mut self.held.memory);
        match account.provider().mint_key(&wish, idempotency_key).await {
            Ok(pair) => {
                self.ctx.metrics.key_minted();
                let memory =
                    before.after_mint(attempt, Minted::Made(KeyId::from(pair.access_key_id.as_str())));
                self.hold(&object, memory, &pair, admitted.bucket.as_deref());
                Ok(Flow::Go)
            }
            Err(error) if error.is_definite() => {
                let memory = before.after_mint(attempt, Minted::Refused);
                self.held.not_replayable = Some(attempt.nonce).filter(|_| memory == Memory::Nothing);
                self.held.remember(memory);
                self.held.refusal = Some(account.failed(error));
                Ok(Flow::Go)
            }
            Err(error) => {
                let memory = before.after_mint(attempt, Minted::Unknown);
                self.held.remember(memory);
                Err(account.failed(error))
            }
        }
    }

    pub fn new_nonce(&self) -> Nonce {
        let mut bits = [0; 16];
        self.ctx.random.fill(&mut bits);
        Nonce::new(u128::from_be_bytes(bits))
    }

    /// What the provider is asked for.
    pub fn wish(&self, object: &AccessKey, admitted: &Admitted, epoch: u32, nonce: Nonce) -> KeyWish {
        let identity = object.status.as_ref().and_then(|status| status.identity.as_ref());
        KeyWish {
            user_id: admitted.user_id.clone(),
            permission: identity.map_or(object.spec.permission, |identity| identity.permission),
            description: plain_text(object.spec.description.as_deref().unwrap_or_default()),
            buckets: admitted.buckets.clone(),
            owner: self.mark(),
            object: ObjectName { namespace: self.at.namespace.clone(), name: self.at.name.clone() },
            secret: self.secret_at().name,
            epoch,
            nonce: nonce.to_string(),
        }
    }

    /// Takes over a pair as the Secret that it is to become. One that makes no Secret is dropped: its key is garbage once
    /// another attempt is recorded.
    fn hold(&mut self, object: &AccessKey, memory: Memory, pair: &KeyPair, bucket: Option<&str>) {
        let entries = s3_of(self.ctx, self.account_name())
            .and_then(|s3| render(object.spec.secret.format, pair, &s3, bucket).ok());
        let Some(entries) = entries else {
            tracing::error!("a Secret that was rehearsed cannot be rendered; its key is dropped");
            return self.held.remember(Memory::Nothing);
        };
        let shape = shape(object, &self.secret_at());
        self.held.remember(memory);
        self.held.secret = Some(Pending { shape, entries });
    }

    async fn close_issue(&mut self) -> Result<Flow, Error> {
        let Some(object) = self.object.clone() else { return Ok(self.start_over()) };
        let mut draft = self.draft();
        if let Some(issue) = &mut draft.issue {
            issue.open = false;
        }
        let verdict = self.held.refusal.as_ref().and_then(Error::verdict).unwrap_or_else(words::progressing);
        let extra = self.extra(&object, None);
        let judgement = Judgement { verdict, deleting: false, extra };
        driver::write_if_changed(self.ctx, &*object, draft, &judgement).await?;
        self.held.remember(Memory::Nothing);
        self.forget_reads();
        // The runner knows when such a refusal is worth another try.
        self.held.refusal.take().map_or(Ok(Flow::Go), Err)
    }

    async fn post_secret(&mut self) -> Result<Flow, Error> {
        self.forget_reads();
        let answer = post(self.ctx, &mut self.held).await;
        match answer {
            Some(Answer::Created | Answer::Exists) => Ok(Flow::Go),
            Some(Answer::Refused(text)) => {
                self.refusal = Some(text);
                if self.object.is_none() {
                    self.get_object().await?;
                }
                self.rest(Rest::SecretRefused).await
            }
            Some(Answer::Unknown(error)) => Err(error),
            None => Ok(self.start_over()),
        }
    }

    async fn record(&mut self, epoch: u32, secret: &OurSecret) -> Result<Flow, Error> {
        let Some(object) = self.object.clone() else { return Ok(self.start_over()) };
        let deleting = is_deleting(&*object);
        let mut draft = self.draft();
        let first = draft.issue.as_ref().is_none_or(|issue| issue.epoch == 1 && issue.attempt == 1);
        if let Some(issue) = &mut draft.issue {
            issue.open = false;
        }
        let new =
            draft.published.as_ref().is_none_or(|published| published.nonce != secret.nonce.to_string());
        let name = self.secret_at().name;
        draft.published = Some(translate::published_of(epoch, secret, &name, (self.ctx.now)()));
        draft.key_hint = Some(translate::hint(secret.key.as_str()));
        draft.identity.get_or_insert_with(|| object.identity());
        draft.account = self.held.account.clone();
        let verdict = if deleting { words::draining() } else { Verdict::Ready };
        let judgement = Judgement { verdict, deleting, extra: self.extra(&object, Some(true)) };
        let written = driver::write_if_changed(self.ctx, &*object, draft, &judgement).await?;
        if new {
            self.ctx.metrics.key_published();
        }
        self.look_again = !first;
        self.held.chosen = None;
        match written {
            Some(written) => self.see(written)?,
            None => self.forget_reads(),
        }
        Ok(Flow::Go)
    }

    async fn revoke(&mut self, keys: &[KeyId]) -> Result<Flow, Error> {
        let deleting = self.object.as_deref().is_some_and(is_deleting);
        for key in keys {
            match self.revoke_one(key).await {
                Ok(()) => {}
                Err(error) if deleting => return self.cannot_revoke_because(error).await,
                Err(error) => return Err(error),
            }
        }
        self.forget_reads();
        Ok(Flow::Go)
    }

    async fn revoke_one(&self, key: &KeyId) -> Result<(), Error> {
        let account = self.connected("revoke the key of")?;
        account.provider().revoke_key(key.as_str()).await.map_err(|error| account.failed(error))?;
        self.ctx.metrics.key_revoked();
        Ok(())
    }

    async fn revoke_own(&mut self, key: &KeyId) -> Result<Flow, Error> {
        self.revoke_one(key).await?;
        Ok(self.start_over())
    }

    async fn delete_secret(&mut self, uid: &SecretUid) -> Result<Flow, Error> {
        publish::delete(&self.ctx.writer, &self.secret_at(), uid.as_str()).await?;
        self.forget_reads();
        Ok(Flow::Go)
    }

    async fn back_off_first(&mut self) -> Result<Flow, Error> {
        let known = self.held.open_since.map_or(Duration::ZERO, |(_, since)| since.elapsed());
        let left = self.back_off().saturating_sub(known);
        let verdict = words::backing_off(self.account_name());
        self.finish(verdict, Some(left)).await
    }

    /// Comes back when nothing can be under way any more; the clock starts with the first pass that gets here.
    async fn drain(&mut self) -> Result<Flow, Error> {
        let (now, longest) = (Instant::now(), self.in_flight());
        let at = *self.held.drained_at.get_or_insert(now + longest);
        if at <= now {
            self.held.remember(Memory::Drained);
            self.forget_reads();
            return Ok(Flow::Go);
        }
        self.finish(words::draining(), Some(at - now)).await
    }

    async fn remove_finalizer(&mut self) -> Result<Flow, Error> {
        if let Some(object) = self.object.clone() {
            writer::remove_finalizer(self.ctx, &*object).await?;
        }
        self.forget_all();
        Ok(Flow::End(Outcome::GONE))
    }

    fn forget_all(&mut self) {
        self.held.remember(Memory::Nothing);
        self.held.open_since = None;
        self.held.drained_at = None;
        self.held.not_replayable = None;
        self.held.refusal = None;
        self.held.chosen = None;
    }

    pub async fn rest(&mut self, verdict: Rest) -> Result<Flow, Error> {
        if verdict == Rest::Gone {
            self.forget_all();
            return Ok(Flow::End(Outcome::GONE));
        }
        let again = match verdict {
            Rest::Ready => self.look_again.then(|| self.in_flight()),
            Rest::SecretRefused => Some(AFTER_REFUSAL),
            Rest::Held
            | Rest::SecretLost { .. }
            | Rest::SecretNameConflict
            | Rest::TooManyAttempts
            | Rest::KeyRevokedExternally
            | Rest::Gone => None,
        };
        let words = self.in_words(verdict);
        self.finish(words, again).await
    }

    fn in_words(&self, verdict: Rest) -> Verdict {
        let keys: Vec<&str> = self.seen.listed().iter().map(|key| key.id.as_str()).collect();
        let published = match &self.seen.object {
            ObjectSeen::Found(object) => object.published.as_ref().map_or(0, |published| published.epoch),
            ObjectSeen::Unread | ObjectSeen::Gone => 0,
        };
        let held = self.admission.as_ref().and_then(|admission| admission.as_ref().err());
        let about = words::About {
            secret: &self.secret_at().name,
            account: self.account_name(),
            held,
            refusal: self.refusal.as_deref(),
            candidates: &keys,
            next_epoch: self.seen.epoch_after(published),
        };
        words::verdict(verdict, &about)
    }
}

/// Creates the Secret of the pair in memory, and remembers what came of it. `None`: there is no pair.
pub async fn post(ctx: &Context, held: &mut super::kept::Held) -> Option<Answer> {
    let Memory::Pair { attempt, key, posted, .. } = &held.memory else { return None };
    if *posted == Posted::Committed {
        return None;
    }
    let mark = Mark { epoch: attempt.epoch, nonce: attempt.nonce, key: key.clone() };
    let before = held.memory.clone();
    // What is remembered if the pass is cut off before the answer comes.
    held.remember(before.after_post(false));
    let pending = held.secret.as_ref()?;
    let answer = publish::create(&ctx.writer, &pending.shape, &mark, &pending.entries).await;
    held.remember(before.after_post(matches!(answer, Answer::Created)));
    Some(answer)
}

/// What Secrets of the account say about its data plane.
pub fn s3_of(ctx: &Context, account: &str) -> Option<S3Spec> {
    ctx.stores.accounts.get(None, account).map(|account| account.spec.s3.clone())
}

/// All of the Secret but its entries. Of the object's own metadata nothing travels.
pub fn shape(object: &AccessKey, at: &ObjectKey) -> Shape {
    let retain = object.spec.deletion_policy == DeletionPolicy::Retain;
    Shape {
        at: at.clone(),
        type_: object.spec.secret.type_.clone(),
        labels: object.spec.secret.labels.clone(),
        annotations: object.spec.secret.annotations.clone(),
        owner: object.controller_owner_ref(&()).filter(|_| !retain),
        owner_uid: uid_of(object).to_owned(),
    }
}

/// Marks of the same length as real ones.
pub fn dummy_mark() -> Mark {
    Mark { epoch: 1, nonce: Nonce::new(0), key: KeyId::from("XXXXXXXXXXXXXXXXXXXX") }
}
