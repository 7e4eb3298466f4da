//! What the conditions of an AccessKey say. Pure.

use super::{once, suspend};
use crate::api::{AccessKey, Reason};
use crate::operator::runtime::{Extra, Verdict};

/// Whether the key's Secret is there, complete and recorded.
pub const SECRET_PUBLISHED: &str = "SecretPublished";
/// Whether the key can do more than its permission says.
pub const WIDER_THAN_ASKED: &str = "WiderThanAsked";

/// What a verdict of the protocol is to the object: names of the Secret and the account, and what else it is about.
pub struct About<'a> {
    /// The Secret's name.
    pub secret: &'a str,
    /// The account's name.
    pub account: &'a str,
    /// Why nothing new may be begun.
    pub held: Option<&'a Verdict>,
    /// What the API server said to the Secret.
    pub refusal: Option<&'a str>,
    /// The ids of the keys that are there.
    pub candidates: &'a [&'a str],
    /// The epoch that a person may ask for: one that never was.
    pub next_epoch: u32,
}

/// The verdict in words.
pub fn verdict(verdict: once::Verdict, about: &About<'_>) -> Verdict {
    let About { secret, account, held, refusal, candidates, next_epoch } = about;
    match verdict {
        once::Verdict::Ready | once::Verdict::Gone => Verdict::Ready,
        once::Verdict::Held => held.cloned().unwrap_or_else(progressing),
        once::Verdict::SecretLost { next_epoch } => Verdict::blocked(
            Reason::SecretLost,
            format!(
                "The Secret of this key was deleted, or was lost when etcd was restored. The secret cannot be shown again. Restore it from a backup, or annotate with storekeeper.dev/reissue=\"{next_epoch}\" for a new key."
            ),
        ),
        once::Verdict::SecretNameConflict => Verdict::blocked(
            Reason::SecretNameConflict,
            format!(
                "Secret '{secret}' already exists and was not made by storekeeper for this AccessKey; it is left as it is. Choose another `spec.secret.name`, or delete that Secret."
            ),
        ),
        once::Verdict::SecretRefused => Verdict::blocked(
            Reason::SecretRefused,
            format!(
                "The API server refuses to create Secret '{secret}': {}. Change what refuses it; it is tried again.",
                refusal.unwrap_or("no reason given").trim_end_matches('.')
            ),
        ),
        once::Verdict::TooManyAttempts => Verdict::blocked(
            Reason::TooManyAttempts,
            format!(
                "{} attempts to make this key had no clear answer, and left keys at account '{account}': {}. Find out why, then delete this AccessKey, which revokes them, and create it again.",
                once::MAX_ATTEMPTS,
                candidates.join(", ")
            ),
        ),
        once::Verdict::KeyRevokedExternally => Verdict::blocked(
            Reason::KeyRevokedExternally,
            format!(
                "The key in Secret '{secret}' no longer exists at account '{account}'. Applications using it are being refused. For a new key, delete the Secret and annotate with storekeeper.dev/reissue=\"{next_epoch}\"."
            ),
        ),
    }
}

/// Work goes on by itself.
pub fn progressing() -> Verdict {
    Verdict::waiting(Reason::Progressing, "The key is being made.")
}

/// An attempt had no answer.
pub fn backing_off(account: &str) -> Verdict {
    Verdict::waiting(
        Reason::Progressing,
        format!(
            "Account '{account}' gave no clear answer when it was asked for the key. It is asked again once that request can no longer arrive."
        ),
    )
}

/// The keys are revoked, and the object waits.
pub fn draining() -> Verdict {
    Verdict::waiting(
        Reason::Deleting,
        "The key is revoked. Waiting until no request for it can be under way any more.",
    )
}

/// The keys of an object that is being deleted cannot be listed or revoked: why, and the way out.
pub fn cannot_revoke(because: &Verdict) -> Verdict {
    let (reason, message) = match because {
        Verdict::Waiting(reason, message) | Verdict::Blocked(reason, message) => (*reason, message.as_str()),
        Verdict::Ready => (Reason::Deleting, "The object is being deleted."),
    };
    Verdict::waiting(
        reason,
        format!(
            "{message} The key is revoked once that works. To delete this object and leave its key behind, annotate with storekeeper.dev/abandon=\"true\"."
        ),
    )
}

/// The condition of a key that can do more than its permission says.
pub fn wider() -> Extra {
    Extra {
        kind: WIDER_THAN_ASKED,
        holds: true,
        reason: Reason::WriteCanDelete,
        message: "The account's provider has no permission to write without deleting: this key can delete objects, too."
            .to_owned(),
    }
}

/// The key's own conditions. `there` says whether this pass saw the Secret; without it that condition stays as it was, and
/// so does whether the key is suspended.
pub fn published(key: &AccessKey, there: Option<bool>) -> Vec<Extra> {
    secret(key, there).into_iter().chain(suspend::as_before(key)).collect()
}

fn secret(key: &AccessKey, there: Option<bool>) -> Option<Extra> {
    let status = key.status.as_ref();
    let before = status.and_then(|status| status.conditions.get(SECRET_PUBLISHED));
    let holds = there.or_else(|| before.map(|condition| condition.status == "True"))?;
    let name = status
        .and_then(|status| status.identity.as_ref())
        .map_or_else(|| key.secret_name().to_owned(), |identity| identity.secret.clone());
    let (reason, message) = if holds {
        (Reason::Published, format!("Secret '{name}' holds the key."))
    } else {
        (Reason::NotPublished, format!("There is no Secret '{name}' with the key."))
    };
    Some(Extra { kind: SECRET_PUBLISHED, holds, reason, message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::key::offered_epoch;

    fn said(verdict: once::Verdict, about: &About<'_>) -> (bool, Reason, String) {
        match super::verdict(verdict, about) {
            Verdict::Blocked(reason, message) => (true, reason, message),
            Verdict::Waiting(reason, message) => (false, reason, message),
            Verdict::Ready => panic!("{verdict:?} is said to be Ready"),
        }
    }

    #[test]
    fn each_verdict_says_what_is_and_what_to_do() {
        let held = Verdict::waiting(Reason::UserNotFound, "StorageUser 'x' does not exist.");
        let about = About {
            secret: "app-rw",
            account: "main",
            held: Some(&held),
            refusal: Some("exceeded quota."),
            candidates: &["SK1", "SK2"],
            next_epoch: 3,
        };
        for (verdict, blocked, reason, parts) in [
            (once::Verdict::Held, false, Reason::UserNotFound, vec!["'x'"]),
            (
                once::Verdict::SecretLost { next_epoch: 2 },
                true,
                Reason::SecretLost,
                vec!["Restore it", "storekeeper.dev/reissue=\"2\""],
            ),
            (
                once::Verdict::SecretNameConflict,
                true,
                Reason::SecretNameConflict,
                vec!["'app-rw'", "`spec.secret.name`"],
            ),
            (
                once::Verdict::SecretRefused,
                true,
                Reason::SecretRefused,
                vec!["'app-rw'", "exceeded quota. Change"],
            ),
            (
                once::Verdict::TooManyAttempts,
                true,
                Reason::TooManyAttempts,
                vec!["10 ", "'main'", "SK1, SK2"],
            ),
            (
                once::Verdict::KeyRevokedExternally,
                true,
                Reason::KeyRevokedExternally,
                vec!["'app-rw'", "'main'", "storekeeper.dev/reissue=\"3\""],
            ),
        ] {
            let (found_blocked, found, message) = said(verdict, &about);
            assert_eq!((found_blocked, found), (blocked, reason), "{message}");
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
            // `kubectl storekeeper reissue` reads the number back.
            let offered = parts.iter().find_map(|part| part.strip_prefix("storekeeper.dev/reissue=\""));
            let offered = offered.and_then(|rest| rest.trim_end_matches('"').parse().ok());
            assert_eq!(offered_epoch(&message), offered, "{message}");
        }
        assert!(super::verdict(once::Verdict::Ready, &about).is_ready());
    }

    #[test]
    fn an_object_that_cannot_be_deleted_is_told_the_way_out() {
        let because = Verdict::waiting(Reason::AccountNotFound, "StorageAccount 'main' does not exist.");
        let Verdict::Waiting(reason, message) = cannot_revoke(&because) else { panic!("waits") };
        assert_eq!(reason, Reason::AccountNotFound);
        assert!(message.contains("'main'") && message.contains("storekeeper.dev/abandon=\"true\""));
    }
}
