//! What this process remembers of access keys between passes: by uid, in memory only. A crash loses it, by design.

use super::lists::KeyLists;
use super::once::{Attempt, Memory, Nonce, Protocol};
use crate::operator::runtime::{Error, ObjectKey};
use crate::operator::secret::publish::Shape;
use crate::operator::secret::render::Rendered;
use crate::provider::KeyPair;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long an intent may wait for its request to be sent.
pub const INTENT_BUDGET: Duration = Duration::from_secs(5);

/// What is remembered of one AccessKey. No `Debug`: it may hold a secret, zeroized when dropped.
#[derive(Default)]
pub struct Held {
    /// What the protocol remembers.
    pub memory: Memory,
    /// The Secret of the pair in memory.
    pub secret: Option<Pending>,
    /// When the intent in memory was written.
    pub intent_at: Option<Instant>,
    /// The last open attempt, and since when this process knows of it.
    pub open_since: Option<(Nonce, Instant)>,
    /// Deleting: when nothing can be in flight any more.
    pub drained_at: Option<Instant>,
    /// A1: the attempt whose pair the provider refuses to show again.
    pub not_replayable: Option<Nonce>,
    /// The rules that applied when the object was last read.
    pub protocol: Option<Protocol>,
    /// The account that was last asked for a key.
    pub account: Option<String>,
    /// Why the provider refused the attempt in memory.
    pub refusal: Option<Error>,
    /// B: the pair of the Secret that was made last, until the provider has it.
    pub chosen: Option<Chosen>,
}

/// A pair on its way to the provider. No `Debug`; zeroized when dropped.
pub struct Chosen {
    /// The attempt whose Secret holds it.
    pub nonce: Nonce,
    /// The pair.
    pub pair: KeyPair,
}

/// A Secret on its way. No `Debug`; its entries are zeroized when dropped.
pub struct Pending {
    /// All but its entries.
    pub shape: Shape,
    /// Its entries.
    pub entries: Rendered,
}

impl Held {
    /// The memory as it is now: whether an intent is still in time depends on the clock.
    pub fn memory_at(&self, now: Instant) -> Memory {
        match &self.memory {
            Memory::Intent { attempt, .. } => {
                let since = self.intent_at.map(|at| now.saturating_duration_since(at));
                Memory::Intent { attempt: *attempt, in_time: since.is_some_and(|age| age <= INTENT_BUDGET) }
            }
            other => other.clone(),
        }
    }

    /// Takes over what an answer made of the memory, and drops what belonged to the old one.
    pub fn remember(&mut self, memory: Memory) {
        if !memory.holds_pair() {
            self.secret = None;
        }
        self.memory = memory;
    }

    /// The intent was written, just now.
    pub fn intend(&mut self, attempt: Attempt, now: Instant) {
        self.remember(Memory::after_intent(attempt));
        self.intent_at = Some(now);
        self.open_since = Some((attempt.nonce, now));
    }

    /// How long an open attempt has been known of; it is known from now on.
    pub fn open_for(&mut self, nonce: Nonce, now: Instant) -> Duration {
        match self.open_since {
            Some((known, since)) if known == nonce => now.saturating_duration_since(since),
            Some(_) | None => {
                self.open_since = Some((nonce, now));
                Duration::ZERO
            }
        }
    }

    fn is_empty(&self) -> bool {
        let Self {
            memory,
            secret,
            intent_at: _,
            open_since,
            drained_at,
            not_replayable,
            protocol: _,
            account: _,
            refusal,
            chosen,
        } = self;
        *memory == Memory::Nothing
            && secret.is_none()
            && open_since.is_none()
            && drained_at.is_none()
            && not_replayable.is_none()
            && refusal.is_none()
            && chosen.is_none()
    }
}

/// What is remembered of all access keys, and the lists that their passes share.
#[derive(Default)]
pub struct Kept {
    held: Mutex<BTreeMap<String, (ObjectKey, Held)>>,
    lists: Mutex<BTreeMap<String, Arc<KeyLists>>>,
    pace: Mutex<Option<Instant>>,
}

impl Kept {
    /// Takes out what is remembered of an object; it is put back when the answer is dropped, however that comes about.
    pub fn take(&self, at: &ObjectKey, uid: &str) -> Hold<'_> {
        let held = lock(&self.held).remove(uid).map(|(_, held)| held).unwrap_or_default();
        Hold { kept: self, at: at.clone(), uid: uid.to_owned(), held }
    }

    /// The uids of objects of that name of which something is remembered.
    pub fn uids_at(&self, at: &ObjectKey) -> Vec<String> {
        let held = lock(&self.held);
        held.iter().filter(|(_, (key, _))| key == at).map(|(uid, _)| uid.clone()).collect()
    }

    /// The objects for which a pair is held.
    pub fn pairs(&self) -> Vec<(ObjectKey, String)> {
        let held = lock(&self.held);
        let with_pair = held.iter().filter(|(_, (_, held))| held.memory.holds_pair());
        with_pair.map(|(uid, (key, _))| (key.clone(), uid.clone())).collect()
    }

    /// The shared lists of an account's keys.
    pub fn lists(&self, account: &str) -> Arc<KeyLists> {
        Arc::clone(lock(&self.lists).entry(account.to_owned()).or_default())
    }

    /// When the next read between two resyncs may be made, so that there are no more than one per `gap`.
    pub fn next_read(&self, now: Instant, gap: Duration) -> Instant {
        let mut last = lock(&self.pace);
        let at = last.map_or(now, |last| now.max(last + gap));
        *last = Some(at);
        at
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is remembered of one object, while a pass works with it.
pub struct Hold<'a> {
    kept: &'a Kept,
    at: ObjectKey,
    uid: String,
    held: Held,
}

impl Deref for Hold<'_> {
    type Target = Held;
    fn deref(&self) -> &Held {
        &self.held
    }
}

impl DerefMut for Hold<'_> {
    fn deref_mut(&mut self) -> &mut Held {
        &mut self.held
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            lock(&self.kept.held).insert(self.uid.clone(), (self.at.clone(), held));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, INTENT_BUDGET, Kept};
    use crate::operator::key::once::{Attempt, KeyId, Memory, Minted, Nonce};
    use crate::operator::runtime::ObjectKey;
    use std::time::Duration;
    use tokio::time::Instant;

    fn attempt(nonce: u128) -> Attempt {
        Attempt { epoch: 1, attempt: 1, nonce: Nonce::new(nonce) }
    }

    #[test]
    fn a_pair_is_kept_from_pass_to_pass_and_what_is_empty_is_forgotten() {
        let (kept, at) = (Kept::default(), ObjectKey::namespaced("a", "k"));
        let mut hold = kept.take(&at, "u1");
        let memory = Memory::Nothing.after_mint(attempt(1), Minted::Made(KeyId::from("SK1")));
        hold.remember(memory.clone());
        assert!(kept.pairs().is_empty(), "it is out");
        drop(hold);
        assert_eq!(kept.pairs(), [(at.clone(), "u1".to_owned())]);
        let mut hold = kept.take(&at, "u1");
        assert!(hold.memory == memory);
        hold.remember(Memory::Nothing);
        drop(hold);
        assert!(kept.uids_at(&at).is_empty());
    }

    #[test]
    fn an_intent_is_in_time_for_as_long_as_its_budget() {
        let (mut held, now) = (Held::default(), Instant::now());
        held.intend(attempt(1), now);
        for (age, expected) in [(INTENT_BUDGET, true), (INTENT_BUDGET + Duration::from_millis(1), false)] {
            let memory = held.memory_at(now + age);
            assert!(matches!(memory, Memory::Intent { in_time, .. } if in_time == expected), "{age:?}");
        }
    }

    #[test]
    fn an_open_attempt_of_somebody_else_is_as_old_as_its_first_sight() {
        let (mut held, now) = (Held::default(), Instant::now());
        let later = Duration::from_secs(9);
        assert_eq!(held.open_for(Nonce::new(1), now), Duration::ZERO);
        assert_eq!(held.open_for(Nonce::new(1), now + later), later);
        assert_eq!(held.open_for(Nonce::new(2), now + later), Duration::ZERO);
    }

    #[test]
    fn reads_between_resyncs_are_spaced_out() {
        let (kept, now, gap) = (Kept::default(), Instant::now(), Duration::from_millis(20));
        assert_eq!(kept.next_read(now, gap), now);
        assert_eq!(kept.next_read(now, gap), now + gap);
        assert_eq!(kept.next_read(now, gap), now + gap * 2);
        assert_eq!(kept.next_read(now + gap * 9, gap), now + gap * 9);
    }
}
