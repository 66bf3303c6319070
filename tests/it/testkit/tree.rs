//! The files of the tests themselves.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the Rust files below a program's folder that no `mod` line leads to.
pub fn undeclared(root: &Path) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(root).into_iter();
    let files = files.map(|entry| entry.unwrap().into_path());
    let is_rust = |file: &PathBuf| file.extension().is_some_and(|end| end == "rs");
    let others = files.filter(|file| is_rust(file) && *file != root.join("main.rs"));
    others.filter(|file| !is_declared(root, file)).collect()
}

fn is_declared(root: &Path, file: &Path) -> bool {
    let module = if file.ends_with("mod.rs") {
        file.parent().unwrap()
    } else {
        file
    };
    let home = module.parent().unwrap();
    let declaring = home.join(if home == root { "main.rs" } else { "mod.rs" });
    let line = format!("mod {};", module.file_stem().unwrap().to_str().unwrap());
    let text = fs::read_to_string(declaring).unwrap_or_default();
    text.lines()
        .any(|each| each.trim_start_matches("pub ") == line)
}
