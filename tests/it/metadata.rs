//! What belongs to files besides their bytes: it is carried, or told.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

use crate::testkit::programs;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output};

use programs::has;
use rustix::fs::{CWD, FileType, Mode, OFlags, XattrFlags};
use tempfile::TempDir;

fn carryall(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carryall"));
    command
        .env("LC_ALL", "C")
        .env("HOME", folder)
        .current_dir(folder);
    command.args(["--store", "store"]).args(arguments);
    command
}

fn text(out: &Output) -> String {
    String::from_utf8_lossy(&[&out.stdout[..], &out.stderr[..]].concat()).into_owned()
}

/// Runs the program, which must do what it is asked for; returns all it said.
fn done(folder: &Path, arguments: &[&str]) -> String {
    let out = carryall(folder, arguments).output().unwrap();
    assert!(out.status.success(), "{arguments:?}: {}", text(&out));
    text(&out)
}

/// The same as root without this capability; `None` where that cannot be.
fn without(capability: &str, folder: &Path, arguments: &[&str]) -> Option<Output> {
    if !rustix::process::geteuid().is_root() || !has(&["setpriv"]) {
        return None;
    }
    let plain = carryall(folder, arguments);
    let mut command = Command::new("setpriv");
    command.arg(format!("--bounding-set=-{capability}"));
    command.arg(plain.get_program()).args(plain.get_args());
    command
        .env("LC_ALL", "C")
        .env("HOME", folder)
        .current_dir(folder);
    Some(command.output().unwrap())
}

#[test]
fn a_file_that_is_made_up_as_it_is_read_comes_with_its_content() {
    let folder = TempDir::new().unwrap();
    let version = fs::read("/proc/version").unwrap();
    assert_eq!(fs::metadata("/proc/version").unwrap().len(), 0);
    done(folder.path(), &["add", "made:1", "/proc/version"]);
    done(folder.path(), &["checkout", "made:1", "out"]);
    assert_eq!(
        fs::read(folder.path().join("out/version")).unwrap(),
        version
    );
}

#[test]
fn what_may_not_be_read_is_told_all_at_once() {
    let folder = TempDir::new().unwrap();
    let app = folder.path().join("app");
    fs::create_dir_all(app.join("closed")).unwrap();
    for name in ["first", "second", "open", "closed/inside"] {
        fs::write(app.join(name), name).unwrap();
    }
    for name in ["first", "second", "closed"] {
        fs::set_permissions(app.join(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    let capabilities = "dac_override,-dac_read_search";
    let Some(out) = without(capabilities, folder.path(), &["add", "app:1", "app"]) else {
        return;
    };
    let said = text(&out);
    assert_eq!(out.status.code(), Some(1), "{said}");
    for part in [
        "3 cannot be read",
        "app/first",
        "app/second",
        "app/closed",
        "hint:",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("app/open"), "{said}");
}

#[test]
fn a_default_acl_of_the_destination_gives_nothing_to_what_is_checked_out() {
    let folder = TempDir::new().unwrap();
    let app = folder.path().join("app");
    fs::create_dir_all(app.join("below")).unwrap();
    fs::write(app.join("below/file"), "file").unwrap();
    fs::write(folder.path().join("single"), "single").unwrap();
    done(folder.path(), &["add", "app:1", "app", "single"]);
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    // Version 2; user::rwx, user:1234:rwx, group::r-x, mask::rwx, other::---
    let mut acl = 2_u32.to_le_bytes().to_vec();
    for (tag, allowed, id) in [
        (1_u16, 7_u16, u32::MAX),
        (2, 7, 1234),
        (4, 5, u32::MAX),
        (0x10, 7, u32::MAX),
        (0x20, 0, u32::MAX),
    ] {
        acl.extend(tag.to_le_bytes());
        acl.extend(allowed.to_le_bytes());
        acl.extend(id.to_le_bytes());
    }
    let default = "system.posix_acl_default";
    if rustix::fs::setxattr(&out, default, &acl, XattrFlags::empty()).is_err() {
        eprintln!("no ACLs here: nothing to try");
        return;
    }
    done(folder.path(), &["checkout", "app:1", "out"]);
    for name in ["single", "app", "app/below", "app/below/file"] {
        let path = out.join(name);
        for acl in [default, "system.posix_acl_access"] {
            let got = rustix::fs::getxattr(&path, acl, &mut [0; 256][..]);
            assert_eq!(got, Err(rustix::io::Errno::NODATA), "{name}: {acl}");
        }
    }
    assert_eq!(
        fs::metadata(out.join("single")).unwrap().mode() & 0o777,
        0o644
    );
    // The folder that was there before keeps its own.
    assert!(rustix::fs::getxattr(&out, default, &mut [0; 256][..]).is_ok());
}

#[test]
fn file_flags_that_are_not_carried_are_told() {
    let folder = TempDir::new().unwrap();
    let app = folder.path().join("app");
    fs::create_dir_all(&app).unwrap();
    fs::write(app.join("flagged"), "x").unwrap();
    let file = fs::File::open(app.join("flagged")).unwrap();
    if rustix::fs::ioctl_setflags(&file, rustix::fs::IFlags::NODUMP).is_err() {
        eprintln!("no file flags here: nothing to try");
        return;
    }
    let said = done(folder.path(), &["add", "app:1", "app"]);
    assert!(
        said.contains("app/flagged") && said.contains("(lsattr): d"),
        "{said}"
    );
    let alone = done(folder.path(), &["add", "app:2", "app/flagged"]);
    assert!(alone.contains("(lsattr): d"), "{alone}");
}

#[test]
fn notes_name_the_last_path_and_the_attribute() {
    let folder = TempDir::new().unwrap();
    let app = folder.path().join("app");
    fs::create_dir_all(&app).unwrap();
    fs::write(app.join("trusted"), "x").unwrap();
    let path = app.join("trusted");
    if rustix::fs::setxattr(&path, "trusted.mine", b"1", XattrFlags::empty()).is_err() {
        return;
    }
    done(folder.path(), &["add", "app:1", "app"]);
    let Some(out) = without(
        "sys_admin",
        folder.path(),
        &["checkout", "app:1", "out", "--privileged"],
    ) else {
        return;
    };
    let said = text(&out);
    assert_eq!(out.status.code(), Some(0), "{said}");
    assert!(
        said.contains("out/app/trusted") && said.contains("trusted.mine"),
        "{said}"
    );
    assert!(!said.contains(".carryall"), "{said}");
}

#[test]
fn devices_that_only_root_makes_are_notes_under_all_their_names() {
    let folder = TempDir::new().unwrap();
    let app = folder.path().join("app");
    fs::create_dir_all(&app).unwrap();
    fs::write(app.join("file"), "file").unwrap();
    let device = app.join("device");
    let rdev = rustix::fs::makedev(1, 3);
    if rustix::fs::mknodat(CWD, &device, FileType::CharacterDevice, Mode::RUSR, rdev).is_err() {
        return;
    }
    fs::hard_link(&device, app.join("other-name")).unwrap();
    done(folder.path(), &["add", "app:1", "app"]);
    let Some(out) = without(
        "mknod",
        folder.path(),
        &["checkout", "app:1", "out", "--privileged"],
    ) else {
        return;
    };
    let said = text(&out);
    assert_eq!(out.status.code(), Some(0), "{said}");
    for part in ["out/app/device", "out/app/other-name", "only root can"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(
        fs::read(folder.path().join("out/app/file")).unwrap(),
        b"file"
    );
}

/// Makes a folder with everything that gives power. Returns `None` where that cannot be made.
fn powerful(app: &Path) -> Option<()> {
    fs::create_dir_all(app.join("shared")).unwrap();
    for name in ["sudo", "ping", "mine"] {
        fs::write(app.join(name), name).unwrap();
    }
    let rdev = rustix::fs::makedev(1, 3);
    let device = app.join("null");
    rustix::fs::mknodat(CWD, &device, FileType::CharacterDevice, Mode::RUSR, rdev).ok()?;
    fs::hard_link(&device, app.join("zero")).unwrap();
    std::os::unix::fs::lchown(app.join("mine"), Some(1234), Some(4321)).ok()?;
    let chmod = |name: &str, mode| {
        fs::set_permissions(app.join(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    chmod("sudo", 0o4755);
    chmod("shared", 0o3775);
    // Version 2 with the effective flag, and `cap_net_raw` as the lower half of what is permitted.
    let mut cap_net_raw = [0_u8; 20];
    cap_net_raw[..4].copy_from_slice(&[1, 0, 0, 2]);
    cap_net_raw[5] = 0x20;
    let none = XattrFlags::empty();
    rustix::fs::setxattr(app.join("ping"), "security.capability", &cap_net_raw, none).ok()
}

#[test]
fn what_gives_power_is_withheld_and_listed_unless_it_is_asked_for() {
    let folder = TempDir::new().unwrap();
    if powerful(&folder.path().join("app")).is_none() {
        return;
    }
    done(folder.path(), &["add", "app:1", "app"]);
    let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().mode() & 0o7777;
    let owner = |path: &str| fs::metadata(folder.path().join(path)).unwrap().uid();
    let capability = |path: &str| {
        let path = folder.path().join(path);
        rustix::fs::getxattr(path, "security.capability", &mut [0_u8; 64]).is_ok()
    };
    let plain: [(&[&str], &str); 2] = [
        (&["checkout", "app:1", "out"], "out/app"),
        (&["install", "app:1", "--into", "srv"], "srv/current/app"),
    ];
    for (command, app) in plain {
        let said = done(folder.path(), command);
        for part in [
            "1234:4321",
            "app/sudo",
            "app/shared",
            "app/ping",
            "app/null",
            "app/zero",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(mode(&format!("{app}/sudo")), 0o755);
        assert_eq!(mode(&format!("{app}/shared")), 0o1775);
        assert!(!capability(&format!("{app}/ping")));
        assert_eq!(owner(&format!("{app}/mine")), 0);
        assert!(!folder.path().join(app).join("null").exists());
        assert_eq!(
            fs::read(folder.path().join(app).join("mine")).unwrap(),
            b"mine"
        );
    }
    let privileged: [(&[&str], &str); 2] = [
        (&["checkout", "app:1", "all", "--privileged"], "all/app"),
        (
            &["install", "app:1", "--into", "opt", "--privileged"],
            "opt/current/app",
        ),
    ];
    for (command, app) in privileged {
        let said = done(folder.path(), command);
        assert!(!said.contains("withheld"), "{said}");
        assert_eq!(mode(&format!("{app}/sudo")), 0o4755);
        assert_eq!(mode(&format!("{app}/shared")), 0o3775);
        assert!(capability(&format!("{app}/ping")));
        assert_eq!(owner(&format!("{app}/mine")), 1234);
        assert!(folder.path().join(app).join("zero").exists());
    }
    let out = carryall(
        folder.path(),
        &["checkout", "app:1", "x.tar", "--as", "oci", "--privileged"],
    );
    let out = { out }.output().unwrap();
    assert_eq!(out.status.code(), Some(2), "{}", text(&out));
}

#[test]
fn holes_take_no_room_on_either_side() {
    let folder = TempDir::new().unwrap();
    let file = fs::File::create(folder.path().join("disk")).unwrap();
    file.set_len(600 << 20).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"middle", 300 << 20).unwrap();
    done(folder.path(), &["add", "disk:1", "disk"]);
    done(folder.path(), &["checkout", "disk:1", "out"]);
    let out = fs::metadata(folder.path().join("out/disk")).unwrap();
    assert_eq!(out.len(), 600 << 20);
    assert!(out.blocks() * 512 < 16 << 20, "{} blocks", out.blocks());
    let mut middle = [0; 6];
    let back = fs::File::open(folder.path().join("out/disk")).unwrap();
    std::os::unix::fs::FileExt::read_exact_at(&back, &mut middle, 300 << 20).unwrap();
    assert_eq!(&middle, b"middle");
}

#[test]
fn paths_longer_than_a_call_takes_come_back() {
    let folder = TempDir::new().unwrap();
    let deep = folder.path().join("deep");
    fs::create_dir(&deep).unwrap();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let name = "d".repeat(240);
    let mut at = rustix::fs::open(&deep, flags, Mode::empty()).unwrap();
    for _ in 0..30 {
        rustix::fs::mkdirat(&at, &name[..], Mode::RWXU).unwrap();
        at = rustix::fs::openat(&at, &name[..], flags, Mode::empty()).unwrap();
    }
    let make = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&at, "file", make, Mode::RUSR).unwrap();
    rustix::io::write(&file, b"at the bottom").unwrap();
    done(folder.path(), &["add", "deep:1", "deep"]);
    done(folder.path(), &["checkout", "deep:1", "out"]);
    let mut at = rustix::fs::open(folder.path().join("out/deep"), flags, Mode::empty()).unwrap();
    for _ in 0..30 {
        at = rustix::fs::openat(&at, &name[..], flags, Mode::empty()).unwrap();
    }
    let file = rustix::fs::openat(&at, "file", OFlags::RDONLY, Mode::empty()).unwrap();
    let mut back = [0; 20];
    let count = rustix::io::read(&file, &mut back).unwrap();
    assert_eq!(&back[..count], b"at the bottom");
}
