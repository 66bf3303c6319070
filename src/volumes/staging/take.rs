//! Takes whole blocks, as far as they are needed.

use crate::volumes::VolumeError;
use crate::volumes::block::BlockHeader;
use crate::volumes::blocks::header_at;
use crate::volumes::geometry::Role;
use crate::volumes::others::OtherBlockFate;
use crate::volumes::recovery::BlockPlace;
use crate::volumes::staged_images::tag_of;

use super::{BlockOutcome, Staging};

impl Staging {
    /// Stages a whole block, unless it is staged already or not needed.
    pub(in crate::volumes) fn take(
        &mut self,
        header: &BlockHeader,
        block: &[u8],
    ) -> Result<BlockOutcome, VolumeError> {
        let place = (header.volume_no, header.block_no);
        if *self.geometry.header() != header.set || header_at(&self.geometry, place) != *header {
            return Ok(BlockOutcome::Misfit);
        }
        if self.presence.has(place) {
            if self.images.tag(place)? == tag_of(block) {
                return Ok(BlockOutcome::Known);
            }
            return Ok(match self.others.keep(place, block)? {
                OtherBlockFate::New => BlockOutcome::Other,
                OtherBlockFate::Known => BlockOutcome::Known,
                OtherBlockFate::Full => BlockOutcome::Spared,
            });
        }
        if self.knows_other(place, block)? {
            return Ok(BlockOutcome::Known);
        }
        if !self.wants(place) {
            return Ok(BlockOutcome::Spared);
        }
        self.images.write(place, block)?;
        self.presence.add(place);
        Ok(BlockOutcome::New)
    }

    /// Returns whether a block is staged or not needed.
    pub(in crate::volumes) fn is_known(&self, place: BlockPlace) -> bool {
        self.presence.has(place) || !self.wants(place)
    }

    /// Returns whether a block is needed. Parity of complete groups and stripes is not.
    pub(super) fn wants(&self, (volume_no, block_no): BlockPlace) -> bool {
        match self.geometry.role(block_no) {
            Role::Superblock | Role::Catalog(_) => true,
            Role::Data(_) if self.geometry.is_data_volume(volume_no) => true,
            Role::Data(index) => !self.stripe_is_whole(index),
            Role::LocalParity(_) => !self.group_is_whole(volume_no, block_no),
        }
    }

    pub(super) fn stripe_is_whole(&self, index: u32) -> bool {
        let Some(stripe) = self.geometry.stripe_of(index) else {
            return true;
        };
        self.geometry.stripe_places(stripe).all(|place| {
            let mut data = 1..=self.geometry.header().data_volumes;
            data.all(|volume_no| self.presence.has((volume_no, place)))
        })
    }

    pub(super) fn group_is_whole(&self, volume_no: u16, block_no: u32) -> bool {
        let Some(group) = self.geometry.group_of(block_no) else {
            return true;
        };
        let members = self.geometry.group_members(group) as usize;
        let spare = !self.geometry.is_data_volume(volume_no);
        self.geometry.group_places(group).take(members).all(|place| {
            self.presence.has((volume_no, place))
                || spare
                    && matches!(self.geometry.role(place), Role::Data(index) if self.stripe_is_whole(index))
        })
    }
}
