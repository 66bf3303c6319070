//! Heals a staged set, and puts right what turns out to be wrong in it.

use super::{Staging, WrongBlocks};
use crate::base::monitor::Monitor;
use crate::volumes::VolumeError;
use crate::volumes::blocks::Blocks;
use crate::volumes::described::forged_blocks;
use crate::volumes::heal::{HealReport, heal};
use crate::volumes::recovery::BlockPlace;
use crate::volumes::staged_images::tag_of;

impl Staging {
    /// Returns the number of blocks by volume that turned out to be wrong although their hashes are right.
    pub(crate) fn wrong_blocks(&self) -> &WrongBlocks {
        &self.wrong
    }

    pub(crate) fn was_healed(&self, place: BlockPlace) -> bool {
        self.healed.has(place)
    }

    /// Removes a block that may be wrong, and keeps it aside when it came from a medium.
    pub(crate) fn doubt_block(&mut self, place: BlockPlace) -> Result<(), VolumeError> {
        if !self.presence.has(place) {
            return Ok(());
        }
        if !self.healed.has(place) {
            let mut block = vec![0; self.geometry.block_bytes()];
            if self.images.read_raw(place, &mut block)? {
                self.others.keep(place, &block)?;
            }
        }
        self.healed.remove(place);
        self.presence.remove(place);
        self.images.erase(place)
    }

    /// Puts the right block in its place and removes the wrong ones. With `is_shared` they are kept.
    pub(crate) fn put_right(
        &mut self,
        place: BlockPlace,
        block: &[u8],
        is_shared: bool,
    ) -> Result<(), VolumeError> {
        let tag = tag_of(block);
        let was_there = self.presence.has(place);
        let is_it = was_there && self.images.tag(place)? == tag;
        if !is_it {
            if was_there && !self.healed.has(place) {
                *self.wrong.entry(place.0).or_default() += 1;
                if is_shared {
                    self.doubt_block(place)?;
                }
            } else if !was_there && self.others.has(place) && !self.knows_other(place, block)? {
                *self.wrong.entry(place.0).or_default() += 1;
            }
            self.images.write(place, block)?;
            self.presence.add(place);
        }
        if !is_shared {
            self.others.clear(place)?;
        }
        Ok(())
    }

    pub(super) fn knows_other(&self, place: BlockPlace, block: &[u8]) -> Result<bool, VolumeError> {
        match tag_of(block) {
            Some(tag) => self.others.knows(place, &tag),
            None => Ok(false),
        }
    }

    /// Removes superblocks and catalog blocks that do not match the set's id.
    fn remove_forged_blocks(&mut self) -> Result<(), VolumeError> {
        let Ok(described) = self.described().cloned() else {
            return Ok(());
        };
        for place in forged_blocks(&self.view(), &self.presence, &described)? {
            *self.wrong.entry(place.0).or_default() += 1;
            self.presence.remove(place);
            self.images.erase(place)?;
        }
        Ok(())
    }

    /// Restores all payload that can be restored, into the staging folder. After a kill it can simply be called again.
    ///
    /// # Errors
    /// When the staging folder cannot be written, or a stop was asked for.
    pub fn heal(&mut self, monitor: &dyn Monitor) -> Result<HealReport, VolumeError> {
        // Blocks with a right hash and wrong content would spread through parity into healed blocks.
        self.remove_forged_blocks()?;
        let before = self.presence.clone();
        let report = heal(
            &self.images,
            &mut self.presence,
            &self.images,
            &self.goal,
            monitor,
        )?;
        for volume_no in 1..=self.geometry.volume_count() {
            if self.presence.count(volume_no) == before.count(volume_no) {
                continue;
            }
            for block_no in 0..self.geometry.volume_blocks() {
                let place = (volume_no, block_no);
                if self.presence.has(place) && !before.has(place) {
                    self.healed.add(place);
                }
            }
        }
        self.checkpoint()?;
        Ok(report)
    }
}
