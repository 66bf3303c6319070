//! `--log FILE` and `CARRYALL_LOG`: what was done can be sent home, and no password is in it.

use crate::testkit::stage;

use std::fs;

use stage::{Stage, noise};

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
    let has = |words: &[&str]| {
        assert!(
            log.iter()
                .any(|line| words.iter().all(|word| line.contains(word))),
            "{words:?} is not in {log:#?}"
        );
    };
    has(&["begins", "add shop:1 given/setup.bin --log home.log"]);
    has(&["volumes were read", "whole_blocks"]);
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
