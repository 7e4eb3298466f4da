//! Whether the custom resources of a cluster are those of this version, by their fields. Pure.

use super::judge::{Finding, Level, finding, first};
use crate::api::crds;
use serde_json::Value;
use std::collections::BTreeSet;

/// Whether the custom resources have the fields that this version has.
pub fn compared(theirs: &Value) -> Vec<Finding> {
    const AREA: &str = "Cluster";
    let ours = crds::all().unwrap_or_default();
    let (mut missing, mut more) = (Vec::new(), Vec::new());
    for crd in &ours {
        let kind = crd["spec"]["names"]["kind"].as_str().unwrap_or_default();
        let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let installed = &theirs["components"]["schemas"][format!("dev.storekeeper.v1alpha1.{kind}")];
        let (ours, theirs) = (fields(schema), fields(installed));
        missing.extend(ours.difference(&theirs).map(|field| format!("{kind} `{field}`")));
        more.extend(theirs.difference(&ours).map(|field| format!("{kind} `{field}`")));
    }
    if missing.is_empty() && more.is_empty() {
        let what = format!("The {} custom resources are those of this version.", ours.len());
        return vec![finding(AREA, Level::Good, what, "")];
    }
    let mut found = Vec::new();
    if !missing.is_empty() {
        let what = format!("The custom resources are of another version: without {}.", first(&missing));
        found.push(Finding {
            details: missing,
            ..finding(AREA, Level::Bad, what, "Apply what `storekeeper crds` of this version prints.")
        });
    }
    if !more.is_empty() {
        let what = format!("The custom resources are newer than this plugin: they have {}.", first(&more));
        found.push(Finding { details: more, ..finding(AREA, Level::Doubtful, what, "Update this plugin.") });
    }
    found
}

/// The paths of all fields of spec and status.
fn fields(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in ["spec", "status"] {
        collect(&schema["properties"][part], part, &mut found);
    }
    found
}

fn collect(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        collect(property, &path, found);
        found.insert(path);
    }
    if schema["items"].is_object() {
        collect(&schema["items"], &format!("{path}[]"), found);
    }
}
