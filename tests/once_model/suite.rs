//! The worlds in which the protocol is tried. The controls are in [`crate::controls`].

use crate::compact::{Class, OnLoss, Slots};
use crate::config::{Config, Forgets, Lateness, Restore, Second};
use crate::translate::Rules;
use Class::{A1, A3, B};
use OnLoss::{Block, Reissue};

/// One object, two operators; from small to large.
fn one_object() -> Vec<Config> {
    let mut worlds = Vec::new();
    for class in [A3, A1, B] {
        for (policy, word) in [(Block, "block"), (Reissue, "reissue")] {
            let base = |what: &str| Config::new(format!("{class:?}/{word}/{what}"), class, policy);
            let tombstones = class == B;
            let special = [
                Config { tombstones, person_deletes_secret: 2, late_posts: true, ..base("late-posts") },
                Config {
                    tombstones,
                    late_posts: true,
                    person_creates_foreign: 1,
                    ..base("delete-bounded").deleted()
                },
                Config {
                    tombstones,
                    person_deletes_object: true,
                    account_sweep: true,
                    late_posts: true,
                    person_creates_foreign: 1,
                    ..base("delete-unbounded")
                },
                Config { tombstones, late_posts: true, ..base("retain") }.retained(),
            ];
            worlds.extend([
                base("plain"),
                Config { starts_with_foreign: true, ..base("foreign-first") },
                Config {
                    person_creates_foreign: 1,
                    person_deletes_secret: if class == A1 { 1 } else { 2 },
                    ..base("foreign")
                },
                Config { tombstones, person_revokes_key: 1, ..base("revoked-by-hand") },
            ]);
            worlds.extend(special.map(bounded));
        }
    }
    for (policy, word) in [(Block, "block"), (Reissue, "reissue")] {
        worlds.push(Config::new(format!("A3/{word}/executed-twice"), A3, policy).executed_twice());
        let counted = Config::new(format!("A3/{word}/counted-faults"), A3, policy).with_attempts(4);
        worlds.push(Config { faults: Some(2), late_posts: true, ..counted });
    }
    worlds
}

/// Where a pair may be asked for again there is far more to search: less of everything else.
fn bounded(config: Config) -> Config {
    if config.rules.class != A1 {
        return config;
    }
    let late_posts = config.late_posts && config.rules.on_loss == Block;
    Config { person_deletes_secret: 1, person_creates_foreign: 0, late_posts, ..config.with_attempts(2) }
}

/// The same name made again with a new uid, while requests, Secret and keys of the old one are still around: nothing
/// bounds how late a request may be executed, and the account's sweep finds what is left.
pub fn made_again(class: Class) -> Config {
    let config = Config::new(format!("{class:?}/made-again"), class, Block);
    Config {
        second: Second::Recreated,
        person_deletes_object: true,
        person_deletes_secret: 0,
        account_sweep: true,
        tombstones: class == B,
        ..config.with_attempts(if class == B { 2 } else { 1 })
    }
}

/// The same where waiting for long enough proves that nothing is under way, and nobody sweeps.
pub fn made_again_bounded(class: Class) -> Config {
    let config = made_again(class).named(format!("{class:?}/made-again-bounded"));
    Config { lateness: Lateness::Bounded, account_sweep: false, late_posts: true, ..config }
}

/// The old one's key and Secret are retained, and in the way of the new one until a person deletes that Secret.
pub fn made_again_retained(class: Class) -> Config {
    let config = made_again_bounded(class).named(format!("{class:?}/made-again-retained"));
    Config { person_deletes_secret: 1, late_posts: false, ..config }.retained()
}

/// Two AccessKeys that name one Secret.
pub fn same_secret(class: Class) -> Config {
    let config = Config::new(format!("{class:?}/same-secret"), class, Block).deleted();
    let config = config.with_attempts(if class == B { 2 } else { 1 });
    Config { second: Second::SameSecret, person_deletes_secret: 0, ..config }
}

/// The namespace is deleted at any moment.
pub fn namespace_deleted(class: Class, policy: OnLoss, operators: usize) -> Config {
    let config = Config::new(format!("{class:?}/{policy:?}/namespace/{operators}"), class, policy);
    Config {
        namespace_deleted: true,
        lateness: Lateness::Bounded,
        person_deletes_secret: 0,
        late_posts: true,
        operators,
        ..config.with_attempts(2)
    }
}

/// etcd is restored.
pub fn restored(class: Class, policy: OnLoss, restore: Restore, operators: usize) -> Config {
    let running = if restore == Restore::OperatorsRunning { "-running" } else { "" };
    let config = Config::new(format!("{class:?}/{policy:?}/restored{running}/{operators}"), class, policy);
    let slots = if class == B { Slots::Attempts } else { Slots::Histories };
    let attempts = if class == B { 4 } else { 2 };
    Config { rules: Rules { attempts, slots, ..config.rules }, restore, operators, ..config }
}

/// A1: the provider forgets.
pub fn forgets(policy: OnLoss, forgets: Forgets, operators: usize) -> Config {
    let config = Config::new(format!("A1/{policy:?}/forgets-{forgets:?}/{operators}"), A1, policy);
    let rules = Rules { slots: Slots::Executions, attempts: 2, ..config.rules };
    Config { rules, forgets, operators, ..config }
}

/// etcd is restored, and the AccessKey deleted. One that is restored to before it had a finalizer may go at once: the
/// account's sweep finds what that leaves.
fn restored_and_deleted(class: Class) -> Config {
    let config = restored(class, Block, Restore::OperatorsStopped, 1);
    Config { account_sweep: true, ..config.deleted() }.named(format!("{class:?}/restored-delete/1"))
}

/// Three operators, at small bounds.
fn three(class: Class) -> Config {
    let config = Config::new(format!("{class:?}/three-operators"), class, Block).with_attempts(2);
    Config { person_deletes_secret: u8::from(class != A1), operators: 3, ..config }
}

/// The worlds of the everyday test: those small enough to be searched in seconds by an unoptimized build, in which
/// every situation occurs.
pub fn everyday() -> Vec<Config> {
    let small =
        ["A3/block/plain", "A3/block/foreign-first", "A1/block/plain", "B/block/plain", "B/reissue/plain"];
    let mut worlds: Vec<Config> =
        one_object().into_iter().filter(|config| small.contains(&config.name)).collect();
    for class in [A3, A1, B] {
        let one = |what: &str| Config {
            operators: 1,
            ..Config::new(format!("{class:?}/one-operator/{what}"), class, Reissue)
        };
        worlds.extend([
            Config { late_posts: true, ..one("delete").deleted() },
            one("retain").retained(),
            Config { person_revokes_key: 1, ..one("revoked-by-hand") },
            made_again(class),
            namespace_deleted(class, Block, 1),
            restored(class, Block, Restore::OperatorsStopped, 1),
        ]);
    }
    let twice = Config::new("A3/one-operator/executed-twice", A3, Reissue).executed_twice();
    worlds.extend([
        Config { operators: 1, ..twice },
        same_secret(A3),
        same_secret(B),
        made_again_retained(A3),
        restored(A3, Block, Restore::OperatorsRunning, 1),
        forgets(Block, Forgets::AsPromised, 1),
        forgets(Block, Forgets::Early, 1),
    ]);
    worlds
}

/// Operators of a world with something special: two that may both ask again, over two epochs, are too much to search.
fn most(class: Class, policy: OnLoss) -> usize {
    if class == A1 && policy == Reissue { 1 } else { 2 }
}

/// All of them.
pub fn full() -> Vec<Config> {
    let mut worlds = one_object();
    for class in [A3, A1, B] {
        worlds.extend([
            made_again(class),
            made_again_bounded(class),
            made_again_retained(class),
            same_secret(class),
            three(class),
        ]);
        for policy in [Block, Reissue] {
            worlds.extend([
                namespace_deleted(class, policy, most(class, policy)),
                restored(class, policy, Restore::OperatorsStopped, 1),
                restored(class, policy, Restore::OperatorsRunning, 1),
            ]);
        }
        worlds.extend([restored(class, Block, Restore::OperatorsStopped, 2), restored_and_deleted(class)]);
    }
    for policy in [Block, Reissue] {
        let operators = most(A1, policy);
        worlds.extend([
            forgets(policy, Forgets::AsPromised, operators),
            forgets(policy, Forgets::Early, operators),
        ]);
    }
    worlds
}
