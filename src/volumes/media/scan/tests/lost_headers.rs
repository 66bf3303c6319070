//! Blocks whose first sector is lost, in every way and at every place.

use std::sync::OnceLock;

use super::*;

const SECTOR: u64 = 2048;

/// A damaged block as it was visited.
#[derive(Debug, Clone)]
struct Damaged {
    origin: HeaderOrigin,
    slices: Slices,
    offset: u64,
    bytes: Vec<u8>,
}

struct Visited {
    report: ScanReport,
    whole: BTreeSet<u32>,
    damaged: BTreeMap<u32, Damaged>,
}

impl Visited {
    /// The numbers of the blocks that were placed by their neighbors.
    fn placed(&self) -> Vec<u32> {
        self.damaged
            .iter()
            .filter(|(_, one)| one.origin == HeaderOrigin::Neighbors)
            .map(|(block_no, _)| *block_no)
            .collect()
    }

    /// Asserts that known slices have the right bytes, others are lost, and every block lies where it should.
    fn are_right(&self, front: u64) {
        for (block_no, one) in &self.damaged {
            assert_eq!(one.offset, front + u64::from(*block_no) * BLOCK);
            let right = block(*block_no);
            for slice in one.slices.iter() {
                let range = bytes_of(slice);
                assert!(
                    one.bytes[range.clone()] == right[range],
                    "slice {slice} of block {block_no}"
                );
            }
            if one.origin == HeaderOrigin::Neighbors {
                assert!(!one.slices.is_none() && !one.slices.has(0));
            }
        }
        assert_eq!(
            self.report.damaged_blocks,
            u64::try_from(self.damaged.len()).unwrap()
        );
    }
}

fn visit(reader: &dyn ReadAt, access: AccessPattern) -> Visited {
    let whole = Mutex::new(BTreeSet::new());
    let damaged = Mutex::new(BTreeMap::new());
    let visit = |sighting: &Sighting<'_>| {
        match sighting {
            Sighting::Whole { header, .. } => {
                assert!(whole.lock().unwrap().insert(header.block_no));
            }
            Sighting::Damaged {
                header,
                origin,
                block,
                slices,
                offset,
                ..
            } => {
                let right = Geometry::from_header(&SET).unwrap();
                assert_eq!(header.set, SET);
                assert_eq!(header.kind, right.kind(1, header.block_no));
                let one = Damaged {
                    origin: *origin,
                    slices: *slices,
                    offset: *offset,
                    bytes: block.to_vec(),
                };
                // A later pass knows more of a block.
                let before = damaged.lock().unwrap().insert(header.block_no, one);
                let known = before.map_or(Slices::NONE, |before: Damaged| before.slices);
                assert_eq!(known.and(*slices), known, "block {}", header.block_no);
            }
        }
        ControlFlow::Continue(())
    };
    let report = scan_reader(reader, 0, access, &visit, &Silent).unwrap();
    Visited {
        report,
        whole: whole.into_inner().unwrap(),
        damaged: damaged.into_inner().unwrap(),
    }
}

/// The first 300 blocks of the volume, in three segments.
fn volume() -> &'static [u8] {
    static VOLUME: OnceLock<Vec<u8>> = OnceLock::new();
    VOLUME.get_or_init(|| blocks(300))
}

fn behind(front: u64) -> Vec<u8> {
    let mut bytes = vec![0x8a; usize::try_from(front).unwrap()];
    bytes.extend_from_slice(volume());
    bytes
}

/// The first sector of each of these blocks, where sectors and blocks begin together or not.
fn first_sectors(front: u64, block_nos: &[u32]) -> Vec<Range<u64>> {
    block_nos
        .iter()
        .map(|no| {
            let sector = (front + u64::from(*no) * BLOCK) / SECTOR * SECTOR;
            sector..sector + SECTOR
        })
        .collect()
}

const BOTH: [AccessPattern; 2] = [AccessPattern::Parallel, AccessPattern::Sequential];

#[test]
fn a_lost_header_costs_its_slice_and_the_neighbors_name_the_block() {
    // Alone, in runs, at both ends of the volume and on both sides of the edges of segments.
    let mut lost = vec![0, 1, 7, 50, 51, 52];
    lost.extend(126..132);
    lost.extend(250..260);
    lost.extend([298, 299]);
    for access in BOTH {
        let faulty = Faulty::new(volume().to_vec(), first_sectors(0, &lost));
        let met = visit(&faulty, access);
        met.are_right(0);
        assert_eq!(met.placed(), lost);
        assert_eq!(met.whole.len(), 300 - lost.len());
        assert!(met.damaged.values().all(|one| one.slices.count() == 31));
        assert_eq!(
            met.report.unread_bytes,
            SECTOR * u64::try_from(lost.len()).unwrap()
        );
    }
}

#[test]
fn blocks_are_placed_at_any_phase() {
    let lost = [60, 127, 128, 129, 200, 201, 299];
    for front in [1, 512, 2047, 2048 * 33, 100_001] {
        for access in BOTH {
            let faulty = Faulty::new(behind(front), first_sectors(front, &lost));
            let met = visit(&faulty, access);
            met.are_right(front);
            // The sector holds the end of the block before as well, unless blocks begin at sectors.
            let also = if front % SECTOR == 0 { 0 } else { 1 };
            assert_eq!(met.placed(), lost, "front {front}");
            for no in lost {
                assert_eq!(
                    met.damaged[&no].slices.count(),
                    31 - also * u32::from(lost.contains(&(no + 1)))
                );
            }
        }
    }
}

#[test]
fn zeros_and_other_bytes_instead_of_a_header_are_as_good_as_an_error() {
    let zeroed = [3, 4, 5, 90, 128, 270];
    let garbage = [20, 21, 100, 129, 256];
    let mut bytes = volume().to_vec();
    for (nos, fill) in [(&zeroed[..], 0), (&garbage[..], 0x77)] {
        for no in nos {
            let at = *no as usize * BLOCK_BYTES;
            bytes[at..at + 2048].fill(fill);
        }
    }
    for access in BOTH {
        let met = visit(&Faulty::new(bytes.clone(), vec![]), access);
        met.are_right(0);
        let mut lost: Vec<u32> = zeroed.iter().chain(&garbage).copied().collect();
        lost.sort_unstable();
        assert_eq!(met.placed(), lost);
        assert_eq!(met.whole.len(), 300 - lost.len());
        assert!(met.damaged.values().all(|one| one.slices.count() == 31));
    }
}

#[test]
fn a_scratch_over_many_blocks_leaves_the_slices_at_its_edges() {
    let scratch = 10 * BLOCK + 5 * SECTOR..40 * BLOCK + 7 * SECTOR;
    for access in BOTH {
        let met = visit(
            &Faulty::new(volume().to_vec(), vec![scratch.clone()]),
            access,
        );
        met.are_right(0);
        assert_eq!(met.damaged.keys().copied().collect::<Vec<_>>(), [10, 40]);
        assert_eq!(met.damaged[&10].origin, HeaderOrigin::Read);
        assert_eq!(met.damaged[&10].slices.count(), 5);
        assert_eq!(met.damaged[&40].origin, HeaderOrigin::Neighbors);
        assert_eq!(met.damaged[&40].slices.count(), 32 - 7);
        assert_eq!(met.report.unread_bytes, scratch.end - scratch.start);
    }
}

#[test]
fn more_blocks_than_can_wait_are_placed_by_the_one_before() {
    let lost: Vec<u32> = (30..90).collect();
    for access in BOTH {
        let met = visit(
            &Faulty::new(volume().to_vec(), first_sectors(0, &lost)),
            access,
        );
        met.are_right(0);
        assert_eq!(met.placed(), lost);
    }
}

#[test]
fn what_follows_a_volume_that_was_cut_is_not_taken_for_its_blocks() {
    // Block 40 ends in the middle, and other bytes follow for longer than blocks wait.
    let mut bytes = volume()[..40 * BLOCK_BYTES + 30_000].to_vec();
    let mut state = 1_u32;
    bytes.extend((0..60 * BLOCK_BYTES).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    }));
    // Then blocks of another place, in step with the first ones.
    bytes.truncate(90 * BLOCK_BYTES);
    bytes.extend(block(200));
    for access in BOTH {
        let met = visit(&Faulty::new(bytes.clone(), vec![]), access);
        assert_eq!(met.whole.len(), 41);
        assert_eq!(met.damaged.keys().copied().collect::<Vec<_>>(), [40]);
        assert_eq!(met.damaged[&40].origin, HeaderOrigin::Read);
    }
}

#[test]
fn errors_that_come_once_leave_no_trace() {
    let bad: Vec<_> = (0..300 * 32)
        .step_by(20)
        .map(|no| no * SECTOR..(no + 1) * SECTOR)
        .collect();
    for access in BOTH {
        let faulty = Faulty::failing_first(1, volume().to_vec(), bad.clone());
        let met = visit(&faulty, access);
        assert_eq!(met.whole.len(), 300);
        assert_eq!(met.report.unread_bytes, 0);
        assert_eq!(met.report.damaged_blocks, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]
    #[test]
    fn every_readable_byte_of_a_placed_block_is_known_and_right(
        sectors in proptest::collection::btree_set(0_u64..300 * 32, 0..500),
        headers in proptest::collection::btree_set(0_u32..300, 0..12),
        front in prop_oneof![Just(0_u64), 0..200_000_u64],
        is_parallel: bool,
    ) {
        let access = BOTH[usize::from(!is_parallel)];
        let bytes = behind(front);
        let mut bad: Vec<_> = sectors.iter().map(|no| no * SECTOR..(no + 1) * SECTOR).collect();
        bad.extend(first_sectors(front, &headers.into_iter().collect::<Vec<_>>()));
        let met = visit(&Faulty::new(bytes, bad.clone()), access);
        met.are_right(front);
        let first = met.whole.first().copied();
        for no in 0..300_u32 {
            let start = front + u64::from(no) * BLOCK;
            let is_bad = |range: Range<u64>| bad.iter().any(|bad| bad.start < range.end && range.start < bad.end);
            if !is_bad(start..start + BLOCK) {
                prop_assert!(met.whole.contains(&no), "block {} is whole", no);
                continue;
            }
            let mut readable = Slices::NONE;
            for slice in 0..32_u64 {
                if !is_bad(start + slice * SECTOR..start + (slice + 1) * SECTOR) {
                    readable.add(usize::try_from(slice).unwrap());
                }
            }
            match met.damaged.get(&no) {
                Some(one) => prop_assert_eq!(one.slices, readable, "block {}", no),
                // Only the first whole block shows where those before it begin.
                None => prop_assert!(
                    readable.is_none() || (front % BLOCK != 0 && first.is_none_or(|first| no < first)),
                    "block {} is missing", no
                ),
            }
        }
    }
}
