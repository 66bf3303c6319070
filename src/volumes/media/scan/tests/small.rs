//! Small blocks are found and placed as full ones are.

use super::*;

const SMALL: usize = 4096;

fn small_blocks(count: u32) -> Vec<u8> {
    (0..count)
        .flat_map(|block_no| block_of(BlockSize::Small, block_no))
        .collect()
}

#[test]
fn every_small_block_is_met_once_behind_any_front_and_over_segments() {
    let count = 990;
    let segment_bytes = usize::try_from(SEGMENT_BYTES).unwrap();
    for front in [0, 1, 2048 * 33, segment_bytes - 100_000] {
        let mut bytes = vec![0x8a; front];
        bytes.extend(small_blocks(count));
        bytes.extend([1, 2, 3]);
        for met in both(&bytes) {
            assert_eq!(met.whole, (0..count).collect(), "front {front}");
            assert_eq!(met.report.damaged_blocks, 0);
        }
    }
}

#[test]
fn sets_of_both_sizes_lie_side_by_side() {
    // The numbers tell the sets apart.
    let mut bytes = small_blocks(20);
    bytes.extend((100..110).flat_map(block));
    bytes.extend((20..40).flat_map(|block_no| block_of(BlockSize::Small, block_no)));
    for met in both(&bytes) {
        assert_eq!(met.whole, (0..40).chain(100..110).collect());
    }
}

#[test]
fn lost_headers_follow_from_neighbors_before_the_size_is_known_too() {
    for at in [0, 5] {
        let mut bytes = small_blocks(60);
        for block_no in at..at + 3 {
            bytes[block_no * SMALL..block_no * SMALL + 2048].fill(0);
        }
        for met in both(&bytes) {
            let lost: BTreeSet<u32> = (at..at + 3).map(|no| u32::try_from(no).unwrap()).collect();
            assert_eq!(met.damaged, lost, "from {at}");
            for slices in met.known.values() {
                assert_eq!(slices.bits(), 0b10);
            }
            assert_eq!(met.whole.len(), 57);
        }
    }
}

#[test]
fn a_bad_sector_costs_itself() {
    let bytes = small_blocks(100);
    let bad = 50 * SMALL as u64 + 2048..50 * SMALL as u64 + 4096;
    for access in [AccessPattern::Parallel, AccessPattern::Sequential] {
        let met = run(&Faulty::new(bytes.clone(), vec![bad.clone()]), access);
        assert_eq!(met.whole.len(), 99);
        assert_eq!(met.known[&50].bits(), 1);
    }
}

proptest! {
    #[test]
    fn hurt_small_blocks_never_panic(
        hurt in proptest::collection::vec((0_usize..60 * SMALL, 1_usize..20_000, any::<bool>()), 0..12),
    ) {
        let mut bytes = small_blocks(40);
        bytes.extend((100..110).flat_map(block));
        for (at, len, zero) in hurt {
            let end = (at + len).min(bytes.len());
            for byte in &mut bytes[at.min(end)..end] {
                *byte = if zero { 0 } else { *byte ^ 0x55 };
            }
        }
        for met in both(&bytes) {
            prop_assert!(met.whole.len() <= 50);
        }
    }
}
