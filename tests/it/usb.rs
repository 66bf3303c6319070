//! Disks that are written and read back: fake ones, failing ones, and those whose file system takes no large files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::testkit::programs::{has, may_use, run};
use crate::testkit::stage::{Run, Stage, noise, visible};

const PACK: [&str; 8] = [
    "pack", "shop:1.0", "--to", "usb", "--media", "8MB", "--spare", "1",
];

fn given() -> Stage {
    let stage = Stage::new();
    fs::write(stage.path("setup.bin"), noise(2, 2_000_000)).unwrap();
    stage.run(&["add", "shop:1.0", "setup.bin"]).ends_with(0);
    stage
}

/// Compiles the disk that is not what it says.
fn fake_disk(dir: &Path) -> Option<PathBuf> {
    if !has(&["cc"]) {
        return None;
    }
    let library = dir.join("fake_disk.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/testkit/fake_disk.c");
    let mut cc = Command::new("cc");
    cc.args([
        "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o",
    ]);
    run(cc.arg(&library).arg(source).arg("-ldl"));
    Some(library)
}

#[test]
fn a_disk_with_less_room_than_it_says_is_found_out() {
    let dir = TempDir::new().unwrap();
    let Some(library) = fake_disk(dir.path()) else {
        return;
    };
    let stage = given();
    fs::create_dir(stage.path("usb")).unwrap();
    let folder = fs::canonicalize(stage.path("usb")).unwrap();
    let pack = |how: &str, more: &[&str]| -> Run {
        let mut command = stage.command(&[&PACK[..], more].concat());
        let fake = [
            ("LD_PRELOAD", library.to_str().unwrap()),
            ("FAKE_DISK", folder.to_str().unwrap()),
        ];
        command
            .envs(fake)
            .envs([("FAKE_DISK_BYTES", "1048576"), ("FAKE_DISK_HOW", how)]);
        command.output().unwrap().into()
    };
    let counts = [
        ("zeros", "places hold zeros"),
        ("wrap", "hold another part"),
        ("error", "cannot be read"),
    ];
    for (how, said) in counts {
        let run = pack(how, &["--read-back"])
            .fails_with(1, &["do not come back", "less room than it says"]);
        let line = run
            .stderr
            .lines()
            .find(|line| line.contains("do not come back"))
            .unwrap();
        let parts: Vec<&str> = line.split(['(', ',', ';', ')']).collect();
        let count = parts.iter().find(|part| part.contains(said)).unwrap();
        assert!(!count.trim().starts_with("0 "), "{how}: {run:#?}");
        assert!(visible(&stage.path("usb")).is_empty(), "{how}");
    }
    // A disk that is no removable one is not read back unless it is asked for.
    pack("zeros", &[]).ends_with(0);
    assert_eq!(visible(&stage.path("usb")).len(), 2);
}

#[test]
fn what_is_read_back_whole_is_the_same_set() {
    let stage = given();
    let pack = |to: &str, more: &[&str]| {
        let words = [
            "pack", "shop:1.0", "--media", "8MB", "--spare", "1", "--to", to,
        ];
        stage.run(&[&words[..], more].concat()).ends_with(0);
    };
    pack("a", &[]);
    pack("b", &["--read-back"]);
    for (one, other) in visible(&stage.path("a"))
        .iter()
        .zip(visible(&stage.path("b")))
    {
        assert_eq!(one.file_name(), other.file_name());
        for (one, other) in visible(one).iter().zip(visible(&other)) {
            assert!(fs::read(one).unwrap() == fs::read(other).unwrap());
        }
    }
    if has(&["xorriso"]) {
        pack("c", &["--read-back", "--iso"]);
        assert_eq!(visible(&stage.path("c")).len(), 2);
    }
}

#[test]
fn a_volume_is_written_to_fat_and_received_from_it() {
    if !may_use(&["mkfs.fat", "losetup", "mount", "umount"])
        || !rustix::process::geteuid().is_root()
    {
        return;
    }
    let stage = given();
    let image = stage.path("stick.img");
    fs::File::create(&image).unwrap().set_len(40 << 20).unwrap();
    run(Command::new("mkfs.fat").arg(&image));
    fs::create_dir(stage.path("usb")).unwrap();
    let mounted = Command::new("mount")
        .args(["-o", "loop"])
        .arg(&image)
        .arg(stage.path("usb"))
        .output()
        .unwrap();
    if !mounted.status.success() {
        return;
    }
    let packed = stage.run(&[&PACK[..], &["--read-back"]].concat());
    let received = stage.run(&["receive", "usb", "--store", "site"]);
    run(Command::new("umount").arg(stage.path("usb")));
    packed.ends_with(0);
    received.ends_with(0);
}
