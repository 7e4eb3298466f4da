//! `crds/` is what `storekeeper crds` writes, to the letter.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_checked_in_definitions_are_the_generated_ones() {
    let generated = tempfile::tempdir().unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_storekeeper"))
        .args(["crds", "--directory"])
        .arg(generated.path())
        .status()
        .unwrap();
    assert!(status.success());
    let checked_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    let names = |folder: &Path| {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&checked_in), names(generated.path()), "run `make crds`");
    for name in names(&checked_in) {
        let (old, new) = (checked_in.join(&name), generated.path().join(&name));
        assert_eq!(
            fs::read_to_string(old).unwrap(),
            fs::read_to_string(new).unwrap(),
            "{name:?}: run `make crds`"
        );
    }
}
