//! A change in a stream of a writer that has no model costs its neighborhood, not the rest of the stream.

use std::collections::HashSet;
use std::fs;

use carryall::deflate::{AnalyzeOptions, analyze};
use proptest::prelude::*;

use crate::testkit::archives::tar_of;
use crate::testkit::bytes::text;
use crate::testkit::nobodys_gzip::nobodys_gzip;
use crate::testkit::properties::cases;
use crate::testkit::stage::Stage;

/// Most bytes of a recipe that a change of one byte changes: some parts of it.
const CHANGED_BYTES_MAX: usize = 14 << 10;

fn recipe(stream: &[u8]) -> Vec<u8> {
    let mut recipe = Vec::new();
    let options = AnalyzeOptions::default();
    let found = analyze(
        &mut &stream[..],
        &mut std::io::sink(),
        &mut recipe,
        &options,
    )
    .unwrap();
    assert_eq!(found.writer, "unknown");
    recipe
}

/// Bytes of `new` that are in no 12 bytes which `old` has, too.
fn changed_bytes(old: &[u8], new: &[u8]) -> usize {
    let known: HashSet<&[u8]> = old.windows(12).collect();
    let mut behind = 0;
    let mut changed = new.len();
    for (at, bytes) in new.windows(12).enumerate() {
        if known.contains(bytes) {
            changed -= at + 12 - behind.max(at);
            behind = at + 12;
        }
    }
    changed
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Set,
    Insert,
    Remove,
}

proptest! {
    #![proptest_config(cases(6))]

    #[test]
    fn a_changed_byte_leaves_most_of_the_recipe(
        seed in 0_u64..1000, permille in 0_usize..1000,
        change in prop_oneof![Just(Change::Set), Just(Change::Insert), Just(Change::Remove)],
    ) {
        let plain = text(seed, 800_000);
        let mut other = plain.clone();
        let at = plain.len() * permille / 1000;
        match change {
            Change::Set => other[at] ^= 1,
            Change::Insert => other.insert(at, b'k'),
            Change::Remove => {
                other.remove(at);
            }
        }
        let [old, new] = [&plain, &other].map(|plain| recipe(&nobodys_gzip(plain)));
        prop_assert!(old.len() > 2 * CHANGED_BYTES_MAX, "{}", old.len());
        let changed = changed_bytes(&old, &new);
        prop_assert!(changed <= CHANGED_BYTES_MAX, "{changed} of {}", new.len());
    }
}

#[test]
fn a_changed_byte_in_a_stream_of_an_unknown_writer_travels_as_its_neighborhood() {
    let mut stage = Stage::new();
    let mut texts = text(5, 1_500_000);
    for version in ["1", "2"] {
        let tar = tar_of(&[("src/all", texts.clone())]);
        fs::write(stage.path("src.tar.gz"), nobodys_gzip(&tar)).unwrap();
        let release = format!("src:{version}");
        // The writer is worse than real ones, and its recipe larger than what is kept by default.
        let words = ["add", &release, "src.tar.gz", "--open-recipe", "50"];
        stage.run(&words).ends_with(0);
        texts[500_000] ^= 1;
    }
    stage.run(&["pack", "--bare", "full", "src:1"]).ends_with(0);
    let words = ["pack", "--bare", "delta", "src:2", "--since", "src:1"];
    stage.run(&words).ends_with(0);
    let bytes = fs::metadata(stage.path("delta")).unwrap().len();
    assert!(bytes <= 12 << 10, "{bytes}");
    stage.store = "site";
    stage.run(&["receive", "full"]).ends_with(0);
    stage.run(&["receive", "delta"]).ends_with(0);
    stage.run(&["checkout", "src:2", "back"]).ends_with(0);
    let given = fs::read(stage.path("src.tar.gz")).unwrap();
    assert!(fs::read(stage.path("back/src.tar.gz")).unwrap() == given);
}
