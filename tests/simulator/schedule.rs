//! One schedule from its seed to its end.

use crate::ledger::rest;
use crate::plan::Plan;
use crate::tally::Tally;
use crate::world::{Sabotage, Shared, World};
use crate::{clock, operator, people};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

/// When all must have come to rest after the last fault.
const LONGEST: u64 = 2 * 3_600_000;

/// What became of a schedule.
pub struct Outcome {
    /// Of everything that happened.
    pub hash: u64,
    pub tally: Tally,
    /// What must not have happened, or has not happened and should have.
    pub failure: Option<String>,
    pub plan: Plan,
    /// Line by line; empty unless it was asked for.
    pub lines: String,
    /// Virtual time, milliseconds.
    pub took: u64,
}

/// Runs a schedule.
pub fn run(seed: u64, readable: bool, sabotage: Sabotage) -> Outcome {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let shared = Shared::new(seed, readable, sabotage);
    let took = runtime.block_on(async {
        clock::start();
        live(&shared).await;
        clock::elapsed()
    });
    drop(runtime);
    let mut world = shared.lock();
    let world = &mut *world;
    let version = world.cluster.version();
    world.trace.mix(version);
    let lines = world.trace.lines();
    Outcome {
        hash: world.trace.hash(),
        tally: world.tally.clone().close(),
        failure: world.breach.clone(),
        plan: world.plan.clone(),
        lines,
        took,
    }
}

async fn live(shared: &Shared) {
    people::begin(shared);
    let (operators, over) = {
        let world = shared.lock();
        (world.plan.operators, Arc::clone(&world.over))
    };
    for operator in 0..operators {
        tokio::spawn(operator::supervise(shared.clone(), operator));
    }
    tokio::select! {
        biased;
        () = over.notified() => {}
        () = story(shared) => {}
    }
}

/// What happens, until all is at rest.
async fn story(shared: &Shared) {
    let (people, calm_from) = {
        let world = shared.lock();
        (world.plan.people.clone(), world.plan.calm_from)
    };
    for (at, deed) in people {
        sleep(Duration::from_millis(at.saturating_sub(clock::elapsed()))).await;
        people::does(shared, deed);
    }
    sleep(Duration::from_millis(calm_from.saturating_sub(clock::elapsed()))).await;
    people::calm(shared);
    let stays = shared.lock().chance.permille(60);
    let pause = settle(shared).await;
    if pause && stays {
        stay(shared).await;
    }
    end(shared);
}

/// Waits until all is at rest, and still is after a while.
async fn settle(shared: &Shared) -> bool {
    let (mut quiet, deadline) = (0, clock::elapsed() + LONGEST);
    loop {
        // Off the beat of timers.
        sleep(Duration::from_millis(if quiet > 0 { 45_300 } else { 20_700 })).await;
        let trouble = rest::unrest(&shared.lock());
        match trouble {
            None if quiet > 0 => return true,
            None => quiet += 1,
            Some(trouble) if clock::elapsed() > deadline => {
                shared.lock().breach(format!("not at rest after two hours: {trouble}"));
                return false;
            }
            Some(_) => quiet = 0,
        }
    }
}

/// Nothing more is written, however long one waits.
async fn stay(shared: &Shared) {
    sleep(Duration::from_mins(2)).await;
    let before = shared.lock().cluster.version();
    sleep(Duration::from_mins(25)).await;
    let _ = timeout(Duration::from_mins(1), answered(shared)).await;
    let mut world = shared.lock();
    let after = world.cluster.version();
    if before != after {
        world.breach(format!("{} writes although nothing changes", after - before));
    }
    if let Some(trouble) = rest::unrest(&world) {
        world.breach(format!("it did not stay at rest: {trouble}"));
    }
    world.tally.reached("nothing written in 25 minutes of rest");
}

/// Waits for an answer that is under way: a look at the Secret is due every minute, and changes nothing.
async fn answered(shared: &Shared) {
    while shared.lock().under_way > 0 {
        sleep(Duration::from_millis(20)).await;
    }
}

fn end(shared: &Shared) {
    let mut world = shared.lock();
    if let Some(breach) = rest::too_many_attempts(&world) {
        world.breach(breach);
    }
    let situation = situation(&world);
    world.tally.reached(situation);
}

fn situation(world: &World) -> &'static str {
    match people::reason(world) {
        Some("Ready") if world.vault.keys.len() > 1 => "at rest: Ready after a takeover or another epoch",
        Some("Ready") => "at rest: Ready",
        Some("SecretLost") => "at rest: SecretLost",
        Some("SecretNameConflict") => "at rest: SecretNameConflict",
        Some("KeyRevokedExternally") => "at rest: KeyRevokedExternally",
        Some("TooManyAttempts") => "at rest: TooManyAttempts",
        Some(_) => "at rest: something else",
        None if world.vault.live().next().is_some() => "at rest: gone, its key retained",
        None => "at rest: gone",
    }
}
