//! The way between an operator and a server: each request takes its time there and back, and meets its fault. What
//! happens to a request does not depend on whether its caller still waits, or lives.

use crate::clock;
use crate::tally::{Fault, OF_CALLS, Point};
use crate::world::{Life, Shared, World};
use std::future::pending;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// How long a caller waits.
pub const PATIENCE: u64 = 30_000;

/// What a caller gets.
pub enum Came<A> {
    Answer(A),
    /// The request was refused, or so it says.
    Refused(Fault),
    /// Nothing: the connection broke, or the time was up.
    Nothing,
    /// An answer that broke off.
    Cut(A),
}

/// An answer, in short.
pub trait Told: Clone + Send + 'static {
    fn code(&self) -> u16;
}

/// What will happen to one call.
#[derive(Clone, Copy)]
struct Fate {
    out: u64,
    back: u64,
    fault: Option<Fault>,
    /// Nothing comes back before the caller's time is up, instead of a connection that breaks.
    silent: bool,
    /// When it is executed late, or for the second time.
    again: u64,
    /// Executed twice: the second answer is the one that comes.
    second: bool,
}

/// One operator's connections.
#[derive(Clone)]
pub struct Wire {
    pub world: Shared,
    pub life: Life,
}

impl Wire {
    /// Sends one request.
    pub async fn carry<A: Told>(
        &self,
        point: Point,
        detail: impl FnOnce() -> String,
        execute: impl FnMut(&mut World) -> A + Send + 'static,
    ) -> Came<A> {
        let (answer, answered) = oneshot::channel();
        if let Some(fate) = self.send(point, detail) {
            let journey = Journey { wire: self.clone(), point, fate };
            tokio::spawn(journey.run(execute, answer));
        }
        match answered.await {
            Ok(came) => came,
            // The process is dead.
            Err(_) => pending().await,
        }
    }

    fn send(&self, point: Point, detail: impl FnOnce() -> String) -> Option<Fate> {
        let mut world = self.world.lock();
        if !world.is_alive(self.life) {
            return None;
        }
        let fate = fate(&mut world, point);
        world.tally.calls += 1;
        if let Some(fault) = fate.fault
            && fault != Fault::Crash
        {
            world.tally.fault(fault);
        }
        world.under_way += 1;
        world.trace.mix(clock::elapsed());
        world.trace.mix(self.life.operator as u64 * 64 + point as u64);
        world.trace.mix(fate.fault.map_or(99, |fault| fault as u64));
        world.say(&self.name(), || {
            let fault = fate.fault.map(|fault| format!("  !! {fault:?}")).unwrap_or_default();
            format!("{point:?} {}{fault}", detail())
        });
        Some(fate)
    }

    fn name(&self) -> String {
        format!("operator {}.{}", self.life.operator, self.life.number)
    }
}

/// How long each way to a slow API server takes: three calls are more than an intent's budget, two are less.
const SLOW: u64 = 900;

/// Draws what happens to a call.
fn fate(world: &mut World, point: Point) -> Fate {
    let (plan, chance) = (&world.plan, &mut world.chance);
    let slow = !world.calm && chance.permille(plan.slow);
    let longest = if slow { chance.pick(&[1_000, 4_000, 12_000]) } else { 20 };
    let mut fate = Fate {
        out: chance.between(1, longest),
        back: chance.between(1, longest),
        fault: None,
        silent: chance.permille(300),
        again: 0,
        second: chance.permille(500),
    };
    // A Secret that is retained has nothing that collects it: its POST is on its way for a bounded time.
    let bounded = plan.bounded || (plan.retain && point == Point::PostSecret);
    // Nobody waits any more once there is an answer: there it comes after the second execution.
    fate.second |= bounded;
    let latest = if bounded { PATIENCE - 1_000 - fate.out.min(PATIENCE - 2_000) } else { 600_000 };
    let soon = chance.permille(500);
    fate.again = chance.between(1, if soon { latest.min(3_000) } else { latest });
    if !world.calm && point != Point::Event && chance.permille(plan.faults) {
        let fault = chance.pick(&OF_CALLS);
        let crash = matches!(fault, Fault::Crash | Fault::CrashAfter);
        fate.fault = (plan.crashes || !crash).then_some(fault);
    }
    let provider = matches!(point, Point::List | Point::Mint | Point::Put | Point::Revoke);
    if world.sabotage.slow_cluster && !world.calm && !provider {
        (fate.out, fate.back) = (SLOW, SLOW);
    }
    if provider && clock::elapsed() < world.provider_down_until {
        fate.fault = Some(Fault::DropBefore);
    }
    fate
}

/// One request on its way.
struct Journey {
    wire: Wire,
    point: Point,
    fate: Fate,
}

impl Journey {
    async fn run<A: Told>(
        self,
        mut execute: impl FnMut(&mut World) -> A + Send + 'static,
        answer: oneshot::Sender<Came<A>>,
    ) {
        let Fate { out, back, fault, silent, again, second } = self.fate;
        if !matches!(self.point, Point::Mint | Point::Put | Point::PostSecret) {
            self.thaw().await; // a process that is frozen sends nothing
        }
        sleep(Duration::from_millis(out)).await;
        let executed = match fault {
            None
            | Some(Fault::CrashAfter | Fault::DropAfter | Fault::Twice | Fault::FailedAfter | Fault::Cut) => {
                Some(self.execute(&mut execute))
            }
            Some(_) => None,
        };
        if let Some(Fault::Crash | Fault::CrashAfter) = fault {
            self.wire.world.lock().kill(self.wire.life);
        }
        let mut came = came(fault, executed);
        if fault == Some(Fault::Twice) && second {
            sleep(Duration::from_millis(again.min(5_000))).await;
            came = Came::Answer(self.execute(&mut execute));
        } else if let Some(Fault::Twice | Fault::Late) = fault {
            self.wire.world.lock().under_way += 1;
            let late = Self { wire: self.wire.clone(), ..self };
            tokio::spawn(async move {
                sleep(Duration::from_millis(again)).await;
                late.execute(&mut execute);
                late.wire.world.lock().under_way -= 1;
            });
        }
        self.come_back(came, out, back, silent, answer).await;
    }

    async fn come_back<A: Told>(
        &self,
        came: Came<A>,
        out: u64,
        back: u64,
        silent: bool,
        answer: oneshot::Sender<Came<A>>,
    ) {
        let nothing = matches!(came, Came::Nothing);
        let in_time = out + back < PATIENCE && !(nothing && silent);
        let pause = if in_time { back } else { PATIENCE.saturating_sub(out) };
        sleep(Duration::from_millis(pause)).await;
        self.thaw().await;
        let came = if in_time { came } else { Came::Nothing };
        let mut world = self.wire.world.lock();
        world.under_way -= 1;
        if !world.is_alive(self.wire.life) {
            return;
        }
        let code = match &came {
            Came::Answer(answer) => answer.code(),
            Came::Refused(fault) => 1_000 + *fault as u16,
            Came::Nothing => 0,
            Came::Cut(_) => 1,
        };
        world.trace.mix(clock::elapsed());
        world.trace.mix(u64::from(code));
        let point = self.point;
        world.say(&self.wire.name(), || match &came {
            Came::Answer(_) => format!("  {point:?} answered {code}"),
            Came::Refused(fault) => format!("  {point:?} refused {fault:?}"),
            Came::Nothing => format!("  {point:?} not answered"),
            Came::Cut(_) => format!("  {point:?} answered in part"),
        });
        drop(world);
        let _ = answer.send(came);
    }

    fn execute<A: Told>(&self, execute: &mut impl FnMut(&mut World) -> A) -> A {
        let mut world = self.wire.world.lock();
        let answer = execute(&mut world);
        let (name, point, code) = (self.wire.name(), self.point, answer.code());
        world.trace.mix(u64::from(code));
        world.say("", || format!("{point:?} of {name} executed: {code}"));
        answer
    }

    /// Waits while the process is frozen.
    async fn thaw(&self) {
        loop {
            let until = self.wire.world.lock().processes[self.wire.life.operator].frozen_until;
            let now = clock::elapsed();
            if now >= until {
                return;
            }
            sleep(Duration::from_millis(until - now)).await;
        }
    }
}

fn came<A>(fault: Option<Fault>, executed: Option<A>) -> Came<A> {
    match (fault, executed) {
        (None | Some(Fault::Twice), Some(answer)) => Came::Answer(answer),
        (Some(Fault::Cut), Some(answer)) => Came::Cut(answer),
        (
            Some(
                fault @ (Fault::Conflict
                | Fault::Throttled
                | Fault::Unavailable
                | Fault::Failed
                | Fault::FailedAfter
                | Fault::TimedOut),
            ),
            _,
        ) => Came::Refused(fault),
        _ => Came::Nothing,
    }
}
