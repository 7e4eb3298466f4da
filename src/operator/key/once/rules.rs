//! The rules for an object that is not being deleted, and for one that is gone while a pair is held.

use super::memory::Memory;
use super::types::{
    Attempt, Class, Gate, Issue, KeyId, KeysSeen, ListedKey, Nonce, Object, OnLoss, OurSecret, Preflight,
    Protocol, SecretSeen, Seen, Step, Verdict, Wait,
};
use std::collections::BTreeSet;

/// S5 again, after a POST that did not succeed at once. Unless it is to be sent again the pair is dropped: its Secret is
/// there (S6), or may have been there and recorded, so that its key is garbage only once another one is recorded.
pub(super) fn with_pair(object: &Object, seen: &Seen, attempt: &Attempt) -> Step {
    if object.deleting {
        return Step::StartOver; // the deletion finds the key in the list
    }
    match &seen.secret {
        None => Step::GetSecret,
        Some(SecretSeen::Absent) if !object.committed(attempt.epoch) => Step::PostSecret,
        Some(SecretSeen::Absent | SecretSeen::Ours(_) | SecretSeen::Foreign) => Step::StartOver,
    }
}

/// The AccessKey is gone, and with it whoever else could clean up.
pub(super) fn when_gone(protocol: &Protocol, seen: &Seen, memory: &Memory) -> Step {
    let Memory::Pair { key, .. } = memory else { return Step::Rest(Verdict::Gone) };
    let ours = match &seen.secret {
        None => return Step::GetSecret,
        Some(SecretSeen::Ours(secret)) if secret.key == *key => Some(secret),
        Some(SecretSeen::Absent | SecretSeen::Foreign | SecretSeen::Ours(_)) => None,
    };
    match (ours, &seen.keys) {
        (Some(secret), _) if !protocol.retain => Step::DeleteSecret(secret.uid.clone()),
        (None, _) if !protocol.retain => Step::RevokeOwn(key.clone()),
        // Retained with its key, unless that was revoked before the Secret was there.
        (Some(_), None) => Step::ListKeys,
        (Some(secret), Some(KeysSeen::Listed(keys))) if !has(keys, key) => {
            Step::DeleteSecret(secret.uid.clone())
        }
        (None, _) | (Some(_), Some(_)) => Step::StartOver,
    }
}

/// S3 and S7, B's first step, and the Secret that was lost.
pub(super) fn when_absent(protocol: &Protocol, object: &Object, seen: &Seen) -> Step {
    let published = object.published.as_ref().map_or(0, |published| published.epoch);
    let begun = match protocol.class {
        Class::A3 | Class::A1 => object.issue.map_or(1, |issue| issue.attempt.epoch),
        Class::B => 1,
    };
    let epoch = begun.max(published);
    if object.committed(epoch) {
        when_lost(protocol, object, seen, epoch)
    } else {
        begin(protocol, object, seen, epoch)
    }
}

/// The Secret of that epoch is gone: it was there once, whether the status still knows of it or not.
fn when_lost(protocol: &Protocol, object: &Object, seen: &Seen, epoch: u32) -> Step {
    match &seen.keys {
        None if seen.gate == Gate::Open => return Step::ListKeys,
        Some(KeysSeen::Listed(keys)) => {
            let victims = garbage(object, keys);
            if !victims.is_empty() {
                return Step::Revoke(victims);
            }
        }
        Some(KeysSeen::Abandoned) | None => {}
    }
    // In B nothing fences what is decided on a status that has been left behind.
    let next_epoch = match protocol.class {
        Class::A3 | Class::A1 => seen.epoch_after(epoch),
        Class::B => epoch + 1,
    };
    let wanted = protocol.on_loss == OnLoss::Reissue || object.reissue == Some(next_epoch);
    if wanted {
        begin(protocol, object, seen, next_epoch)
    } else {
        Step::Rest(Verdict::SecretLost { next_epoch })
    }
}

/// Begins the next attempt of an epoch that is not committed.
fn begin(protocol: &Protocol, object: &Object, seen: &Seen, epoch: u32) -> Step {
    let last = object.issue.filter(|issue| issue.attempt.epoch == epoch && protocol.class != Class::B);
    let open = last.filter(|issue| issue.open);
    if seen.gate == Gate::Closed && open.is_none() {
        return Step::Rest(Verdict::Held);
    }
    if protocol.class != Class::B {
        // What the provider lists is what may be asked for again, what is shown to the person who must look, and what
        // tells a status that went back in time. And a provider that does not answer costs no attempt.
        if seen.keys.is_none() {
            return Step::ListKeys;
        }
        if let Some(lost) = unaccounted(last, epoch, seen.listed()) {
            return when_lost(protocol, object, seen, lost);
        }
    }
    if let Some(issue) = open {
        let replayable = |key: &ListedKey| key.nonce == issue.attempt.nonce && key.replayable;
        if protocol.class == Class::A1 && seen.listed().iter().any(replayable) {
            return if seen.in_time { Step::Mint(issue.attempt) } else { Step::StartOver };
        }
        if left_behind(epoch, seen.listed(), None) >= protocol.max_attempts {
            return Step::Rest(Verdict::TooManyAttempts);
        }
        if !seen.back_off_over {
            return Step::Wait(Wait::BackOff);
        }
    }
    match (seen.gate, seen.preflight) {
        (Gate::Closed, _) => return Step::Rest(Verdict::Held),
        (Gate::Open, None) => return Step::Preflight,
        (Gate::Open, Some(Preflight::Refused)) => return Step::Rest(Verdict::SecretRefused),
        (Gate::Open, Some(Preflight::Passed)) => {}
    }
    match (protocol.class, last) {
        (Class::B, _) if seen.in_time => Step::PostNew { epoch },
        (Class::B, _) => Step::StartOver,
        (Class::A3 | Class::A1, None) => Step::WriteIntent { epoch, attempt: 1 },
        // An attempt that was definitely refused made no key: it does not count.
        (Class::A3 | Class::A1, Some(issue)) => {
            Step::WriteIntent { epoch, attempt: issue.attempt.attempt + u32::from(issue.open) }
        }
    }
}

/// How many attempts of an epoch, but for that one, left a key at the provider. Attempts that left none do no harm,
/// however many there are: an operator that is ended again and again before it asks needs no person.
fn left_behind(epoch: u32, keys: &[ListedKey], but: Option<Nonce>) -> u32 {
    let of_epoch = keys.iter().filter(|key| key.epoch == epoch && Some(key.nonce) != but);
    let attempts: BTreeSet<Nonce> = of_epoch.map(|key| key.nonce).collect();
    u32::try_from(attempts.len()).unwrap_or(u32::MAX)
}

/// The newest epoch of which there are keys that the status does not account for: those of a later epoch than the one to
/// begin, or more of that epoch than it had attempts. Every key has an intent that was written before it, so etcd was
/// restored since; a Secret with such a key may have been there, and may be in use.
fn unaccounted(last: Option<Issue>, epoch: u32, keys: &[ListedKey]) -> Option<u32> {
    let newest = keys.iter().map(|key| key.epoch).max().filter(|newest| *newest >= epoch)?;
    if newest > epoch {
        return Some(newest);
    }
    // One that was definitely refused made no key.
    let of_last = last.filter(|issue| issue.open).map(|issue| issue.attempt.nonce);
    let earlier = last.map_or(0, |issue| issue.attempt.attempt.saturating_sub(1));
    (left_behind(epoch, keys, of_last) > earlier).then_some(epoch)
}

/// S6 and S8, and the steps of B after its Secret.
pub(super) fn when_published(
    protocol: &Protocol,
    object: &Object,
    secret: &OurSecret,
    seen: &Seen,
    memory: &Memory,
) -> Step {
    if object.recorded(secret) {
        return when_recorded(protocol, object, secret, seen, memory);
    }
    if object.committed(secret.epoch) {
        return Step::DeleteSecret(secret.uid.clone()); // a loser's, whether or not its key is alive
    }
    if seen.keys.is_none() {
        return match memory {
            Memory::Chosen(nonce) if *nonce == secret.nonce => put(secret, seen),
            _ if placed(memory, secret) => record(object, secret),
            _ => Step::ListKeys,
        };
    }
    if serves(protocol, seen.listed(), &secret.key) {
        return record(object, secret);
    }
    match protocol.class {
        Class::B if !refused(memory) => put(secret, seen),
        Class::A3 | Class::A1 | Class::B => Step::DeleteSecret(secret.uid.clone()),
    }
}

/// Commits the epoch of that Secret, and every one that was begun.
fn record(object: &Object, secret: &OurSecret) -> Step {
    let issued = object.issue.map_or(0, |issue| issue.attempt.epoch);
    Step::Record { epoch: secret.epoch.max(issued), secret: secret.clone() }
}

/// Asks the provider for the key of that Secret, unless what was read is too old: the object may be gone since, and
/// whoever waited for requests with it.
fn put(secret: &OurSecret, seen: &Seen) -> Step {
    if seen.in_time { Step::Put(secret.clone()) } else { Step::StartOver }
}

fn refused(memory: &Memory) -> bool {
    matches!(memory, Memory::PutRefused(_))
}

/// Whether the provider has told this process that the key of that Secret is there.
fn placed(memory: &Memory, secret: &OurSecret) -> bool {
    matches!(memory, Memory::Placed(key) if *key == secret.key)
}

/// Whether that is the object's first attempt to have a key: there is no earlier one that could have left garbage. What the
/// first one left, because it was carried out twice or a person took its Secret away, is found at the next resync.
pub(super) fn is_first(object: &Object) -> bool {
    let first = |issue: Issue| issue.attempt.epoch == 1 && issue.attempt.attempt == 1;
    object.committed(1) && !object.committed(2) && object.issue.is_none_or(first)
}

fn when_recorded(
    protocol: &Protocol,
    object: &Object,
    secret: &OurSecret,
    seen: &Seen,
    memory: &Memory,
) -> Step {
    let begun = object.issue.map(|issue| issue.attempt.epoch).filter(|epoch| !object.committed(*epoch));
    if let Some(epoch) = begun {
        return Step::Record { epoch, secret: secret.clone() }; // the Secret came back, and wins
    }
    if seen.gate == Gate::Closed {
        return Step::Rest(Verdict::Held);
    }
    if seen.keys.is_none() {
        let known = placed(memory, secret) && is_first(object);
        return if known { Step::Rest(Verdict::Ready) } else { Step::ListKeys };
    }
    let keys = seen.listed();
    // Whether or not the recorded key is there: it may be the provider that was restored.
    let victims = garbage(object, keys);
    if !victims.is_empty() {
        return Step::Revoke(victims);
    }
    if serves(protocol, keys, &secret.key) {
        return Step::Rest(Verdict::Ready);
    }
    match protocol.class {
        Class::B if !refused(memory) => put(secret, seen),
        Class::A3 | Class::A1 | Class::B => Step::Rest(Verdict::KeyRevokedExternally),
    }
}

fn garbage(object: &Object, keys: &[ListedKey]) -> Vec<KeyId> {
    keys.iter().filter(|key| object.garbage(key)).map(|key| key.id.clone()).collect()
}

/// Whether that key is there with all that belongs to it. In A it is made in one go.
fn serves(protocol: &Protocol, keys: &[ListedKey], id: &KeyId) -> bool {
    keys.iter().any(|key| key.id == *id && (key.complete || protocol.class != Class::B))
}

pub(super) fn has(keys: &[ListedKey], id: &KeyId) -> bool {
    keys.iter().any(|key| key.id == *id)
}
