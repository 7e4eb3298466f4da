//! People who interfere, and the controllers of the cluster: the garbage collector, the sweep of the StorageAccount, and
//! the controller that empties a namespace which is being deleted.
//!
//! In such a namespace every create is refused; Secrets go at once, AccessKeys when their finalizer is removed, in any
//! order.

use crate::action::Action;
use crate::compact::{Key, KeySet, Object, Secret};
use crate::config::{Config, Second};
use crate::world::World;

impl World {
    pub fn of_people(&self, config: &Config, actions: &mut Vec<Action>) {
        if self.person_deletes_secret > 0 && self.secret != Secret::Absent {
            actions.push(Action::PersonDeletesSecret);
        }
        if self.person_creates_foreign > 0 && self.secret == Secret::Absent && !self.terminating {
            actions.push(Action::PersonCreatesForeign);
        }
        if self.person_deletes_object {
            actions.extend(self.there().map(|(subject, _)| Action::PersonDeletesObject(subject)));
        }
        if self.person_revokes_key > 0 {
            actions.extend(self.live.iter().map(Action::PersonRevokesKey));
        }
        if config.second == Second::Recreated
            && !self.recreated
            && self.object(0).is_none()
            && !self.terminating
        {
            actions.push(Action::PersonRecreates);
        }
        if config.namespace_deleted && !self.terminating {
            actions.push(Action::PersonDeletesNamespace);
        }
    }

    pub fn person(&mut self, action: Action) -> Option<()> {
        match action {
            Action::PersonDeletesSecret => {
                self.person_deletes_secret -= 1;
                self.take_secret_away();
            }
            Action::PersonCreatesForeign => {
                self.person_creates_foreign -= 1;
                self.secret = Secret::Foreign;
            }
            Action::PersonDeletesObject(subject) => {
                self.person_deletes_object = false;
                self.restore.give_up();
                self.delete_object(subject)?;
            }
            Action::PersonRevokesKey(key) => {
                self.person_revokes_key -= 1;
                self.person_spoils(key);
                self.live = self.live.without(key);
                self.tombs = self.tombs.with(key);
            }
            Action::PersonRecreates => {
                self.recreated = true;
                self.objects[1] = Some(Object::default());
            }
            Action::PersonDeletesNamespace => self.terminating = true,
            _ => return None,
        }
        Some(())
    }

    /// The deletionTimestamp; without a finalizer it is gone.
    fn delete_object(&mut self, subject: u8) -> Option<()> {
        let object = self.object(subject)?;
        let deleting = Object { deleting: true, ..object };
        self.objects[usize::from(subject)] = object.finalizer.then_some(deleting);
        self.object_written(subject);
        Some(())
    }

    /// By somebody who is not us.
    fn take_secret_away(&mut self) {
        if let Secret::Ours(key) = self.secret {
            self.person_spoils(key);
        }
        self.secret_deleted();
    }

    pub fn of_controllers(&self, config: &Config, actions: &mut Vec<Action>) {
        if self.is_ownerless() && !config.rules.retain {
            actions.push(Action::CollectGarbage);
        }
        if config.account_sweep && !self.orphans().is_empty() {
            actions.push(Action::AccountSweep);
        }
        if self.terminating {
            let left = self.there().filter(|(_, object)| !object.deleting);
            actions.extend(left.map(|(subject, _)| Action::NamespaceDeletesObject(subject)));
            if self.secret != Secret::Absent {
                actions.push(Action::NamespaceDeletesSecret);
            }
        }
    }

    pub fn controller(&mut self, action: Action) -> Option<()> {
        match action {
            Action::CollectGarbage => self.secret_deleted(),
            Action::AccountSweep => {
                for key in self.orphans().iter() {
                    self.live = self.live.without(key);
                }
            }
            Action::NamespaceDeletesObject(subject) => self.delete_object(subject)?,
            Action::NamespaceDeletesSecret => self.take_secret_away(),
            _ => return None,
        }
        Some(())
    }

    /// Whether the Secret belongs to an AccessKey that is gone.
    pub fn is_ownerless(&self) -> bool {
        matches!(self.secret, Secret::Ours(key) if self.object(key.subject()).is_none())
    }

    /// Keys of an AccessKey that is gone, but for one that the Secret holds.
    pub fn orphans(&self) -> KeySet {
        let gone = |key: &Key| self.object(key.subject()).is_none();
        let held = |key: &Key| self.secret == Secret::Ours(*key);
        self.live.iter().filter(|key| gone(key) && !held(key)).fold(KeySet::EMPTY, KeySet::with)
    }

    /// Whether the controller of the namespace is not done yet with what it can do itself.
    pub fn namespace_has_work(&self) -> bool {
        self.secret != Secret::Absent || self.there().any(|(_, object)| !object.deleting)
    }

    /// All that these controllers would do now.
    pub fn clean_up(&mut self, config: &Config) {
        if self.is_ownerless() && !config.rules.retain {
            self.secret_deleted();
        }
        if self.terminating {
            if self.secret != Secret::Absent {
                self.take_secret_away();
            }
            for subject in [0, 1] {
                if self.object(subject).is_some_and(|object| !object.deleting) {
                    let _ = self.delete_object(subject);
                }
            }
        }
    }
}
