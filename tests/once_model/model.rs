//! What may happen next in a world.

use crate::act::Outcome;
use crate::action::Action;
use crate::compact::{KeySet, Step};
use crate::config::{Config, Second};
use crate::world::{IDLE, World};
use stateright::{Model, Property};
use storekeeper::operator::key::once::Minted;

impl Model for Config {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        let faulty = self.faults.is_none_or(|most| world.faults < most);
        for index in 0..self.operators {
            self.of_operator(world, index, faulty, actions);
        }
        actions.extend(world.late.iter().flat_map(|key| [Action::ExecuteLate(key), Action::DropLate(key)]));
        actions
            .extend(world.late_posts.iter().flat_map(|key| [Action::LandPost(key), Action::DropPost(key)]));
        world.of_people(self, actions);
        world.of_controllers(self, actions);
        world.of_backups(self, actions);
        world.of_the_replay_window(self, actions);
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = *last;
        world.faults += u8::from(self.faults.is_some() && action.is_fault());
        world.happen(self, action)?;
        if !self.remembers_revoked() {
            world.tombs = KeySet::EMPTY;
        }
        world.operators[..self.operators].sort_unstable();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        crate::properties::all(self)
    }
}

impl Config {
    fn of_operator(&self, world: &World, index: usize, faulty: bool, actions: &mut Vec<Action>) {
        let operator = world.operators[index];
        let idle = operator == IDLE;
        if idle && index > 0 && world.operators[index - 1] == IDLE {
            return; // what one idle operator does, any other would
        }
        actions.push(Action::Do(index));
        if idle && self.second == Second::SameSecret {
            actions.push(Action::TurnToSecond(index));
        }
        if !faulty {
            return;
        }
        if !idle {
            actions.push(Action::Crash(index));
        }
        match operator.step {
            Step::WriteIntent(_) => actions.push(Action::LoseAnswer(index)),
            Step::Mint(_) => {
                actions.extend([Action::LoseAnswer(index), Action::GoesLate(index), Action::Refuse(index)]);
                if self.executed_twice {
                    actions.push(Action::Twice(index));
                }
            }
            Step::Put(_) => actions.push(Action::GoesLate(index)),
            Step::PostSecret(_) => actions.extend([Action::LoseAnswer(index), Action::Fail(index)]),
            _ => {}
        }
        if self.late_posts && matches!(operator.step, Step::PostSecret(_) | Step::PostNew(_)) {
            actions.push(Action::GoesLate(index));
        }
    }
}

impl World {
    fn happen(&mut self, config: &Config, action: Action) -> Option<()> {
        let possible = match action {
            Action::Do(index) => self.act(config, index, Outcome::Answered),
            Action::LoseAnswer(index) => self.act(config, index, Outcome::Lost),
            Action::TurnToSecond(index) => {
                self.operators[index].subject = 1;
                self.act(config, index, Outcome::Answered)
            }
            Action::Twice(index) => {
                let Step::Mint(key) = self.operators[index].step else { return None };
                self.make_key(config, key.upper());
                self.act(config, index, Outcome::Answered)
            }
            Action::Crash(index) => {
                self.operators[index] = IDLE;
                true
            }
            Action::Fail(index) => {
                let me = &mut self.operators[index];
                me.memory = config.rules.after_post(me.memory, false);
                me.start_over(&config.rules);
                true
            }
            Action::Refuse(index) => {
                let me = &mut self.operators[index];
                let Step::Mint(key) = me.step else { return None };
                me.memory = config.rules.after_mint(me.memory, key, Minted::Refused);
                me.start_over(&config.rules);
                true
            }
            Action::GoesLate(index) => self.goes_late(config, index).is_some(),
            Action::ExecuteLate(_) | Action::DropLate(_) | Action::LandPost(_) | Action::DropPost(_) => {
                self.late_request(config, action).is_some()
            }
            Action::PersonDeletesSecret
            | Action::PersonCreatesForeign
            | Action::PersonDeletesObject(_)
            | Action::PersonRevokesKey(_)
            | Action::PersonRecreates
            | Action::PersonDeletesNamespace => self.person(action).is_some(),
            Action::CollectGarbage
            | Action::AccountSweep
            | Action::NamespaceDeletesObject(_)
            | Action::NamespaceDeletesSecret => self.controller(action).is_some(),
            Action::Backup => {
                self.back_up();
                true
            }
            Action::Restore => self.restore(config).is_some(),
            Action::PairsAge => {
                self.pairs_age();
                true
            }
            Action::ProviderForgets => {
                self.provider_forgets();
                true
            }
        };
        possible.then_some(())
    }

    /// What was sent long ago is executed, or never will be.
    fn late_request(&mut self, config: &Config, action: Action) -> Option<()> {
        match action {
            Action::ExecuteLate(key) | Action::DropLate(key) => self.late = self.late.without(key),
            Action::LandPost(key) | Action::DropPost(key) => self.late_posts = self.late_posts.without(key),
            _ => return None,
        }
        match action {
            Action::ExecuteLate(key) => {
                self.make_key(config, key);
            }
            Action::LandPost(key) => {
                self.create_secret(key, false);
            }
            _ => {}
        }
        Some(())
    }
}
