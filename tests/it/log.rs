//! `--log FILE` and `CARRYALL_LOG`: what was done can be sent home, and no password is in it.

use crate::testkit::harm::flip_middle;
use crate::testkit::stage;
use crate::testkit::trees::files_below;

use std::fs;
use std::os::unix::fs::FileExt;

use stage::{Stage, noise, volumes};

/// Checks that one line has all of `words`.
#[track_caller]
fn has_line(log: &[String], words: &[&str]) {
    assert!(
        log.iter()
            .any(|line| words.iter().all(|word| line.contains(word))),
        "{words:?} is not in {log:#?}"
    );
}

/// The lines of a log behind its first one.
fn lines(stage: &Stage, name: &str) -> Vec<String> {
    let text = fs::read_to_string(stage.path(name)).unwrap();
    let (head, lines) = text.split_once('\n').unwrap();
    assert_eq!(head, "carryall log: lines are only ever added");
    lines.lines().map(str::to_owned).collect()
}

#[test]
fn the_log_tells_the_journey_and_how_a_command_failed() {
    let stage = Stage::new();
    fs::create_dir(stage.path("given")).unwrap();
    fs::write(stage.path("given/setup.bin"), noise(7, 3_000_000)).unwrap();
    for words in [
        &["add", "shop:1", "given/setup.bin"][..],
        &["pack", "shop:1", "--to", "discs", "--media", "6MB"],
        &["receive", "discs", "--store", "site"],
    ] {
        let words = [words, &["--log", "home.log"]].concat();
        stage.run(&words).ends_with(0);
    }
    let log = lines(&stage, "home.log");
    let has = |words: &[&str]| has_line(&log, words);
    has(&["begins", "add shop:1 given/setup.bin --log home.log"]);
    has(&["volume was read", "bad_blocks=0"]);
    has(&["release is committed", "shop:1"]);
    has(&["ends", "exit_code=0"]);
    // A command that fails adds to it, and so does one that has it from the environment.
    let mut command = stage.command(&["checkout", "shop:9", "back"]);
    let failed = command.env("CARRYALL_LOG", stage.path("home.log")).output();
    assert_eq!(failed.unwrap().status.code(), Some(1));
    let longer = lines(&stage, "home.log");
    assert_eq!(longer[..log.len()], log[..]);
    let last = longer.last().unwrap();
    assert!(last.contains("ERROR") && last.contains("release"), "{last}");
}

#[test]
fn the_log_tells_what_is_damaged_and_what_became_of_it() {
    let stage = Stage::new();
    fs::create_dir(stage.path("given")).unwrap();
    fs::write(stage.path("given/setup.bin"), noise(7, 3_000_000)).unwrap();
    let run = |words: &[&str]| {
        let words = [words, &["--log", "home.log"]].concat();
        stage.run(&words)
    };
    run(&["add", "shop:1", "given/setup.bin"]).ends_with(0);
    run(&["pack", "shop:1", "--to", "discs", "--media", "6MB"]).ends_with(0);
    // One block of payload.
    let volume = volumes(&stage.path("discs"))[0].join("carry01.000");
    let file = fs::File::options().write(true).open(volume).unwrap();
    file.write_all_at(&[7; 1000], 60 * 4096).unwrap();
    // A name from a medium cannot forge a line.
    fs::rename(stage.path("discs"), stage.path("discs\nforged")).unwrap();
    run(&["receive", "discs\nforged", "--store", "site"]).ends_with(0);
    run(&["checkout", "shop:1", "back", "--store", "site"]).ends_with(0);
    let log = lines(&stage, "home.log");
    for words in [
        &["medium is looked at", "discs\\nforged"][..],
        &["blocks were found", "discs\\nforged"],
        &[
            "volume was read",
            "volume=1",
            "bad_blocks=1",
            "good_blocks=",
        ],
        &["bundle was opened", "releases=[\"shop:1\"]"],
        &["blocks were healed", "local_blocks=1"],
        &["release is committed", "shop:1"],
        &["item was checked out", "setup.bin", "Whole"],
    ] {
        has_line(&log, words);
    }
    assert!(
        log.iter().all(|line| !line.starts_with("forged")),
        "{log:#?}"
    );

    // A pack that went bad is quarantined, and prune tells what it did.
    for pack in files_below(&stage.path("site/packs")).keys() {
        flip_middle(&stage.path("site/packs").join(pack));
    }
    run(&["check", "--data", "--store", "site"]).ends_with(3);
    run(&["rm", "shop:1", "--store", "site"]);
    run(&["prune", "--store", "site"]).ends_with(0);
    let log = lines(&stage, "home.log");
    has_line(&log, &["is damaged and quarantined", "subject=pack "]);
    has_line(&log, &["store was pruned", "packs_removed=1"]);
}

#[test]
fn no_password_is_in_the_log() {
    let stage = Stage::new();
    let reference = "docker://someone:hidden-word@127.0.0.1:1/a/b:1";
    stage
        .run(&["add", "shop:1", reference, "--log", "home.log"])
        .ends_with(2);
    let log = lines(&stage, "home.log").join("\n");
    assert!(log.contains("***@127.0.0.1:1/a/b:1"), "{log}");
    assert!(
        !log.contains("hidden-word") && !log.contains("someone"),
        "{log}"
    );
}

#[test]
fn what_is_there_and_no_log_is_left_as_it_is() {
    let stage = Stage::new();
    fs::create_dir(stage.path("given")).unwrap();
    fs::write(stage.path("given/a"), "a").unwrap();
    for place in ["given/a", "given/new.log", "given"] {
        stage
            .run(&["add", "shop:1", "given", "--log", place])
            .fails_with(1, &[place]);
    }
    assert_eq!(fs::read(stage.path("given/a")).unwrap(), b"a");
    assert_eq!(fs::read_dir(stage.path("given")).unwrap().count(), 1);
}
