//! The block: 64 KiB, or 4 KiB in small sets, with a header that names its volume set, volume and place.
//!
//! It handles bytes only. `media` finds blocks, and `geometry` knows what protects them.

use std::ops::Range;

use crate::base::id::{self, SetId};

/// Bytes of a full block, header included. No block is longer.
pub const BLOCK_BYTES: usize = 64 * 1024;
/// Bytes of a small block, header included.
pub const SMALL_BLOCK_BYTES: usize = 4 * 1024;
/// Bytes of a block's header.
pub const HEADER_BYTES: usize = 64;
/// First four bytes of every block.
pub const MAGIC: [u8; 4] = *b"\x8aCYB";
/// Most volumes a set may have, data and spare together.
pub(crate) const VOLUMES_MAX: u16 = 1024;

const VERSION: u8 = 1;
/// Range of the hash in the header.
const HASH: Range<usize> = 48..HEADER_BYTES;

/// The size of all blocks of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum BlockSize {
    /// 4 KiB, for small sets.
    Small = 12,
    /// 64 KiB.
    Full = 16,
}

impl BlockSize {
    /// Both sizes.
    pub const ALL: [Self; 2] = [Self::Small, Self::Full];

    /// Returns the size whose logarithm to base 2 this is.
    fn from_log2(log2: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|size| *size as u8 == log2)
    }

    /// Returns the bytes of a block, header included.
    pub const fn bytes(self) -> usize {
        1 << self as u8
    }

    /// Returns the bytes of payload in a block. Even and a multiple of 64, as the Reed-Solomon codes require.
    pub const fn payload_bytes(self) -> usize {
        self.bytes() - HEADER_BYTES
    }

    /// Returns the bytes of the text for people that begins a superblock's payload.
    pub const fn text_bytes(self) -> usize {
        match self {
            Self::Small => 512,
            Self::Full => 4096,
        }
    }

    /// Returns how many blocks of this size are as long as a full one.
    pub(crate) fn in_full_block(self) -> u32 {
        1 << (Self::Full as u8 - self as u8)
    }

    /// Returns where a block begins in the image of its volume, in bytes.
    pub fn offset_of(self, block_no: u32) -> u64 {
        self.total(block_no)
    }

    /// Returns the bytes of so many blocks.
    pub fn total(self, blocks: impl Into<u64>) -> u64 {
        blocks.into() << self as u8
    }
}

/// The Reed-Solomon code of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ParityCodec {
    /// GF(2^16), Leopard FFT layout (reed-solomon-simd).
    Gf16 = 1,
    /// GF(2^8), classical Vandermonde-derived matrix (reed-solomon-erasure).
    Gf8 = 2,
}

/// The kind of a block's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum BlockKind {
    /// Text for people and the set's descriptor.
    Superblock = 1,
    /// Part of the catalog, the same on every volume.
    Catalog = 2,
    /// Part of a data volume's payload, zeros behind its end.
    Data = 3,
    /// Wide parity, on spare volumes.
    WideParity = 4,
    /// Local parity.
    LocalParity = 5,
}

/// The numbers that every block of a set repeats. The whole geometry follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SetHeader {
    /// The set.
    pub set_id: SetId,
    /// The size of its blocks.
    pub block_size: BlockSize,
    /// Its code, for wide stripes and local parity alike.
    pub codec: ParityCodec,
    /// Data volumes (K), at least 1.
    pub data_volumes: u16,
    /// Spare volumes (M).
    pub spare_volumes: u16,
    /// Blocks that a stripe takes from each volume (w). 0 when there are no spares.
    pub stripe_width: u16,
    /// Protected blocks in a local group.
    pub local_data: u16,
    /// Parity blocks of a local group. 0 means no local parity.
    pub local_parity: u16,
    /// Blocks of the catalog on each volume.
    pub catalog_blocks: u32,
    /// Blocks of each volume, all kinds together.
    pub volume_blocks: u32,
}

/// The header of a block: the set's numbers, and the place of this block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockHeader {
    /// The numbers of the set.
    pub set: SetHeader,
    /// Volume number, 1 to K+M. Spares come last.
    pub volume_no: u16,
    /// Place on the volume, from 0.
    pub block_no: u32,
    /// The kind of the payload.
    pub kind: BlockKind,
}

impl SetHeader {
    /// Returns the bytes of the blocks of each volume.
    pub fn volume_bytes(&self) -> u64 {
        self.block_size.total(self.volume_blocks)
    }
}

impl BlockHeader {
    /// Returns the bytes of the block.
    pub fn block_bytes(&self) -> usize {
        self.set.block_size.bytes()
    }

    /// Returns the header without its hash.
    pub(crate) fn numbers(&self) -> [u8; 48] {
        let mut out = [0; 48];
        let set = &self.set;
        out[..4].copy_from_slice(&MAGIC);
        out[4] = VERSION;
        out[5] = set.block_size as u8;
        out[6] = set.codec as u8;
        out[7] = self.kind as u8;
        out[8..24].copy_from_slice(set.set_id.as_bytes());
        let halves = [
            self.volume_no,
            set.data_volumes,
            set.spare_volumes,
            set.stripe_width,
            set.local_data,
            set.local_parity,
        ];
        for (slot, value) in out[24..36].chunks_exact_mut(2).zip(halves) {
            slot.copy_from_slice(&value.to_le_bytes());
        }
        let words = [set.catalog_blocks, self.block_no, set.volume_blocks];
        for (slot, value) in out[36..48].chunks_exact_mut(4).zip(words) {
            slot.copy_from_slice(&value.to_le_bytes());
        }
        out
    }

    /// Writes the header into the first 64 bytes of `block`. The payload must be in place already, because the hash
    /// covers it.
    ///
    /// # Panics
    /// When `block` is not as long as the set's blocks are.
    pub fn seal(&self, block: &mut [u8]) {
        assert_eq!(
            block.len(),
            self.block_bytes(),
            "the blocks of a set have one size"
        );
        let head = self.numbers();
        block[..48].copy_from_slice(&head);
        block[HASH].fill(0);
        let sum = checksum(block);
        block[HASH].copy_from_slice(&sum);
    }

    /// Makes a whole block with this header and no payload.
    pub(crate) fn empty_block(&self) -> Vec<u8> {
        let mut block = vec![0; self.block_bytes()];
        self.seal(&mut block);
        block
    }

    /// Reads the header of a whole block when its hash is right and its numbers are valid. Any other bytes, damaged or
    /// hostile, are not a block and give `None`. Bytes behind the block are not looked at. It copies the block, which
    /// [`BlockHeader::open_mut`] avoids.
    pub fn open(block: &[u8]) -> Option<Self> {
        // Copying a block is worth it only for a plausible header.
        let header = Self::peek(block)?;
        Self::open_mut(&mut block.get(..header.block_bytes())?.to_vec())
    }

    /// Reads the header as [`BlockHeader::open`] does, for callers that own the block. The block is unchanged
    /// afterwards.
    pub(crate) fn open_mut(block: &mut [u8]) -> Option<Self> {
        let header = Self::peek(block)?;
        let block = block.get_mut(..header.block_bytes())?;
        let mut said = [0; 16];
        said.copy_from_slice(&block[HASH]);
        block[HASH].fill(0);
        let sum = checksum(block);
        // The field was zeroed for hashing, and the caller's block must stay as it was.
        block[HASH].copy_from_slice(&said);
        (sum == said).then_some(header)
    }

    /// Reads a header without checking its hash. This is cheap and shows which bytes are worth hashing.
    pub fn peek(bytes: &[u8]) -> Option<Self> {
        let head: &[u8; 48] = bytes.get(..48)?.try_into().ok()?;
        if head[..4] != MAGIC || head[4] != VERSION {
            return None;
        }
        let half = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let word =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let mut set_id = [0; 16];
        set_id.copy_from_slice(&head[8..24]);
        let header = Self {
            set: SetHeader {
                set_id: SetId(set_id),
                block_size: BlockSize::from_log2(head[5])?,
                codec: match head[6] {
                    1 => ParityCodec::Gf16,
                    2 => ParityCodec::Gf8,
                    _ => return None,
                },
                data_volumes: half(26),
                spare_volumes: half(28),
                stripe_width: half(30),
                local_data: half(32),
                local_parity: half(34),
                catalog_blocks: word(36),
                volume_blocks: word(44),
            },
            volume_no: half(24),
            block_no: word(40),
            kind: match head[7] {
                1 => BlockKind::Superblock,
                2 => BlockKind::Catalog,
                3 => BlockKind::Data,
                4 => BlockKind::WideParity,
                5 => BlockKind::LocalParity,
                _ => return None,
            },
        };
        header.makes_sense().then_some(header)
    }

    fn makes_sense(&self) -> bool {
        let set = &self.set;
        let volumes = u32::from(set.data_volumes) + u32::from(set.spare_volumes);
        set.data_volumes >= 1
            && volumes <= u32::from(VOLUMES_MAX)
            && (1..=volumes).contains(&u32::from(self.volume_no))
            && self.block_no < set.volume_blocks
            && (set.spare_volumes == 0) == (set.stripe_width == 0)
            && (set.local_parity == 0 || set.local_data > 0)
    }
}

/// Hashes the whole block at once, with a zero hash field. BLAKE3 is nearly twice as fast on whole chunks as on a
/// header and a payload that end in partial ones.
fn checksum(block: &[u8]) -> [u8; 16] {
    let mut sum = [0; 16];
    sum.copy_from_slice(&id::hash(block)[..16]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header() -> BlockHeader {
        BlockHeader {
            set: SetHeader {
                set_id: SetId([7; 16]),
                block_size: BlockSize::Full,
                codec: ParityCodec::Gf16,
                data_volumes: 4,
                spare_volumes: 2,
                stripe_width: 42,
                local_data: 500,
                local_parity: 15,
                catalog_blocks: 3,
                volume_blocks: 1500,
            },
            volume_no: 6,
            block_no: 1499,
            kind: BlockKind::WideParity,
        }
    }

    #[test]
    fn a_sealed_block_opens_and_any_flipped_bit_closes_it() {
        for block_size in BlockSize::ALL {
            let mut header = header();
            header.set.block_size = block_size;
            let bytes = block_size.bytes();
            let mut block = vec![0x5a; bytes];
            header.seal(&mut block);
            assert_eq!(BlockHeader::open(&block), Some(header));
            for at in [0, 5, 7, 24, 47, 48, 63, 64, bytes - 1] {
                block[at] ^= 1;
                assert_eq!(BlockHeader::open(&block), None, "flip at {at}");
                block[at] ^= 1;
            }
            assert_eq!(BlockHeader::open(&block[..bytes - 1]), None);
            // What lies behind a block is not part of it.
            block.push(7);
            assert_eq!(BlockHeader::open(&block), Some(header));
        }
    }

    #[test]
    fn no_other_sizes_are_blocks() {
        let mut block = vec![0; BLOCK_BYTES];
        header().seal(&mut block);
        for log2 in (0..=u8::MAX).filter(|log2| ![12, 16].contains(log2)) {
            block[5] = log2;
            assert_eq!(BlockHeader::peek(&block), None, "{log2}");
        }
        assert_eq!(BlockSize::Small.bytes(), SMALL_BLOCK_BYTES);
        assert_eq!(BlockSize::Full.bytes(), BLOCK_BYTES);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut with_magic = MAGIC.to_vec();
            with_magic.extend_from_slice(&[VERSION, 12]);
            with_magic.extend_from_slice(&bytes);
            let _ = BlockHeader::peek(&bytes);
            let _ = BlockHeader::open(&with_magic);
        }
    }
}
