//! From what the API server and the provider say to what the protocol sees, and back. Pure.

use super::once::{self, Attempt, KeyId, ListedKey, Nonce, Object, OnLoss, OurSecret, SecretSeen, SecretUid};
use crate::api::key::{Issue, OnSecretLoss, Published, REISSUE, SecretRecord};
use crate::api::{AccessKey, FINALIZER};
use crate::operator::runtime::kind::is_deleting;
use crate::operator::secret::publish::{ACCESS_KEY_ID, EPOCH, NONCE, OWNER_UID};
use crate::provider::KeyState;
use jiff::{SignedDuration, Timestamp};
use kube::api::ObjectMeta;

/// A person gives up on keys that cannot be revoked, so that the object can go: `"true"`.
pub const ABANDON: &str = "storekeeper.dev/abandon";

/// For how long after a key was made its pair is asked for again (A1). Providers promise 24 hours; the rest is for clocks
/// that disagree.
const REPLAY_WINDOW: SignedDuration = SignedDuration::from_hours(12);

/// The AccessKey as the protocol sees it. A status that nobody but us writes, and that does not parse, is an error: what
/// it meant is not known.
pub fn object(key: &AccessKey) -> Result<Object, String> {
    let status = key.status.clone().unwrap_or_default();
    Ok(Object {
        finalizer: key.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER),
        deleting: is_deleting(key),
        issue: status.issue.as_ref().map(issue).transpose()?,
        published: status.published.as_ref().map(published).transpose()?,
        reissue: annotation(&key.metadata, REISSUE).and_then(|text| text.trim().parse().ok()),
    })
}

fn issue(issue: &Issue) -> Result<once::Issue, String> {
    let nonce = nonce(&issue.nonce, "status.issue.nonce")?;
    let attempt = Attempt { epoch: issue.epoch, attempt: issue.attempt, nonce };
    Ok(once::Issue { attempt, open: issue.open })
}

fn published(published: &Published) -> Result<once::Published, String> {
    let nonce = nonce(&published.nonce, "status.published.nonce")?;
    let key = KeyId::from(published.access_key_id.as_str());
    Ok(once::Published { epoch: published.epoch, nonce, key })
}

fn nonce(text: &str, field: &str) -> Result<Nonce, String> {
    Nonce::parse(text).ok_or_else(|| format!("`{field}` must have 32 hexadecimal digits"))
}

/// Whether a person has said to give up on keys that cannot be revoked.
pub fn is_abandoned(key: &AccessKey) -> bool {
    annotation(&key.metadata, ABANDON) == Some("true")
}

/// What is done when the Secret is lost.
pub fn on_loss(policy: OnSecretLoss) -> OnLoss {
    match policy {
        OnSecretLoss::Block => OnLoss::Block,
        OnSecretLoss::Reissue => OnLoss::Reissue,
    }
}

/// The intent, as the status has it.
pub fn issue_of(attempt: Attempt, open: bool) -> Issue {
    Issue { epoch: attempt.epoch, attempt: attempt.attempt, nonce: attempt.nonce.to_string(), open }
}

/// What is published, as the status has it.
pub fn published_of(epoch: u32, secret: &OurSecret, name: &str, time: Timestamp) -> Published {
    Published {
        epoch,
        nonce: secret.nonce.to_string(),
        access_key_id: secret.key.to_string(),
        secret: SecretRecord { name: name.to_owned(), uid: secret.uid.to_string() },
        time: Timestamp::from_second(time.as_second()).unwrap_or(time),
    }
}

/// The first four and the last four characters of an access key id.
pub fn hint(id: &str) -> String {
    let characters: Vec<char> = id.chars().collect();
    match characters.len() {
        0..=8 => id.to_owned(),
        length => {
            let (head, tail) = (&characters[..4], &characters[length - 4..]);
            format!("{}…{}", head.iter().collect::<String>(), tail.iter().collect::<String>())
        }
    }
}

/// What is there under the Secret's name. The recorded Secret is known by its uid, whatever became of its annotations.
pub fn secret(meta: Option<&ObjectMeta>, owner_uid: &str, recorded: Option<&Published>) -> SecretSeen {
    let Some(meta) = meta else { return SecretSeen::Absent };
    ours(meta, owner_uid, recorded).map_or(SecretSeen::Foreign, SecretSeen::Ours)
}

fn ours(meta: &ObjectMeta, owner_uid: &str, recorded: Option<&Published>) -> Option<OurSecret> {
    let uid = SecretUid::from(meta.uid.as_deref()?);
    if let Some(published) = recorded.filter(|published| published.secret.uid == uid.as_str()) {
        let key = KeyId::from(published.access_key_id.as_str());
        return Some(OurSecret { uid, epoch: published.epoch, nonce: Nonce::parse(&published.nonce)?, key });
    }
    if annotation(meta, OWNER_UID)? != owner_uid {
        return None;
    }
    Some(OurSecret {
        uid,
        epoch: annotation(meta, EPOCH)?.parse().ok().filter(|epoch| *epoch > 0)?,
        nonce: Nonce::parse(annotation(meta, NONCE)?)?,
        key: KeyId::from(annotation(meta, ACCESS_KEY_ID).filter(|id| !id.is_empty())?),
    })
}

/// The id of the key that a Secret holds, as it says itself.
pub fn key_in(meta: &ObjectMeta) -> Option<&str> {
    annotation(meta, ACCESS_KEY_ID)
}

fn annotation<'a>(meta: &'a ObjectMeta, name: &str) -> Option<&'a str> {
    meta.annotations.as_ref()?.get(name).map(String::as_str)
}

/// A key as the protocol sees it. `replays`: the provider shows pairs again, and that of this nonce was not refused.
pub fn listed(key: &KeyState, replays: impl Fn(Nonce) -> bool, now: Timestamp) -> ListedKey {
    // A nonce that is none of ours belongs to no attempt; the key is judged by its epoch and id all the same.
    let nonce = Nonce::parse(&key.nonce).unwrap_or(Nonce::new(0));
    let young = now.duration_since(key.created_at) < REPLAY_WINDOW;
    let id = KeyId::from(key.access_key_id.as_str());
    ListedKey { id, epoch: key.epoch, nonce, replayable: young && replays(nonce), complete: key.complete }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn meta(uid: &str, annotations: &[(&str, &str)]) -> ObjectMeta {
        let annotations = annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        ObjectMeta {
            uid: Some(uid.to_owned()),
            annotations: Some(annotations.collect::<BTreeMap<_, _>>()),
            ..ObjectMeta::default()
        }
    }

    #[test]
    fn a_secret_is_ours_by_the_uid_of_its_object_and_complete_marks() {
        let nonce = "0".repeat(31) + "a";
        let full = [(OWNER_UID, "u1"), (EPOCH, "2"), (NONCE, nonce.as_str()), (ACCESS_KEY_ID, "SK1")];
        let seen = |annotations: &[(&str, &str)]| secret(Some(&meta("s1", annotations)), "u1", None);
        let SecretSeen::Ours(ours) = seen(&full) else { panic!("ours") };
        assert_eq!((ours.epoch, ours.nonce, ours.key.as_str()), (2, Nonce::new(10), "SK1"));
        assert_eq!(secret(None, "u1", None), SecretSeen::Absent);
        assert_eq!(secret(Some(&meta("s1", &full)), "u2", None), SecretSeen::Foreign);
        for missing in 0..full.len() {
            let mut some = full.to_vec();
            some.remove(missing);
            assert_eq!(seen(&some), SecretSeen::Foreign, "{missing}");
        }
        for (name, bad) in [(EPOCH, "0"), (EPOCH, "x"), (NONCE, "ab"), (ACCESS_KEY_ID, "")] {
            let changed: Vec<_> =
                full.iter().map(|(key, value)| (*key, if *key == name { bad } else { value })).collect();
            assert_eq!(seen(&changed), SecretSeen::Foreign, "{name} {bad}");
        }
    }

    #[test]
    fn the_recorded_secret_stays_ours_whatever_becomes_of_its_annotations() {
        let our =
            OurSecret { uid: SecretUid::from("s1"), epoch: 1, nonce: Nonce::new(7), key: KeyId::from("SK1") };
        let published = published_of(1, &our, "app", Timestamp::UNIX_EPOCH);
        let seen = secret(Some(&meta("s1", &[(OWNER_UID, "somebody")])), "u1", Some(&published));
        assert_eq!(seen, SecretSeen::Ours(our));
        let other = secret(Some(&meta("s2", &[])), "u1", Some(&published));
        assert_eq!(other, SecretSeen::Foreign);
    }

    #[test]
    fn a_hint_shows_eight_characters_at_most() {
        for (id, expected) in [
            ("SKABCDEFGHIJKLMNWXYZ", "SKAB…WXYZ"),
            ("SK345678", "SK345678"),
            ("", ""),
            ("SK3456789", "SK34…6789"),
        ] {
            assert_eq!(hint(id), expected);
        }
    }
}
