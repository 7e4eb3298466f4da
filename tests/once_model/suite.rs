//! The configurations: worlds of every class and policy, and the negative controls.

use crate::broken::Broken;
use crate::compact::{Class, OnLoss, Rules};
use crate::world::{Config, Lateness};

fn config(name: impl Into<String>, class: Class, on_loss: OnLoss) -> Config {
    let reissue = on_loss == OnLoss::Reissue;
    let rules = Rules {
        class,
        on_loss,
        retain: false,
        attempts: if reissue { 2 } else { 3 },
        epochs: if reissue { 2 } else { 1 },
        duplicates: false,
        broken: None,
    };
    Config {
        name: name.into().leak(),
        rules,
        lateness: Lateness::Unbounded,
        late_posts: false,
        sigterm: true,
        tombstones: false,
        person_deletes_secret: 1,
        person_creates_foreign: 0,
        person_deletes_object: false,
        person_revokes_key: 0,
        starts_with_foreign: false,
        account_sweep: false,
        strict_i3: false,
        faults: None,
        operators: 2,
    }
}

/// The worlds in which the protocol is tried, from small to large.
fn worlds() -> Vec<Config> {
    use Class::{A1, A3, B};
    use OnLoss::{Block, Reissue};
    let mut worlds = Vec::new();
    for (class, letter) in [(A3, "A3"), (A1, "A1"), (B, "B")] {
        for (policy, word) in [(Block, "block"), (Reissue, "reissue")] {
            let base = |what: &str| config(format!("{letter}/{word}/{what}"), class, policy);
            let tombstones = class == B;
            worlds.extend([
                base("plain"),
                Config { tombstones, person_deletes_secret: 2, late_posts: true, ..base("late-posts") },
                Config { person_creates_foreign: 1, person_deletes_secret: 2, ..base("foreign") },
                Config { starts_with_foreign: true, ..base("foreign-first") },
                Config { tombstones, person_revokes_key: 1, ..base("revoked-by-hand") },
                Config {
                    tombstones,
                    person_deletes_object: true,
                    lateness: Lateness::Bounded,
                    late_posts: true,
                    person_creates_foreign: 1,
                    ..base("delete-bounded")
                },
                Config {
                    tombstones,
                    person_deletes_object: true,
                    account_sweep: true,
                    late_posts: true,
                    person_creates_foreign: 1,
                    ..base("delete-unbounded")
                },
                retained(Config { tombstones, late_posts: true, ..base("retain") }),
            ]);
        }
    }
    for policy in [Block, Reissue] {
        worlds.push(twice(config(format!("A3/{policy:?}/executed-twice"), A3, policy)));
        let mut counted = config(format!("A3/{policy:?}/counted-faults"), A3, policy);
        counted.rules.attempts = 4;
        worlds.push(Config { faults: Some(2), late_posts: true, ..counted });
    }
    worlds
}

fn retained(config: Config) -> Config {
    let rules = Rules { retain: true, ..config.rules };
    Config { rules, person_deletes_object: true, lateness: Lateness::Bounded, ..config }
}

fn twice(config: Config) -> Config {
    Config { rules: Rules { duplicates: true, attempts: 2, ..config.rules }, ..config }
}

/// The worlds of the everyday test: those small enough to be searched in seconds by an unoptimized build, in which
/// every class, a lost Secret, a hand-revoked key, a deletion and a second execution occur.
pub fn everyday() -> Vec<Config> {
    let small =
        ["A3/block/plain", "A3/block/foreign-first", "A1/block/plain", "B/block/plain", "B/reissue/plain"];
    let mut worlds: Vec<Config> =
        worlds().into_iter().filter(|config| small.contains(&config.name)).collect();
    let one = |name: &str, class| Config { operators: 1, ..config(name, class, OnLoss::Reissue) };
    for class in [Class::A3, Class::A1, Class::B] {
        let deleted = Config {
            person_deletes_object: true,
            lateness: Lateness::Bounded,
            late_posts: true,
            ..one(&format!("{class:?}/one-operator/delete"), class)
        };
        worlds.push(deleted);
        worlds.push(retained(one(&format!("{class:?}/one-operator/retain"), class)));
        let by_hand = one(&format!("{class:?}/one-operator/revoked-by-hand"), class);
        worlds.push(Config { person_revokes_key: 1, ..by_hand });
    }
    worlds.push(twice(one("A3/one-operator/executed-twice", Class::A3)));
    worlds
}

/// All of them.
pub fn full() -> Vec<Config> {
    worlds()
}

/// Each must yield a counter-example.
pub fn controls() -> Vec<Config> {
    use Class::{A1, A3, B};
    use OnLoss::{Block, Reissue};
    let control = |broken: Broken, class, policy| {
        let config = config(format!("control/{broken:?}"), class, policy);
        Config { rules: Rules { broken: Some(broken), ..config.rules }, ..config }
    };
    let deleted =
        |config: Config| Config { person_deletes_object: true, lateness: Lateness::Bounded, ..config };
    let by_hand = |config: Config| Config { person_revokes_key: 1, ..config };
    vec![
        control(Broken::SweepUnfenced, A3, Reissue),
        control(Broken::LosersSecretStays, A3, Block),
        control(Broken::RecordUnchecked, A3, Block),
        Config { late_posts: true, ..control(Broken::RevokeOwnAlways, A3, Block) },
        deleted(control(Broken::WaitOnlyWhileOpen, A3, Block)),
        control(Broken::NoSweepInB, B, Reissue),
        control(Broken::NoSweepWhileLost, A3, Block),
        control(Broken::OldSecretCommitsNothing, A3, Reissue),
        control(Broken::RevokeSharedPair, A1, Block),
        by_hand(control(Broken::ReplayForEver, A1, Block)),
        twice(control(Broken::GarbageByNonce, A3, Block)),
        retained(control(Broken::RetainForgotten, A3, Block)),
        control(Broken::RevokeBeforeCommit, A3, Block),
        control(Broken::PublishedBeforeSecret, A3, Block),
        control(Broken::NoIntent, A3, Block),
        Config { starts_with_foreign: true, ..control(Broken::ForeignIsOurs, A3, Block) },
        control(Broken::NoLateWakeCheck, A3, Block),
        control(Broken::SweepWithoutSecret, A3, Block),
        control(Broken::Upsert, A3, Block),
        Config { person_creates_foreign: 1, ..control(Broken::DeleteWithoutUid, A3, Block) },
        deleted(control(Broken::SkipListIfStatusEmpty, A3, Block)),
        deleted(control(Broken::NoWaitOnDelete, A3, Block)),
        control(Broken::RevokeBeforeReissue, A3, Reissue),
        control(Broken::NewPairOnExists, B, Block),
    ]
}
