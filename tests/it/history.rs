//! What came into a store and what went out stands in its history, whoever asks and whatever happens to it.

use crate::testkit::stage;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use stage::{Run, Stage, kill, noise};

/// A vendor with a key, a release of some files and a signed set for plant-7.
fn vendor() -> Stage {
    let stage = Stage::new();
    fs::write(stage.path("setup.bin"), noise(1, 400_000)).unwrap();
    stage.run(&["add", "shop:1.0", "setup.bin"]).ends_with(0);
    let key = ["key", "new", "vendor.key", "--no-password"];
    stage.run(&key).ends_with(0);
    let words = "pack shop:1.0 --to discs --media 6MB --spare 0 --without-program";
    let mut words: Vec<&str> = words.split(' ').collect();
    words.extend(["--sign", "vendor.key", "--site", "plant-7"]);
    stage.run(&words).ends_with(0);
    stage
}

fn at_site(stage: &Stage, words: &[&str]) -> Run {
    let mut command = stage.command(words);
    command.env("CARRYALL_STORE", stage.path("site"));
    command.output().unwrap().into()
}

/// A site that trusts the vendor and has received the set.
fn site() -> Stage {
    let stage = vendor();
    let trust = ["trust", "add", "vendor.pub", "--name", "Example Ltd"];
    at_site(&stage, &trust).ends_with(0);
    at_site(&stage, &["receive", "discs"]).ends_with(0);
    stage
}

fn lines(report: &Value) -> Vec<Value> {
    report["lines"].as_array().unwrap().clone()
}

fn events(report: &Value) -> Vec<String> {
    let lines = lines(report);
    let names = lines.iter().map(|line| line["event"].as_str().unwrap());
    names.map(str::to_owned).collect()
}

fn history(stage: &Stage) -> Value {
    let run = at_site(stage, &["--json", "history"]).ends_with(0);
    run.json()
}

fn file(stage: &Stage, name: &str) -> PathBuf {
    stage.path("site/history").join(name)
}

#[test]
fn what_was_removed_is_listed_by_its_id() {
    let stage = Stage::new();
    fs::write(stage.path("setup.bin"), noise(1, 40_000)).unwrap();
    for release in ["shop:1", "shop:2", "shop:3"] {
        stage.run(&["add", release, "setup.bin"]).ends_with(0);
    }
    stage.run(&["rm", "shop:1"]).ends_with(0);
    stage.run(&["prune", "--keep-last", "1"]).ends_with(0);
    let report = stage.run(&["--json", "history"]).ends_with(0).json();
    let expected = ["add", "add", "add", "remove", "remove"];
    assert_eq!(events(&report), expected);
    let lines = lines(&report);
    for (added, removed) in [(0, 3), (1, 4)] {
        assert_eq!(lines[added]["releases"], lines[removed]["releases"]);
    }
    // What is not there any more, or never was, adds no line.
    stage.run(&["rm", "shop:1"]).ends_with(1);
    let report = stage.run(&["--json", "history"]).ends_with(0).json();
    assert_eq!(events(&report), expected);
}

#[test]
fn what_came_and_went_is_listed_on_both_sides() {
    let stage = site();
    let vendor = stage.run(&["--json", "history"]).ends_with(0).json();
    assert_eq!(events(&vendor), ["add", "pack"]);
    let sent = &lines(&vendor)[1];
    assert_eq!(
        (&sent["site"], &sent["to"]),
        (&"plant-7".into(), &"discs".into())
    );
    let key = stage.key_id("vendor.pub");
    assert_eq!(sent["signed_by"][0]["key_id"], key.as_str());

    at_site(&stage, &["checkout", "shop:1.0", "out"]).ends_with(0);
    at_site(&stage, &["install", "shop:1.0", "--into", "opt"]).ends_with(0);
    // What was received before adds no line.
    at_site(&stage, &["receive", "discs"]).ends_with(0);
    let report = history(&stage);
    assert_eq!(events(&report), ["receive", "checkout", "install"]);
    let came = &lines(&report)[0];
    assert_eq!(came["signed_by"][0]["trusted_as"], "Example Ltd");
    assert_eq!(came["set"], sent["set"]);
    assert_eq!(came["from"][0], "discs");
    assert_eq!(came["releases"][0]["id"], sent["releases"][0]["id"]);
    let said = at_site(&stage, &["history", "shop"]).ends_with(0).stdout;
    for words in ["signed by Example Ltd", "from discs", "to opt", "SHA-256"] {
        assert!(said.contains(words), "{said}");
    }
    for (asked, count) in [("shop", 3), ("shop:1.0", 3), ("sho", 0), ("shop:1", 0)] {
        let report = at_site(&stage, &["--json", "history", asked]).ends_with(0);
        assert_eq!(lines(&report.json()).len(), count, "{asked}");
    }
}

#[test]
fn the_chain_is_what_any_program_computes() {
    let stage = site();
    at_site(&stage, &["checkout", "shop:1.0", "out"]).ends_with(0);
    let text = fs::read(file(&stage, "000001.jsonl")).unwrap();
    let report = history(&stage);
    let lines: Vec<&[u8]> = text.trim_ascii_end().split(|byte| *byte == b'\n').collect();
    let sum = |line: &[u8]| {
        fs::write(stage.path("line"), line).unwrap();
        let mut sum = Command::new("sha256sum");
        let sum = sum.arg(stage.path("line")).output().unwrap();
        String::from_utf8(sum.stdout).unwrap()[..64].to_owned()
    };
    assert_eq!(report["lines"][1]["before"], sum(lines[0]));
    assert_eq!(report["last"]["sha256"], sum(lines[1]));
    let head = fs::read_to_string(file(&stage, "head")).unwrap();
    assert_eq!(head, format!("2 {}\n", sum(lines[1])));
}

#[test]
fn lines_that_are_cut_or_changed_are_told_and_hinder_nothing() {
    let stage = site();
    for number in 0..3 {
        let to = format!("out-{number}");
        at_site(&stage, &["checkout", "shop:1.0", &to]).ends_with(0);
    }
    let path = file(&stage, "000001.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let changed = whole.replacen("out-1", "out-9", 1);
    let without = |at: usize| {
        let kept = (0..lines.len()).filter(|number| *number != at);
        kept.map(|number| lines[number].to_owned() + "\n").collect()
    };
    for (text, told) in [
        (changed, "line 3 of the history was changed"),
        (without(0), "lacks 1 line (number 1)"),
        (without(1), "lacks 1 line (number 2)"),
        (without(3), "lacks 1 line (number 4)"),
        (String::new(), "lacks 4 lines (numbers 1 to 4)"),
    ] {
        fs::write(&path, text).unwrap();
        let run = at_site(&stage, &["history"]).ends_with(3);
        assert!(run.stderr.contains(told), "{run:#?}");
        assert!(run.stderr.contains("\nhint: "), "{run:#?}");
        let run = at_site(&stage, &["check"]).ends_with(3);
        assert!(run.stderr.contains(told), "{run:#?}");
    }
    // Everything still works, and what follows does not hide what is missing.
    stage.remove("out-0");
    at_site(&stage, &["checkout", "shop:1.0", "out-0"]).ends_with(0);
    let run = at_site(&stage, &["history"]).ends_with(3);
    assert!(run.stderr.contains("lacks 4 lines"), "{run:#?}");
    // Moved away, it begins anew.
    stage.remove("site/history");
    at_site(&stage, &["history"]).ends_with(0);
    at_site(&stage, &["check"]).ends_with(0);
}

#[test]
fn a_line_that_a_power_cut_left_unfinished_is_passed_over() {
    let stage = site();
    let path = file(&stage, "000001.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{whole}{}", &whole[..50])).unwrap();
    at_site(&stage, &["history"]).ends_with(0);
    at_site(&stage, &["checkout", "shop:1.0", "out"]).ends_with(0);
    assert_eq!(events(&history(&stage)), ["receive", "checkout"]);
    // The note of the last line may be one behind.
    let (head, second) = (file(&stage, "head"), stage.path("behind"));
    let before = fs::read(&head).unwrap();
    stage.remove("out");
    at_site(&stage, &["checkout", "shop:1.0", "out"]).ends_with(0);
    fs::write(&second, &before).unwrap();
    fs::rename(&second, &head).unwrap();
    at_site(&stage, &["history"]).ends_with(0);
}

#[test]
fn commands_at_the_same_time_lose_no_line() {
    let stage = site();
    let mut children = Vec::new();
    for number in 0..12 {
        let to = format!("out-{number}");
        let mut command = stage.command(&["checkout", "shop:1.0", &to]);
        command.env("CARRYALL_STORE", stage.path("site"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        children.push(command.spawn().unwrap());
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let report = history(&stage);
    assert_eq!(lines(&report).len(), 13);
    assert_eq!(report["is_intact"], true);
}

#[test]
fn receive_that_was_killed_before_its_line_adds_it_later() {
    let stage = site();
    let whole = at_site(&stage, &["--json", "history"]).ends_with(0).json();
    let set = lines(&whole)[0]["set"].clone();
    // The release is in, and the set waits as it does when the program is killed between commit and line.
    stage.remove("site/history");
    stage.remove("site/sets");
    at_site(&stage, &["receive", "discs"]).ends_with(0);
    let report = history(&stage);
    assert_eq!(events(&report), ["receive"]);
    assert_eq!(lines(&report)[0]["set"], set);
    stage.remove("site/sets");
    at_site(&stage, &["receive", "discs"]).ends_with(0);
    assert_eq!(events(&history(&stage)).len(), 1);
}

#[test]
fn kills_at_any_time_leave_a_history_that_is_well() {
    let stage = site();
    for number in 0..20_u64 {
        stage.remove("out");
        let mut command = stage.command(&["checkout", "shop:1.0", "out"]);
        command.env("CARRYALL_STORE", stage.path("site"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(4 * number));
        kill(child);
        assert_eq!(history(&stage)["is_intact"], true);
    }
}

#[test]
fn a_store_that_cannot_be_written_is_checked_out_and_says_so() {
    let stage = site();
    // As root no folder refuses, but a file in its place does.
    stage.remove("site/history");
    fs::write(stage.path("site/history"), b"").unwrap();
    let run = at_site(&stage, &["checkout", "shop:1.0", "out"]).ends_with(0);
    assert!(
        run.stderr.contains("not recorded in the history"),
        "{run:#?}"
    );
    assert!(stage.path("out/setup.bin").exists());
}

#[test]
fn a_table_for_a_spreadsheet_replaces_nothing() {
    let stage = site();
    let words = ["history", "--csv", "history.csv"];
    at_site(&stage, &words).ends_with(0);
    let table = fs::read_to_string(stage.path("history.csv")).unwrap();
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(table.contains("\"receive\",\"in\",\"shop:1.0\""), "{table}");
    at_site(&stage, &words).fails_with(1, &["history.csv"]);
    assert_eq!(
        fs::read_to_string(stage.path("history.csv")).unwrap(),
        table
    );
    at_site(&stage, &["history", "--csv", "site/x.csv"]).ends_with(1);
}

#[test]
fn golden_lines_are_read_by_the_command() {
    let stage = site();
    let golden = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/golden/v1");
        fs::read(PathBuf::from(folder).join(name)).unwrap()
    };
    fs::write(file(&stage, "000001.jsonl"), golden("history.jsonl")).unwrap();
    fs::write(file(&stage, "head"), golden("history.head")).unwrap();
    let report = history(&stage);
    let all = "add pull pack receive visit checkout install push load";
    assert_eq!(events(&report).join(" "), all);
    at_site(&stage, &["checkout", "shop:1.0", "out"]).ends_with(0);
    assert_eq!(lines(&history(&stage)).len(), 10);
}
