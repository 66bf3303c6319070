//! Limits of memory, files and threads end a command in words that say what to do, and never leave a store that does not open.

use crate::testkit::stage;

use std::fs;
use std::process::{Command, Stdio};

use stage::{Run, Stage, noise, text};

/// Runs the command under a limit of the shell.
fn under(stage: &Stage, limit: &str, words: &[&str]) -> Run {
    Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit {limit}; exec \"$0\" \"$@\""))
        .arg(env!("CARGO_BIN_EXE_carryall"))
        .args(words)
        .env("CARRYALL_STORE", stage.path("store"))
        .env("LC_ALL", "C")
        .env_remove("RUST_BACKTRACE")
        .current_dir(stage.path(""))
        .stdin(Stdio::null())
        .output()
        .unwrap()
        .into()
}

fn given() -> Stage {
    let stage = Stage::new();
    fs::create_dir(stage.path("given")).unwrap();
    fs::write(stage.path("given/a"), noise(1, 20_000_000)).unwrap();
    fs::write(stage.path("given/b"), text(2, 60_000_000)).unwrap();
    stage
}

const PACK: [&str; 6] = ["pack", "shop:1", "--to", "out", "--media", "64MB"];

#[test]
fn too_little_memory_ends_in_words_and_not_in_an_abort() {
    let stage = given();
    let mut failed = 0;
    for kib in [60_000, 100_000, 160_000, 250_000, 400_000, 700_000] {
        for words in [&["add", "shop:1", "given/a", "given/b"][..], &PACK] {
            let run = under(&stage, &format!("-v {kib}"), words);
            stage.remove("out");
            if run.code == Some(0) {
                continue;
            }
            failed += 1;
            run.fails_with(1, &[]);
        }
    }
    assert!(failed > 2, "the limits limit nothing");
    stage
        .run(&["add", "shop:1", "given/a", "given/b"])
        .ends_with(0);
    stage.store_is_well();
    let run = under(&stage, "-v 700000", &PACK);
    assert!(run.stderr.contains("memory"), "{run:#?}");
}

#[test]
fn other_limits_are_named_with_what_raises_them() {
    let stage = given();
    let add = ["add", "shop:1", "given/a", "given/b"];
    under(&stage, "-f 2000", &add).fails_with(1, &["File too large", "ulimit -f"]);
    stage.run(&add).ends_with(0);
    under(&stage, "-f 2000", &PACK).fails_with(1, &["File too large", "ulimit -f"]);
    assert!(!stage.path("out").exists() || fs::read_dir(stage.path("out")).unwrap().count() == 0);
    under(&stage, "-n 6", &["check"]).fails_with(1, &["open files", "ulimit -n"]);
    stage.run(&PACK).ends_with(0);
    stage.store_is_well();
}
