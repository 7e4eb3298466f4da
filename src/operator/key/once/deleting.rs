//! The rules for an object that is being deleted (D1 to D4). Its deletionTimestamp has changed its resourceVersion, so
//! that every intent that is about to be written fails: no note of the deletion is needed.

use super::rules::{has, is_first};
use super::types::{Class, KeyId, KeysSeen, ListedKey, Object, Protocol, SecretSeen, Step, Verdict, Wait};

/// The keys stop at once; only the finalizer waits until nothing can be in flight.
///
/// Under Retain one key stays, with its Secret: the recorded one. An attempt whose Secret is there when the deletion
/// begins is finished first: an application may use it already. As somebody may be about to finish one, keys that are not
/// proved to be garbage are revoked only when nothing can be in flight any more.
pub(super) fn when_deleting(
    protocol: &Protocol,
    object: &Object,
    secret: &SecretSeen,
    keys: Option<&KeysSeen>,
    drained: bool,
) -> Step {
    if !object.finalizer {
        return Step::Rest(Verdict::Gone);
    }
    let ours = match secret {
        SecretSeen::Ours(secret) => Some(secret),
        SecretSeen::Absent | SecretSeen::Foreign => None,
    };
    let drained = drained || !in_flight(protocol, object);
    match keys {
        None => return Step::ListKeys,
        Some(KeysSeen::Listed(keys)) => {
            let unfinished = ours.filter(|secret| protocol.retain && !object.committed(secret.epoch));
            if let Some(secret) = unfinished.filter(|secret| has(keys, &secret.key)) {
                let epoch = secret.epoch.max(object.issue.map_or(0, |issue| issue.attempt.epoch));
                return Step::Record { epoch, secret: secret.clone() };
            }
            let victims = victims(protocol, object, keys, drained);
            if !victims.is_empty() {
                return Step::Revoke(victims);
            }
            if !drained {
                return Step::Wait(Wait::InFlight); // and list again
            }
        }
        Some(KeysSeen::Abandoned) => {}
    }
    match ours {
        Some(secret) if !(protocol.retain && object.recorded(secret)) => {
            Step::DeleteSecret(secret.uid.clone())
        }
        Some(_) | None => Step::RemoveFinalizer,
    }
}

/// All keys; of what is retained only garbage, until nothing is in flight, and then all but the recorded one.
fn victims(protocol: &Protocol, object: &Object, keys: &[ListedKey], drained: bool) -> Vec<KeyId> {
    let recorded = object.published.as_ref().map(|published| &published.key);
    let victim =
        |key: &&ListedKey| !protocol.retain || object.garbage(key) || (drained && Some(&key.id) != recorded);
    keys.iter().filter(victim).map(|key| key.id.clone()).collect()
}

/// Whether a request for a key may still be under way: not if none was ever begun, nor if the first attempt was the
/// only one and is published, for then its request was answered.
fn in_flight(protocol: &Protocol, object: &Object) -> bool {
    match (protocol.class, object.issue) {
        (Class::B, _) => true,
        (Class::A3 | Class::A1, None) => false,
        (Class::A3 | Class::A1, Some(issue)) => issue.open || !is_first(object),
    }
}
