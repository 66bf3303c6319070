//! Puts a block together from damaged copies of it.
//!
//! Where the copies differ in a slice, every choice is tried as far as a bound allows. A slice that no copy knows is taken
//! for zeros, as blocks have at the end of a payload. The hash of the block decides.

use crate::volumes::block::BlockHeader;
use crate::volumes::slices::{self, SLICE_BYTES, Slices, bytes_of};

/// Most choices that are tried for one block: ten slices in which two copies differ.
const CHOICES_MAX: usize = 1 << 10;

/// A damaged copy of a block.
pub(crate) struct DamagedCopy {
    /// The block, 64 KiB.
    pub(crate) bytes: Vec<u8>,
    /// The slices that were read.
    pub(crate) slices: Slices,
}

/// Returns the block that the copies give together, with exactly this header and a right hash. `budget` counts the
/// hashes that are computed.
pub(crate) fn join(
    copies: &[DamagedCopy],
    expected: &BlockHeader,
    budget: &mut u32,
) -> Option<Vec<u8>> {
    let slice_count = slices::count_of(expected.set.block_size);
    let versions: Vec<Vec<&[u8]>> = (0..slice_count)
        .map(|slice| versions_of(copies, slice, expected))
        .collect();
    if versions[0].is_empty() {
        return None;
    }
    let open: Vec<usize> = (0..slice_count)
        .filter(|slice| versions[*slice].len() > 1)
        .collect();
    let mut block = vec![0; expected.block_bytes()];
    for (slice, versions) in versions.iter().enumerate() {
        block[bytes_of(slice)].copy_from_slice(versions.first().unwrap_or(&&[0; SLICE_BYTES][..]));
    }
    let mut choice = vec![0; open.len()];
    for _ in 0..CHOICES_MAX {
        *budget = budget.checked_sub(1)?;
        if BlockHeader::open_mut(&mut block).as_ref() == Some(expected) {
            return Some(block);
        }
        // The choices count like the digits of a number.
        let next = (0..open.len()).find(|at| choice[*at] + 1 < versions[open[*at]].len())?;
        choice[..next].fill(0);
        choice[next] += 1;
        for at in 0..=next {
            block[bytes_of(open[at])].copy_from_slice(versions[open[at]][choice[at]]);
        }
    }
    None
}

/// Returns the different versions of a slice. Those of the first one count only with the right header.
fn versions_of<'a>(
    copies: &'a [DamagedCopy],
    slice: usize,
    expected: &BlockHeader,
) -> Vec<&'a [u8]> {
    let mut versions: Vec<&[u8]> = Vec::new();
    for copy in copies.iter().filter(|copy| copy.slices.has(slice)) {
        let bytes = &copy.bytes[bytes_of(slice)];
        let is_possible = slice > 0 || BlockHeader::peek(bytes).as_ref() == Some(expected);
        if is_possible && !versions.contains(&bytes) {
            versions.push(bytes);
        }
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::SetId;
    use crate::volumes::block::{BLOCK_BYTES, BlockKind, BlockSize, ParityCodec, SetHeader};
    use crate::volumes::slices::SLICES;

    fn header() -> BlockHeader {
        BlockHeader {
            set: SetHeader {
                set_id: SetId([3; 16]),
                block_size: BlockSize::Full,
                codec: ParityCodec::Gf16,
                data_volumes: 1,
                spare_volumes: 0,
                stripe_width: 0,
                local_data: 9,
                local_parity: 1,
                catalog_blocks: 1,
                volume_blocks: 100,
            },
            volume_no: 1,
            block_no: 7,
            kind: BlockKind::Data,
        }
    }

    fn block() -> Vec<u8> {
        let fill = |at: usize| u8::try_from(at * 7 % 251).expect("below 251");
        let mut block: Vec<u8> = (0..BLOCK_BYTES).map(fill).collect();
        header().seal(&mut block);
        block
    }

    /// A copy with wrong bytes in some slices, known as bad or not.
    fn copy(wrong: &[usize], is_known: bool) -> DamagedCopy {
        let (mut bytes, mut slices) = (block(), Slices::all(BlockSize::Full));
        for slice in wrong {
            bytes[bytes_of(*slice)][100..200].fill(0x55);
            if is_known {
                slices.remove(*slice);
            }
        }
        DamagedCopy { bytes, slices }
    }

    #[test]
    fn disjoint_damage_of_two_copies_is_no_damage() {
        let even: Vec<usize> = (0..SLICES).step_by(2).collect();
        let odd: Vec<usize> = (1..SLICES).step_by(2).collect();
        let copies = [copy(&even, true), copy(&odd, true)];
        assert_eq!(join(&copies, &header(), &mut 1), Some(block()));
        // Nobody knows which slices are wrong: the hash tells.
        let copies = [copy(&[0, 4, 9], false), copy(&[1, 30, 31], false)];
        assert_eq!(join(&copies, &header(), &mut 100), Some(block()));
    }

    #[test]
    fn zeros_are_guessed() {
        let mut bytes = block();
        bytes[40_000..].fill(0);
        header().seal(&mut bytes);
        let mut slices = Slices::all(BlockSize::Full);
        (20..SLICES).for_each(|slice| slices.remove(slice));
        let whole = Some(bytes.clone());
        let copies = [DamagedCopy { bytes, slices }];
        assert_eq!(join(&copies, &header(), &mut 1), whole);
    }

    #[test]
    fn what_the_copies_do_not_give_is_not_made_up() {
        assert_eq!(join(&[copy(&[4], true)], &header(), &mut 100), None);
        let both = [copy(&[4], false), copy(&[4, 5], false)];
        assert_eq!(join(&both, &header(), &mut 100), None);
        let copies = [copy(&[0, 4, 9], false), copy(&[1, 30, 31], false)];
        let mut budget = 2;
        assert_eq!(join(&copies, &header(), &mut budget), None);
        assert_eq!(budget, 0);
    }
}
