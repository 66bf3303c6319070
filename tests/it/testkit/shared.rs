//! Folders of values that tests share in a `static`, which is never dropped.

use std::path::Path;

use tempfile::{Builder, TempDir};

const PREFIX: &str = "carryall-shared-";

/// Makes a folder below the target folder. What earlier runs of the tests left there is removed.
pub fn shared_dir() -> TempDir {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for entry in place.read_dir().unwrap().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let process = process.and_then(|rest| rest.split('-').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            // Another test program may be removing the same folder.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let prefix = format!("{PREFIX}{}-", std::process::id());
    Builder::new().prefix(&prefix).tempdir_in(place).unwrap()
}
