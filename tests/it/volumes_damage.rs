//! Volume sets on real folders: written, damaged in every way that media know, read, rebuilt and received.

use crate::testkit::packed::{files_below, medium_for, noise};

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Cursor, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use carryall::base::monitor::{Recording, Silent};
use carryall::volumes::block::{BLOCK_BYTES, BlockSize, ParityCodec};
use carryall::volumes::geometry::Geometry;
use carryall::volumes::media::{Carrier, ReadBack};
use carryall::volumes::read_media::read_media;
use carryall::volumes::staging::open_all;
use carryall::volumes::{
    SetContent, SetReport, SetRequest, Staging, VolumeError, VolumeForm, discover, plan, rebuild,
    write,
};

const FOLDERS: VolumeForm = VolumeForm {
    carrier: Carrier::Folders,
    limit_bytes: None,
    read_back: ReadBack::Removable,
};

/// A written set, and what it carries.
struct Written {
    dir: tempfile::TempDir,
    report: SetReport,
    payload: Vec<Vec<u8>>,
    catalog: Vec<u8>,
}

struct Shape {
    pieces: Vec<usize>,
    blocks: u64,
    spare: Option<u16>,
    local: Option<f64>,
    codec: ParityCodec,
    carrier: Carrier,
    seed: u64,
    title: &'static str,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            pieces: vec![400_000; 30],
            blocks: 64,
            spare: Some(2),
            local: Some(8.0),
            codec: ParityCodec::Gf16,
            carrier: Carrier::Folders,
            seed: 1,
            title: "Shop 2.0",
        }
    }
}

impl Shape {
    /// A volume without spares.
    fn alone() -> Self {
        Self {
            spare: Some(0),
            pieces: vec![500_000; 10],
            blocks: 200,
            local: None,
            ..Self::default()
        }
    }

    fn write(&self) -> Written {
        let dir = tempfile::tempdir().unwrap();
        let pieces: Vec<Vec<u8>> = self
            .pieces
            .iter()
            .zip(self.seed * 1000..)
            .map(|(len, seed)| noise(seed, *len))
            .collect();
        let catalog = noise(self.seed + 77, 150_000);
        let sizes: Vec<u64> = pieces.iter().map(|piece| piece.len() as u64).collect();
        let plan = plan(&SetRequest {
            piece_bytes: &sizes,
            catalog_bytes: 160_000,
            capacity: medium_for(self.blocks, Carrier::Folders),
            carrier: self.carrier,
            spare: self.spare,
            local_percent: self.local,
            codec: self.codec,
            block_size: Some(BlockSize::Full),
        })
        .unwrap();
        let content = SetContent {
            title: self.title,
            releases: &["shop:2.0".to_owned()],
            created_by: "carryall test",
            facts: &[],
            catalog: &catalog,
        };
        let mut open = |piece_no: usize| -> std::io::Result<Box<dyn Read>> {
            Ok(Box::new(Cursor::new(pieces[piece_no].clone())))
        };
        let report = write(&plan, &content, &mut open, dir.path(), &Silent).unwrap();
        let payload = plan
            .pieces
            .iter()
            .map(|range| pieces[range.clone()].concat())
            .collect();
        Written {
            dir,
            report,
            payload,
            catalog,
        }
    }
}

impl Written {
    fn geometry(&self) -> Geometry {
        Geometry::from_header(&self.report.header).unwrap()
    }

    fn volume(&self, volume_no: u16) -> &Path {
        &self.report.volumes[usize::from(volume_no) - 1]
    }

    fn volume_file(&self, volume_no: u16) -> PathBuf {
        self.volume(volume_no)
            .join(format!("carry{volume_no:02}.000"))
    }

    fn volumes(&self) -> Vec<PathBuf> {
        vec![self.dir.path().to_owned()]
    }

    /// Overwrites blocks with rubbish.
    fn spoil(&self, volume_no: u16, blocks: impl IntoIterator<Item = u32>) {
        let file = OpenOptions::new()
            .write(true)
            .open(self.volume_file(volume_no))
            .unwrap();
        for block_no in blocks {
            let at = u64::from(block_no) * BLOCK_BYTES as u64;
            file.write_all_at(&noise(at + 5, BLOCK_BYTES), at).unwrap();
        }
    }

    fn spoil_run(&self, volume_no: u16, first: u32, count: u32) {
        self.spoil(volume_no, first..first + count);
    }

    /// All files of all volumes, with their bytes.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files_below(self.dir.path())
    }

    fn receive(&self) -> (tempfile::TempDir, Staging) {
        receive_from(&self.volumes(), self)
    }

    /// Takes in what is left and compares the payload and catalog.
    fn assert_received(&self) {
        let (_spool, mut incoming) = self.receive();
        assert!(incoming.needs().complete, "{:?}", incoming.needs());
        incoming.heal(&Silent).unwrap();
        self.assert_payload(&incoming);
    }

    fn assert_payload(&self, incoming: &Staging) {
        assert!(incoming.payload_ready());
        assert_eq!(incoming.catalog().unwrap(), self.catalog);
        for (volume_no, payload) in (1..).zip(&self.payload) {
            let mut have = Vec::new();
            incoming
                .payload_reader(volume_no)
                .unwrap()
                .read_to_end(&mut have)
                .unwrap();
            assert!(have == *payload, "payload of volume {volume_no}");
        }
    }

    fn assert_rebuilt(&self, before: &BTreeMap<PathBuf, Vec<u8>>) {
        let out = tempfile::tempdir().unwrap();
        let found = discover(&self.volumes(), &Silent).unwrap();
        let all: Vec<u16> = (1..=self.geometry().volume_count()).collect();
        let report = rebuild(&found.sets[0], &all, out.path(), FOLDERS, &Silent).unwrap();
        assert_eq!(report.not_recoverable, Vec::<u16>::new());
        assert!(files_below(out.path()) == *before, "rebuilt volumes differ");
    }
}

fn receive_from(paths: &[PathBuf], written: &Written) -> (tempfile::TempDir, Staging) {
    let spool = tempfile::tempdir().unwrap();
    let report = read_media(spool.path(), paths, &|_| true, &Silent).unwrap();
    let wanted = written.report.header.set_id;
    let set = report
        .sets
        .into_iter()
        .map(|(set, _)| set)
        .find(|set| set.set_id() == wanted);
    (spool, set.unwrap())
}

#[test]
fn an_intact_set_reads_back_and_is_written_the_same_again() {
    let written = Shape::default().write();
    let header = written.report.header;
    assert!(
        header.data_volumes >= 4 && header.spare_volumes == 2,
        "{header:?}"
    );
    let found = discover(&written.volumes(), &Silent).unwrap();
    assert_eq!(found.sets.len(), 1);
    let set = &found.sets[0];
    let outcome = set.assess();
    assert!(outcome.steps.is_empty() && outcome.set_complete && outcome.payload_complete);
    assert_eq!(set.catalog().unwrap(), written.catalog);
    assert_eq!(set.descriptor().unwrap().title, "Shop 2.0");
    let mut payload = Vec::new();
    set.payload_reader(2)
        .unwrap()
        .read_to_end(&mut payload)
        .unwrap();
    assert!(payload == written.payload[1]);
    assert!(
        Shape::default().write().files() == written.files(),
        "same input, same bytes"
    );
    written.assert_received();
}

#[test]
fn any_two_volumes_may_be_gone() {
    for codec in [ParityCodec::Gf16, ParityCodec::Gf8] {
        let written = Shape {
            codec,
            ..Shape::default()
        }
        .write();
        let before = written.files();
        for gone in [[1, 2], [3, written.geometry().volume_count()]] {
            let aside = tempfile::tempdir().unwrap();
            for volume_no in gone {
                let name = written.volume(volume_no).file_name().unwrap();
                fs::rename(written.volume(volume_no), aside.path().join(name)).unwrap();
            }
            written.assert_received();
            written.assert_rebuilt(&before);
            for volume_no in gone {
                let name = written.volume(volume_no).file_name().unwrap();
                fs::rename(aside.path().join(name), written.volume(volume_no)).unwrap();
            }
        }
    }
}

#[test]
fn three_volumes_gone_are_too_many_and_any_one_of_them_is_asked_for() {
    let written = Shape::default().write();
    for volume_no in [1, 2, 5] {
        fs::remove_dir_all(written.volume(volume_no)).unwrap();
    }
    let (_spool, mut incoming) = written.receive();
    let needs = incoming.needs();
    assert_eq!((needs.complete, needs.at_least), (false, Some(1)));
    assert_eq!(needs.any_of, [1, 2, 5]);
    incoming.heal(&Silent).unwrap();
    assert!(!incoming.payload_ready());
    let found = discover(&written.volumes(), &Silent).unwrap();
    let out = tempfile::tempdir().unwrap();
    let report = rebuild(&found.sets[0], &[1, 2], out.path(), FOLDERS, &Silent).unwrap();
    assert_eq!(report.not_recoverable, [1, 2]);
    assert_eq!(
        fs::read_dir(out.path()).unwrap().count(),
        0,
        "nothing half-made stays"
    );
}

#[test]
fn bursts_on_every_volume_at_once_heal_up_to_the_guarantee() {
    let written = Shape::default().write();
    let before = written.files();
    let geometry = written.geometry();
    let burst = geometry.burst_blocks(0);
    assert!(
        burst >= geometry.local_burst_blocks(),
        "{:?}",
        geometry.header()
    );
    for volume_no in 1..=geometry.volume_count() {
        let room = geometry.volume_blocks() - burst;
        written.spoil_run(volume_no, u32::from(volume_no) * 7 % (room + 1), burst);
    }
    written.assert_received();
    written.assert_rebuilt(&before);
}

#[test]
fn a_burst_heals_with_the_volume_alone() {
    let written = Shape::alone().write();
    let before = written.files();
    let geometry = written.geometry();
    assert_eq!(geometry.volume_count(), 1);
    let burst = geometry.local_burst_blocks();
    for first in [
        0,
        1,
        geometry.volume_blocks() / 3,
        geometry.volume_blocks() - burst - 5,
    ] {
        written.spoil_run(1, first, burst);
        written.assert_received();
        written.assert_rebuilt(&before);
        fs::write(
            written.volume_file(1),
            &before[&written
                .volume_file(1)
                .strip_prefix(written.dir.path())
                .unwrap()
                .to_owned()],
        )
        .unwrap();
    }
}

#[test]
fn truncated_zeroed_and_renamed_volume_files_are_read_by_content() {
    let written = Shape::default().write();
    let before = written.files();
    let carrier = OpenOptions::new()
        .write(true)
        .open(written.volume_file(1))
        .unwrap();
    let len = carrier.metadata().unwrap().len();
    carrier.set_len(len - 5 * BLOCK_BYTES as u64 - 100).unwrap();
    let carrier = OpenOptions::new()
        .write(true)
        .open(written.volume_file(2))
        .unwrap();
    carrier.set_len(len - 5 * BLOCK_BYTES as u64).unwrap();
    carrier.set_len(len).unwrap();
    let aside = written.dir.path().join("x");
    fs::rename(written.volume_file(3), &aside).unwrap();
    fs::rename(written.volume_file(4), written.volume_file(3)).unwrap();
    fs::rename(&aside, written.volume_file(4)).unwrap();
    fs::remove_file(written.volume_file(5)).unwrap();
    written.assert_received();
    written.assert_rebuilt(&before);
}

#[test]
fn superblocks_and_headers_hit_heal_from_other_volumes() {
    let written = Shape::default().write();
    let before = written.files();
    let geometry = written.geometry();
    for volume_no in 1..=geometry.volume_count() {
        written.spoil(volume_no, geometry.superblocks());
    }
    let file = OpenOptions::new()
        .write(true)
        .open(written.volume_file(3))
        .unwrap();
    for block_no in [3, 9, 14_u32] {
        file.write_all_at(&[0; 64], u64::from(block_no) * BLOCK_BYTES as u64)
            .unwrap();
    }
    written.assert_received();
    written.assert_rebuilt(&before);
}

#[test]
fn a_single_volume_survives_the_loss_of_all_superblocks_and_its_catalog() {
    let written = Shape::alone().write();
    let before = written.files();
    let geometry = written.geometry();
    written.spoil(1, geometry.superblocks());
    written.spoil(
        1,
        (0..geometry.catalog_blocks()).map(|index| geometry.catalog_place(index)),
    );
    written.assert_received();
    written.assert_rebuilt(&before);
}

#[test]
fn an_image_is_read_without_its_file_system() {
    let has_xorriso = std::process::Command::new("xorriso")
        .arg("-version")
        .output()
        .is_ok();
    if !has_xorriso {
        return;
    }
    let written = Shape {
        carrier: Carrier::Iso,
        ..Shape::default()
    }
    .write();
    let before = written.files();
    assert!(
        before
            .keys()
            .all(|name| name.extension().is_some_and(|iso| iso == "iso"))
    );
    for volume in &written.report.volumes {
        let image = OpenOptions::new().write(true).open(volume).unwrap();
        image.write_all_at(&[0; 40 * 2048], 0).unwrap();
    }
    fs::remove_file(written.volume(2)).unwrap();
    written.assert_received();
    let found = discover(&written.volumes(), &Silent).unwrap();
    let out = tempfile::tempdir().unwrap();
    let form = VolumeForm {
        carrier: Carrier::Iso,
        limit_bytes: None,
        read_back: ReadBack::Removable,
    };
    rebuild(&found.sets[0], &[1, 2], out.path(), form, &Silent).unwrap();
    let rebuilt = files_below(out.path());
    assert_eq!(rebuilt.len(), 2);
    assert!(rebuilt.iter().all(|(name, bytes)| before[name] == *bytes));
}

#[test]
fn a_spool_torn_by_a_power_cut_is_taken_at_its_word_only_where_hashes_agree() {
    let written = Shape::default().write();
    let (spool, incoming) = receive_from(&[written.volume(1).to_owned()], &written);
    let had = incoming.presence().count(1);
    let image_path = incoming.dir().join("v001.blocks");
    let dir = incoming.dir().to_owned();
    drop(incoming);
    fs::remove_file(dir.join("v001.map")).unwrap();
    let image = OpenOptions::new().write(true).open(&image_path).unwrap();
    // Half a block, a block of another place, and an end that never reached the disk.
    image
        .write_all_at(&[0; BLOCK_BYTES / 2], 10 * BLOCK_BYTES as u64 + 32768)
        .unwrap();
    let bytes = fs::read(&image_path).unwrap();
    image
        .write_all_at(
            &bytes[12 * BLOCK_BYTES..13 * BLOCK_BYTES],
            15 * BLOCK_BYTES as u64,
        )
        .unwrap();
    let len = image.metadata().unwrap().len();
    image.set_len(len - BLOCK_BYTES as u64 - 5).unwrap();
    let incoming = open_all(spool.path()).unwrap().remove(0);
    let last = written.geometry().volume_blocks() - 1;
    assert!(
        [10, 15, last - 1, last]
            .iter()
            .all(|block_no| !incoming.presence().has((1, *block_no)))
    );
    assert!(incoming.presence().count(1) >= had - 4);
    fs::create_dir(spool.path().join("0".repeat(32))).unwrap();
    fs::write(spool.path().join("notes.txt"), "x").unwrap();
    assert_eq!(open_all(spool.path()).unwrap().len(), 1);
    let report = read_media(spool.path(), &written.volumes(), &|_| true, &Silent).unwrap();
    let (mut incoming, _) = report.sets.into_iter().next().unwrap();
    incoming.heal(&Silent).unwrap();
    written.assert_payload(&incoming);
}

#[test]
fn the_catalog_may_be_hit_on_all_volumes_but_one() {
    let written = Shape {
        local: Some(0.0),
        ..Shape::default()
    }
    .write();
    let before = written.files();
    let geometry = written.geometry();
    for volume_no in (1..=geometry.volume_count()).filter(|no| *no != 4) {
        written.spoil(
            volume_no,
            (0..geometry.catalog_blocks()).map(|index| geometry.catalog_place(index)),
        );
    }
    assert_eq!(
        discover(&written.volumes(), &Silent).unwrap().sets[0]
            .catalog()
            .unwrap(),
        written.catalog
    );
    written.assert_received();
    written.assert_rebuilt(&before);
    // Hit on the last one too, and without local parity, it is gone, and that is said.
    written.spoil(4, [geometry.catalog_place(1)]);
    let found = discover(&written.volumes(), &Silent).unwrap();
    assert!(matches!(
        found.sets[0].catalog(),
        Err(VolumeError::CatalogIncomplete { index: 1, .. })
    ));
    assert!(!found.sets[0].assess().payload_complete);
}

#[test]
fn two_sets_and_a_stale_one_in_one_folder_are_kept_apart() {
    let one = Shape::default().write();
    let stale = Shape {
        seed: 9,
        ..Shape::default()
    }
    .write();
    fs::copy(stale.volume_file(1), one.dir.path().join("carry01.000")).unwrap();
    fs::remove_dir_all(one.volume(1)).unwrap();
    let found = discover(&one.volumes(), &Silent).unwrap();
    let ids: Vec<_> = found.sets.iter().map(|set| set.set_id()).collect();
    assert_eq!(ids, [one.report.header.set_id, stale.report.header.set_id]);
    one.assert_received();
}

#[test]
fn two_damaged_copies_of_a_volume_are_one_whole_volume() {
    let written = Shape {
        spare: Some(0),
        local: Some(0.0),
        ..Shape::default()
    }
    .write();
    let copy = tempfile::tempdir().unwrap();
    fs::copy(written.volume_file(2), copy.path().join("other-disc.img")).unwrap();
    let half = written.geometry().volume_blocks() / 2;
    written.spoil_run(2, 0, half);
    let second = OpenOptions::new()
        .write(true)
        .open(copy.path().join("other-disc.img"))
        .unwrap();
    second
        .set_len(second.metadata().unwrap().len() / 2 + 7 * BLOCK_BYTES as u64)
        .unwrap();
    drop(second);
    let other = OpenOptions::new()
        .read(true)
        .write(true)
        .open(copy.path().join("other-disc.img"))
        .unwrap();
    // Put the second copy off by a few sectors, as a raw image may be.
    let bytes = fs::read(copy.path().join("other-disc.img")).unwrap();
    other.write_all_at(&vec![0; 2048 * 3], 0).unwrap();
    other.write_all_at(&bytes, 2048 * 3).unwrap();
    written.spoil_run(2, half, 0);
    let paths = vec![written.dir.path().to_owned(), copy.path().to_owned()];
    let (_spool, incoming) = receive_from(&paths, &written);
    written.assert_payload(&incoming);
}

#[test]
fn a_forged_header_with_the_same_set_id_is_ignored_and_reported() {
    let written = Shape::default().write();
    let mut header = carryall::volumes::block::BlockHeader {
        set: written.report.header,
        volume_no: 1,
        block_no: 20,
        kind: carryall::volumes::block::BlockKind::Data,
    };
    header.set.spare_volumes = 0;
    header.set.stripe_width = 0;
    let mut block = vec![1; BLOCK_BYTES];
    header.seal(&mut block);
    fs::write(written.dir.path().join("forged"), &block).unwrap();
    let heard = Recording::default();
    let found = discover(&written.volumes(), &heard).unwrap();
    assert_eq!((found.sets.len(), found.findings.len()), (1, 1));
    written.assert_received();
}

#[test]
fn receiving_goes_on_after_a_kill_and_asks_for_spares_only_when_needed() {
    let written = Shape::default().write();
    let spool = tempfile::tempdir().unwrap();
    let take = |volume_no: u16| {
        let paths = [written.volume(volume_no).to_owned()];
        let mut report = read_media(spool.path(), &paths, &|_| true, &Silent).unwrap();
        report.sets.remove(0)
    };
    let data = written.report.header.data_volumes;
    written.spoil_run(2, 20, 3);
    for volume_no in (1..=data).rev() {
        let (incoming, absorbed) = take(volume_no);
        assert!(absorbed.new_blocks > 0);
        let rest: Vec<u16> = (1..volume_no).collect();
        let needs = incoming.needs();
        if volume_no > 1 {
            assert_eq!(needs.ask_for, rest);
        }
        // A kill loses the maps at worst, and may leave half a block.
        for entry in fs::read_dir(incoming.dir()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "map") && volume_no % 2 == 0 {
                fs::remove_file(&path).unwrap();
            }
        }
    }
    let mut incoming = open_all(spool.path()).unwrap().remove(0);
    let needs = incoming.needs();
    assert!(needs.complete && needs.ask_for.is_empty(), "{needs:?}");
    incoming.heal(&Silent).unwrap();
    written.assert_payload(&incoming);
    // A spare that comes anyway is not kept: everything it protects is there.
    let (incoming, absorbed) = take(data + 1);
    assert!(
        absorbed.spared_blocks > 30 && absorbed.new_blocks < 12,
        "{absorbed:?}"
    );
    incoming.discard().unwrap();
    assert_eq!(fs::read_dir(spool.path()).unwrap().count(), 0);
}

#[test]
fn spool_damage_is_found_when_it_is_read_and_heals() {
    let written = Shape::default().write();
    let (spool, mut incoming) = written.receive();
    let place = (2, written.geometry().data_place(5));
    let image = OpenOptions::new()
        .write(true)
        .open(incoming.dir().join("v002.blocks"))
        .unwrap();
    image
        .write_all_at(b"rot", u64::from(place.1) * BLOCK_BYTES as u64 + 1000)
        .unwrap();
    let error = incoming
        .payload_reader(2)
        .unwrap()
        .read_to_end(&mut Vec::new())
        .unwrap_err();
    assert_eq!(
        carryall::volumes::PayloadReader::damage_of(&error),
        Some(place)
    );
    // The parity of a whole set is not kept, so the volume is needed once more, or a spare.
    incoming.forget(place).unwrap();
    let needs = incoming.needs();
    assert!(
        !needs.complete && needs.damaged.contains(&2) && needs.ask_for.is_empty(),
        "{needs:?}"
    );
    drop(incoming);
    let mut report = read_media(
        spool.path(),
        &[written.volume(2).to_owned()],
        &|_| true,
        &Silent,
    )
    .unwrap();
    let (incoming, absorbed) = report.sets.remove(0);
    assert_eq!(absorbed.new_blocks, 1);
    written.assert_payload(&incoming);
}

#[test]
fn damage_that_appears_between_scan_and_repair_is_worked_around() {
    let written = Shape::default().write();
    let before = written.files();
    written.spoil_run(1, 10, 3);
    let found = discover(&written.volumes(), &Silent).unwrap();
    written.spoil_run(3, 22, 3);
    let out = tempfile::tempdir().unwrap();
    let report = rebuild(&found.sets[0], &[1], out.path(), FOLDERS, &Silent).unwrap();
    assert_eq!(report.rebuilt.len(), 1);
    let rebuilt = files_below(out.path());
    assert!(rebuilt.iter().all(|(name, bytes)| before[name] == *bytes));
}

#[test]
fn a_stop_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let sizes = [100_000; 8];
    let plan = plan(&SetRequest {
        piece_bytes: &sizes,
        catalog_bytes: 10,
        capacity: medium_for(30, Carrier::Folders),
        carrier: Carrier::Folders,
        spare: Some(1),
        local_percent: None,
        codec: ParityCodec::Gf16,
        block_size: Some(BlockSize::Full),
    })
    .unwrap();
    let heard = Recording::default();
    let content = SetContent {
        title: "t",
        releases: &[],
        created_by: "c",
        facts: &[],
        catalog: b"cat",
    };
    let mut open = |piece_no: usize| -> std::io::Result<Box<dyn Read>> {
        if piece_no == 5 {
            heard.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(Box::new(Cursor::new(vec![1; 100_000])))
    };
    let stopped = write(&plan, &content, &mut open, dir.path(), &heard);
    assert!(stopped.is_err());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    let mut short =
        |_: usize| -> std::io::Result<Box<dyn Read>> { Ok(Box::new(Cursor::new(vec![1; 99]))) };
    let wrong = write(&plan, &content, &mut short, dir.path(), &Silent);
    assert!(matches!(
        wrong,
        Err(VolumeError::PieceLength { piece_no: 0, .. })
    ));
}

#[test]
fn tiny_sets_hold_too() {
    for (pieces, spare) in [
        (vec![1], 0),
        (vec![1], 1),
        (vec![70_000; 5], 3),
        (vec![], 1),
        (vec![0, 0], 2),
    ] {
        for codec in [ParityCodec::Gf16, ParityCodec::Gf8] {
            let blocks = if pieces.len() > 2 { 14 } else { 15 };
            let shape = Shape {
                pieces: pieces.clone(),
                spare: Some(spare),
                blocks,
                local: Some(0.0),
                codec,
                ..Shape::default()
            };
            let written = shape.write();
            let before = written.files();
            for volume_no in 1..=spare {
                fs::remove_dir_all(written.volume(volume_no)).unwrap();
            }
            written.assert_received();
            written.assert_rebuilt(&before);
        }
    }
}

#[test]
fn the_chart_says_of_every_block_how_it_fares() {
    use carryall::volumes::media::map::CellState;
    let written = Shape::default().write();
    let geometry = written.geometry();
    fs::remove_dir_all(written.volume(2)).unwrap();
    fs::remove_dir_all(written.volume(geometry.volume_count())).unwrap();
    written.spoil_run(1, 20, 2);
    let found = discover(&written.volumes(), &Silent).unwrap();
    let set = &found.sets[0];
    let map = carryall::volumes::damage_map(set, &set.assess());
    let states = |volume_no: u16| -> Vec<(u32, CellState)> {
        let volume = &map.volumes[usize::from(volume_no) - 1];
        assert_eq!(
            volume.runs.iter().map(|run| run.blocks).sum::<u32>(),
            geometry.volume_blocks()
        );
        volume
            .runs
            .iter()
            .map(|run| (run.blocks, run.state))
            .collect()
    };
    let all = geometry.volume_blocks();
    assert_eq!(states(3), [(all, CellState::Intact)]);
    // Nobody looked at it, though it can be brought back.
    assert_eq!(states(2), [(all, CellState::NotGiven)]);
    assert_eq!(
        states(geometry.volume_count()),
        [(all, CellState::NotGiven)]
    );
    let healed = [
        (20, CellState::Intact),
        (2, CellState::HealedLocally),
        (all - 22, CellState::Intact),
    ];
    assert_eq!(states(1), healed);
}
