//! How much of a medium is read, and in which order: counted where the command asks the system for bytes.

use crate::testkit::bad_sectors::{self, BadSectors, Fails, ReadCall};
use crate::testkit::bytes::noise;
use crate::testkit::programs;
use crate::testkit::stage::{Stage, visible};

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A large image: a volume set lies at its beginning.
const IMAGE_BYTES: u64 = 400 << 20;

/// Hears what is read, and hurts nothing.
fn listener() -> Option<BadSectors> {
    BadSectors::new(&[], Fails::Always)
}

/// The volume files of a set, in order.
fn volume_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = visible(folder)
        .iter()
        .flat_map(|volume| visible(volume))
        .filter(|path| path.extension() == Some("000".as_ref()))
        .collect();
    files.sort();
    files
}

fn total(paths: &[PathBuf]) -> u64 {
    paths
        .iter()
        .map(|path| path.metadata().unwrap().len())
        .sum()
}

/// The bytes that were read of all of these together.
fn read_of(heard: &BadSectors, paths: &[PathBuf]) -> u64 {
    paths.iter().map(|path| heard.read_bytes(path)).sum()
}

/// A release on two data volumes and a spare.
fn packed() -> (Stage, Vec<PathBuf>) {
    let stage = Stage::with_release();
    stage.packed();
    let files = volume_files(&stage.path("discs"));
    assert!(files.len() >= 2);
    (stage, files)
}

/// Writes these files one after the other into an image, from 1 MiB on. The rest are holes.
fn image_of(files: &[PathBuf], image: &Path) -> File {
    let out = File::create(image).unwrap();
    out.set_len(IMAGE_BYTES).unwrap();
    let mut at = 1 << 20;
    for file in files {
        let bytes = fs::read(file).unwrap();
        out.write_all_at(&bytes, at).unwrap();
        at += bytes.len() as u64;
    }
    out
}

/// Fills the rest of an image with bytes that are no block.
fn fill(image: &File, from: u64) {
    let piece = noise(7, 1 << 20);
    for at in (from..IMAGE_BYTES).step_by(piece.len()) {
        let len = piece.len().min(usize::try_from(IMAGE_BYTES - at).unwrap());
        image.write_all_at(&piece[..len], at).unwrap();
    }
}

#[test]
fn inspect_reads_the_beginning_of_each_volume_alone() {
    let (stage, files) = packed();
    let Some(heard) = listener() else { return };
    let run = stage.run_with_bad_sectors(&["inspect", "discs", "--json"], &heard);
    let report = run.ends_with(0).json();
    let set = &report["sets"][0];
    let volumes: Vec<u64> = (1..=files.len() as u64).collect();
    assert_eq!(set["volumes_at_hand"], serde_json::json!(volumes));
    assert_eq!(set["releases"][0]["name"], "shop:1.0");
    let (read, all) = (read_of(&heard, &files), total(&files));
    assert!(read * 8 < all, "{read} of {all} bytes");
    assert!(report["scanned_bytes"].as_u64().unwrap() * 8 < all);
}

#[test]
fn holes_of_an_image_are_not_read() {
    let (mut stage, files) = packed();
    let image = stage.path("disc.img");
    image_of(&files, &image);
    let Some(heard) = listener() else { return };
    let run = stage.run_with_bad_sectors(&["verify", "disc.img", "--json"], &heard);
    assert_eq!(run.ends_with(0).json()["scanned_bytes"], IMAGE_BYTES);
    let (read, all) = (heard.read_bytes(&image), total(&files));
    // Payload is read again when its frames are compared.
    assert!(read < 2 * all + (8 << 20), "{read}, the volumes are {all}");
    stage.store = "site";
    stage.run(&["receive", "disc.img"]).ends_with(0);
    stage.comes_back("shop:1.0", "given");
}

#[test]
fn behind_a_complete_set_a_seventh_of_the_rest_is_read_and_a_second_set_is_found() {
    let (mut stage, files) = packed();
    fs::write(stage.path("more.bin"), noise(3, 300_000)).unwrap();
    stage.run(&["add", "tiny:1.0", "more.bin"]).ends_with(0);
    let pack = "pack tiny:1.0 --to tiny --media 16MB --spare 0 --local 0";
    stage.run(&pack.split(' ').collect::<Vec<_>>()).ends_with(0);
    let tiny = volume_files(&stage.path("tiny"));
    let all = total(&files);

    let image = stage.path("disc.img");
    fill(&image_of(&files, &image), (1 << 20) + all);
    let Some(heard) = listener() else { return };
    stage.store = "site";
    let run = stage.run_with_bad_sectors(&["receive", "disc.img"], &heard);
    run.ends_with(0);
    let read = heard.read_bytes(&image);
    let rest = IMAGE_BYTES - all;
    assert!(read < all + rest / 5, "{read} of {IMAGE_BYTES} bytes");

    // Anywhere in the rest, at no particular distance.
    let file = OpenOptions::new().write(true).open(&image).unwrap();
    file.write_all_at(&fs::read(&tiny[0]).unwrap(), IMAGE_BYTES - 33_333_333)
        .unwrap();
    stage.store = "other";
    let run = stage.run(&["receive", "disc.img", "--json"]).ends_with(0);
    let report = run.json();
    assert_eq!(report["sets"].as_array().unwrap().len(), 2, "{report:#}");
    stage.comes_back("shop:1.0", "given");
}

/// A disc with other files in front of the set and behind it, and a larger image of it. The directory leads to the set.
#[test]
fn the_directory_of_a_disc_says_where_to_look_first_and_never_that_nothing_is_there() {
    if !programs::has(&["xorriso"]) {
        return;
    }
    let (mut stage, files) = packed();
    for (name, bytes) in [("tiny", 300_000), ("more", 12_000_000)] {
        fs::write(stage.path(name), noise(3, bytes)).unwrap();
        let release = format!("{name}:1.0");
        stage.run(&["add", &release, name]).ends_with(0);
        let pack = format!(
            "pack {release} --to {name}-disc --media 30MB --spare 0 --local 0 --no-program"
        );
        stage.run(&pack.split(' ').collect::<Vec<_>>()).ends_with(0);
    }
    stage.copy("discs", "tree");
    for name in ["tree/a.bin", "tree/z.bin"] {
        let file = File::create(stage.path(name)).unwrap();
        for at in 0..80 {
            file.write_all_at(&noise(at, 1 << 20), at << 20).unwrap();
        }
    }
    let mut make = Command::new("xorriso");
    make.args(["-as", "mkisofs", "-quiet", "-R", "-J", "-o"]);
    programs::run(make.arg(stage.path("disc.iso")).arg(stage.path("tree")));
    let image = stage.path("disc.iso");
    let end = image.metadata().unwrap().len();
    let file = OpenOptions::new().write(true).open(&image).unwrap();
    fill(&file, end);

    let Some(heard) = listener() else { return };
    stage.store = "site";
    let run = stage.run_with_bad_sectors(&["receive", "disc.iso"], &heard);
    run.ends_with(0);
    let (read, all) = (heard.read_bytes(&image), total(&files));
    assert!(read < all + (20 << 20), "{read}, the volumes are {all}");
    stage.comes_back("shop:1.0", "given");

    // A second session near the end of the first, and a volume at no particular place, of which nothing is in the
    // directory. A third lies within a file that the directory knows.
    let tiny = fs::read(&volume_files(&stage.path("tiny-disc"))[0]).unwrap();
    let more = fs::read(&volume_files(&stage.path("more-disc"))[0]).unwrap();
    for (store, volume, at) in [
        ("second", &tiny, end + 23_333_333),
        ("third", &more, IMAGE_BYTES - 33_333_333),
        ("fourth", &more, 20 << 20),
    ] {
        let mut kept = vec![0; volume.len()];
        File::open(&image)
            .unwrap()
            .read_exact_at(&mut kept, at)
            .unwrap();
        file.write_all_at(volume, at).unwrap();
        stage.store = store;
        let run = stage.run(&["receive", "disc.iso", "--json"]).ends_with(0);
        let report = run.json();
        assert_eq!(report["sets"].as_array().unwrap().len(), 2, "{report:#}");
        file.write_all_at(&kept, at).unwrap();
    }
}

#[test]
fn a_volume_that_is_staged_is_recognized_and_not_read_again() {
    let (mut stage, files) = packed();
    let discs = visible(&stage.path("discs"));
    let first = discs[0].to_str().unwrap();
    stage.store = "site";
    stage.run(&["receive", first]).ends_with(4);
    let Some(heard) = listener() else { return };
    let run = stage.run_with_bad_sectors(&["receive", first], &heard);
    let run = run.ends_with(4);
    assert!(run.stdout.contains("known and not read"), "{run:#?}");
    let (read, all) = (heard.read_bytes(&files[0]), total(&files[..1]));
    assert!(read * 10 < all, "{read} of {all} bytes");
    stage.run(&["receive", "discs"]).ends_with(0);
    stage.comes_back("shop:1.0", "given");
    // Its set is in now.
    let Some(heard) = listener() else { return };
    stage
        .run_with_bad_sectors(&["receive", "discs"], &heard)
        .ends_with(0);
    let (read, all) = (read_of(&heard, &files), total(&files));
    assert!(read * 10 < all, "{read} of {all} bytes");
}

#[test]
fn what_was_read_before_a_kill_is_not_read_again() {
    let (mut stage, files) = packed();
    let all = total(&files[..1]);
    // The front of a volume, as it was read when the power went.
    let bytes = fs::read(&files[0]).unwrap();
    let half = bytes.len() / 65_536 / 2 * 65_536;
    fs::write(stage.path("half"), &bytes[..half]).unwrap();
    stage.store = "site";
    stage.run(&["receive", "half"]).ends_with(4);
    let Some(heard) = listener() else { return };
    let disc = files[0].parent().unwrap().to_str().unwrap();
    let run = stage.run_with_bad_sectors(&["receive", disc], &heard);
    run.ends_with(4);
    let calls = heard.reads(&files[0]);
    let in_front: u64 = calls
        .iter()
        .filter(|call| call.offset > 1 << 20 && call.offset + call.len < half as u64)
        .filter_map(|call| call.read)
        .sum();
    let read = heard.read_bytes(&files[0]);
    assert!(in_front < 200, "{in_front} bytes of the front were read");
    assert!(read < all * 6 / 10, "{read} of {all} bytes");
    fs::remove_file(stage.path("half")).unwrap();
    stage.run(&["receive", "discs"]).ends_with(0);
    stage.comes_back("shop:1.0", "given");
}

#[test]
fn volume_files_come_first_and_errors_last() {
    let (stage, files) = packed();
    let disc = files[0].parent().unwrap();
    // By its name it would come before all others.
    let other = disc.join("a.bin");
    fs::write(&other, noise(1, 4 << 20)).unwrap();
    let bad = 3 * 65_536 + 2048..3 * 65_536 + 4096;
    let bads = [(files[0].as_path(), std::slice::from_ref(&bad))];
    let Some(heard) = BadSectors::new(&bads, Fails::Always) else {
        return;
    };
    let folder = disc.to_str().unwrap();
    let run = stage.run_with_bad_sectors(&["verify", folder, "--retry-time", "0"], &heard);
    assert_ne!(run.code, Some(1), "{run:#?}");
    let failed = |call: &ReadCall| call.read.is_none();
    let once = heard
        .reads(&files[0])
        .iter()
        .filter(|call| failed(call))
        .count();
    let order = heard.all_reads();
    let first_of = |path: &Path| order.iter().position(|of| of == path).unwrap();
    let last_of = |path: &Path| order.iter().rposition(|of| of == path).unwrap();
    assert!(first_of(&files[0]) < first_of(&other));
    // The other file was read to its end before the bad place was read again.
    assert!(last_of(&files[0]) > last_of(&other));

    let Some(heard) = BadSectors::new(&bads, Fails::Always) else {
        return;
    };
    let run = stage.run_with_bad_sectors(&["verify", folder], &heard);
    assert!(run.stderr.contains("tried again for 300 s"), "{run:#?}");
    let twice = heard
        .reads(&files[0])
        .iter()
        .filter(|call| failed(call))
        .count();
    assert_eq!(twice, once + 2, "a bad sector is tried twice more");
}

#[test]
fn a_scratch_of_many_blocks_costs_few_tries_before_all_else_is_read() {
    let (stage, files) = packed();
    let bytes = total(&files[..1]);
    let scratch = 20 * 65_536..120 * 65_536;
    assert!(scratch.end < bytes);
    let bads = [(files[0].as_path(), std::slice::from_ref(&scratch))];
    let Some(heard) = BadSectors::new(&bads, Fails::Always) else {
        return;
    };
    stage.run_with_bad_sectors(&["verify", "discs", "--retry-time", "0"], &heard);
    let calls = heard.reads(&files[0]);
    let behind = calls.iter().position(|call| call.offset >= scratch.end);
    let tries = calls[..behind.unwrap()].iter();
    let tries = tries.filter(|call| call.read.is_none()).count();
    assert!(tries < 20, "{tries} tries");
}

#[test]
fn a_time_for_retries_has_a_unit() {
    let stage = Stage::new();
    let run = stage
        .run(&["verify", "x", "--retry-time", "5"])
        .ends_with(2);
    assert!(run.stderr.contains("90s, 5m or 2h"), "{run:#?}");
}

#[test]
fn what_ddrescue_could_not_read_is_missing_and_not_zeros() {
    let (mut stage, files) = packed();
    if !programs::has(&["ddrescue"]) {
        return;
    }
    let bad = bad_sectors::sectors((1..30).map(|no| no * 37));
    let bads = [(files[0].as_path(), bad.as_slice())];
    let Some(hurt) = BadSectors::new(&bads, Fails::Always) else {
        return;
    };
    let mut ddrescue = Command::new("ddrescue");
    ddrescue.args(["-q", "-b", "2048"]).arg(&files[0]);
    ddrescue.args([stage.path("volume1.img"), stage.path("volume1.map")]);
    programs::run(hurt.hurt(&mut ddrescue));

    let words = ["verify", "volume1.img", "--json"];
    let with_map = stage.run(&words).json();
    assert_eq!(with_map["unread_bytes"], 29 * 2048);
    fs::rename(stage.path("volume1.map"), stage.path("away")).unwrap();
    assert_eq!(stage.run(&words).json()["unread_bytes"], 0);

    // It may be named, wherever it lies and whatever it is called.
    fs::create_dir(stage.path("elsewhere")).unwrap();
    fs::rename(stage.path("away"), stage.path("elsewhere/log")).unwrap();
    for more in [&["elsewhere/log"][..], &["elsewhere/log", "discs"]] {
        let words = [&words[..], more].concat();
        assert_eq!(stage.run(&words).json()["unread_bytes"], 29 * 2048);
    }
    // A map without an image is none of a medium's.
    let run = stage.run(&["verify", "discs", "elsewhere/log"]);
    assert!(run.ends_with(0).stderr.contains("a map of ddrescue"));
    fs::rename(
        stage.path("elsewhere/log"),
        stage.path("volume1.img.mapfile"),
    )
    .unwrap();
    stage.store = "site";
    let folder = |file: &PathBuf| file.parent().unwrap().to_str().unwrap().to_owned();
    let mut words = vec!["receive".to_owned(), "volume1.img".to_owned()];
    words.extend(files[1..].iter().map(folder));
    stage.run(&words).ends_with(0);
    stage.comes_back("shop:1.0", "given");
}
