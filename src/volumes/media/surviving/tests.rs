#![allow(clippy::unwrap_used, clippy::single_range_in_vec_init)]
use super::faulty::Faulty;
use super::*;
use crate::base::monitor::{Recording, Silent};
use proptest::prelude::*;
use rustix::io::Errno;
use std::sync::atomic::Ordering;
use std::time::Duration;

fn patterned(bytes: u64) -> Vec<u8> {
    (0..bytes)
        .map(|i| u8::try_from(i % 251 + 1).unwrap())
        .collect()
}

fn around(retries: &RetryAllowance) -> ReadEffort<'_> {
    ReadEffort::Around {
        gaps: &[],
        retries: Some(retries),
        left_out: None,
    }
}

/// Reads pieces of a source one after the other, joins their gaps, and checks every byte outside of them.
fn read_in(pieces: usize, faulty: &Faulty, phase: u64) -> Vec<Range<u64>> {
    let retries = RetryAllowance::of(Duration::from_mins(5));
    let reader = SurvivingReader::new(faulty, phase, around(&retries), &Silent);
    let mut gaps: Vec<Range<u64>> = Vec::new();
    let mut offset = 0;
    for part in faulty.bytes.chunks(pieces) {
        let mut buf = vec![0xfe; part.len()];
        let found = reader.read(offset, &mut buf).unwrap();
        let mut expected = part.to_vec();
        for gap in &found {
            let within = |at: u64| usize::try_from(at - offset).unwrap();
            expected[within(gap.start)..within(gap.end)].fill(0);
        }
        assert!(buf == expected, "gaps {found:?} in the piece at {offset}");
        for gap in found {
            match gaps.last_mut() {
                Some(last) if last.end == gap.start => last.end = gap.end,
                _ => gaps.push(gap),
            }
        }
        offset += part.len() as u64;
    }
    gaps
}

#[test]
fn a_bad_sector_is_a_gap_of_its_own_bytes_at_any_phase() {
    let bytes = patterned(10 * BLOCK);
    // 700 bytes in the middle of a sector make the sector bad.
    let bad = vec![
        3 * BLOCK + 4096..3 * BLOCK + 6144,
        7 * BLOCK + 100..7 * BLOCK + 800,
    ];
    for phase in [0, 1, 512, 2048, 40_000] {
        let faulty = Faulty::new(bytes.clone(), bad.clone());
        let gaps = read_in(4 * BLOCK_BYTES, &faulty, phase);
        let second = &gaps[1];
        assert_eq!(gaps[0], bad[0], "phase {phase}");
        // Where a block begins inside of the bad sector, the half without bad bytes may be read.
        assert!(second.start >= 7 * BLOCK && second.end <= 7 * BLOCK + SECTOR);
        assert!(second.start <= 7 * BLOCK + 100 && second.end >= 7 * BLOCK + 800);
    }
}

#[test]
fn sectors_lie_where_the_source_has_them_whatever_the_offset() {
    let faulty = Faulty::new(vec![7; 4 * BLOCK_BYTES], vec![BLOCK..BLOCK + 1]);
    let mut buf = vec![1; 3 * BLOCK_BYTES];
    let retries = RetryAllowance::of(Duration::from_mins(5));
    let reader = SurvivingReader::new(&faulty, 0, around(&retries), &Silent);
    let gaps = reader.read(100, &mut buf).unwrap();
    assert_eq!(gaps, vec![BLOCK..BLOCK + SECTOR]);
}

#[test]
fn a_medium_taken_out_is_one_gap_and_not_asked_again() {
    let mut faulty = Faulty::new(vec![7; 8 * BLOCK_BYTES], vec![0..1]);
    faulty.errno = Errno::NOMEDIUM;
    assert_eq!(read_in(8 * BLOCK_BYTES, &faulty, 0), vec![0..8 * BLOCK]);
    assert_eq!(faulty.reads.load(Ordering::Relaxed), 1);
}

#[test]
fn a_long_scratch_costs_few_tries_and_ends_at_its_exact_bytes() {
    let scratch = 5 * SECTOR..40 * BLOCK + 9 * SECTOR;
    for (pieces, phase) in [(4 * BLOCK_BYTES, 0), (4 * BLOCK_BYTES, 512), (5000, 0)] {
        let faulty = Faulty::new(patterned(48 * BLOCK), vec![scratch.clone()]);
        let gaps = read_in(pieces, &faulty, phase);
        assert_eq!(gaps, vec![scratch.clone()], "phase {phase}");
        if pieces > BLOCK_BYTES {
            // 64 sectors three times, each block once, each piece's end once, and the sectors around both edges.
            let reads = faulty.reads.load(Ordering::Relaxed);
            assert!(reads < 64 * 3 + 40 + 10 + 60, "{reads}");
        }
    }
}

#[test]
fn an_error_that_passes_costs_nothing() {
    let bad: Vec<_> = (0..20)
        .map(|no| no * 20 * SECTOR..(no * 20 + 1) * SECTOR)
        .collect();
    // The piece, its block, its 32 KiB and the sector itself twice.
    for fails in [1, 5] {
        let faulty = Faulty::failing_first(fails, patterned(13 * BLOCK), bad.clone());
        assert_eq!(read_in(2 * BLOCK_BYTES, &faulty, 0), vec![]);
    }
    let faulty = Faulty::failing_first(20, patterned(13 * BLOCK), bad.clone());
    assert_eq!(read_in(2 * BLOCK_BYTES, &faulty, 0), bad);
}

#[test]
fn without_time_left_a_sector_is_tried_once() {
    let faulty = Faulty::new(patterned(BLOCK), vec![0..SECTOR]);
    let retries = RetryAllowance::of(Duration::ZERO);
    let reader = SurvivingReader::new(&faulty, 0, around(&retries), &Silent);
    reader.read(0, &mut vec![0; BLOCK_BYTES]).unwrap();
    let once = faulty.reads.load(Ordering::Relaxed);
    assert_eq!(read_in(BLOCK_BYTES, &faulty, 0), vec![0..SECTOR]);
    let all = faulty.reads.load(Ordering::Relaxed);
    assert_eq!(all - once, once + 2);
    let some = RetryAllowance::of(Duration::from_secs(3));
    some.spend(Duration::from_secs(2));
    assert!(!some.is_spent());
    some.spend(Duration::from_secs(2));
    assert!(some.is_spent());
}

#[test]
fn the_stop_is_heard_between_sectors() {
    let monitor = Recording::default();
    monitor.stop.store(true, Ordering::Relaxed);
    let faulty = Faulty::new(patterned(BLOCK), vec![0..SECTOR]);
    let retries = RetryAllowance::of(Duration::from_mins(5));
    let reader = SurvivingReader::new(&faulty, 0, around(&retries), &monitor);
    let stopped = reader.read(0, &mut vec![0; BLOCK_BYTES]);
    assert!(matches!(stopped, Err(MediaError::Interrupted(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn scattered_bad_sectors_are_the_gaps_and_nothing_else(
        sectors in proptest::collection::btree_set(0_u64..320, 0..60),
        pieces in 3000_usize..300_000,
    ) {
        let bad: Vec<_> = sectors.iter().map(|no| no * SECTOR..(no + 1) * SECTOR).collect();
        let mut joined: Vec<Range<u64>> = Vec::new();
        for one in &bad {
            match joined.last_mut() {
                Some(last) if last.end == one.start => last.end = one.end,
                _ => joined.push(one.clone()),
            }
        }
        let faulty = Faulty::new(patterned(10 * BLOCK), bad);
        prop_assert_eq!(read_in(pieces, &faulty, 0), joined);
    }
}

#[test]
fn the_first_time_goes_past_errors_and_never_back() {
    let mut bad = vec![3 * BLOCK + 4096..3 * BLOCK + 6144];
    // Long enough that stretches are skipped.
    bad.push(40 * BLOCK..300 * BLOCK);
    let faulty = Faulty::new(patterned(400 * BLOCK), bad.clone());
    let reader = SurvivingReader::new(&faulty, 0, ReadEffort::Past, &Silent);
    let mut gaps = Vec::new();
    for piece in 0..100 {
        let mut buf = vec![0xfe; 4 * BLOCK_BYTES];
        gaps.extend(reader.read(piece * 4 * BLOCK, &mut buf).unwrap());
    }
    let places = faulty.places.lock().unwrap();
    assert!(places.is_sorted(), "{places:?}");
    // 260 unreadable blocks cost a dozen tries, and good bytes behind them are left for the next time.
    let tries = places.iter().filter(|at| bad[1].contains(*at)).count();
    assert!(tries < 20, "{tries} tries");
    let lost: u64 = gaps.iter().map(|gap| gap.end - gap.start).sum();
    assert!((261 * BLOCK - 4096..400 * BLOCK).contains(&lost), "{lost}");
}

#[test]
fn the_second_time_reads_what_is_left_and_the_third_tries_bad_sectors_alone() {
    let bad = vec![5 * SECTOR..7 * SECTOR, 90 * SECTOR..91 * SECTOR];
    let faulty = Faulty::new(patterned(8 * BLOCK), bad.clone());
    let around = ReadEffort::Around {
        gaps: &[0..2 * BLOCK, 2 * BLOCK..4 * BLOCK],
        retries: None,
        left_out: None,
    };
    let reader = SurvivingReader::new(&faulty, 0, around, &Silent);
    let mut buf = vec![0; 8 * BLOCK_BYTES];
    assert_eq!(reader.read(0, &mut buf).unwrap(), bad);

    let retries = RetryAllowance::of(Duration::from_mins(5));
    let again = ReadEffort::Around {
        gaps: &bad,
        retries: Some(&retries),
        left_out: None,
    };
    faulty.places.lock().unwrap().clear();
    let reader = SurvivingReader::new(&faulty, 0, again, &Silent);
    assert_eq!(reader.read(0, &mut buf).unwrap(), bad);
    let places = faulty.places.lock().unwrap().clone();
    let tries = |sector: u64| places.iter().filter(|at| **at == sector * SECTOR).count();
    assert_eq!([5, 6, 90].map(tries), [2, 2, 2]);
}
