//! What a seed stands for: the rules of the AccessKey, who takes part, which faults there are and what people do.

use crate::chance::Chance;

/// How a provider makes keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It makes pairs and shows them once (A3).
    Shows,
    /// It shows them again to whoever has the idempotency key (A1).
    Remembers,
    /// It takes pairs (B).
    Takes {
        /// It never takes an id that was revoked again.
        tombstones: bool,
    },
}

impl Class {
    fn of(chance: &mut Chance) -> Self {
        match chance.between(0, 999) {
            0..400 => Self::Remembers,
            400..700 => Self::Shows,
            other => Self::Takes { tombstones: other < 850 },
        }
    }
}

/// A schedule's setting. Everything else follows from the generator in [`crate::world::World`].
#[derive(Clone, Debug)]
pub struct Plan {
    /// How the provider makes keys.
    pub class: Class,
    /// `onSecretLoss: Reissue`.
    pub reissue: bool,
    /// `deletionPolicy: Retain`.
    pub retain: bool,
    /// Operators at the same time, without a lock.
    pub operators: usize,
    /// A foreign Secret has the name from the beginning.
    pub foreign_first: bool,
    /// Requests execute while their caller still waits, or never.
    pub bounded: bool,
    /// How many of a thousand calls meet a fault.
    pub faults: u64,
    /// How many of a thousand calls are slow.
    pub slow: u64,
    /// Whether operators crash, freeze and are stopped.
    pub crashes: bool,
    /// What people do, and when.
    pub people: Vec<(u64, Deed)>,
    /// When the last fault is over, milliseconds.
    pub calm_from: u64,
}

/// What a person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    DeleteSecret,
    /// Puts the Secret back that was deleted last, as a backup would.
    RestoreSecret,
    CreateForeign,
    DeleteForeign,
    RevokeKey,
    DeleteObject,
    CreateObject,
    AskForReissue,
    DeleteNamespace,
    /// The StorageUser is not Ready for a while.
    CloseGate,
    OpenGate,
    /// One operator is told to stop (SIGTERM), and starts anew.
    Restart,
    /// One operator's process is not scheduled for a while.
    Freeze,
    /// One operator's watches hang for a while.
    StallWatch,
    /// The provider does not answer for a while.
    ProviderDown,
}

const DEEDS: [Deed; 17] = [
    Deed::DeleteSecret,
    Deed::DeleteSecret,
    Deed::RestoreSecret,
    Deed::CreateForeign,
    Deed::DeleteForeign,
    Deed::RevokeKey,
    Deed::DeleteObject,
    Deed::DeleteObject,
    Deed::CreateObject,
    Deed::AskForReissue,
    Deed::DeleteNamespace,
    Deed::CloseGate,
    Deed::OpenGate,
    Deed::Restart,
    Deed::Freeze,
    Deed::StallWatch,
    Deed::ProviderDown,
];

impl Plan {
    pub fn of(chance: &mut Chance) -> Self {
        let faults = chance.pick(&[0, 20, 60, 120, 250]);
        let calm_from = chance.pick(&[5_000, 30_000, 90_000, 240_000]);
        let number = chance.pick(&[0, 1, 1, 2, 2, 3, 4, 6]);
        let mut people: Vec<(u64, Deed)> =
            (0..number).map(|_| (Self::moment(chance, calm_from), chance.pick(&DEEDS))).collect();
        people.sort_by_key(|(at, _)| *at);
        Self {
            class: Class::of(chance),
            reissue: chance.permille(400),
            retain: chance.permille(250),
            operators: if chance.permille(600) { 2 } else { 1 },
            foreign_first: chance.permille(60),
            bounded: chance.permille(600),
            faults,
            slow: chance.pick(&[0, 30, 150, 400]),
            crashes: chance.permille(500),
            people,
            calm_from,
        }
    }

    /// The same with nothing in the way, for four minutes.
    pub fn undisturbed(self) -> Self {
        let people = Vec::new();
        Self { foreign_first: false, faults: 0, slow: 0, crashes: false, people, calm_from: 240_000, ..self }
    }

    /// Half of what people do falls into the first second, when a key is made.
    fn moment(chance: &mut Chance, calm_from: u64) -> u64 {
        if chance.permille(500) { chance.between(0, 1_000) } else { chance.between(0, calm_from) }
    }
}
