//! Shared lists of an account's keys: many objects that are looked at at the same time cost one list, not one each.
//!
//! What an answer shows must be no older than the question. So whoever asks while a list is under way does not join it,
//! but the next one, which begins later.

use crate::provider::{ClusterId, Error, KeyState, OwnerMark, Provider};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::Mutex as Turn;

/// From how many questions on the whole account is listed, instead of each object's keys.
const MANY: usize = 4;

/// The lists of one account.
#[derive(Default)]
pub struct KeyLists {
    /// Those who ask now, for the next list.
    gathering: Mutex<Arc<Batch>>,
    /// One list at a time.
    turn: Turn<()>,
}

type Keys = HashMap<OwnerMark, Vec<KeyState>>;

#[derive(Default)]
struct Batch {
    asking: Mutex<Vec<OwnerMark>>,
    answer: OnceLock<Result<Keys, Error>>,
}

impl Batch {
    fn asking(&self) -> MutexGuard<'_, Vec<OwnerMark>> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer_for(&self, owner: &OwnerMark) -> Option<Result<Vec<KeyState>, Error>> {
        let answer = self.answer.get()?;
        Some(answer.as_ref().map(|keys| keys.get(owner).cloned().unwrap_or_default()).map_err(Clone::clone))
    }
}

impl KeyLists {
    /// The keys of one object: by a list that begins after this call.
    pub async fn of(&self, provider: &dyn Provider, owner: &OwnerMark) -> Result<Vec<KeyState>, Error> {
        let mut batch = self.join(owner);
        let _turn = self.turn.lock().await;
        if let Some(answer) = batch.answer_for(owner) {
            return answer;
        }
        if !self.close(&batch) {
            // Whoever closed it was dropped before the answer came.
            batch = self.join(owner);
            self.close(&batch);
        }
        let asking = std::mem::take(&mut *batch.asking());
        let _ = batch.answer.set(list(provider, &owner.cluster, asking).await);
        batch.answer_for(owner).unwrap_or_else(|| Ok(Vec::new()))
    }

    fn join(&self, owner: &OwnerMark) -> Arc<Batch> {
        let gathering = self.gathering();
        gathering.asking().push(owner.clone());
        Arc::clone(&gathering)
    }

    /// Lets nobody else into the batch. False: somebody did so before.
    fn close(&self, batch: &Arc<Batch>) -> bool {
        let mut gathering = self.gathering();
        let open = Arc::ptr_eq(&gathering, batch);
        if open {
            *gathering = Arc::default();
        }
        open
    }

    fn gathering(&self) -> MutexGuard<'_, Arc<Batch>> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn list(provider: &dyn Provider, cluster: &ClusterId, asking: Vec<OwnerMark>) -> Result<Keys, Error> {
    let mut keys = Keys::new();
    if asking.len() < MANY {
        for owner in asking {
            let found = provider.list_keys(cluster, Some(&owner)).await?;
            keys.insert(owner, found);
        }
        return Ok(keys);
    }
    for key in provider.list_keys(cluster, None).await? {
        keys.entry(key.owner.clone()).or_default().push(key);
    }
    Ok(keys)
}

#[cfg(test)]
mod tests;
