//! The custom resource definitions, as `storekeeper crds` prints them.

use super::{AccessKey, Bucket, StorageAccount, StorageUser, Tenant, shared::NEVER_OBSERVED};
use kube::CustomResourceExt as _;
use serde_json::{Value, json};

/// All five definitions, in the order in which a person meets them, as Kubernetes takes them.
pub fn all() -> Result<Vec<Value>, serde_json::Error> {
    [StorageAccount::crd(), Tenant::crd(), StorageUser::crd(), AccessKey::crd(), Bucket::crd()]
        .into_iter()
        .map(|crd| {
            let mut crd = serde_json::to_value(crd)?;
            drop_unknown_formats(&mut crd);
            add_default_status(&mut crd);
            Ok(crd)
        })
        .collect()
}

/// A brand-new object must not be taken for a current one (kstatus), so its status speaks of generation -1.
fn add_default_status(crd: &mut Value) {
    let versions = crd.pointer_mut("/spec/versions").and_then(Value::as_array_mut);
    for version in versions.into_iter().flatten() {
        if let Some(status) = version.pointer_mut("/schema/openAPIV3Schema/properties/status") {
            status["default"] = json!({ "observedGeneration": NEVER_OBSERVED });
        }
    }
}

/// Rust's unsigned integers are formats that Kubernetes does not know: it warns of each.
fn drop_unknown_formats(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
                map.remove("format");
            }
            map.values_mut().for_each(drop_unknown_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_unknown_formats),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    fn walk<'a>(value: &'a Value, path: &str, visit: &mut dyn FnMut(&str, &'a Value)) {
        visit(path, value);
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(key, value)| walk(value, &format!("{path}.{key}"), visit));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, &format!("{path}[]"), visit)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn schemas() -> Vec<(String, Value)> {
        let crds = super::all().unwrap();
        let schema = |crd: &Value| crd.pointer("/spec/versions/0/schema/openAPIV3Schema").cloned().unwrap();
        crds.iter().map(|crd| (crd["spec"]["names"]["kind"].to_string(), schema(crd))).collect()
    }

    #[test]
    fn a_new_object_speaks_of_no_generation() {
        for (kind, schema) in schemas() {
            assert_eq!(schema["properties"]["status"]["default"]["observedGeneration"], -1, "{kind}");
        }
    }

    #[test]
    fn every_field_is_explained() {
        for (kind, schema) in schemas() {
            walk(&schema, &kind, &mut |path, value| {
                let Some(properties) = value.get("properties").and_then(Value::as_object) else { return };
                for (name, property) in properties {
                    let explained =
                        property.get("description").is_some() || name == "status" || name == "conditions";
                    assert!(explained, "{path}.{name} has no description");
                }
            });
        }
    }

    #[test]
    fn every_string_and_list_is_bounded_and_every_list_says_its_type() {
        for (kind, schema) in schemas() {
            walk(&schema, &kind, &mut |path, value| {
                if path.contains("conditions") {
                    return;
                }
                match value.get("type").and_then(Value::as_str) {
                    Some("string") => {
                        let bounded = ["maxLength", "enum", "pattern", "format"]
                            .iter()
                            .any(|key| value.get(key).is_some());
                        let label = path.contains("additionalProperties");
                        assert!(bounded || label, "{path} is an unbounded string");
                    }
                    Some("array") => {
                        assert!(value.get("maxItems").is_some(), "{path} is an unbounded list");
                        assert!(value.get("x-kubernetes-list-type").is_some(), "{path} has no list type");
                    }
                    _ => {}
                }
            });
        }
    }
}
