//! What holds, and what must be reached, in worlds with something special: a second AccessKey, a namespace that is
//! deleted, a restore of etcd, a provider that forgets.

use crate::compact::{Class, Object, OnLoss, Secret, Verdict};
use crate::config::{Config, Forgets, Lateness, Restore, Second};
use crate::properties::lost;
use crate::world::{Breach, Mark, World};
use stateright::Property;

pub fn properties(config: &Config) -> Vec<Property<Config>> {
    let mut all = match config.second {
        Second::None => Vec::new(),
        Second::Recreated => recreated(config),
        Second::SameSecret => same_secret(config),
    };
    if config.namespace_deleted {
        all.extend(namespace_deleted());
    }
    if config.restore != Restore::Never {
        all.extend(restored(config));
    }
    if config.rules.class == Class::A1 {
        all.extend(asked_again(config));
    }
    all
}

/// What no world may miss in which it can happen.
pub fn must_be_reached(config: &Config) -> Vec<&'static str> {
    properties(config).iter().filter_map(|property| crate::properties::situation(property.name)).collect()
}

fn recreated(config: &Config) -> Vec<Property<Config>> {
    let mut all = vec![
        Property::sometimes("reached: made again: the old one's Secret in the way", |_, w: &World| {
            let in_the_way = matches!(w.secret, Secret::Ours(key) if key.subject() == 0);
            in_the_way
                && w.object(1).is_some_and(|object| object.verdict == Some(Verdict::SecretNameConflict))
        }),
        Property::sometimes("reached: made again: the new one Ready", |c: &Config, w: &World| {
            w.at_rest(c) && w.object(1).is_some_and(is_ready) && !w.used.of(0).is_empty()
        }),
    ];
    if config.lateness == Lateness::Unbounded || config.rules.retain {
        all.push(Property::sometimes(
            "reached: made again: the old one's key beside the new one's",
            |_, w: &World| !w.live.of(0).is_empty() && !w.live.of(1).is_empty(),
        ));
    }
    all
}

fn is_ready(object: Object) -> bool {
    object.verdict == Some(Verdict::Ready)
}

fn same_secret(config: &Config) -> Vec<Property<Config>> {
    let mut all = vec![
        Property::always(
            "P-one at rest one of the two has the Secret, and the other says so",
            |c: &Config, w: &World| {
                let Secret::Ours(key) = w.secret else { return true };
                let other = w.object(1 - key.subject());
                !w.at_rest(c) || other.is_none_or(|other| other.verdict == Some(Verdict::SecretNameConflict))
            },
        ),
        Property::sometimes("reached: one Secret: one Ready, one in conflict", |c: &Config, w: &World| {
            w.at_rest(c) && w.is(Verdict::Ready) && w.is(Verdict::SecretNameConflict)
        }),
        Property::sometimes("reached: one Secret: the loser takes over", |c: &Config, w: &World| {
            let winner_gone = w.object(0).is_none() && !w.used.of(0).is_empty();
            winner_gone && w.at_rest(c) && w.object(1).is_some_and(is_ready)
        }),
    ];
    // In B the Secret comes first, and the loser never has one.
    if config.rules.class != Class::B {
        all.push(Property::sometimes("reached: one Secret: both had a key", |_, w: &World| {
            !w.live.of(0).is_empty() && !w.live.of(1).is_empty()
        }));
    }
    all
}

fn namespace_deleted() -> Vec<Property<Config>> {
    vec![
        Property::always(
            "P-end at rest in a deleted namespace: nothing there, nothing at the provider",
            |c: &Config, w: &World| {
                let retained = usize::from(c.rules.retain);
                !(w.terminating && w.at_rest(c))
                    || (w.there().next().is_none()
                        && w.secret == Secret::Absent
                        && w.live.iter().count() <= retained)
            },
        ),
        Property::sometimes("reached: namespace deleted after an attempt", |c: &Config, w: &World| {
            w.terminating && w.at_rest(c) && !w.used.is_empty()
        }),
        Property::sometimes("reached: a create refused by the namespace", |_, w: &World| {
            w.marked(Mark::CreateRefused)
        }),
    ]
}

/// Class B draws no intents, so that its status cannot tell that it went back: it makes an epoch again.
fn restored(config: &Config) -> Vec<Property<Config>> {
    let ready = Property::sometimes("reached: restored, Ready", |c: &Config, w: &World| {
        w.restore.done && w.at_rest(c) && w.is(Verdict::Ready)
    });
    if config.rules.class == Class::B {
        return vec![ready];
    }
    let swap = Property::always(
        "P-swap no epoch gets another recorded Secret, unless the backup had an attempt of it without an answer",
        |_, w: &World| !w.breached(Breach::SilentSwap),
    );
    let unknown = Property::sometimes(
        "reached: restored, a key that the status knows nothing of",
        |c: &Config, w: &World| {
            let unknown =
                |object: Object| w.live.iter().any(|key| !object.recorded(key) && !object.garbage(key));
            w.restore.done && w.at_rest(c) && w.object(0).is_some_and(unknown)
        },
    );
    let blocked = match config.rules.on_loss {
        OnLoss::Block => Property::sometimes("reached: restored, SecretLost", |c: &Config, w: &World| {
            w.restore.done && w.at_rest(c) && w.object(0).is_some_and(|object| lost(object.verdict))
        }),
        OnLoss::Reissue => {
            Property::sometimes("reached: restored, the Secret with a dead key", |c: &Config, w: &World| {
                w.restore.done && w.at_rest(c) && w.is(Verdict::KeyRevokedExternally)
            })
        }
    };
    vec![swap, ready, unknown, blocked]
}

fn asked_again(config: &Config) -> Vec<Property<Config>> {
    let mut all = vec![Property::always(
        "I5 a pair is asked for again only while it is sure to be remembered",
        |_, w: &World| !w.breached(Breach::AskedTooLate),
    )];
    if config.operators > 1 && config.second == Second::None {
        all.push(Property::sometimes("reached: two operators were shown the same pair", |_, w: &World| {
            let pairs = w.operators.iter().filter_map(|operator| operator.memory.pair());
            pairs.clone().enumerate().any(|(at, pair)| pairs.clone().skip(at + 1).any(|other| other == pair))
        }));
    }
    if config.forgets != Forgets::Never {
        all.extend([
            Property::sometimes("reached: a pair shown again", |_, w: &World| w.marked(Mark::Replayed)),
            Property::sometimes("reached: asked in time, executed when forgotten", |_, w: &World| {
                w.marked(Mark::MadeTwice)
            }),
            Property::sometimes("reached: Ready after its pair was forgotten", |c: &Config, w: &World| {
                !w.forgotten.is_empty() && w.at_rest(c) && w.is(Verdict::Ready)
            }),
        ]);
    }
    all
}
