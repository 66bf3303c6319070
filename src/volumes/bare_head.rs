//! The head of a bare bundle, and where everything in the file lies.
//!
//! A bare bundle is the only volume of a set, without what can be computed of its blocks: their headers, zeros, all
//! superblocks but one, and no parity. Here are numbers alone. `media::images` shows such a file as the volume that it
//! stands for, and `write_bare` makes one.

use std::io;
use std::ops::Range;

use crate::base::id;
use crate::volumes::block::{
    BlockHeader, BlockKind, BlockSize, HEADER_BYTES, MAGIC, ParityCodec, SetHeader,
};
use crate::volumes::geometry::{Geometry, Role, SUPERBLOCKS};

/// First four bytes of a bare bundle.
pub(crate) const BARE_MAGIC: [u8; 4] = *b"\x8aCYO";
/// Bytes of a file at least: as many as a small block has, so that it is looked at wherever a block could be.
pub(crate) const BARE_BYTES_MIN: u64 = 4096;
/// Bytes of the numbers and their hash, before the descriptor.
const NUMBERS_BYTES: usize = 104;
/// The numbers without the hash.
const HASHED: usize = NUMBERS_BYTES - 32;
/// Bytes of the hash before each piece.
const HASH_BYTES: u64 = 16;

/// The head of a bare bundle. Where everything lies follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BareHead {
    geometry: Geometry,
    /// Descriptor and signatures, as they stand behind the text of a superblock.
    description: Vec<u8>,
    descriptor_bytes: usize,
    catalog_bytes: u64,
    payload_bytes: u64,
}

/// The beginning of a bare bundle is damaged, so nothing behind it can be placed.
#[derive(Debug, thiserror::Error)]
#[error("the beginning of the bare bundle is damaged")]
pub(crate) struct BareHeadDamaged;

impl From<BareHeadDamaged> for io::Error {
    fn from(damaged: BareHeadDamaged) -> Self {
        Self::new(io::ErrorKind::InvalidData, damaged)
    }
}

/// A piece of catalog or payload, which is the content of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BarePiece {
    /// Where its hash and content lie in the file.
    pub(crate) range: Range<u64>,
}

impl BareHead {
    /// Describes a set of one volume of full blocks, without parity. Returns `None` when the numbers are not those of one.
    pub(crate) fn new(
        header: &SetHeader,
        descriptor: &[u8],
        signatures: &[u8],
        catalog_bytes: u64,
        payload_bytes: u64,
    ) -> Option<Self> {
        let size = BlockSize::Full;
        let is_alone = (header.block_size, header.codec) == (size, ParityCodec::Gf16)
            && (header.data_volumes, header.spare_volumes) == (1, 0)
            && (header.local_data, header.local_parity) == (0, 0);
        let geometry = Geometry::from_header(header).ok()?;
        let block = size.payload_bytes() as u64;
        let description = [descriptor, signatures].concat();
        let fits = catalog_bytes.div_ceil(block) == u64::from(geometry.catalog_blocks()) - 1
            && payload_bytes.div_ceil(block).max(1) == u64::from(geometry.data_blocks())
            && description.len() <= size.payload_bytes() - size.text_bytes();
        (is_alone && fits).then_some(Self {
            geometry,
            descriptor_bytes: descriptor.len(),
            description,
            catalog_bytes,
            payload_bytes,
        })
    }

    /// Returns the numbers of a set that is written as a bare bundle, with an id of zeros.
    pub(crate) fn numbers_of(catalog_bytes: u64, payload_bytes: u64) -> Option<SetHeader> {
        let block = BlockSize::Full.payload_bytes() as u64;
        let catalog_blocks = u32::try_from(catalog_bytes.div_ceil(block) + 1).ok()?;
        let data_blocks = u32::try_from(payload_bytes.div_ceil(block).max(1)).ok()?;
        let volume_blocks = catalog_blocks.checked_add(data_blocks)?;
        Some(SetHeader {
            set_id: id::SetId([0; 16]),
            block_size: BlockSize::Full,
            codec: ParityCodec::Gf16,
            data_volumes: 1,
            spare_volumes: 0,
            stripe_width: 0,
            local_data: 0,
            local_parity: 0,
            catalog_blocks,
            volume_blocks: volume_blocks.checked_add(SUPERBLOCKS)?,
        })
    }

    /// Returns whether a file begins as a bare bundle does.
    pub(crate) fn is_claimed_by(begin: &[u8]) -> bool {
        begin.starts_with(&BARE_MAGIC)
    }

    /// Reads the head from the beginning of a file, which is as long as a block if the file is. Returns `None` when it is
    /// damaged, or of a later version.
    pub fn parse(begin: &[u8]) -> Option<Self> {
        let numbers = begin.get(..NUMBERS_BYTES)?;
        if !Self::is_claimed_by(numbers) {
            return None;
        }
        let word = |at: usize| {
            let bytes = numbers.get(at..at + 4)?.try_into().ok()?;
            usize::try_from(u32::from_le_bytes(bytes)).ok()
        };
        let long = |at: usize| {
            let bytes = numbers.get(at..at + 8)?.try_into().ok()?;
            Some(u64::from_le_bytes(bytes))
        };
        let (descriptor_bytes, signatures_bytes) = (word(48)?, word(52)?);
        let end = NUMBERS_BYTES
            .checked_add(descriptor_bytes)?
            .checked_add(signatures_bytes)?;
        let description = begin.get(NUMBERS_BYTES..end)?;
        let mut hasher = id::Hasher::new();
        hasher.update(&numbers[..HASHED]).update(description);
        if hasher.finish()[..] != numbers[HASHED..] {
            return None;
        }
        let mut first = [0; 48];
        first.copy_from_slice(&numbers[..48]);
        first[..4].copy_from_slice(&MAGIC);
        let header = BlockHeader::peek(&first)?;
        let is_first =
            (header.volume_no, header.block_no, header.kind) == (1, 0, BlockKind::Superblock);
        let (descriptor, signatures) = description.split_at(descriptor_bytes);
        let head = Self::new(&header.set, descriptor, signatures, long(56)?, long(64)?)?;
        is_first.then_some(head)
    }

    /// Writes the head.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.header_of(0).numbers().to_vec();
        out[..4].copy_from_slice(&BARE_MAGIC);
        let signatures_bytes = self.description.len() - self.descriptor_bytes;
        for bytes in [self.descriptor_bytes, signatures_bytes] {
            let bytes = u32::try_from(bytes).expect("both fit a block");
            out.extend_from_slice(&bytes.to_le_bytes());
        }
        out.extend_from_slice(&self.catalog_bytes.to_le_bytes());
        out.extend_from_slice(&self.payload_bytes.to_le_bytes());
        let mut hasher = id::Hasher::new();
        hasher.update(&out).update(&self.description);
        out.extend_from_slice(&hasher.finish());
        out.extend_from_slice(&self.description);
        out
    }

    /// Returns the layout of the set.
    pub(crate) fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Returns the bytes of the volume that the file stands for.
    pub(crate) fn volume_bytes(&self) -> u64 {
        self.geometry.header().volume_bytes()
    }

    fn head_bytes(&self) -> u64 {
        (NUMBERS_BYTES + self.description.len()) as u64
    }

    /// Returns the bytes of the file up to the end of its last piece. Zeros may follow.
    pub(crate) fn content_bytes(&self) -> u64 {
        let pieces = u64::from(self.geometry.catalog_blocks()) - 1
            + self.payload_bytes.div_ceil(Self::block());
        self.head_bytes() + pieces * HASH_BYTES + self.catalog_bytes + self.payload_bytes
    }

    /// Returns the bytes of the file.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.content_bytes().max(BARE_BYTES_MIN)
    }

    fn block() -> u64 {
        BlockSize::Full.payload_bytes() as u64
    }

    /// Returns the header of a block.
    pub(crate) fn header_of(&self, block_no: u32) -> BlockHeader {
        BlockHeader {
            set: *self.geometry.header(),
            volume_no: 1,
            block_no,
            kind: self.geometry.kind(1, block_no),
        }
    }

    /// Returns the piece of the file that is the content of a block. The other blocks follow from the head.
    pub(crate) fn piece(&self, block_no: u32) -> Option<BarePiece> {
        let part = |start: u64, bytes: u64, index: u64| {
            let from = (index * Self::block()).min(bytes);
            let to = (from + Self::block()).min(bytes);
            let start = start + index * HASH_BYTES;
            (from < to).then(|| BarePiece {
                range: start + from..start + HASH_BYTES + to,
            })
        };
        let catalog_at = self.head_bytes();
        match self.geometry.role(block_no) {
            Role::Catalog(0) | Role::Superblock | Role::LocalParity(_) => None,
            Role::Catalog(index) => part(catalog_at, self.catalog_bytes, u64::from(index) - 1),
            Role::Data(index) => {
                let pieces = u64::from(self.geometry.catalog_blocks()) - 1;
                let start = catalog_at + self.catalog_bytes + pieces * HASH_BYTES;
                part(start, self.payload_bytes, u64::from(index))
            }
        }
    }

    /// Makes a block of full length. `read` fills its argument with a piece of the file, and says whether all of it is
    /// there. A block whose piece is not there is zeros.
    pub(crate) fn make_block(
        &self,
        block_no: u32,
        block: &mut [u8],
        read: impl FnOnce(&BarePiece, &mut [u8]) -> io::Result<bool>,
    ) -> io::Result<()> {
        block.fill(0);
        let header = self.header_of(block_no);
        let Some(piece) = self.piece(block_no) else {
            let text = BlockSize::Full.text_bytes();
            let (at, bytes) = match self.geometry.role(block_no) {
                Role::Superblock => (text, &self.description[..]),
                Role::Catalog(0) => (0, &self.description[..self.descriptor_bytes]),
                Role::Catalog(_) | Role::Data(_) | Role::LocalParity(_) => (0, &[][..]),
            };
            let at = HEADER_BYTES + at;
            block[at..at + bytes.len()].copy_from_slice(bytes);
            header.seal(block);
            return Ok(());
        };
        // The content goes to its place, and the hash before it goes where the header ends.
        let bytes = usize::try_from(piece.range.end - piece.range.start).unwrap_or(usize::MAX);
        let from = HEADER_BYTES - 16;
        let is_there = match block.get_mut(from..from + bytes) {
            Some(room) => read(&piece, room)?,
            None => false,
        };
        if is_there {
            block[..from].copy_from_slice(&header.numbers());
        } else {
            block.fill(0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::id::SetId;

    fn head(catalog_bytes: u64, payload_bytes: u64) -> BareHead {
        let mut header = BareHead::numbers_of(catalog_bytes, payload_bytes).unwrap();
        header.set_id = SetId([7; 16]);
        BareHead::new(
            &header,
            b"descriptor",
            b"signed",
            catalog_bytes,
            payload_bytes,
        )
        .unwrap()
    }

    #[test]
    fn a_head_is_read_as_it_was_written_and_no_byte_of_it_may_change() {
        for (catalog, payload) in [(300, 0), (300, 1), (65_472, 65_472), (65_473, 1_000_000)] {
            let head = head(catalog, payload);
            let mut bytes = head.to_bytes();
            assert_eq!(bytes.len() as u64, head.head_bytes());
            assert_eq!(BareHead::parse(&bytes), Some(head));
            for at in 0..bytes.len() {
                bytes[at] ^= 1;
                assert_eq!(BareHead::parse(&bytes), None, "{at}");
                bytes[at] ^= 1;
            }
            for len in 0..bytes.len() {
                assert_eq!(BareHead::parse(&bytes[..len]), None);
            }
        }
    }

    #[test]
    fn pieces_follow_one_another_to_the_end_of_the_file() {
        for (catalog, payload) in [(300, 0), (300, 1), (65_472, 65_472), (140_000, 1_000_000)] {
            let head = head(catalog, payload);
            let mut end = head.head_bytes();
            for block_no in 0..head.geometry().volume_blocks() {
                if let Some(piece) = head.piece(block_no) {
                    assert_eq!(piece.range.start, end);
                    end = piece.range.end;
                }
            }
            assert_eq!(end, head.content_bytes());
        }
    }

    #[test]
    fn numbers_of_other_sets_make_no_head() {
        for spoil in [
            |header: &mut SetHeader| header.spare_volumes = 1,
            |header: &mut SetHeader| header.data_volumes = 2,
            |header: &mut SetHeader| header.block_size = BlockSize::Small,
            |header: &mut SetHeader| header.catalog_blocks += 1,
            |header: &mut SetHeader| header.volume_blocks += 1,
        ] {
            let mut header = BareHead::numbers_of(300, 70_000).unwrap();
            spoil(&mut header);
            assert_eq!(BareHead::new(&header, b"d", b"", 300, 70_000), None);
        }
        assert_eq!(BareHead::numbers_of(300, 1 << 60), None);
    }
}
