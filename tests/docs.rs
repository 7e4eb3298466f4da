//! The documentation says what the code says.

// All of this file is a test, helpers included.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The texts between `before` and `after`, one a line at most.
fn between(text: &str, before: &str, after: &str) -> BTreeSet<String> {
    let part =
        |line: &str| line.trim().strip_prefix(before)?.split_once(after).map(|(name, _)| name.to_owned());
    text.lines().filter_map(part).collect()
}

#[test]
fn every_reason_has_its_cause_and_remedy_and_no_other_is_documented() {
    let code: BTreeSet<String> = read("src/api/reason.rs")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Self::")?.split_once("=> \""))
        .filter_map(|(_, rest)| rest.split_once('"').map(|(name, _)| name.to_owned()))
        .collect();
    let page = read("docs/conditions.md");
    let table = page.split("## Annotations").next().unwrap_or_default();
    assert!(code.len() > 30, "the reasons have moved: {code:?}");
    assert_eq!(between(table, "| `", "` |"), code);
}

#[test]
fn the_map_names_every_folder_of_the_source() {
    let map = read("ARCHITECTURE.md");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            assert!(map.contains(&format!("src/{name}/")), "ARCHITECTURE.md does not name src/{name}/");
        }
    }
}
