//! What must hold (I1 to I7), judged at every write at the servers by what the servers hold, never by what an operator
//! believes. [`rest`] says whether all has come to the end that it must come to.

pub mod rest;
mod writes;

use crate::cluster::objects::{is_deleting, text};
use crate::world::{NAMESPACE, World};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use storekeeper::provider::KeyWish;

/// Who has done something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Operator,
    Person,
    /// The garbage collector and the namespace controller.
    System,
}

/// What is remembered of one AccessKey, by uid.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// Every attempt that was ever written down: nonce, and epoch and attempt.
    pub intents: BTreeMap<String, (u64, u64)>,
    /// How often the key of a nonce was asked for.
    pub sent: BTreeMap<String, u64>,
    /// Secrets that somebody else took away, keys that somebody else revoked.
    pub spoiled: u64,
    pub key_revoked_by_hand: bool,
    /// What was published when it was last seen.
    pub published: Option<Published>,
    pub retain: bool,
}

/// `status.published`, as far as it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub epoch: u64,
    pub nonce: String,
    pub key: String,
    pub secret: String,
}

/// All that is remembered.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub subjects: BTreeMap<String, Subject>,
    /// The Secrets that operators made, by uid: their bytes.
    pub secrets: BTreeMap<String, Value>,
    /// A foreign Secret was there from the beginning, and still is.
    pub foreign_from_start: bool,
    /// Situations for the tally.
    pub reached: Vec<&'static str>,
}

pub type Judged = Result<(), String>;

impl Published {
    pub fn of(object: &Value) -> Option<Self> {
        let published = object.pointer("/status/published")?;
        Some(Self {
            epoch: published["epoch"].as_u64()?,
            nonce: text(published, "/nonce").to_owned(),
            key: text(published, "/accessKeyId").to_owned(),
            secret: text(published, "/secret/uid").to_owned(),
        })
    }
}

/// The AccessKey with that uid, as it is now.
pub fn object<'a>(world: &'a World, uid: &str) -> Option<&'a Value> {
    world.cluster.get(&World::key_place()).map(|object| &**object).filter(|object| uid_of(object) == uid)
}

pub fn uid_of(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

pub fn mark<'a>(secret: &'a Value, name: &str) -> &'a str {
    text(secret, &format!("/metadata/annotations/storekeeper.dev~1{name}"))
}

pub fn retains(object: &Value) -> bool {
    text(object, "/spec/deletionPolicy") == "Retain"
}

/// Whether what was published still counts: not while it is removed with its object.
fn is_protected(object: &Value) -> bool {
    !is_deleting(object) || retains(object)
}

impl Ledger {
    pub fn subject(&mut self, uid: &str) -> &mut Subject {
        self.subjects.entry(uid.to_owned()).or_default()
    }

    /// A person or a controller took away a Secret or a key of that AccessKey.
    pub fn spoil(&mut self, uid: &str) {
        self.subject(uid).spoiled += 1;
    }

    /// A request for a key is sent.
    pub fn judge_sending(&mut self, wish: &KeyWish, idempotent: bool) -> Judged {
        if self.foreign_from_start {
            return Err(
                "I6: the provider is asked for a key although a foreign Secret is in the way".to_owned()
            );
        }
        let subject = self.subject(&wish.owner.uid);
        let sent = subject.sent.entry(wish.nonce.clone()).or_default();
        *sent += 1;
        if *sent > 1 {
            if !idempotent {
                return Err(format!("the key of nonce {} is asked for {sent} times", wish.nonce));
            }
            self.reached.push("a key asked for again (A1)");
        }
        Ok(())
    }

    /// The provider is about to be asked to take a pair.
    pub fn judge_put(&mut self, wish: &KeyWish, id: &str, secret: &str) -> Judged {
        if self.foreign_from_start {
            return Err("I6: the provider is given a key although a foreign Secret is in the way".to_owned());
        }
        let made = self.secrets.values().find(|data| writes::id_in(data).as_deref() == Some(id));
        if made.and_then(writes::secret_in).as_deref() != Some(secret) {
            return Err(format!("pair {id} is put, and no Secret was made of it"));
        }
        *self.subject(&wish.owner.uid).sent.entry(wish.nonce.clone()).or_default() += 1;
        Ok(())
    }

    /// The provider has taken a pair.
    pub fn judge_taken(&mut self, wish: &KeyWish, id: &str, new: bool, world: &World) -> Judged {
        if !new {
            self.reached.push("a pair put again (B)");
            return Ok(());
        }
        if object(world, &wish.owner.uid).is_some() {
            return Ok(());
        }
        if world.plan.bounded {
            return Err(format!(
                "pair {id} is taken after its AccessKey was gone, though no request is that late"
            ));
        }
        self.reached.push("a pair taken after its AccessKey was gone (B)");
        Ok(())
    }

    /// The provider has executed a request for a key.
    pub fn judge_mint(&mut self, wish: &KeyWish, id: &str, new: bool, world: &World) -> Judged {
        let subject = self.subject(&wish.owner.uid);
        let intent = subject.intents.get(&wish.nonce).map(|(epoch, _)| *epoch);
        if intent != Some(u64::from(wish.epoch)) {
            return Err(format!("I5: key {id} of nonce {} was made without its intent", wish.nonce));
        }
        if object(world, &wish.owner.uid).is_some() || !new {
            return Ok(());
        }
        if world.plan.bounded {
            return Err(format!(
                "key {id} is made after its AccessKey was gone, though no request is that late"
            ));
        }
        self.reached.push("a key made after its AccessKey was gone");
        Ok(())
    }

    /// A key is about to be revoked by an operator.
    pub fn judge_revocation(&mut self, id: &str, world: &World) -> Judged {
        let Some(key) = world.vault.keys.get(id) else {
            return Err(format!("key {id}, which never was, is revoked"));
        };
        if key.revoked.is_some() {
            return Ok(());
        }
        let uid = &key.state.owner.uid;
        let secret = world.cluster.get(&World::secret_place());
        let held = secret
            .is_some_and(|secret| mark(secret, "owner-uid") == uid && mark(secret, "access-key-id") == id);
        let Some(object) = object(world, uid) else {
            let subject = self.subject(uid);
            let published = subject.published.as_ref().is_some_and(|published| published.key == id);
            if subject.retain && published && held {
                return Err(format!("key {id}, which is retained, is revoked"));
            }
            return Ok(());
        };
        let published = Published::of(object);
        let recorded = published.as_ref().is_some_and(|published| published.key == id);
        if recorded && is_protected(object) {
            return Err(format!("I3: key {id}, which is recorded, is revoked"));
        }
        let garbage = published
            .as_ref()
            .is_some_and(|published| u64::from(key.state.epoch) <= published.epoch && published.key != id);
        if held && !garbage && !is_deleting(object) {
            return Err(format!(
                "I3: key {id}, which is in the Secret, is revoked before its epoch is committed"
            ));
        }
        if garbage && held {
            self.reached.push("a loser's key revoked while its Secret is there");
        }
        self.reached.push("a key revoked");
        Ok(())
    }

    /// The keys at the provider that are not revoked, by the uid of their AccessKey.
    fn live(world: &World) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut live: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for key in world.vault.live() {
            live.entry(&key.state.owner.uid).or_default().insert(&key.state.access_key_id);
        }
        live
    }
}

/// Whether the Secret there belongs to one of our AccessKeys.
pub fn is_foreign(secret: &Value) -> bool {
    mark(secret, "owner-uid").is_empty() || text(secret, "/metadata/namespace") != NAMESPACE
}
