//! Bad sectors: each costs itself and not the block around it.

use crate::testkit::bytes::Seeded;
use crate::testkit::stage::{Stage, contents, volumes};

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A sector of a disc that reads as zeros.
const SECTOR: [u8; 2048] = [0; 2048];

/// Zeros the sectors of the volume files below a folder that are chosen by their number.
fn zero_sectors(folder: &Path, is_bad: &mut dyn FnMut(u64) -> bool) {
    for volume in volumes(folder) {
        for entry in fs::read_dir(volume).unwrap() {
            let path = entry.unwrap().path();
            if path.extension() != Some("000".as_ref()) {
                continue;
            }
            let file = OpenOptions::new().write(true).open(&path).unwrap();
            let sector_bytes = SECTOR.len() as u64;
            let sectors = file.metadata().unwrap().len() / sector_bytes;
            for sector in (0..sectors).filter(|sector| is_bad(*sector)) {
                file.write_all_at(&SECTOR, sector * sector_bytes).unwrap();
            }
        }
    }
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
