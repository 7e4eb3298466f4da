//! The world around the protocol: API server, provider, people, garbage collector, and operators without a lock.
//!
//! How the state space stays small, without losing behaviour:
//! * a resourceVersion is a bit per reader, `fresh`: true until anybody writes the object. A uid precondition is the bit
//!   `same`: true until the Secret that was read is deleted. Both are exact.
//! * crashes, lost answers, timeouts, failed writes and pauses are not counted: each may happen at every step, any number
//!   of times. What bounds the search is the number of attempts per epoch, of epochs, and of things that people do.
//! * a definitely refused attempt made no key and no Secret; the next one takes over its number, and here its nonce too.
//! * the operators are interchangeable: states are sorted.

use crate::broken::Broken;
use crate::compact::{Class, Key, KeySet, Memory, Object, ObjectSeen, Post, Rules, Secret, Seen, Step};

/// How long a request may take to execute after everybody gave up on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lateness {
    /// Waiting proves nothing.
    Unbounded,
    /// Waiting proves that nothing sent or about to be sent is left.
    Bounded,
}

#[derive(Clone, Copy, Debug)]
pub struct Config {
    pub name: &'static str,
    pub rules: Rules,
    pub lateness: Lateness,
    /// A POST of a Secret that timed out may land later.
    pub late_posts: bool,
    /// SIGTERM may come while a pair is in memory.
    pub sigterm: bool,
    /// B: a revoked key id can never be put again (Garage).
    pub tombstones: bool,
    pub person_deletes_secret: u8,
    pub person_creates_foreign: u8,
    pub person_deletes_object: bool,
    /// A person revokes keys at the provider, behind our back.
    pub person_revokes_key: u8,
    pub starts_with_foreign: bool,
    /// The StorageAccount's sweep revokes keys of an AccessKey that is gone (orphanPolicy: Revoke).
    pub account_sweep: bool,
    /// The strict reading of I3: not even the key in a loser's Secret is revoked.
    pub strict_i3: bool,
    /// Count faults and allow this many; None: any number, uncounted.
    pub faults: Option<u8>,
    pub operators: usize,
}

impl Config {
    pub fn broken(&self, broken: Broken) -> bool {
        self.rules.broken == Some(broken)
    }
    /// A1 and B remember which keys there were.
    pub fn remembers_revoked(&self) -> bool {
        self.rules.class == Class::A1 || self.tombstones
    }
}

/// One operator process: what it remembers, what this pass has read, and the call that it is about to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Operator {
    pub memory: Memory,
    pub seen: Seen,
    pub step: Step,
    /// Nobody has written the object since this pass (or our own last write) read it.
    pub fresh: bool,
    /// The Secret that this pass read still exists, the very same one.
    pub same: bool,
}

pub const IDLE: Operator = Operator {
    memory: Memory::Nothing,
    seen: Seen { object: ObjectSeen::Unread, secret: None, keys: None },
    step: Step::GetObject,
    fresh: false,
    same: false,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub object: Option<Object>,
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
    pub person_deletes_secret: u8,
    pub person_creates_foreign: u8,
    pub person_deletes_object: bool,
    pub person_revokes_key: u8,
    /// Faults so far, where they are counted.
    pub faults: u8,
    /// Epochs in which a person deleted a Secret or revoked a key (bit = epoch).
    pub person_spoiled: u8,
    pub breaches: u16,
    pub operators: [Operator; 2],
}

/// What must never happen, noted at the moment it happens.
#[derive(Clone, Copy, Debug)]
#[repr(u16)]
pub enum Breach {
    SecondSecret = 1,
    GoodSecretDeleted = 2,
    PublishedKeyRevoked = 4,
    LosersKeyRevoked = 8,
    ForeignTouched = 16,
    KeyWithoutIntent = 32,
    CalledDespiteForeign = 64,
    SecretChanged = 128,
    RecordedUnseen = 256,
}

impl Operator {
    /// Decide, and forget what the decision does not need.
    pub fn decide(&mut self, rules: &Rules) {
        self.step = rules.next(&self.seen, self.memory);
        match self.step {
            Step::GetObject => (self.fresh, self.same) = (false, false),
            Step::GetSecret | Step::ListKeys | Step::Record { .. } => {}
            Step::Rest(_) => *self = IDLE,
            _ => {
                self.seen = Seen::default();
                self.same &= self.step == Step::DeleteSecret;
                self.fresh &= self.step.writes_object();
            }
        }
        if !matches!(self.step, Step::ListKeys | Step::DeleteSecret) {
            self.same = false;
        }
    }
    pub fn start_over(&mut self, rules: &Rules) {
        self.seen = Seen::default();
        self.decide(rules);
    }
}

impl World {
    pub fn new(config: &Config) -> Self {
        let object = Object {
            finalizer: false,
            deleting: false,
            issue: None,
            issue_open: false,
            published: None,
            verdict: None,
        };
        Self {
            object: Some(object),
            secret: if config.starts_with_foreign { Secret::Foreign } else { Secret::Absent },
            live: KeySet(0),
            tombs: KeySet(0),
            late: KeySet(0),
            late_posts: KeySet(0),
            used: KeySet(0),
            person_deletes_secret: config.person_deletes_secret,
            person_creates_foreign: config.person_creates_foreign,
            person_deletes_object: config.person_deletes_object,
            person_revokes_key: config.person_revokes_key,
            faults: 0,
            person_spoiled: 0,
            breaches: 0,
            operators: [IDLE; 2],
        }
    }
    pub fn breach(&mut self, breach: Breach) {
        self.breaches |= breach as u16;
    }
    pub fn breached(&self, breach: Breach) -> bool {
        self.breaches & breach as u16 != 0
    }
    pub fn object_written(&mut self) {
        for operator in &mut self.operators {
            operator.fresh = false;
        }
    }
    pub fn secret_deleted(&mut self) {
        self.secret = Secret::Absent;
        for operator in &mut self.operators {
            operator.same = false;
        }
    }
    /// Create-only. True if it was created.
    pub fn create_secret(&mut self, key: Key, upsert: bool) -> bool {
        match self.secret {
            Secret::Absent => {}
            Secret::Foreign if upsert => self.breach(Breach::ForeignTouched),
            Secret::Ours(old) if upsert && old != key => self.breach(Breach::SecretChanged),
            _ => return false,
        }
        let committed = self.object.is_some_and(|object| object.committed(key.epoch()) && !object.deleting);
        if committed && self.person_spoiled & 1 << key.epoch() == 0 {
            self.breach(Breach::SecondSecret);
        }
        self.secret = Secret::Ours(key);
        true
    }
    /// Whether what was published still counts: not while it is removed with its object.
    fn protected(&self, config: &Config) -> Option<Object> {
        self.object.filter(|object| !object.deleting || config.rules.retain)
    }
    pub fn delete_secret(&mut self, config: &Config) {
        match (self.secret, self.protected(config)) {
            (Secret::Foreign, _) => self.breach(Breach::ForeignTouched),
            (Secret::Ours(key), Some(object)) if !object.garbage(key) && self.live.has(key) => {
                self.breach(Breach::GoodSecretDeleted);
            }
            _ => {}
        }
        self.secret_deleted();
    }
    pub fn revoke(&mut self, config: &Config, key: Key) {
        if let Some(object) = self.protected(config)
            && self.live.has(key)
        {
            if object.recorded(key) {
                self.breach(Breach::PublishedKeyRevoked);
            }
            // Under Retain an attempt that lands while its object goes has lost: its Secret goes too.
            if self.secret == Secret::Ours(key) && !object.deleting {
                let loser = object.garbage(key);
                self.breach(if loser { Breach::LosersKeyRevoked } else { Breach::PublishedKeyRevoked });
            }
        }
        if self.live.has(key) {
            self.tombs = self.tombs.with(key);
        }
        self.live = self.live.without(key);
    }
    /// The provider executes a request for a key. A1 answers a repeated one with the first answer.
    pub fn make_key(&mut self, config: &Config, key: Key) {
        let class = config.rules.class;
        if config.starts_with_foreign && self.person_deletes_secret == config.person_deletes_secret {
            self.breach(Breach::CalledDespiteForeign);
        }
        let intent = self.object.is_none_or(|object| {
            object.issue.is_some_and(|last| last >= key.original(config.rules.duplicates))
        });
        if class != Class::B && !intent {
            self.breach(Breach::KeyWithoutIntent);
        }
        let revoked = self.tombs.has(key);
        if !(revoked && (config.tombstones || class == Class::A1)) {
            self.live = self.live.with(key);
        }
    }
    /// A person takes away the Secret of this key, or the key: it, and the epoch under way, may be made again.
    pub fn person_spoils(&mut self, key: Key) {
        let under_way = self.object.and_then(|object| object.issue).map_or(1, Key::epoch);
        for epoch in key.epoch()..=under_way.max(key.epoch()) {
            self.person_spoiled |= 1 << epoch;
        }
    }
    /// A pair that never was, of the same epoch as `like`.
    pub fn unused(&self, config: &Config, like: Key) -> Option<Key> {
        (1..=config.rules.attempts)
            .map(|attempt| Key::of(like.epoch(), attempt))
            .find(|key| !self.used.has(*key))
    }
    /// Everything was read live, just now: what would an operator do?
    pub fn decide_now(&self, config: &Config) -> Step {
        let seen = Seen {
            object: self.object.map_or(ObjectSeen::Gone, ObjectSeen::Found),
            secret: Some(self.secret),
            keys: Some(self.live),
        };
        match config.rules.next(&seen, Memory::Nothing) {
            // It would be refused.
            Step::Put(key) if config.tombstones && self.tombs.has(key) => {
                config.rules.next(&seen, Memory::PutRefused(key))
            }
            step => step,
        }
    }
    pub fn quiet(&self, config: &Config) -> bool {
        let gone = self.object.is_none();
        let collectable = gone && !config.rules.retain && matches!(self.secret, Secret::Ours(_));
        let sweepable = config.account_sweep && gone && !self.live.is_empty();
        self.operators == [IDLE; 2]
            && self.late.is_empty()
            && self.late_posts.is_empty()
            && !collectable
            && !sweepable
    }
    /// Nothing in flight, nobody at work, and a pass would find nothing to do.
    pub fn at_rest(&self, config: &Config) -> bool {
        self.quiet(config) && matches!(self.decide_now(config), Step::Rest(_))
    }
    /// Has operator `index` waited for long enough that nothing sent, or about to be sent, is left?
    pub fn drained(&self, config: &Config, index: usize) -> bool {
        if config.lateness == Lateness::Unbounded {
            return true;
        }
        let retain = config.rules.retain;
        let others = self.operators.iter().enumerate().filter(|(other, _)| *other != index);
        self.late.is_empty()
            && (self.late_posts.is_empty() || !retain)
            && others.map(|(_, operator)| operator).all(|operator| {
                let aware = matches!(operator.seen.object, ObjectSeen::Found(object) if object.deleting);
                let reading = matches!(operator.step, Step::GetSecret | Step::ListKeys) && !aware;
                let posting =
                    matches!(operator.memory, Memory::Pair { posted: Post::NotYet | Post::Tried, .. });
                let asking = match config.rules.class {
                    Class::A3 => matches!(operator.step, Step::Mint(_)),
                    Class::A1 => reading || matches!(operator.step, Step::Mint(_)),
                    Class::B => reading || matches!(operator.step, Step::Put(_) | Step::PostNew(_)),
                };
                !asking && !(retain && posting)
            })
    }
}
