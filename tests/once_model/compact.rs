//! The state of the model in a few bytes, and its translation from and to the types of the production function.
//!
//! A key, its attempt and its nonce are one small number; text exists only while the production function is called.

use crate::broken::{self, Broken};
use std::sync::LazyLock;
use storekeeper::operator::key::once;
pub use storekeeper::operator::key::once::{Class, OnLoss, Posted, Verdict};

/// Keys per epoch that fit into a `KeySet`.
const SLOTS: u8 = 4;

/// One key at the provider: epoch, attempt and nonce in one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub u8);

impl Key {
    pub fn of(epoch: u8, attempt: u8) -> Self {
        Self((epoch - 1) * SLOTS + attempt - 1)
    }
    pub fn epoch(self) -> u8 {
        self.0 / SLOTS + 1
    }
    pub fn attempt(self) -> u8 {
        self.0 % SLOTS + 1
    }
    /// The key that a second execution of the same request makes: same epoch and nonce, another id.
    pub fn duplicate(self) -> Self {
        Self(self.0 + SLOTS / 2)
    }
    /// The key of the request that made this one, where requests may be executed twice.
    pub fn original(self, duplicates: bool) -> Self {
        if duplicates && self.0 % SLOTS >= SLOTS / 2 { Self(self.0 - SLOTS / 2) } else { self }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeySet(pub u8);

impl KeySet {
    pub fn has(self, key: Key) -> bool {
        self.0 & (1 << key.0) != 0
    }
    pub fn with(self, key: Key) -> Self {
        Self(self.0 | 1 << key.0)
    }
    pub fn without(self, key: Key) -> Self {
        Self(self.0 & !(1 << key.0))
    }
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
    pub fn iter(self) -> impl Iterator<Item = Key> {
        (0..8).map(Key).filter(move |key| self.has(*key))
    }
}

/// The AccessKey as the API server has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Object {
    pub finalizer: bool,
    pub deleting: bool,
    pub issue: Option<Key>,
    pub issue_open: bool,
    pub published: Option<Published>,
    /// What the status says; `None`: nothing yet.
    pub verdict: Option<Verdict>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Published {
    pub epoch: u8,
    pub key: Key,
}

impl Object {
    pub fn committed(&self, epoch: u8) -> bool {
        self.published.is_some_and(|published| published.epoch >= epoch)
    }
    pub fn recorded(&self, key: Key) -> bool {
        self.published.is_some_and(|published| published.key == key)
    }
    pub fn garbage(&self, key: Key) -> bool {
        self.committed(key.epoch()) && !self.recorded(key)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Secret {
    Absent,
    Foreign,
    Ours(Key),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectSeen {
    #[default]
    Unread,
    Gone,
    Found(Object),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seen {
    pub object: ObjectSeen,
    pub secret: Option<Secret>,
    pub keys: Option<KeySet>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Memory {
    #[default]
    Nothing,
    Intent(Key),
    Refused(Key),
    PutRefused(Key),
    Pair {
        key: Key,
        posted: Post,
        unanswered: bool,
    },
    Drained,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Post {
    NotYet,
    Tried,
    Committed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    GetObject,
    GetSecret,
    ListKeys,
    AddFinalizer,
    WriteIntent(Key),
    CloseIssue,
    Mint(Key),
    PostSecret(Key),
    /// B: the first key of the epoch stands for the epoch.
    PostNew(Key),
    Put(Key),
    Record {
        epoch: u8,
        key: Key,
    },
    Report(Verdict),
    Revoke(KeySet),
    RevokeOwn(Key),
    StartOver,
    DeleteSecret,
    WaitOutRequests,
    RemoveFinalizer,
    Rest(Verdict),
}

impl Step {
    pub fn reads(self) -> bool {
        matches!(self, Self::GetObject | Self::GetSecret | Self::ListKeys)
    }
    pub fn writes_object(self) -> bool {
        matches!(
            self,
            Self::AddFinalizer
                | Self::WriteIntent(_)
                | Self::CloseIssue
                | Self::Record { .. }
                | Self::Report(_)
                | Self::RemoveFinalizer
        )
    }
}

/// What the model varies of the protocol.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub class: Class,
    pub on_loss: OnLoss,
    pub retain: bool,
    pub attempts: u8,
    /// Epochs in the model: a Secret lost in the last one is not re-issued.
    pub epochs: u8,
    /// Requests to make a key may be executed twice.
    pub duplicates: bool,
    pub broken: Option<Broken>,
}

static IDS: LazyLock<[once::KeyId; 8]> =
    LazyLock::new(|| ["0", "1", "2", "3", "4", "5", "6", "7"].map(once::KeyId::from));
static UID: LazyLock<once::SecretUid> = LazyLock::new(|| once::SecretUid::from("uid"));

fn id(key: Key) -> once::KeyId {
    IDS[usize::from(key.0)].clone()
}

pub fn key_of(id: &once::KeyId) -> Key {
    Key(id.as_str().as_bytes()[0] - b'0')
}

impl Rules {
    fn attempt(&self, key: Key) -> once::Attempt {
        let original = key.original(self.duplicates);
        once::Attempt {
            epoch: original.epoch().into(),
            attempt: original.attempt().into(),
            nonce: self.nonce(key),
        }
    }
    fn nonce(&self, key: Key) -> once::Nonce {
        once::Nonce::new(key.original(self.duplicates).0.into())
    }
    fn object(&self, object: &Object) -> once::Object {
        once::Object {
            finalizer: object.finalizer,
            deleting: object.deleting,
            issue: object
                .issue
                .map(|key| once::Issue { attempt: self.attempt(key), open: object.issue_open }),
            published: object.published.map(|published| once::Published {
                epoch: published.epoch.into(),
                nonce: self.nonce(published.key),
                key: id(published.key),
            }),
            reissue: None,
        }
    }
    fn secret(&self, key: Key) -> once::OurSecret {
        once::OurSecret { uid: UID.clone(), epoch: key.epoch().into(), nonce: self.nonce(key), key: id(key) }
    }
    fn keys(&self, keys: KeySet) -> once::KeysSeen {
        let listed = |key: Key| once::ListedKey {
            id: id(key),
            epoch: key.epoch().into(),
            nonce: self.nonce(key),
            replayable: true,
        };
        once::KeysSeen::Listed(keys.iter().map(listed).collect())
    }
    /// Rehearsals pass and back-offs are over: both only delay what is then done, as every pause does.
    fn seen(&self, seen: &Seen) -> once::Seen {
        once::Seen {
            object: match &seen.object {
                ObjectSeen::Unread => once::ObjectSeen::Unread,
                ObjectSeen::Gone => once::ObjectSeen::Gone,
                ObjectSeen::Found(object) => once::ObjectSeen::Found(self.object(object)),
            },
            secret: seen.secret.map(|secret| match secret {
                Secret::Absent => once::SecretSeen::Absent,
                Secret::Foreign => once::SecretSeen::Foreign,
                Secret::Ours(key) => once::SecretSeen::Ours(self.secret(key)),
            }),
            keys: seen.keys.map(|keys| self.keys(keys)),
            preflight: Some(once::Preflight::Passed),
            gate: once::Gate::Open,
            back_off_over: true,
            in_time: true,
        }
    }
    fn expand(&self, memory: Memory) -> once::Memory {
        match memory {
            Memory::Nothing => once::Memory::Nothing,
            Memory::Intent(key) => once::Memory::after_intent(self.attempt(key)),
            Memory::Refused(key) => once::Memory::Refused(self.attempt(key)),
            Memory::PutRefused(key) => once::Memory::PutRefused(self.nonce(key)),
            Memory::Pair { key, posted, unanswered } => once::Memory::Pair {
                attempt: self.attempt(key),
                key: id(key),
                posted: match posted {
                    Post::NotYet => Posted::NotYet,
                    Post::Tried => Posted::Tried,
                    Post::Committed => Posted::Committed,
                },
                unanswered,
            },
            Memory::Drained => once::Memory::Drained,
        }
    }
    /// The other way round. `PutRefused` is made by the world itself.
    fn shrink(memory: &once::Memory) -> Memory {
        let of = |attempt: &once::Attempt| {
            Key::of(u8::try_from(attempt.epoch).unwrap(), u8::try_from(attempt.attempt).unwrap())
        };
        match memory {
            once::Memory::Nothing => Memory::Nothing,
            once::Memory::Intent { attempt, .. } => Memory::Intent(of(attempt)),
            once::Memory::Refused(attempt) => Memory::Refused(of(attempt)),
            once::Memory::PutRefused(_) => unreachable!("no transition makes it"),
            once::Memory::Pair { key, posted, unanswered, .. } => Memory::Pair {
                key: key_of(key),
                posted: match posted {
                    Posted::NotYet => Post::NotYet,
                    Posted::Tried => Post::Tried,
                    Posted::Committed => Post::Committed,
                },
                unanswered: *unanswered,
            },
            once::Memory::Drained => Memory::Drained,
        }
    }
    fn protocol(&self, object: &ObjectSeen) -> once::Protocol {
        let last = matches!(object, ObjectSeen::Found(object) if object.committed(self.epochs));
        once::Protocol {
            class: self.class,
            on_loss: if last { OnLoss::Block } else { self.on_loss },
            retain: self.retain,
            max_attempts: self.attempts.into(),
        }
    }

    /// The production function, or what a control makes of it.
    pub fn next(&self, seen: &Seen, memory: Memory) -> Step {
        let (protocol, full, memory) = (self.protocol(&seen.object), self.seen(seen), self.expand(memory));
        let step = match self.broken {
            None => once::next(&protocol, &full, &memory),
            Some(broken) => broken::next(broken, &protocol, &full, &memory),
        };
        Self::step(step, seen, &memory)
    }

    /// What an operator does that is told to end.
    pub fn stop(&self, memory: Memory) -> Step {
        let (protocol, mut memory) = (self.protocol(&ObjectSeen::Unread), self.expand(memory));
        if let (Some(Broken::RevokeOwnAlways), once::Memory::Pair { unanswered, .. }) =
            (self.broken, &mut memory)
        {
            *unanswered = false;
        }
        Self::step(once::stop(&protocol, &memory), &Seen::default(), &memory)
    }

    fn step(step: once::Step, seen: &Seen, memory: &once::Memory) -> Step {
        let small = |number: u32| u8::try_from(number).unwrap();
        match step {
            once::Step::GetObject => Step::GetObject,
            once::Step::GetSecret => Step::GetSecret,
            once::Step::ListKeys => Step::ListKeys,
            once::Step::AddFinalizer => Step::AddFinalizer,
            once::Step::WriteIntent { epoch, attempt } => {
                Step::WriteIntent(Key::of(small(epoch), small(attempt)))
            }
            once::Step::CloseIssue => Step::CloseIssue,
            once::Step::Mint(attempt) => Step::Mint(Key::of(small(attempt.epoch), small(attempt.attempt))),
            once::Step::PostSecret => {
                let once::Memory::Pair { key, .. } = memory else { unreachable!("a pair is posted") };
                Step::PostSecret(key_of(key))
            }
            once::Step::PostNew { epoch } => Step::PostNew(Key::of(small(epoch), 1)),
            once::Step::Put(secret) => Step::Put(key_of(&secret.key)),
            once::Step::Record { epoch, secret } => {
                Step::Record { epoch: small(epoch), key: key_of(&secret.key) }
            }
            once::Step::Revoke(keys) => Step::Revoke(keys.iter().map(key_of).fold(KeySet(0), KeySet::with)),
            once::Step::RevokeOwn(key) => Step::RevokeOwn(key_of(&key)),
            once::Step::StartOver => Step::StartOver,
            once::Step::DeleteSecret(_) => Step::DeleteSecret,
            once::Step::Wait(once::Wait::InFlight) => Step::WaitOutRequests,
            once::Step::RemoveFinalizer => Step::RemoveFinalizer,
            once::Step::Rest(verdict) => match &seen.object {
                ObjectSeen::Found(object) if !object.deleting && object.verdict != Some(verdict) => {
                    Step::Report(verdict)
                }
                _ => Step::Rest(verdict),
            },
            once::Step::Wait(once::Wait::BackOff) | once::Step::Preflight => {
                unreachable!("back-offs are over, and rehearsals have passed")
            }
        }
    }

    pub fn after_mint(&self, memory: Memory, asked: Key, answer: once::Minted) -> Memory {
        Self::shrink(&self.expand(memory).after_mint(self.attempt(asked), answer))
    }
    pub fn minted(key: Key) -> once::Minted {
        once::Minted::Made(id(key))
    }
    pub fn after_post(&self, memory: Memory, answer: once::PostAnswer) -> Memory {
        Self::shrink(&self.expand(memory).after_post(answer))
    }
    pub fn after_object_found(&self, memory: Memory) -> Memory {
        match memory {
            Memory::PutRefused(_) => memory,
            other => Self::shrink(&self.expand(other).after_object_found()),
        }
    }
}
