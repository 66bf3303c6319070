//! Bundles in one file without volumes: how small they are, every way in, signatures, and what is said of damage.

use crate::testkit::stage;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use stage::{Run, Stage, noise};

const BLOCK_PAYLOAD: usize = 65_472;

/// A vendor with `app:1` of some 300 kB, `app:2` with a kilobyte more, and a key that nobody trusts yet.
fn vendor() -> Stage {
    let stage = Stage::new();
    for (folder, more) in [("one", 0), ("two", 1000)] {
        fs::create_dir_all(stage.path(folder).join("app")).unwrap();
        fs::write(stage.path(folder).join("app/run.bin"), noise(3, 300_000)).unwrap();
        fs::write(stage.path(folder).join("app/more.bin"), noise(4, more)).unwrap();
    }
    for (release, folder) in [("app:1", "one"), ("app:2", "two")] {
        stage
            .run(&["add", release, &format!("{folder}/app")])
            .ends_with(0);
    }
    stage
        .run(&["key", "new", "vendor.key", "--no-password"])
        .ends_with(0);
    stage
}

#[track_caller]
fn pack(stage: &Stage, release: &str, file: &str, more: &[&str]) -> Vec<u8> {
    let words = [&["pack", release, "--bare", file][..], more].concat();
    stage.run(&words).ends_with(0);
    fs::read(stage.path(file)).unwrap()
}

fn at_site(stage: &Stage, site: &str, words: &[&str]) -> Run {
    let mut command = stage.command(words);
    let run = command.env("CARRYALL_STORE", stage.path(site)).output();
    run.unwrap().into()
}

/// Receives what comes through standard input.
fn receive_piped(stage: &Stage, site: &str, bytes: &[u8]) -> Run {
    let mut command = stage.command(&["receive", "-"]);
    command.env("CARRYALL_STORE", stage.path(site));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let sent = child.stdin.take().unwrap().write_all(bytes);
    let run: Run = child.wait_with_output().unwrap().into();
    sent.unwrap();
    run
}

#[track_caller]
fn comes_back(stage: &Stage, site: &str, release: &str, given: &str) {
    let back = format!("{site}-{}", release.replace(':', "-"));
    at_site(stage, site, &["checkout", release, &back]).ends_with(0);
    for file in ["run.bin", "more.bin"] {
        let read = |folder: &str| fs::read(stage.path(folder).join("app").join(file)).unwrap();
        assert_eq!(read(&back), read(given), "{file}");
    }
}

#[track_caller]
fn nothing_is_in(stage: &Stage, site: &str) {
    let listed = at_site(stage, site, &["--json", "list"])
        .ends_with(0)
        .json();
    assert_eq!(listed["releases"].as_array().unwrap().len(), 0);
    let packs = walkdir::WalkDir::new(stage.path(site).join("packs")).into_iter();
    let files = packs.flatten().filter(|entry| entry.file_type().is_file());
    assert_eq!(files.count(), 0, "nothing is written outside of staging");
}

#[test]
fn a_delta_of_a_kilobyte_is_a_file_of_a_few_and_comes_every_way() {
    let stage = vendor();
    let full = pack(&stage, "app:1", "full.bare", &[]);
    let delta = pack(&stage, "app:2", "delta.bare", &["--since", "app:1"]);
    assert!(full.len() < 305_000, "{}", full.len());
    assert!(delta.len() <= 4096, "{}", delta.len());
    let signed = ["--since", "app:1", "--sign", "vendor.key"];
    let signed = pack(&stage, "app:2", "signed.bare", &signed);
    assert!(signed.len() <= 4096, "{}", signed.len());

    // From files, in one call and in two, the delta first.
    at_site(&stage, "one-call", &["receive", "full.bare", "delta.bare"]).ends_with(0);
    at_site(&stage, "two-calls", &["receive", "delta.bare"]).ends_with(4);
    at_site(&stage, "two-calls", &["status"]).ends_with(4);
    at_site(&stage, "two-calls", &["receive", "full.bare"]).ends_with(0);
    // Through a pipe, as it is and packed, with the zeros at its end.
    receive_piped(&stage, "piped", &full).ends_with(0);
    receive_piped(&stage, "piped", &zstd::encode_all(&delta[..], 1).unwrap()).ends_with(0);
    // In a folder, in pieces, as attachments come.
    for (name, bytes) in [("f.aa", &full[..200_000]), ("f.ab", &full[200_000..])] {
        fs::create_dir_all(stage.path("inbox")).unwrap();
        fs::write(stage.path("inbox").join(name), bytes).unwrap();
    }
    fs::write(stage.path("inbox/delta"), &delta).unwrap();
    at_site(&stage, "folder", &["receive", "inbox"]).ends_with(0);
    for site in ["one-call", "two-calls", "piped", "folder"] {
        comes_back(&stage, site, "app:1", "one");
        comes_back(&stage, site, "app:2", "two");
        at_site(&stage, site, &["check", "--data"]).ends_with(0);
    }

    // It is looked at as volumes are.
    let said = stage.run(&["inspect", "signed.bare"]).ends_with(0).stdout;
    assert!(said.contains("app:2") && said.contains("signed"), "{said}");
    stage.run(&["verify", "full.bare"]).ends_with(0);
    let report = stage
        .run(&["verify", "inbox", "--json"])
        .ends_with(0)
        .json();
    assert_eq!(report["sets"].as_array().unwrap().len(), 2);
}

#[test]
fn a_fifo_is_read_as_a_file_is() {
    let stage = vendor();
    let full = pack(&stage, "app:1", "full.bare", &["--sign", "vendor.key"]);
    let made = Command::new("mkfifo").arg(stage.path("fifo")).status();
    assert!(made.unwrap().success());
    for command in ["verify", "inspect", "receive"] {
        let fifo = stage.path("fifo");
        let bytes = full.clone();
        let sender = std::thread::spawn(move || fs::write(fifo, bytes));
        at_site(&stage, "site", &[command, "fifo"]).ends_with(0);
        sender.join().unwrap().unwrap();
    }
    comes_back(&stage, "site", "app:1", "one");
}

#[test]
fn the_same_request_makes_the_same_bytes_and_nothing_is_replaced() {
    let stage = vendor();
    let words = ["--sign", "vendor.key", "--date", "2026-11-28"];
    let one = pack(&stage, "app:1", "one.bare", &words);
    let other = pack(&stage, "app:1", "other.bare", &words);
    assert!(one == other);
    fs::write(stage.path("thesis"), b"years").unwrap();
    for there in ["one.bare", "thesis"] {
        let words = ["pack", "app:1", "--bare", there];
        stage.run(&words).fails_with(1, &[there, "exists already"]);
    }
    assert_eq!(fs::read(stage.path("one.bare")).unwrap(), one);
    let plan = ["pack", "app:1", "--bare", "planned", "--plan"];
    let said = stage.run(&plan).ends_with(0).stdout;
    assert!(said.contains("in one file without volumes"), "{said}");
    assert!(!stage.path("planned").exists());
}

#[test]
fn options_of_volumes_are_refused_in_words() {
    let stage = vendor();
    for more in [
        &["--to", "discs"][..],
        &["--media", "dvd"],
        &["--spare", "1"],
        &["--local", "5"],
        &["--iso"],
        &["--without-program"],
        &["--codec", "gf8"],
        &["--read-back"],
    ] {
        let words = [&["pack", "app:1", "--bare", "x"][..], more].concat();
        let told = "cannot be used together with";
        stage.run(&words).fails_with(2, &["--bare", told, more[0]]);
    }
    assert!(!stage.path("x").exists());
}

#[test]
fn a_site_with_a_key_takes_what_that_key_signed() {
    let stage = vendor();
    stage
        .run(&["key", "new", "forger.key", "--no-password"])
        .ends_with(0);
    at_site(&stage, "site", &["trust", "add", "vendor.pub"]).ends_with(0);
    pack(&stage, "app:1", "unsigned", &[]);
    pack(&stage, "app:1", "forged", &["--sign", "forger.key"]);
    pack(&stage, "app:1", "signed", &["--sign", "vendor.key"]);
    at_site(&stage, "site", &["receive", "unsigned"]).fails_with(1, &["is not signed"]);
    at_site(&stage, "site", &["receive", "forged"]).ends_with(1);
    nothing_is_in(&stage, "site");
    at_site(&stage, "site", &["receive", "signed"]).ends_with(0);
    comes_back(&stage, "site", "app:1", "one");
    at_site(&stage, "other", &["trust", "add", "vendor.pub"]).ends_with(0);
    at_site(&stage, "other", &["receive", "unsigned", "--unsigned"]).ends_with(0);
}

#[test]
fn a_cut_or_changed_file_is_told_of_and_nothing_wrong_gets_in() {
    let stage = vendor();
    let full = pack(&stage, "app:1", "full.bare", &["--sign", "vendor.key"]);
    let begin = full.len() - 300_000 - 200;
    // Every part of the file: head, description, catalog, each piece of payload, the end.
    let step = full.len() / 23;
    let places = (4..full.len())
        .step_by(step)
        .chain([50, 73, 150, full.len() - 1]);
    for (number, at) in places.enumerate() {
        let mut changed = full.clone();
        changed[at] ^= 0x10;
        fs::write(stage.path("changed"), &changed).unwrap();
        let site = format!("site-{number}");
        let run = at_site(&stage, &site, &["receive", "changed"]);
        let told = run.stderr.clone() + &run.stdout;
        assert!([1, 3, 4].map(Some).contains(&run.code), "{at}: {run:#?}");
        assert!(told.contains("have the file sent again"), "{at}: {told}");
        let verified = stage.run(&["verify", "changed"]);
        assert!(
            [1, 3, 4].map(Some).contains(&verified.code),
            "{at}: {verified:#?}"
        );
        if stage.path(&site).exists() {
            nothing_is_in(&stage, &site);
        }
        let run = receive_piped(&stage, &format!("pipe-{number}"), &changed);
        assert!([1, 3, 4].map(Some).contains(&run.code), "{at}: {run:#?}");
    }
    for bytes in [3, 60, 200, begin, full.len() / 2, full.len() - 1] {
        fs::write(stage.path("cut"), &full[..bytes]).unwrap();
        let site = format!("cut-{bytes}");
        let run = at_site(&stage, &site, &["receive", "cut"]);
        assert!([1, 3, 4].map(Some).contains(&run.code), "{bytes}: {run:#?}");
        let told = run.stderr.clone() + &run.stdout;
        let in_words = if bytes < 4 { "too short" } else { "sent again" };
        assert!(told.contains(in_words), "{bytes}: {told}");
        if stage.path(&site).exists() {
            nothing_is_in(&stage, &site);
        }
    }
}

#[test]
fn two_copies_with_damage_in_other_places_are_one_whole_file() {
    let stage = vendor();
    let full = pack(&stage, "app:1", "full.bare", &[]);
    let mut one = full.clone();
    one[full.len() - 10] ^= 1;
    let mut other = full.clone();
    other[full.len() - 2 * BLOCK_PAYLOAD] ^= 1;
    other.truncate(full.len() - BLOCK_PAYLOAD / 2);
    other.extend_from_slice(&full[other.len()..]);
    fs::write(stage.path("one.bare"), &one).unwrap();
    fs::write(stage.path("other.bare"), &other).unwrap();
    at_site(&stage, "site", &["receive", "one.bare"]).ends_with(3);
    at_site(&stage, "site", &["receive", "other.bare"]).ends_with(0);
    comes_back(&stage, "site", "app:1", "one");
    // A cut copy, and its rest by the whole file.
    fs::write(stage.path("cut.bare"), &full[..full.len() / 2]).unwrap();
    let run = at_site(&stage, "late", &["receive", "cut.bare"]);
    let said = format!("the file ends after {} of", full.len() / 2);
    let run = run.ends_with(3);
    assert!(format!("{run:?}").contains(&said), "{run:#?}");
    at_site(&stage, "late", &["receive", "full.bare"]).ends_with(0);
    comes_back(&stage, "late", "app:1", "one");
}

#[test]
fn an_empty_release_and_one_of_whole_pieces_come_back() {
    let stage = Stage::new();
    fs::create_dir_all(stage.path("empty/app")).unwrap();
    stage.run(&["add", "empty:1", "empty/app"]).ends_with(0);
    pack(&stage, "empty:1", "empty.bare", &[]);
    at_site(&stage, "site", &["receive", "empty.bare"]).ends_with(0);
    let back = ["checkout", "empty:1", "back"];
    at_site(&stage, "site", &back).ends_with(0);
    assert!(Path::new(&stage.path("back/app")).is_dir());
}
