//! Negative controls: ways to break the protocol on purpose, by altering what the production function is told or what
//! it asks for. The checker must find a counter-example to each.

use storekeeper::operator::key::once::{
    self, Class, KeyId, KeysSeen, ListedKey, Memory, Object, ObjectSeen, OnLoss, Posted, Protocol,
    SecretSeen, Seen, Step, Verdict, Wait,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    // Rules taken away.
    /// The sweep revokes every key but the recorded one, those of an epoch under way included.
    SweepUnfenced,
    /// A loser's Secret is recorded if its key is alive.
    LosersSecretStays,
    /// The Secret of the open attempt is recorded without a look at the provider.
    RecordUnchecked,
    /// A pair that is not published is revoked by whoever holds it, although its Secret may be there.
    RevokeOwn,
    /// The finalizer waits only while the issue is open.
    WaitOnlyWhileOpen,
    /// B does not sweep.
    NoSweepInB,
    /// Nothing is swept while the Secret is lost.
    NoSweepWhileLost,
    /// A Secret that comes back does not commit the epoch that was begun without it.
    OldSecretCommitsNothing,
    /// A1: the same pair is asked for again although its key is gone.
    ReplayForEver,
    /// A key is garbage by its nonce, not by its id.
    GarbageByNonce,
    /// Retained keys and Secrets are removed with their object.
    RetainForgotten,
    /// Retain: keys that are not recorded are revoked as soon as the deletion begins.
    RetainRevokesAtOnce,
    /// Deleting: what was listed before the wait is all that is revoked.
    NoListAfterWait,
    /// A pair is posted until its Secret is there, although its object is being deleted.
    PostsUntilThere,
    /// An epoch is begun although the provider has keys of it that the status knows nothing of.
    EpochsReused,
    /// A1: a pair is asked for again however old its key is.
    ReplayIgnoresAge,
    /// A Secret that was made for another AccessKey is taken for one's own.
    OwnerUnchecked,
    /// A Secret that was made for another AccessKey counts as absent.
    OthersIsAbsent,
    /// The keys are listed by the name of the AccessKey, not by its uid.
    KeysByName,
    // Orders and checks changed.
    RevokeBeforeCommit,
    PublishedBeforeSecret,
    NoIntent,
    ForeignIsOurs,
    NoLateWakeCheck,
    SweepWithoutSecret,
    Upsert,
    DeleteWithoutUid,
    SkipListIfStatusEmpty,
    NoWaitOnDelete,
    RevokeBeforeReissue,
    NewPairOnExists,
    /// That the provider has one key counts for whatever Secret is there then.
    PlacedWhateverSecret,
    /// The status is checked, a key made, and the Secret written over whatever is there.
    CheckThenUpsert,
    /// Ready once the Secret is there; keys of other attempts are forgotten.
    PublishThenForget,
}

/// What one pass of the broken protocol knows, in the order in which it is needed.
struct View<'a> {
    object: &'a Object,
    secret: Option<&'a SecretSeen>,
    keys: Option<&'a [ListedKey]>,
}

impl<'a> View<'a> {
    fn of(seen: &'a Seen) -> Option<Self> {
        let ObjectSeen::Found(object) = &seen.object else { return None };
        let keys = match &seen.keys {
            Some(KeysSeen::Listed(keys)) => Some(keys.as_slice()),
            Some(KeysSeen::Abandoned) | None => None,
        };
        Some(Self { object, secret: seen.secret.as_ref(), keys })
    }
    fn absent(&self) -> bool {
        self.secret == Some(&SecretSeen::Absent)
    }
    fn lost(&self) -> bool {
        self.absent() && self.object.issue.is_some_and(|issue| self.object.committed(issue.attempt.epoch))
    }
    /// The keys but for the kept one: to be listed, or to be revoked, if there are any.
    fn revoke(&self, victim: impl Fn(&ListedKey) -> bool) -> Option<Step> {
        let Some(keys) = self.keys else { return Some(Step::ListKeys) };
        let victims: Vec<KeyId> = keys.iter().filter(|key| victim(key)).map(|key| key.id.clone()).collect();
        (!victims.is_empty()).then_some(Step::Revoke(victims))
    }
}

/// The production function, broken.
pub fn next(broken: Broken, protocol: &Protocol, seen: &Seen, memory: &Memory) -> Step {
    let step = once::next(protocol, seen, memory);
    let view = View::of(seen);
    instead(broken, protocol, seen, memory, &step, view.as_ref()).unwrap_or(step)
}

#[allow(clippy::too_many_lines)] // one arm per control
fn instead(
    broken: Broken,
    protocol: &Protocol,
    seen: &Seen,
    memory: &Memory,
    step: &Step,
    view: Option<&View<'_>>,
) -> Option<Step> {
    let idle = !memory.holds_pair() && !matches!(memory, Memory::Intent { .. } | Memory::Refused(_));
    let settled = view.filter(|view| idle && !view.object.deleting);
    let told = |seen: &Seen, memory: &Memory| Some(once::next(protocol, seen, memory));
    match broken {
        Broken::SweepUnfenced => {
            let view = settled.filter(|_| matches!(step, Step::Rest(Verdict::Ready) | Step::Revoke(_)))?;
            let Some(SecretSeen::Ours(secret)) = view.secret else { return None };
            view.revoke(|key| key.id != secret.key)
        }
        Broken::LosersSecretStays => {
            let view = settled.filter(|_| matches!(step, Step::DeleteSecret(_)))?;
            let Some(SecretSeen::Ours(secret)) = view.secret else { return None };
            let Some(keys) = view.keys else { return Some(Step::ListKeys) };
            let epoch = view.object.published.as_ref()?.epoch;
            let alive = keys.iter().any(|key| key.id == secret.key);
            alive.then(|| Step::Record { epoch, secret: secret.clone() })
        }
        Broken::RecordUnchecked => {
            let view = settled.filter(|_| *step == Step::ListKeys)?;
            let Some(SecretSeen::Ours(secret)) = view.secret else { return None };
            let issue =
                view.object.issue.filter(|issue| issue.open && issue.attempt.nonce == secret.nonce)?;
            Some(Step::Record { epoch: issue.attempt.epoch, secret: secret.clone() })
        }
        Broken::WaitOnlyWhileOpen => {
            let open = view?.object.issue.is_some_and(|issue| issue.open);
            if *step == Step::Wait(Wait::InFlight) && !open { told(seen, &Memory::Drained) } else { None }
        }
        Broken::NoWaitOnDelete if *step == Step::Wait(Wait::InFlight) => told(seen, &Memory::Drained),
        Broken::NoSweepInB => {
            settled.filter(|_| protocol.class == Class::B && matches!(step, Step::Revoke(_)))?;
            told(&Seen { keys: Some(KeysSeen::Listed(recorded_only(seen))), ..seen.clone() }, memory)
        }
        Broken::NoSweepWhileLost => {
            settled.filter(|view| view.lost() && matches!(step, Step::ListKeys | Step::Revoke(_)))?;
            told(&Seen { keys: Some(KeysSeen::Listed(Vec::new())), ..seen.clone() }, memory)
        }
        Broken::OldSecretCommitsNothing => {
            let view = settled.filter(|_| matches!(step, Step::Record { .. }))?;
            let Some(SecretSeen::Ours(secret)) = view.secret else { return None };
            if !view.object.recorded(secret) {
                return None;
            }
            let object = Object { issue: None, ..view.object.clone() };
            told(&Seen { object: ObjectSeen::Found(object), ..seen.clone() }, memory)
        }
        Broken::RevokeOwn => match memory {
            Memory::Pair { key, posted: Posted::Tried, .. } if *step == Step::StartOver => {
                view.filter(|view| !view.object.deleting)?;
                Some(Step::RevokeOwn(key.clone()))
            }
            _ => None,
        },
        Broken::ReplayForEver => {
            let view = settled.filter(|view| view.absent() && !view.lost())?;
            let issue = view.object.issue.filter(|issue| issue.open)?;
            Some(Step::Mint(issue.attempt))
        }
        Broken::GarbageByNonce => {
            let Step::Revoke(_) = step else { return None };
            let view = settled?;
            let published = view.object.published.as_ref()?;
            view.revoke(|key| view.object.garbage(key) && key.nonce != published.nonce)
                .or(Some(Step::Rest(Verdict::Ready)))
        }
        Broken::RetainForgotten => Some(once::next(&Protocol { retain: false, ..*protocol }, seen, memory)),
        Broken::RevokeBeforeCommit => {
            let open = |view: &&View<'_>| view.object.issue.is_some_and(|issue| issue.open);
            settled.filter(|view| view.absent() && view.object.finalizer).filter(open)?.revoke(|_| true)
        }
        Broken::SweepWithoutSecret => {
            settled.filter(|view| view.absent() && view.object.finalizer)?.revoke(|_| true)
        }
        Broken::RevokeBeforeReissue => {
            let view = settled.filter(|view| view.lost() && protocol.on_loss == OnLoss::Reissue)?;
            let recorded = view.object.published.as_ref().map(|published| &published.key);
            view.revoke(|key| Some(&key.id) == recorded)
        }
        Broken::PublishedBeforeSecret | Broken::NewPairOnExists => published_first(protocol, seen, memory),
        Broken::ForeignIsOurs => (*step == Step::Rest(Verdict::SecretNameConflict))
            .then(|| Step::DeleteSecret(once::SecretUid::from("uid"))),
        Broken::NoLateWakeCheck => {
            let view = settled.filter(|view| view.object.finalizer)?;
            let Some(SecretSeen::Ours(secret)) = view.secret else { return None };
            let epoch =
                view.object.published.as_ref().map_or(0, |published| published.epoch).max(secret.epoch);
            (!view.object.recorded(secret)).then(|| Step::Record { epoch, secret: secret.clone() })
        }
        Broken::SkipListIfStatusEmpty => {
            let view = view.filter(|view| idle && view.object.deleting && view.object.finalizer)?;
            let open = view.object.issue.is_some_and(|issue| issue.open);
            (view.secret.is_some() && view.object.published.is_none() && !open)
                .then_some(Step::RemoveFinalizer)
        }
        Broken::RetainRevokesAtOnce => {
            let view = view.filter(|view| idle && view.object.deleting && !view.object.committed(1))?;
            (*step == Step::Wait(Wait::InFlight)).then_some(())?;
            view.revoke(|_| true)
        }
        Broken::NoListAfterWait => {
            view.filter(|view| {
                view.object.deleting && *memory == Memory::Drained && *step == Step::ListKeys
            })?;
            told(&Seen { keys: Some(KeysSeen::Listed(Vec::new())), ..seen.clone() }, memory)
        }
        Broken::PostsUntilThere => {
            view.filter(|view| memory.holds_pair() && view.object.deleting && *step == Step::StartOver)?;
            let object = Object { deleting: false, ..view?.object.clone() };
            told(&Seen { object: ObjectSeen::Found(object), ..seen.clone() }, memory)
        }
        Broken::EpochsReused => {
            let view = settled.filter(|view| view.absent())?;
            let keys = view.keys?.iter().filter(|key| known(view.object, key)).cloned().collect();
            told(&Seen { keys: Some(KeysSeen::Listed(keys)), ..seen.clone() }, memory)
        }
        Broken::PlacedWhateverSecret => {
            let Some(SecretSeen::Ours(secret)) = settled?.secret else { return None };
            matches!(memory, Memory::Placed(_)).then(|| told(seen, &Memory::Placed(secret.key.clone())))?
        }
        Broken::PublishThenForget => {
            settled.filter(|view| !view.absent() && matches!(step, Step::Revoke(_)))?;
            Some(Step::Rest(Verdict::Ready))
        }
        // These break what the world does with a step, or what it shows.
        Broken::NoIntent
        | Broken::Upsert
        | Broken::CheckThenUpsert
        | Broken::DeleteWithoutUid
        | Broken::NoWaitOnDelete
        | Broken::OwnerUnchecked
        | Broken::OthersIsAbsent
        | Broken::KeysByName
        | Broken::ReplayIgnoresAge => None,
    }
}

/// The pair in memory is recorded before its Secret is there.
fn published_first(protocol: &Protocol, seen: &Seen, memory: &Memory) -> Option<Step> {
    let Memory::Pair { attempt, key, posted: Posted::NotYet, .. } = memory else { return None };
    let object = match &seen.object {
        ObjectSeen::Unread => return Some(Step::GetObject),
        ObjectSeen::Gone => return Some(Step::StartOver),
        ObjectSeen::Found(object) => object,
    };
    let secret = once::OurSecret {
        uid: once::SecretUid::from("uid"),
        epoch: attempt.epoch,
        nonce: attempt.nonce,
        key: key.clone(),
    };
    match (object.recorded(&secret), protocol.class) {
        (false, _) => Some(Step::Record { epoch: attempt.epoch, secret }),
        (true, Class::B) => Some(Step::StartOver),
        (true, Class::A3 | Class::A1) => None,
    }
}

/// Whether the status accounts for that key: its last attempt made it, or an epoch before.
fn known(object: &Object, key: &ListedKey) -> bool {
    let of_issue = object.issue.is_some_and(|issue| issue.attempt.nonce == key.nonce);
    of_issue || object.committed(key.epoch)
}

fn recorded_only(seen: &Seen) -> Vec<ListedKey> {
    let (ObjectSeen::Found(object), Some(KeysSeen::Listed(keys))) = (&seen.object, &seen.keys) else {
        return Vec::new();
    };
    keys.iter().filter(|key| !object.garbage(key)).cloned().collect()
}
