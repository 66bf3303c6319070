//! Archives that stand behind something else, as other programs write them: what a change in one costs on the way, and
//! that it comes back byte for byte.

use crate::testkit::bytes::{noise, text};
use crate::testkit::programs::{has, run};
use crate::testkit::stage;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use stage::Stage;

/// Bytes that a changed byte may cost: a bare bundle is made of blocks of 4 KiB, and one holds the change.
const PLAIN_BYTES_MAX: u64 = 8192;
/// What it may cost more behind something else.
const SLACK_BYTES: u64 = 4096;

/// Two states of a folder with files to be packed. In the second one byte differs.
fn states(stage: &Stage) -> [PathBuf; 2] {
    ["old", "new"].map(|state| {
        let folder = stage.path(state).join("files");
        fs::create_dir_all(folder.join("com/shop")).unwrap();
        for number in 0..8 {
            let mut body = text(number, 120_000);
            if (state, number) == ("new", 5) {
                body[70_000] ^= 1;
            }
            fs::write(folder.join(format!("com/shop/{number}.txt")), body).unwrap();
        }
        fs::write(folder.join("__main__.py"), "print('shop')\n").unwrap();
        stage.path(state)
    })
}

/// Carries the first of two files to a site, then the second one as a delta, and returns the bytes of that delta.
#[track_caller]
fn delta_bytes(stage: &Stage, file: &str) -> u64 {
    let release = |state: &str| format!("{}-{state}:1", file.replace('.', "-"));
    let [old, new] = ["old", "new"].map(release);
    for (state, release) in [("old", &old), ("new", &new)] {
        let item = format!("{state}/{file}");
        stage.run(&["add", release, &item]).ends_with(0);
    }
    let [full, delta] = ["full", "delta"].map(|kind| format!("{file}.{kind}"));
    stage.run(&["pack", &old, "--bare", &full]).ends_with(0);
    let words = ["pack", &new, "--bare", &delta, "--since", &old];
    stage.run(&words).ends_with(0);
    let site = stage.path(&format!("site-{file}"));
    let at_site = |words: &[&str]| {
        let mut command = stage.command(words);
        let output = command.env("CARRYALL_STORE", &site).output().unwrap();
        stage::Run::from(output).ends_with(0);
    };
    at_site(&["receive", &full, &delta]);
    at_site(&["check", "--data"]);
    let back = format!("back-{file}");
    at_site(&["checkout", &new, &back]);
    let [given, got] = [stage.path("new").join(file), stage.path(&back).join(file)];
    assert!(fs::read(given).unwrap() == fs::read(got).unwrap(), "{file}");
    fs::metadata(stage.path(&delta)).unwrap().len()
}

/// Makes a file of each state's folder by a Python script, which finds `files` and `plain.zip` where it runs.
fn python(states: &[PathBuf; 2], script: &str) {
    for state in states {
        run(Command::new("python3")
            .arg("-c")
            .arg(script)
            .current_dir(state));
    }
}

const PLAIN_ZIP: &str = r#"
import zipfile, os
def fill(zip):
    for folder, _, names in sorted(os.walk("files")):
        for name in sorted(names):
            path = os.path.join(folder, name)
            info = zipfile.ZipInfo(os.path.relpath(path, "files"), (2024, 1, 2, 3, 4, 6))
            zip.writestr(info, open(path, "rb").read(), zipfile.ZIP_DEFLATED)
with zipfile.ZipFile("plain.zip", "w") as zip:
    fill(zip)
"#;

#[test]
fn a_changed_byte_behind_a_prefix_costs_what_it_costs_in_a_plain_zip() {
    if !has(&["python3"]) {
        return;
    }
    let stage = Stage::new();
    let states = states(&stage);
    python(&states, PLAIN_ZIP);
    let plain = delta_bytes(&stage, "plain.zip");
    assert!(plain <= PLAIN_BYTES_MAX, "{plain}");

    // Spring Boot's executable jar: a script, and offsets that count from the zip.
    python(
        &states,
        "zip = open('plain.zip', 'rb').read()\nopen('boot.jar', 'wb').write(b'#!/bin/bash\\n' + b'# start\\n' * 1200 + b'exit 0\\n' + zip)",
    );
    // The same with offsets that count from the script, as `zip -A` leaves them, and as zipfile appends.
    let appended = format!(
        "{PLAIN_ZIP}\nopen('adjusted.jar', 'wb').write(b'#!/bin/bash\\n' * 900)\nwith zipfile.ZipFile('adjusted.jar', 'a') as zip:\n    fill(zip)"
    );
    python(&states, &appended);
    python(
        &states,
        "import zipapp, os\n[os.utime(os.path.join(at, name), (1700000000, 1700000000)) for at, _, names in os.walk('files') for name in names]\nzipapp.create_archive('files', 'shop.pyz', '/usr/bin/env python3', compressed=True)",
    );
    // Java's modules, Chrome's extensions, and an installer with a program in front.
    python(
        &states,
        "zip = open('plain.zip', 'rb').read()\nopen('shop.jmod', 'wb').write(b'JM\\1\\0' + zip)\nopen('shop.crx', 'wb').write(b'Cr24' + bytes([3, 0, 0, 0, 90, 0, 0, 0]) + bytes(range(90)) + zip)\nopen('setup.run', 'wb').write(open('/proc/self/exe', 'rb').read(900000) + zip)",
    );
    for file in [
        "boot.jar",
        "adjusted.jar",
        "shop.pyz",
        "shop.jmod",
        "shop.crx",
        "setup.run",
    ] {
        let bytes = delta_bytes(&stage, file);
        assert!(
            bytes <= plain + SLACK_BYTES,
            "{file}: {bytes}, plain {plain}"
        );
    }
}

#[test]
fn a_signing_block_and_long_numbers_do_not_hide_the_members() {
    if !has(&["python3"]) {
        return;
    }
    let stage = Stage::new();
    let states = states(&stage);
    python(&states, PLAIN_ZIP);
    // Android's signing block stands before the directory, whose place moves.
    python(
        &states,
        r"
import struct
zip = open('plain.zip', 'rb').read()
end = zip.rindex(b'PK\5\6')
size, at = struct.unpack('<II', zip[end + 12:end + 20])
block = struct.pack('<Q', 4080) + bytes(4056) + struct.pack('<Q', 4080) + b'APK Sig Block 42'
out = zip[:at] + block + zip[at:end] + zip[end:end + 16] + struct.pack('<I', at + len(block)) + zip[end + 20:]
open('shop.apk', 'wb').write(out)
# The record and the locator of a long zip.
far = struct.pack('<4sQHHIIQQQQ', b'PK\6\6', 44, 45, 45, 0, 0, 9, 9, size, at) + struct.pack('<4sIQI', b'PK\6\7', 0, end, 1)
record = zip[end:end + 12] + b'\xff' * 8 + zip[end + 20:]
open('long.zip', 'wb').write(b'#!/bin/sh\n' + zip[:end] + far + record)
",
    );
    let plain = delta_bytes(&stage, "plain.zip");
    for file in ["shop.apk", "long.zip"] {
        let bytes = delta_bytes(&stage, file);
        assert!(
            bytes <= plain + SLACK_BYTES,
            "{file}: {bytes}, plain {plain}"
        );
    }
}

/// The same files as a tar in gzip.
const PLAIN_TAR: &str = r#"
import tarfile, gzip, io
def packed(level=6):
    out = io.BytesIO()
    with gzip.GzipFile("", "wb", level, out, 0) as stream, tarfile.open(fileobj=stream, mode="w") as tar:
        def still(member):
            member.mtime = 1700000000
            return member
        tar.add("files", filter=still)
    return out.getvalue()
plain = packed()
open("plain.tgz", "wb").write(plain)
"#;

#[test]
fn a_changed_byte_behind_a_loader_or_in_a_package_costs_what_it_costs_in_a_plain_stream() {
    if !has(&["python3", "dpkg-deb"]) {
        return;
    }
    let stage = Stage::new();
    let states = states(&stage);
    python(&states, PLAIN_TAR);
    let plain = delta_bytes(&stage, "plain.tgz");
    assert!(plain <= PLAIN_BYTES_MAX, "{plain}");
    let script = format!(
        r#"{PLAIN_TAR}
import struct
def cpio(members):
    out = b""
    for name, body in members + [("TRAILER!!!", b"")]:
        fields = [1, 0o100644, 0, 0, 1, 0, len(body), 0, 0, 0, 0, len(name) + 1, 0]
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        out += head + b"\0" * (-len(head) % 4) + body + b"\0" * (-len(body) % 4)
    return out + b"\0" * (-len(out) % 512)
loader = b"MZ" + bytes(range(256)) * 90
open("vmlinuz", "wb").write(loader + plain + struct.pack("<I", len(plain)) + bytes(9000))
open("initrd.img", "wb").write(cpio([("kernel/x86/microcode/AuthenticAMD.bin", loader * 8)]) + plain)
intro = lambda entries, size: b"\x8e\xad\xe8\1\0\0\0\0" + struct.pack(">II", entries, size)
signature = intro(2, 60) + bytes(92)
signature += bytes(-len(signature) % 8)
lead = b"\xed\xab\xee\xdb\3\0" + bytes(90)
open("shop.rpm", "wb").write(lead + signature + intro(9, 4000) + b"header" * 690 + bytes(4) + plain)
open("shop.run", "wb").write(b'#!/bin/sh\n' + b'# unpacks\n' * 1700 + plain)
"#
    );
    python(&states, &script);
    for state in &states {
        let tree = state.join("tree");
        fs::create_dir_all(tree.join("DEBIAN")).unwrap();
        let control = "Package: shop\nVersion: 1\nArchitecture: all\nMaintainer: Shop <shop@example.org>\nDescription: shop\n";
        fs::write(tree.join("DEBIAN/control"), control).unwrap();
        run(Command::new("cp")
            .args(["-a", "files/.", "tree/opt"])
            .current_dir(state));
        run(Command::new("dpkg-deb")
            .args([
                "-Zgzip",
                "--root-owner-group",
                "--build",
                "tree",
                "shop.deb",
            ])
            .env("SOURCE_DATE_EPOCH", "1600000000")
            .current_dir(state));
    }
    for file in ["vmlinuz", "initrd.img", "shop.rpm", "shop.run", "shop.deb"] {
        let bytes = delta_bytes(&stage, file);
        assert!(
            bytes <= plain + SLACK_BYTES,
            "{file}: {bytes}, plain {plain}"
        );
    }
}

#[test]
fn what_makeself_writes_is_opened() {
    if !has(&["makeself"]) {
        return;
    }
    let stage = Stage::new();
    for state in states(&stage) {
        run(Command::new("makeself")
            .args([
                "--gzip",
                "--nox11",
                "--tar-extra",
                "--mtime=@1600000000 --sort=name",
            ])
            .args([
                "--packaging-date",
                "today",
                "files",
                "shop.run",
                "shop",
                "./start",
            ])
            .current_dir(state));
    }
    let bytes = delta_bytes(&stage, "shop.run");
    assert!(bytes <= PLAIN_BYTES_MAX, "{bytes}");
}

#[test]
fn members_of_one_gzip_file_and_objects_of_a_pack_are_opened() {
    if !has(&["python3", "git"]) {
        return;
    }
    let stage = Stage::new();
    let states = states(&stage);
    // Alpine's packages are tars without ends, each a gzip member of its own.
    let script = format!(
        r#"{PLAIN_TAR}
signature = gzip.compress(bytes(700), 9, mtime=0)
control = gzip.compress(open("files/com/shop/1.txt", "rb").read()[:3000], 9, mtime=0)
open("shop.apk", "wb").write(signature + control + packed(9))
"#
    );
    python(&states, &script);
    for state in &states {
        let git = |words: &[&str]| {
            let mut command = Command::new("git");
            for name in ["AUTHOR", "COMMITTER"] {
                command.env(format!("GIT_{name}_NAME"), "shop");
                command.env(format!("GIT_{name}_EMAIL"), "shop@example.org");
                command.env(format!("GIT_{name}_DATE"), "1600000000 +0000");
            }
            run(command.args(["-C", "files"]).args(words).current_dir(state))
        };
        git(&["init", "-q"]);
        git(&["add", "."]);
        git(&["commit", "-q", "-m", "shop"]);
        git(&["repack", "-q", "-a", "-d"]);
        let packs = state.join("files/.git/objects/pack");
        let mut files = fs::read_dir(packs)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let pack = files
            .find(|path| path.extension() == Some("pack".as_ref()))
            .unwrap();
        fs::copy(pack, state.join("shop.pack")).unwrap();
    }
    let apk = delta_bytes(&stage, "shop.apk");
    assert!(apk <= PLAIN_BYTES_MAX, "{apk}");
    let pack = delta_bytes(&stage, "shop.pack");
    assert!(pack <= 2 * PLAIN_BYTES_MAX, "{pack}");
}

#[test]
fn what_stays_closed_is_named_with_its_bytes() {
    if !has(&["zstd", "7z"]) {
        return;
    }
    let stage = Stage::new();
    let folder = stage.path("given");
    fs::create_dir_all(&folder).unwrap();
    // Of noise alone, all writers of zstd make the same stream.
    let large = [text(1, 300_000), noise(1, 200_000)].concat();
    fs::write(folder.join("large"), large).unwrap();
    run(Command::new("zstd")
        .args(["-q", "large"])
        .current_dir(&folder));
    run(Command::new("7z")
        .args(["a", "large.7z", "large"])
        .current_dir(&folder));
    let said = stage
        .run(&["add", "shop:1", "given", "--json"])
        .ends_with(0)
        .json();
    for (reason, file) in [("zstd", "large.zst"), ("seven_zip", "large.7z")] {
        let kept = &said["streams"]["kept"][reason];
        let bytes = fs::metadata(folder.join(file)).unwrap().len();
        assert_eq!(kept["streams"], 1, "{said}");
        assert_eq!(kept["bytes"], bytes, "{said}");
    }
    let said = stage.run(&["show", "shop:1"]).ends_with(0).stdout;
    for told in [
        "given/large.zst: packed by zstd",
        "given/large.7z: a 7-Zip archive",
    ] {
        assert!(said.contains(told), "{said}");
    }
}
