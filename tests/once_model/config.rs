//! What a world is made of: what may fail, what people may do, and within which bounds.

use crate::broken::Broken;
use crate::compact::{Class, OnLoss, Slots};
use crate::translate::Rules;

/// How long a request may take to execute after everybody gave up on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lateness {
    /// Waiting proves nothing.
    Unbounded,
    /// Waiting proves that nothing sent or about to be sent is left.
    Bounded,
}

/// The second AccessKey of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Second {
    None,
    /// Of the same name: a person makes it when the first is gone.
    Recreated,
    /// Of another name, and naming the same Secret: there from the start.
    SameSecret,
}

/// Whether etcd may be restored, once, to a backup taken at any moment before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restore {
    Never,
    /// While no operator runs.
    OperatorsStopped,
    /// Under operators that run, and that remember what is not true any more.
    OperatorsRunning,
}

/// A1: when the provider forgets which keys it has made for which requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgets {
    Never,
    /// Not before operators stop asking again.
    AsPromised,
    /// Whenever it likes.
    Early,
}

#[derive(Clone, Copy, Debug)]
pub struct Config {
    pub name: &'static str,
    pub rules: Rules,
    pub lateness: Lateness,
    /// A POST of a Secret that timed out may land later.
    pub late_posts: bool,
    /// B: a revoked key id can never be put again (Garage).
    pub tombstones: bool,
    /// A3: a request for a key may be executed twice.
    pub executed_twice: bool,
    pub forgets: Forgets,
    pub person_deletes_secret: u8,
    pub person_creates_foreign: u8,
    pub person_deletes_object: bool,
    /// A person revokes keys at the provider, behind our back.
    pub person_revokes_key: u8,
    pub starts_with_foreign: bool,
    /// The StorageAccount's sweep revokes keys of an AccessKey that is gone (orphanPolicy: Revoke).
    pub account_sweep: bool,
    pub second: Second,
    pub namespace_deleted: bool,
    pub restore: Restore,
    /// Count faults and allow this many; None: any number, uncounted.
    pub faults: Option<u8>,
    pub operators: usize,
}

impl Config {
    /// The plainest world: two operators without a lock, a person who deletes the Secret once.
    pub fn new(name: impl Into<String>, class: Class, on_loss: OnLoss) -> Self {
        let reissue = on_loss == OnLoss::Reissue;
        let rules = Rules {
            class,
            on_loss,
            retain: false,
            attempts: if reissue { 2 } else { 3 },
            epochs: if reissue { 2 } else { 1 },
            slots: Slots::Attempts,
            broken: None,
        };
        Self {
            name: name.into().leak(),
            rules,
            lateness: Lateness::Unbounded,
            late_posts: false,
            tombstones: false,
            executed_twice: false,
            forgets: Forgets::Never,
            person_deletes_secret: 1,
            person_creates_foreign: 0,
            person_deletes_object: false,
            person_revokes_key: 0,
            starts_with_foreign: false,
            account_sweep: false,
            second: Second::None,
            namespace_deleted: false,
            restore: Restore::Never,
            faults: None,
            operators: 2,
        }
    }

    /// A world in which the protocol is broken on purpose.
    pub fn control(broken: Broken, class: Class, on_loss: OnLoss) -> Self {
        let config = Self::new(format!("control/{broken:?}"), class, on_loss);
        Self { rules: Rules { broken: Some(broken), ..config.rules }, ..config }
    }

    /// The same by another name.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into().leak(), ..self }
    }

    pub fn with_attempts(self, attempts: u8) -> Self {
        Self { rules: Rules { attempts, ..self.rules }, ..self }
    }

    pub fn retained(self) -> Self {
        let rules = Rules { retain: true, ..self.rules };
        Self { rules, ..self.deleted() }
    }

    /// A person deletes the AccessKey, and waiting for long enough proves that nothing is under way.
    pub fn deleted(self) -> Self {
        Self { person_deletes_object: true, lateness: Lateness::Bounded, ..self }
    }

    /// Requests for a key may be executed twice.
    pub fn executed_twice(self) -> Self {
        let rules = Rules { slots: Slots::Executions, attempts: 2, ..self.rules };
        Self { rules, executed_twice: true, ..self }
    }

    pub fn broken(&self, broken: Broken) -> bool {
        self.rules.broken == Some(broken)
    }

    /// A1 and B remember which keys there were.
    pub fn remembers_revoked(&self) -> bool {
        self.rules.class == Class::A1 || self.tombstones
    }
}
