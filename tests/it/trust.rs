//! Whose sets a site takes, and that nothing is replaced unless somebody says so.

use crate::testkit::stage;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use carryall::base::signing::{SecretKey, Signature, list_to_file};
use carryall::volumes::block::{BlockHeader, BlockKind, HEADER_BYTES};
use carryall::volumes::descriptor::descriptor_offset;
use stage::{Run, Stage, noise, volumes};

/// A vendor with a key and a release, and `site`, which trusts the key.
fn vendor() -> Stage {
    let stage = Stage::new();
    give(&stage, 1);
    stage
        .run(&["key", "new", "vendor.key", "--no-password"])
        .ends_with(0);
    stage
        .run(&["key", "new", "forger.key", "--no-password"])
        .ends_with(0);
    at_site(
        &stage,
        &["trust", "add", "vendor.pub", "--name", "Example Ltd"],
    )
    .ends_with(0);
    stage
}

/// Makes `shop:1.0` anew, of other bytes.
fn give(stage: &Stage, seed: u64) {
    fs::write(stage.path("setup.bin"), noise(seed, 400_000)).unwrap();
    let _ = stage.run(&["rm", "shop:1.0"]);
    stage.run(&["add", "shop:1.0", "setup.bin"]).ends_with(0);
}

#[track_caller]
fn pack(stage: &Stage, release: &str, to: &str, more: &[&str]) {
    let mut words = vec![
        "pack",
        release,
        "--to",
        to,
        "--media",
        "6MB",
        "--spare",
        "0",
        "--without-program",
    ];
    words.extend(more);
    stage.run(&words).ends_with(0);
}

fn at_site(stage: &Stage, words: &[&str]) -> Run {
    let mut command = stage.command(words);
    let run = command.env("CARRYALL_STORE", stage.path("site")).output();
    run.unwrap().into()
}

/// Nothing of a set is in the store of the site, and it waits.
#[track_caller]
fn assert_nothing_is_in(stage: &Stage) {
    let listed = at_site(stage, &["--json", "list"]).ends_with(0).json();
    assert_eq!(
        listed["releases"].as_array().unwrap().len(),
        0,
        "{listed:#}"
    );
    let packs = walkdir::WalkDir::new(stage.path("site/packs")).into_iter();
    let files = packs.flatten().filter(|entry| entry.file_type().is_file());
    assert_eq!(files.count(), 0, "nothing is written outside of staging");
    let waiting = at_site(stage, &["--json", "status"]).ends_with(4).json();
    assert!(waiting["incoming"][0]["refused"].is_string(), "{waiting:#}");
}

fn carrier(stage: &Stage, folder: &str) -> PathBuf {
    volumes(&stage.path(folder)).remove(0).join("carry01.000")
}

/// Changes what stands behind the descriptor in every superblock of a volume, under right hashes.
fn put_signatures(stage: &Stage, folder: &str, list: &[u8]) {
    let path = carrier(stage, folder);
    let mut bytes = fs::read(&path).unwrap();
    let block_size = BlockHeader::open(&bytes).unwrap().set.block_size;
    let descriptor_at = descriptor_offset(block_size);
    for block in bytes.chunks_mut(block_size.bytes()) {
        let header = BlockHeader::open(block).unwrap();
        if header.kind != BlockKind::Superblock {
            continue;
        }
        let payload = &mut block[HEADER_BYTES..];
        let length = &payload[descriptor_at + 16..descriptor_at + 24];
        let length = u64::from_le_bytes(length.try_into().unwrap());
        let behind = descriptor_at + 56 + usize::try_from(length).unwrap();
        payload[behind..].fill(0);
        payload[behind..behind + list.len()].copy_from_slice(list);
        header.seal(block);
    }
    fs::write(path, bytes).unwrap();
}

fn key(stage: &Stage, name: &str) -> SecretKey {
    let file = fs::read_to_string(stage.path(name)).unwrap();
    SecretKey::read(&file, None).unwrap()
}

fn statement(stage: &Stage, folder: &str) -> Vec<u8> {
    let volume = volumes(&stage.path(folder)).remove(0);
    fs::read(volume.join("signed.txt")).unwrap()
}

#[test]
fn a_site_with_a_trusted_key_takes_what_it_signed_and_nothing_else() {
    let stage = vendor();
    pack(&stage, "shop:1.0", "bare", &[]);
    pack(&stage, "shop:1.0", "forged", &["--sign", "forger.key"]);
    pack(&stage, "shop:1.0", "signed", &["--sign", "vendor.key"]);
    let words = ["is not signed", "takes signed sets only", "--unsigned"];
    at_site(&stage, &["receive", "bare"]).fails_with(1, &words);
    assert_nothing_is_in(&stage);
    let stranger = stage.key_id("forger.pub");
    let words = ["nobody trusts here", &stranger, "trust add KEY"];
    at_site(&stage, &["receive", "forged"]).fails_with(1, &words);
    assert_nothing_is_in(&stage);
    // The staged blocks of the others are no hindrance.
    let run = at_site(&stage, &["receive", "signed"]).ends_with(0);
    assert!(
        run.stdout.contains("  signed by Example Ltd (key "),
        "{run:#?}"
    );
    at_site(&stage, &["check", "--data"]).ends_with(0);
    at_site(&stage, &["checkout", "shop:1.0", "back"]).ends_with(0);
    assert_eq!(
        fs::read(stage.path("back/setup.bin")).unwrap(),
        noise(1, 400_000)
    );
}

#[test]
fn who_receives_may_let_others_in_unless_the_site_says_no() {
    let stage = vendor();
    pack(&stage, "shop:1.0", "bare", &[]);
    let required = at_site(&stage, &["trust", "require"]).ends_with(0);
    assert!(
        required.stdout.contains("with --unsigned too"),
        "{required:#?}"
    );
    let words = ["set to take signed sets only", "--no-longer"];
    at_site(&stage, &["receive", "bare", "--unsigned"]).fails_with(1, &words);
    assert_nothing_is_in(&stage);
    at_site(&stage, &["trust", "require", "--no-longer"]).ends_with(0);
    at_site(&stage, &["receive", "bare", "--unsigned"]).ends_with(0);
}

#[test]
fn without_a_trusted_key_everything_comes_in_as_before() {
    let stage = vendor();
    pack(&stage, "shop:1.0", "bare", &[]);
    let gone = at_site(&stage, &["trust", "rm", "Example Ltd"]).ends_with(0);
    assert!(gone.stdout.contains("whoever made them"), "{gone:#?}");
    at_site(&stage, &["receive", "bare"]).ends_with(0);
}

#[test]
fn a_file_of_trust_that_makes_no_sense_lets_nothing_in() {
    let stage = vendor();
    pack(&stage, "shop:1.0", "signed", &["--sign", "vendor.key"]);
    let path = stage.path("site/trust.toml");
    let good = fs::read_to_string(&path).unwrap();
    for bad in [
        "",
        "format = 2\n",
        "format = 1\nkeys = 3\n",
        "format = 1\n[[keys]]\nname = \"x\"\nkey = \"RWQ\"\n",
        &good[..good.len() - 20],
        &format!("{good}more = 1\n"),
    ] {
        fs::write(&path, bad).unwrap();
        at_site(&stage, &["receive", "signed"])
            .fails_with(1, &["trust.toml", "cannot be understood"]);
        at_site(&stage, &["trust", "list"]).fails_with(1, &["trust.toml"]);
        // Looking at media needs no trust.
        at_site(&stage, &["inspect", "signed"]).ends_with(0);
    }
    fs::write(&path, good).unwrap();
    at_site(&stage, &["receive", "signed"]).ends_with(0);
}

#[test]
fn a_signature_that_is_wrong_is_damage_and_lets_nothing_in() {
    let stage = vendor();
    pack(&stage, "shop:1.0", "signed", &["--sign", "vendor.key"]);
    pack(
        &stage,
        "shop:1.0",
        "other",
        &["--sign", "vendor.key", "--contact", "somebody"],
    );
    let vendor = key(&stage, "vendor.key");
    // That of another set by the same vendor; and the forger's, under the vendor's key.
    let other = Signature::make(&vendor, &statement(&stage, "other"), "x");
    let forger = Signature::make(
        &key(&stage, "forger.key"),
        &statement(&stage, "signed"),
        "x",
    );
    let claimed = Signature::of_file(vendor.public_key(), forger.file());
    for list in [[other], [claimed]] {
        stage.copy("signed", "bad");
        put_signatures(&stage, "bad", &list_to_file(&list));
        let run = stage.run(&["verify", "bad"]).ends_with(3);
        assert!(run.stdout.contains("1 signature is wrong"), "{run:#?}");
        let words = ["a signature that is wrong", "do not use these media"];
        at_site(&stage, &["receive", "bad"]).fails_with(1, &words);
        assert_nothing_is_in(&stage);
    }
    // The right ones, which come later, are not kept out by what came before.
    at_site(&stage, &["receive", "signed"]).ends_with(0);
}

#[test]
fn forged_superblocks_beside_right_ones_hold_up_nothing() {
    let stage = vendor();
    pack(&stage, "shop:1.0", "signed", &["--sign", "vendor.key"]);
    let forger = Signature::make(
        &key(&stage, "forger.key"),
        &statement(&stage, "signed"),
        "x",
    );
    let junk = |seed: u64| {
        let mut one = noise(seed, 74);
        one[..2].copy_from_slice(b"ED");
        Signature::of_file(key(&stage, "vendor.key").public_key(), &one)
    };
    let lists = [
        Vec::new(),
        list_to_file(&[forger]),
        list_to_file(&[junk(1)]),
        list_to_file(&[junk(2), junk(3)]),
        list_to_file(&vec![junk(4); 16]),
        vec![0xff; 500],
    ];
    // Each of them first, one after another, and then the right one.
    for list in &lists {
        stage.copy("signed", "bad");
        put_signatures(&stage, "bad", list);
        at_site(&stage, &["receive", "bad"]).fails_with(1, &[]);
        assert_nothing_is_in(&stage);
    }
    let run = at_site(&stage, &["receive", "signed"]).ends_with(0);
    assert!(run.stdout.contains("signed by Example Ltd"), "{run:#?}");
    // Both at once.
    for list in &lists {
        stage.remove("site");
        at_site(&stage, &["trust", "add", "vendor.pub"]).ends_with(0);
        stage.copy("signed", "bad");
        put_signatures(&stage, "bad", list);
        at_site(&stage, &["receive", "bad", "signed"]).ends_with(0);
    }
}

#[test]
fn other_content_under_a_name_replaces_nothing_unless_told() {
    let stage = Stage::new();
    give(&stage, 1);
    pack(&stage, "shop:1.0", "first", &[]);
    give(&stage, 2);
    pack(&stage, "shop:1.0", "second", &[]);
    at_site(&stage, &["receive", "first"]).ends_with(0);
    let here = at_site(&stage, &["--json", "list"]).json()["releases"][0]["id"].clone();
    let comes = stage.run(&["--json", "list"]).json()["releases"][0]["id"].clone();
    let short = |id: &serde_json::Value| id.as_str().unwrap()[..8].to_owned();
    let words = ["shop:1.0", &short(&here), &short(&comes), "--replace"];
    for _ in 0..2 {
        at_site(&stage, &["receive", "second"]).fails_with(1, &words);
        let run = at_site(&stage, &["status"]).ends_with(4);
        assert!(
            run.stdout.contains("not taken in: shop:1.0 is here"),
            "{run:#?}"
        );
        let still = at_site(&stage, &["--json", "list"]).json()["releases"][0]["id"].clone();
        assert_eq!(still, here);
    }
    at_site(&stage, &["checkout", "shop:1.0", "before"]).ends_with(0);
    assert_eq!(
        fs::read(stage.path("before/setup.bin")).unwrap(),
        noise(1, 400_000)
    );
    at_site(&stage, &["receive", "second", "--replace"]).ends_with(0);
    at_site(&stage, &["checkout", "shop:1.0", "after"]).ends_with(0);
    assert_eq!(
        fs::read(stage.path("after/setup.bin")).unwrap(),
        noise(2, 400_000)
    );
    // The same set again is nothing new.
    at_site(&stage, &["receive", "second"]).ends_with(0);
}

#[test]
fn an_older_set_after_a_newer_one_is_told() {
    let stage = vendor();
    fs::write(stage.path("new.bin"), noise(7, 300_000)).unwrap();
    stage.run(&["add", "shop:2.0", "new.bin"]).ends_with(0);
    let signed = ["--sign", "vendor.key"];
    pack(
        &stage,
        "shop:1.0",
        "old",
        &[&signed[..], &["--date", "2026-10-01"]].concat(),
    );
    pack(
        &stage,
        "shop:2.0",
        "new",
        &[&signed[..], &["--date", "2026-11-28"]].concat(),
    );
    pack(&stage, "shop:2.0", "undated", &["--date", "9999-12-31"]);
    // The day of a set that nobody signed keeps no signed one out.
    at_site(&stage, &["receive", "undated", "--unsigned"]).ends_with(0);
    at_site(&stage, &["rm", "shop:2.0"]).ends_with(0);
    at_site(&stage, &["receive", "new"]).ends_with(0);
    let words = ["2026-10-01", "2026-11-28", "shop:2.0", "--replace"];
    at_site(&stage, &["receive", "old"]).fails_with(1, &words);
    at_site(&stage, &["show", "shop:1.0"]).ends_with(1);
    at_site(&stage, &["receive", "old", "--replace"]).ends_with(0);
    at_site(&stage, &["show", "shop:1.0"]).ends_with(0);
    at_site(&stage, &["show", "shop:2.0"]).ends_with(0);
    // Both at once come in the order in which they were made.
    stage.remove("site");
    at_site(&stage, &["trust", "add", "vendor.pub"]).ends_with(0);
    at_site(&stage, &["receive", "new", "old"]).ends_with(0);
}

#[test]
fn a_set_for_another_site_is_told() {
    let stage = Stage::new();
    give(&stage, 1);
    pack(&stage, "shop:1.0", "first", &[]);
    at_site(&stage, &["receive", "first"]).ends_with(0);
    at_site(&stage, &["receipt", "-o", "plant.receipt"]).ends_with(0);
    fs::write(stage.path("new.bin"), noise(7, 300_000)).unwrap();
    stage
        .run(&["add", "shop:2.0", "setup.bin", "new.bin"])
        .ends_with(0);
    let cut = ["--for", "plant.receipt", "--site", "plant-7"];
    pack(&stage, "shop:2.0", "second", &cut);
    // Remembered, without the receipt.
    pack(
        &stage,
        "shop:2.0",
        "third",
        &["--site", "plant-7", "--contact", "x"],
    );
    let other = |words: &[&str]| -> Run {
        let mut command = stage.command(words);
        command
            .env("CARRYALL_STORE", stage.path("other"))
            .output()
            .unwrap()
            .into()
    };
    other(&["receive", "first"]).ends_with(0);
    for folder in ["second", "third"] {
        other(&["receive", folder]).fails_with(1, &["was made for plant-7", "--replace"]);
        other(&["show", "shop:2.0"]).ends_with(1);
    }
    other(&["receive", "second", "--replace"]).ends_with(0);
    at_site(&stage, &["receive", "second"]).ends_with(0);
}

#[test]
fn a_visit_says_why_a_disc_is_not_taken_and_goes_on() {
    let stage = vendor();
    pack(&stage, "shop:1.0", "bare", &[]);
    let disc = volumes(&stage.path("bare")).remove(0);
    let words = ["visit", "--drive", disc.to_str().unwrap()];
    let mut command = stage.command(&words);
    command.env("CARRYALL_STORE", stage.path("site"));
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    // It waits for another disc as long as nobody says that there is none.
    keyboard.write_all(b"q\n").unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert!(run.stderr.contains("is not signed"), "{run:#?}");
    assert!(!run.stderr.contains("insert volume"), "{run:#?}");
    let run = at_site(
        &stage,
        &["visit", "--unsigned", "--drive", disc.to_str().unwrap()],
    );
    let run = run.ends_with(0);
    assert!(run.stdout.contains("shop:1.0"), "{run:#?}");
}
