//! What an account showed a moment ago, shared by the objects that ask about it.
//!
//! One object that changes asks for one thing. When many objects ask at once, as after a restart, one list answers all of
//! them. What is shown is never older than [`FRESH`]. Only presence is ever answered from memory: that something is absent
//! is always asked of the provider itself.

use super::{BucketState, ClusterId, Error, Provider, UserState};
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Nothing older than this is answered.
pub const FRESH: Duration = Duration::from_secs(10);
/// More single questions than these within [`FRESH`] are a crowd: the next one asks for everything.
const CROWD: usize = 8;
/// What changes all the time is told at most this often.
const TELL: Duration = Duration::from_mins(5);

/// What one account showed a moment ago.
pub struct Inventory {
    users: Shelf<String, UserState>,
    buckets: Shelf<(String, String), BucketState>,
    refused: Mutex<HashMap<String, (Instant, String)>>,
    told: Mutex<HashMap<String, Instant>>,
    began: Instant,
    fresh: Duration,
}

impl Default for Inventory {
    fn default() -> Self {
        Self::new(FRESH)
    }
}

impl Inventory {
    /// An empty one. Nothing older than `fresh` is ever answered.
    pub fn new(fresh: Duration) -> Self {
        Self {
            users: Shelf::new(fresh),
            buckets: Shelf::new(fresh),
            refused: Mutex::default(),
            told: Mutex::default(),
            began: Instant::now(),
            fresh,
        }
    }

    /// The user of that login, whoever made it. `None` only where the provider has just said so.
    pub async fn user(
        &self,
        provider: &dyn Provider,
        cluster: &ClusterId,
        login: &str,
    ) -> Result<Option<UserState>, Error> {
        let key = login.to_owned();
        if let Some(user) = self.users.get(&key) {
            return Ok(Some(user));
        }
        if self.users.is_crowded() {
            let _turn = self.users.listing.lock().await;
            if self.users.must_list() {
                let asked = Instant::now();
                let list = provider.list_users(cluster).await?;
                self.users.put(asked, list.into_iter().map(|user| (user.login.clone(), user)));
            }
            if let Some(user) = self.users.get(&key) {
                return Ok(Some(user));
            }
        }
        self.ask_user(provider, login).await
    }

    /// The same, never from memory.
    pub async fn ask_user(&self, provider: &dyn Provider, login: &str) -> Result<Option<UserState>, Error> {
        self.users.asked();
        let found = provider.find_user(login).await?;
        match &found {
            Some(user) => self.note_user(user.clone()),
            None => self.forget_user(login),
        }
        Ok(found)
    }

    /// The user as this process has just seen or made it, without asking.
    pub fn known_user(&self, login: &str) -> Option<UserState> {
        self.users.get(&login.to_owned())
    }

    /// Remembers what a call has just shown.
    pub fn note_user(&self, user: UserState) {
        self.users.note(user.login.clone(), user);
    }

    /// Forgets a user, after it was changed or removed.
    pub fn forget_user(&self, login: &str) {
        self.users.forget(&login.to_owned());
    }

    /// The bucket of that user, whoever made it. `None` only where the provider has just said so.
    pub async fn bucket(
        &self,
        provider: &dyn Provider,
        cluster: &ClusterId,
        user_id: &str,
        name: &str,
    ) -> Result<Option<BucketState>, Error> {
        let key = (user_id.to_owned(), name.to_owned());
        if let Some(bucket) = self.buckets.get(&key) {
            return Ok(Some(bucket));
        }
        if self.buckets.is_crowded() {
            let _turn = self.buckets.listing.lock().await;
            if self.buckets.must_list() {
                let asked = Instant::now();
                let list = provider.list_buckets(cluster).await?;
                let key = |bucket: &BucketState| (bucket.user_id.clone(), bucket.name.clone());
                self.buckets.put(asked, list.into_iter().map(|bucket| (key(&bucket), bucket)));
            }
            if let Some(bucket) = self.buckets.get(&key) {
                return Ok(Some(bucket));
            }
        }
        self.ask_bucket(provider, user_id, name).await
    }

    /// The same, never from memory.
    pub async fn ask_bucket(
        &self,
        provider: &dyn Provider,
        user_id: &str,
        name: &str,
    ) -> Result<Option<BucketState>, Error> {
        self.buckets.asked();
        let found = provider.find_bucket(user_id, name).await?;
        match &found {
            Some(bucket) => self.note_bucket(bucket.clone()),
            None => self.forget_bucket(user_id, name),
        }
        Ok(found)
    }

    /// The bucket as this process has just seen or made it, without asking.
    pub fn known_bucket(&self, user_id: &str, name: &str) -> Option<BucketState> {
        self.buckets.get(&(user_id.to_owned(), name.to_owned()))
    }

    /// Remembers what a call has just shown.
    pub fn note_bucket(&self, bucket: BucketState) {
        self.buckets.note((bucket.user_id.clone(), bucket.name.clone()), bucket);
    }

    /// Forgets a bucket, after it was changed or removed.
    pub fn forget_bucket(&self, user_id: &str, name: &str) {
        self.buckets.forget(&(user_id.to_owned(), name.to_owned()));
    }

    /// Remembers for a moment why the provider refused to remove what was made for the object of that uid.
    pub fn note_refusal(&self, uid: &str, why: String) {
        let mut refused = lock(&self.refused);
        refused.retain(|_, (when, _)| when.elapsed() < self.fresh);
        refused.insert(uid.to_owned(), (Instant::now(), why));
    }

    /// Why the provider refused to remove it a moment ago.
    pub fn refusal(&self, uid: &str) -> Option<String> {
        let refused = lock(&self.refused);
        refused.get(uid).filter(|(when, _)| when.elapsed() < self.fresh).map(|(_, why)| why.clone())
    }

    /// Whether a figure that changes all the time may be told anew for the object of that uid; if so, it counts as told.
    /// Nothing is told in the first minutes, so that a restart writes nothing.
    pub fn may_tell(&self, uid: &str) -> bool {
        let mut told = lock(&self.told);
        if told.get(uid).unwrap_or(&self.began).elapsed() < TELL {
            return false;
        }
        told.retain(|_, when| when.elapsed() < TELL);
        told.insert(uid.to_owned(), Instant::now());
        true
    }
}

/// Things of one sort. What was noted singly goes before what was listed.
struct Shelf<K, V> {
    state: Mutex<State<K, V>>,
    /// Held while a list is asked for, so that a crowd asks once.
    listing: tokio::sync::Mutex<()>,
    fresh: Duration,
}

struct State<K, V> {
    noted: HashMap<K, (Instant, V)>,
    /// As of when the list was asked for, not when it came.
    listed: Option<Instant>,
    list: HashMap<K, V>,
    /// A list that was asked for before may still show these.
    forgotten: HashMap<K, Instant>,
    questions: VecDeque<Instant>,
}

impl<K: Eq + Hash + Clone, V: Clone> Shelf<K, V> {
    fn new(fresh: Duration) -> Self {
        let state = State {
            noted: HashMap::new(),
            listed: None,
            list: HashMap::new(),
            forgotten: HashMap::new(),
            questions: VecDeque::new(),
        };
        Self { state: Mutex::new(state), listing: tokio::sync::Mutex::default(), fresh }
    }

    fn get(&self, key: &K) -> Option<V> {
        let state = lock(&self.state);
        if let Some((when, value)) = state.noted.get(key)
            && when.elapsed() < self.fresh
        {
            return Some(value.clone());
        }
        let listed = state.listed.is_some_and(|when| when.elapsed() < self.fresh);
        if listed { state.list.get(key).cloned() } else { None }
    }

    fn asked(&self) {
        let mut state = lock(&self.state);
        state.questions.push_back(Instant::now());
        if state.questions.len() > CROWD {
            state.questions.pop_front();
        }
    }

    fn is_crowded(&self) -> bool {
        let state = lock(&self.state);
        let first = state.questions.front().is_some_and(|when| when.elapsed() < self.fresh);
        first && state.questions.len() >= CROWD
    }

    fn must_list(&self) -> bool {
        lock(&self.state).listed.is_none_or(|when| when.elapsed() >= self.fresh)
    }

    fn put(&self, asked: Instant, list: impl Iterator<Item = (K, V)>) {
        let mut state = lock(&self.state);
        state.forgotten.retain(|_, when| *when >= asked);
        let list = list.filter(|(key, _)| !state.forgotten.contains_key(key)).collect();
        state.list = list;
        state.listed = Some(asked);
        state.noted.retain(|_, (when, _)| when.elapsed() < self.fresh);
    }

    fn note(&self, key: K, value: V) {
        let mut state = lock(&self.state);
        if state.noted.len() >= 1024 {
            state.noted.retain(|_, (when, _)| when.elapsed() < self.fresh);
        }
        state.noted.insert(key, (Instant::now(), value));
    }

    fn forget(&self, key: &K) {
        let mut state = lock(&self.state);
        state.noted.remove(key);
        state.list.remove(key);
        state.forgotten.insert(key.clone(), Instant::now());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
