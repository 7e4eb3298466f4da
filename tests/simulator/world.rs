//! The world that operators run in: the servers, what is remembered of them, chance, and who is alive.

use crate::chance::Chance;
use crate::clock;
use crate::cluster::objects::Looseness;
use crate::cluster::{Answer, Cluster, Place, Request};
use crate::ledger::{Ledger, Who};
use crate::plan::Plan;
use crate::tally::{Fault, Tally};
use crate::trace::Trace;
use crate::vault::{Faithlessness, Vault};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

pub use crate::tally::Point;

pub const NAMESPACE: &str = "team";
pub const NAME: &str = "app";
pub const CLUSTER: &str = "c0000000-0000-4000-8000-000000000000";

/// Ways in which something other than the servers could break its word: for the controls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sabotage {
    pub cluster: Looseness,
    pub provider: Faithlessness,
    /// Every nonce is the same.
    pub stuck_nonce: bool,
    /// No promise broken, and nothing else happens: every answer of the API server takes almost two seconds.
    pub slow_cluster: bool,
}

/// One life of one operator's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    pub operator: usize,
    pub number: u64,
}

/// An operator as the world sees it.
pub struct Process {
    pub life: u64,
    pub frozen_until: u64,
    pub watch_stalled_until: u64,
    pub killed: Arc<Notify>,
    pub told_to_stop: Arc<Notify>,
    /// There is something to watch.
    pub news: Arc<Notify>,
}

pub struct World {
    pub chance: Chance,
    pub trace: Trace,
    pub plan: Plan,
    pub sabotage: Sabotage,
    pub cluster: Cluster,
    pub vault: Vault,
    pub ledger: Ledger,
    pub tally: Tally,
    pub processes: Vec<Process>,
    /// Requests, collections and the like that are not over.
    pub under_way: usize,
    /// No faults any more.
    pub calm: bool,
    pub provider_down_until: u64,
    /// Whether the StorageUser is Ready.
    pub gate_open: bool,
    /// What must never happen, and has.
    pub breach: Option<String>,
    pub over: Arc<Notify>,
    /// The Secret that was deleted last by a person.
    pub backup: Option<Value>,
}

/// The world, shared.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub fn new(seed: u64, readable: bool, sabotage: Sabotage) -> Self {
        let mut chance = Chance::new(seed);
        let plan = Plan::of(&mut chance);
        let plan = if sabotage.slow_cluster { plan.undisturbed() } else { plan };
        let process = || Process {
            life: 0,
            frozen_until: 0,
            watch_stalled_until: 0,
            killed: Arc::default(),
            told_to_stop: Arc::default(),
            news: Arc::default(),
        };
        let world = World {
            trace: Trace::new(readable),
            sabotage,
            cluster: Cluster::new(sabotage.cluster),
            vault: Vault::new(chance.fork(), plan.class, sabotage.provider),
            ledger: Ledger::default(),
            tally: Tally::default(),
            processes: (0..plan.operators).map(|_| process()).collect(),
            under_way: 0,
            calm: false,
            provider_down_until: 0,
            gate_open: true,
            breach: None,
            over: Arc::default(),
            backup: None,
            chance,
            plan,
        };
        Self(Arc::new(Mutex::new(world)))
    }

    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out a request at the API server, and judges what it did.
    pub fn execute(&self, world: &mut World, who: Who, request: &Request) -> Answer {
        world.judge(|_, _| Ledger::judge_request(who, request));
        let from = world.cluster.history.len();
        let answer = request.execute(&mut world.cluster);
        self.aftermath(world, who, from);
        answer
    }

    /// Judges the changes since `from`, tells watches of them, and has garbage collected.
    pub fn aftermath(&self, world: &mut World, who: Who, from: usize) {
        for index in from..world.cluster.history.len() {
            let change = world.cluster.history[index].clone();
            world.judge(|ledger, world| ledger.judge_change(who, &change, world));
        }
        let length = world.cluster.history.len();
        if length == from {
            return;
        }
        world.tell_watches();
        if !world.cluster.garbage().is_empty() {
            let pause = Duration::from_millis(world.chance.between(20, 150));
            world.under_way += 1;
            let shared = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                shared.collect_garbage();
            });
        }
    }

    fn collect_garbage(&self) {
        let mut world = self.lock();
        world.under_way -= 1;
        for place in world.cluster.garbage() {
            world.say("collector", || format!("deletes {}", place.name));
            world.tally.reached("a Secret collected with its owner");
            let from = world.cluster.history.len();
            let _ = world.cluster.delete(&place, None);
            self.aftermath(&mut world, Who::System, from);
        }
    }
}

impl World {
    pub fn key_place() -> Place {
        Place::new("accesskeys", NAMESPACE, NAME)
    }

    pub fn secret_place() -> Place {
        Place::new("secrets", NAMESPACE, NAME)
    }

    pub fn say(&mut self, who: &str, what: impl FnOnce() -> String) {
        self.trace.say(clock::elapsed(), who, what);
    }

    pub fn is_alive(&self, life: Life) -> bool {
        self.processes[life.operator].life == life.number
    }

    /// Wakes the watches: in the order of the operators, which the seed alone decides.
    pub fn tell_watches(&self) {
        self.processes.iter().for_each(|process| process.news.notify_one());
    }

    /// The process dies: nothing that it does counts any more.
    pub fn kill(&mut self, life: Life) {
        if self.is_alive(life) {
            self.processes[life.operator].life += 1;
            self.processes[life.operator].killed.notify_one();
            self.tally.fault(Fault::Crash);
            self.say(&format!("operator {}", life.operator), || "crashes".to_owned());
        }
    }

    /// Lets the ledger look at the world and note what must not be.
    pub fn judge(&mut self, look: impl FnOnce(&mut Ledger, &Self) -> Result<(), String>) {
        let mut ledger = std::mem::take(&mut self.ledger);
        let verdict = look(&mut ledger, self);
        self.ledger = ledger;
        for situation in self.ledger.reached.drain(..) {
            self.tally.reached(situation);
        }
        if let Err(breach) = verdict {
            self.breach(breach);
        }
    }

    pub fn breach(&mut self, breach: String) {
        self.say("BREACH", || breach.clone());
        if self.breach.is_none() {
            self.breach = Some(breach);
            self.over.notify_one();
        }
    }
}
