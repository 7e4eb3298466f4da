//! The look at a Secret between two resyncs: no call to the provider, and a pass only if something has changed.

use super::BETWEEN_CHECKS;
use crate::api::{AccessKey, AccessKeyStatus, Reason};
use crate::operator::runtime::kind::{is_deleting, namespace_of};
use crate::operator::runtime::status::READY;
use crate::operator::runtime::{Context, Error, ObjectKey};
use crate::operator::secret::publish;
use tokio::time::Instant;

/// Whether the object needs a pass because of what became of its Secret.
pub async fn check(key: &AccessKey, ctx: &Context) -> Result<bool, Error> {
    let Some(status) = key.status.as_ref().filter(|_| !is_deleting(key)) else { return Ok(false) };
    let Some(expected) = expected(status) else { return Ok(false) };
    tokio::time::sleep_until(ctx.kept.next_read(Instant::now(), BETWEEN_CHECKS)).await;
    let name = status.identity.as_ref().map_or_else(|| key.secret_name(), |identity| &identity.secret);
    let at = ObjectKey::namespaced(namespace_of(key), name);
    let found = publish::read(&ctx.reader, &at).await?;
    ctx.metrics.secret_checked();
    let uid = found.as_ref().and_then(|secret| secret.metadata.uid.as_deref());
    Ok(!expected.holds(uid))
}

/// What the status says is there under the Secret's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected<'a> {
    /// The recorded Secret.
    Recorded(&'a str),
    /// Nothing.
    Nothing,
    /// Something that is not ours.
    Something,
}

impl Expected<'_> {
    fn holds(self, uid: Option<&str>) -> bool {
        match self {
            Self::Recorded(recorded) => uid == Some(recorded),
            Self::Nothing => uid.is_none(),
            Self::Something => uid.is_some(),
        }
    }
}

/// `None`: the next pass looks, whatever is there.
fn expected(status: &AccessKeyStatus) -> Option<Expected<'_>> {
    let ready = status.conditions.get(READY)?;
    let says = |reason: Reason| ready.reason == reason.as_str();
    if says(Reason::SecretLost) {
        return Some(Expected::Nothing);
    }
    if says(Reason::SecretNameConflict) {
        return Some(Expected::Something);
    }
    let published = status.published.as_ref()?;
    let recorded = ready.status == "True" || says(Reason::KeyRevokedExternally);
    recorded.then_some(Expected::Recorded(published.secret.uid.as_str()))
}

#[cfg(test)]
mod tests {
    use super::{Expected, expected};
    use crate::api::Reason;
    use crate::api::key::{AccessKeyStatus, Published, SecretRecord};
    use crate::operator::runtime::{Judgement, Verdict, status};
    use jiff::Timestamp;

    fn stands(verdict: Verdict, published: bool) -> AccessKeyStatus {
        let record = Published {
            epoch: 1,
            nonce: "0".repeat(32),
            access_key_id: "SK1".to_owned(),
            secret: SecretRecord { name: "app".to_owned(), uid: "s1".to_owned() },
            time: Timestamp::UNIX_EPOCH,
        };
        let draft = AccessKeyStatus { published: published.then_some(record), ..AccessKeyStatus::default() };
        let judgement = Judgement { verdict, deleting: false, extra: Vec::new() };
        status::next(&AccessKeyStatus::default(), draft, &judgement, 1, Timestamp::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_pass_is_asked_for_when_the_secret_is_not_as_the_status_says() {
        let blocked = |reason| Verdict::blocked(reason, "");
        for (verdict, published, found, needed) in [
            (Verdict::Ready, true, Some("s1"), Some(false)),
            (Verdict::Ready, true, Some("s2"), Some(true)),
            (Verdict::Ready, true, None, Some(true)),
            (blocked(Reason::KeyRevokedExternally), true, None, Some(true)),
            (blocked(Reason::SecretLost), true, None, Some(false)),
            (blocked(Reason::SecretLost), true, Some("s1"), Some(true)),
            (blocked(Reason::SecretNameConflict), false, Some("x"), Some(false)),
            (blocked(Reason::SecretNameConflict), false, None, Some(true)),
            (blocked(Reason::UserNotFound), false, None, None),
        ] {
            let status = stands(verdict.clone(), published);
            let answer = expected(&status).map(|expected| !expected.holds(found));
            assert_eq!(answer, needed, "{verdict:?} {found:?}");
        }
        assert_eq!(expected(&stands(Verdict::Ready, true)), Some(Expected::Recorded("s1")));
    }
}
