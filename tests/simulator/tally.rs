//! What is counted over all schedules: calls, faults by kind, situations reached.

use std::collections::BTreeMap;

/// The calls of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    GetKey,
    GetSecret,
    Finalizer,
    DryRun,
    Status,
    PostSecret,
    DeleteSecret,
    Event,
    List,
    Mint,
    Put,
    Revoke,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The process dies before the request is executed, or after it.
    Crash,
    CrashAfter,
    /// The request is lost.
    DropBefore,
    /// The request is executed, the answer lost.
    DropAfter,
    /// The request is executed after its caller has given up.
    Late,
    /// The request is executed twice.
    Twice,
    /// Refusals: not executed.
    Conflict,
    Throttled,
    Unavailable,
    /// An error that proves nothing: not executed, or executed.
    Failed,
    FailedAfter,
    TimedOut,
    /// Executed; the answer breaks off.
    Cut,
    // Not of one call.
    Frozen,
    WatchStalled,
    ProviderDown,
    Stopped,
}

/// What can happen to one call.
pub const OF_CALLS: [Fault; 13] = [
    Fault::Crash,
    Fault::CrashAfter,
    Fault::DropBefore,
    Fault::DropAfter,
    Fault::Late,
    Fault::Twice,
    Fault::Conflict,
    Fault::Throttled,
    Fault::Unavailable,
    Fault::Failed,
    Fault::FailedAfter,
    Fault::TimedOut,
    Fault::Cut,
];

/// Counts, of one schedule or of many.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub calls: u64,
    pub faults: BTreeMap<Fault, u64>,
    pub situations: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub fn fault(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    /// How many faults there were.
    pub fn all_faults(&self) -> u64 {
        self.faults.values().sum()
    }

    pub fn reached(&mut self, situation: &'static str) {
        *self.situations.entry(situation).or_default() += 1;
    }

    /// The end of one schedule: a situation counts once.
    pub fn close(mut self) -> Self {
        self.situations.values_mut().for_each(|number| *number = 1);
        self
    }

    /// Takes over what another one counted.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        for (fault, number) in &other.faults {
            *self.faults.entry(*fault).or_default() += number;
        }
        for (situation, number) in &other.situations {
            *self.situations.entry(situation).or_default() += number;
        }
    }
}
