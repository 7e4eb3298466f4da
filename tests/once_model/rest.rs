//! When the world is at rest, and whether it gets there.

use crate::act::Outcome;
use crate::compact::{Class, Memory, ObjectSeen, Post, Secret, Seen, Step};
use crate::config::{Config, Lateness};
use crate::world::{IDLE, World};

/// Calls within which an undisturbed operator must have come to rest.
const LONG_ENOUGH: usize = 120;

impl World {
    /// Everything was read live, just now: what would an operator do about the object?
    pub fn decide_now(&self, config: &Config, subject: u8) -> Step {
        let seen = Seen {
            object: self.object(subject).map_or(ObjectSeen::Gone, ObjectSeen::Found),
            secret: Some(self.secret_for(config, subject)),
            keys: Some(self.keys_for(config, subject)),
            old: self.old,
        };
        match config.rules.next(subject, &seen, Memory::Nothing) {
            // It would be refused.
            Step::Put(key) if config.tombstones && self.tombs.has(key) => {
                config.rules.next(subject, &seen, Memory::PutRefused(key))
            }
            step => step,
        }
    }
    /// Nothing is in flight, and nobody but operators is at work.
    fn undisturbed(&self, config: &Config) -> bool {
        let ownerless = matches!(self.secret, Secret::Ours(key) if self.object(key.subject()).is_none());
        let collectable = ownerless && !config.rules.retain;
        let sweepable = config.account_sweep && !self.orphans().is_empty();
        self.late.is_empty()
            && self.late_posts.is_empty()
            && !collectable
            && !sweepable
            && !(self.terminating && self.namespace_has_work())
    }
    pub fn quiet(&self, config: &Config) -> bool {
        self.operators.iter().all(|operator| *operator == IDLE) && self.undisturbed(config)
    }
    /// Nothing in flight, nobody at work, and a pass would find nothing to do.
    pub fn at_rest(&self, config: &Config) -> bool {
        self.quiet(config) && self.nothing_to_do(config)
    }
    fn nothing_to_do(&self, config: &Config) -> bool {
        self.there().all(|(subject, _)| matches!(self.decide_now(config, subject), Step::Rest(_)))
    }
    /// If from here on nothing fails and one operator works alone, from whatever it is at, does it come to rest?
    /// `None`: others are at work.
    pub fn converges(&self, config: &Config) -> Option<bool> {
        let busy = self.operators.iter().filter(|operator| **operator != IDLE).count();
        if busy > 1 || !self.undisturbed(config) {
            return None;
        }
        let mut world = *self;
        // Sorted: an idle one may come first or last.
        let worker = self.operators.iter().position(|operator| *operator != IDLE).unwrap_or(0);
        for _ in 0..LONG_ENOUGH {
            if world.operators[worker] == IDLE {
                let unfinished = world
                    .there()
                    .find(|(subject, _)| !matches!(world.decide_now(config, *subject), Step::Rest(_)));
                let Some((subject, _)) = unfinished else { return Some(true) };
                world.operators[worker].subject = subject;
            }
            if !world.act(config, worker, Outcome::Answered) {
                // The bounds on attempts and pairs: not the protocol's fault.
                return Some(matches!(world.operators[worker].step, Step::PostNew(_) | Step::OutOfAttempts));
            }
            // What is collected, or taken away with the namespace, goes on too.
            if world.operators[worker] == IDLE {
                world.clean_up(config);
            }
        }
        Some(false)
    }
    /// Has operator `index` waited for long enough that nothing sent, or about to be sent, is left?
    pub fn drained(&self, config: &Config, index: usize) -> bool {
        if config.lateness == Lateness::Unbounded {
            return true;
        }
        let retain = config.rules.retain;
        let subject = self.operators[index].subject;
        let others = self.operators.iter().enumerate().filter(|(other, _)| *other != index);
        self.late.of(subject).is_empty()
            && (self.late_posts.of(subject).is_empty() || !retain)
            && others.map(|(_, operator)| operator).filter(|operator| operator.subject == subject).all(
                |operator| {
                    let aware = matches!(operator.seen.object, ObjectSeen::Found(object) if object.deleting);
                    let reading = matches!(operator.step, Step::GetSecret | Step::ListKeys) && !aware;
                    let posting =
                        matches!(operator.memory, Memory::Pair { posted: Post::NotYet | Post::Tried, .. });
                    let asking = match config.rules.class {
                        Class::A3 => matches!(operator.step, Step::Mint(_)),
                        Class::A1 => reading || matches!(operator.step, Step::Mint(_)),
                        Class::B => reading || matches!(operator.step, Step::Put(_) | Step::PostNew(_)),
                    };
                    !asking && !(retain && posting)
                },
            )
    }
}
