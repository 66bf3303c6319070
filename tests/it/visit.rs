//! `visit`: a person puts in what is asked for, and what is not, into a tray that is a folder.

use crate::testkit::stage::{Stage, noise};

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// No step takes so long, on any machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Somebody in front of the drive.
struct Person {
    program: Child,
    lines: Receiver<String>,
    tray: PathBuf,
    discs: usize,
}

impl Person {
    fn starts(stage: &Stage, words: &[&str], language: &str) -> Self {
        let tray = stage.path("tray");
        let _ = fs::remove_dir_all(&tray);
        fs::create_dir_all(&tray).unwrap();
        let all = [&["visit", "--drive", tray.to_str().unwrap()], words].concat();
        let mut command = stage.command(&all);
        command.env("LC_ALL", language).stdin(Stdio::piped());
        let mut program = command.spawn().unwrap();
        let (send, lines) = channel();
        let stderr = BufReader::new(program.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        Self {
            program,
            lines,
            tray,
            discs: 0,
        }
    }

    /// Reads up to a line with these words, and returns all lines up to it.
    #[track_caller]
    fn reads(&self, words: &str) -> Vec<String> {
        let mut read = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let is_it = line.contains(words);
                    read.push(line);
                    if is_it {
                        return read;
                    }
                }
                Err(error) => panic!("{words:?} is not said ({error}): {read:#?}"),
            }
        }
    }

    /// Takes out what is in the tray.
    fn empties(&self) {
        for entry in fs::read_dir(&self.tray).unwrap().flatten() {
            fs::remove_file(entry.path()).unwrap();
        }
    }

    /// Puts a disc in, as a whole at once.
    fn puts_in(&mut self, disc: &Path) {
        self.discs += 1;
        let aside = self.tray.with_extension("aside");
        fs::copy(disc, &aside).unwrap();
        let place = self.tray.join(format!("disc{}.iso", self.discs));
        fs::rename(aside, place).unwrap();
    }

    fn changes_to(&mut self, disc: &Path) {
        self.empties();
        self.puts_in(disc);
    }

    fn types(&mut self, line: &str) {
        let stdin = self.program.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").unwrap();
    }

    /// Waits for the end, and returns the exit code and the report.
    fn sees_the_end(mut self) -> (Option<i32>, String) {
        drop(self.program.stdin.take());
        let output = self.program.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), text)
    }
}

/// Volumes of a release as images, 3 data and 1 spare, and what is in it.
fn packed(stage: &Stage, release: &str, seed: u64) -> Vec<PathBuf> {
    let item = format!("given-{seed}");
    fs::write(stage.path(&item), noise(seed, 5_000_000)).unwrap();
    stage.run(&["add", release, &item]).ends_with(0);
    let to = format!("discs-{seed}");
    let words = [
        "pack", release, "--to", &to, "--media", "3MB", "--spare", "1", "--iso",
    ];
    stage.run(&words).ends_with(0);
    let entries = fs::read_dir(stage.path(&to)).unwrap();
    let mut discs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    discs.sort();
    discs
}

#[test]
fn a_person_with_one_drive_is_led_to_the_end() {
    let vendor = Stage::new();
    let discs = packed(&vendor, "shop:1.0", 1);
    let others = packed(&vendor, "tool:2", 2);
    let site = Stage::new();
    let plain = site.path("plain.iso");
    fs::write(&plain, noise(3, 2_000_000)).unwrap();

    let mut person = Person::starts(&site, &[], "C");
    person.reads("Put any volume of the delivery into");
    person.puts_in(&plain);
    person.reads("no carryall volume");
    person.reads("Put any volume of the delivery into");
    person.changes_to(&discs[1]);
    person.reads("This is volume 2 of 4 of shop:1.0");
    person.reads("all blocks whole; new");
    person.reads("put volume 1 of 4 of shop:1.0");
    // The same disc again, and a disc of another delivery.
    person.changes_to(&discs[1]);
    person.reads("nothing more of it is needed");
    person.changes_to(&others[0]);
    person.reads("This is volume 1 of 4 of tool:2");
    person.reads("y or n");
    person.types("n");
    person.reads("put volume 1 of 4 of shop:1.0");
    person.empties();
    person.types("what?");
    person.reads("Nothing was done");
    person.types("m");
    person.reads("Volume 1 is not here");
    person.reads("put volume 3 of 4 of shop:1.0");
    // Ends in the midst, and goes on without asking for what was read or is missing.
    person.types("q");
    let (code, text) = person.sees_the_end();
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("goes on from here"), "{text}");

    let mut person = Person::starts(&site, &[], "C");
    person.reads("put volume 3 of 4 of shop:1.0");
    person.puts_in(&discs[2]);
    person.reads("put volume 4 of 4 of shop:1.0");
    person.changes_to(&discs[3]);
    person.reads("received whole");
    let (code, text) = person.sees_the_end();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("carryall load shop:1.0"), "{text}");
    site.run(&["checkout", "shop:1.0", "back"]).ends_with(0);
    let back = fs::read(site.path("back/given-1")).unwrap();
    assert_eq!(back, noise(1, 5_000_000));

    // What was read when is in the log, in both languages.
    let history = site.run(&["visit", "--history"]).ends_with(0).stdout;
    for words in [
        "volume 2 read in",
        "volume 1 is not here",
        "received: shop:1.0",
    ] {
        assert!(history.contains(words), "{words}: {history}");
    }
    let mut person = Person::starts(&site, &[], "zh_CN.UTF-8");
    person.reads("请把这批光盘中的任意一卷放入");
    person.puts_in(&discs[0]);
    person.reads("这一套已经入库");
    person.types("退出");
    assert_eq!(person.sees_the_end().0, Some(0));
}

#[test]
fn with_too_little_left_the_vendor_sends_what_is_lacking() {
    let vendor = Stage::new();
    let discs = packed(&vendor, "shop:1.0", 1);
    let site = Stage::new();
    let mut person = Person::starts(&site, &["--to", "."], "C");
    person.reads("Put any volume");
    person.puts_in(&discs[0]);
    for volume in 2..=4 {
        person.reads(&format!("put volume {volume} of 4"));
        if volume == 3 {
            person.changes_to(&discs[2]);
        } else {
            person.empties();
            person.types("m");
        }
    }
    let said = person.reads("send this file to the vendor");
    let file = said.last().unwrap().split(": ").nth(1).unwrap().to_owned();
    let receipt = site.path(&file);
    assert!(receipt.is_file(), "{said:#?}");
    let picture = person.reads("this picture of a code");
    let picture = picture.last().unwrap().split(": ").nth(1).unwrap();
    let bytes = fs::read(site.path(picture)).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    let words = [
        "pack",
        "shop:1.0",
        "--for",
        receipt.to_str().unwrap(),
        "--to",
        "top-up",
        "--media",
        "8MB",
        "--iso",
    ];
    vendor.run(&words).ends_with(0);
    let mut top_up = fs::read_dir(vendor.path("top-up")).unwrap();
    let top_up = top_up.next().unwrap().unwrap().path();
    person.reads("put the top-up");
    person.changes_to(&top_up);
    person.reads("received whole");
    assert_eq!(person.sees_the_end().0, Some(0));
    site.run(&["checkout", "shop:1.0", "back"]).ends_with(0);
    let back = fs::read(site.path("back/given-1")).unwrap();
    assert_eq!(back, noise(1, 5_000_000));
}

#[test]
fn a_drive_that_is_not_there_is_named() {
    let stage = Stage::new();
    let run = stage.run(&["visit", "--drive", "/dev/sr77"]);
    run.fails_with(1, &["/dev/sr77"]);
    assert!(!stage.path("store").exists());
}

#[test]
fn for_a_script_it_prints_events_and_a_report() {
    let vendor = Stage::new();
    let discs = packed(&vendor, "shop:1.0", 1);
    let site = Stage::new();
    let mut person = Person::starts(&site, &["--json"], "C");
    person.reads("\"insert\"");
    person.puts_in(&discs[0]);
    person.reads("\"disc\"");
    for disc in &discs[1..3] {
        person.reads("\"insert\"");
        person.changes_to(disc);
    }
    let (code, text) = person.sees_the_end();
    assert_eq!(code, Some(0), "{text}");
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["received"], serde_json::json!(["shop:1.0"]));
    assert_eq!(report["log"].as_array().unwrap().len(), 4);
}
