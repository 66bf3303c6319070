//! Every state that a store can get into has a command that leads out: what is damaged or gone is told, the hint names a command,
//! and that command, typed as it stands there, works.

use crate::testkit::harm::flip_middle;
use crate::testkit::stage;

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use stage::{Run, Stage, noise, text};

/// A stage whose store has two releases of different things, and volumes of the first.
fn stage() -> Stage {
    let stage = Stage::new();
    for folder in ["given/docs", "given/web"] {
        fs::create_dir_all(stage.path(folder)).unwrap();
    }
    fs::write(stage.path("given/docs/readme.txt"), text(1, 60_000)).unwrap();
    fs::write(stage.path("given/setup.bin"), noise(2, 400_000)).unwrap();
    fs::write(stage.path("given/web/page"), text(3, 90_000)).unwrap();
    stage.run(&SHOP).ends_with(0);
    stage.run(&["add", "web:2.0", "given/web"]).ends_with(0);
    let pack = [
        "pack", "shop:1.0", "--to", "discs", "--media", "6MB", "--spare", "0",
    ];
    stage.run(&pack).ends_with(0);
    stage
}

const SHOP: [&str; 4] = ["add", "shop:1.0", "given/docs", "given/setup.bin"];

/// The command in a hint that begins so, typed as it stands there.
#[track_caller]
fn typed(stage: &Stage, run: &Run, beginning: &str) -> Run {
    let command = run
        .stderr
        .split('`')
        .find(|part| part.starts_with(beginning));
    let command = command.unwrap_or_else(|| panic!("{beginning:?} is not in {run:#?}"));
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    stage.run(&words)
}

fn root_of(stage: &Stage, name: &str) -> PathBuf {
    stage
        .path("store/releases")
        .join(format!("{}.release", name.replace(':', "%3a")))
}

/// The other release was not touched, and all is well again.
#[track_caller]
fn all_is_well(stage: &Stage) {
    for depth in [&["check"][..], &["check", "--data"]] {
        let run = stage.run(depth).ends_with(0);
        assert!(run.stdout.contains("all is well"), "{run:#?}");
    }
    stage.run(&["checkout", "web:2.0", "back"]).ends_with(0);
    assert!(fs::read(stage.path("back/web/page")).unwrap() == text(3, 90_000));
    stage.remove("back");
}

#[test]
fn a_damaged_root_is_told_by_its_name_and_taken_out() {
    type Harm = fn(&Path);
    let harms: [Harm; 4] = [
        flip_middle,
        |path| fs::write(path, b"").unwrap(),
        |path| fs::write(path, vec![7; 3 << 20]).unwrap(),
        |path| {
            let other = path.with_file_name("web%3a2.0.release");
            fs::copy(other, path).map(drop).unwrap();
        },
    ];
    for harm in harms {
        let stage = stage();
        harm(&root_of(&stage, "shop:1.0"));
        let told = stage.run(&["check"]).ends_with(3);
        assert!(told.stdout.contains("shop:1.0") && !told.stdout.contains("no release has lost"));
        assert!(
            stage
                .run(&["list"])
                .ends_with(3)
                .stdout
                .contains("`carryall rm shop:1.0`")
        );
        let packs = || fs::read_dir(stage.path("store/packs")).unwrap().count();
        let before = packs();
        for command in [&["prune"][..], &["prune", "--ready", "--keep-last", "1"]] {
            let run = stage
                .run(command)
                .fails_with(1, &["shop:1.0", "`carryall rm shop:1.0`"]);
            assert!(!run.stderr.contains("web:2.0"));
        }
        assert_eq!(packs(), before);
        let run = stage.run(&["prune"]).fails_with(1, &[]);
        let removed = typed(&stage, &run, "carryall rm").ends_with(0);
        assert!(removed.stdout.contains("could not be read"), "{removed:#?}");
        stage.run(&["prune"]).ends_with(0);
        all_is_well(&stage);
        stage.run(&SHOP).ends_with(0);
        all_is_well(&stage);
    }
}

#[test]
fn a_damaged_root_comes_back_by_receiving_or_adding_again() {
    let stage = stage();
    flip_middle(&root_of(&stage, "shop:1.0"));
    let run = stage.run(&SHOP).fails_with(1, &["`carryall rm shop:1.0`"]);
    for command in [["show", "shop:1.0"], ["keep", "shop:1.0"]] {
        stage
            .run(&command)
            .fails_with(1, &["`carryall rm shop:1.0`"]);
    }
    stage.run(&["receive", "discs"]).ends_with(0);
    all_is_well(&stage);
    flip_middle(&root_of(&stage, "shop:1.0"));
    typed(&stage, &run, "carryall rm").ends_with(0);
    stage.run(&SHOP).ends_with(0);
    all_is_well(&stage);
}

/// Removes or damages all packs that were there when the first release was the only one.
fn lose_lists(stage: &Stage, harm: fn(&Path)) {
    stage.remove("store");
    stage.run(&SHOP).ends_with(0);
    let packs = || {
        let entries = walkdir::WalkDir::new(stage.path("store/packs")).into_iter();
        let paths = entries.map(|entry| entry.unwrap().into_path());
        paths.filter(|path| path.is_file()).collect::<Vec<_>>()
    };
    let first = packs();
    stage.run(&["add", "web:2.0", "given/web"]).ends_with(0);
    first.iter().for_each(|path| harm(path));
}

#[test]
fn a_lost_list_of_items_is_healed_or_given_up() {
    type Harm = fn(&Path);
    let harms: [Harm; 2] = [
        |path| fs::remove_file(path).unwrap(),
        |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, vec![0x55; bytes.len()]).unwrap();
        },
    ];
    for harm in harms {
        for way in ["rm", "receive", "heal"] {
            let stage = stage();
            lose_lists(&stage, harm);
            let told = stage.run(&["check"]).ends_with(3);
            assert!(told.stdout.contains("shop:1.0"), "{told:#?}");
            let add = stage.run(&SHOP).fails_with(1, &["`carryall rm shop:1.0`"]);
            let prune = stage
                .run(&["prune"])
                .fails_with(1, &["`carryall rm shop:1.0`"]);
            stage
                .run(&["checkout", "shop:1.0", "dest"])
                .fails_with(1, &["carryall"]);
            match way {
                "rm" => {
                    typed(&stage, &prune, "carryall rm").ends_with(0);
                    stage.run(&["prune"]).ends_with(0);
                    drop(add);
                }
                "receive" => drop(stage.run(&["receive", "discs"]).ends_with(0)),
                _ => drop(
                    stage
                        .run(&["check", "--data", "--heal-from", "discs"])
                        .ends_with(0),
                ),
            }
            stage.run(&["prune"]).ends_with(0);
            all_is_well(&stage);
        }
    }
}

#[test]
fn folders_of_a_store_that_are_gone() {
    for folder in [
        "packs", "index", "releases", "tmp", "ready", "sets", "sites",
    ] {
        let stage = stage();
        stage.run(&["prune"]).ends_with(0);
        stage.remove(&format!("store/{folder}"));
        match folder {
            "packs" => {
                stage.run(&["check"]).ends_with(3);
                let run = stage
                    .run(&["prune"])
                    .fails_with(1, &["shop:1.0", "web:2.0"]);
                typed(&stage, &run, "carryall rm web:2.0").ends_with(0);
                stage.run(&["receive", "discs"]).ends_with(0);
                stage.run(&["add", "web:2.0", "given/web"]).ends_with(0);
                stage.run(&["prune"]).ends_with(0);
            }
            "releases" => {
                let told = stage.run(&["check"]).ends_with(3);
                assert!(told.stderr.contains("is gone"), "{told:#?}");
                stage
                    .run(&["prune"])
                    .fails_with(1, &["is gone", "mount", "`receive`"]);
                stage.run(&["receive", "discs"]).ends_with(0);
                stage.run(&["add", "web:2.0", "given/web"]).ends_with(0);
            }
            _ => {}
        }
        all_is_well(&stage);
        stage.run(&["prune"]).ends_with(0);
        all_is_well(&stage);
    }
}

#[test]
fn files_of_a_store_that_are_damaged() {
    let harm: [fn(&Path); 3] = [
        flip_middle,
        |path| fs::write(path, b"").unwrap(),
        |path| {
            fs::File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(80 << 20)
                .unwrap()
        },
    ];
    for harm in harm {
        for folder in ["index", "sets", "ready", "kept", "quarantine"] {
            let stage = stage();
            stage.run(&["keep", "shop:1.0"]).ends_with(0);
            let place = stage.path("store").join(folder);
            if folder == "quarantine" {
                fs::write(&place, b"a list that never was one").unwrap();
            }
            if folder == "ready" {
                fs::create_dir_all(&place).unwrap();
                fs::write(place.join("ab".repeat(32)), b"a copy that never was one").unwrap();
            }
            for entry in walkdir::WalkDir::new(&place) {
                let path = entry.unwrap().into_path();
                if path.is_file() && (folder != "kept" || fs::metadata(&path).unwrap().len() > 0) {
                    harm(&path);
                }
            }
            // Once what is damaged was told, it is mended, or of no more use.
            let first = stage.run(&["check", "--data"]);
            assert!(first.code == Some(0), "{folder}: {first:#?}");
            stage.run(&["prune"]).ends_with(0);
            all_is_well(&stage);
            stage.run(&["site", "list"]).ends_with(0);
            stage
                .run(&[
                    "pack", "shop:1.0", "--to", "again", "--media", "6MB", "--spare", "0",
                ])
                .ends_with(0);
        }
    }
}

/// Runs the command as somebody who may read the store, and not write it; `None` when this user cannot be another.
fn as_reader(stage: &Stage, words: &[&str]) -> Option<Run> {
    use std::os::unix::fs::PermissionsExt;
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let outer = stage.path("");
    fs::set_permissions(&outer, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = stage.command(words);
    command.uid(65534).gid(65534);
    Some(command.output().ok()?.into())
}

#[test]
fn a_store_that_may_only_be_read_is_checked_and_read() {
    let stage = stage();
    stage.run(&["receive", "discs"]).ends_with(0);
    for words in [
        &["check"][..],
        &["check", "--data"],
        &["list"],
        &["show", "shop:1.0"],
        &["status"],
        &["receipt"],
        &["diff", "shop:1.0", "web:2.0"],
    ] {
        let Some(run) = as_reader(&stage, words) else {
            return;
        };
        let run = run.ends_with(0);
        assert_eq!(
            words[0] == "check",
            run.stderr.contains("only read"),
            "{run:#?}"
        );
    }
    // What may not even be read is no damage.
    use std::os::unix::fs::PermissionsExt;
    let hide = |folder: &str, mode| {
        for entry in walkdir::WalkDir::new(stage.path(folder)) {
            let path = entry.unwrap().into_path();
            if path.is_file() {
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
    };
    for folder in ["store/packs", "store/releases"] {
        hide(folder, 0o600);
        for words in [&["check"][..], &["check", "--data"]] {
            let run = as_reader(&stage, words).unwrap().ends_with(1);
            assert!(run.stderr.contains("Permission denied"), "{run:#?}");
            assert!(
                run.stderr.contains("hint: this need not be damage"),
                "{run:#?}"
            );
            assert!(!run.stdout.contains("all is well"), "{run:#?}");
        }
        hide(folder, 0o644);
    }
    for words in [
        &["rm", "shop:1.0"][..],
        &["prune"],
        &["add", "x:1", "given/web"],
    ] {
        as_reader(&stage, words)
            .unwrap()
            .fails_with(1, &["Permission denied"]);
    }
    all_is_well(&stage);
}

#[test]
fn readers_do_not_mind_a_writer() {
    let stage = stage();
    let lock = fs::File::options()
        .write(true)
        .open(stage.path("store/lock"))
        .unwrap();
    lock.lock().unwrap();
    for words in [
        &["list"][..],
        &["show", "shop:1.0"],
        &["status"],
        &["receipt"],
        &["check"],
        &["check", "--data"],
        &["diff", "shop:1.0", "web:2.0"],
        &["checkout", "shop:1.0", "dest"],
    ] {
        stage.run(words).ends_with(0);
    }
    for words in [
        &["add", "x:1", "given/web"][..],
        &["prune"],
        &["rm", "web:2.0"],
    ] {
        stage.run(words).fails_with(1, &["in use"]);
    }
    drop(lock);
    all_is_well(&stage);
}

#[test]
fn a_checkout_takes_up_its_own_leftovers_alone() {
    let stage = stage();
    let checkout = ["checkout", "shop:1.0", "dest"];
    let part = stage.path("dest/.carryall.part");
    fs::create_dir_all(part.join("items/docs")).unwrap();
    fs::write(part.join("items/docs/half"), b"x").unwrap();
    stage.run(&checkout).ends_with(0);
    assert!(!part.exists() && stage.path("dest/docs/readme.txt").exists());
    stage.run(&checkout).fails_with(1, &["not empty"]);
    for theirs in [
        "dest/mine",
        "dest/.carryall.part/mine",
        "dest/docs/readme.txt",
    ] {
        stage.remove("dest");
        fs::create_dir_all(part.join("items")).unwrap();
        fs::create_dir_all(stage.path("dest/docs")).unwrap();
        fs::remove_dir(stage.path("dest/docs")).unwrap();
        let path = stage.path(theirs);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"mine").unwrap();
        stage.run(&checkout).fails_with(1, &["not empty"]);
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        assert!(part.exists());
    }
}
