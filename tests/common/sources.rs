//! The project's own source, for tests that read it.

use std::fs;
use std::path::{Path, PathBuf};

/// Files below `src` that `select` picks by their path there, each with its text up to its tests.
pub fn production(select: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && select(&name) {
                let text = fs::read_to_string(&path).unwrap();
                let production = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                found.push((name, production.to_owned()));
            }
        }
    }
    found
}
