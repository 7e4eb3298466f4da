//! From the few bytes of the model to the types of the production function, and back. The only caller of production code.

use crate::broken::{self, Broken};
use crate::compact::{
    Class, Key, KeySet, Memory, Object, ObjectSeen, OnLoss, Post, Secret, Seen, Slots, Step,
};
use std::sync::LazyLock;
use storekeeper::operator::key::once::{self, Posted};

/// What the model varies of the protocol.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub class: Class,
    pub on_loss: OnLoss,
    pub retain: bool,
    pub attempts: u8,
    /// Epochs in the model: a Secret lost in the last one is not re-issued.
    pub epochs: u8,
    pub slots: Slots,
    pub broken: Option<Broken>,
}

static IDS: LazyLock<Vec<once::KeyId>> = LazyLock::new(|| {
    let id = |number: u8| once::KeyId::from(number.to_string().as_str());
    (0..32).map(id).collect()
});
static UID: LazyLock<once::SecretUid> = LazyLock::new(|| once::SecretUid::from("uid"));

fn id(key: Key) -> once::KeyId {
    IDS[usize::from(key.number())].clone()
}

fn key_of(id: &once::KeyId) -> Key {
    let number = id.as_str().bytes().fold(0, |number, digit| number * 10 + digit - b'0');
    Key::numbered(number)
}

fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap()
}

impl Rules {
    /// The key that stands for the attempt that made this one.
    pub fn original(&self, key: Key) -> Key {
        if self.slots == Slots::Executions { key.lower() } else { key }
    }
    /// The number of the attempt that made it.
    pub fn attempt_of(&self, key: Key) -> u8 {
        if self.slots == Slots::Attempts { key.slot() } else { key.lower().slot() }
    }
    fn attempt(&self, key: Key) -> once::Attempt {
        once::Attempt {
            epoch: key.epoch().into(),
            attempt: self.attempt_of(key).into(),
            nonce: self.nonce(key),
        }
    }
    fn nonce(&self, key: Key) -> once::Nonce {
        once::Nonce::new(self.original(key).number().into())
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
    fn keys(&self, keys: KeySet, old: KeySet) -> once::KeysSeen {
        let listed = |key: Key| once::ListedKey {
            id: id(key),
            epoch: key.epoch().into(),
            nonce: self.nonce(key),
            replayable: !old.has(key),
            complete: true,
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
            keys: seen.keys.map(|keys| self.keys(keys, seen.old)),
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
            Memory::Chosen(key) => once::Memory::Chosen(self.nonce(key)),
            Memory::Placed(key) => once::Memory::Placed(id(key)),
            Memory::Pair { key, posted } => once::Memory::Pair {
                attempt: self.attempt(key),
                key: id(key),
                posted: match posted {
                    Post::NotYet => Posted::NotYet,
                    Post::Tried => Posted::Tried,
                    Post::Committed => Posted::Committed,
                },
            },
            Memory::Drained => once::Memory::Drained,
        }
    }
    /// The other way round; `asked`: whose attempt it is about, where it says no key.
    fn shrink(memory: &once::Memory, asked: Option<Key>) -> Memory {
        match memory {
            once::Memory::Nothing => Memory::Nothing,
            once::Memory::Intent { .. } => Memory::Intent(asked.unwrap()),
            once::Memory::Refused(_) => Memory::Refused(asked.unwrap()),
            once::Memory::PutRefused(_) => Memory::PutRefused(asked.unwrap()),
            once::Memory::Chosen(_) => Memory::Chosen(asked.unwrap()),
            once::Memory::Placed(key) => Memory::Placed(key_of(key)),
            once::Memory::Pair { key, posted, .. } => Memory::Pair {
                key: key_of(key),
                posted: match posted {
                    Posted::NotYet => Post::NotYet,
                    Posted::Tried => Post::Tried,
                    Posted::Committed => Post::Committed,
                },
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
    pub fn next(&self, subject: u8, seen: &Seen, memory: Memory) -> Step {
        let (protocol, full, expanded) = (self.protocol(&seen.object), self.seen(seen), self.expand(memory));
        let step = match self.broken {
            None => once::next(&protocol, &full, &expanded),
            Some(broken) => broken::next(broken, &protocol, &full, &expanded),
        };
        self.step_of(step, subject, seen, memory)
    }

    pub fn after_mint(&self, memory: Memory, asked: Key, answer: once::Minted) -> Memory {
        Self::shrink(&self.expand(memory).after_mint(self.attempt(asked), answer), Some(asked))
    }
    pub fn minted(key: Key) -> once::Minted {
        once::Minted::Made(id(key))
    }
    pub fn after_post(&self, memory: Memory, created: bool) -> Memory {
        Self::shrink(&self.expand(memory).after_post(created), None)
    }
    pub fn after_object_found(&self, memory: Memory) -> Memory {
        let asked = match memory {
            Memory::Intent(key) | Memory::Refused(key) | Memory::PutRefused(key) | Memory::Chosen(key) => {
                Some(key)
            }
            Memory::Nothing | Memory::Placed(_) | Memory::Pair { .. } | Memory::Drained => None,
        };
        Self::shrink(&self.expand(memory).after_object_found(), asked)
    }

    fn step_of(&self, step: once::Step, subject: u8, seen: &Seen, memory: Memory) -> Step {
        match step {
            once::Step::GetObject => Step::GetObject,
            once::Step::GetSecret => Step::GetSecret,
            once::Step::ListKeys => Step::ListKeys,
            once::Step::AddFinalizer => Step::AddFinalizer,
            once::Step::WriteIntent { attempt, .. } if attempt > self.attempts.into() => Step::OutOfAttempts,
            once::Step::WriteIntent { epoch, attempt } => {
                Step::WriteIntent(Key::of(subject, small(epoch), small(attempt)))
            }
            once::Step::CloseIssue => Step::CloseIssue,
            once::Step::Mint(_) => match (memory, &seen.object) {
                (Memory::Intent(key), _) => Step::Mint(key),
                (_, ObjectSeen::Found(Object { issue: Some(key), .. })) => Step::Mint(*key),
                _ => unreachable!("a key is asked for by an intent"),
            },
            once::Step::PostSecret => {
                let Memory::Pair { key, .. } = memory else { unreachable!("a pair is posted") };
                Step::PostSecret(key)
            }
            once::Step::PostNew { epoch } => Step::PostNew(Key::of(subject, small(epoch), 1)),
            once::Step::Put(secret) => Step::Put(key_of(&secret.key)),
            once::Step::Record { epoch, secret } => {
                Step::Record { epoch: small(epoch), key: key_of(&secret.key) }
            }
            once::Step::Revoke(keys) => {
                Step::Revoke(keys.iter().map(key_of).fold(KeySet::EMPTY, KeySet::with))
            }
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
}
