//! Blocks that were received for a place that has another block. Both hashes are right, and at most one block is.
//!
//! They are kept in folders of images like the staged ones. The callers know the payload's meaning and decide which one
//! is right.

use std::fs;
use std::path::PathBuf;

use crate::volumes::VolumeError;
use crate::volumes::blocks::{Blocks, OTHERS_MAX};
use crate::volumes::geometry::Geometry;
use crate::volumes::recovery::{BlockPlace, Presence};
use crate::volumes::staged_images::{BlockHash, StagedImages, tag_of};

/// Other blocks of a set.
#[derive(Debug)]
pub(crate) struct Others {
    dir: PathBuf,
    geometry: Geometry,
    layers: Vec<(StagedImages, Presence)>,
}

/// The outcome for another block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OtherBlockFate {
    /// It is kept.
    New,
    /// It was kept already.
    Known,
    /// It is not kept, because the most blocks are kept for its place already.
    Full,
}

impl Others {
    /// Opens the blocks that are kept beside the staged images in `dir`.
    pub(crate) fn open(dir: PathBuf, geometry: &Geometry) -> Result<Self, VolumeError> {
        let mut others = Self {
            dir,
            geometry: geometry.clone(),
            layers: Vec::new(),
        };
        for number in 1..=OTHERS_MAX {
            let folder = others.folder(number);
            if !folder.is_dir() {
                break;
            }
            let images = StagedImages::new(folder, geometry.clone());
            let presence = images.load_all()?;
            others.layers.push((images, presence));
        }
        Ok(others)
    }

    fn folder(&self, number: usize) -> PathBuf {
        self.dir.join(format!("other-{number}"))
    }

    /// Returns whether another block of this place is kept.
    pub(crate) fn has(&self, place: BlockPlace) -> bool {
        self.layers.iter().any(|(_, there)| there.has(place))
    }

    /// Returns whether a block with exactly this hash is kept.
    pub(crate) fn knows(&self, place: BlockPlace, tag: &BlockHash) -> Result<bool, VolumeError> {
        for (images, there) in &self.layers {
            if there.has(place) && images.tag(place)?.as_ref() == Some(tag) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Keeps a block.
    pub(crate) fn keep(
        &mut self,
        place: BlockPlace,
        block: &[u8],
    ) -> Result<OtherBlockFate, VolumeError> {
        if let Some(tag) = tag_of(block)
            && self.knows(place, &tag)?
        {
            return Ok(OtherBlockFate::Known);
        }
        let free = self
            .layers
            .iter()
            .position(|(_, there)| !there.has(place))
            .unwrap_or(self.layers.len());
        if free >= OTHERS_MAX {
            return Ok(OtherBlockFate::Full);
        }
        if free == self.layers.len() {
            let folder = self.folder(free + 1);
            fs::create_dir_all(&folder).map_err(VolumeError::io(&folder))?;
            let images = StagedImages::new(folder, self.geometry.clone());
            self.layers.push((images, Presence::new(&self.geometry)));
        }
        let (images, there) = &mut self.layers[free];
        images.write(place, block)?;
        there.add(place);
        Ok(OtherBlockFate::New)
    }

    /// Removes all blocks that are kept for a place.
    pub(crate) fn clear(&mut self, place: BlockPlace) -> Result<(), VolumeError> {
        for (images, there) in &mut self.layers {
            if there.remove(place) {
                images.erase(place)?;
            }
        }
        Ok(())
    }

    /// Returns the number of kept blocks.
    pub(crate) fn blocks(&self) -> u64 {
        let volumes = 1..=self.geometry.volume_count();
        let count = |there: &Presence| -> u64 {
            volumes.clone().map(|no| u64::from(there.count(no))).sum()
        };
        self.layers.iter().map(|(_, there)| count(there)).sum()
    }

    /// Reads the `number`th other block, counted from 1.
    pub(crate) fn read(
        &self,
        place: BlockPlace,
        number: usize,
        block: &mut [u8],
    ) -> Result<bool, VolumeError> {
        match number.checked_sub(1).and_then(|at| self.layers.get(at)) {
            Some((images, there)) if there.has(place) => images.read_raw(place, block),
            _ => Ok(false),
        }
    }

    /// Makes the kept blocks durable.
    pub(crate) fn checkpoint(&self) -> Result<(), VolumeError> {
        self.layers
            .iter()
            .try_for_each(|(images, there)| images.checkpoint_all(there))
    }
}
