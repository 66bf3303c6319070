//! The wiring of the command: every command's good day, exit codes, errors with hints, JSON, pipes.
//!
//! What the commands do is tested elsewhere; here a release is as small as can be.

use crate::testkit::harm::flip_middle;
use crate::testkit::stage;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use carryall::volumes::block::SMALL_BLOCK_BYTES;
use rustix::fs::FlockOperation;
use stage::{Run, Stage, noise, text, visible};

/// A small medium, of which the small release needs two, and the spare.
const MEDIA: &str = "6MB";

/// A stage with a small release given.
fn given() -> Stage {
    let stage = Stage::new();
    fs::create_dir(stage.path("given")).unwrap();
    fs::create_dir(stage.path("given/docs")).unwrap();
    fs::write(stage.path("given/docs/readme.txt"), text(1, 100_000)).unwrap();
    fs::write(stage.path("given/setup.bin"), noise(2, 3_000_000)).unwrap();
    stage
}

const ADD: [&str; 4] = ["add", "shop:1.0", "given/docs", "given/setup.bin"];
const PACK: [&str; 8] = [
    "pack", "shop:1.0", "--to", "discs", "--media", MEDIA, "--spare", "1",
];

/// A stage with the release in its store and on volumes.
fn packed() -> Stage {
    let stage = given();
    stage.run(&ADD).ends_with(0);
    stage.run(&PACK).ends_with(0);
    stage
}

/// A stage with volumes and no store.
fn carried() -> Stage {
    let stage = packed();
    stage.remove("store");
    stage
}

fn discs(stage: &Stage) -> Vec<PathBuf> {
    visible(&stage.path("discs"))
}

fn as_text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Writes over the first bytes of every so many blocks of a volume file.
fn scratch(volume: &Path, every: usize) {
    let file = visible(volume)
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "000"))
        .unwrap();
    let mut bytes = fs::read(&file).unwrap();
    for block in bytes.chunks_mut(SMALL_BLOCK_BYTES).step_by(every) {
        block[..64].fill(0xee);
    }
    fs::write(&file, bytes).unwrap();
}

/// Nothing but the words that belong there.
#[track_caller]
fn says_nothing_on_stderr(run: &Run) {
    assert_eq!(run.stderr, "", "{run:#?}");
}

#[test]
fn every_command_has_a_good_day() {
    let stage = given();
    let run = stage.run(&ADD).ends_with(0);
    assert!(
        run.stderr.starts_with("created a store in ") && run.stderr.lines().count() == 1,
        "{run:#?}"
    );
    assert!(
        run.stdout.contains("shop:1.0: 3.10 MB added and compared"),
        "{run:#?}"
    );

    fs::write(stage.path("given/setup.bin"), noise(3, 3_000_000)).unwrap();
    says_nothing_on_stderr(
        &stage
            .run(&["add", "shop:1.1", "given/docs", "given/setup.bin"])
            .ends_with(0),
    );
    let run = stage.run(&["list"]).ends_with(0);
    assert_eq!(run.stdout.lines().count(), 2, "{run:#?}");
    says_nothing_on_stderr(&run);
    let run = stage.run(&["show", "shop:1.1"]).ends_with(0);
    assert!(
        run.stdout.contains("setup.bin") && run.stdout.contains("docs/"),
        "{run:#?}"
    );
    let run = stage.run(&["diff", "shop:1.0", "shop:1.1"]).ends_with(0);
    assert!(
        run.stdout.contains("~ setup.bin") && run.stdout.contains("= docs"),
        "{run:#?}"
    );
    let run = stage.run(&["pack", "shop:1.1", "--estimate"]).ends_with(0);
    says_nothing_on_stderr(&run);
    assert!(
        run.stdout.contains("shop:1.1  setup.bin") && run.stdout.contains("a bundle of about 3."),
        "{run:#?}"
    );
    stage.run(&["rm", "shop:1.0"]).ends_with(0);
    assert!(
        stage
            .run(&["prune"])
            .ends_with(0)
            .stdout
            .starts_with("freed 3.")
    );

    let pack = [
        "pack", "shop:1.1", "--to", "discs", "--media", MEDIA, "--spare", "1",
    ];
    let run = stage.run(&pack).ends_with(0);
    assert!(run.stderr.starts_with("plan: shop:1.1"), "{run:#?}");
    assert_eq!(
        run.stdout.lines().count(),
        discs(&stage).len() + 1,
        "{run:#?}"
    );
    let run = stage.run(&["inspect", "discs"]).ends_with(0);
    assert!(
        run.stdout.contains("shop:1.1") && run.stdout.contains("setup.bin"),
        "{run:#?}"
    );
    let run = stage
        .run(&["verify", "discs", "--map", "map.html"])
        .ends_with(0);
    assert!(run.stdout.contains("all volumes are whole"), "{run:#?}");
    assert_eq!(run.stderr, "damage map: map.html\n");
    assert!(stage.path("map.html").is_file());
    let run = stage.run(&["repair", "discs", "--to", "new"]).ends_with(0);
    assert_eq!(run.stdout, "every volume is whole; nothing to repair\n");
    stage
        .run(&["repair", "discs", "--to", "new", "--volume", "1"])
        .ends_with(0);
    assert_eq!(visible(&stage.path("new")).len(), 1);

    let vendor = stage.path("store");
    stage.copy("store", "vendor");
    fs::remove_dir_all(vendor).unwrap();
    let run = stage.run(&["receive", "discs"]).ends_with(0);
    assert!(run.stdout.contains("shop:1.1: received whole"), "{run:#?}");
    assert!(
        run.stdout.contains("carryall checkout shop:1.1 DEST"),
        "{run:#?}"
    );
    stage.run(&["status"]).ends_with(0);
    stage.run(&["checkout", "shop:1.1", "back"]).ends_with(0);
    assert!(stage::look(&stage.path("back")) == stage::look(&stage.path("given")));
    stage
        .run(&["checkout", "shop:1.1", "one", "--item", "setup.bin"])
        .ends_with(0);
    assert_eq!(visible(&stage.path("one")).len(), 1);
    says_nothing_on_stderr(&stage.run(&["check"]).ends_with(0));
    says_nothing_on_stderr(&stage.run(&["check", "--data"]).ends_with(0));
    let run = stage.run(&["demo", "given"]).ends_with(0);
    assert!(
        run.stdout.contains("byte for byte") || run.stderr.contains("byte for byte"),
        "{run:#?}"
    );
}

#[test]
fn help_and_version_are_no_failures() {
    let stage = Stage::new();
    let run = stage.run(&["--help"]).ends_with(0);
    for command in [
        "add", "list", "show", "diff", "rm", "prune", "pack", "inspect", "verify", "repair",
        "burn", "labels", "receive", "receipt", "site", "status", "forget", "checkout", "check",
        "demo",
    ] {
        assert!(run.stdout.contains(command), "{command}");
        let run = stage.run(&["help", command]).ends_with(0);
        assert!(run.stdout.contains("Usage: carryall "), "{run:#?}");
        says_nothing_on_stderr(&run);
    }
    let codes = "Exit codes: 0 done; 1 failed; 2 usage; 3 done, damage is left; 4 more volumes, or the release that a delta depends on, are needed; 130 interrupted";
    let unwrapped: Vec<&str> = run.stdout.split_whitespace().collect();
    assert!(unwrapped.join(" ").contains(codes), "{run:#?}");
    assert!(
        stage
            .run(&["--version"])
            .ends_with(0)
            .stdout
            .starts_with("carryall ")
    );
}

#[test]
fn words_that_make_no_sense_are_usage_errors() {
    let stage = packed();
    let usage: [(&[&str], &str); 12] = [
        (&[], "Usage"),
        (&["recieve", "discs"], "receive"),
        (&["add"], "RELEASE"),
        (&["add", "shop:1.0"], "<PATH>..."),
        (&["add", "shop", "given/docs"], "NAME:VERSION"),
        (&["add", "shop:1.0@", "given/docs"], "shop:1.0@"),
        (&["add", "../shop:1.0", "given/docs"], "../shop:1.0"),
        (&["pack", "shop:1.0", "--to", "out"], "--media"),
        (
            &["pack", "shop:1.0", "--to", "out", "--media", "dvd-d"],
            "dvd-dl",
        ),
        (
            &["pack", "shop:1.0", "--to", "out", "--media", "floppy"],
            "bdxl",
        ),
        (
            &[
                "pack", "shop:1.0", "--to", "out", "--media", "dvd", "--local", "101",
            ],
            "0 to 100",
        ),
        (&["list", "--quiet", "--verbose"], "cannot be used"),
    ];
    for (words, part) in usage {
        let run = stage.run(words).ends_with(2);
        assert!(run.stderr.contains(part), "{part:?} is not in {run:#?}");
        assert!(
            run.stderr
                .trim_end()
                .lines()
                .last()
                .unwrap()
                .starts_with("hint: "),
            "{run:#?}"
        );
        assert_eq!(run.stdout, "", "{run:#?}");
    }
    assert!(!stage.path("out").exists());
    let run: Run = stage
        .command(&["list"])
        .env_remove("CARRYALL_STORE")
        .output()
        .unwrap()
        .into();
    run.fails_with(2, &["no store is named", "--store"]);
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let stage = packed();
    let has = "hint: the store has shop:1.0";
    stage
        .run(&["show", "shop:2.0"])
        .fails_with(1, &["no release shop:2.0 in the store", has]);
    stage.run(&["rm", "shop:2.0"]).fails_with(1, &[has]);
    stage
        .run(&["diff", "shop:1.0", "shop:2.0"])
        .fails_with(1, &[has]);
    stage
        .run(&["checkout", "shop:2.0", "back"])
        .fails_with(1, &[has]);
    stage
        .run(&["pack", "shop:2.0", "--to", "out", "--media", "dvd"])
        .fails_with(1, &[has]);
    let run = stage.run(&["checkout", "shop:1.0", "back", "--item", "setup"]);
    run.fails_with(1, &["no item setup", "setup.bin"]);
    assert!(!stage.path("back").exists());

    stage
        .run(&["add", "shop:2.0", "given/none"])
        .fails_with(1, &["given/none", "there is no such file"]);
    for command in ["receive", "verify", "inspect"] {
        stage.run(&[command, "nowhere"]).fails_with(1, &["nowhere"]);
        stage
            .run(&[command, "given"])
            .fails_with(1, &["no carryall volume in given", "mounted"]);
    }
    stage
        .run(&["repair", "given", "--to", "new"])
        .fails_with(1, &["no carryall volume in given"]);
    stage
        .run(&["repair", "discs", "--to", "new", "--volume", "9"])
        .fails_with(1, &["no volume 9", "volumes 1 to"]);
    stage
        .run(&["checkout", "shop:1.0", "given"])
        .fails_with(1, &["given is not empty", "empty this one"]);
    stage
        .run(&PACK)
        .fails_with(1, &["exists already", "hint: it is left as it is"]);
    stage
        .run(&["pack", "shop:1.0", "--to", "tiny", "--media", "3MB"])
        .fails_with(1, &["larger medium"]);
    assert!(visible(&stage.path("tiny")).is_empty());
}

#[test]
fn without_a_store_it_says_how_to_name_or_make_one() {
    let stage = given();
    let hint = [
        "no store in",
        "--store DIR",
        "`add` and `receive` create one",
    ];
    let commands: [&[&str]; 9] = [
        &["list"],
        &["show", "shop:1.0"],
        &["diff", "shop:1.0", "shop:1.1"],
        &["rm", "shop:1.0"],
        &["prune"],
        &["pack", "shop:1.0", "--to", "discs", "--media", "dvd"],
        &["status"],
        &["checkout", "shop:1.0", "back"],
        &["check"],
    ];
    for words in commands {
        stage.run(words).fails_with(1, &hint);
    }
    assert!(
        !stage.path("store").exists()
            && !stage.path("discs").exists()
            && !stage.path("back").exists()
    );
    // A mistyped path leaves no empty store either.
    stage
        .run(&["add", "shop:1.0", "given/dosc"])
        .fails_with(1, &["given/dosc"]);
    stage.run(&["receive", "dics"]).fails_with(1, &["dics"]);
    assert!(!stage.path("store").exists());
    stage.run(&["add", "shop:1.0", "given/docs"]).ends_with(0);
    stage.run(&["rm", "shop:1.0"]).ends_with(0);
    stage
        .run(&["show", "shop:1.0"])
        .fails_with(1, &["hint: the store holds no release yet"]);
    stage
        .run(&["--store", "other", "list"])
        .fails_with(1, &["other"]);
}

#[test]
fn a_store_that_is_in_use_is_not_touched() {
    let stage = packed();
    let lock = fs::File::open(stage.path("store/lock")).unwrap();
    let hint = [
        "in use by another process",
        "wait until the other carryall has ended",
    ];
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).unwrap();
    stage.run(&ADD).fails_with(1, &hint);
    stage.run(&["receive", "discs"]).fails_with(1, &hint);
    // Beside a writer others may read.
    stage.run(&["list"]).ends_with(0);
    // Beside a reader others may read.
    rustix::fs::flock(&lock, FlockOperation::LockShared).unwrap();
    stage.run(&["list"]).ends_with(0);
    stage.run(&["prune"]).fails_with(1, &hint);
    drop(lock);
    // Beside a server others may write, and nobody may remove.
    let served = fs::File::create(stage.path("store/served")).unwrap();
    rustix::fs::flock(&served, FlockOperation::LockShared).unwrap();
    stage.run(&ADD).ends_with(0);
    let hint = ["being read", "end `carryall serve`"];
    stage
        .run(&["prune", "--keep-last", "1"])
        .fails_with(1, &hint);
    stage.run(&["show", "shop:1.0"]).ends_with(0);
    drop(served);
    stage.run(&["prune"]).ends_with(0);
}

#[test]
fn the_store_is_kept_apart_from_what_goes_in_and_out() {
    let stage = given();
    let run = stage.run(&["--store", "given/store", "add", "all:1.0", "given"]);
    run.fails_with(1, &["given", "one is inside the other", "--store DIR"]);
    stage.run(&ADD).ends_with(0);
    stage
        .run(&["add", "own:1.0", "store/packs"])
        .fails_with(1, &["store/packs", "one is inside the other"]);
    stage
        .run(&["add", "all:1.0", "."])
        .fails_with(1, &["one is inside the other"]);
    for dest in ["store/back", "store/packs/back", "given/../store/back"] {
        stage
            .run(&["checkout", "shop:1.0", dest])
            .fails_with(1, &["lies in the store", "outside of the store"]);
    }
    assert!(!stage.path("store/back").exists());
    stage.store_is_well();
}

#[test]
fn volumes_come_in_any_order_and_as_often_as_one_likes() {
    let stage = carried();
    let discs = discs(&stage);
    let count = discs.len();
    assert!(count >= 3, "{discs:?}");
    let receive = |disc: &Path| stage.run(&["receive", as_text(disc)]);

    let run = receive(&discs[1]).ends_with(4);
    assert!(run.stdout.contains("still needed: "), "{run:#?}");
    let again = stage
        .run(&["receive", as_text(&discs[1]), "--json"])
        .ends_with(4)
        .json();
    assert_eq!(again["sets"][0]["new_blocks"], 0, "{again}");
    let run = stage.run(&["status"]).ends_with(4);
    assert!(
        run.stdout.contains("0 releases") && run.stdout.contains("1 volume set being received"),
        "{run:#?}"
    );
    assert!(run.stdout.contains("still needed"), "{run:#?}");
    stage.run(&["list"]).ends_with(0);
    let needs =
        stage.run(&["status", "--json"]).ends_with(4).json()["incoming"][0]["needs"].clone();
    let asked: Vec<u64> = needs["ask_for"]
        .as_array()
        .unwrap()
        .iter()
        .map(|no| no.as_u64().unwrap())
        .collect();
    assert!(!asked.contains(&2), "no volume is asked for twice: {needs}");

    // The spare takes the place of the first volume.
    for disc in &discs[2..count - 1] {
        receive(disc).ends_with(4);
    }
    let run = receive(&discs[count - 1]).ends_with(0);
    assert!(run.stdout.contains("shop:1.0: received whole"), "{run:#?}");
    for disc in [&discs[0], &discs[count - 1]] {
        let run = receive(disc).ends_with(0);
        assert!(run.stdout.contains("is in the store already"), "{run:#?}");
    }
    assert!(visible(&stage.path("store/incoming")).is_empty());
    stage.run(&["status"]).ends_with(0);
    stage.comes_back("shop:1.0", "given");
}

#[test]
fn two_sets_in_one_folder_are_told_apart() {
    let stage = given();
    stage.run(&ADD).ends_with(0);
    stage
        .run(&["add", "tools:7", "given/setup.bin"])
        .ends_with(0);
    stage.run(&PACK).ends_with(0);
    stage
        .run(&[
            "pack", "tools:7", "--to", "discs", "--media", MEDIA, "--spare", "1",
        ])
        .ends_with(0);
    stage.remove("store");
    let run = stage.run(&["inspect", "discs"]).ends_with(0);
    assert!(
        run.stdout.contains("shop:1.0 (set ") && run.stdout.contains("tools:7 (set "),
        "{run:#?}"
    );
    let run = stage.run(&["receive", "discs"]).ends_with(0);
    assert!(
        run.stdout.contains("shop:1.0: received whole")
            && run.stdout.contains("tools:7: received whole"),
        "{run:#?}"
    );
    stage.comes_back("shop:1.0", "given");

    // One whole, one not: both are told, and the exit code is of the one that needs more.
    stage.remove("store");
    for lost in discs(&stage)
        .iter()
        .filter(|disc| as_text(disc).contains("/tools-7-"))
        .take(2)
    {
        fs::remove_dir_all(lost).unwrap();
    }
    let run = stage.run(&["receive", "discs"]).ends_with(4);
    assert!(run.stdout.contains("shop:1.0: received whole"), "{run:#?}");
    assert!(
        run.stdout.contains("tools:7") && run.stdout.contains("still needed: "),
        "{run:#?}"
    );
    stage.run(&["status"]).ends_with(4);
}

#[test]
fn a_volume_of_another_set_is_no_help_and_no_harm() {
    let stage = packed();
    stage
        .run(&["add", "tools:7", "given/setup.bin"])
        .ends_with(0);
    stage
        .run(&[
            "pack", "tools:7", "--to", "other", "--media", MEDIA, "--spare", "1",
        ])
        .ends_with(0);
    stage.remove("store");
    let (discs, others) = (discs(&stage), visible(&stage.path("other")));
    stage.run(&["receive", as_text(&discs[0])]).ends_with(4);
    let run = stage.run(&["receive", as_text(&others[0])]).ends_with(4);
    assert!(
        run.stdout.contains("tools:7") && !run.stdout.contains("shop:1.0"),
        "{run:#?}"
    );
    let run = stage.run(&["status"]).ends_with(4);
    assert!(
        run.stdout.contains("tools:7") && run.stdout.contains("shop:1.0"),
        "{run:#?}"
    );
    let rest: Vec<&str> = ["receive"]
        .into_iter()
        .chain(discs[1..].iter().map(|disc| as_text(disc)))
        .collect();
    stage.run(&rest).ends_with(0);
    stage.comes_back("shop:1.0", "given");
}

#[test]
fn damage_and_loss_have_their_exit_codes() {
    let stage = carried();
    let discs = discs(&stage);
    scratch(&discs[0], 20);
    let run = stage.run(&["verify", "discs"]).ends_with(3);
    assert!(
        run.stdout.contains("volume 1: ") && run.stdout.contains("blocks bad"),
        "{run:#?}"
    );
    stage.run(&["repair", "discs", "--to", "new"]).ends_with(0);
    stage
        .run(&[
            "verify",
            as_text(&visible(&stage.path("new"))[0]),
            as_text(&discs[1]),
            as_text(&discs[2]),
        ])
        .ends_with(0);

    // Two volumes are more than one spare makes up for.
    for disc in &discs[..2] {
        fs::rename(
            disc,
            stage.path(disc.file_name().unwrap().to_str().unwrap()),
        )
        .unwrap();
    }
    let run = stage.run(&["verify", "discs"]).ends_with(4);
    assert!(run.stdout.contains("still needed: "), "{run:#?}");
    stage
        .run(&["repair", "discs", "--to", "newer"])
        .ends_with(4);
    assert!(visible(&stage.path("newer")).is_empty());
    stage.run(&["receive", "discs"]).ends_with(4);

    // All have been seen, and all are damaged beyond what they bear.
    stage.remove("store");
    for disc in &discs[..2] {
        fs::rename(
            stage.path(disc.file_name().unwrap().to_str().unwrap()),
            disc,
        )
        .unwrap();
    }
    for disc in &discs {
        scratch(disc, 2);
    }
    let run = stage.run(&["verify", "discs"]).ends_with(3);
    assert!(run.stdout.contains("another copy of"), "{run:#?}");
    let run = stage.run(&["receive", "discs"]).ends_with(3);
    assert!(run.stdout.contains("another copy of"), "{run:#?}");
    stage
        .run(&["repair", "discs", "--to", "newest"])
        .ends_with(3);
    stage.store_is_well();
    assert!(stage.run(&["list"]).stdout.contains("no release yet"));
}

#[test]
fn damage_in_the_store_is_told_and_healed_from_volumes() {
    let stage = packed();
    let pack = walkdir::WalkDir::new(stage.path("store/packs"));
    let pack = pack
        .into_iter()
        .map(Result::unwrap)
        .find(|entry| entry.file_type().is_file())
        .unwrap();
    flip_middle(pack.path());
    let run = stage.run(&["check", "--data"]).ends_with(3);
    assert!(
        run.stdout.contains("shop:1.0: cannot be given back whole"),
        "{run:#?}"
    );
    assert!(run.stdout.contains("--heal-from"), "{run:#?}");
    stage.run(&["checkout", "shop:1.0", "back"]).ends_with(3);
    let run = stage.run(&["check", "--heal-from", "discs"]);
    assert!(run.stdout.contains("chunks healed"), "{run:#?}");
    stage.run(&["prune"]).ends_with(0);
    stage.store_is_well();
    stage.comes_back("shop:1.0", "given");
}

#[test]
fn json_is_one_document_and_progress_is_lines_on_stderr() {
    let stage = given();
    let document = |words: &[&str], code: i32, key: &str| {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let run = stage.run(&words).ends_with(code);
        let document = run.json();
        assert!(document.get(key).is_some(), "{key} is not in {document}");
        for line in run.stderr.lines() {
            let line: serde_json::Value =
                serde_json::from_str(line).unwrap_or_else(|_| panic!("{run:#?}"));
            assert!(
                ["progress", "finding"].contains(&line["event"].as_str().unwrap()),
                "{line}"
            );
        }
    };
    document(&ADD, 0, "items");
    document(&["add", "shop:1.1", "given/docs"], 0, "new_bytes");
    document(&["list"], 0, "releases");
    document(&["show", "shop:1.0"], 0, "contents");
    document(&["diff", "shop:1.0", "shop:1.1"], 0, "items");
    document(&["diff", "shop:1.1", "shop:1.0"], 0, "contributors");
    document(&["pack", "shop:1.0", "--estimate"], 0, "carried_bytes");
    document(&["rm", "shop:1.1"], 0, "removed");
    document(&["prune"], 0, "bytes_after");
    document(&PACK, 0, "set_id");
    document(&["inspect", "discs"], 0, "sets");
    document(&["verify", "discs"], 0, "sets");
    document(&["repair", "discs", "--to", "new"], 0, "sets");
    document(&["checkout", "shop:1.0", "back"], 0, "items");
    document(&["check", "--data"], 0, "releases");
    stage.remove("store");
    let first = discs(&stage).remove(0);
    document(&["receive", as_text(&first)], 4, "sets");
    document(&["status"], 4, "incoming");
    document(&["receive", "discs"], 0, "sets");
    document(&["demo", "given"], 0, "same");

    let run = stage.run(&["show", "shop:9", "--json"]).ends_with(1);
    assert_eq!(run.stdout, "");
    let error: serde_json::Value = serde_json::from_str(run.stderr.trim()).unwrap();
    assert_eq!(
        (&error["event"], &error["exit_code"]),
        (&"error".into(), &1.into())
    );
    assert!(
        error["hint"].as_str().unwrap().contains("shop:1.0"),
        "{error}"
    );
}

#[test]
fn streams_are_opened_or_kept_as_asked_and_both_are_told() {
    use std::io::Write;
    let stage = Stage::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&text(1, 900_000)).unwrap();
    let whole = gzip.finish().unwrap();
    fs::create_dir(stage.path("given")).unwrap();
    fs::write(stage.path("given/whole.gz"), &whole).unwrap();
    fs::write(stage.path("given/cut.gz"), &whole[..whole.len() - 9]).unwrap();

    let kept = stage.run(&["--json", "add", "shop:0.9", "given", "--open", "none"]);
    let kept = kept.ends_with(0).json();
    assert_eq!(kept["streams"]["opened"]["streams"], 0, "{kept}");
    let added = stage
        .run(&["--json", "add", "shop:1.0", "given"])
        .ends_with(0)
        .json();
    let streams = &added["streams"];
    assert_eq!(streams["opened"]["bytes"], whole.len(), "{added}");
    assert_eq!(streams["plain_bytes"], 900_000, "{added}");
    assert_eq!(streams["kept"]["truncated"]["streams"], 1, "{added}");
    let shown = stage
        .run(&["--json", "show", "shop:1.0"])
        .ends_with(0)
        .json();
    assert_eq!(shown["opened"]["streams"], 1, "{shown}");
    assert_eq!(shown["kept"][0]["path"], "cut.gz", "{shown}");
    assert_eq!(shown["kept"][0]["reason"], "truncated", "{shown}");

    let shown = stage.run(&["show", "shop:1.0"]).ends_with(0);
    assert!(
        shown.stdout.contains("in given/cut.gz: incomplete"),
        "{}",
        shown.stdout
    );
    stage.run(&["check", "--data"]).ends_with(0);
    stage.run(&["checkout", "shop:1.0", "back"]).ends_with(0);
    assert_eq!(fs::read(stage.path("back/given/whole.gz")).unwrap(), whole);
    stage
        .run(&["add", "a:1", "given", "--open-recipe", "200"])
        .ends_with(2);
}

#[test]
fn messages_are_chinese_where_the_locale_is() {
    let stage = packed();
    let chinese = |words: &[&str]| -> Run {
        stage
            .command(words)
            .env("LC_ALL", "zh_CN.UTF-8")
            .output()
            .unwrap()
            .into()
    };
    assert!(chinese(&["check"]).ends_with(0).stdout.contains("一切正常"));
    let failing: [(&[&str], i32); 9] = [
        (&["show", "shop:2.0"], 1),
        (&["--store", "none", "list"], 1),
        (&["receive", "given"], 1),
        (&["add", "shop:2.0", "none"], 1),
        (&["add", "all:1.0", "."], 1),
        (&["checkout", "shop:1.0", "given"], 1),
        (&["checkout", "shop:1.0", "store/back"], 1),
        (&["recieve", "discs"], 2),
        (&["pack", "shop:1.0", "--to", "out", "--media", "floppy"], 2),
    ];
    for (words, code) in failing {
        let run = chinese(words).ends_with(code);
        let last = run.stderr.trim_end().lines().last().unwrap().to_owned();
        assert!(last.starts_with("提示："), "{run:#?}");
        assert!(!last.is_ascii(), "{run:#?}");
        if code == 1 {
            assert!(run.stderr.starts_with("错误："), "{run:#?}");
        }
    }
    // LANG counts when nothing stands above it.
    let run: Run = stage
        .command(&["check"])
        .env_remove("LC_ALL")
        .env("LANG", "zh_TW")
        .output()
        .unwrap()
        .into();
    assert!(run.stdout.contains("一切正常"), "{run:#?}");
}

#[test]
fn what_makes_a_release_heavy_is_told_by_folder_and_file() {
    let stage = given();
    stage.run(&ADD).ends_with(0);
    fs::create_dir_all(stage.path("given/docs/site/parts")).unwrap();
    for number in 0..1203 {
        let path = format!("given/docs/site/parts/{number}.html");
        fs::write(stage.path(&path), text(number, 2000)).unwrap();
    }
    fs::write(stage.path("given/docs/readme.txt"), text(7, 100_000)).unwrap();
    stage
        .run(&["add", "shop:1.1", "given/docs", "given/setup.bin"])
        .ends_with(0);
    let run = stage.run(&["diff", "shop:1.0", "shop:1.1"]).ends_with(0);
    let folder = "  site/parts/: 1,203 files, none of them there before  [docs]";
    for words in [folder, "  readme.txt  [docs]", "shop:1.1 has 2."] {
        assert!(run.stdout.contains(words), "{words}: {run:#?}");
    }
    let run: Run = stage
        .command(&["diff", "shop:1.0", "shop:1.1"])
        .env("LC_ALL", "zh_CN.UTF-8")
        .output()
        .unwrap()
        .into();
    assert!(run.stdout.contains("1,203 个文件，均为新增"), "{run:#?}");
    let run: Run = stage
        .command(&["pack", "shop:1.1", "--estimate"])
        .env("LC_ALL", "zh_CN.UTF-8")
        .output()
        .unwrap()
        .into();
    assert!(run.stdout.contains("交付包约"), "{run:#?}");
    stage
        .run(&["pack", "shop:1.1", "--media", "dvd"])
        .fails_with(2, &["--to"]);
    assert!(!stage.path("discs").exists());
}

#[test]
fn on_a_pipe_there_is_no_progress() {
    let stage = Stage::with_release();
    // Long enough for a bar, were there a terminal.
    stage.add_given("shop:1.0", "given");
    let run = stage
        .run(&["pack", "shop:1.0", "--to", "discs", "--media", stage::MEDIA])
        .ends_with(0);
    // The image in it is none that a program loads, which is told beside the plan.
    let said = ["plan: ", "  ", "LOSS: image.tar: "];
    let is_plan = |line: &str| said.iter().any(|begin| line.starts_with(begin));
    assert!(run.stderr.lines().all(is_plan), "{run:#?}");
    assert!(
        !run.stderr.contains('\r') && !run.stderr.contains('\u{1b}'),
        "{run:#?}"
    );
    says_nothing_on_stderr(&stage.run(&["verify", "discs"]).ends_with(0));
    says_nothing_on_stderr(&stage.run(&["check", "--data"]).ends_with(0));
    says_nothing_on_stderr(&stage.run(&["checkout", "shop:1.0", "back"]).ends_with(0));
    says_nothing_on_stderr(&stage.run(&["receive", "discs"]).ends_with(0));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let stage = packed();
    for words in [
        &["list"][..],
        &["show", "shop:1.0"],
        &["verify", "discs", "--json"],
        &["--help"],
        &["check"],
    ] {
        let mut child = stage.start(words);
        drop(child.stdout.take());
        let mut stderr = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.code(), &stderr[..]), (Some(0), ""), "{words:?}");
    }
}

#[test]
fn a_receipt_is_typed_and_the_delta_waits_for_its_base() {
    let stage = packed();
    fs::write(stage.path("given/docs/readme.txt"), text(5, 100_000)).unwrap();
    stage
        .run(&["add", "shop:1.1", "given/docs", "given/setup.bin"])
        .ends_with(0);
    let site = ["--store", "site"];
    let at_site = |words: &[&str]| stage.run(&[words, &site[..]].concat());
    at_site(&["receive", "discs"]).ends_with(0);

    let run = at_site(&["receipt"]).ends_with(0);
    let typed = run.stdout.trim_end().to_owned();
    assert!(
        typed.lines().count() <= 3 && run.stderr.contains("shop:1.0"),
        "{run:#?}"
    );
    at_site(&["receipt", "-o", "site.receipt"]).ends_with(0);
    at_site(&["receipt", "-o", "site.receipt"]).fails_with(1, &["site.receipt", "not there yet"]);
    let json = at_site(&["receipt", "--json"]).ends_with(0);
    assert_eq!(json.json()["releases"][0]["name"], "shop:1.0");
    assert_eq!(json.json()["text"][0].as_str(), typed.lines().next());
    fs::write(stage.path("site.json"), &json.stdout).unwrap();

    let pack = |to: &str, more: &[&str]| {
        let words = [
            "pack", "shop:1.1", "--media", MEDIA, "--spare", "0", "--to", to,
        ];
        stage.run(&[&words[..], more].concat())
    };
    let spoken = typed.to_lowercase().replace('0', "O").replace('\n', " ");
    for (to, receipt) in [
        ("a", &typed[..]),
        ("b", &spoken),
        ("c", "site.receipt"),
        ("d", "site.json"),
    ] {
        let run = pack(to, &["--for", receipt]).ends_with(0);
        assert!(run.stderr.contains("depends on: shop:1.0 "), "{run:#?}");
    }
    let mut wrong: Vec<char> = typed.chars().collect();
    wrong[2] = if wrong[2] == 'X' { 'Y' } else { 'X' };
    let wrong: String = wrong.into_iter().collect();
    pack("e", &["--for", &wrong]).fails_with(1, &["line 1", "compare this line"]);
    pack("e", &["--for", &typed[..20]]).fails_with(1, &["line"]);
    pack("e", &["--for", "shop:1.0"]).fails_with(1, &["shop:1.0", "':'"]);
    pack("e", &["--for", "discs/nothing.receipt"]).fails_with(1, &["nothing.receipt"]);
    pack("e", &["--since", "shop:0.9"]).fails_with(1, &["no release shop:0.9"]);
    pack("e", &["--since", "shop"]).ends_with(2);
    pack("e", &["--site", "a/b"]).ends_with(2);
    let two = ["--site", "plant", "--for", &typed, "--for", &typed];
    pack("e", &two).fails_with(2, &["one --for"]);
    assert!(!stage.path("e").exists());
    let run = pack("f", &["--since", "shop:1.0", "--for", &typed]).ends_with(0);
    assert!(run.stderr.contains("fits all 2"), "{run:#?}");

    // The vendor remembers.
    assert!(
        stage
            .run(&["site", "list"])
            .ends_with(0)
            .stdout
            .contains("no site")
    );
    let run = pack("g", &["--site", "plant"]).ends_with(0);
    assert!(
        run.stderr.contains("nothing is remembered of plant"),
        "{run:#?}"
    );
    let run = pack("h", &["--site", "plant", "--for", "site.receipt"]).ends_with(0);
    assert!(run.stderr.contains("depends on: shop:1.0 "), "{run:#?}");
    let run = pack("i", &["--site", "plant"]).ends_with(0);
    assert!(run.stderr.contains("depends on: shop:1.0 "), "{run:#?}");
    let run = stage.run(&["site", "list", "--json"]).ends_with(0);
    let plant = &run.json()["sites"][0];
    assert_eq!(
        (&plant["has"][0], &plant["packed"][0]),
        (&"shop:1.0".into(), &"shop:1.1".into())
    );
    stage.run(&["site", "forget", "plant"]).ends_with(0);
    stage
        .run(&["site", "forget", "plant"])
        .fails_with(1, &["nothing is remembered of plant", "site list"]);

    // Another site lacks the base: nothing is taken in, and it is said what comes first.
    let other = ["--store", "other"];
    let at_other = |words: &[&str]| stage.run(&[words, &other[..]].concat());
    let run = at_other(&["receive", "a"]).ends_with(4);
    assert!(
        run.stdout
            .contains("depends on what is not in the store: shop:1.0 ("),
        "{run:#?}"
    );
    assert!(
        run.stderr
            .lines()
            .last()
            .unwrap()
            .starts_with("hint: receive the release"),
        "{run:#?}"
    );
    at_other(&["status"]).ends_with(4);
    let run = at_other(&["receive", "discs"]).ends_with(0);
    assert!(
        run.stdout.contains("shop:1.0: received whole")
            && run.stdout.contains("shop:1.1: received whole")
    );
    at_other(&["checkout", "shop:1.1", "back"]).ends_with(0);
    assert!(stage::look(&stage.path("back")) == stage::look(&stage.path("given")));
}

#[test]
fn a_lost_volume_is_answered_by_a_top_up() {
    let stage = given();
    stage.run(&ADD).ends_with(0);
    stage
        .run(&[&PACK[..6], &["--spare", "0"]].concat())
        .ends_with(0);
    stage.run(&["add", "tools:7", "given/docs"]).ends_with(0);
    let discs = discs(&stage);
    assert!(discs.len() >= 2, "{discs:?}");
    let site = ["--store", "site"];
    let at_site = |words: &[&str]| stage.run(&[words, &site[..]].concat());
    at_site(&["receive", as_text(&discs[0])]).ends_with(4);
    let run = at_site(&["receipt"]).ends_with(0);
    let typed = run.stdout.trim_end().to_owned();
    assert!(
        run.stderr.contains("frames are here") && typed.lines().count() <= 4,
        "{run:#?}"
    );
    let words = [
        "pack", "shop:1.0", "--media", MEDIA, "--to", "top-up", "--for", &typed,
    ];
    let run = stage.run(&words).ends_with(0);
    assert!(run.stderr.contains("depends on: set "), "{run:#?}");
    // Elsewhere it says what it is for.
    let run = stage
        .run(&["receive", "top-up", "--store", "other"])
        .ends_with(4);
    assert!(run.stdout.contains("frames are not here"), "{run:#?}");
    let run = at_site(&["receive", "top-up"]).ends_with(0);
    assert!(
        run.stdout.contains("shop:1.0: received whole")
            && run.stdout.contains("is complete by that"),
        "{run:#?}"
    );
    at_site(&["status"]).ends_with(0);
    at_site(&["checkout", "shop:1.0", "back"]).ends_with(0);
    assert!(stage::look(&stage.path("back")) == stage::look(&stage.path("given")));
    // A vendor that did not pack the set says so.
    let run = stage
        .run(&[
            "pack",
            "shop:1.0",
            "--estimate",
            "--store",
            "site",
            "--for",
            &typed,
        ])
        .ends_with(0);
    assert!(
        run.stderr.contains("was not packed from this store"),
        "{run:#?}"
    );
}

#[test]
fn a_report_names_a_path_that_is_no_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let stage = Stage::new();
    fs::write(stage.path("given"), "given").unwrap();
    let store = OsStr::from_bytes(b"st\xffre");
    let run = |words: &[&str]| {
        let words = words.iter().map(OsStr::new);
        let store = [OsStr::new("--store"), store, OsStr::new("--json")];
        let words: Vec<&OsStr> = words.chain(store).collect();
        stage.run(&words).ends_with(0)
    };
    run(&["add", "shop:1", "given"]);
    let status = run(&["status"]).json();
    assert!(
        status["store"].as_str().unwrap().ends_with("st\u{fffd}re"),
        "{status}"
    );
}

/// Words that stay as they are in a Chinese sentence: commands, names of this test, units.
const SAME_IN_CHINESE: [&str; 22] = [
    "carryall", "check", "data", "heal", "from", "rm", "add", "prune", "receipt", "receive",
    "forget", "ddrescue", "given", "readme", "txt", "setup", "bin", "index", "idx", "MB", "kB",
    "GB",
];

/// The words of a text that are English, apart from ids and what stays as it is.
fn english_words(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let is_word = |word: &&str| {
        let is_id = word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        word.len() > 1
            && !is_id
            && word.bytes().all(|byte| byte.is_ascii_alphabetic())
            && !SAME_IN_CHINESE.contains(word)
    };
    words.filter(is_word).collect()
}

#[test]
fn damage_is_told_in_chinese_alone() {
    let stage = Stage::new();
    fs::create_dir(stage.path("given")).unwrap();
    fs::write(stage.path("given/readme.txt"), text(1, 300_000)).unwrap();
    fs::write(stage.path("given/setup.bin"), noise(2, 3_000_000)).unwrap();
    stage.run(&["add", "a:1", "given"]).ends_with(0);
    let pack = [
        "pack", "a:1", "--to", "discs", "--media", "6MB", "--spare", "0",
    ];
    stage.run(&pack).ends_with(0);
    let spoil = |below: &str, offset: usize, count: usize| {
        let files = walkdir::WalkDir::new(stage.path(below))
            .into_iter()
            .flatten();
        for file in files.filter(|file| file.file_type().is_file()) {
            let mut bytes = fs::read(file.path()).unwrap();
            if bytes.len() >= offset + count {
                bytes[offset..offset + count]
                    .iter_mut()
                    .for_each(|byte| *byte ^= 0x55);
                fs::remove_file(file.path()).unwrap();
                fs::write(file.path(), bytes).unwrap();
            }
        }
    };
    let said = |code: i32, words: &[&str]| {
        let mut command = stage.command(words);
        let run = Run::from(command.env("LC_ALL", "zh_CN.UTF-8").output().unwrap()).ends_with(code);
        let said = run.stdout + &run.stderr;
        assert_eq!(english_words(&said), [""; 0], "{said}");
        said
    };
    spoil("store/packs", 5000, 40);
    let checked = said(3, &["check", "--data"]);
    assert!(checked.contains("的数据帧已损坏，不再使用：数据帧已损坏（校验值不符）"));
    let lost = said(3, &["checkout", "a:1", "x"]);
    assert!(
        lost.contains("该文件已丢失：数据块") || lost.contains("其余内容已丢失"),
        "{lost}"
    );
    spoil("store/index", 30, 2);
    assert!(said(3, &["check"]).contains("根据数据包重建"));
    spoil("store/releases", 30, 2);
    assert!(said(3, &["list"]).contains("根记录已损坏，内容不明：内容有误（校验值不符）"));
    said(1, &["show", "a:1"]);
    spoil("discs", 70_000, 900_000);
    said(3, &["verify", "discs"]);
}
