//! Bad sectors: each costs itself and not the block around it.

use crate::testkit::bad_sectors::{self, BadSectors, Fails};
use crate::testkit::bytes::{Seeded, noise};
use crate::testkit::stage::{Stage, contents, volumes};

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A sector of a disc that reads as zeros.
const SECTOR: [u8; 2048] = [0; 2048];

/// The volume files of a set, in order, each with its number of sectors.
fn volume_files(folder: &Path) -> Vec<(PathBuf, u64)> {
    let volumes = volumes(folder).into_iter();
    let entries = volumes.flat_map(|volume| fs::read_dir(volume).unwrap());
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension() == Some("000".as_ref()));
    files.sort();
    let sectors = |path: &PathBuf| path.metadata().unwrap().len() / SECTOR.len() as u64;
    let sectors: Vec<u64> = files.iter().map(sectors).collect();
    files.into_iter().zip(sectors).collect()
}

/// Zeros the sectors of the volume files below a folder that are chosen by their number.
fn zero_sectors(folder: &Path, is_bad: &mut dyn FnMut(u64) -> bool) {
    for (path, sectors) in volume_files(folder) {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        for sector in (0..sectors).filter(|sector| is_bad(*sector)) {
            file.write_all_at(&SECTOR, sector * SECTOR.len() as u64)
                .unwrap();
        }
    }
}

/// Makes sectors of the volume files unreadable for one command, chosen by the volume, from 0, and their number.
fn unreadable(folder: &Path, is_bad: &mut dyn FnMut(u64, u64) -> bool) -> Option<BadSectors> {
    let files = volume_files(folder);
    let ranges: Vec<_> = (0..)
        .zip(&files)
        .map(|(volume, (_, sectors))| {
            let bad = (0..*sectors).filter(|sector| is_bad(volume, *sector));
            bad_sectors::sectors(bad)
        })
        .collect();
    let files = files.iter().map(|(path, _)| path.as_path());
    let bad: Vec<_> = files.zip(ranges.iter().map(Vec::as_slice)).collect();
    BadSectors::new(&bad, Fails::Always)
}

/// A release on four data volumes and one spare, with 5 % of local parity.
fn five_volumes() -> Stage {
    let stage = Stage::with_release();
    stage.add_given("shop:1.0", "given");
    let pack = "pack shop:1.0 --to discs --media 10MB --spare 1 --local 5";
    stage.run(&pack.split(' ').collect::<Vec<_>>()).ends_with(0);
    assert_eq!(volumes(&stage.path("discs")).len(), 5);
    stage
}

#[test]
fn four_percent_of_the_sectors_on_every_volume_are_healed() {
    let mut stage = five_volumes();
    stage.copy("discs", "whole");
    let mut seeded = Seeded::new(4);
    zero_sectors(&stage.path("discs"), &mut |_| seeded.fraction() < 0.04);

    let verified = stage.run(&["verify", "discs", "--json"]).ends_with(3);
    assert_eq!(verified.json()["sets"][0]["state"], "recoverable");
    stage.store = "site";
    stage.run(&["receive", "discs"]).ends_with(0);
    stage.comes_back("shop:1.0", "given");
    stage
        .run(&["repair", "discs", "--to", "mended"])
        .ends_with(0);
    assert!(contents(&stage.path("mended")) == contents(&stage.path("whole")));
}

/// Receives with unreadable sectors, and compares.
#[track_caller]
fn are_healed(is_bad: &mut dyn FnMut(u64, u64) -> bool) {
    let mut stage = five_volumes();
    let Some(bad) = unreadable(&stage.path("discs"), is_bad) else {
        return;
    };
    stage.store = "site";
    stage
        .run_with_bad_sectors(&["receive", "discs"], &bad)
        .ends_with(0);
    stage.comes_back("shop:1.0", "given");
}

#[test]
fn sectors_that_cannot_be_read_are_healed() {
    let mut seeded = Seeded::new(5);
    are_healed(&mut |_, _| seeded.fraction() < 0.04);
}

/// The first sector of a block has its header. Every fourth block is hurt on all volumes, on each in another sector.
#[test]
fn blocks_without_a_header_are_healed_from_the_rest_of_them() {
    are_healed(&mut |volume, sector| sector % 128 == 5 * volume);
}

#[test]
fn two_copies_with_other_bad_sectors_are_one_whole_copy() {
    let mut stage = Stage::with_release();
    stage.add_given("shop:1.0", "given");
    let pack = "pack shop:1.0 --to first --media 6MB --spare 0 --local 0";
    stage.run(&pack.split(' ').collect::<Vec<_>>()).ends_with(0);
    stage.copy("first", "second");
    zero_sectors(&stage.path("first"), &mut |sector| {
        sector % 5 == 1 && sector % 32 > 0
    });
    zero_sectors(&stage.path("second"), &mut |sector| {
        sector % 5 == 3 && sector % 32 > 0
    });

    stage.store = "site";
    stage.run(&["receive", "first"]).ends_with(3);
    stage.run(&["receive", "second"]).ends_with(0);
    stage.comes_back("shop:1.0", "given");
    // Both at once.
    stage.store = "other";
    stage.run(&["receive", "first", "second"]).ends_with(0);
    stage.comes_back("shop:1.0", "given");
    let verified = stage.run(&["verify", "first", "second", "--json"]);
    assert_eq!(verified.json()["sets"][0]["state"], "recoverable");
}

/// A damaged block may have a wrong sector that nobody suspects, beside one that reads as zeros. A lost block that is
/// computed from it has no hash of its own, and must not be kept.
#[test]
fn a_wrong_sector_in_damaged_blocks_spoils_nothing() {
    let stage = Stage::with_release();
    stage.add_given("shop:1.0", "given");
    let pack = "pack shop:1.0 --to discs --media 10MB --spare 2 --local 0";
    stage.run(&pack.split(' ').collect::<Vec<_>>()).ends_with(0);
    stage.copy("discs", "whole");
    let files = volume_files(&stage.path("discs"));
    for (volume, wrong) in [(1, Some(9)), (2, None)] {
        let (path, sectors) = &files[volume];
        let file = OpenOptions::new().write(true).open(path).unwrap();
        let write = |sector: u64, bytes: &[u8]| {
            file.write_all_at(bytes, sector * SECTOR.len() as u64)
                .unwrap();
        };
        for block in (0..*sectors).step_by(32) {
            write(block + 2 + volume as u64, &SECTOR);
            if let Some(wrong) = wrong {
                write(block + wrong, &noise(block, SECTOR.len()));
            }
        }
    }
    fs::remove_dir_all(&volumes(&stage.path("discs"))[0]).unwrap();
    // Too much is in doubt for the lost volume, and that is said. None of what is written is wrong.
    let run = stage.run(&["repair", "discs", "--to", "mended"]);
    let run = run.ends_with(3);
    assert!(
        run.stdout.contains("volumes 1-3 cannot be rebuilt"),
        "{run:#?}"
    );
    let whole = contents(&stage.path("whole"));
    for (name, bytes) in contents(&stage.path("mended")) {
        assert_eq!(whole.get(&name), Some(&bytes), "{}", name.display());
    }
}

/// Chooses a tenth of the sectors, and at least one of each block.
fn in_every_block(seed: u64) -> impl FnMut(u64) -> bool {
    let mut seeded = Seeded::new(seed);
    let mut of_block = 0;
    move |sector| {
        if sector % 32 == 0 {
            of_block = seeded.next() % 32;
        }
        sector % 32 == of_block || seeded.fraction() < 0.07
    }
}

/// No block of the whole set is whole, no superblock and no part of the catalog. The first disc is named, and every disc
/// counts.
#[test]
fn discs_without_a_single_whole_block_complete_a_set_one_by_one() {
    let mut stage = five_volumes();
    let mut is_bad: Vec<_> = (0..5).map(in_every_block).collect();
    let bad = unreadable(&stage.path("discs"), &mut |volume, sector| {
        is_bad[usize::try_from(volume).unwrap()](sector)
    });
    let Some(bad) = bad else { return };
    stage.store = "site";
    let discs = volumes(&stage.path("discs"));
    for (number, disc) in (1..).zip(&discs) {
        let words = ["receive", disc.to_str().unwrap()];
        let run = stage.run_with_bad_sectors(&words, &bad);
        let run = run.ends_with(if number == 5 { 0 } else { 4 });
        let named = format!("volume {number} of 5");
        assert!(run.stdout.contains("shop:1.0"), "{run:#?}");
        assert!(run.stdout.contains(&named), "{run:#?}");
    }
    stage.comes_back("shop:1.0", "given");
}

/// The hurt disc comes first and is not asked for again: with its own parity and the other data volumes it is all there.
#[test]
fn a_disc_without_a_whole_block_counts_when_it_comes_first() {
    let mut stage = five_volumes();
    let mut seeded = Seeded::new(9);
    let mut of_block = 0;
    let mut is_bad = |sector: u64| {
        if sector.is_multiple_of(32) {
            of_block = seeded.next() % 32;
        }
        sector % 32 == of_block
    };
    let discs = volumes(&stage.path("discs"));
    fs::create_dir(stage.path("first")).unwrap();
    let first = stage.path("first").join(discs[0].file_name().unwrap());
    fs::rename(&discs[0], &first).unwrap();
    // The sectors read as zeros, and no error says so.
    zero_sectors(&stage.path("first"), &mut is_bad);
    for words in [["inspect", "first"], ["verify", "first"]] {
        let run = stage.run(&words);
        assert!(run.stdout.contains("shop:1.0"), "{run:#?}");
    }
    stage.store = "site";
    let run = stage
        .run(&["receive", "first", "--json"])
        .ends_with(4)
        .json();
    let set = &run["sets"][0];
    assert_eq!(set["title"], "shop:1.0", "{set}");
    // Some blocks are whole because the sectors were zeros before.
    assert!(set["new_blocks"].as_u64() < Some(10), "{set}");
    assert!(set["volumes_read"][0]["new_parts"].as_u64() > Some(90));
    assert_eq!(set["needs"]["ask_for"], serde_json::json!([2, 3, 4]));
    for disc in &discs[1..4] {
        stage.run(&["receive", disc.to_str().unwrap()]);
    }
    stage.run(&["status"]).ends_with(0);
    stage.comes_back("shop:1.0", "given");
}
