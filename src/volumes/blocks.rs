//! Reads blocks by their place in the set, and the payload of a volume through them.
//!
//! The implementer knows where the blocks lie. Every block is checked by its hash here before it is used.

use std::io::{self, Read};
use std::ops::Range;

use rayon::prelude::*;

use crate::volumes::VolumeError;
use crate::volumes::block::{BlockHeader, HEADER_BYTES};
use crate::volumes::geometry::Geometry;
use crate::volumes::recovery::BlockPlace;
use crate::volumes::slices::Slices;

/// Blocks that a payload reader keeps in memory: 4 MiB of full ones.
const AHEAD_BLOCKS: u32 = 64;

/// Provides the blocks of one set by their places.
pub trait Blocks: Sync {
    /// Returns the set's layout.
    fn geometry(&self) -> &Geometry;

    /// Reads the block at `place` into `block`, which is as long as the set's blocks are. Returns whether there was one. The bytes
    /// may be damaged.
    ///
    /// # Errors
    /// When the medium cannot be read there. Callers treat that as damage of this block.
    fn read_raw(&self, place: BlockPlace, block: &mut [u8]) -> Result<bool, VolumeError>;

    /// Reads what is known of a damaged block into `block`, and returns its known slices. The bytes of other slices mean
    /// nothing. Whole blocks have no damaged copy.
    ///
    /// # Errors
    /// As [`Self::read_raw`].
    fn read_slices(&self, place: BlockPlace, block: &mut [u8]) -> Result<Slices, VolumeError> {
        let _ = (place, block);
        Ok(Slices::NONE)
    }

    /// Reads another block that was found for this place, with a right hash and other content. `number` goes from 1 to
    /// `OTHERS_MAX`, and there may be gaps.
    ///
    /// # Errors
    /// As [`Self::read_raw`].
    /// As [`Self::read_raw`].
    fn read_other(
        &self,
        place: BlockPlace,
        number: usize,
        block: &mut [u8],
    ) -> Result<bool, VolumeError> {
        let _ = (place, number, block);
        Ok(false)
    }
}

/// Most other blocks that are kept for one place.
pub(crate) const OTHERS_MAX: usize = 3;

/// Returns the header that the block at `place` must have.
pub(crate) fn header_at(geometry: &Geometry, (volume_no, block_no): BlockPlace) -> BlockHeader {
    BlockHeader {
        set: *geometry.header(),
        volume_no,
        block_no,
        kind: geometry.kind(volume_no, block_no),
    }
}

/// Reads a block and checks that it belongs at this place.
pub(crate) fn read_whole(blocks: &dyn Blocks, place: BlockPlace, block: &mut [u8]) -> bool {
    matches!(blocks.read_raw(place, block), Ok(true))
        && BlockHeader::open(block) == Some(header_at(blocks.geometry(), place))
}

/// Returns all different blocks for a place. The block in place comes first when `is_there`.
pub(crate) fn copies_of(blocks: &dyn Blocks, is_there: bool, place: BlockPlace) -> Vec<Vec<u8>> {
    let expected = Some(header_at(blocks.geometry(), place));
    let mut copies: Vec<Vec<u8>> = Vec::new();
    let block_bytes = blocks.geometry().block_bytes();
    let mut block = vec![0; block_bytes];
    for number in usize::from(!is_there)..=OTHERS_MAX {
        let read = match number {
            0 => blocks.read_raw(place, &mut block),
            number => blocks.read_other(place, number, &mut block),
        };
        let is_whole = matches!(read, Ok(true)) && BlockHeader::open_mut(&mut block) == expected;
        if is_whole && !copies.contains(&block) {
            copies.push(std::mem::replace(&mut block, vec![0; block_bytes]));
        }
    }
    copies
}

/// Reads the payload of one data volume. Every block is checked before its bytes are given out.
///
/// Damage is an error. [`PayloadReader::damage_of`] gives its volume and block.
pub struct PayloadReader<'a> {
    blocks: &'a dyn Blocks,
    volume_no: u16,
    payload_bytes: u64,
    at: u64,
    /// Blocks that were read ahead and checked on every core, and the range of data blocks that they are.
    ahead: Vec<u8>,
    loaded: Range<u32>,
}

/// Carries a [`VolumeError`] through [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("volume {volume_no}: block {block_no} is missing or damaged")]
struct DamagedBlock {
    volume_no: u16,
    block_no: u32,
}

impl<'a> PayloadReader<'a> {
    /// Opens the payload of `volume_no`, which has `payload_bytes` bytes according to the descriptor.
    pub fn new(blocks: &'a dyn Blocks, volume_no: u16, payload_bytes: u64) -> Self {
        assert!(
            blocks.geometry().is_data_volume(volume_no),
            "spare volumes have no payload"
        );
        assert!(
            payload_bytes <= blocks.geometry().volume_payload_bytes(),
            "a checked descriptor"
        );
        Self {
            blocks,
            volume_no,
            payload_bytes,
            at: 0,
            ahead: Vec::new(),
            loaded: 0..0,
        }
    }

    /// Returns the bytes of the payload.
    pub fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    /// Continues reading at `offset` from the start of the payload.
    pub fn seek_to(&mut self, offset: u64) {
        self.at = offset;
    }

    /// Returns the damaged block that made a read fail, or `None` when the error is another.
    pub fn damage_of(error: &io::Error) -> Option<BlockPlace> {
        let damaged = error.get_ref()?.downcast_ref::<DamagedBlock>()?;
        Some((damaged.volume_no, damaged.block_no))
    }

    /// Loads data block `index` and some behind it. Damage behind it is reported when reading reaches it.
    fn load(&mut self, index: u32) -> io::Result<()> {
        if self.loaded.contains(&index) {
            return Ok(());
        }
        let geometry = self.blocks.geometry();
        let block_bytes = geometry.block_bytes();
        let end = self
            .payload_bytes
            .div_ceil(geometry.block_payload_bytes() as u64);
        let end = u32::try_from(end)
            .unwrap_or(u32::MAX)
            .min(index.saturating_add(AHEAD_BLOCKS));
        // The buffer is overwritten now. After an error nothing in it counts as loaded.
        self.loaded = 0..0;
        self.ahead.resize((end - index) as usize * block_bytes, 0);
        let whole: Vec<bool> = (index..end)
            .into_par_iter()
            .zip(self.ahead.par_chunks_mut(block_bytes))
            .map(|(at, block)| {
                read_whole(
                    self.blocks,
                    (self.volume_no, geometry.data_place(at)),
                    block,
                )
            })
            .collect();
        // Blocks behind a damaged one are loaded again, so that an error names exactly the block that is read.
        let good = whole.iter().take_while(|whole| **whole).count();
        if good == 0 {
            let damaged = DamagedBlock {
                volume_no: self.volume_no,
                block_no: geometry.data_place(index),
            };
            return Err(io::Error::new(io::ErrorKind::InvalidData, damaged));
        }
        self.loaded = index..index + u32::try_from(good).expect("at most what was asked for");
        Ok(())
    }
}

impl Read for PayloadReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.payload_bytes.saturating_sub(self.at);
        if left == 0 || buf.is_empty() {
            return Ok(0);
        }
        let geometry = self.blocks.geometry();
        let (block_bytes, block_payload) = (geometry.block_bytes(), geometry.block_payload_bytes());
        let index = u32::try_from(self.at / block_payload as u64).expect("within the volume");
        let within = usize::try_from(self.at % block_payload as u64).expect("within a block");
        self.load(index)?;
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let len = buf.len().min(block_payload - within).min(left);
        let from = (index - self.loaded.start) as usize * block_bytes + HEADER_BYTES + within;
        buf[..len].copy_from_slice(&self.ahead[from..from + len]);
        self.at += len as u64;
        Ok(len)
    }
}
