//! Calls that write fail in the midst of every command that changes something: `benches/faults` with one seed for each command
//! and kind of fault. docs/reliability.md has what many seeds gave.

use crate::testkit::programs;

use std::path::Path;
use std::process::Command;

#[test]
fn no_call_that_fails_loses_anything() {
    if !programs::has(&["python3", "cc"]) {
        return;
    }
    let work = tempfile::TempDir::new().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/faults");
    let out = Command::new("python3")
        .arg(script)
        .arg(work.path())
        .arg("1")
        .env("CARRYALL", env!("CARGO_BIN_EXE_carryall"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&out.stdout);
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{told}{errors}");
    assert!(told.contains("42 cases, 0 went wrong."), "{told}");
}
