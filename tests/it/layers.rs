//! Dependencies point down only: a `use crate::` of a layer above fails here.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, lowest first. Within a layer a module may use its neighbours, except in `verbs`.
const LAYERS: [(&str, &[&str]); 6] = [
    (
        "words",
        &["id", "size", "finding", "limits", "monitor", "saying"],
    ),
    (
        "bytes",
        &[
            "archive", "bindiff", "contents", "envelope", "block", "chunk", "class", "deflate",
            "filter", "frame", "image", "pack", "index", "recipe", "receipt", "release",
            "geometry", "parity", "recovery",
        ],
    ),
    (
        "files",
        &[
            "storage", "media", "output", "layouts", "registry", "versions",
        ],
    ),
    ("stores", &["store", "volumes", "bundle"]),
    ("verbs", &["verbs"]),
    ("bin", &["main", "cli"]),
];

/// Seams inside a layer: the left must not know the right.
const STRANGERS: [(&str, &str); 5] = [
    ("volumes", "store"),
    ("volumes", "bundle"),
    ("store", "volumes"),
    ("store", "bundle"),
    ("media", "layouts"),
];

fn layer_of(module: &str) -> Option<usize> {
    LAYERS
        .iter()
        .position(|(_, modules)| modules.contains(&module))
}

fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

/// First path segments that a source text takes from the crate: `crate::a::B` and `crate::{a, b::C}`.
fn crate_uses(text: &str) -> Vec<String> {
    let mut uses = Vec::new();
    for prefix in ["crate::", "carryall::"] {
        for (at, _) in text.match_indices(prefix) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &text[at + prefix.len()..];
            let ident = |s: &str| -> String {
                s.chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect()
            };
            if let Some(group) = rest.strip_prefix('{') {
                let mut depth = 1;
                let mut word = String::new();
                let mut at_start = true;
                for c in group.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 1 => at_start = true,
                        c if depth == 1 && at_start && (c.is_alphanumeric() || c == '_') => {
                            word.push(c);
                            continue;
                        }
                        _ => {}
                    }
                    if !word.is_empty() {
                        uses.push(std::mem::take(&mut word));
                        at_start = c == ',';
                    }
                    if depth == 0 {
                        break;
                    }
                }
            } else {
                uses.push(ident(rest));
            }
        }
    }
    uses
}

#[test]
fn no_module_uses_a_layer_above_its_own() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    assert!(
        files.len() > 20,
        "the walk found too few files to mean anything"
    );
    let mut faults = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&src).unwrap();
        let first = relative.components().next().unwrap().as_os_str();
        let module = Path::new(first).file_stem().unwrap().to_str().unwrap();
        if module == "lib" {
            continue;
        }
        let Some(own) = layer_of(module) else {
            faults.push(format!("{module} is in no layer of tests/it/layers.rs"));
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        // Unit tests may reach anywhere: they close the file.
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        for used in crate_uses(code) {
            let Some(layer) = layer_of(&used) else {
                continue;
            };
            if layer > own {
                faults.push(format!("{} uses {used}", relative.display()));
            }
            if STRANGERS.contains(&(module, used.as_str())) {
                faults.push(format!("{} must not know {used}", relative.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Modules among the verbs that are what verbs share.
const BESIDE_VERBS: [&str; 26] = [
    "mod",
    "advance",
    "apart",
    "blobs",
    "contributors",
    "error",
    "both",
    "claims",
    "footing",
    "mend",
    "names",
    "planned",
    "selection",
    "proof",
    "ready",
    "report",
    "room",
    "sound",
    "sources",
    "space",
    "spooled",
    "staging",
    "store",
    "takeover",
    "taken",
    "tests",
];

#[test]
fn verbs_do_not_call_one_another() {
    let verbs = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/verbs");
    let mut files = Vec::new();
    rust_files(&verbs, &mut files);
    let names: Vec<String> = files
        .iter()
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| !BESIDE_VERBS.contains(&&name[..]))
        .collect();
    for file in &files {
        let own = file.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        for other in &names {
            let allowed = other == own
                || BESIDE_VERBS.contains(&own)
                || (own == "repair" && other == "verify")
                || (own == "install" && other == "checkout");
            let calls = names_module(code, &format!("verbs::{other}"))
                || names_module(code, &format!("super::{other}"));
            assert!(allowed || !calls, "{own} calls {other}");
        }
    }
}

/// Whether a path stands in a text, and not only as the beginning of a longer name.
fn names_module(code: &str, path: &str) -> bool {
    let ends = code
        .match_indices(path)
        .map(|(at, _)| &code[at + path.len()..]);
    ends.into_iter()
        .any(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
}

#[test]
fn uses_are_found_in_every_form() {
    assert!(names_module("use crate::verbs::check;", "verbs::check"));
    assert!(!names_module("use crate::verbs::checkout;", "verbs::check"));
    let text = "use crate::store::Store;\nuse crate::{id::Hasher, media, volumes::{plan, write}};\nlet x = crate::pack::open();";
    assert_eq!(
        crate_uses(text),
        ["store", "id", "media", "volumes", "pack"]
    );
}
