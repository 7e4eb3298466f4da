//! What the client remembers to save questions. What is forgotten is asked again; what is remembered is never older than it
//! may be.

use super::names::{KeyId, Uid};
use crate::provider::{KeyState, OwnerMark};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// For how long an owner's state is good enough to make keys by.
const OWNER: Duration = Duration::from_secs(10);
/// For how long a key that was seen to be complete is taken to be so, as long as its RGW user is listed: long enough for the
/// passes that follow each other when many keys are made, and shorter than anybody waits for a key that was removed.
const COMPLETE: Duration = Duration::from_secs(30);
/// Nothing is remembered of more things than these.
const MOST: usize = 100_000;

/// Where the keys of an AccessKey are. An AccessKey never changes its user or its permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The login.
    pub login: String,
    /// Whether they are Full, so that they are the owner's.
    pub full: bool,
}

/// What matters of an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Whose it is; `None`: not ours, nor any cluster's.
    pub mark: Option<OwnerMark>,
    /// Whether it is refused, and its keys must be.
    pub suspended: bool,
}

/// What is remembered.
#[derive(Default)]
pub struct Memory {
    /// By the uid of the AccessKey.
    homes: Mutex<HashMap<String, Home>>,
    /// By login.
    owners: Mutex<HashMap<String, (Instant, Owner)>>,
    complete: Mutex<HashMap<Uid, (Instant, KeyState)>>,
}

impl Memory {
    /// Where the keys of that AccessKey are.
    pub fn home(&self, uid: &str) -> Option<Home> {
        lock(&self.homes).get(uid).cloned()
    }

    /// Remembers where the keys of that AccessKey are.
    pub fn note_home(&self, uid: &str, home: Home) {
        put(&self.homes, uid.to_owned(), home);
    }

    /// The owner of that login.
    pub fn owner(&self, login: &str) -> Option<Owner> {
        fresh(&self.owners, login, OWNER)
    }

    /// Remembers an owner; `None`: forgets it.
    pub fn note_owner(&self, login: &str, owner: Option<Owner>) {
        match owner {
            Some(owner) => put(&self.owners, login.to_owned(), (Instant::now(), owner)),
            None => drop(lock(&self.owners).remove(login)),
        }
    }

    /// A key that was complete a moment ago.
    pub fn complete(&self, uid: &Uid) -> Option<KeyState> {
        fresh(&self.complete, uid, COMPLETE)
    }

    /// Remembers a key that is complete.
    pub fn note_complete(&self, uid: Uid, key: KeyState) {
        put(&self.complete, uid, (Instant::now(), key));
    }

    /// Forgets a key.
    pub fn forget_key(&self, uid: &Uid) {
        lock(&self.complete).remove(uid);
    }

    /// The RGW user of a key that is not Full, where it was seen.
    pub fn uid_of(&self, id: &KeyId) -> Option<Uid> {
        let is_it = |uid: &&Uid| matches!(uid, Uid::Key(_, mark) if mark.has_id(id));
        lock(&self.complete).keys().find(is_it).cloned()
    }
}

fn fresh<K, Q, V>(map: &Mutex<HashMap<K, (Instant, V)>>, key: &Q, age: Duration) -> Option<V>
where
    K: Eq + Hash + std::borrow::Borrow<Q>,
    Q: Eq + Hash + ?Sized,
    V: Clone,
{
    lock(map).get(key).filter(|(when, _)| when.elapsed() < age).map(|(_, value)| value.clone())
}

fn put<K: Eq + Hash, V>(map: &Mutex<HashMap<K, V>>, key: K, value: V) {
    let mut map = lock(map);
    if map.len() >= MOST {
        map.clear();
    }
    map.insert(key, value);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{COMPLETE, Memory, OWNER, Owner};
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn nothing_is_remembered_for_longer_than_it_is_good_for() {
        let memory = Memory::default();
        let owner = Owner { mark: None, suspended: true };
        memory.note_owner("app", Some(owner.clone()));
        assert_eq!(memory.owner("app"), Some(owner));
        advance(OWNER.max(COMPLETE)).await;
        assert_eq!(memory.owner("app"), None);
    }
}
