//! What must hold, and what must have been reached for a run to mean anything.

use crate::compact::{KeySet, Object, Secret, Verdict};
use crate::config::{Config, Restore};
use crate::world::{Breach, Mark, World};
use stateright::Property;

const REACHED: &str = "reached: ";

/// All properties of a world: those of every world, and those of what is special in it.
pub fn all(config: &Config) -> Vec<Property<Config>> {
    let mut all = always();
    all.extend(at_rest());
    all.extend(reached());
    all.extend(crate::situations::properties(config));
    all
}

/// What a property that says a situation was reached is about.
pub fn situation(name: &'static str) -> Option<&'static str> {
    name.strip_prefix(REACHED)
}

/// The situations of which some world must reach each.
pub fn everywhere() -> Vec<&'static str> {
    reached().iter().filter_map(|property| situation(property.name)).collect()
}

fn always() -> Vec<Property<Config>> {
    vec![
        Property::always("I2 one Secret per committed epoch, never changed", |c: &Config, w: &World| {
            let second = w.breached(Breach::SecondSecret) && !w.restored_under_operators(c);
            !second && !w.breached(Breach::SecretChanged)
        }),
        Property::always("I2 no good Secret deleted by us", |c: &Config, w: &World| {
            w.restored_under_operators(c) || !w.breached(Breach::GoodSecretDeleted)
        }),
        Property::always("I3 the published key is not revoked by us", |c: &Config, w: &World| {
            w.restored_under_operators(c) || !w.breached(Breach::PublishedKeyRevoked)
        }),
        Property::always(
            "I3 no key is recorded that was not seen alive beside its Secret",
            |_, w: &World| !w.breached(Breach::RecordedUnseen),
        ),
        Property::always("I5 every key has its intent", |_, w: &World| !w.breached(Breach::KeyWithoutIntent)),
        Property::always(
            "I5 attempts <= operators * (1 + 2 * deletions by people) + faults",
            |c: &Config, w: &World| {
                let deletions = usize::from(c.person_deletes_secret - w.person_deletes_secret);
                let most = c.operators * (1 + 2 * deletions) + usize::from(w.faults);
                c.faults.is_none() || w.used.iter().count() <= most
            },
        ),
        Property::always("I6 what is not ours is untouched, and no call because of it", |_, w: &World| {
            !w.breached(Breach::ForeignTouched) && !w.breached(Breach::CalledDespiteForeign)
        }),
    ]
}

fn at_rest() -> Vec<Property<Config>> {
    vec![
        Property::always(
            "P-live Ready at rest: one live key, in the Secret, recorded",
            |c: &Config, w: &World| {
                !w.at_rest(c)
                    || w.there().filter(|(_, object)| object.verdict == Some(Verdict::Ready)).all(
                        |(subject, object)| {
                            object.published.is_some_and(|published| {
                                w.secret == Secret::Ours(published.key)
                                    && w.live.has(published.key)
                                    && w.only_recorded(subject, &object)
                            })
                        },
                    )
            },
        ),
        Property::always("P-dead at rest no Ready with a dead key", |c: &Config, w: &World| {
            !w.at_rest(c)
                || w.there().all(|(_, object)| {
                    object.verdict != Some(Verdict::Ready)
                        || matches!(w.secret, Secret::Ours(key) if w.live.has(key))
                })
        }),
        Property::always(
            "P-lost at rest SecretLost: no key but the recorded one",
            |c: &Config, w: &World| {
                !w.at_rest(c)
                    || w.there()
                        .filter(|(_, object)| lost(object.verdict))
                        .all(|(subject, object)| w.only_recorded(subject, &object))
            },
        ),
        Property::always("P-human at rest only what the protocol blocks on", |c: &Config, w: &World| {
            !w.at_rest(c) || w.there().all(|(subject, object)| w.verdict_is_earned(c, subject, &object))
        }),
        Property::always(
            "P-del at rest after deletion: no Secret, no key, or what is retained",
            |c: &Config, w: &World| {
                !w.at_rest(c)
                    || [0, 1]
                        .into_iter()
                        .all(|subject| w.object(subject).is_some() || w.nothing_left(c, subject))
            },
        ),
        Property::always("P-converge one undisturbed operator comes to rest", |c: &Config, w: &World| {
            w.converges(c) != Some(false)
        }),
    ]
}

fn reached() -> Vec<Property<Config>> {
    vec![
        Property::sometimes("reached: Ready", |c: &Config, w: &World| w.at_rest(c) && w.is(Verdict::Ready)),
        Property::sometimes("reached: Ready after a takeover", |c: &Config, w: &World| {
            w.at_rest(c) && w.is(Verdict::Ready) && w.used.iter().count() > 1
        }),
        Property::sometimes("reached: Ready in epoch 2", |c: &Config, w: &World| {
            let second = |object: Object| object.published.is_some_and(|published| published.epoch == 2);
            w.at_rest(c) && w.is(Verdict::Ready) && w.object(0).is_some_and(second)
        }),
        Property::sometimes("reached: SecretLost", |c: &Config, w: &World| {
            w.at_rest(c) && w.there().any(|(_, object)| lost(object.verdict))
        }),
        Property::sometimes("reached: deleted after an attempt", |c: &Config, w: &World| {
            w.at_rest(c) && w.object(0).is_none() && !w.used.of(0).is_empty()
        }),
        Property::sometimes("reached: retained", |c: &Config, w: &World| {
            w.at_rest(c)
                && matches!(w.secret, Secret::Ours(key) if w.live.has(key) && w.object(key.subject()).is_none())
        }),
        Property::sometimes("reached: a loser's Secret", |_, w: &World| {
            let Secret::Ours(key) = w.secret else { return false };
            w.object(key.subject()).is_some_and(|object| object.garbage(key))
        }),
        Property::sometimes("reached: the key in a loser's Secret revoked", |_, w: &World| {
            w.marked(Mark::LosersKeyRevoked)
        }),
    ]
}

pub fn lost(verdict: Option<Verdict>) -> bool {
    matches!(verdict, Some(Verdict::SecretLost { .. }))
}

impl World {
    /// An object of that verdict is there.
    pub fn is(&self, verdict: Verdict) -> bool {
        self.there().any(|(_, object)| object.verdict == Some(verdict))
    }
    /// Operators that were not stopped may do what they had decided on before etcd went back.
    fn restored_under_operators(&self, config: &Config) -> bool {
        config.restore == Restore::OperatorsRunning && self.restore.done
    }
    /// The object has no key but the recorded one. After a restore there may be keys that its status knows nothing of.
    fn only_recorded(&self, subject: u8, object: &Object) -> bool {
        let unknown = |key| self.restore.done && !object.garbage(key);
        self.live.of(subject).iter().all(|key| object.recorded(key) || unknown(key))
    }
    /// Retained is a Secret with its key, and nothing else.
    fn nothing_left(&self, config: &Config, subject: u8) -> bool {
        let left = self.live.of(subject);
        if config.rules.retain {
            return left.iter().all(|key| {
                self.secret == Secret::Ours(key) || (self.spoiled(key) && left == KeySet::EMPTY.with(key))
            });
        }
        left.is_empty() && !matches!(self.secret, Secret::Ours(key) if key.subject() == subject)
    }
    fn verdict_is_earned(&self, config: &Config, subject: u8, object: &Object) -> bool {
        match object.verdict {
            Some(Verdict::Ready) => true,
            Some(Verdict::SecretLost { .. }) => {
                self.restore.done || object.published.is_some_and(|published| self.spoiled(published.key))
            }
            Some(Verdict::SecretNameConflict) => self.secret.seen_for(subject) == Secret::Foreign,
            Some(Verdict::TooManyAttempts) => {
                object.issue.is_some_and(|last| config.rules.attempt_of(last) >= config.rules.attempts)
            }
            Some(Verdict::KeyRevokedExternally) => {
                self.restore.done || self.person_revokes_key < config.person_revokes_key
            }
            Some(Verdict::Held | Verdict::SecretRefused | Verdict::Gone) | None => false,
        }
    }
}
