//! Where all must come to once the faults are over.

use super::{Ledger, Published, is_foreign, mark, uid_of};
use crate::cluster::objects::{is_deleting, text};
use crate::plan::Deed;
use crate::world::{NAMESPACE, World};
use serde_json::Value;
use std::collections::BTreeSet;

/// Attempts in one epoch after which a person must look.
const MAX_ATTEMPTS: usize = 10;

/// Why it is not at rest; `None`: it is, and as it must be.
pub fn unrest(world: &World) -> Option<String> {
    let ledger = &world.ledger;
    if world.under_way > 0 {
        return Some("requests are under way".to_owned());
    }
    let live = Ledger::live(world);
    let secret = world.cluster.get(&World::secret_place()).map(|secret| &**secret);
    let object = world.cluster.get(&World::key_place()).map(|object| &**object);
    let current = object.map(uid_of);
    for (uid, keys) in &live {
        if Some(*uid) != current
            && let Some(trouble) = leftovers(ledger, uid, keys, secret)
        {
            return Some(trouble);
        }
    }
    if let Some(trouble) = secret.and_then(|secret| stray(ledger, secret, current)) {
        return Some(trouble);
    }
    let object = object?;
    let keys = live.get(uid_of(object)).cloned().unwrap_or_default();
    standing(world, object, &keys, secret)
}

/// Keys of an AccessKey that is gone: none, but for the one that is retained with its Secret.
fn leftovers(ledger: &Ledger, uid: &str, keys: &BTreeSet<&str>, secret: Option<&Value>) -> Option<String> {
    let subject = ledger.subjects.get(uid)?;
    let published = subject.published.as_ref().filter(|_| subject.retain);
    let there = secret.is_some_and(|secret| mark(secret, "owner-uid") == uid);
    let retained = published.filter(|_| there || subject.spoiled > 0).map(|published| published.key.as_str());
    let orphans: Vec<_> = keys.iter().filter(|key| Some(**key) != retained).collect();
    (!orphans.is_empty()).then(|| format!("I4: keys of AccessKey {uid}, which is gone: {orphans:?}"))
}

/// A Secret of ours whose AccessKey is gone: only one that is retained.
fn stray(ledger: &Ledger, secret: &Value, current: Option<&str>) -> Option<String> {
    let uid = mark(secret, "owner-uid");
    if is_foreign(secret) || Some(uid) == current {
        return None;
    }
    let subject = ledger.subjects.get(uid)?;
    let recorded =
        subject.published.as_ref().is_some_and(|record| record.key == mark(secret, "access-key-id"));
    (!(subject.retain && (recorded || subject.spoiled > 0)))
        .then(|| format!("the Secret of AccessKey {uid}, which is gone, is still there"))
}

/// How the AccessKey stands.
fn standing(world: &World, object: &Value, keys: &BTreeSet<&str>, secret: Option<&Value>) -> Option<String> {
    if is_deleting(object) {
        return Some("the AccessKey is being deleted for ever".to_owned());
    }
    let subject = world.ledger.subjects.get(uid_of(object)).cloned().unwrap_or_default();
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let Some(ready) = conditions.and_then(|all| all.iter().find(|one| one["type"] == "Ready")) else {
        return Some("the AccessKey has no condition `Ready`".to_owned());
    };
    if object.pointer("/status/observedGeneration") != object.pointer("/metadata/generation") {
        return Some("the status speaks of another generation".to_owned());
    }
    let published = Published::of(object);
    let recorded: BTreeSet<&str> = published.iter().map(|published| published.key.as_str()).collect();
    let is_it = |(it, record): (&Value, &Published)| {
        let put_back = mark(it, "owner-uid") == uid_of(object) && mark(it, "access-key-id") == record.key;
        uid_of(it) == record.secret || put_back
    };
    let there = secret.zip(published.as_ref()).is_some_and(is_it);
    let foreign = secret.is_some_and(is_foreign_to(uid_of(object)));
    let reason = text(ready, "/reason");
    let earned = match reason {
        "Ready" => {
            let complete = world.vault.live().all(|key| key.state.complete);
            there && *keys == recorded && complete && whole(world, secret) && closed(object)
        }
        "SecretLost" => secret.is_none() && subject.spoiled > 0 && keys.is_subset(&recorded),
        "SecretNameConflict" => foreign,
        "KeyRevokedExternally" => there && subject.key_revoked_by_hand && keys.is_empty(),
        "TooManyAttempts" => keys.len() >= MAX_ATTEMPTS,
        "SecretRefused" => world.cluster.is_terminating(NAMESPACE),
        _ => false,
    };
    (!earned).then(|| {
        let secret = secret.map(uid_of);
        format!("{reason} is not earned: Secret {secret:?}, published {published:?}, live keys {keys:?}")
    })
}

fn is_foreign_to(uid: &str) -> impl Fn(&Value) -> bool {
    move |secret| mark(secret, "owner-uid") != uid
}

/// The Secret is as it was made.
fn whole(world: &World, secret: Option<&Value>) -> bool {
    secret.is_some_and(|secret| world.ledger.secrets.get(uid_of(secret)) == Some(&secret["data"]))
}

fn closed(object: &Value) -> bool {
    object.pointer("/status/issue/open").and_then(Value::as_bool) != Some(true)
}

/// How many keys were asked for at most (I5).
pub fn too_many_attempts(world: &World) -> Option<String> {
    let lives: u64 = world.processes.iter().map(|process| process.life + 1).sum();
    // One that comes between the rehearsal and the Secret costs an attempt.
    let in_the_way = world.plan.people.iter().filter(|(_, deed)| *deed == Deed::CreateForeign).count() as u64;
    for (uid, subject) in &world.ledger.subjects {
        let most = lives * (1 + 2 * subject.spoiled + in_the_way) + world.tally.all_faults();
        let sent = subject.sent.len() as u64;
        if sent > most {
            return Some(format!("I5: AccessKey {uid} was asked for {sent} keys, at most {most} are due"));
        }
    }
    None
}
