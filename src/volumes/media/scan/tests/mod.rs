#![allow(clippy::unwrap_used, clippy::single_range_in_vec_init)]
use super::*;
use crate::base::id::SetId;
use crate::base::monitor::{Recording, Silent};
use crate::volumes::block::{BlockSize, HEADER_BYTES, ParityCodec, SetHeader};
use crate::volumes::geometry::Geometry;
use crate::volumes::media::images::SourceForm;
use crate::volumes::media::scan::span::SEARCH_HASHES_MAX;
use crate::volumes::media::surviving::faulty::Faulty;
use crate::volumes::slices::bytes_of;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

mod lost_headers;
mod small;

const SET: SetHeader = SetHeader {
    set_id: SetId([1; 16]),
    block_size: BlockSize::Full,
    codec: ParityCodec::Gf16,
    data_volumes: 1,
    spare_volumes: 0,
    stripe_width: 0,
    local_data: 9,
    local_parity: 1,
    catalog_blocks: 1,
    volume_blocks: 1000,
};

/// A block of the set whose slices all differ, from those of other blocks too.
fn block(block_no: u32) -> Vec<u8> {
    block_of(BlockSize::Full, block_no)
}

/// The same in a set of blocks of this size.
fn block_of(block_size: BlockSize, block_no: u32) -> Vec<u8> {
    let set = SetHeader { block_size, ..SET };
    let mut state = u64::from(block_no) + 1;
    let mut bytes: Vec<u8> = (0..block_size.bytes() / 8)
        .flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .collect();
    let header = BlockHeader {
        set,
        volume_no: 1,
        block_no,
        kind: Geometry::from_header(&set).unwrap().kind(1, block_no),
    };
    header.seal(&mut bytes);
    bytes
}

fn blocks(count: u32) -> Vec<u8> {
    (0..count).flat_map(block).collect()
}

struct Met {
    report: ScanReport,
    whole: BTreeSet<u32>,
    damaged: BTreeSet<u32>,
    /// What is known of damaged blocks.
    known: BTreeMap<u32, Slices>,
}

impl Met {
    /// The slices of a damaged block that are not known.
    fn lost(&self, block_no: u32) -> Vec<usize> {
        Slices::all(BlockSize::Full)
            .without(self.known[&block_no])
            .iter()
            .collect()
    }
}

fn run(reader: &dyn ReadAt, access: AccessPattern) -> Met {
    let (whole, damaged) = (Mutex::new(BTreeSet::new()), Mutex::new(BTreeSet::new()));
    let known = Mutex::new(BTreeMap::new());
    let visit = |sighting: &Sighting<'_>| {
        match sighting {
            Sighting::Whole {
                header,
                block: bytes,
                ..
            } => {
                assert!(*bytes == block_of(header.set.block_size, header.block_no));
                whole.lock().unwrap().insert(header.block_no);
            }
            Sighting::Damaged {
                header,
                block,
                slices,
                ..
            } => {
                assert_eq!(block.len(), header.block_bytes());
                known.lock().unwrap().insert(header.block_no, *slices);
                damaged.lock().unwrap().insert(header.block_no);
            }
        }
        ControlFlow::Continue(())
    };
    let report = scan_reader(reader, 0, access, &visit, &Silent).unwrap();
    Met {
        report,
        whole: whole.into_inner().unwrap(),
        damaged: damaged.into_inner().unwrap(),
        known: known.into_inner().unwrap(),
    }
}

fn both(bytes: &[u8]) -> [Met; 2] {
    [AccessPattern::Parallel, AccessPattern::Sequential]
        .map(|access| run(&Faulty::new(bytes.to_vec(), vec![]), access))
}

#[test]
fn every_block_is_met_once_behind_any_front_and_over_many_segments() {
    let count = 300;
    for front in [0, 1, 512, 2048 * 33, 100_001] {
        let mut bytes = vec![0x8a; front];
        bytes.extend(blocks(count));
        bytes.extend([1, 2, 3]);
        for met in both(&bytes) {
            assert_eq!(met.whole, (0..count).collect(), "front {front}");
            assert_eq!(
                (met.report.whole_blocks, met.report.damaged_blocks),
                (u64::from(count), 0)
            );
        }
    }
}

#[test]
fn a_flipped_bit_is_a_damaged_block_in_its_place_and_zeros_are_none() {
    let mut bytes = blocks(200);
    for block_no in [0, 7, 8, 9, 127, 128, 199] {
        bytes[block_no * BLOCK_BYTES + 3000] ^= 1;
    }
    bytes[60 * BLOCK_BYTES..63 * BLOCK_BYTES].fill(0);
    for met in both(&bytes) {
        assert_eq!(met.damaged, BTreeSet::from([0, 7, 8, 9, 127, 128, 199]));
        assert_eq!(met.report.whole_blocks, 200 - 7 - 3);
        // Nothing shows which slice the bit is in.
        assert!(
            met.known
                .values()
                .all(|slices| slices.is_all(BlockSize::Full))
        );
    }
}

#[test]
fn bytes_lost_or_gained_in_the_middle_cost_the_block_they_were_in() {
    for (lost, gained) in [(512, 0), (1, 0), (0, 1), (0, 512), (70_000, 0), (0, 70_000)] {
        let mut bytes = blocks(160);
        let at = 40 * BLOCK_BYTES + 1000;
        bytes.splice(at..at + lost, vec![0x55; gained]);
        for met in both(&bytes) {
            let whole: BTreeSet<u32> = (0..160)
                .filter(|no| *no != 40 && (*no != 41 || lost < 60_000))
                .collect();
            assert_eq!(met.whole, whole, "lost {lost}, gained {gained}");
        }
    }
}

#[test]
fn bad_sectors_are_gaps_and_cost_only_the_blocks_they_touch() {
    let bad = vec![
        10 * BLOCK + 2048..10 * BLOCK + 6144,
        150 * BLOCK..153 * BLOCK,
    ];
    for access in [AccessPattern::Parallel, AccessPattern::Sequential] {
        let met = run(&Faulty::new(blocks(200), bad.clone()), access);
        assert_eq!(met.report.whole_blocks, 196);
        assert_eq!(met.report.unread_bytes, 4096 + 3 * BLOCK);
        let gaps: Vec<_> = met
            .report
            .gaps
            .iter()
            .map(|gap| gap.range.clone())
            .collect();
        assert_eq!(gaps, bad);
        assert_eq!(met.damaged, BTreeSet::from([10]));
        assert_eq!(met.lost(10), [1, 2]);
    }
}

#[test]
fn behind_a_scratch_every_sector_between_bad_ones_is_read() {
    let sectors = |block_no: u64, range: Range<u64>| {
        let begin = block_no * BLOCK;
        begin + range.start * 2048..begin + range.end * 2048
    };
    // Each block behind the scratch begins with a bad sector, and its last good one stands before another bad one.
    let mut bad = vec![20 * BLOCK..24 * BLOCK];
    for block_no in 24..30 {
        bad.extend([(0..3), (9..10), (31..32)].map(|range| sectors(block_no, range)));
    }
    for access in [AccessPattern::Parallel, AccessPattern::Sequential] {
        let faulty = Faulty::new(blocks(60), bad.clone());
        let met = run(&faulty, access);
        assert_eq!(met.report.whole_blocks, 50);
        assert_eq!(met.report.unread_bytes, 4 * BLOCK + 6 * 5 * 2048);
        for block_no in 24..30 {
            assert_eq!(met.lost(block_no), [0, 1, 2, 9, 31]);
        }
        // No sector of the scratch is asked for by itself more often than a bad sector elsewhere.
        let places = faulty.places.lock().unwrap();
        for at in (20 * BLOCK..24 * BLOCK).step_by(2048) {
            let tries = places.iter().filter(|place| **place == at).count();
            assert!(tries <= 8, "{tries} tries at {at}");
        }
    }
}

#[test]
fn a_truncated_last_block_is_damaged() {
    let mut bytes = blocks(3);
    bytes.truncate(2 * BLOCK_BYTES + 1000);
    for met in both(&bytes) {
        assert_eq!(
            (&met.whole, &met.damaged),
            (&BTreeSet::from([0, 1]), &BTreeSet::from([2]))
        );
        assert!(met.known[&2].is_none());
    }
    let mut bytes = blocks(3);
    bytes.truncate(2 * BLOCK_BYTES + 9000);
    for met in both(&bytes) {
        assert_eq!(met.known[&2].iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    }
}

#[test]
fn sectors_that_read_as_zeros_or_as_another_one_are_not_known() {
    let mut bytes = blocks(20);
    let slice = |block_no: usize, slice: usize| {
        let bytes = bytes_of(slice);
        block_no * BLOCK_BYTES + bytes.start..block_no * BLOCK_BYTES + bytes.end
    };
    bytes[slice(5, 3)].fill(0);
    bytes.copy_within(slice(9, 30), slice(9, 7).start);
    for met in both(&bytes) {
        assert_eq!(met.damaged, BTreeSet::from([5, 9]));
        assert_eq!(met.lost(5), [3]);
        assert_eq!(met.lost(9), [7, 30]);
    }
}

#[test]
fn slices_are_exact_at_any_phase_of_blocks_and_sectors() {
    for front in [0, 1, 512, 2048 * 33, 100_001] {
        let mut bytes = vec![0x8a; front];
        bytes.extend(blocks(200));
        // The second half of slice 4 and the first half of slice 5, or one whole slice.
        let sector = (front as u64 + 140 * BLOCK + 5 * 2048) / 2048 * 2048;
        let faulty = Faulty::new(bytes, vec![sector..sector + 2048]);
        let met = run(&faulty, AccessPattern::Parallel);
        assert_eq!(met.report.unread_bytes, 2048);
        assert_eq!(met.damaged, BTreeSet::from([140]));
        let expected: &[usize] = if front % 2048 == 0 { &[5] } else { &[4, 5] };
        assert_eq!(met.lost(140), expected, "front {front}");
    }
}

#[test]
fn a_file_made_of_headers_alone_costs_a_bounded_number_of_hashes() {
    let header = &block(3)[..HEADER_BYTES];
    let bytes = header.repeat((8 << 20) / HEADER_BYTES + 4096);
    let met = run(&Faulty::new(bytes, vec![]), AccessPattern::Parallel);
    assert_eq!(met.report.whole_blocks, 0);
    assert!(met.report.damaged_blocks <= 2 * u64::from(SEARCH_HASHES_MAX));
}

#[test]
fn the_visitor_and_the_monitor_can_end_it() {
    let reader = Faulty::new(blocks(300), vec![]);
    let stop = |_: &Sighting<'_>| ControlFlow::Break(());
    let report = scan_reader(&reader, 0, AccessPattern::Parallel, &stop, &Silent).unwrap();
    assert!(report.stopped && report.whole_blocks < 10);
    let monitor = Recording::default();
    monitor.stop.store(true, Ordering::Relaxed);
    let go_on = |_: &Sighting<'_>| ControlFlow::Continue(());
    let interrupted = scan_reader(&reader, 0, AccessPattern::Parallel, &go_on, &monitor);
    assert!(matches!(interrupted, Err(MediaError::Interrupted(_))));
}

#[test]
fn what_cannot_be_opened_is_a_finding_and_the_rest_is_scanned() {
    let dir = tempfile::tempdir().unwrap();
    let (gone, here) = (dir.path().join("gone"), dir.path().join("here"));
    std::fs::write(&here, blocks(2)).unwrap();
    let sources = [gone, here].map(|path| MediaSource {
        path,
        bytes: 2 * BLOCK,
        access: AccessPattern::Parallel,
        form: SourceForm::default(),
    });
    let monitor = Recording::default();
    let report = scan(
        &sources,
        &|_: &Sighting<'_>| ControlFlow::Continue(()),
        &monitor,
    )
    .unwrap();
    assert_eq!((report.whole_blocks, report.unopened), (2, vec![0]));
    assert_eq!(monitor.findings.lock().unwrap().len(), 1);
    assert_eq!(monitor.bytes.load(Ordering::Relaxed), 2 * BLOCK);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn blocks_in_any_order_among_any_rubbish_are_all_found(
        parts in proptest::collection::vec((0_u32..20, proptest::collection::vec(any::<u8>(), 0..3000)), 0..12),
    ) {
        let mut bytes = Vec::new();
        for (block_no, rubbish) in &parts {
            bytes.extend_from_slice(rubbish);
            bytes.extend(block(*block_no));
        }
        for met in both(&bytes) {
            prop_assert_eq!(met.report.whole_blocks, parts.len() as u64);
        }
    }
}
