//! The reads of a pass, and the rehearsal. Only a definite 404 means absent; what cannot be read is an error.

use super::once::{KeysSeen, ListedKey, ObjectSeen, Preflight};
use super::pass::{Flow, Pass};
use super::{act, translate, words};
use crate::api::{AccessKey, Reason};
use crate::operator::account::Account;
use crate::operator::runtime::kind::{Located as _, is_deleting, name_of, uid_of};
use crate::operator::runtime::{Error, Verdict};
use crate::operator::secret::publish::{self, Answer};
use crate::operator::secret::render::render_dummy;
use crate::provider::{Capability, KeyState};
use std::sync::Arc;
use tokio::time::Instant;

impl Pass<'_> {
    pub async fn get_object(&mut self) -> Result<Flow, Error> {
        self.forget_reads();
        self.seen.preflight = self.rehearsed.take();
        self.read_at = Instant::now();
        let api = AccessKey::api(self.ctx.reader.clone(), self.at.namespace.as_deref());
        let found = api
            .get_opt(&self.at.name)
            .await
            .map_err(|error| Error::kube("read the AccessKey", self.at.to_string(), error))?;
        if let Some(object) = found.filter(|object| uid_of(object) == self.uid) {
            let memory = self.held.memory.after_object_found();
            self.held.remember(memory);
            self.see(object)?;
        } else {
            self.object = None;
            self.seen.object = ObjectSeen::Gone;
        }
        Ok(Flow::Go)
    }

    pub async fn get_secret(&mut self) -> Result<Flow, Error> {
        let found = publish::read(&self.ctx.reader, &self.secret_at()).await?;
        let published = self.object.as_ref().and_then(|object| object.status.as_ref()?.published.as_ref());
        let meta = found.as_ref().map(|secret| &secret.metadata);
        self.seen.secret = Some(translate::secret(meta, &self.uid, published));
        Ok(Flow::Go)
    }

    pub async fn list_keys(&mut self) -> Result<Flow, Error> {
        let deleting = self.object.as_deref().is_some_and(is_deleting);
        let found = match (self.account(), deleting) {
            (Some(account), _) => self.list_at(&account).await,
            (None, false) => return self.without_account().await,
            (None, true) if self.held.account.is_none() => self.list_everywhere().await,
            (None, true) => return self.cannot_revoke(&self.no_account()).await,
        };
        match found {
            Ok(keys) => {
                self.seen.keys = Some(KeysSeen::Listed(keys));
                Ok(Flow::Go)
            }
            Err(error) if deleting => self.cannot_revoke_because(error).await,
            Err(error) => Err(error),
        }
    }

    pub async fn list_at(&mut self, account: &Account) -> Result<Vec<ListedKey>, Error> {
        let lists = self.ctx.kept.lists(&account.name);
        let keys = lists.of(account.provider(), &self.mark()).await.map_err(|error| account.failed(error))?;
        let published = self.object.as_ref().and_then(|object| object.status.as_ref()?.published.as_ref());
        let recorded =
            published.and_then(|key| keys.iter().find(|one| one.access_key_id == key.access_key_id));
        self.active = recorded.map(|key| key.active);
        Ok(self.listed(account, &keys))
    }

    fn listed(&self, account: &Account, keys: &[KeyState]) -> Vec<ListedKey> {
        let now = (self.ctx.now)();
        let admitted = matches!(&self.admission, Some(Ok(_)));
        let replays = |nonce| {
            admitted && account.can(Capability::IdempotentMint) && self.held.not_replayable != Some(nonce)
        };
        keys.iter().map(|key| translate::listed(key, replays, now)).collect()
    }

    /// Nothing says which account was asked for a key, if any was: all that can be asked are. A key at one that cannot
    /// is found by that account's sweep.
    async fn list_everywhere(&mut self) -> Result<Vec<ListedKey>, Error> {
        let mut found = Vec::new();
        for account in self.ctx.stores.accounts.all() {
            let Some(connected) = self.ctx.accounts.find(name_of(&*account)) else { continue };
            match self.list_at(&connected).await {
                Ok(keys) if keys.is_empty() => {}
                Ok(keys) => {
                    self.held.account = Some(connected.name.clone());
                    found = keys;
                }
                Err(error) => {
                    tracing::warn!(account = connected.name, %error, "an account was not asked for keys");
                }
            }
        }
        Ok(found)
    }

    /// Why there is no connection to the account.
    fn no_account(&self) -> Verdict {
        let name = self.account_name();
        if self.ctx.stores.accounts.get(None, name).is_none() {
            return Verdict::waiting(
                Reason::AccountNotFound,
                format!("StorageAccount '{name}' does not exist."),
            );
        }
        Verdict::waiting(Reason::AccountNotReady, format!("StorageAccount '{name}' is not Ready."))
    }

    pub async fn without_account(&mut self) -> Result<Flow, Error> {
        let verdict = match &self.admission {
            Some(Err(verdict)) => verdict.clone(),
            Some(Ok(_)) | None => self.no_account(),
        };
        self.finish(verdict, None).await
    }

    pub async fn cannot_revoke_because(&mut self, error: Error) -> Result<Flow, Error> {
        match error.verdict() {
            Some(verdict) => {
                tracing::warn!(
                    error = crate::operator::runtime::error::chain(&error),
                    "a key cannot be revoked"
                );
                self.cannot_revoke(&verdict).await
            }
            None => Err(error),
        }
    }

    /// The keys of an object that is being deleted cannot be listed or revoked: it waits, and says so, unless a person
    /// has said to leave them behind.
    async fn cannot_revoke(&mut self, because: &Verdict) -> Result<Flow, Error> {
        if self.object.as_deref().is_some_and(translate::is_abandoned) {
            self.seen.keys = Some(KeysSeen::Abandoned);
            return Ok(Flow::Go);
        }
        self.finish(words::cannot_revoke(because), None).await
    }

    /// Asks the API server whether it would take the Secret, with entries that open nothing.
    pub async fn rehearse(&mut self) -> Result<Flow, Error> {
        let (Some(Ok(admitted)), Some(object)) = (&self.admission, self.object.clone()) else {
            return self.without_account().await;
        };
        let Some(s3) = act::s3_of(self.ctx, &admitted.account) else { return self.without_account().await };
        let dummy = render_dummy(object.spec.secret.format, &s3, admitted.bucket.as_deref())
            .map_err(|error| Error::bug("render the Secret", self.at.to_string(), error.to_string()))?;
        let shape = act::shape(&object, &self.secret_at());
        match publish::rehearse(&self.ctx.writer, &shape, &act::dummy_mark(), &dummy).await {
            Answer::Created => self.seen.preflight = Some(Preflight::Passed),
            // It came after the keys were listed: by that list it would be a Secret of a dead key.
            Answer::Exists => self.forget_reads(),
            Answer::Refused(text) => {
                self.refusal = Some(text);
                self.seen.preflight = Some(Preflight::Refused);
            }
            Answer::Unknown(error) => return Err(error),
        }
        Ok(Flow::Go)
    }

    /// The connection to the account that the object's keys are at.
    pub fn connected(&self, op: &'static str) -> Result<Arc<Account>, Error> {
        self.account().ok_or_else(|| {
            let kind = crate::provider::ErrorKind::Unreachable("there is no connection".to_owned());
            let object = self.at.to_string();
            Error::provider(self.account_name(), crate::provider::Error { op, object, kind })
        })
    }
}
