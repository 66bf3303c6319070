//! A disc: an image, and the sectors of it that no drive can read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::bad_sectors::SECTOR;
use super::super::bytes::Seeded;

/// A disc that can be put into a drive.
#[derive(Debug, Clone)]
pub struct Disc {
    /// The image.
    pub image: PathBuf,
    /// Numbers of sectors that cannot be read.
    pub bad: BTreeSet<u64>,
}

impl Disc {
    /// A disc without a scratch.
    pub fn new(image: &Path) -> Self {
        Self {
            image: image.to_owned(),
            bad: BTreeSet::new(),
        }
    }

    /// Sectors of the image.
    pub fn sectors(&self) -> u64 {
        self.image.metadata().unwrap().len() / SECTOR
    }

    /// Makes a share of all sectors bad, wherever they are.
    pub fn scattered(mut self, share: f64, seed: u64) -> Self {
        let mut seeded = Seeded::new(seed);
        self.bad
            .extend((0..self.sectors()).filter(|_| seeded.fraction() < share));
        self
    }

    /// Makes other sectors bad than [`Self::scattered`] does: none is bad in both.
    pub fn scattered_elsewhere(mut self, share: f64, seed: u64) -> Self {
        let taken = Self::new(&self.image).scattered(share, seed).bad;
        let mut seeded = Seeded::new(seed + 1);
        let other = (0..self.sectors()).filter(|_| seeded.fraction() < share);
        self.bad.extend(other.filter(|no| !taken.contains(no)));
        self
    }

    /// Makes a scratch across the tracks: on every turn of this many sectors the first `width`.
    pub fn radial(mut self, turn: u64, width: u64) -> Self {
        self.bad
            .extend((0..self.sectors()).filter(|no| no % turn < width));
        self
    }

    /// Makes neighboring sectors bad, as a scratch along the track does.
    pub fn scratched(mut self, sectors: std::ops::Range<u64>) -> Self {
        self.bad.extend(sectors);
        self
    }
}
