//! The only writes to our own objects: status and finalizer. Each carries `metadata.resourceVersion`, so that it
//! fails with a conflict where the object has changed since it was read; nothing is ever forced.

use super::context::Context;
use super::error::Error;
use super::kind::{ObjectKey, name_of};
use super::managed::Managed;
use kube::api::{Patch, PatchParams};
use serde_json::{Map, Value, json};

/// Whether our finalizer holds the object.
pub fn has_finalizer<K: Managed>(object: &K) -> bool {
    object.meta().finalizers.iter().flatten().any(|finalizer| finalizer == K::FINALIZER)
}

/// Adds our finalizer if it is not there, and answers with the object as it is now.
pub async fn ensure_finalizer<K: Managed>(ctx: &Context, object: &K) -> Result<K, Error> {
    if has_finalizer(object) {
        return Ok(object.clone());
    }
    let mut finalizers = object.meta().finalizers.clone().unwrap_or_default();
    finalizers.push(K::FINALIZER.to_owned());
    patch(ctx, object, "add the finalizer of", json!({ "metadata": { "finalizers": finalizers } })).await
}

/// Removes our finalizer: the object may go. An object that is gone already is no failure.
pub async fn remove_finalizer<K: Managed>(ctx: &Context, object: &K) -> Result<(), Error> {
    let mut finalizers = object.meta().finalizers.clone().unwrap_or_default();
    finalizers.retain(|finalizer| finalizer != K::FINALIZER);
    let body = json!({ "metadata": { "finalizers": finalizers } });
    match patch(ctx, object, "remove the finalizer of", body).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_absent() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Writes the status, and answers with the object as it is now.
#[allow(clippy::disallowed_methods, reason = "this is the writer")]
pub async fn write_status<K: Managed>(ctx: &Context, object: &K, next: &K::Status) -> Result<K, Error> {
    const OP: &str = "write the status of";
    let value = |status: &K::Status| {
        serde_json::to_value(status).map_err(|error| Error::bug(OP, name_of(object), error.to_string()))
    };
    let before = object.status().map(value).transpose()?.unwrap_or(Value::Null);
    let mut body = json!({ "status": merge_patch(&before, &value(next)?) });
    carry_version(object, &mut body);
    let api = K::api(ctx.writer.clone(), object.meta().namespace.as_deref());
    api.patch_status(name_of(object), &PatchParams::default(), &Patch::Merge(&body))
        .await
        .map_err(|error| Error::kube(OP, ObjectKey::of(object.meta()).to_string(), error))
}

async fn patch<K: Managed>(ctx: &Context, object: &K, op: &'static str, mut body: Value) -> Result<K, Error> {
    carry_version(object, &mut body);
    let key = ObjectKey::of(object.meta());
    let api = K::api(ctx.writer.clone(), key.namespace.as_deref());
    api.patch(&key.name, &PatchParams::default(), &Patch::Merge(&body))
        .await
        .map_err(|error| Error::kube(op, key.to_string(), error))
}

fn carry_version<K: Managed>(object: &K, body: &mut Value) {
    body["metadata"]["resourceVersion"] = json!(object.meta().resource_version);
}

/// The JSON merge patch (RFC 7386) that turns `before` into `after`: what is gone is named as null.
pub fn merge_patch(before: &Value, after: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return after.clone();
    };
    let mut patch = Map::new();
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in new {
        match old.get(key) {
            Some(same) if same == value => {}
            Some(other) => {
                patch.insert(key.clone(), merge_patch(other, value));
            }
            None => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use super::merge_patch;
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    /// RFC 7386, as the API server applies it.
    fn apply(target: &Value, patch: &Value) -> Value {
        let Value::Object(patch) = patch else { return patch.clone() };
        let mut result = target.as_object().cloned().unwrap_or_default();
        for (key, value) in patch {
            if value.is_null() {
                result.remove(key);
            } else {
                let before = result.get(key).cloned().unwrap_or(Value::Object(Map::new()));
                result.insert(key.clone(), apply(&before, value));
            }
        }
        Value::Object(result)
    }

    #[test]
    fn what_is_gone_is_named_as_null_and_what_is_the_same_is_not_named() {
        let before = json!({"a": 1, "b": {"x": 1, "y": 2}, "c": [1, 2], "d": "same"});
        let after = json!({"b": {"x": 3}, "c": [1], "d": "same", "e": true});
        let expected = json!({"a": null, "b": {"x": 3, "y": null}, "c": [1], "e": true});
        assert_eq!(merge_patch(&before, &after), expected);
    }

    fn status() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<bool>().prop_map(Value::from), "[a-c]{0,2}".prop_map(Value::from)];
        let node = leaf.prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::hash_map("[a-d]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        });
        prop::collection::hash_map("[a-d]", node, 0..4)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn the_patch_makes_the_new_status_of_the_old_one(before in status(), after in status()) {
            prop_assert_eq!(apply(&before, &merge_patch(&before, &after)), after);
        }
    }
}
