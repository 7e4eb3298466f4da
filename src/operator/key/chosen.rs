//! The writes of a pass where the caller chooses the pair (class B): first the Secret, then the provider. No decisions.

use super::act::{s3_of, shape};
use super::kept::Chosen;
use super::once::{KeyId, Memory, OurSecret, Verdict as Rest};
use super::pass::{Flow, Pass};
use super::words;
use crate::api::AccessKey;
use crate::operator::runtime::{Error, Judgement, driver};
use crate::operator::secret::publish::{self, Answer, Mark, Stored};
use crate::operator::secret::render::render;
use crate::provider::{ErrorKind, RANDOM_BYTES};
use std::sync::Arc;
use zeroize::Zeroizing;

impl Pass<'_> {
    /// Chooses a pair and creates its Secret: one transmission.
    pub async fn post_new(&mut self, epoch: u32) -> Result<Flow, Error> {
        let (Some(Ok(admitted)), Some(object), Some(account)) =
            (self.admission.clone(), self.object.clone(), self.account())
        else {
            return self.rest(Rest::Held).await;
        };
        if self.write_down(&object, &admitted.account).await? {
            return Ok(Flow::Go);
        }
        let nonce = self.new_nonce();
        let mut random = Zeroizing::new([0; RANDOM_BYTES]);
        self.ctx.random.fill(random.as_mut_slice());
        let wish = self.wish(&object, &admitted, epoch, nonce);
        let bug = |why: &str| Error::bug("choose the pair of", self.at.to_string(), why.to_owned());
        let pair = account.provider().choose_pair(&wish, &random).ok_or_else(|| bug("there is none"))?;
        let s3 = s3_of(self.ctx, &admitted.account).ok_or_else(|| bug("there is no StorageAccount"))?;
        let entries = render(object.spec.secret.format, &pair, &s3, admitted.bucket.as_deref())
            .map_err(|error| bug(&error.to_string()))?;
        let mark = Mark { epoch, nonce, key: KeyId::from(pair.access_key_id.as_str()) };
        // It may land whatever becomes of this pass.
        self.held.chosen = Some(Chosen { nonce, pair });
        let shape = shape(&object, &self.secret_at());
        let answer = publish::create(&self.ctx.writer, &shape, &mark, &entries).await;
        self.forget_reads();
        match answer {
            Answer::Created => {
                self.held.remember(Memory::Chosen(nonce));
                Ok(Flow::Go)
            }
            Answer::Exists => {
                self.held.chosen = None;
                Ok(Flow::Go)
            }
            Answer::Refused(text) => {
                self.held.chosen = None;
                self.refusal = Some(text);
                self.rest(Rest::SecretRefused).await
            }
            Answer::Unknown(error) => Err(error),
        }
    }

    /// Writes down what the key is made as, and where, before its first Secret is made: a spec that changes meanwhile must
    /// not lead away from that Secret. False: it is written already.
    async fn write_down(&mut self, object: &Arc<AccessKey>, account: &str) -> Result<bool, Error> {
        let mut draft = self.draft();
        if draft.identity.is_some() && draft.account.as_deref() == Some(account) {
            return Ok(false);
        }
        draft.identity.get_or_insert_with(|| object.identity());
        draft.account = Some(account.to_owned());
        let extra = self.extra(object, Some(false));
        let judgement = Judgement { verdict: words::progressing(), deleting: false, extra };
        match driver::write_if_changed(self.ctx, &**object, draft, &judgement).await? {
            Some(written) => self.see(written)?,
            None => self.forget_reads(),
        }
        Ok(true)
    }

    /// Makes the provider agree with the Secret.
    pub async fn put(&mut self, secret: &OurSecret) -> Result<Flow, Error> {
        let (Some(Ok(admitted)), Some(object), Some(account)) =
            (self.admission.clone(), self.object.clone(), self.account())
        else {
            return self.without_account().await;
        };
        if self.held.chosen.as_ref().is_none_or(|chosen| chosen.nonce != secret.nonce) {
            return self.read_back(secret).await;
        }
        let Some(pair) = self.held.chosen.as_ref().map(|chosen| chosen.pair.clone()) else {
            return Ok(self.start_over());
        };
        let wish = self.wish(&object, &admitted, secret.epoch, secret.nonce);
        self.forget_reads();
        // What is remembered if the pass is cut off before the answer comes.
        self.held.remember(Memory::Nothing);
        match account.provider().put_key(&wish, &pair).await {
            Ok(()) => {
                self.ctx.metrics.key_minted();
                self.held.remember(Memory::Placed(secret.key.clone()));
                Ok(Flow::Go)
            }
            // The id is spent: no other answer says that no try with this pair can succeed.
            Err(error) if matches!(error.kind, ErrorKind::NameTaken(_)) => {
                tracing::warn!(%error, "the provider refuses the pair of a Secret");
                Ok(self.refuse(secret))
            }
            Err(error) => Err(account.failed(error)),
        }
    }

    /// Takes the pair out of its Secret: another process made it, or this one before it was started anew.
    async fn read_back(&mut self, secret: &OurSecret) -> Result<Flow, Error> {
        let stored =
            publish::read_pair(&self.ctx.reader, &self.secret_at(), secret.uid.as_str(), &secret.key).await?;
        match stored {
            Stored::Gone => self.forget_reads(),
            Stored::Changed => {
                tracing::warn!(secret = %self.secret_at(), "a Secret does not hold the key that it is for");
                return Ok(self.refuse(secret));
            }
            Stored::Pair(pair) => self.held.chosen = Some(Chosen { nonce: secret.nonce, pair }),
        }
        Ok(Flow::Go)
    }

    fn refuse(&mut self, secret: &OurSecret) -> Flow {
        self.held.chosen = None;
        self.held.remember(Memory::PutRefused(secret.nonce));
        self.forget_reads();
        Flow::Go
    }
}
