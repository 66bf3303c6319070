//! The files that every later version reads and writes.

use std::fs;
use std::path::{Path, PathBuf};

/// Where a golden file is.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/golden/v1")
        .join(name)
}

/// Asserts that these are the bytes of a golden file, and returns what is in the file.
#[track_caller]
pub fn golden(name: &str, bytes: &[u8]) -> Vec<u8> {
    // Only to make the files of a new format version; golden files are never edited.
    if is_made(&path(name)) {
        fs::write(path(name), bytes).unwrap();
    }
    let golden = fs::read(path(name)).unwrap();
    assert_eq!(golden, bytes, "{name}");
    golden
}

/// Whether a golden file is to be made, because it is not there.
pub fn is_made(path: &Path) -> bool {
    std::env::var_os("CARRYALL_WRITE_GOLDEN").is_some() && !path.exists()
}
