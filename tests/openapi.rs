//! `docs/openapi.json` is what `storekeeper openapi` prints, to the letter.

use std::path::Path;
use std::process::Command;

#[test]
fn the_checked_in_document_is_the_generated_one() {
    let output = Command::new(env!("CARGO_BIN_EXE_storekeeper")).arg("openapi").output().unwrap();
    assert!(output.status.success());
    let checked_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let checked_in = std::fs::read_to_string(checked_in).unwrap();
    let same = checked_in == String::from_utf8(output.stdout).unwrap();
    assert!(same, "docs/openapi.json is not what the code says: run `make openapi`");
}
