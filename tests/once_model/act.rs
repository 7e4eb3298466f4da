//! What happens next: an operator makes its call, something fails, a person interferes.

use crate::action::Action;
use crate::broken::Broken;
use crate::compact::{Class, Memory, ObjectSeen, Post, Published, Rules, Secret, Seen, Step, Verdict};
use crate::world::{Breach, Config, IDLE, Operator, World};
use stateright::{Model, Property};
use storekeeper::operator::key::once::{Minted, PostAnswer};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Answered,
    Lost,
}

impl World {
    /// Operator `index` makes the call that it has decided on. False: not possible now.
    fn act(&mut self, config: &Config, index: usize, outcome: Outcome) -> bool {
        let step = self.operators[index].step;
        if step.reads() {
            self.read(config, index, step);
            true
        } else if step.writes_object() {
            self.write(config, index, step, outcome)
        } else {
            self.call(config, index, step, outcome)
        }
    }

    fn read(&mut self, config: &Config, index: usize, step: Step) {
        let mut me = self.operators[index];
        match step {
            Step::GetObject => {
                me.seen = Seen {
                    object: self.object.map_or(ObjectSeen::Gone, ObjectSeen::Found),
                    ..Seen::default()
                };
                me.fresh = true;
                if self.object.is_some() {
                    me.memory = config.rules.after_object_found(me.memory);
                }
            }
            Step::GetSecret => {
                me.seen.secret = Some(self.secret);
                me.same = true;
            }
            _ => me.seen.keys = Some(self.live),
        }
        me.decide(&config.rules);
        self.operators[index] = me;
    }

    /// A write of the object, with the resourceVersion read.
    fn write(&mut self, config: &Config, index: usize, step: Step, outcome: Outcome) -> bool {
        let rules = &config.rules;
        let mut me = self.operators[index];
        if let (Step::Record { key, .. }, ObjectSeen::Found(object)) = (step, me.seen.object)
            && !object.recorded(key)
            && me.seen.keys.is_none_or(|keys| !keys.has(key))
        {
            self.breach(Breach::RecordedUnseen);
        }
        let skip = config.broken(Broken::NoIntent) && matches!(step, Step::WriteIntent(_));
        let done = !skip && me.fresh && self.write_object(step);
        match step {
            Step::WriteIntent(key) => {
                let Some(key) = (if skip { self.unused(config, key) } else { Some(key) }) else {
                    return false;
                };
                if done || skip {
                    self.used = self.used.with(key);
                    if outcome == Outcome::Answered {
                        me.memory = Memory::Intent(key);
                    }
                }
            }
            Step::CloseIssue => me.memory = Memory::Nothing,
            Step::Record { .. } if matches!(me.memory, Memory::Pair { .. }) && rules.class == Class::B => {
                me.memory = Memory::Nothing;
            }
            _ => {}
        }
        let object = self.object.map_or(ObjectSeen::Gone, ObjectSeen::Found);
        match step {
            Step::AddFinalizer if done => me.seen = Seen { object, ..Seen::default() },
            Step::Record { .. } if done => me.seen.object = object,
            _ => me.seen = Seen::default(),
        }
        me.fresh = done;
        me.decide(rules);
        self.operators[index] = me;
        true
    }

    /// Compare-and-swap has been checked by the caller. True if the object was there.
    fn write_object(&mut self, step: Step) -> bool {
        let Some(mut object) = self.object else { return false };
        match step {
            Step::AddFinalizer => object.finalizer = true,
            Step::WriteIntent(key) => (object.issue, object.issue_open) = (Some(key), true),
            Step::CloseIssue => object.issue_open = false,
            Step::Record { epoch, key } => {
                object.published = Some(Published { epoch, key });
                (object.issue_open, object.verdict) = (false, Some(Verdict::Ready));
            }
            Step::Report(verdict) => object.verdict = Some(verdict),
            Step::RemoveFinalizer => object.finalizer = false,
            _ => return false,
        }
        self.object = (object.finalizer || !object.deleting).then_some(object);
        self.object_written();
        true
    }

    fn call(&mut self, config: &Config, index: usize, step: Step, outcome: Outcome) -> bool {
        let rules = &config.rules;
        let mut me = self.operators[index];
        match step {
            Step::Mint(key) => {
                self.make_key(config, key);
                let answer = match outcome {
                    Outcome::Answered => Rules::minted(key),
                    Outcome::Lost => Minted::Unknown,
                };
                me.memory = rules.after_mint(me.memory, key, answer);
            }
            Step::Put(key) => {
                self.make_key(config, key);
                if !self.live.has(key) {
                    me.memory = Memory::PutRefused(key);
                }
            }
            Step::PostNew(like) => {
                let Some(key) = self.unused(config, like) else { return false };
                if self.create_secret(key, config.broken(Broken::Upsert)) {
                    self.used = self.used.with(key);
                } else if config.broken(Broken::NewPairOnExists) {
                    self.used = self.used.with(key);
                    self.make_key(config, key);
                    me.memory = Memory::Pair { key, posted: Post::NotYet, unanswered: false };
                }
            }
            Step::PostSecret(key) => {
                let created = self.create_secret(key, config.broken(Broken::Upsert));
                let answer = match outcome {
                    Outcome::Answered if created => PostAnswer::Created,
                    Outcome::Answered => PostAnswer::NotCreated,
                    Outcome::Lost => PostAnswer::Unknown,
                };
                me.memory = rules.after_post(me.memory, answer);
            }
            Step::Revoke(keys) => {
                let Some(key) = keys.iter().next() else { return false };
                self.revoke(config, key);
                let left = keys.without(key);
                if !left.is_empty() {
                    me.step = Step::Revoke(left);
                    self.operators[index] = me;
                    return true;
                }
            }
            Step::RevokeOwn(key) => {
                self.revoke(config, key);
                me.memory = Memory::Nothing;
            }
            Step::StartOver => me.memory = Memory::Nothing,
            Step::DeleteSecret => {
                if self.secret != Secret::Absent && (me.same || config.broken(Broken::DeleteWithoutUid)) {
                    self.delete_secret(config);
                }
            }
            Step::WaitOutRequests => {
                if !self.drained(config, index) {
                    return false;
                }
                me.memory = Memory::Drained;
            }
            _ => return false,
        }
        me.start_over(rules);
        self.operators[index] = me;
        true
    }

    /// If from here on nothing fails and one operator works alone, does it come to rest?
    pub fn converges(&self, config: &Config) -> bool {
        let mut world = *self;
        for _ in 0..80 {
            if matches!(world.decide_now(config), Step::Rest(_)) {
                return true;
            }
            if !world.act(config, 0, Outcome::Answered) {
                // The bound on pairs: not the protocol's fault.
                return matches!(world.operators[0].step, Step::PostNew(_));
            }
        }
        false
    }

    fn goes_late(&mut self, config: &Config, index: usize) -> Option<()> {
        let me = self.operators[index];
        match me.step {
            Step::Mint(key) | Step::Put(key) => {
                self.late = self.late.with(key);
                self.operators[index] = IDLE;
            }
            Step::PostNew(like) => {
                let key = self.unused(config, like)?;
                self.used = self.used.with(key);
                self.late_posts = self.late_posts.with(key);
                self.operators[index] = IDLE;
            }
            Step::PostSecret(key) => {
                self.late_posts = self.late_posts.with(key);
                let me = &mut self.operators[index];
                me.memory = config.rules.after_post(me.memory, PostAnswer::Unknown);
                me.start_over(&config.rules);
            }
            _ => return None,
        }
        Some(())
    }

    fn terminate(&mut self, config: &Config, index: usize) {
        self.operators[index] = match config.rules.stop(self.operators[index].memory) {
            step @ Step::RevokeOwn(_) => Operator { step, ..IDLE },
            _ => IDLE,
        };
        // The memory goes with the process; only the call that it still makes is left.
    }

    fn person(&mut self, action: Action) -> Option<()> {
        match action {
            Action::PersonDeletesSecret => {
                self.person_deletes_secret -= 1;
                if let Secret::Ours(key) = self.secret {
                    self.person_spoils(key);
                }
                self.secret_deleted();
            }
            Action::PersonCreatesForeign => {
                self.person_creates_foreign -= 1;
                self.secret = Secret::Foreign;
            }
            Action::PersonDeletesObject => {
                self.person_deletes_object = false;
                let mut object = self.object?;
                object.deleting = true;
                self.object = object.finalizer.then_some(object);
                self.object_written();
            }
            Action::PersonRevokesKey(key) => {
                self.person_revokes_key -= 1;
                self.person_spoils(key);
                self.live = self.live.without(key);
                self.tombs = self.tombs.with(key);
            }
            _ => return None,
        }
        Some(())
    }
}

impl Model for Config {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        let faulty = self.faults.is_none_or(|most| world.faults < most);
        for (index, operator) in world.operators.iter().enumerate().take(self.operators) {
            actions.push(Action::Do(index));
            if !faulty {
                continue;
            }
            if *operator != IDLE {
                actions.push(Action::Crash(index));
            }
            match operator.step {
                Step::WriteIntent(_) => actions.push(Action::LoseAnswer(index)),
                Step::Mint(_) => {
                    actions.extend([
                        Action::LoseAnswer(index),
                        Action::GoesLate(index),
                        Action::Refuse(index),
                    ]);
                    if self.rules.duplicates {
                        actions.push(Action::Twice(index));
                    }
                }
                Step::Put(_) => actions.push(Action::GoesLate(index)),
                Step::PostSecret(_) => {
                    actions.extend([Action::LoseAnswer(index), Action::Fail(index)]);
                }
                _ => {}
            }
            if self.late_posts && matches!(operator.step, Step::PostSecret(_) | Step::PostNew(_)) {
                actions.push(Action::GoesLate(index));
            }
            if self.sigterm && matches!(operator.memory, Memory::Pair { posted: Post::Tried, .. }) {
                actions.push(Action::Terminate(index));
            }
        }
        actions.extend(world.late.iter().flat_map(|key| [Action::ExecuteLate(key), Action::DropLate(key)]));
        actions
            .extend(world.late_posts.iter().flat_map(|key| [Action::LandPost(key), Action::DropPost(key)]));
        if world.person_deletes_secret > 0 && world.secret != Secret::Absent {
            actions.push(Action::PersonDeletesSecret);
        }
        if world.person_creates_foreign > 0 && world.secret == Secret::Absent {
            actions.push(Action::PersonCreatesForeign);
        }
        if world.person_deletes_object && world.object.is_some() {
            actions.push(Action::PersonDeletesObject);
        }
        if world.person_revokes_key > 0 {
            actions.extend(world.live.iter().map(Action::PersonRevokesKey));
        }
        if world.object.is_none() {
            if matches!(world.secret, Secret::Ours(_)) && !self.rules.retain {
                actions.push(Action::CollectGarbage);
            }
            if self.account_sweep && !world.live.is_empty() {
                actions.push(Action::AccountSweep);
            }
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = *last;
        world.faults += u8::from(self.faults.is_some() && action.is_fault());
        match action {
            Action::Do(index) if !world.act(self, index, Outcome::Answered) => return None,
            Action::LoseAnswer(index) if !world.act(self, index, Outcome::Lost) => return None,
            Action::Do(_) | Action::LoseAnswer(_) => {}
            Action::Twice(index) => {
                let Step::Mint(key) = world.operators[index].step else { return None };
                world.make_key(self, key.duplicate());
                world.act(self, index, Outcome::Answered);
            }
            Action::Crash(index) => world.operators[index] = IDLE,
            Action::Fail(index) => {
                let me = &mut world.operators[index];
                me.memory = self.rules.after_post(me.memory, PostAnswer::NotCreated);
                me.start_over(&self.rules);
            }
            Action::Refuse(index) => {
                let me = &mut world.operators[index];
                let Step::Mint(key) = me.step else { return None };
                me.memory = self.rules.after_mint(me.memory, key, Minted::Refused);
                me.start_over(&self.rules);
            }
            Action::GoesLate(index) => world.goes_late(self, index)?,
            Action::Terminate(index) => world.terminate(self, index),
            Action::ExecuteLate(key) => {
                world.late = world.late.without(key);
                world.make_key(self, key);
            }
            Action::DropLate(key) => world.late = world.late.without(key),
            Action::LandPost(key) => {
                world.late_posts = world.late_posts.without(key);
                world.create_secret(key, false);
            }
            Action::DropPost(key) => world.late_posts = world.late_posts.without(key),
            Action::CollectGarbage => world.secret_deleted(),
            Action::AccountSweep => world.live.0 = 0,
            person => world.person(person)?,
        }
        if !self.remembers_revoked() {
            world.tombs.0 = 0;
        }
        if self.operators == 2 && world.operators[0] > world.operators[1] {
            world.operators.swap(0, 1);
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        crate::properties::all()
    }
}
