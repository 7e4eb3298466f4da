//! What an API server holds, and the rules for changing it.

use crate::clock;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where an object is: its resource, its namespace (empty for cluster-scoped ones) and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub resource: &'static str,
    pub namespace: String,
    pub name: String,
}

impl Place {
    pub fn new(resource: &'static str, namespace: &str, name: &str) -> Self {
        Self { resource, namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

/// One change, as watches tell it.
#[derive(Clone)]
pub struct Change {
    pub place: Place,
    pub before: Option<Arc<Value>>,
    pub after: Option<Arc<Value>>,
}

/// A refusal: the code and the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(pub u16, pub &'static str);

pub const NOT_FOUND: Refusal = Refusal(404, "NotFound");
pub const EXISTS: Refusal = Refusal(409, "AlreadyExists");
pub const CONFLICT: Refusal = Refusal(409, "Conflict");
pub const FORBIDDEN: Refusal = Refusal(403, "Forbidden");
pub const INVALID: Refusal = Refusal(422, "Invalid");

/// Ways in which an API server could break its word: for the controls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Looseness {
    /// Writes are taken whatever `resourceVersion` they carry.
    pub no_versions: bool,
    /// A POST replaces what is there.
    pub upsert: bool,
    /// Writes of a status are acknowledged and not kept.
    pub forgets_status: bool,
    /// Secrets are stored without one of their entries.
    pub drops_entries: bool,
}

#[derive(Default)]
pub struct Cluster {
    objects: BTreeMap<Place, Arc<Value>>,
    /// Every change, for watches.
    pub history: Vec<Change>,
    version: u64,
    uids: u64,
    terminating: Vec<String>,
    looseness: Looseness,
}

impl Cluster {
    pub fn new(looseness: Looseness) -> Self {
        Self { looseness, ..Self::default() }
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn get(&self, place: &Place) -> Option<&Arc<Value>> {
        self.objects.get(place)
    }

    /// Whether an object of that uid is there.
    pub fn has_uid(&self, uid: &str) -> bool {
        self.objects.values().any(|object| text(object, "/metadata/uid") == uid)
    }

    pub fn is_terminating(&self, namespace: &str) -> bool {
        self.terminating.iter().any(|name| name == namespace)
    }

    /// From now on nothing can be created there.
    pub fn terminate(&mut self, namespace: &str) {
        self.terminating.push(namespace.to_owned());
    }

    /// Whether it could be created; where `dry` is false, it is.
    pub fn create(&mut self, place: &Place, mut object: Value, dry: bool) -> Result<Arc<Value>, Refusal> {
        if self.is_terminating(&place.namespace) {
            return Err(FORBIDDEN);
        }
        let before = self.objects.get(place).cloned();
        if before.is_some() && !self.looseness.upsert {
            return Err(EXISTS);
        }
        if dry {
            return Ok(Arc::new(object));
        }
        if self.looseness.drops_entries
            && let Some(data) = object.get_mut("data").and_then(Value::as_object_mut)
        {
            data.remove("AWS_REGION");
        }
        self.uids += 1;
        let meta = &mut object["metadata"];
        meta["uid"] = json!(format!("{:08x}-0000-4000-8000-000000000000", self.uids));
        meta["name"] = json!(place.name);
        meta["namespace"] = json!(place.namespace);
        meta["generation"] = json!(1);
        meta["creationTimestamp"] = json!(seconds());
        Ok(self.put(place, before, object))
    }

    /// A merge patch of the object or of its status.
    pub fn patch(&mut self, place: &Place, patch: &Value, status: bool) -> Result<Arc<Value>, Refusal> {
        let before = self.objects.get(place).cloned().ok_or(NOT_FOUND)?;
        let expected = patch.pointer("/metadata/resourceVersion");
        if !self.looseness.no_versions
            && expected.is_some_and(|expected| *expected != before["metadata"]["resourceVersion"])
        {
            return Err(CONFLICT);
        }
        let mut after = (*before).clone();
        if status {
            if let Some(patch) = patch.get("status") {
                merge(&mut after["status"], patch);
            }
        } else {
            for part in ["finalizers", "annotations", "labels"] {
                if let Some(patch) = patch.pointer(&format!("/metadata/{part}")) {
                    merge(&mut after["metadata"][part], patch);
                }
            }
            if let Some(patch) = patch.get("spec") {
                merge(&mut after["spec"], patch);
            }
        }
        if is_deleting(&before) && adds_finalizer(&before, &after) {
            return Err(INVALID);
        }
        if after == *before {
            return Ok(before);
        }
        if status && self.looseness.forgets_status {
            return Ok(Arc::new(after));
        }
        if after["spec"] != before["spec"] {
            raise_generation(&mut after);
        }
        if is_deleting(&after) && finalizers(&after) == 0 {
            return Ok(self.remove(place));
        }
        Ok(self.put(place, Some(before), after))
    }

    /// Deletes, or asks the holders of finalizers to. `uid`: only if it still is that one.
    pub fn delete(&mut self, place: &Place, uid: Option<&str>) -> Result<Arc<Value>, Refusal> {
        let before = self.objects.get(place).cloned().ok_or(NOT_FOUND)?;
        let other = uid.is_some_and(|uid| text(&before, "/metadata/uid") != uid);
        if other {
            return Err(CONFLICT);
        }
        if finalizers(&before) == 0 {
            return Ok(self.remove(place));
        }
        if is_deleting(&before) {
            return Ok(before);
        }
        let mut after = (*before).clone();
        after["metadata"]["deletionTimestamp"] = json!(seconds());
        raise_generation(&mut after);
        Ok(self.put(place, Some(before), after))
    }

    /// What belongs to owners that are gone.
    pub fn garbage(&self) -> Vec<Place> {
        let orphaned = |object: &Value| {
            let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
            owners.is_some_and(|owners| owners.iter().all(|owner| !self.has_uid(text(owner, "/uid"))))
        };
        self.objects.iter().filter(|(_, object)| orphaned(object)).map(|(place, _)| place.clone()).collect()
    }

    fn put(&mut self, place: &Place, before: Option<Arc<Value>>, mut after: Value) -> Arc<Value> {
        self.version += 1;
        after["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let after = Arc::new(after);
        self.objects.insert(place.clone(), Arc::clone(&after));
        self.history.push(Change { place: place.clone(), before, after: Some(Arc::clone(&after)) });
        after
    }

    fn remove(&mut self, place: &Place) -> Arc<Value> {
        self.version += 1;
        let before = self.objects.remove(place).unwrap_or_default();
        self.history.push(Change { place: place.clone(), before: Some(Arc::clone(&before)), after: None });
        before
    }
}

/// A text in an object; empty where there is none.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub fn is_deleting(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some()
}

fn finalizers(object: &Value) -> usize {
    object.pointer("/metadata/finalizers").and_then(Value::as_array).map_or(0, Vec::len)
}

fn adds_finalizer(before: &Value, after: &Value) -> bool {
    let list = |object: &Value| {
        object.pointer("/metadata/finalizers").and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let old = list(before);
    list(after).iter().any(|finalizer| !old.contains(finalizer))
}

fn raise_generation(object: &mut Value) {
    let generation = object["metadata"]["generation"].as_u64().unwrap_or(1);
    object["metadata"]["generation"] = json!(generation + 1);
}

/// The time as metadata has it: whole seconds.
fn seconds() -> String {
    let now = clock::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

/// RFC 7386.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else { return *target = patch.clone() };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    for (key, value) in patch {
        if value.is_null() {
            if let Some(target) = target.as_object_mut() {
                target.remove(key);
            }
        } else {
            merge(&mut target[key], value);
        }
    }
}
