//! `burn` with the real xorriso onto files that stand for drives: what is burned, read back, refused, and remembered.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::testkit::bad_sectors::{BadSectors, Fails, sectors};
use crate::testkit::programs::{has, put_program, run};
use crate::testkit::stage::{Run, Stage, noise, signal, visible};

const DISC: &str = "stdio:disc.img";

/// A stage with two images in `images`.
fn images() -> Option<Stage> {
    packed(&["--iso"])
}

fn packed(more: &[&str]) -> Option<Stage> {
    if !has(&["xorriso"]) {
        return None;
    }
    let stage = Stage::new();
    fs::write(stage.path("setup.bin"), noise(2, 2_000_000)).unwrap();
    stage.run(&["add", "shop:1.0", "setup.bin"]).ends_with(0);
    let words = [
        "pack", "shop:1.0", "--to", "images", "--media", "6MB", "--spare", "1",
    ];
    stage.run(&[&words[..], more].concat()).ends_with(0);
    assert_eq!(visible(&stage.path("images")).len(), 2);
    Some(stage)
}

/// Runs a command with these lines typed.
fn typed(mut command: Command, lines: &str) -> Run {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // One that needs no answer may have ended already.
    let _ = stdin.write_all(lines.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap().into()
}

fn burn(stage: &Stage, more: &[&str], lines: &str) -> Run {
    let words = ["burn", "images", "--device", DISC];
    typed(stage.command(&[&words[..], more].concat()), lines)
}

/// A folder with a `xorriso` of our own, and a PATH that begins with it.
fn path_with_xorriso(stage: &Stage, script: &str) -> String {
    let path = std::env::var("PATH").unwrap();
    let real = std::env::split_paths(&path).map(|dir| dir.join("xorriso"));
    let real = real.into_iter().find(|place| place.is_file()).unwrap();
    let dir = stage.path("bin");
    fs::create_dir_all(&dir).unwrap();
    let lines = format!("real={}\n{script}", real.display());
    put_program(&dir.join("xorriso"), &lines);
    format!("{}:{path}", dir.display())
}

#[test]
fn every_volume_is_burned_read_back_and_remembered() {
    let Some(stage) = images() else { return };
    let run = burn(&stage, &["--erase"], "\n").ends_with(0);
    for said in [
        "volume 1 of 2: good",
        "volume 2 of 2: good",
        "is read back",
        "insert a blank one for volume 2 of 2",
    ] {
        assert!(run.stderr.contains(said), "{said}: {run:#?}");
    }
    assert_eq!(run.stdout.matches(": good").count(), 2, "{run:#?}");
    // The last disc is the last image, byte for byte.
    let image = fs::read(&visible(&stage.path("images"))[1]).unwrap();
    let disc = fs::read(stage.path("disc.img")).unwrap();
    assert!(disc.starts_with(&image));
    let run = stage.run(&["verify", "--at-hand", "disc.img"]).ends_with(0);
    assert!(run.stdout.contains("volume 2"), "{run:#?}");

    let run = burn(&stage, &[], "").ends_with(0);
    assert_eq!(
        run.stderr.matches("not burned again").count(),
        2,
        "{run:#?}"
    );
    let run = stage
        .run(&["burn", "images", "--device", DISC, "--json"])
        .ends_with(0);
    assert_eq!(run.json()["volumes"][1]["outcome"], "good_before");
    // Another set in the same folder is another one.
    let run = burn(&stage, &["--again", "--erase"], "\n").ends_with(0);
    assert_eq!(
        run.stderr.matches("read back from the disc").count(),
        4,
        "{run:#?}"
    );
}

#[test]
fn a_folder_becomes_a_disc() {
    let Some(stage) = packed(&[]) else { return };
    let folder = visible(&stage.path("images")).remove(0);
    let folder = folder.to_str().unwrap();
    stage.run(&["burn", folder, "--device", DISC]).ends_with(0);
    stage.run(&["verify", "--at-hand", "disc.img"]).ends_with(0);
    let mut list = Command::new("xorriso");
    list.args(["-indev", "stdio:disc.img", "-lsl", "/"]);
    let listed = run(list.current_dir(stage.path("")));
    assert!(
        listed.contains("START-HERE.html") && listed.contains("carry01.000"),
        "{listed}"
    );
    // It is compared with the volume: another one in its place is bad.
    let other = visible(&stage.path("images")).remove(1);
    let run = stage.run(&["burn", other.to_str().unwrap(), "--device", DISC]);
    run.fails_with_words("this disc holds a volume of shop:1.0");
}

impl Run {
    /// Nothing was burned, and this was said.
    #[track_caller]
    fn fails_with_words(self, words: &str) -> Self {
        let run = self.ends_with(1);
        assert!(run.stderr.contains(words), "{words}: {run:#?}");
        run
    }
}

#[test]
fn a_disc_that_holds_something_is_not_erased_without_an_answer() {
    let Some(stage) = images() else { return };
    let mut make = Command::new("xorriso");
    make.args([
        "-outdev",
        "stdio:disc.img",
        "-volid",
        "LETTERS",
        "-map",
        "setup.bin",
        "/letters",
        "-commit",
    ]);
    run(make.current_dir(stage.path("")));
    let before = fs::read(stage.path("disc.img")).unwrap();
    burn(&stage, &[], "").fails_with_words("this disc holds something");
    burn(&stage, &[], "q\n").fails_with_words("this disc holds something");
    burn(&stage, &[], "what?\n").fails_with_words("this disc holds something");
    burn(&stage, &[], "\nq\n").fails_with_words("this disc holds something");
    assert!(fs::read(stage.path("disc.img")).unwrap() == before);
    // The word agrees, for this disc alone; the second volume is left out.
    let run = burn(&stage, &[], "erase\ns\n").ends_with(3);
    assert!(run.stdout.contains("volume 1 of 2: good"), "{run:#?}");
    assert!(run.stdout.contains("volume 2 of 2: not burned"), "{run:#?}");
    let run = burn(&stage, &["--erase"], "\n").ends_with(0);
    assert!(
        run.stderr.contains("volume 1 of 2: burned and good before"),
        "{run:#?}"
    );
}

#[test]
fn a_disc_that_cannot_be_read_back_is_bad_and_offered_again() {
    let Some(stage) = images() else { return };
    fs::write(stage.path("disc.img"), b"").unwrap();
    let disc = stage.path("disc.img");
    let bad = sectors([300, 301, 302]);
    let Some(bad) = BadSectors::new(&[(&disc, &bad)], Fails::Always) else {
        return;
    };
    let words = ["burn", "images", "--device", DISC, "--erase"];
    let mut command = stage.command(&words);
    bad.hurt(&mut command);
    let run = typed(command, "\nq\n").ends_with(1);
    assert!(run.stderr.contains("BAD: at least 6.14 kB"), "{run:#?}");
    assert_eq!(run.stderr.matches("is burned in").count(), 2, "{run:#?}");
    assert!(
        run.stdout.contains("volume 1 of 2: no good disc"),
        "{run:#?}"
    );
    // Nothing was remembered.
    let run = burn(&stage, &["--erase"], "\n").ends_with(0);
    assert!(!run.stderr.contains("before"), "{run:#?}");
}

#[test]
fn a_disc_that_is_too_small_is_told_before_anything_is_written() {
    let Some(stage) = images() else { return };
    let script = "\"$real\" \"$@\" | sed 's/^Media space.*/Media space  : 100s/'";
    let path = path_with_xorriso(&stage, script);
    let mut command = stage.command(&["burn", "images", "--device", DISC]);
    command.env("PATH", path);
    typed(command, "").fails_with_words("room for 205 kB");
    assert!(
        !stage.path("disc.img").exists()
            || fs::metadata(stage.path("disc.img")).unwrap().len() == 0
    );
}

#[test]
fn what_the_program_or_the_drive_refuses_is_told() {
    let Some(stage) = images() else { return };
    let script = "case \"$*\" in *cdrecord*) echo 'SCSI error: medium error' >&2; exit 5;; esac\nexec \"$real\" \"$@\"";
    let path = path_with_xorriso(&stage, script);
    let mut command = stage.command(&["burn", "images", "--device", DISC]);
    command.env("PATH", path);
    typed(command, "").fails_with_words("the drive did not write it (SCSI error: medium error)");
    stage
        .run(&["burn", "images", "--device", "/dev/no-such-drive"])
        .fails_with(1, &["/dev/no-such-drive", "lsblk"]);
    let mut command = stage.command(&["burn", "images", "--device", DISC]);
    let run: Run = command.env("PATH", "/nowhere").output().unwrap().into();
    run.fails_with(1, &["xorriso is not installed"]);
    stage
        .run(&["burn", "setup.bin"])
        .fails_with(1, &["no carryall volume"]);
}

#[test]
fn ctrl_c_says_what_became_of_the_disc() {
    let Some(stage) = images() else { return };
    let script =
        "case \"$*\" in *cdrecord*) touch began; exec sleep 60;; esac\nexec \"$real\" \"$@\"";
    let path = path_with_xorriso(&stage, script);
    let mut command = stage.command(&["burn", "images", "--device", DISC]);
    let child = command.env("PATH", path).spawn().unwrap();
    let begun = Instant::now();
    while !stage.path("began").exists() && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    signal(&child, Signal::INT);
    let run: Run = child.wait_with_output().unwrap().into();
    let run = run.ends_with(130);
    assert!(run.stderr.contains("volume 1 of 2: broken off"), "{run:#?}");
}

#[test]
fn a_disc_that_was_finished_is_not_burned_once_more() {
    let Some(stage) = images() else { return };
    let image = visible(&stage.path("images")).remove(0);
    let image = image.to_str().unwrap();
    stage.run(&["burn", image, "--device", DISC]).ends_with(0);
    fs::remove_file(Path::new(image).with_file_name(".carryall-burned")).unwrap();
    let run = stage.run(&["burn", image, "--device", DISC]).ends_with(0);
    assert!(run.stderr.contains("is on this disc already"), "{run:#?}");
    assert!(!run.stderr.contains("is burned in"), "{run:#?}");
}
