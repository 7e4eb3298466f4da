//! What the protocol reads, and what it asks for.

use std::fmt;
use std::sync::Arc;

/// What tells one attempt's key and Secret from any other's: 128 random bits, 32 hexadecimal digits as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Nonce(u128);

impl Nonce {
    /// A nonce of these bits.
    pub fn new(bits: u128) -> Self {
        Self(bits)
    }

    /// Reads the text back; `None` unless it is 32 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() != 32 || !digits {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(Self)
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The id of an access key at the provider: not a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(Arc<str>);

/// The uid of a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretUid(Arc<str>);

macro_rules! text {
    ($name:ident) => {
        impl $name {
            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
text!(KeyId);
text!(SecretUid);

/// How a provider makes keys (exactly-once, §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The server generates the pair and shows the secret once.
    A3,
    /// As A3, but asking again with the same idempotency key answers with the same pair, for a while.
    A1,
    /// The caller chooses the pair.
    B,
}

/// What is done when the Secret of a committed epoch is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnLoss {
    /// A person is waited for.
    Block,
    /// A new epoch begins.
    Reissue,
}

/// What does not change while a pass runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Protocol {
    /// How the provider makes keys.
    pub class: Class,
    /// What is done when the Secret is gone.
    pub on_loss: OnLoss,
    /// Whether key and Secret outlive the object.
    pub retain: bool,
    /// Attempts of one epoch that may leave a key behind: [`super::MAX_ATTEMPTS`].
    pub max_attempts: u32,
}

/// One attempt to make a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// The how-manieth key of the object it is to be, from 1.
    pub epoch: u32,
    /// The how-manieth attempt of the epoch that may have made a key, from 1.
    pub attempt: u32,
    /// What tells its key and Secret from any other's.
    pub nonce: Nonce,
}

/// `status.issue`: the intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Issue {
    /// The last attempt. Its counters never go back.
    pub attempt: Attempt,
    /// Whether it may have made a key that is not published: false after a definite refusal, or once committed.
    pub open: bool,
}

/// `status.published`: which Secret won, and the newest epoch that is committed by it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Published {
    /// The newest committed epoch.
    pub epoch: u32,
    /// The attempt whose Secret it is.
    pub nonce: Nonce,
    /// The key in it.
    pub key: KeyId,
}

/// The AccessKey, as far as the protocol goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Object {
    /// Whether our finalizer is on it.
    pub finalizer: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The last attempt.
    pub issue: Option<Issue>,
    /// What is published.
    pub published: Option<Published>,
    /// The epoch that a person asks for by annotation.
    pub reissue: Option<u32>,
}

impl Object {
    /// Whether a Secret is recorded for that epoch, or for a later one.
    pub fn committed(&self, epoch: u32) -> bool {
        self.published.as_ref().is_some_and(|published| published.epoch >= epoch)
    }

    /// Whether that is the Secret that is recorded.
    pub fn recorded(&self, secret: &OurSecret) -> bool {
        self.published
            .as_ref()
            .is_some_and(|published| published.nonce == secret.nonce && published.key == secret.key)
    }

    /// Whether that key is garbage: its epoch is committed by another key. Once true this stays true, so that acting
    /// on a stale read of it is safe.
    pub fn garbage(&self, key: &ListedKey) -> bool {
        self.published
            .as_ref()
            .is_some_and(|published| key.epoch <= published.epoch && key.id != published.key)
    }
}

/// Whether the AccessKey is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum ObjectSeen {
    /// Not asked yet.
    #[default]
    Unread,
    /// A definite 404, or another uid.
    Gone,
    /// It is there.
    Found(Object),
}

/// A Secret with the object's uid and a nonce in its annotations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OurSecret {
    /// Its uid: what it is deleted by.
    pub uid: SecretUid,
    /// The epoch that it was made for.
    pub epoch: u32,
    /// The attempt that it was made by.
    pub nonce: Nonce,
    /// The key in it.
    pub key: KeyId,
}

/// What is there under the Secret's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SecretSeen {
    /// A definite 404.
    Absent,
    /// Something that was not made for this object.
    Foreign,
    /// Made for this object.
    Ours(OurSecret),
}

/// A key with this object's mark, as the provider lists it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListedKey {
    /// Its id.
    pub id: KeyId,
    /// The epoch that it was made for.
    pub epoch: u32,
    /// The attempt that it was made by.
    pub nonce: Nonce,
    /// A1: the provider is sure to remember the answer that it was made by.
    pub replayable: bool,
    /// B: the provider has all that belongs to it. One that is not complete is put again.
    pub complete: bool,
}

/// The provider's keys with this object's mark.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeysSeen {
    /// All of them.
    Listed(Vec<ListedKey>),
    /// The provider cannot be asked, and a person has said to give up on its keys. Only while deleting.
    Abandoned,
}

/// What the API server said to a rehearsal of the Secret's creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preflight {
    /// It would be created.
    Passed,
    /// Admission, quota or permission refuse it.
    Refused,
}

/// Whether everything that a new attempt needs is there: user, tenant, account, permission, quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Gate {
    /// It is.
    #[default]
    Open,
    /// It is not: no attempt is begun, but what was begun is finished.
    Closed,
}

/// What one pass has read so far. Every read was live when it was made, and may be stale since. The order of the reads
/// is object, Secret, keys: what follows from a later read is never older than what follows from an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    /// The AccessKey.
    pub object: ObjectSeen,
    /// The Secret.
    pub secret: Option<SecretSeen>,
    /// The provider's keys.
    pub keys: Option<KeysSeen>,
    /// The rehearsal.
    pub preflight: Option<Preflight>,
    /// Whether a new attempt may begin.
    pub gate: Gate,
    /// The last attempt has been open for longer than a request can live.
    pub back_off_over: bool,
    /// The pass is younger than the time after which it may not ask for a key any more.
    pub in_time: bool,
}

impl Seen {
    /// The keys that were listed, if they were.
    pub fn listed(&self) -> &[ListedKey] {
        match &self.keys {
            Some(KeysSeen::Listed(keys)) => keys,
            Some(KeysSeen::Abandoned) | None => &[],
        }
    }

    /// The epoch after that one, and after every one that a listed key is of: no epoch is made twice, also if the status
    /// does not remember it.
    pub fn epoch_after(&self, epoch: u32) -> u32 {
        self.listed().iter().map(|key| key.epoch).fold(epoch, u32::max) + 1
    }
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            object: ObjectSeen::Unread,
            secret: None,
            keys: None,
            preflight: None,
            gate: Gate::Open,
            back_off_over: false,
            in_time: true,
        }
    }
}

/// One call, or the end of the pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Read the AccessKey; forget everything read before.
    GetObject,
    /// Read the Secret.
    GetSecret,
    /// List the provider's keys with this object's mark.
    ListKeys,
    /// Rehearse the creation of the Secret.
    Preflight,
    /// Add our finalizer, with the resourceVersion read; go on with the answer, reading the Secret again.
    AddFinalizer,
    /// Draw a nonce and write `status.issue`, open, with the resourceVersion read. Success: [`super::Memory::Intent`].
    WriteIntent {
        /// The epoch.
        epoch: u32,
        /// The attempt.
        attempt: u32,
    },
    /// The provider refused, definitely: `status.issue.open: false`, with the resourceVersion read.
    CloseIssue,
    /// Ask the provider for the key: one transmission. See [`super::Memory::after_mint`].
    Mint(Attempt),
    /// Create the Secret of the pair in memory. See [`super::Memory::after_post`].
    PostSecret,
    /// B: generate a pair and create its Secret, in one go.
    PostNew {
        /// The epoch.
        epoch: u32,
    },
    /// B: make the provider agree with the Secret.
    Put(OurSecret),
    /// Write `status.published`, close the issue and report Ready, with the resourceVersion read; go on with the
    /// answer and with the reads of this pass.
    Record {
        /// The epoch that the Secret commits.
        epoch: u32,
        /// The Secret.
        secret: OurSecret,
    },
    /// Revoke these keys.
    Revoke(Vec<KeyId>),
    /// Revoke the key of the pair in memory and drop the pair.
    RevokeOwn(KeyId),
    /// Drop what is remembered, and begin again.
    StartOver,
    /// Delete the Secret by uid.
    DeleteSecret(SecretUid),
    /// End the pass and come back when that time is over.
    Wait(Wait),
    /// Remove our finalizer, with the resourceVersion read.
    RemoveFinalizer,
    /// End the pass: report this, if the status does not say so already.
    Rest(Verdict),
}

/// What time is waited out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wait {
    /// Until the last attempt has been open for longer than a request can live: then [`Seen::back_off_over`].
    BackOff,
    /// The longest time that a request can be in flight, from now: then [`super::Memory::Drained`].
    InFlight,
}

/// How things stand at the end of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// One key, in one Secret, recorded.
    Ready,
    /// The gate is closed; nothing was begun.
    Held,
    /// The Secret of a committed epoch is gone, or that of an epoch which the status does not remember although the
    /// provider has keys of it; and nobody has asked for another.
    SecretLost {
        /// The epoch that a person may ask for: one that never was.
        next_epoch: u32,
    },
    /// Something else has the Secret's name.
    SecretNameConflict,
    /// The API server would refuse the Secret.
    SecretRefused,
    /// Too many attempts of one epoch have left a key behind.
    TooManyAttempts,
    /// The key in the recorded Secret is gone.
    KeyRevokedExternally,
    /// There is nothing (more) to do for this object.
    Gone,
}
