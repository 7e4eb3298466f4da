//! etcd is restored: the AccessKey and its Secret are again as they were when a backup was taken, at any moment, once.
//!
//! The provider does not go back. What is there again has the uid and the resourceVersion that it had in the backup, so
//! that whoever has read exactly that may still write; revisions that were given out since are not given out again
//! (etcd's restore is told to skip them). An attempt after the restore may have the number of one before it, but never
//! its nonce.
//!
//! What holds then: no dead key is Ready at rest, and no epoch's recorded Secret is replaced by another one, unless a
//! person or the policy asks for it. Two limits are exact. A backup that was taken after an attempt without a clear answer,
//! and before its epoch had a Secret, is like a crash at that moment: the attempt is followed by another, and a Secret that
//! was published since is replaced. And a key of an epoch that the status knows nothing of stays, unreported, until a later
//! epoch is committed or the AccessKey is deleted: it may be in use. Operators that run on while etcd goes back may, besides,
//! revoke or delete what they had decided on before; at rest this shows as `KeyRevokedExternally` or `SecretLost`.

use crate::action::Action;
use crate::compact::{EPOCHS, Key, Object, Secret};
use crate::config::{Config, Restore};
use crate::world::{Breach, IDLE, OPERATORS, World};

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Backup {
    object: Option<Object>,
    secret: Secret,
    /// Nobody has written the object since.
    object_kept: bool,
    /// The Secret has been there ever since.
    secret_kept: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Restored {
    backup: Option<Backup>,
    /// The backup was put back.
    pub done: bool,
    /// What was put back had had an attempt of this epoch without a clear answer, and no Secret yet.
    pub under_way: Option<u8>,
    /// The key that was recorded for each epoch, in whatever history.
    recorded: [Option<Key>; EPOCHS as usize],
}

impl Restored {
    pub fn object_written(&mut self) {
        if let Some(backup) = &mut self.backup {
            backup.object_kept = false;
        }
    }
    pub fn secret_deleted(&mut self) {
        if let Some(backup) = &mut self.backup {
            backup.secret_kept = false;
        }
    }
    /// A person gives up what was recorded.
    pub fn give_up(&mut self) {
        self.recorded = [None; EPOCHS as usize];
    }
    /// Whether the object is, to its resourceVersion, the one in the backup.
    pub fn object_kept(&self) -> bool {
        self.backup.is_some_and(|backup| backup.object_kept)
    }
    pub fn secret_kept(&self) -> bool {
        self.backup.is_some_and(|backup| backup.secret_kept)
    }
}

impl World {
    pub fn of_backups(&self, config: &Config, actions: &mut Vec<Action>) {
        if config.restore == Restore::Never || self.restore.done {
            return;
        }
        match self.restore.backup {
            None => actions.push(Action::Backup),
            Some(_) if config.restore == Restore::OperatorsRunning => actions.push(Action::Restore),
            Some(_) if self.operators == [IDLE; OPERATORS] => actions.push(Action::Restore),
            Some(_) => {}
        }
    }

    pub fn back_up(&mut self) {
        let secret_kept = self.secret != Secret::Absent;
        let [object, _] = self.objects;
        self.restore.backup = Some(Backup { object, secret: self.secret, object_kept: true, secret_kept });
        for operator in &mut self.operators {
            operator.fresh_in_backup = operator.fresh;
            operator.same_in_backup = operator.same;
        }
    }

    pub fn restore(&mut self, config: &Config) -> Option<()> {
        let backup = self.restore.backup.take()?;
        self.objects[0] = backup.object;
        self.secret = backup.secret;
        self.restore.done = true;
        let attempted = |object: Object| {
            let issue = object.issue.filter(|issue| !object.committed(issue.epoch()))?;
            let unclear = object.issue_open || config.rules.attempt_of(issue) > 1;
            (unclear && !matches!(backup.secret, Secret::Ours(_))).then_some(issue.epoch())
        };
        self.restore.under_way = backup.object.and_then(attempted);
        for operator in &mut self.operators {
            operator.fresh = std::mem::take(&mut operator.fresh_in_backup);
            operator.same = std::mem::take(&mut operator.same_in_backup);
        }
        Some(())
    }

    /// Is another key recorded for an epoch than was before, in whatever history, without a person who asked for it?
    pub fn note_recorded(&mut self, config: &Config, key: Key) {
        if config.restore == Restore::Never {
            return;
        }
        let recorded = &mut self.restore.recorded[usize::from(key.epoch() - 1)];
        let before = recorded.replace(key);
        let another = before.is_some_and(|before| before != key);
        if another && !self.spoiled(key) && self.restore.under_way != Some(key.epoch()) {
            self.breach(Breach::SilentSwap);
        }
    }
}
