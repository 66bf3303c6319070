//! Blocks with a right hash and a wrong content, sets that nobody packed, and what becomes of honest ones beside them.

use crate::testkit::packed;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use carryall::base::id::SetId;
use carryall::base::monitor::{Monitor, Silent};
use carryall::ops::media::verify::{SetState, verify};
use carryall::ops::receive::forget::{forget, forget_all};
use carryall::ops::receive::{ProgressState, receive, status};
use carryall::ops::{Error, ErrorKind};
use carryall::volumes::SETS_MAX;
use carryall::volumes::block::{
    BLOCK_BYTES, BlockHeader, BlockKind, BlockSize, HEADER_BYTES, ParityCodec, SetHeader,
};
use packed::{Carried, Packed, Shape, Site, noise};
use tempfile::TempDir;

/// Changes the payload of blocks, under right hashes.
fn forge(carried: &Carried<'_>, volume_no: u16, blocks: impl IntoIterator<Item = u32>) {
    forge_with(carried, volume_no, blocks, |_, payload| {
        payload[100..140].fill(0x5a);
    });
}

fn forge_with(
    carried: &Carried<'_>,
    volume_no: u16,
    blocks: impl IntoIterator<Item = u32>,
    change: impl Fn(&mut BlockHeader, &mut [u8]),
) {
    let carrier = carried.volume_file(volume_no);
    let mut bytes = fs::read(&carrier).unwrap();
    for block_no in blocks {
        let at = block_no as usize * BLOCK_BYTES;
        let block = &mut bytes[at..at + BLOCK_BYTES];
        let mut header = BlockHeader::open(block).unwrap();
        change(&mut header, &mut block[HEADER_BYTES..]);
        header.seal(block);
    }
    fs::write(carrier, bytes).unwrap();
}

/// The place of a data block in the midst of what a volume carries.
fn data_block(packed: &Packed, volume_no: u16) -> u32 {
    let bytes = packed.payload_bytes[usize::from(volume_no) - 1];
    let blocks = packed.geometry.blocks_of_payload(0..bytes);
    packed.geometry.data_place(blocks.end / 2)
}

fn sturdy() -> Packed {
    Shape::default().pack()
}

/// No spare volumes and no local parity.
fn bare() -> Packed {
    Shape {
        spare: 0,
        local: 0.0,
        ..Shape::default()
    }
    .pack()
}

fn assert_nothing_waits(site: &Site) {
    assert!(status(&site.store).unwrap().incoming.is_empty());
    assert_eq!(
        fs::read_dir(site.store.incoming_dir()).map_or(0, Iterator::count),
        0
    );
}

#[test]
fn a_wrong_block_that_came_first_gives_way_to_a_right_one() {
    for packed in [bare(), sturdy()] {
        let bad = packed.carry();
        forge(&bad, 1, [data_block(&packed, 1)]);
        let good = packed.carry();
        let site = Site::default();
        site.receive(&[bad.volume(1)]);
        let progress = site.receive_set(&good.paths(), &packed);
        assert_eq!(progress.state, ProgressState::Complete, "{progress:?}");
        site.assert_same(&packed);
        assert_nothing_waits(&site);

        // Both at once, in either order.
        for paths in [[bad.root(), good.root()], [good.root(), bad.root()]] {
            let site = Site::default();
            let paths = paths.map(Path::to_owned);
            let progress = site.receive_set(&paths, &packed);
            assert_eq!(progress.state, ProgressState::Complete, "{progress:?}");
            site.assert_same(&packed);
        }
    }
}

#[test]
fn a_whole_forged_volume_gives_way_to_the_right_one() {
    let packed = bare();
    let bad = packed.carry();
    let blocks: Vec<u32> = (0..packed.geometry.data_blocks())
        .map(|index| packed.geometry.data_place(index))
        .collect();
    forge(&bad, 2, blocks);
    let good = packed.carry();
    let site = Site::default();
    site.receive(&[bad.volume(2)]);
    let progress = site.receive_set(&good.paths(), &packed);
    assert_eq!(progress.state, ProgressState::Complete, "{progress:?}");
    assert_eq!(progress.wrong_volumes, [2]);
    site.assert_same(&packed);
}

#[test]
fn parity_stands_in_for_a_wrong_block() {
    for (codec, spare, local) in [
        (ParityCodec::Gf16, 0, 12.0),
        (ParityCodec::Gf16, 2, 0.0),
        (ParityCodec::Gf16, 2, 8.0),
        (ParityCodec::Gf8, 2, 8.0),
    ] {
        let packed = Shape {
            codec,
            spare,
            local,
            ..Shape::default()
        }
        .pack();
        let carried = packed.carry();
        forge(&carried, 1, [data_block(&packed, 1)]);
        let site = Site::default();
        let progress = site.receive_set(&carried.paths(), &packed);
        assert_eq!(
            progress.state,
            ProgressState::Complete,
            "{codec:?} {spare} {local}: {progress:?}"
        );
        site.assert_same(&packed);
        assert_nothing_waits(&site);
    }
}

#[test]
fn without_parity_the_volume_is_named_and_another_copy_ends_it() {
    let packed = bare();
    let carried = packed.carry();
    forge(&carried, 2, [data_block(&packed, 2)]);
    let site = Site::default();
    for _ in 0..2 {
        let error = receive(&site.store, &carried.paths(), &Silent).unwrap_err();
        assert!(
            matches!(&error, Error::WrongBlocks { volumes, .. } if volumes == &[2]),
            "{error:?}"
        );
        let waiting = &status(&site.store).unwrap().incoming[0];
        assert_eq!(waiting.needs.damaged, [2], "{waiting:?}");
    }
    let good = packed.carry();
    let progress = site.receive_set(&[good.volume(2)], &packed);
    assert_eq!(progress.state, ProgressState::Complete, "{progress:?}");
    site.assert_same(&packed);
    assert_nothing_waits(&site);
}

#[test]
fn forged_parity_is_not_the_last_word() {
    let packed = sturdy();
    let geometry = &packed.geometry;
    let first_spare = geometry.header().data_volumes + 1;
    let carried = packed.carry();
    carried.lose(1);
    let blocks: Vec<u32> = (0..2).map(|index| geometry.data_place(index * 5)).collect();
    forge(&carried, first_spare, blocks);
    let site = Site::default();
    let first = receive(&site.store, &carried.paths(), &Silent);
    let is_in = matches!(&first, Ok(report) if report.sets[0].state == ProgressState::Complete);
    if !is_in {
        let good = packed.carry();
        let progress = site.receive_set(&[good.volume(1)], &packed);
        assert_eq!(
            progress.state,
            ProgressState::Complete,
            "{first:?} {progress:?}"
        );
    }
    site.assert_same(&packed);
    assert_nothing_waits(&site);
}

#[test]
fn forged_catalogs_and_superblocks_give_way_to_those_that_fit_the_id() {
    let packed = sturdy();
    let geometry = &packed.geometry;
    let catalog: Vec<u32> = (0..geometry.catalog_blocks())
        .map(|index| geometry.catalog_place(index))
        .collect();
    for blocks in [catalog, geometry.superblocks().to_vec()] {
        let bad = packed.carry();
        forge_with(&bad, 1, blocks, |_, payload| payload.fill(0x33));
        let site = Site::default();
        site.receive(&[bad.volume(1)]);
        let progress = site.receive_set(&bad.paths(), &packed);
        assert_eq!(progress.state, ProgressState::Complete, "{progress:?}");
        site.assert_same(&packed);
        let judged = verify(&bad.paths(), &Silent).unwrap();
        assert_eq!(judged.report.sets[0].wrong_volumes, [1]);
    }
}

#[test]
fn blocks_that_claim_a_set_with_other_numbers_do_not_hold_it_up() {
    let packed = sturdy();
    let bad = packed.carry();
    let dir = TempDir::new().unwrap();
    let mut blocks = Vec::new();
    for wide in [100, 200] {
        let mut block = vec![7; BLOCK_BYTES];
        let mut header = BlockHeader {
            set: *packed.geometry.header(),
            volume_no: 1,
            block_no: 1,
            kind: BlockKind::Catalog,
        };
        header.set = SetHeader {
            spare_volumes: 0,
            stripe_width: 0,
            local_data: 0,
            local_parity: 0,
            volume_blocks: wide,
            ..header.set
        };
        header.seal(&mut block);
        blocks.extend(block);
    }
    fs::write(dir.path().join("claims"), blocks).unwrap();
    let site = Site::default();
    let _ = receive(&site.store, &[dir.path().to_owned()], &Silent);
    let progress = site.receive_set(&bad.paths(), &packed);
    assert_eq!(progress.state, ProgressState::Complete, "{progress:?}");
    site.assert_same(&packed);
    assert_nothing_waits(&site);
}

#[test]
fn verify_compares_frames_and_names_the_volume() {
    let packed = sturdy();
    let carried = packed.carry();
    forge(&carried, 2, [data_block(&packed, 2)]);
    let verdict = carried.verify();
    assert_eq!(verdict.wrong_volumes, [2]);
    assert_eq!(verdict.state, SetState::Recoverable);
    let packed = bare();
    let carried = packed.carry();
    forge(&carried, 2, [data_block(&packed, 2)]);
    let verdict = carried.verify();
    assert_eq!(
        (verdict.state, verdict.wrong_volumes),
        (SetState::Lost, vec![2])
    );
    // A right copy beside it stands in.
    let good = packed.carry();
    let paths = [carried.root().to_owned(), good.volume(2)];
    let report = verify(&paths, &Silent).unwrap().report;
    assert_eq!(report.sets[0].state, SetState::Whole);
    assert_eq!(report.sets[0].wrong_volumes, [2]);
}

/// Blocks of sets that nobody packed.
fn claims(dir: &Path, count: u32) -> PathBuf {
    let mut blocks = Vec::new();
    for number in 0..count {
        let mut id = [0xee; 16];
        id[..4].copy_from_slice(&number.to_le_bytes());
        let header = BlockHeader {
            set: SetHeader {
                set_id: SetId(id),
                block_size: BlockSize::Full,
                codec: ParityCodec::Gf16,
                data_volumes: 3,
                spare_volumes: 0,
                stripe_width: 0,
                local_data: 0,
                local_parity: 0,
                catalog_blocks: 2,
                volume_blocks: 100,
            },
            volume_no: 1,
            block_no: 1,
            kind: BlockKind::Catalog,
        };
        let mut block = noise(u64::from(number), BLOCK_BYTES);
        header.seal(&mut block);
        blocks.extend(block);
    }
    let path = dir.join("claims.bin");
    fs::write(&path, blocks).unwrap();
    path
}

#[test]
fn forged_sets_are_bounded_and_keep_no_honest_one_out() {
    let packed = bare();
    let carried = packed.carry();
    let dir = TempDir::new().unwrap();
    let claims = claims(dir.path(), 2 * u32::try_from(SETS_MAX).unwrap());
    let site = Site::default();
    site.receive(&[carried.volume(1)]);
    site.receive(std::slice::from_ref(&claims));
    let waiting = status(&site.store).unwrap().incoming;
    assert_eq!(waiting.len(), SETS_MAX);
    assert!(waiting.iter().any(|set| set.set_id == packed.report.set_id));
    let progress = site.receive_set(&carried.paths(), &packed);
    assert_eq!(progress.state, ProgressState::Complete, "{progress:?}");
    let other = Shape {
        release: "other:1",
        seed: 5,
        items: &[300_000],
        blocks: 32,
        ..Shape::default()
    }
    .pack();
    site.receive(std::slice::from_ref(&claims));
    let progress = site.receive_set(&other.carry().paths(), &other);
    assert_eq!(progress.state, ProgressState::Complete);
    let given_up = forget_all(&site.store).unwrap().forgotten;
    assert!(!given_up.is_empty());
    assert_nothing_waits(&site);
    assert_eq!(site.releases().len(), 2);
}

#[test]
fn a_volume_of_a_set_that_was_taken_in_begins_nothing() {
    let packed = bare();
    let carried = packed.carry();
    let site = Site::default();
    site.receive(&carried.paths());
    let geometry = &packed.geometry;
    let all = (0..geometry.catalog_blocks()).map(|index| geometry.catalog_place(index));
    let catalog: Vec<u32> = all.chain(geometry.superblocks()).collect();
    carried.spoil(1, catalog);
    let progress = site.receive_set(&[carried.volume(1)], &packed);
    assert_eq!(progress.state, ProgressState::AlreadyHere);
    let read = progress.volumes_read[0];
    assert_eq!(read.volume_no, 1);
    assert!(read.whole_blocks < read.blocks);
    assert_nothing_waits(&site);
    // Once the release is taken out, the set may come again.
    site.store.remove_root(&packed.release.file_stem()).unwrap();
    let progress = site.receive_set(&packed.carry().paths(), &packed);
    assert_eq!(progress.state, ProgressState::Complete);
}

#[test]
fn what_lies_beside_a_whole_set_is_a_note_and_can_be_given_up() {
    let packed = bare();
    let remnant = Shape {
        release: "old:1",
        seed: 9,
        spare: 0,
        ..Shape::default()
    }
    .pack();
    let carried = packed.carry();
    let old = remnant.carry();
    // In the trash of a stick, and in an image behind the set that it was written over with.
    let trash = carried.root().join(".Trash-1000/files");
    fs::create_dir_all(&trash).unwrap();
    fs::copy(old.volume_file(2), trash.join("old.000")).unwrap();
    let image = TempDir::new().unwrap();
    let mut bytes = Vec::new();
    for volume_no in 1..=packed.volume_count() {
        bytes.extend(fs::read(carried.volume_file(volume_no)).unwrap());
    }
    bytes.extend(fs::read(old.volume_file(2)).unwrap());
    fs::write(image.path().join("disc.img"), bytes).unwrap();
    let rewritten = Site::default();
    let report = rewritten.receive(&[image.path().join("disc.img")]);
    assert!(!report.needs_volumes(), "{report:?}");
    let site = Site::default();
    let report = site.receive(&carried.paths());
    assert!(!report.needs_volumes(), "{report:?}");
    let waiting = status(&site.store).unwrap().incoming;
    assert_eq!(waiting.len(), 1);
    assert!(waiting[0].beside);
    assert!(matches!(
        forget(&site.store, &["ffff".to_owned(), "9".to_owned()]),
        Err(Error::NoSuchSet { .. })
    ));
    let name = remnant.report.set_id.short();
    assert_eq!(forget(&site.store, &[name]).unwrap().forgotten.len(), 1);
    assert_nothing_waits(&site);

    // By itself it is waited for.
    let report = site.receive(&[old.volume(2)]);
    assert!(report.needs_volumes());
    assert_eq!(
        forget(&site.store, &["1".to_owned()])
            .unwrap()
            .forgotten
            .len(),
        1
    );
    assert_nothing_waits(&site);
}

#[test]
fn what_gave_nothing_is_named() {
    let packed = bare();
    let carried = packed.carry();
    let empty = TempDir::new().unwrap();
    fs::write(empty.path().join("notes"), noise(1, 100_000)).unwrap();
    let site = Site::default();
    let report = site.receive(&[carried.root().to_owned(), empty.path().to_owned()]);
    assert_eq!(report.empty_paths, [empty.path()]);
}

/// Asks to stop once so many bytes were read.
struct StopsAfter(AtomicU64);

impl Monitor for StopsAfter {
    fn advance(&self, bytes: u64) {
        let less = |left: u64| Some(left.saturating_sub(bytes));
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    fn stop_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

#[test]
fn the_rest_of_a_volume_that_was_not_read_is_no_damage() {
    let packed = bare();
    let carried = packed.carry();
    let site = Site::default();
    for volume_no in 2..=packed.volume_count() {
        site.receive(&[carried.volume(volume_no)]);
    }
    let stops = StopsAfter(AtomicU64::new(1_500_000));
    let error = receive(&site.store, &[carried.volume(1)], &stops).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Interrupted), "{error:?}");
    let waiting = &status(&site.store).unwrap().incoming[0];
    assert_eq!(waiting.state, ProgressState::NeedsVolumes);
    assert_eq!(waiting.needs.ask_for, [1]);
    assert_eq!(waiting.needs.rest_of, [1]);
    assert!(waiting.needs.damaged.is_empty());
    let room = waiting.room.unwrap();
    assert!(room.needed_bytes > 0 && room.free_bytes > 0);
    let progress = site.receive_set(&[carried.volume(1)], &packed);
    assert_eq!(progress.state, ProgressState::Complete);
    site.assert_same(&packed);
}
