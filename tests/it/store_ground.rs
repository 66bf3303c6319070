//! Where stores are made, and that nothing is ever removed which a store did not make: every command that takes `--store` is
//! run on folders that hold all sorts of things.

use crate::testkit::stage;
use crate::testkit::trees::look_at;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use stage::{Stage, noise, text};

/// What can be seen of a folder and of everything below it.
fn look(folder: &Path) -> BTreeMap<PathBuf, String> {
    let entries = walkdir::WalkDir::new(folder).into_iter();
    let paths = entries.map(|entry| entry.unwrap().into_path());
    paths.map(|path| (path.clone(), look_at(&path))).collect()
}

fn write(path: PathBuf, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const SET: &str = "0123456789abcdef0123456789abcdef";

/// Files of a user, under names that a store has for its own.
fn theirs() -> Vec<String> {
    let mut names: Vec<String> = [
        "tmp/thesis.txt",
        "tmp/2024-11",
        "tmp/12-3",
        "tmp/deep/unpublished-1-2",
        "index/page.html",
        "index/a/b.idx",
        "ready/song.mp3",
        "ready/x.group",
        "pulls/notes",
        "pulls/blobs/readme",
        "pulls/items/a/index.json",
        "packs/ab/box",
        "packs/list.pack",
        "incoming/letter.done",
        "incoming/letter.txt",
        "releases/mine.txt",
        "releases/my notes.release",
        "kept/x",
        "sets/x.set",
        "sites/ours",
        "locks",
        "notes",
    ]
    .map(str::to_owned)
    .into();
    names.push(format!("incoming/{SET}.done/letter.txt"));
    names.push(format!("packs/{HEX}.pack"));
    names.push(format!("packs/zz/{HEX}.pack"));
    names.push(format!("index/old/{HEX}.idx"));
    names
}

fn fill(folder: &Path) {
    for name in theirs() {
        write(folder.join(&name), format!("mine: {name}").as_bytes());
    }
    symlink("/", folder.join("root")).unwrap();
}

/// A stage with something to add and with volumes that hold a release.
fn stage() -> Stage {
    let stage = Stage::new();
    write(stage.path("given/docs/readme.txt"), &text(1, 60_000));
    write(stage.path("given/setup.bin"), &noise(2, 400_000));
    stage
        .run(&["add", "shop:1.0", "given/docs", "given/setup.bin"])
        .ends_with(0);
    stage
        .run(&[
            "pack", "shop:1.0", "--to", "discs", "--media", "6MB", "--spare", "0",
        ])
        .ends_with(0);
    stage.run(&["receipt", "-o", "receipt"]).ends_with(0);
    stage
}

/// A good day of every command that takes `--store`.
const COMMANDS: [&[&str]; 22] = [
    &["add", "web:2.0", "given/docs"],
    &["add", "web:2.0", "given/none"],
    &["list"],
    &["show", "shop:1.0"],
    &["diff", "shop:1.0", "shop:1.0"],
    &["rm", "shop:1.0"],
    &["prune"],
    &["prune", "--ready", "--keep-last", "1"],
    &["keep", "shop:1.0"],
    &[
        "pack", "shop:1.0", "--to", "out", "--media", "6MB", "--spare", "0",
    ],
    &["receive", "discs"],
    &["receive", "given"],
    &["receipt"],
    &["site", "list"],
    &["site", "forget", "north"],
    &["status"],
    &["checkout", "shop:1.0", "dest"],
    &["install", "shop:1.0", "--into", "opt"],
    &["load", "shop:1.0"],
    &["check"],
    &["check", "--data"],
    &["check", "--renew-settings", "--heal-from", "discs"],
];

/// Every command leaves the folder as it was, and says what to do.
#[track_caller]
fn all_refuse(stage: &Stage, folder: &Path) {
    let before = look(folder);
    for command in COMMANDS {
        let run = stage.run(&[command, &["--store", folder.to_str().unwrap()]].concat());
        run.fails_with(1, &[]);
        assert_eq!(look(folder), before, "{command:?}");
    }
}

#[test]
fn a_folder_with_any_content_is_left_byte_for_byte_as_it_was() {
    let stage = stage();
    let at = |name: &str| stage.path(name);
    fill(&at("full"));
    all_refuse(&stage, &at("full"));
    for name in theirs() {
        let folder = at("one");
        write(folder.join(name), b"mine");
        all_refuse_briefly(&stage, &folder);
        fs::remove_dir_all(folder).unwrap();
    }
    // Empty folders of these names, files in their place, what looks like the beginning of a store and is none.
    type Make = fn(&Path);
    let makes: [Make; 9] = [
        |folder| fs::create_dir_all(folder.join("tmp")).unwrap(),
        |folder| fs::create_dir_all(folder.join("index/a")).unwrap(),
        |folder| write(folder.join("tmp"), b""),
        |folder| write(folder.join("lock"), b"mine"),
        |folder| {
            write(folder.join("lock"), b"");
            write(folder.join("tmp/unpublished-1-2"), b"mine");
        },
        |folder| {
            write(folder.join("lock"), b"");
            write(folder.join("packs/ab/mine"), b"");
        },
        |folder| symlink("../given", folder.join("tmp")).unwrap(),
        |folder| symlink("nowhere", folder.join("carryall.toml")).unwrap(),
        |folder| fs::create_dir(folder.join("carryall.toml")).unwrap(),
    ];
    for make in makes {
        let folder = at("other");
        fs::create_dir(&folder).unwrap();
        make(&folder);
        all_refuse_briefly(&stage, &folder);
        fs::remove_dir_all(folder).unwrap();
    }
}

/// The commands that would make a store, and one that would not.
#[track_caller]
fn all_refuse_briefly(stage: &Stage, folder: &Path) {
    let before = look(folder);
    for number in [0, 5, 10] {
        let run = stage.run(&[COMMANDS[number], &["--store", folder.to_str().unwrap()]].concat());
        run.fails_with(1, &[]);
        assert_eq!(look(folder), before);
    }
}

#[test]
fn a_folder_whose_carryall_toml_is_not_a_stores_is_left_as_it_was() {
    let stage = stage();
    let folder = stage.path("mine");
    let id = "0123456789abcdef0123456789abcdef";
    for toml in [
        "".to_owned(),
        "name = \"my tool\"\n".to_owned(),
        "\u{0}\u{1}".to_owned(),
        "format = 1\n".to_owned(),
        "format = 1\nid = \"x\"\n".to_owned(),
        format!("format = 0\nid = \"{id}\"\n"),
        format!("format = -7\nid = \"{id}\"\n"),
        format!("format = 99\nid = \"{id}\"\n"),
        "x".repeat(100_000),
    ] {
        write(folder.join("carryall.toml"), toml.as_bytes());
        fill_once(&folder);
        all_refuse(&stage, &folder);
    }
}

fn fill_once(folder: &Path) {
    if !folder.join("root").is_symlink() {
        fill(folder);
    }
}

#[test]
fn what_others_put_into_a_store_stays() {
    let stage = stage();
    fill(&stage.path("store"));
    let kept: Vec<(PathBuf, Vec<u8>)> = theirs()
        .into_iter()
        .map(|name| stage.path("store").join(name))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    let commands: [&[&str]; 10] = [
        &["add", "web:2.0", "given/docs"],
        &["receive", "discs"],
        &["check"],
        &["check", "--data"],
        &["keep", "web:2.0"],
        &["rm", "shop:1.0"],
        &["prune"],
        &["receive", "discs"],
        &["prune", "--ready", "--keep-last", "1"],
        &["checkout", "shop:1.0", "dest"],
    ];
    for command in commands {
        stage.run(command).ends_with(0);
        for (path, bytes) in &kept {
            assert!(
                fs::read(path).is_ok_and(|now| now == *bytes),
                "{command:?} {path:?}"
            );
        }
    }
    stage.run(&["list"]).ends_with(0);
    assert_eq!(stage.run(&["status"]).ends_with(0).stderr, "");
}

#[test]
fn a_store_writes_through_no_link() {
    for name in [
        "tmp",
        "packs",
        "index",
        "releases",
        "ready",
        "pulls",
        "incoming",
        "sets",
        "sites",
        "kept",
        "lock",
        "carryall.toml",
    ] {
        let stage = stage();
        let (own, theirs) = (stage.path("store").join(name), stage.path("theirs"));
        if own.symlink_metadata().is_ok() {
            fs::rename(&own, &theirs).unwrap();
        } else {
            fs::create_dir(&theirs).unwrap();
        }
        if theirs.is_dir() {
            write(theirs.join("thesis"), b"mine");
            write(theirs.join("unpublished-1-1"), b"mine");
        }
        symlink(&theirs, &own).unwrap();
        let before = look(&theirs);
        for command in [
            &["add", "web:2.0", "given/docs"][..],
            &["receive", "discs"],
            &["prune", "--ready"],
            &["rm", "shop:1.0"],
            &["check"],
        ] {
            stage.run(command).fails_with(1, &["is a link"]);
            assert_eq!(look(&theirs), before, "{name} {command:?}");
        }
        // As the hint says: the folder itself in place of the link.
        fs::remove_file(&own).unwrap();
        fs::rename(&theirs, &own).unwrap();
        stage.run(&["add", "web:2.0", "given/docs"]).ends_with(0);
    }
}

#[test]
fn no_store_is_left_when_there_is_nothing_to_put_in() {
    let stage = stage();
    stage.remove("store");
    write(stage.path("file"), b"mine");
    fs::create_dir(stage.path("nothing")).unwrap();
    fs::create_dir(stage.path("empty")).unwrap();
    for store in ["store", "a/b/c", "empty"] {
        for command in [
            &["receive", "given"][..],
            &["receive", "nothing"],
            &["receive", "file"],
            &["receive", "none"],
            &["add", "web:1.0", "none"],
            &["add", "web:1.0", "given/docs", "given/../given/docs"],
            &["add", "web:1.0", "/dev/null"],
        ] {
            let run = stage.run(&[command, &["--store", store]].concat());
            assert!(
                !run.fails_with(1, &[]).stderr.contains("created"),
                "{command:?}"
            );
            assert!(!stage.path("store").exists() && !stage.path("a").exists());
            assert_eq!(
                fs::read_dir(stage.path("empty")).unwrap().count(),
                0,
                "{command:?}"
            );
        }
    }
    let run = stage
        .run(&["receive", "discs", "--store", "a/b/c"])
        .ends_with(0);
    assert!(run.stderr.contains("created a store in a/b/c"), "{run:#?}");
}

#[test]
fn a_store_lies_apart_from_what_is_read() {
    let stage = stage();
    let before = look(&stage.path("discs"));
    for (command, store) in [
        (&["receive", "discs"][..], "discs"),
        (&["receive", "discs"], "discs/store"),
        (&["receive", "discs"], "discs/new/deep/store"),
        (&["receive", "given/../discs"], "discs/store"),
        (&["receive", "."], "elsewhere"),
        (&["receive", "discs", "store"], "store"),
        (&["receive", "store/packs"], "store"),
        (&["add", "web:1.0", "discs"], "discs/store"),
        (&["add", "web:1.0", "."], "new"),
        (&["check", "--heal-from", "."], "store"),
    ] {
        stage
            .run(&[command, &["--store", store]].concat())
            .fails_with(1, &["one is inside the other", "--store DIR"]);
        assert_eq!(look(&stage.path("discs")), before, "{command:?} {store}");
        assert!(!stage.path("elsewhere").exists() && !stage.path("new").exists());
    }
    stage.run(&["list"]).ends_with(0);
}

#[test]
fn a_store_is_made_where_only_a_system_or_a_killed_process_left_something() {
    let stage = stage();
    let at = |name: &str| stage.path("fresh").join(name);
    type Make = fn(&dyn Fn(&str) -> PathBuf);
    let makes: [Make; 7] = [
        |at| fs::create_dir_all(at("lost+found")).unwrap(),
        |at| write(at("System Volume Information/IndexerVolumeGuid"), b"x"),
        |at| write(at(".Trash-1000/files/old"), b"x"),
        |at| write(at("lock"), b""),
        |at| {
            write(at("lock"), b"");
            write(at("tmp/unpublished-77-0"), b"format = 1\nid = \"0123ab");
        },
        |at| {
            write(at("lock"), b"");
            write(at("tmp/unpublished-77-0"), b"");
            write(at("lost+found/x"), b"x");
        },
        |at| {
            // What is left when one that nothing came into is taken back.
            write(at("lock"), b"");
            fs::create_dir_all(at("incoming")).unwrap();
            fs::create_dir_all(at("packs/ab")).unwrap();
        },
    ];
    for make in makes {
        fs::create_dir(stage.path("fresh")).unwrap();
        make(&at);
        let theirs = |path: &Path| {
            let name = path.strip_prefix(stage.path("fresh")).unwrap();
            ["lost+found", "System", ".Trash"]
                .iter()
                .any(|own| name.to_string_lossy().starts_with(own))
        };
        let mut before = look(&stage.path("fresh"));
        before.retain(|path, _| theirs(path));
        stage
            .run(&["receive", "discs", "--store", "fresh"])
            .ends_with(0);
        stage.run(&["check", "--store", "fresh"]).ends_with(0);
        let mut after = look(&stage.path("fresh"));
        after.retain(|path, _| theirs(path));
        assert_eq!(before, after);
        assert!(!at("tmp/unpublished-77-0").exists());
        fs::remove_dir_all(stage.path("fresh")).unwrap();
    }
}

#[test]
fn a_store_whose_settings_are_damaged_or_lost_gets_new_ones() {
    let stage = stage();
    let toml = stage.path("store/carryall.toml");
    let good = fs::read(&toml).unwrap();
    stage.run(&["check", "--renew-settings"]).ends_with(0);
    assert_eq!(fs::read(&toml).unwrap(), good, "whole ones stay");
    for bad in [&b""[..], &[0; 80], b"format = 1\nid = \"12", &good[1..]] {
        fs::write(&toml, bad).unwrap();
        let run = stage
            .run(&["list"])
            .fails_with(1, &["carryall.toml", "--renew-settings"]);
        drop(run);
        stage
            .run(&["add", "web:1.0", "given/docs"])
            .fails_with(1, &["--renew-settings"]);
        stage.run(&["check", "--renew-settings"]).ends_with(0);
        stage.run(&["show", "shop:1.0"]).ends_with(0);
    }
    assert_eq!(
        fs::read(stage.path("store/carryall.toml.damaged")).unwrap(),
        b""
    );
    fs::remove_file(&toml).unwrap();
    stage.run(&["list"]).fails_with(1, &["--renew-settings"]);
    stage
        .run(&["receive", "discs"])
        .fails_with(1, &["--renew-settings"]);
    stage.run(&["check", "--renew-settings"]).ends_with(0);
    stage.run(&["checkout", "shop:1.0", "dest"]).ends_with(0);
    // A newer store is none that is damaged.
    fs::write(
        &toml,
        "format = 2\nid = \"0123456789abcdef0123456789abcdef\"\n",
    )
    .unwrap();
    stage
        .run(&["check", "--renew-settings"])
        .fails_with(1, &["newer"]);
}
