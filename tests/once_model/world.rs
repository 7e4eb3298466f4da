//! The world around the protocol: API server, provider, people, garbage collector, and operators without a lock.
//!
//! How the state space stays small, without losing behaviour:
//! * a resourceVersion is a bit per reader, `fresh`: true until anybody writes the object. A uid precondition is the bit
//!   `same`: true until the Secret that was read is deleted. Both are exact.
//! * crashes, lost answers, timeouts, failed writes and pauses are not counted: each may happen at every step, any number
//!   of times. What bounds the search is the number of attempts per epoch, of epochs, and of things that people do.
//! * a definitely refused attempt made no key and no Secret; the next one takes over its number, and here its nonce too.
//! * the operators are interchangeable: states are sorted. One that remembers nothing may turn to any object next.

use crate::broken::Broken;
use crate::compact::{Class, Key, KeySet, Memory, Object, ObjectSeen, Secret, Seen, Step};
use crate::config::{Config, Forgets, Second};
use crate::restore::Restored;
use crate::translate::Rules;

/// What one operator process does about one object: what it remembers, what this pass has read, and the call that it is
/// about to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Operator {
    /// Which object.
    pub subject: u8,
    pub memory: Memory,
    pub seen: Seen,
    pub step: Step,
    /// Nobody has written the object since this pass (or our own last write) read it.
    pub fresh: bool,
    /// The Secret that this pass read still exists, the very same one.
    pub same: bool,
    /// The object that was read is, to its resourceVersion, the one in the backup.
    pub fresh_in_backup: bool,
    /// The Secret that was read is, to its uid, in the backup.
    pub same_in_backup: bool,
}

pub const IDLE: Operator = Operator {
    subject: 0,
    memory: Memory::Nothing,
    seen: Seen { object: ObjectSeen::Unread, secret: None, keys: None, old: KeySet::EMPTY },
    step: Step::GetObject,
    fresh: false,
    same: false,
    fresh_in_backup: false,
    same_in_backup: false,
};

/// Operators that a state has room for.
pub const OPERATORS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub objects: [Option<Object>; 2],
    pub secret: Secret,
    pub live: KeySet,
    /// Keys that were revoked, where that matters.
    pub tombs: KeySet,
    /// Requests to make a key (B: to put one) that may still execute.
    pub late: KeySet,
    /// POSTs of Secrets that may still land.
    pub late_posts: KeySet,
    /// Attempts that were begun; B: pairs that exist, so that a new one is new.
    pub used: KeySet,
    /// A1: keys that operators do not ask for again any more, and keys that the provider does not remember the request of.
    pub old: KeySet,
    pub forgotten: KeySet,
    pub person_deletes_secret: u8,
    pub person_creates_foreign: u8,
    pub person_deletes_object: bool,
    pub person_revokes_key: u8,
    /// The second object has been made.
    pub recreated: bool,
    /// The namespace is being deleted.
    pub terminating: bool,
    /// Faults so far, where they are counted.
    pub faults: u8,
    /// Epochs in which a person deleted a Secret or revoked a key: a bit each, four to an object.
    pub person_spoiled: u8,
    pub breaches: u16,
    /// What must have happened for a run to mean anything.
    pub marks: u8,
    pub restore: Restored,
    pub operators: [Operator; OPERATORS],
}

/// What must never happen, noted at the moment it happens.
#[derive(Clone, Copy, Debug)]
#[repr(u16)]
pub enum Breach {
    SecondSecret = 1,
    GoodSecretDeleted = 1 << 1,
    PublishedKeyRevoked = 1 << 2,
    ForeignTouched = 1 << 3,
    KeyWithoutIntent = 1 << 4,
    CalledDespiteForeign = 1 << 5,
    SecretChanged = 1 << 6,
    RecordedUnseen = 1 << 7,
    SilentSwap = 1 << 8,
    AskedTooLate = 1 << 9,
}

/// What is worth knowing that it happened.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum Mark {
    /// The key in a loser's Secret was revoked while that Secret was there.
    LosersKeyRevoked = 1,
    /// A POST was refused because its namespace is being deleted.
    CreateRefused = 1 << 1,
    /// A1: a pair was asked for again and shown again.
    Replayed = 1 << 2,
    /// A1: a pair was asked for again that the provider had forgotten.
    MadeTwice = 1 << 3,
}

impl Operator {
    /// Decide, and forget what the decision does not need.
    pub fn decide(&mut self, rules: &Rules) {
        self.step = rules.next(self.subject, &self.seen, self.memory);
        match self.step {
            Step::GetObject if self.memory == Memory::Nothing => *self = IDLE,
            Step::GetObject => self.keep(false, false),
            Step::GetSecret | Step::ListKeys | Step::Record { .. } => {}
            Step::Rest(_) => *self = IDLE,
            _ => {
                self.seen = Seen::default();
                self.keep(self.step.writes_object(), self.step == Step::DeleteSecret);
            }
        }
        if !matches!(self.step, Step::ListKeys | Step::DeleteSecret) {
            self.keep(true, false);
        }
    }
    fn keep(&mut self, object: bool, secret: bool) {
        self.fresh &= object;
        self.fresh_in_backup &= object;
        self.same &= secret;
        self.same_in_backup &= secret;
    }
    pub fn start_over(&mut self, rules: &Rules) {
        self.seen = Seen::default();
        self.decide(rules);
    }
}

impl World {
    pub fn new(config: &Config) -> Self {
        let second = (config.second == Second::SameSecret).then(Object::default);
        Self {
            objects: [Some(Object::default()), second],
            secret: if config.starts_with_foreign { Secret::Foreign } else { Secret::Absent },
            live: KeySet::EMPTY,
            tombs: KeySet::EMPTY,
            late: KeySet::EMPTY,
            late_posts: KeySet::EMPTY,
            used: KeySet::EMPTY,
            old: KeySet::EMPTY,
            forgotten: KeySet::EMPTY,
            person_deletes_secret: config.person_deletes_secret,
            person_creates_foreign: config.person_creates_foreign,
            person_deletes_object: config.person_deletes_object,
            person_revokes_key: config.person_revokes_key,
            recreated: false,
            terminating: false,
            faults: 0,
            person_spoiled: 0,
            breaches: 0,
            marks: 0,
            restore: Restored::default(),
            operators: [IDLE; OPERATORS],
        }
    }
    pub fn breach(&mut self, breach: Breach) {
        self.breaches |= breach as u16;
    }
    pub fn breached(&self, breach: Breach) -> bool {
        self.breaches & breach as u16 != 0
    }
    pub fn mark(&mut self, mark: Mark) {
        self.marks |= mark as u8;
    }
    pub fn marked(&self, mark: Mark) -> bool {
        self.marks & mark as u8 != 0
    }
    /// The object with that uid, if it is there.
    pub fn object(&self, subject: u8) -> Option<Object> {
        self.objects[usize::from(subject)]
    }
    /// The objects that are there, and which they are.
    pub fn there(&self) -> impl Iterator<Item = (u8, Object)> {
        (0..).zip(self.objects).filter_map(|(subject, object)| Some((subject, object?)))
    }
    pub fn object_written(&mut self, subject: u8) {
        for operator in self.operators.iter_mut().filter(|operator| operator.subject == subject) {
            operator.fresh = false;
        }
        self.restore.object_written();
    }
    pub fn secret_deleted(&mut self) {
        self.secret = Secret::Absent;
        for operator in &mut self.operators {
            operator.same = false;
        }
        self.restore.secret_deleted();
    }
    /// Create-only. True if it was created.
    pub fn create_secret(&mut self, key: Key, upsert: bool) -> bool {
        if self.terminating {
            self.mark(Mark::CreateRefused);
            return false;
        }
        match self.secret {
            Secret::Absent => {}
            Secret::Foreign if upsert => self.breach(Breach::ForeignTouched),
            Secret::Ours(old) if upsert && old.subject() != key.subject() => {
                self.breach(Breach::ForeignTouched);
            }
            Secret::Ours(old) if upsert && old != key => self.breach(Breach::SecretChanged),
            _ => return false,
        }
        let object = self.object(key.subject());
        let committed = object.is_some_and(|object| object.committed(key.epoch()) && !object.deleting);
        if committed && !self.spoiled(key) {
            self.breach(Breach::SecondSecret);
        }
        self.secret = Secret::Ours(key);
        true
    }
    /// Whether what was published still counts: not while it is removed with its object.
    fn protected(&self, config: &Config, subject: u8) -> Option<Object> {
        self.object(subject).filter(|object| !object.deleting || config.rules.retain)
    }
    /// An operator that works on `subject` deletes what is there.
    pub fn delete_secret(&mut self, config: &Config, subject: u8) {
        match self.secret {
            Secret::Ours(key) if key.subject() == subject => {
                let good = |object: Object| !object.garbage(key) && self.live.has(key);
                if self.protected(config, subject).is_some_and(good) {
                    self.breach(Breach::GoodSecretDeleted);
                }
            }
            Secret::Foreign | Secret::Ours(_) => self.breach(Breach::ForeignTouched),
            Secret::Absent => {}
        }
        self.secret_deleted();
    }
    /// An operator that works on `subject` revokes a key.
    pub fn revoke(&mut self, config: &Config, subject: u8, key: Key) {
        if key.subject() != subject {
            self.breach(Breach::ForeignTouched);
        }
        if let Some(object) = self.protected(config, key.subject())
            && self.live.has(key)
        {
            // What a person takes away while its object goes is not retained.
            let given_up = object.deleting && self.spoiled(key) && self.secret != Secret::Ours(key);
            if object.recorded(key) && !given_up {
                self.breach(Breach::PublishedKeyRevoked);
            }
            // Under Retain an attempt that lands while its object goes has lost: its Secret goes too.
            if self.secret == Secret::Ours(key) && !object.deleting {
                if object.garbage(key) {
                    self.mark(Mark::LosersKeyRevoked);
                } else {
                    self.breach(Breach::PublishedKeyRevoked);
                }
            }
        }
        if self.live.has(key) {
            self.tombs = self.tombs.with(key);
        }
        self.live = self.live.without(key);
    }
    /// The provider executes a request for a key, and answers with the key that is returned. A1 answers a repeated one
    /// with the first answer, if it remembers it.
    pub fn make_key(&mut self, config: &Config, asked: Key) -> Key {
        let class = config.rules.class;
        if config.starts_with_foreign && self.person_deletes_secret == config.person_deletes_secret {
            self.breach(Breach::CalledDespiteForeign);
        }
        let of_intent =
            |object: Object| object.issue.is_some_and(|last| last >= config.rules.original(asked));
        let intent = self.object(asked.subject()).is_none_or(of_intent);
        if class != Class::B && !intent && !self.restore.done {
            self.breach(Breach::KeyWithoutIntent);
        }
        let key = if self.forgotten.has(asked) { asked.upper() } else { asked };
        let replays = config.forgets != Forgets::Never;
        if replays && (self.live.has(key) || self.tombs.has(key)) {
            self.mark(Mark::Replayed);
        }
        if key != asked {
            self.mark(Mark::MadeTwice);
        }
        let revoked = self.tombs.has(key);
        if !(revoked && (config.tombstones || class == Class::A1)) {
            self.live = self.live.with(key);
        }
        key
    }
    fn spoiled_bit(subject: u8, epoch: u8) -> u8 {
        1 << (4 * subject + epoch - 1)
    }
    /// A person takes away the Secret of this key, or the key: it, and the epoch under way, may be made again.
    pub fn person_spoils(&mut self, key: Key) {
        let issue = self.object(key.subject()).and_then(|object| object.issue);
        let under_way = issue.map_or(1, Key::epoch);
        for epoch in key.epoch()..=under_way.max(key.epoch()) {
            self.person_spoiled |= Self::spoiled_bit(key.subject(), epoch);
        }
    }
    pub fn spoiled(&self, key: Key) -> bool {
        self.person_spoiled & Self::spoiled_bit(key.subject(), key.epoch()) != 0
    }
    /// A pair that never was, for the same object and epoch as `like`.
    pub fn unused(&self, config: &Config, like: Key) -> Option<Key> {
        (1..=config.rules.attempts)
            .map(|slot| Key::of(like.subject(), like.epoch(), slot))
            .find(|key| !self.used.has(*key))
    }
    /// What a reader sees under the Secret's name.
    pub fn secret_for(&self, config: &Config, subject: u8) -> Secret {
        match self.secret {
            other if config.broken(Broken::OwnerUnchecked) => other,
            Secret::Ours(key) if key.subject() != subject && config.broken(Broken::OthersIsAbsent) => {
                Secret::Absent
            }
            other => other.seen_for(subject),
        }
    }
    /// The keys with the object's mark.
    pub fn keys_for(&self, config: &Config, subject: u8) -> KeySet {
        if config.broken(Broken::KeysByName) { self.live } else { self.live.of(subject) }
    }
}
