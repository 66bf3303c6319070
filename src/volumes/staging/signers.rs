//! Who signed a set that is being received, and the superblocks that say so wrongly.

use crate::volumes::VolumeError;
use crate::volumes::signatures::{self, SetSignatures, wrong_superblocks};

use super::Staging;

impl Staging {
    /// Returns who signed the set. Nobody did as long as catalog and descriptor are not known.
    pub fn signatures(&self) -> SetSignatures {
        self.described().map_or_else(
            |_| SetSignatures::default(),
            |described| signatures::of_set(&self.view(), &self.presence, described),
        )
    }

    /// Returns the set's root in hex, when catalog and descriptor are known.
    pub fn root_hex(&self) -> Option<String> {
        self.described().ok().map(|described| described.root_hex())
    }

    /// Returns whether any superblock is staged.
    pub(crate) fn has_superblock(&self) -> bool {
        let view = self.view();
        signatures::places(&view).any(|place| self.presence.has(place))
    }

    /// Removes superblocks with a wrong signature, and all those of a place that has several. Right ones that come later
    /// then find room.
    ///
    /// # Errors
    /// [`VolumeError::Io`] when the staging folder cannot be written.
    pub(crate) fn clear_doubtful_superblocks(&mut self) -> Result<(), VolumeError> {
        let Ok(described) = self.described().cloned() else {
            return Ok(());
        };
        let view = self.view();
        let mut doubtful = wrong_superblocks(&view, &self.presence, &described);
        doubtful.extend(signatures::places(&view).filter(|place| self.others.has(*place)));
        for place in doubtful {
            self.others.clear(place)?;
            if self.presence.has(place) {
                self.presence.remove(place);
                self.images.erase(place)?;
            }
        }
        self.checkpoint()
    }
}
