//! `copy` out of a store that is damaged.

use std::fs;
use std::path::PathBuf;

use crate::testkit::bytes::noise;
use crate::testkit::stage::{Run, Stage};
use crate::testkit::trees::look;

const ITEMS: [&str; 3] = ["first.bin", "second.bin", "third.bin"];

/// A store with a release of three items, each in frames of its own.
fn vendor() -> Stage {
    let stage = Stage::new();
    fs::create_dir(stage.path("given")).unwrap();
    for (item, seed) in ITEMS.into_iter().zip(1..) {
        fs::write(stage.path("given").join(item), noise(seed, 9_000_000)).unwrap();
    }
    stage.run(&words("add shop:1")).ends_with(0);
    stage
}

/// The words of a command, with the items for `add`.
fn words(line: &str) -> Vec<&str> {
    let mut words: Vec<&str> = line.split(' ').collect();
    if words[0] == "add" {
        words.extend(["given/first.bin", "given/second.bin", "given/third.bin"]);
    }
    words
}

fn at(stage: &Stage, store: &str, line: &str) -> Run {
    let mut command = stage.command(&words(line));
    command.env("CARRYALL_STORE", stage.path(store));
    command.output().unwrap().into()
}

/// Changes a byte in the middle of the only pack.
fn damage(stage: &Stage) {
    let packs: Vec<PathBuf> = fs::read_dir(stage.path("store/packs"))
        .unwrap()
        .flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|pack| pack.unwrap().path())
        .filter(|pack| pack.metadata().unwrap().len() > 20_000_000)
        .collect();
    let [pack] = &packs[..] else {
        panic!("one pack: {packs:?}")
    };
    let mut bytes = fs::read(pack).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 8;
    fs::write(pack, bytes).unwrap();
}

#[test]
fn damage_costs_what_is_damaged_and_everything_else_is_copied() {
    let stage = vendor();
    fs::write(stage.path("other.bin"), noise(9, 500_000)).unwrap();
    stage.run(&["add", "other:1", "other.bin"]).ends_with(0);
    damage(&stage);
    let run = stage
        .run(&["copy", "shop:1", "other:1", "--to", "target"])
        .ends_with(3);
    assert!(run.stdout.contains("other:1: copied"), "{run:#?}");
    assert!(run.stdout.contains("shop:1: not copied"), "{run:#?}");
    assert!(
        run.stderr.contains("is damaged") && run.stderr.contains("hint:"),
        "{run:#?}"
    );
    // One frame is lost, so most of the release is there.
    at(&stage, "target", "list").ends_with(0);
    at(&stage, "target", "checkout shop:1 back").ends_with(1);
    at(&stage, "target", "check --data").ends_with(0);
    let again = stage.run(&["--json", "copy", "shop:1", "--to", "target"]);
    let again = again.ends_with(3).json();
    assert_eq!(again["new_bytes"], 0, "all that can be read is there");
    let items = again["damaged"][0]["items"].as_array().unwrap();
    assert!((1..3).contains(&items.len()), "{again}");
    assert_eq!(again["findings"].as_array().unwrap().len(), 1, "{again}");

    // Healed by the same items, it is copied, and only what was missing goes.
    stage.run(&["check", "--data"]).ends_with(3);
    stage.run(&words("add again:1")).ends_with(0);
    let healed = stage.run(&["--json", "copy", "shop:1", "--to", "target"]);
    let healed = healed.ends_with(0).json();
    let new = healed["new_bytes"].as_u64().unwrap();
    assert!((1..9_000_000).contains(&new), "{healed}");
    at(&stage, "target", "checkout shop:1 back").ends_with(0);
    assert!(look(&stage.path("back")) == look(&stage.path("given")));
}

#[test]
fn what_the_other_store_has_is_not_missed_in_a_damaged_one() {
    let stage = vendor();
    at(&stage, "target", "add same:1").ends_with(0);
    damage(&stage);
    stage
        .run(&["copy", "shop:1", "--to", "target"])
        .ends_with(0);
    at(&stage, "target", "checkout shop:1 back").ends_with(0);
    assert!(look(&stage.path("back")) == look(&stage.path("given")));
    // A list that is lost here is read there.
    fs::remove_dir_all(stage.path("store/packs")).unwrap();
    fs::create_dir(stage.path("store/packs")).unwrap();
    at(&stage, "target", "rm shop:1").ends_with(0);
    stage
        .run(&["copy", "shop:1", "--to", "target"])
        .ends_with(0);
    stage.remove("back");
    at(&stage, "target", "checkout shop:1 back").ends_with(0);
    assert!(look(&stage.path("back")) == look(&stage.path("given")));
}
