//! What people bring in place of a disc: raw images, pieces, packed files, sticks by their device. The command itself reads
//! what real programs made of a volume.

use crate::testkit::bytes::Seeded;
use crate::testkit::programs::{has, run};
use crate::testkit::stage::{MEDIA, Run, Stage};

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const USER: usize = 2048;

/// A set of two images that all tests here start from. `None` without the program that makes images.
fn stage() -> Option<&'static (Stage, Vec<PathBuf>)> {
    static STAGE: OnceLock<Option<(Stage, Vec<PathBuf>)>> = OnceLock::new();
    STAGE
        .get_or_init(|| {
            has(&["xorriso"]).then(|| {
                let stage = Stage::shared_with_release();
                stage.add_given("shop:1.0", "given");
                let words = [
                    "pack", "shop:1.0", "--to", "discs", "--media", MEDIA, "--iso",
                ];
                stage.run(&words).ends_with(0);
                let entries = fs::read_dir(stage.path("discs")).unwrap();
                let mut images: Vec<PathBuf> = entries
                    .map(|entry| entry.unwrap().path())
                    .filter(|path| path.extension().is_some_and(|end| end == "iso"))
                    .collect();
                images.sort();
                (stage, images)
            })
        })
        .as_ref()
}

/// A folder of its own for one test, on the stage.
fn folder(stage: &Stage, name: &str) -> PathBuf {
    let path = stage.path(name);
    fs::create_dir_all(&path).unwrap();
    path
}

/// Checks that every block of the volume is found whole, and nothing else is said to be bad.
#[track_caller]
fn is_whole(stage: &Stage, path: &Path) -> Run {
    let words = [
        "verify".as_ref(),
        "--json".as_ref(),
        "--at-hand".as_ref(),
        path.as_os_str(),
    ];
    let run = stage.run(&words).ends_with(0);
    let report = run.json();
    assert_eq!(report["at_hand_whole"], true, "{report}");
    assert_eq!(report["unread_bytes"], 0, "{report}");
    run
}

/// Receives everything into an empty store, and compares what comes out.
#[track_caller]
fn comes_in(stage: &Stage, store: &str, paths: &[&Path]) {
    let mut command = stage.command(&["receive"]);
    let run: Run = command
        .env("CARRYALL_STORE", stage.path(store))
        .args(paths)
        .output()
        .unwrap()
        .into();
    run.ends_with(0);
    let dest = stage.path(&format!("{store}-out"));
    let mut command = stage.command(&["checkout", "shop:1.0"]);
    let run: Run = command
        .env("CARRYALL_STORE", stage.path(store))
        .arg(&dest)
        .output()
        .unwrap()
        .into();
    run.ends_with(0);
    fs::remove_dir_all(dest).unwrap();
    fs::remove_dir_all(stage.path(store)).unwrap();
}

/// A kind that a finding of the run has.
fn says(run: &Run, kind: &str) -> bool {
    run.stderr.contains(&format!("\"kind\":\"{kind}\""))
        || run.stdout.contains(&format!("\"kind\":\"{kind}\""))
}

/// The error detection code of ECMA-130.
fn edc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 1 {
                sum >> 1 ^ 0xd801_8001
            } else {
                sum >> 1
            }
        })
    })
}

/// Writes an image as a program for compact discs would.
fn raw_image(image: &Path, to: &Path, stride: usize, mode: u8) {
    let user = fs::read(image).unwrap();
    let mut out = Vec::with_capacity(user.len() / USER * stride);
    for (no, data) in user.chunks(USER).enumerate() {
        let bcd = |value: usize| u8::try_from(value / 10 * 16 + value % 10).unwrap();
        let at = no + 150;
        let mut sector = vec![0xff; 12];
        (sector[0], sector[11]) = (0, 0);
        sector.extend([bcd(at / 75 / 60), bcd(at / 75 % 60), bcd(at % 75), mode]);
        if mode == 2 {
            sector.extend([0, 0, 8, 0, 0, 0, 8, 0]);
        }
        sector.extend_from_slice(data);
        let check = edc(&sector[if mode == 2 { 16 } else { 0 }..]);
        sector.extend(check.to_le_bytes());
        sector.resize(2352, 0x77);
        if stride == 2336 {
            sector.drain(..16);
        }
        sector.resize(stride, 0x5c);
        out.extend(sector);
    }
    fs::write(to, out).unwrap();
}

#[test]
fn raw_images_of_all_layouts_are_volumes() {
    let Some((stage, images)) = stage() else {
        return;
    };
    let dir = folder(stage, "raw");
    for (stride, mode) in [(2352, 1), (2352, 2), (2448, 1), (2336, 2)] {
        let path = dir.join(format!("disc-{stride}-{mode}.bin"));
        raw_image(&images[0], &path, stride, mode);
        let run = is_whole(stage, &path);
        assert!(says(&run, "media.raw_sectors"), "{run:?}");
        fs::remove_file(path).unwrap();
    }
    let paths = images.iter().enumerate().map(|(no, image)| {
        let path = dir.join(format!("disc {no}.img"));
        raw_image(image, &path, 2448, 1);
        path
    });
    let paths: Vec<PathBuf> = paths.collect();
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    comes_in(stage, "raw-store", &paths);
    fs::remove_dir_all(dir).unwrap();
}

/// Four percent of the sectors are bad in the dump, and each costs itself alone.
#[test]
fn bad_sectors_of_a_raw_image_cost_themselves() {
    let Some((stage, images)) = stage() else {
        return;
    };
    let dir = folder(stage, "raw-bad");
    let path = dir.join("disc.bin");
    raw_image(&images[0], &path, 2352, 1);
    let mut bytes = fs::read(&path).unwrap();
    let sectors = bytes.len() / 2352;
    let mut seeded = Seeded::new(5);
    let mut bad = 0_u64;
    for sector in bytes.chunks_mut(2352).skip(20) {
        if seeded.fraction() < 0.01 {
            // A wrong bit that the drive did not correct.
            sector[700] ^= 4;
            bad += 1;
        }
    }
    assert!(bad > 20, "{sectors}");
    fs::write(&path, bytes).unwrap();
    let words = ["verify".as_ref(), "--json".as_ref(), path.as_os_str()];
    let report = stage.run(&words).json();
    assert_eq!(report["unread_bytes"], bad * USER as u64);
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn pieces_are_read_as_one_file_wherever_they_were_cut() {
    let Some((stage, images)) = stage() else {
        return;
    };
    let dir = folder(stage, "pieces");
    for (bytes, options) in [
        ("1000003", vec![]),
        ("99999", vec!["-d"]),
        ("300k", vec!["-a", "3"]),
        ("1M", vec!["--suffix-length=4"]),
    ] {
        let mut command = Command::new("split");
        run(command
            .current_dir(&dir)
            .args(["-b", bytes])
            .args(&options)
            .arg(&images[0])
            .arg("v.iso."));
        let run = is_whole(stage, &dir);
        assert!(says(&run, "media.joined"), "{run:?}");
        // The first one stands for all.
        let mut names: Vec<PathBuf> = fs::read_dir(&dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        names.sort();
        is_whole(stage, &names[0]);
        // A missing one in the middle is a gap, and nothing but it is missing.
        fs::remove_file(&names[names.len() / 2]).unwrap();
        let words = ["verify".as_ref(), "--json".as_ref(), dir.as_os_str()];
        let run = stage.run(&words);
        assert!(says(&run, "media.pieces_missing"), "{run:?}");
        let length = fs::metadata(&names[0]).unwrap().len();
        let unread = run.json()["unread_bytes"].as_u64().unwrap();
        // A sector that is only partly in the gap is lost with it.
        assert!(
            (length..length + 2 * USER as u64).contains(&unread),
            "{unread}"
        );
        names.iter().for_each(|name| drop(fs::remove_file(name)));
    }
    // Mail gateways.
    for (no, piece) in fs::read(&images[0]).unwrap().chunks(700_001).enumerate() {
        fs::write(dir.join(format!("volume.iso.part{:03}", no + 1)), piece).unwrap();
    }
    is_whole(stage, &dir);
    fs::remove_dir_all(&dir).unwrap();
    // A raw image that was cut between its sectors.
    fs::create_dir(&dir).unwrap();
    let raw = stage.path("cut.bin");
    raw_image(&images[0], &raw, 2352, 1);
    for (no, piece) in fs::read(&raw).unwrap().chunks(500 * 2352).enumerate() {
        fs::write(dir.join(format!("cut.bin.{:03}", no + 1)), piece).unwrap();
    }
    let run = is_whole(stage, &dir);
    assert!(says(&run, "media.raw_sectors"), "{run:?}");
    fs::remove_dir_all(dir).unwrap();
    fs::remove_file(raw).unwrap();
}

/// Runs a shell command in a folder, and gives whether it went well.
fn shell(dir: &Path, words: &str) {
    run(Command::new("bash")
        .current_dir(dir)
        .args(["-o", "pipefail", "-ec", words]));
}

#[test]
fn packed_images_are_unpacked_while_they_are_read() {
    let Some((stage, images)) = stage() else {
        return;
    };
    if !has(&["gzip", "zstd", "xz", "zip", "tar", "split"]) {
        return;
    }
    let dir = folder(stage, "packed");
    fs::copy(&images[0], dir.join("v.iso")).unwrap();
    for (words, is_unpacked) in [
        ("gzip -c v.iso > p.iso.gz", true),
        ("zstd -q v.iso -o p.iso.zst", true),
        ("xz -0 -c v.iso > p.iso.xz", true),
        ("zip -q p.zip v.iso", true),
        ("zip -q -0 p.zip v.iso", false),
        ("tar -Pcf p.tar v.iso", false),
        ("tar -Pczf p.tar.gz v.iso", true),
        ("gzip -c v.iso | split -b 1000000 - p.iso.gz.", true),
    ] {
        let out = dir.join("out");
        fs::create_dir(&out).unwrap();
        shell(&out, &words.replace("v.iso", "../v.iso"));
        let run = is_whole(stage, &out);
        assert_eq!(
            says(&run, "media.unpacked"),
            is_unpacked,
            "{words}: {run:?}"
        );
        fs::remove_dir_all(out).unwrap();
    }
    shell(&dir, "gzip -c v.iso > p.iso.gz");
    comes_in(stage, "packed-store", &[&dir.join("p.iso.gz"), &images[1]]);
    // A copy that was broken off is named so, and what came before counts.
    let bytes = fs::read(dir.join("p.iso.gz")).unwrap();
    fs::write(dir.join("p.iso.gz"), &bytes[..bytes.len() / 2]).unwrap();
    fs::remove_file(dir.join("v.iso")).unwrap();
    let words = ["verify".as_ref(), "--json".as_ref(), dir.as_os_str()];
    let run = stage.run(&words);
    assert!(
        run.code != Some(0) && says(&run, "media.stream_broken"),
        "{run:?}"
    );
    let present = run.json()["sets"][0]["volumes"][0]["present_blocks"]
        .as_u64()
        .unwrap();
    assert!(present > 50, "{present}");
    fs::remove_dir_all(dir).unwrap();
}

/// What is not unpacked here is named as what it is, and never as a scratched disc.
#[test]
fn other_archives_are_named() {
    let Some((stage, images)) = stage() else {
        return;
    };
    if !has(&["7z", "bzip2", "mksquashfs"]) {
        return;
    }
    let dir = folder(stage, "named");
    fs::create_dir(dir.join("in")).unwrap();
    fs::copy(&images[0], dir.join("in/v.iso")).unwrap();
    for (words, kind) in [
        ("7z a -bso0 -bsp0 -mx=1 p ../in/v.iso", "7z"),
        ("bzip2 -1 -c ../in/v.iso > p", "bzip2"),
        (
            "mksquashfs ../in p -quiet -no-progress -b 16384",
            "squashfs",
        ),
        ("(printf 'QFI\\373'; head -c 900000 /dev/zero) > p", "qcow2"),
    ] {
        let out = dir.join("out");
        fs::create_dir(&out).unwrap();
        shell(&out, words);
        let words = ["verify".as_ref(), "--json".as_ref(), out.as_os_str()];
        let run = stage.run(&words);
        let all = format!("{}{}", run.stdout, run.stderr);
        assert!(
            says(&run, "media.packed") && all.contains(&format!("({kind})")),
            "{kind}: {run:?}"
        );
        assert!(run.code != Some(0), "{run:?}");
        fs::remove_dir_all(out).unwrap();
    }
    // An archive that only stores is a volume like any other.
    shell(&dir, "7z a -bso0 -bsp0 -mx=0 p in/v.iso; mv p.7z p");
    let run = is_whole(stage, &dir.join("p"));
    assert!(!says(&run, "media.packed"), "{run:?}");
    fs::remove_dir_all(dir).unwrap();
}

/// Files of others that seem to be packed, and are not what they seem.
#[test]
fn other_files_beside_a_volume_are_no_damage() {
    let Some((stage, images)) = stage() else {
        return;
    };
    let dir = folder(stage, "beside");
    fs::copy(&images[0], dir.join("v.iso")).unwrap();
    let noise: Vec<u8> = crate::testkit::bytes::noise(9, 300_000);
    for (name, begin) in [
        // A window of 2 GiB.
        ("a.zst", &[0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1][..]),
        ("b.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
        ("c.7z", b"7z\xbc\xaf\x27\x1c"),
        ("d.zip", b"PK\x03\x04"),
        ("e.xz", b"\xfd7zXZ\0"),
    ] {
        fs::write(dir.join(name), [begin, &noise].concat()).unwrap();
    }
    let run = is_whole(stage, &dir);
    assert!(says(&run, "media.stream_broken"), "{run:?}");
    assert!(says(&run, "media.packed"), "{run:?}");
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn volumes_come_through_pipes() {
    let Some((stage, images)) = stage() else {
        return;
    };
    let dir = folder(stage, "pipes");
    let carryall = env!("CARGO_BIN_EXE_carryall");
    let [one, two] = [&images[0], &images[1]].map(|image| image.display().to_string());
    let shell = |words: &str| shell(&dir, &format!("export CARRYALL_STORE=$PWD/store; {words}"));
    shell(&format!("cat {one} | {carryall} verify --at-hand -"));
    shell(&format!("cat {one} | gzip -1 | {carryall} inspect -"));
    shell(&format!("(cat {one} | {carryall} receive -) || [ $? = 4 ]"));
    shell(&format!(
        "mkfifo pipe; (gzip -1 < {two} > pipe &); {carryall} receive pipe"
    ));
    shell(&format!("{carryall} checkout shop:1.0 out"));
    let run: Run = stage.command(&["verify", "-"]).output().unwrap().into();
    assert_eq!(run.code, Some(1), "{run:?}");
    fs::remove_dir_all(dir).unwrap();
}

/// Two volumes on a stick, written cluster by cluster into the holes between other files.
#[test]
fn scattered_files_on_a_stick_are_put_in_order() {
    let Some((stage, images)) = stage() else {
        return;
    };
    if !has(&["mkfs.fat", "mcopy", "mdel"]) {
        return;
    }
    let dir = folder(stage, "stick");
    let volume = images[0].display();
    for (kind, sectors) in [(16, 4), (32, 1)] {
        shell(
            &dir,
            &format!(
                "rm -rf *; mkdir fill; truncate -s 62M stick.img; mkfs.fat -F {kind} -s {sectors} stick.img > /dev/null"
            ),
        );
        // Every second file goes, and the volume fills the holes.
        shell(
            &dir,
            "for no in $(seq 1000 1620); do head -c 88000 /dev/urandom > fill/$no.bin; done; mmd -i stick.img ::fill; mcopy -i stick.img fill/*.bin ::fill",
        );
        shell(
            &dir,
            &format!(
                "for no in $(seq 1000 2 1620); do echo ::fill/$no.bin; done | xargs mdel -i stick.img; mcopy -i stick.img {volume} ::volume.iso; rm -r fill"
            ),
        );
        let run = is_whole(stage, &dir.join("stick.img"));
        assert!(says(&run, "media.in_order"), "{run:?}");
    }
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_copy_as_text_is_named() {
    let Some((stage, images)) = stage() else {
        return;
    };
    let dir = folder(stage, "text");
    let plain = fs::read(&images[0]).unwrap();
    let mut added = Vec::with_capacity(plain.len());
    let mut removed: Vec<u8> = Vec::with_capacity(plain.len());
    for byte in plain {
        if byte == b'\n' {
            added.push(b'\r');
            if removed.last() == Some(&b'\r') {
                removed.pop();
            }
        }
        added.push(byte);
        removed.push(byte);
    }
    for bytes in [added, removed] {
        let path = dir.join("v.iso");
        fs::write(&path, bytes).unwrap();
        let words = ["verify".as_ref(), path.as_os_str()];
        let run = stage.run(&words);
        assert_ne!(run.code, Some(0), "{run:?}");
        assert!(run.stderr.contains("copied as text"), "{run:?}");
    }
    fs::remove_dir_all(dir).unwrap();
}

/// Copied into one folder by a system that knows neither Rock Ridge nor Joliet, no file takes the place of another.
#[test]
fn short_names_of_different_volumes_differ() {
    let Some((_, images)) = stage() else { return };
    if !has(&["bsdtar"]) {
        return;
    }
    let mut all = std::collections::BTreeSet::new();
    for image in images {
        let options = ["--options", "!rockridge,!joliet", "-tf"];
        let listing = run(Command::new("bsdtar").args(options).arg(image));
        let files = listing
            .lines()
            .filter(|name| name.to_lowercase().starts_with("carry"));
        for file in files {
            let (stem, end) = file.split_once('.').unwrap();
            let end = end.split(';').next().unwrap();
            assert!(stem.len() <= 8 && end.len() <= 3, "{listing}");
            assert!(all.insert(file.to_owned()), "{listing}");
        }
    }
    assert!(all.len() >= images.len(), "{all:?}");
}
