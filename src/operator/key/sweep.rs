//! Keys that outlived their AccessKey: requests that were executed after everybody had given up on them.
//!
//! Which keys are suspects is decided purely, from one list of all keys with this cluster's mark. A suspect is then
//! looked at live: it is an orphan only if its AccessKey is definitely gone and its Secret does not hold it. So neither a
//! cache that lags behind nor a retained key makes an orphan. The controller of the StorageAccount calls [`sweep`] at
//! every resync.

use super::translate;
use crate::api::account::OrphanPolicy;
use crate::api::{AccessKey, Reason};
use crate::operator::account::Account;
use crate::operator::runtime::kind::{Located as _, uid_of};
use crate::operator::runtime::{Context, Error, Extra, ObjectKey};
use crate::operator::secret::publish;
use crate::provider::KeyState;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;

/// The condition of a StorageAccount that has orphans.
pub const ORPHANED_KEYS: &str = "OrphanedKeys";
/// Orphans that a condition names.
const NAMED: usize = 5;
/// Suspects that one sweep looks at. There are more only if something much worse has happened than a lost answer.
const LOOKED_AT: usize = 500;

/// What a sweep found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// The orphans that are still there, as `<access key id> of <namespace>/<name>`, sorted.
    pub orphans: Vec<String>,
    /// How many were revoked.
    pub revoked: usize,
}

impl Swept {
    /// The condition that tells of orphans; there only while there are any.
    pub fn condition(&self) -> Option<Extra> {
        let first = self.orphans.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = if self.orphans.len() > NAMED { ", and more" } else { "" };
        (!self.orphans.is_empty()).then(|| Extra {
            kind: ORPHANED_KEYS,
            holds: true,
            reason: Reason::OrphanedKeys,
            message: format!(
                "Keys of AccessKeys that do not exist any more: {first}{more}. Revoke them, or set `spec.orphanPolicy` to Revoke."
            ),
        })
    }
}

/// A key whose AccessKey does not seem to exist.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Suspect {
    id: String,
    /// The uid of its AccessKey.
    uid: String,
    /// Where its AccessKey was.
    at: ObjectKey,
    /// The name of its Secret.
    secret: Option<String>,
}

/// The keys to look at: of namespaces that are looked after, older than the quarantine, and of no AccessKey that is known
/// to live. A key that does not say where its AccessKey is cannot be judged.
fn suspects(
    keys: &[KeyState],
    living: &HashSet<String>,
    namespaces: &[String],
    oldest: Timestamp,
) -> Vec<Suspect> {
    let suspect = |key: &KeyState| {
        let object = key.object.clone()?;
        let namespace = object.namespace?;
        let watched = namespaces.is_empty() || namespaces.contains(&namespace);
        let suspicious = watched && key.created_at < oldest && !living.contains(&key.owner.uid);
        suspicious.then(|| Suspect {
            id: key.access_key_id.clone(),
            uid: key.owner.uid.clone(),
            at: ObjectKey { namespace: Some(namespace), name: object.name },
            secret: key.secret.clone(),
        })
    };
    keys.iter().filter_map(suspect).collect()
}

/// Finds the orphans of an account, and revokes them where its policy says so.
pub async fn sweep(ctx: &Context, account: &Account, policy: OrphanPolicy) -> Result<Swept, Error> {
    let keys =
        account.provider().list_keys(&ctx.cluster, None).await.map_err(|error| account.failed(error))?;
    let quarantine = SignedDuration::try_from(ctx.settings.orphan_quarantine).unwrap_or(SignedDuration::MAX);
    let oldest = (ctx.now)().checked_sub(quarantine).unwrap_or(Timestamp::MIN);
    let mut swept = Swept::default();
    let suspects = suspects(&keys, &ctx.stores.keys.uids(), &ctx.settings.namespaces, oldest);
    for suspect in suspects.into_iter().take(LOOKED_AT) {
        if lives(ctx, &suspect).await? || is_held(ctx, &suspect).await? {
            continue;
        }
        match policy {
            OrphanPolicy::Report => swept.orphans.push(format!("{} of {}", suspect.id, suspect.at)),
            OrphanPolicy::Revoke => {
                account.provider().revoke_key(&suspect.id).await.map_err(|error| account.failed(error))?;
                tracing::warn!(account = account.name, key = suspect.id, object = %suspect.at, "an orphan was revoked");
                ctx.metrics.key_revoked();
                swept.revoked += 1;
            }
        }
    }
    swept.orphans.sort();
    ctx.metrics.orphans(&account.name, swept.orphans.len());
    Ok(swept)
}

/// Whether its AccessKey is there after all.
async fn lives(ctx: &Context, suspect: &Suspect) -> Result<bool, Error> {
    let api = AccessKey::api(ctx.reader.clone(), suspect.at.namespace.as_deref());
    let found = api
        .get_metadata_opt(&suspect.at.name)
        .await
        .map_err(|error| Error::kube("read the AccessKey", suspect.at.to_string(), error))?;
    Ok(found.is_some_and(|object| uid_of(&object) == suspect.uid))
}

/// Whether its Secret is there and holds it: it was retained, or its AccessKey was lost by a restore.
async fn is_held(ctx: &Context, suspect: &Suspect) -> Result<bool, Error> {
    let name = suspect.secret.clone().unwrap_or_else(|| suspect.at.name.clone());
    let at = ObjectKey { namespace: suspect.at.namespace.clone(), name };
    let found = publish::read(&ctx.reader, &at).await?;
    Ok(found.is_some_and(|secret| translate::key_in(&secret.metadata) == Some(suspect.id.as_str())))
}

#[cfg(test)]
mod tests {
    use super::{Swept, suspects};
    use crate::provider::{ClusterId, KeyState, ObjectName, OwnerMark};
    use jiff::Timestamp;
    use std::collections::HashSet;

    fn key(id: &str, uid: &str, namespace: Option<&str>, made: i64) -> KeyState {
        KeyState {
            access_key_id: id.to_owned(),
            user_id: "us_1".to_owned(),
            active: true,
            owner: OwnerMark { cluster: ClusterId("c".to_owned()), uid: uid.to_owned() },
            object: namespace
                .map(|namespace| ObjectName { namespace: Some(namespace.to_owned()), name: "k".to_owned() }),
            secret: None,
            epoch: 1,
            nonce: "0".repeat(32),
            created_at: Timestamp::from_second(made).unwrap(),
            complete: true,
        }
    }

    #[test]
    fn suspects_are_old_keys_of_watched_namespaces_whose_object_is_not_known() {
        let keys = [
            key("SK1", "gone", Some("a"), 10),
            key("SK2", "lives", Some("a"), 10),
            key("SK3", "gone", Some("a"), 90),
            key("SK4", "gone", Some("b"), 10),
            key("SK5", "gone", None, 10),
        ];
        let living = HashSet::from(["lives".to_owned()]);
        for (namespaces, expected) in [(vec![], vec!["SK1", "SK4"]), (vec!["a".to_owned()], vec!["SK1"])] {
            let oldest = Timestamp::from_second(50).unwrap();
            let found = suspects(&keys, &living, &namespaces, oldest);
            let found: Vec<_> = found.iter().map(|suspect| suspect.id.as_str()).collect();
            assert_eq!(found, expected, "{namespaces:?}");
        }
    }

    #[test]
    fn a_condition_names_a_few_orphans_and_is_there_only_while_there_are_any() {
        assert_eq!(Swept::default().condition(), None);
        let orphans = (1..=6).map(|number| format!("SK{number} of a/k")).collect();
        let message = Swept { orphans, revoked: 0 }.condition().unwrap().message;
        assert!(message.contains("SK5 of a/k, and more") && !message.contains("SK6"), "{message}");
    }
}
