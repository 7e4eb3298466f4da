//! The state of the model in a few bytes. A key, its attempt and its nonce are one small number; text exists only while
//! the production function is called (see [`crate::translate`]).

pub use storekeeper::operator::key::once::{Class, OnLoss, Verdict};

/// One key at the provider: whose, of which epoch, and which attempt and nonce, in one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(u8);

/// Keys per epoch and object.
pub const SLOTS: u8 = 4;
/// Epochs per object.
pub const EPOCHS: u8 = 4;
/// Keys per object.
const KEYS: u8 = SLOTS * EPOCHS;

impl Key {
    /// `subject`: which object it is made for; `slot`: from 1, the attempt wherever an attempt has one key only.
    pub fn of(subject: u8, epoch: u8, slot: u8) -> Self {
        assert!(subject < 2 && (1..=EPOCHS).contains(&epoch) && (1..=SLOTS).contains(&slot));
        Self(subject * KEYS + (epoch - 1) * SLOTS + slot - 1)
    }
    pub fn number(self) -> u8 {
        self.0
    }
    pub fn numbered(number: u8) -> Self {
        Self(number)
    }
    pub fn subject(self) -> u8 {
        self.0 / KEYS
    }
    pub fn epoch(self) -> u8 {
        self.0 % KEYS / SLOTS + 1
    }
    pub fn slot(self) -> u8 {
        self.0 % SLOTS + 1
    }
    /// The same in the upper half of the slots: what that half means is said by [`Slots`].
    pub fn upper(self) -> Self {
        Self(if self.in_upper_half() { self.0 } else { self.0 + SLOTS / 2 })
    }
    pub fn lower(self) -> Self {
        Self(if self.in_upper_half() { self.0 - SLOTS / 2 } else { self.0 })
    }
    pub fn in_upper_half(self) -> bool {
        self.0 % SLOTS >= SLOTS / 2
    }
}

/// What the four keys of an epoch are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slots {
    /// One for each of four attempts.
    Attempts,
    /// Two attempts; the upper half are the keys that a second execution of the same request makes: same nonce, other id.
    Executions,
    /// Two attempts; the upper half are those after the restore of a backup: same number, other nonce.
    Histories,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeySet(u32);

impl KeySet {
    pub const EMPTY: Self = Self(0);

    pub fn has(self, key: Key) -> bool {
        self.0 & (1 << key.0) != 0
    }
    pub fn with(self, key: Key) -> Self {
        Self(self.0 | 1 << key.0)
    }
    pub fn without(self, key: Key) -> Self {
        Self(self.0 & !(1 << key.0))
    }
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    pub fn in_both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
    /// Those of one object.
    pub fn of(self, subject: u8) -> Self {
        Self(self.0 & 0xffff << (KEYS * subject))
    }
    pub fn iter(self) -> impl Iterator<Item = Key> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let lowest = u8::try_from(left.trailing_zeros()).ok().filter(|_| left != 0)?;
            left &= left - 1;
            Some(Key(lowest))
        })
    }
}

/// The AccessKey as the API server has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

/// What is there under the Secret's name. As the API server has it, `Ours` means made for any of our objects; as an
/// operator sees it, made for the object that it looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Secret {
    Absent,
    Foreign,
    Ours(Key),
}

impl Secret {
    pub fn seen_for(self, subject: u8) -> Self {
        match self {
            Self::Ours(key) if key.subject() != subject => Self::Foreign,
            other => other,
        }
    }
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
    /// A1: those of the keys that were too old to be asked for again when they were listed.
    pub old: KeySet,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Memory {
    #[default]
    Nothing,
    Intent(Key),
    Refused(Key),
    PutRefused(Key),
    Chosen(Key),
    Placed(Key),
    Pair {
        key: Key,
        posted: Post,
    },
    Drained,
}

impl Memory {
    /// The key of the pair that is held.
    pub fn pair(self) -> Option<Key> {
        match self {
            Self::Pair { key, .. } => Some(key),
            Self::Nothing
            | Self::Intent(_)
            | Self::Refused(_)
            | Self::PutRefused(_)
            | Self::Chosen(_)
            | Self::Placed(_)
            | Self::Drained => None,
        }
    }
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
    /// The nonce is drawn when it is written: the key stands for its epoch and attempt.
    WriteIntent(Key),
    /// An attempt that the model has no number for.
    OutOfAttempts,
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
    /// Whether it is, or leads to, a call of the provider that something new is begun with.
    pub fn begins(self) -> bool {
        matches!(
            self,
            Self::ListKeys
                | Self::WriteIntent(_)
                | Self::OutOfAttempts
                | Self::Mint(_)
                | Self::Revoke(_)
                | Self::PostNew(_)
        )
    }
}
