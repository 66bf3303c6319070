//! A site keeps the frames of a bundle as they came, as far as their chunks are new to it.

use crate::testkit::stage::{Stage, noise};

use std::collections::HashSet;
use std::fs;

use carryall::base::monitor::Silent;
use carryall::bundle::Catalog;
use carryall::content::frame::{Frame, FrameHead, HEADER_BYTES, Ids};
use carryall::content::pack::scan;
use carryall::volumes::discover;

/// Numbered lines, which compress to a quarter.
fn lines(seed: u64, count: u64) -> Vec<u8> {
    let line = |no: u64| {
        format!(
            "{no:08} {:016x}\n",
            (no ^ seed).wrapping_mul(0x9e37_79b9_7f4a)
        )
    };
    (0..count).map(line).collect::<String>().into_bytes()
}

/// The frames in the packs of a store.
fn stored_frames(site: &Stage) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for folder in fs::read_dir(site.path("store/packs")).unwrap() {
        for pack in fs::read_dir(folder.unwrap().path()).unwrap() {
            let bytes = fs::read(pack.unwrap().path()).unwrap();
            for span in scan(&bytes) {
                let at = span.offset as usize;
                frames.push(bytes[at..at + span.len as usize].to_vec());
            }
        }
    }
    frames
}

/// The frames of the set in this folder.
fn carried_frames(vendor: &Stage, folder: &str) -> Vec<Vec<u8>> {
    let found = discover(&[vendor.path(folder)], &Silent).unwrap();
    let set = &found.sets[0];
    let catalog = Catalog::from_bytes(&set.catalog().unwrap()).unwrap();
    let mut payload = set.payload_reader(1).unwrap();
    let mut frames = Vec::new();
    for entry in &catalog.frames {
        let mut bytes = vec![0; entry.stored_bytes as usize];
        std::io::Read::read_exact(&mut payload, &mut bytes).unwrap();
        frames.push(bytes);
    }
    frames
}

/// What is behind the tables of a frame: what was compressed.
fn compressed(frame: &[u8]) -> Vec<u8> {
    let head = FrameHead::parse(frame).unwrap();
    assert_eq!(head.frame_bytes(), frame.len());
    frame[frame.len() - head.stored_bytes..].to_vec()
}

fn all_compressed(frames: &[Vec<u8>]) -> HashSet<Vec<u8>> {
    frames.iter().map(|frame| compressed(frame)).collect()
}

fn vendor_with(files: &[(&str, &str, Vec<u8>)]) -> Stage {
    let vendor = Stage::new();
    for (release, file, bytes) in files {
        let folder = release.replace(':', "-");
        fs::create_dir_all(vendor.path(&folder)).unwrap();
        fs::write(vendor.path(&format!("{folder}/{file}")), bytes).unwrap();
    }
    let releases: std::collections::BTreeSet<&str> = files.iter().map(|file| file.0).collect();
    for release in releases {
        let folder = release.replace(':', "-");
        vendor.run(&["add", release, &folder]).ends_with(0);
        let words = [
            "pack",
            release,
            "--to",
            &format!("to-{folder}"),
            "--media",
            "usb",
        ];
        vendor.run(&words).ends_with(0);
    }
    vendor
}

fn given(vendor: &Stage, folder: &str) -> String {
    vendor.path(folder).to_str().unwrap().to_owned()
}

#[test]
fn frames_of_new_chunks_are_in_the_store_as_they_came_with_ids() {
    let text = lines(1, 200_000);
    let vendor = vendor_with(&[
        ("shop:1", "notes.txt", text.clone()),
        ("shop:1", "noise.bin", noise(7, 900_000)),
    ]);
    let site = Stage::new();
    site.run(&["receive", &given(&vendor, "to-shop-1")])
        .ends_with(0);

    let (carried, stored) = (carried_frames(&vendor, "to-shop-1"), stored_frames(&site));
    assert!(carried.len() > 2);
    assert_eq!(all_compressed(&carried), all_compressed(&stored));
    for frame in &stored {
        // A store lists its chunks without unpacking them.
        let head: &[u8; HEADER_BYTES] = frame.first_chunk().unwrap();
        assert_eq!(FrameHead::parse(head).unwrap().ids, Ids::Stored);
        Frame::decode(frame).unwrap();
    }
    site.run(&["check", "--data"]).ends_with(0);
    site.run(&["checkout", "shop:1", "back"]).ends_with(0);
    assert!(fs::read(site.path("back/shop-1/notes.txt")).unwrap() == text);

    // Without its index the store is the same.
    fs::remove_dir_all(site.path("store/index")).unwrap();
    site.run(&["check", "--data"]).ends_with(0);
}

#[test]
fn a_frame_that_is_half_known_is_packed_again() {
    let (old, new) = (lines(1, 120_000), lines(2, 60_000));
    let both = [&old[..], &new[..]].concat();
    let vendor = vendor_with(&[
        ("shop:1", "notes.txt", old),
        ("shop:2", "notes.txt", both.clone()),
    ]);
    let site = Stage::new();
    site.run(&["receive", &given(&vendor, "to-shop-1")])
        .ends_with(0);
    let before = all_compressed(&stored_frames(&site));
    // A full bundle, most of which is there.
    site.run(&["receive", &given(&vendor, "to-shop-2")])
        .ends_with(0);

    let after = all_compressed(&stored_frames(&site));
    let carried = carried_frames(&vendor, "to-shop-2");
    let longest = carried.iter().max_by_key(|frame| frame.len()).unwrap();
    assert!(after.is_superset(&before));
    assert!(!after.contains(&compressed(longest)));
    site.run(&["checkout", "shop:2", "back"]).ends_with(0);
    assert!(fs::read(site.path("back/shop-2/notes.txt")).unwrap() == both);
}

#[test]
fn prune_frees_a_kept_frame_of_which_little_is_needed() {
    let (common, gone) = (lines(1, 30_000), lines(2, 200_000));
    let vendor = vendor_with(&[
        ("shop:1", "both.txt", common.clone()),
        ("shop:1", "gone.txt", gone),
        ("shop:2", "both.txt", common.clone()),
    ]);
    let site = Stage::new();
    let packs_bytes = || -> usize { stored_frames(&site).iter().map(Vec::len).sum() };
    site.run(&["receive", &given(&vendor, "to-shop-1")])
        .ends_with(0);
    site.run(&["receive", &given(&vendor, "to-shop-2")])
        .ends_with(0);
    let before = packs_bytes();
    site.run(&["rm", "shop:1"]).ends_with(0);
    site.run(&["prune"]).ends_with(0);
    let after = packs_bytes();
    assert!(after * 3 < before, "{after} of {before}");
    site.run(&["check", "--data"]).ends_with(0);
    site.run(&["checkout", "shop:2", "back"]).ends_with(0);
    assert!(fs::read(site.path("back/shop-2/both.txt")).unwrap() == common);
}

#[test]
fn frames_that_unpack_slowly_are_packed_again() {
    let vendor = Stage::new();
    fs::create_dir(vendor.path("code")).unwrap();
    // Machine code, which the highest effort packs with LZMA.
    let program = fs::read(std::env::current_exe().unwrap()).unwrap();
    fs::write(
        vendor.path("code/program"),
        &program[..program.len().min(2_000_000)],
    )
    .unwrap();
    vendor.run(&["add", "shop:1", "code"]).ends_with(0);
    let words = [
        "pack", "shop:1", "--to", "to", "--media", "usb", "--effort", "max",
    ];
    vendor.run(&words).ends_with(0);
    let lzma: Vec<Vec<u8>> = carried_frames(&vendor, "to")
        .into_iter()
        .filter(|frame| frame[5] == 2)
        .collect();
    assert!(!lzma.is_empty());
    let site = Stage::new();
    site.run(&["receive", &given(&vendor, "to")]).ends_with(0);
    let stored = stored_frames(&site);
    assert!(stored.iter().all(|frame| frame[5] < 2));
    site.run(&["checkout", "shop:1", "back"]).ends_with(0);
    assert!(
        fs::read(site.path("back/code/program")).unwrap()
            == fs::read(vendor.path("code/program")).unwrap()
    );
}
