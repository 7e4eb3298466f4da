//! Shared lists of an account's keys: many objects that are looked at at the same time cost one list, not one each.

use crate::provider::{ClusterId, Error, Gather, KeyState, OwnerMark, Provider};
use std::collections::HashMap;

/// The lists of one account.
#[derive(Default)]
pub struct KeyLists(Gather<OwnerMark, Keys>);

type Keys = HashMap<OwnerMark, Vec<KeyState>>;

impl KeyLists {
    /// The keys of one object: by a list that begins after this call.
    pub async fn of(&self, provider: &dyn Provider, owner: &OwnerMark) -> Result<Vec<KeyState>, Error> {
        let asking = |owners| list(provider, &owner.cluster, owners);
        let keys = self.0.ask(owner.clone(), asking).await?;
        Ok(keys.get(owner).cloned().unwrap_or_default())
    }
}

async fn list(provider: &dyn Provider, cluster: &ClusterId, asking: Vec<OwnerMark>) -> Result<Keys, Error> {
    let mut keys = Keys::new();
    if asking.len() < provider.list_all_from() {
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
