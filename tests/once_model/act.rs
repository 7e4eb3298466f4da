//! An operator makes the call that it has decided on.

use crate::broken::Broken;
use crate::compact::{
    Class, Key, KeySet, Memory, ObjectSeen, Post, Published, Secret, Seen, Slots, Step, Verdict,
};
use crate::config::{Config, Second};
use crate::translate::Rules;
use crate::world::{Breach, IDLE, World};
use storekeeper::operator::key::once::Minted;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Answered,
    Lost,
}

impl World {
    /// Operator `index` makes the call that it has decided on. False: not possible now.
    pub fn act(&mut self, config: &Config, index: usize, outcome: Outcome) -> bool {
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
                if me.memory == Memory::Nothing && config.second == Second::Recreated {
                    me.subject = u8::from(self.recreated);
                }
                let object = self.object(me.subject);
                me.seen =
                    Seen { object: object.map_or(ObjectSeen::Gone, ObjectSeen::Found), ..Seen::default() };
                (me.fresh, me.fresh_in_backup) = (true, self.restore.object_kept());
                if object.is_some() {
                    me.memory = config.rules.after_object_found(me.memory);
                }
                me.decide(&config.rules);
            }
            Step::GetSecret => {
                me.seen.secret = Some(self.secret_for(config, me.subject));
                (me.same, me.same_in_backup) = (true, self.restore.secret_kept());
                let deleting = matches!(me.seen.object, ObjectSeen::Found(object) if object.deleting);
                let living = matches!(me.seen.object, ObjectSeen::Found(_)) && !deleting;
                me.decide(&config.rules);
                // What holds a pair may clean up; nothing else has any business with the provider.
                if self.secret.seen_for(me.subject) == Secret::Foreign && living && me.step.begins() {
                    self.breach(Breach::CalledDespiteForeign);
                }
            }
            _ => {
                let keys = self.keys_for(config, me.subject);
                let ignored = config.broken(Broken::ReplayIgnoresAge);
                me.seen.keys = Some(keys);
                me.seen.old = if ignored { KeySet::EMPTY } else { self.old.in_both(keys) };
                me.decide(&config.rules);
                if let Step::Mint(asked) = me.step
                    && !self.may_be_asked_again(asked)
                {
                    self.breach(Breach::AskedTooLate);
                }
            }
        }
        self.operators[index] = me;
    }

    /// A write of the object, with the resourceVersion read.
    fn write(&mut self, config: &Config, index: usize, step: Step, outcome: Outcome) -> bool {
        let rules = &config.rules;
        let mut me = self.operators[index];
        if let (Step::Record { key, .. }, ObjectSeen::Found(object)) = (step, me.seen.object)
            && !object.recorded(key)
            && me.memory != Memory::Placed(key)
            && me.seen.keys.is_none_or(|keys| !keys.has(key))
        {
            self.breach(Breach::RecordedUnseen);
        }
        let no_intent = config.broken(Broken::NoIntent) || config.broken(Broken::CheckThenUpsert);
        let skip = no_intent && matches!(step, Step::WriteIntent(_));
        let step = match step {
            Step::WriteIntent(key) => {
                let Some(key) = self.drawn(config, key, skip) else { return false };
                Step::WriteIntent(key)
            }
            other => other,
        };
        let done = !skip && me.fresh && self.write_object(config, me.subject, step);
        match step {
            Step::WriteIntent(key) if done || skip => {
                self.used = self.used.with(key);
                if outcome == Outcome::Answered {
                    me.memory = Memory::Intent(key);
                }
            }
            Step::CloseIssue => me.memory = Memory::Nothing,
            Step::Record { .. } if matches!(me.memory, Memory::Pair { .. }) && rules.class == Class::B => {
                me.memory = Memory::Nothing;
            }
            _ => {}
        }
        let object = self.object(me.subject).map_or(ObjectSeen::Gone, ObjectSeen::Found);
        match step {
            Step::AddFinalizer if done => me.seen = Seen { object, ..Seen::default() },
            Step::Record { .. } if done => me.seen.object = object,
            _ => me.seen = Seen::default(),
        }
        (me.fresh, me.fresh_in_backup) = (done, false);
        me.decide(rules);
        self.operators[index] = me;
        true
    }

    /// The key of an attempt that is about to be written: a nonce that never was.
    fn drawn(&self, config: &Config, attempt: Key, skipped: bool) -> Option<Key> {
        if skipped {
            return self.unused(config, attempt);
        }
        let second_history = self.restore.done && config.rules.slots == Slots::Histories;
        Some(if second_history { attempt.upper() } else { attempt })
    }

    /// Compare-and-swap has been checked by the caller. True if the object was there.
    fn write_object(&mut self, config: &Config, subject: u8, step: Step) -> bool {
        let Some(mut object) = self.object(subject) else { return false };
        match step {
            Step::AddFinalizer => object.finalizer = true,
            Step::WriteIntent(key) => (object.issue, object.issue_open) = (Some(key), true),
            Step::CloseIssue => object.issue_open = false,
            Step::Record { epoch, key } => {
                object.published = Some(Published { epoch, key });
                (object.issue_open, object.verdict) = (false, Some(Verdict::Ready));
                self.note_recorded(config, key);
            }
            Step::Report(verdict) => object.verdict = Some(verdict),
            Step::RemoveFinalizer => object.finalizer = false,
            _ => return false,
        }
        self.objects[usize::from(subject)] = (object.finalizer || !object.deleting).then_some(object);
        self.object_written(subject);
        true
    }

    fn call(&mut self, config: &Config, index: usize, step: Step, outcome: Outcome) -> bool {
        let rules = &config.rules;
        let upsert = config.broken(Broken::Upsert) || config.broken(Broken::CheckThenUpsert);
        let mut me = self.operators[index];
        match step {
            Step::Mint(asked) => {
                let made = self.make_key(config, asked);
                let answer = match outcome {
                    Outcome::Answered => Rules::minted(made),
                    Outcome::Lost => Minted::Unknown,
                };
                me.memory = rules.after_mint(me.memory, asked, answer);
            }
            Step::Put(key) => {
                self.make_key(config, key);
                me.memory = match outcome {
                    Outcome::Lost => Memory::Nothing,
                    Outcome::Answered if self.live.has(key) => Memory::Placed(key),
                    Outcome::Answered => Memory::PutRefused(key),
                };
            }
            Step::PostNew(like) => {
                let Some(key) = self.unused(config, like) else { return false };
                if self.create_secret(key, upsert) {
                    self.used = self.used.with(key);
                    if outcome == Outcome::Answered {
                        me.memory = Memory::Chosen(key);
                    }
                } else if config.broken(Broken::NewPairOnExists) {
                    self.used = self.used.with(key);
                    self.make_key(config, key);
                    me.memory = Memory::Pair { key, posted: Post::NotYet };
                }
            }
            Step::PostSecret(key) => {
                let created = self.create_secret(key, upsert);
                me.memory = rules.after_post(me.memory, created && outcome == Outcome::Answered);
            }
            Step::Revoke(keys) => {
                let Some(key) = keys.iter().next() else { return false };
                self.revoke(config, me.subject, key);
                let left = keys.without(key);
                if !left.is_empty() {
                    me.step = Step::Revoke(left);
                    self.operators[index] = me;
                    return true;
                }
            }
            Step::RevokeOwn(key) => {
                self.revoke(config, me.subject, key);
                me.memory = Memory::Nothing;
            }
            Step::StartOver => me.memory = Memory::Nothing,
            Step::DeleteSecret => {
                if self.secret != Secret::Absent && (me.same || config.broken(Broken::DeleteWithoutUid)) {
                    self.delete_secret(config, me.subject);
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

    /// The operator gives up on a call that may be executed yet.
    pub fn goes_late(&mut self, config: &Config, index: usize) -> Option<()> {
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
                me.memory = config.rules.after_post(me.memory, false);
                me.start_over(&config.rules);
            }
            _ => return None,
        }
        Some(())
    }
}
