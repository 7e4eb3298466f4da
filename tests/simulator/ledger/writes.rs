//! What is judged at every request and every change at the API server.

use super::{Judged, Ledger, Published, Who, is_foreign, is_protected, mark, object, retains, uid_of};
use crate::cluster::objects::{is_deleting, text};
use crate::cluster::{Change, Request, Verb};
use crate::vault::CANARY;
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

impl Ledger {
    /// An operator's request is about to be executed.
    pub fn judge_request(who: Who, request: &Request) -> Judged {
        if who != Who::Operator {
            return Ok(());
        }
        let secret = request.place.resource == "secrets";
        match request.verb {
            Verb::Patch { .. } if secret => return Err("I2: a Secret is patched".to_owned()),
            Verb::Delete if secret && request.uid().is_none() => {
                return Err("I6: a Secret is deleted by name".to_owned());
            }
            Verb::Get => return Ok(()),
            Verb::Patch { .. } | Verb::Create { .. } | Verb::Delete => {}
        }
        let real_secret = secret && request.verb == Verb::Create { dry: false };
        if !real_secret {
            let text = request.body.to_string();
            if text.contains(CANARY) || text.contains(&STANDARD.encode(CANARY)) {
                return Err(format!("I7: a secret is written into {}", request.place.resource));
            }
        }
        Ok(())
    }

    /// Something has changed at the API server.
    pub fn judge_change(&mut self, who: Who, change: &Change, world: &World) -> Judged {
        let (before, after) = (change.before.as_deref(), change.after.as_deref());
        match (change.place.resource, before, after) {
            ("accesskeys", Some(before), Some(after)) => {
                self.judge_status(before, after, world)?;
                self.keep(after);
                Ok(())
            }
            ("accesskeys", None, Some(after)) => {
                self.keep(after);
                Ok(())
            }
            ("secrets", None, Some(after)) if who == Who::Operator => self.judge_secret(after, world),
            ("secrets", None, Some(after)) => {
                // One that is put back is as good as the one that was taken.
                if !is_foreign(after) {
                    self.secrets.insert(uid_of(after).to_owned(), after["data"].clone());
                }
                Ok(())
            }
            ("secrets", Some(before), Some(after)) if who == Who::Operator => {
                let foreign = is_foreign(before) && !is_foreign(after);
                let rule = if foreign { "I6: a foreign Secret" } else { "I2: a Secret" };
                Err(format!("{rule} is overwritten"))
            }
            ("secrets", Some(before), None) => self.judge_deletion(who, before, world),
            _ => Ok(()),
        }
    }

    fn keep(&mut self, object: &Value) {
        let subject = self.subject(uid_of(object));
        subject.retain = retains(object);
        subject.published = Published::of(object);
    }

    fn judge_status(&mut self, before: &Value, after: &Value, world: &World) -> Judged {
        let uid = uid_of(after);
        let place = |object: &Value| {
            let issue = object.pointer("/status/issue")?;
            Some((issue["epoch"].as_u64()?, issue["attempt"].as_u64()?))
        };
        let (old, new) = (place(before), place(after));
        if new < old {
            return Err(format!("I5: `status.issue` goes back from {old:?} to {new:?}"));
        }
        if let Some((epoch, attempt)) = new {
            let nonce = text(after, "/status/issue/nonce").to_owned();
            if attempt > 1 {
                self.reached.push("a second attempt");
            }
            if epoch > 1 {
                self.reached.push("a second epoch");
            }
            self.subject(uid).intents.insert(nonce, (epoch, attempt));
        }
        let (old, new) = (Published::of(before), Published::of(after));
        match (old, new) {
            (Some(_), None) => Err("`status.published` is cleared".to_owned()),
            (old, Some(new)) if old.as_ref() != Some(&new) => self.judge_record(uid, old, &new, world),
            _ => Ok(()),
        }
    }

    /// A Secret is recorded.
    fn judge_record(&mut self, uid: &str, old: Option<Published>, new: &Published, world: &World) -> Judged {
        let Published { epoch, nonce, key, secret } = new;
        let made = self.secrets.get(secret);
        if made.is_none_or(|data| id_in(data).as_deref() != Some(key)) {
            return Err(format!("Secret {secret} is recorded, which never held key {key}"));
        }
        let revoked = world.vault.keys.get(key).map(|key| key.revoked);
        match revoked {
            None => return Err(format!("key {key} is recorded, which never was")),
            Some(Some((_, Who::Operator))) => {
                return Err(format!("I3: key {key} is recorded, which we revoked"));
            }
            Some(Some((_, Who::Person | Who::System)) | None) => {}
        }
        let Some(old) = old else { return Ok(()) };
        if *epoch < old.epoch {
            return Err(format!("`status.published.epoch` goes back from {} to {epoch}", old.epoch));
        }
        if *nonce == old.nonce {
            self.reached.push("a Secret that came back");
            return Ok(());
        }
        if *epoch == old.epoch {
            return Err(format!("I2: another Secret is recorded for epoch {epoch}"));
        }
        if self.subject(uid).spoiled == 0 {
            return Err("I2: another Secret is recorded although nobody took away the first".to_owned());
        }
        Ok(())
    }

    /// An operator has created a Secret.
    fn judge_secret(&mut self, secret: &Value, world: &World) -> Judged {
        let (uid, id) = (mark(secret, "owner-uid"), mark(secret, "access-key-id"));
        let data = &secret["data"];
        let offer = world
            .vault
            .offered
            .get(id)
            .ok_or_else(|| format!("I1: a Secret names key {id}, which never was"))?;
        let whole = ["AWS_ENDPOINT_URL_S3", "AWS_REGION"].iter().all(|entry| data.get(entry).is_some());
        if !whole || id_in(data).as_deref() != Some(id) || secret_in(data).as_deref() != Some(&offer.secret) {
            return Err(format!("I1: the Secret of key {id} is not complete"));
        }
        if offer.owner != uid || offer.nonce != mark(secret, "nonce") {
            return Err(format!("the marks of the Secret of key {id} are another's"));
        }
        self.secrets.insert(uid_of(secret).to_owned(), data.clone());
        let Some(object) = object(world, uid) else {
            self.reached.push("a Secret created after its AccessKey was gone");
            return Ok(());
        };
        if retains(object) == secret.pointer("/metadata/ownerReferences").is_some() {
            return Err("a Secret is owned if it is not retained, and only then".to_owned());
        }
        let epoch: u64 = mark(secret, "epoch").parse().unwrap_or_default();
        let committed = Published::of(object).is_some_and(|published| published.epoch >= epoch);
        if committed && !is_deleting(object) && self.subject(uid).spoiled == 0 {
            return Err(format!("I2: another Secret is made for epoch {epoch}, which is committed"));
        }
        if committed {
            self.reached.push("a loser's Secret");
        }
        Ok(())
    }

    /// A Secret is gone.
    fn judge_deletion(&mut self, who: Who, secret: &Value, world: &World) -> Judged {
        let (uid, id) = (mark(secret, "owner-uid"), mark(secret, "access-key-id"));
        if is_foreign(secret) {
            self.foreign_from_start = false;
            let touched = who == Who::Operator;
            return if touched { Err("I6: a foreign Secret is deleted".to_owned()) } else { Ok(()) };
        }
        let object = object(world, uid);
        if who != Who::Operator {
            if object.is_some() || self.subject(uid).retain {
                self.spoil(uid);
            }
            return Ok(());
        }
        let live = world.vault.is_live(id);
        let Some(object) = object else {
            let subject = self.subject(uid);
            let recorded = subject.published.as_ref().is_some_and(|record| record.secret == uid_of(secret));
            if subject.retain && recorded && live {
                return Err("I2: a Secret that is retained is deleted".to_owned());
            }
            return Ok(());
        };
        if !is_protected(object) {
            return Ok(());
        }
        let published = Published::of(object);
        if published.as_ref().is_some_and(|published| published.secret == uid_of(secret)) {
            // A slow operator may not know yet that it is recorded. Of a key that a person has revoked it opens nothing.
            let by_hand =
                world.vault.keys.get(id).is_some_and(|key| matches!(key.revoked, Some((_, Who::Person))));
            self.reached.push("a recorded Secret deleted, whose key a person had revoked");
            return if by_hand { Ok(()) } else { Err("I2: the recorded Secret is deleted".to_owned()) };
        }
        let epoch: u64 = mark(secret, "epoch").parse().unwrap_or_default();
        let garbage = published.is_some_and(|published| epoch <= published.epoch && published.key != id);
        if !garbage && live {
            return Err("I2: a Secret whose key is alive is deleted before its epoch is committed".to_owned());
        }
        self.reached.push(if garbage {
            "a loser's Secret deleted"
        } else {
            "a Secret of a dead key deleted"
        });
        Ok(())
    }
}

fn decoded(data: &Value, entry: &str) -> Option<String> {
    let bytes = STANDARD.decode(data.get(entry)?.as_str()?).ok()?;
    String::from_utf8(bytes).ok()
}

/// The secret in a Secret's entries.
pub fn secret_in(data: &Value) -> Option<String> {
    decoded(data, "AWS_SECRET_ACCESS_KEY")
}

/// The id of the key in a Secret's entries.
pub fn id_in(data: &Value) -> Option<String> {
    decoded(data, "AWS_ACCESS_KEY_ID")
}
