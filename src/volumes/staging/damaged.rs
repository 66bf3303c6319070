//! Damaged blocks that were read: they are joined with earlier copies, or what is known of them is kept.
//!
//! Slices that agree with what is known are added to it. A copy that contradicts it, or of which nobody knows which
//! slices are wrong, is kept aside for later copies.

use std::fs;
use std::path::Path;

use super::{BlockOutcome, Staging};
use crate::volumes::VolumeError;
use crate::volumes::block::{BlockHeader, BlockSize};
use crate::volumes::blocks::header_at;
use crate::volumes::geometry::Geometry;
use crate::volumes::join::{DamagedCopy, join};
use crate::volumes::recovery::BlockPlace;
use crate::volumes::slices::{self, Slices, agree};
use crate::volumes::staged_slices::StagedSlices;

/// Most copies of a block that are kept aside.
pub(super) const COPIES_MAX: usize = 2;
/// Most hashes for joining copies that one call computes: 16 GiB of blocks.
const JOIN_BUDGET: u32 = 1 << 18;

/// Copies that are kept aside.
#[derive(Debug)]
pub(super) struct Copies {
    layers: Vec<StagedSlices>,
    budget: u32,
}

impl Copies {
    pub(super) fn new(dir: &Path, geometry: &Geometry) -> Self {
        let layer = |no: usize| StagedSlices::new(dir.join(format!("copy-{no}")), geometry);
        Self {
            layers: (1..=COPIES_MAX).map(layer).collect(),
            budget: JOIN_BUDGET,
        }
    }

    pub(super) fn checkpoint(&self) -> Result<(), VolumeError> {
        self.layers.iter().try_for_each(StagedSlices::checkpoint)
    }
}

fn read(
    from: &StagedSlices,
    size: BlockSize,
    place: BlockPlace,
) -> Result<DamagedCopy, VolumeError> {
    let mut bytes = vec![0; size.bytes()];
    let slices = from.read(place, &mut bytes)?;
    Ok(DamagedCopy { bytes, slices })
}

impl Staging {
    /// Takes a damaged block of which `slices` were read. The block that it makes complete is staged.
    pub(in crate::volumes) fn take_damaged(
        &mut self,
        header: &BlockHeader,
        block: &[u8],
        slices: Slices,
    ) -> Result<BlockOutcome, VolumeError> {
        let place = (header.volume_no, header.block_no);
        let expected = header_at(&self.geometry, place);
        if slices.is_none() || expected != *header {
            return Ok(BlockOutcome::Misfit);
        }
        if self.presence.has(place) {
            return Ok(BlockOutcome::Known);
        }
        if !self.wants(place) {
            return Ok(BlockOutcome::Spared);
        }
        let size = self.geometry.block_size();
        let mut copies = vec![read(self.images.slices(), size, place)?];
        for layer in &self.copies.layers {
            copies.push(read(layer, size, place)?);
        }
        copies.retain(|copy| !copy.slices.is_none());
        copies.push(DamagedCopy {
            bytes: block.to_vec(),
            slices,
        });
        if let Some(whole) = join(&copies, &expected, &mut self.copies.budget) {
            return self.take(header, &whole);
        }
        Ok(if self.keep_slices(place, block, slices)? {
            BlockOutcome::Part
        } else {
            BlockOutcome::Known
        })
    }

    /// Adds slices to what is known of a block, or keeps them aside. Returns whether that was something new.
    fn keep_slices(
        &mut self,
        place: BlockPlace,
        block: &[u8],
        slices: Slices,
    ) -> Result<bool, VolumeError> {
        let size = self.geometry.block_size();
        let mut known = read(self.images.slices(), size, place)?;
        let agrees = agree(known.slices.and(slices), &known.bytes, block);
        // Of a block with all slices and a wrong hash nobody knows which slice is wrong.
        if agrees && !known.slices.or(slices).is_all(size) {
            slices::copy(slices.without(known.slices), block, &mut known.bytes);
            let now = known.slices.or(slices);
            if now != known.slices {
                self.images.write_slices(place, &known.bytes, now)?;
                self.presence.set_slices(place, now);
            }
            return Ok(now != known.slices);
        }
        for (no, layer) in (1..).zip(&self.copies.layers) {
            let kept = read(layer, size, place)?;
            if kept.slices.is_none() {
                let dir = self.images.dir().join(format!("copy-{no}"));
                fs::create_dir_all(&dir).map_err(VolumeError::io(&dir))?;
                layer.write(place, block, slices)?;
                return Ok(true);
            }
            if kept.slices == slices && agree(slices, &kept.bytes, block) {
                return Ok(false);
            }
        }
        Ok(false)
    }
}
