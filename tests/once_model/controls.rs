//! The negative controls: each must yield a counter-example.
//!
//! The four orderings that are used elsewhere:
//!
//! | ordering | control |
//! |---|---|
//! | status check, then upsert | `CheckThenUpsert`; with an intent, still `Upsert` |
//! | mark, then publish | `PublishedBeforeSecret` |
//! | revoke, then re-create | `RevokeBeforeReissue`; within an epoch `RevokeBeforeCommit`, `SweepWithoutSecret` |
//! | publish, then forget | `PublishThenForget` |
//!
//! The rules that the first wording of the protocol lacked, each taken away again:
//!
//! | rule | control |
//! |---|---|
//! | the sweep revokes what is proved to be garbage, nothing else | `SweepUnfenced` |
//! | a loser's Secret goes, whatever the provider says | `LosersSecretStays` |
//! | the key is seen alive before its Secret is recorded | `RecordUnchecked` |
//! | nobody revokes a pair because it could not be published: its Secret may be there, or others may hold it (A1) | `RevokeOwn` |
//! | the finalizer waits after any second attempt | `WaitOnlyWhileOpen` |
//! | class B sweeps | `NoSweepInB` |
//! | the sweep goes on while the Secret is lost | `NoSweepWhileLost` |
//! | keys are revoked before the wait, and listed again after it | `NoListAfterWait` |
//! | a Secret that comes back commits the epoch under way | `OldSecretCommitsNothing` |
//! | the key's id, not its nonce, tells garbage | `GarbageByNonce` |
//! | a pair is asked for again only while its key is listed, and young (A1) | `ReplayForEver`, `ReplayIgnoresAge` |
//! | that the provider has a key counts for the Secret that it is in | `PlacedWhateverSecret` |
//! | what is retained stays, and so does what may be about to be published | `RetainForgotten`, `RetainRevokesAtOnce` |
//! | no epoch is made twice, whatever the status remembers | `EpochsReused` |
//! | a deletion ends what a pair waits for | `PostsUntilThere` |
//!
//! Two rules of that list have no control, because without them nothing breaks: that an epoch which is committed is not
//! posted to again, and that whoever holds a pair of an AccessKey that is gone cleans up. They save a pass and an orphan.
//! That the deletion needs no note is a rule less, not more.
//!
//! The checks that everything rests on: `NoIntent`, `ForeignIsOurs`, `NoLateWakeCheck`, `DeleteWithoutUid`,
//! `SkipListIfStatusEmpty`, `NoWaitOnDelete`, `NewPairOnExists`; and, where there are two AccessKeys, `OwnerUnchecked`,
//! `OthersIsAbsent` and `KeysByName`.

use crate::broken::Broken;
use crate::compact::{Class, OnLoss};
use crate::config::{Config, Forgets, Restore};
use crate::suite::{forgets, made_again_retained, namespace_deleted, restored, same_secret};
use crate::translate::Rules;

fn broken(broken: Broken, config: Config) -> Config {
    let rules = Rules { broken: Some(broken), ..config.rules };
    Config { rules, ..config }.named(format!("control/{broken:?}"))
}

pub fn controls() -> Vec<Config> {
    use Class::{A1, A3, B};
    use OnLoss::{Block, Reissue};
    let control = Config::control;
    let by_hand = |config: Config| Config { person_revokes_key: 1, ..config };
    vec![
        control(Broken::SweepUnfenced, A3, Reissue),
        control(Broken::LosersSecretStays, A3, Block),
        control(Broken::RecordUnchecked, A3, Block),
        control(Broken::RevokeOwn, A3, Block),
        control(Broken::WaitOnlyWhileOpen, A3, Block).deleted(),
        control(Broken::NoListAfterWait, A3, Block).deleted(),
        control(Broken::NoSweepInB, B, Reissue),
        control(Broken::NoSweepWhileLost, A3, Block),
        control(Broken::OldSecretCommitsNothing, A3, Reissue),
        control(Broken::RevokeOwn, A1, Block).named("control/RevokeOwn/A1"),
        by_hand(control(Broken::ReplayForEver, A1, Block)),
        control(Broken::GarbageByNonce, A3, Block).executed_twice(),
        control(Broken::RetainForgotten, A3, Block).retained(),
        control(Broken::RetainRevokesAtOnce, A3, Block).retained(),
        control(Broken::RevokeBeforeCommit, A3, Block),
        control(Broken::PublishedBeforeSecret, A3, Block),
        control(Broken::NoIntent, A3, Block),
        control(Broken::CheckThenUpsert, A3, Block),
        control(Broken::PublishThenForget, A3, Block),
        Config { starts_with_foreign: true, ..control(Broken::ForeignIsOurs, A3, Block) },
        control(Broken::NoLateWakeCheck, A3, Block),
        control(Broken::SweepWithoutSecret, A3, Block),
        control(Broken::Upsert, A3, Block),
        Config { person_creates_foreign: 1, ..control(Broken::DeleteWithoutUid, A3, Block) },
        control(Broken::SkipListIfStatusEmpty, A3, Block).deleted(),
        control(Broken::NoWaitOnDelete, A3, Block).deleted(),
        control(Broken::RevokeBeforeReissue, A3, Reissue),
        control(Broken::NewPairOnExists, B, Block),
        control(Broken::PlacedWhateverSecret, A3, Block),
        control(Broken::PlacedWhateverSecret, B, Block).named("control/PlacedWhateverSecret/B"),
        broken(Broken::OwnerUnchecked, made_again_retained(A3)),
        broken(Broken::KeysByName, made_again_retained(A3)),
        broken(Broken::OthersIsAbsent, same_secret(A3)),
        broken(Broken::PostsUntilThere, namespace_deleted(A3, Block, 1)),
        broken(Broken::EpochsReused, restored(A3, Block, Restore::OperatorsStopped, 1)),
        broken(Broken::ReplayIgnoresAge, forgets(Block, Forgets::AsPromised, 1)),
    ]
}
