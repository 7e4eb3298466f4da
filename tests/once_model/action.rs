//! What may happen in the world, as counter-examples tell it.

use crate::compact::Key;
use crate::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The operator makes its call and gets the answer.
    Do(usize),
    /// The same, of an idle operator that turns to the second AccessKey.
    TurnToSecond(usize),
    /// The call is executed, and the answer lost; of a Secret's creation: or it is executed a second time, and refused.
    LoseAnswer(usize),
    /// The call is executed twice, and the first answer arrives.
    Twice(usize),
    /// The operator gives up on a call that may still be executed.
    GoesLate(usize),
    /// The call is not executed; the operator starts over with its memory.
    Fail(usize),
    /// The provider refuses, definitely.
    Refuse(usize),
    /// The process ends, or is told to after its Secret was posted.
    Crash(usize),
    ExecuteLate(Key),
    DropLate(Key),
    LandPost(Key),
    DropPost(Key),
    PersonDeletesSecret,
    PersonCreatesForeign,
    PersonDeletesObject(u8),
    PersonRevokesKey(Key),
    /// A new AccessKey of the name of the one that is gone.
    PersonRecreates,
    PersonDeletesNamespace,
    NamespaceDeletesObject(u8),
    NamespaceDeletesSecret,
    CollectGarbage,
    AccountSweep,
    Backup,
    Restore,
    PairsAge,
    ProviderForgets,
}

impl Action {
    pub fn is_fault(self) -> bool {
        use Action::{Crash, Fail, GoesLate, LoseAnswer, Refuse, Twice};
        matches!(self, LoseAnswer(_) | Twice(_) | GoesLate(_) | Fail(_) | Refuse(_) | Crash(_))
    }
}

pub fn tell(world: &World, action: Action) -> String {
    use Action::{Crash, Do, Fail, GoesLate, LoseAnswer, Refuse, Twice};
    let who = |index: usize| format!("operator {index}: {:?}", world.operators[index].step);
    match action {
        Do(index) => who(index),
        LoseAnswer(index) => format!("{}, executed, answer lost", who(index)),
        Twice(index) => format!("{}, executed twice", who(index)),
        GoesLate(index) => format!("{}, times out, may execute later", who(index)),
        Fail(index) => format!("{}, fails, not executed", who(index)),
        Refuse(index) => format!("{}, refused", who(index)),
        Crash(index) => format!("{}: crashes before it", who(index)),
        other => format!("{other:?}"),
    }
}
