//! What a process remembers of one object between its calls, and how answers change it. A crash loses it all.

use super::types::{Attempt, KeyId, Nonce};

/// What a process remembers of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Memory {
    /// Nothing.
    #[default]
    Nothing,
    /// The intent is written by this process, the request not yet sent.
    Intent {
        /// The attempt.
        attempt: Attempt,
        /// The intent is younger than its budget.
        in_time: bool,
    },
    /// The provider refused to make this attempt's key, definitely.
    Refused(Attempt),
    /// B: the provider refused to take the pair of this Secret, definitely.
    PutRefused(Nonce),
    /// B: this process has just created the Secret of that attempt. Nobody could put its pair before that.
    Chosen(Nonce),
    /// The provider has told this process that this key is there with all that belongs to it: when it made the key whose
    /// Secret this process then created, or (B) when it took the pair of that Secret.
    Placed(KeyId),
    /// A pair is held.
    Pair {
        /// The attempt that made it.
        attempt: Attempt,
        /// The id of its key.
        key: KeyId,
        /// How far its Secret has come.
        posted: Posted,
    },
    /// Deleting: the longest time that a request can be in flight has been waited out.
    Drained,
}

/// How far the Secret of a pair has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Posted {
    /// Not sent yet.
    NotYet,
    /// Sent, and not known to be there. No refusal proves that it is not: what is in between may have carried the request
    /// out twice, and told of the second time (simulator, seed 89359).
    Tried,
    /// Created by this process.
    Committed,
}

/// The answer to [`super::Step::Mint`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Minted {
    /// The pair; its key has this id.
    Made(KeyId),
    /// A definite refusal: no key was made and none will be.
    Refused,
    /// Anything else.
    Unknown,
}

impl Memory {
    /// The intent was written, just now.
    pub fn after_intent(attempt: Attempt) -> Self {
        Self::Intent { attempt, in_time: true }
    }

    /// After a request for that attempt's key. Only the refusal of the first request for it, which is the one that
    /// this process wrote the intent for, proves that it made no key.
    #[must_use]
    pub fn after_mint(&self, attempt: Attempt, answer: Minted) -> Self {
        let first = matches!(self, Self::Intent { .. });
        match answer {
            Minted::Made(key) => Self::Pair { attempt, key, posted: Posted::NotYet },
            Minted::Refused if first => Self::Refused(attempt),
            Minted::Refused | Minted::Unknown => Self::Nothing,
        }
    }

    /// After a POST of the Secret of the pair in memory: whether the answer said that it was created.
    #[must_use]
    pub fn after_post(&self, created: bool) -> Self {
        let Self::Pair { attempt, key, .. } = self else { return self.clone() };
        let posted = if created { Posted::Committed } else { Posted::Tried };
        Self::Pair { attempt: *attempt, key: key.clone(), posted }
    }

    /// After the AccessKey was read and found: the pair of a Secret that was created is not needed any more, but for which
    /// key it was.
    #[must_use]
    pub fn after_object_found(&self) -> Self {
        match self {
            Self::Pair { posted: Posted::Committed, key, .. } => Self::Placed(key.clone()),
            other => other.clone(),
        }
    }

    /// After a pass has ended, however, or what it had read turned out to be old: the next one asks what the provider has.
    #[must_use]
    pub fn after_break(&self) -> Self {
        match self {
            Self::Chosen(_) | Self::Placed(_) => Self::Nothing,
            other => other.clone(),
        }
    }

    /// Whether a pair is held, which only this process knows.
    pub fn holds_pair(&self) -> bool {
        matches!(self, Self::Pair { .. })
    }
}
