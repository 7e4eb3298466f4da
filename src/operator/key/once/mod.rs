//! Exactly once: the protocol that carries a secret which is shown once into one Secret.
//!
//! [`next`] is the whole decision: from what one pass has read and what this process remembers it names the one call
//! to make now. [`Memory`] says how the answers to these calls change what is remembered, [`stop`] what a process that
//! is asked to end does with a pair that it holds. The controller makes the calls; the model checker in
//! `tests/once_model` runs the same functions against every interleaving of two operators, faults and people.
//!
//! No I/O, no clock and no randomness live here: facts that depend on time come in as part of [`Seen`] and [`Memory`],
//! and a new nonce is drawn by whoever carries out [`Step::WriteIntent`].
//!
//! ```text
//!              AddFinalizer        Preflight         WriteIntent            Mint             PostSecret
//!  new object ─────────────> S1 ─────────────> S2 ─────────────> S3 ────────────> S4 ─────────────────> S5
//!                                               ^                 │ refused        │ no answer           │ created
//!                                               │                 v                v                     v
//!                                               ├──────────── CloseIssue       Wait(BackOff)      Secret is there: S6
//!                                               └──────────────────────────────────┘                     │ Record
//!  any state ── deleted ──> Revoke all ─> Wait(InFlight) ─> DeleteSecret ─> RemoveFinalizer              v
//!                                                                                 Ready <── Revoke garbage: S8
//! ```

#![allow(clippy::trivially_copy_pass_by_ref)] // one signature shape for all rules

mod deleting;
mod memory;
mod rules;
#[cfg(test)]
mod tests;
mod types;

pub use memory::{Memory, Minted, Posted};
pub use types::{
    Attempt, Class, Gate, Issue, KeyId, KeysSeen, ListedKey, Nonce, Object, ObjectSeen, OnLoss, OurSecret,
    Preflight, Protocol, Published, SecretSeen, SecretUid, Seen, Step, Verdict, Wait,
};

/// Attempts of one epoch that may leave a key behind, after which a person must look: something is wrong that retrying
/// does not cure, and every further attempt might leave another key.
pub const MAX_ATTEMPTS: u32 = 10;

/// The next call to make. Total, and it never asks for a read that `seen` already holds.
pub fn next(protocol: &Protocol, seen: &Seen, memory: &Memory) -> Step {
    match memory {
        Memory::Intent { attempt, in_time: true } => return Step::Mint(*attempt),
        Memory::Intent { in_time: false, .. } => return Step::StartOver,
        Memory::Pair { posted: Posted::NotYet, .. } => return Step::PostSecret,
        Memory::Pair { .. }
        | Memory::Refused(_)
        | Memory::PutRefused(_)
        | Memory::Chosen(_)
        | Memory::Placed(_)
        | Memory::Drained
        | Memory::Nothing => {}
    }
    let object = match &seen.object {
        ObjectSeen::Unread => return Step::GetObject,
        ObjectSeen::Gone => return rules::when_gone(protocol, seen, memory),
        ObjectSeen::Found(object) => object,
    };
    match memory {
        Memory::Refused(attempt) => {
            let mine = object.issue.is_some_and(|issue| issue.open && issue.attempt == *attempt);
            return if mine && !object.deleting { Step::CloseIssue } else { Step::StartOver };
        }
        Memory::Pair { posted: Posted::Tried, attempt, .. } => {
            return rules::with_pair(object, seen, attempt);
        }
        Memory::PutRefused(nonce) => match &seen.secret {
            Some(SecretSeen::Ours(secret)) if secret.nonce != *nonce => return Step::StartOver,
            Some(SecretSeen::Absent | SecretSeen::Foreign) => return Step::StartOver,
            Some(SecretSeen::Ours(_)) | None => {}
        },
        // Committed: the Secret is there, and from here on what is read decides.
        Memory::Pair { .. }
        | Memory::Nothing
        | Memory::Intent { .. }
        | Memory::Chosen(_)
        | Memory::Placed(_)
        | Memory::Drained => {}
    }
    let Some(secret) = &seen.secret else { return Step::GetSecret };
    if object.deleting {
        return deleting::when_deleting(
            protocol,
            object,
            secret,
            seen.keys.as_ref(),
            *memory == Memory::Drained,
        );
    }
    match secret {
        SecretSeen::Foreign => Step::Rest(Verdict::SecretNameConflict),
        SecretSeen::Absent | SecretSeen::Ours(_) if !object.finalizer => Step::AddFinalizer,
        SecretSeen::Ours(secret) => rules::when_published(protocol, object, secret, seen, memory),
        SecretSeen::Absent => rules::when_absent(protocol, object, seen),
    }
}

/// What a process that is asked to end does with what it holds, again and again until it is [`Step::Rest`].
///
/// A pair that was never posted is posted once. After that it is dropped, and its key left to the sweep, to the deletion,
/// or (A1) to whoever asks for it again: its Secret may be there, whatever the answer was.
pub fn stop(memory: &Memory) -> Step {
    match memory {
        Memory::Pair { posted: Posted::NotYet, .. } => Step::PostSecret,
        Memory::Nothing | Memory::Drained => Step::Rest(Verdict::Gone),
        Memory::Pair { posted: Posted::Tried | Posted::Committed, .. }
        | Memory::Intent { .. }
        | Memory::Refused(_)
        | Memory::PutRefused(_)
        | Memory::Chosen(_)
        | Memory::Placed(_) => Step::StartOver,
    }
}
