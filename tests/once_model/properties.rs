//! What must hold, and what must have been reached for a run to mean anything.

use crate::compact::{KeySet, Object, Secret, Verdict};
use crate::world::{Breach, Config, World};
use stateright::Property;

const REACHED: &str = "reached: ";

pub fn all() -> Vec<Property<Config>> {
    let mut all = always();
    all.extend(at_rest());
    all.extend(reached());
    all
}

/// What a property that says a situation was reached is about.
pub fn situation(name: &'static str) -> Option<&'static str> {
    name.strip_prefix(REACHED)
}

fn always() -> Vec<Property<Config>> {
    vec![
        Property::always("I2 one Secret per committed epoch, never changed", |_, w: &World| {
            !w.breached(Breach::SecondSecret) && !w.breached(Breach::SecretChanged)
        }),
        Property::always("I2 no good Secret deleted by us", |_, w: &World| {
            !w.breached(Breach::GoodSecretDeleted)
        }),
        Property::always("I3 the published key is not revoked by us", |c: &Config, w: &World| {
            !w.breached(Breach::PublishedKeyRevoked) && !(c.strict_i3 && w.breached(Breach::LosersKeyRevoked))
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
        Property::always("I6 foreign untouched, and no call because of it", |_, w: &World| {
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
                    || w.object.is_none_or(|object| {
                        object.verdict != Some(Verdict::Ready)
                            || object.published.is_some_and(|published| {
                                w.secret == Secret::Ours(published.key)
                                    && w.live == KeySet(0).with(published.key)
                            })
                    })
            },
        ),
        Property::always("P-dead at rest no Ready with a dead key", |c: &Config, w: &World| {
            !w.at_rest(c)
                || w.object.is_none_or(|object| {
                    object.verdict != Some(Verdict::Ready)
                        || matches!(w.secret, Secret::Ours(key) if w.live.has(key))
                })
        }),
        Property::always(
            "P-lost at rest SecretLost: no key but the recorded one",
            |c: &Config, w: &World| {
                !w.at_rest(c)
                    || w.object.is_none_or(|object| {
                        !lost(object.verdict) || w.live.iter().all(|key| object.recorded(key))
                    })
            },
        ),
        Property::always("P-human at rest only what the protocol blocks on", |c: &Config, w: &World| {
            !w.at_rest(c) || w.object.is_none_or(|object| w.verdict_is_earned(c, &object))
        }),
        Property::always(
            "P-del at rest after deletion: no Secret, no key, or what is retained",
            |c: &Config, w: &World| !w.at_rest(c) || w.object.is_some() || w.nothing_left(c),
        ),
        Property::always("P-converge one undisturbed operator comes to rest", |c: &Config, w: &World| {
            !w.quiet(c) || w.converges(c)
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
            w.at_rest(c)
                && w.is(Verdict::Ready)
                && w.object.and_then(|object| object.published).is_some_and(|published| published.epoch == 2)
        }),
        Property::sometimes("reached: SecretLost", |c: &Config, w: &World| {
            w.at_rest(c) && w.object.is_some_and(|object| lost(object.verdict))
        }),
        Property::sometimes("reached: deleted after an attempt", |c: &Config, w: &World| {
            w.at_rest(c) && w.object.is_none() && !w.used.is_empty()
        }),
        Property::sometimes("reached: retained", |c: &Config, w: &World| {
            w.at_rest(c) && w.object.is_none() && matches!(w.secret, Secret::Ours(key) if w.live.has(key))
        }),
        Property::sometimes(
            "reached: a loser's Secret",
            |_, w: &World| matches!((w.secret, w.object), (Secret::Ours(key), Some(object)) if object.garbage(key)),
        ),
    ]
}

fn lost(verdict: Option<Verdict>) -> bool {
    matches!(verdict, Some(Verdict::SecretLost { .. }))
}

impl World {
    fn is(&self, verdict: Verdict) -> bool {
        self.object.is_some_and(|object| object.verdict == Some(verdict))
    }
    /// Retained is a Secret with its key, and nothing else.
    fn nothing_left(&self, config: &Config) -> bool {
        if config.rules.retain {
            return self.live.iter().all(|key| self.secret == Secret::Ours(key) || self.recorded_once(key));
        }
        self.live.is_empty() && !matches!(self.secret, Secret::Ours(_))
    }
    /// The key of a Secret that a person took away before its object was deleted: retained too.
    fn recorded_once(&self, key: crate::compact::Key) -> bool {
        self.person_spoiled & 1 << key.epoch() != 0 && self.live.iter().count() == 1
    }
    fn verdict_is_earned(&self, config: &Config, object: &Object) -> bool {
        match object.verdict {
            Some(Verdict::Ready) => true,
            Some(Verdict::SecretLost { .. }) => {
                object.published.is_some_and(|p| self.person_spoiled & 1 << p.key.epoch() != 0)
            }
            Some(Verdict::SecretNameConflict) => self.secret == Secret::Foreign,
            Some(Verdict::TooManyAttempts) => {
                object.issue.is_some_and(|last| last.attempt() >= config.rules.attempts)
            }
            Some(Verdict::KeyRevokedExternally) => self.person_revokes_key < config.person_revokes_key,
            Some(Verdict::Held | Verdict::SecretRefused | Verdict::Gone) | None => false,
        }
    }
}
