//! A folder of sparse volume images. Every block lies at its place, so that present blocks can always be found again.
//!
//! It stores the blocks that it is given. The caller decides which blocks are wanted and whether they are right.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::base::envelope::{self, EnvelopeKind};
use crate::base::fs::cannot_write;
use crate::base::read_at::{ReadAt, read_some};
use crate::volumes::VolumeError;
use crate::volumes::block::{BlockHeader, BlockSize, HEADER_BYTES};
use crate::volumes::blocks::{Blocks, header_at};
use crate::volumes::geometry::Geometry;
use crate::volumes::recovery::{Bits, BlockPlace, Presence};
use crate::volumes::slices::Slices;
use crate::volumes::staged_slices::StagedSlices;

/// Volume images of one set.
#[derive(Debug)]
pub(crate) struct StagedImages {
    dir: PathBuf,
    geometry: Geometry,
    /// Images that were opened, indexed by volume number less one.
    images: Vec<Mutex<Option<Arc<File>>>>,
    /// Slices of damaged blocks.
    slices: StagedSlices,
    /// The blocks of the only volume, where they are shown and not kept.
    shown: Option<ShownVolume>,
}

/// A volume that is read where it is.
struct ShownVolume(Arc<dyn ReadAt>);

impl fmt::Debug for ShownVolume {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a volume of {} bytes", self.0.size_bytes())
    }
}

impl StagedImages {
    /// Uses `dir`, which must exist, for the images of this set.
    pub(crate) fn new(dir: PathBuf, geometry: Geometry) -> Self {
        let images = (0..geometry.volume_count())
            .map(|_| Mutex::new(None))
            .collect();
        Self {
            slices: StagedSlices::new(dir.clone(), &geometry),
            dir,
            geometry,
            images,
            shown: None,
        }
    }

    /// Shows the only volume of a set as if it was kept. `dir` is no folder.
    pub(crate) fn of_shown(dir: PathBuf, geometry: Geometry, volume: Arc<dyn ReadAt>) -> Self {
        Self {
            shown: Some(ShownVolume(volume)),
            ..Self::new(dir, geometry)
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    fn image_path(&self, volume_no: u16) -> PathBuf {
        self.dir.join(format!("v{volume_no:03}.blocks"))
    }

    fn map_path(&self, volume_no: u16) -> PathBuf {
        self.dir.join(format!("v{volume_no:03}.map"))
    }

    /// Returns the image of a volume. Returns `None` when it does not exist and `missing` says to leave it.
    fn image(&self, volume_no: u16, missing: IfMissing) -> Result<Option<Arc<File>>, VolumeError> {
        let slot = &self.images[usize::from(volume_no) - 1];
        let mut slot = slot
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if slot.is_none() {
            let path = self.image_path(volume_no);
            let create = missing == IfMissing::Create;
            let opened = OpenOptions::new()
                .read(true)
                .write(true)
                .create(create)
                .open(&path);
            let opened = match opened {
                // On a read-only file system the staged blocks can still be read.
                Err(error) if !create && cannot_write(&error) => File::open(&path),
                opened => opened,
            };
            match opened {
                Ok(file) => *slot = Some(Arc::new(file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(VolumeError::io(&path)(error)),
            }
        }
        Ok(slot.clone())
    }

    /// Writes a block to its place.
    pub(crate) fn write(
        &self,
        (volume_no, block_no): BlockPlace,
        block: &[u8],
    ) -> Result<(), VolumeError> {
        let image = self
            .image(volume_no, IfMissing::Create)?
            .expect("made when missing");
        image
            .write_all_at(block, self.geometry.block_size().offset_of(block_no))
            .map_err(VolumeError::io(&self.image_path(volume_no)))
    }

    /// Returns the slices of damaged blocks.
    pub(crate) fn slices(&self) -> &StagedSlices {
        &self.slices
    }

    /// Writes slices of a damaged block, which replace what was known of it.
    pub(crate) fn write_slices(
        &self,
        place: BlockPlace,
        block: &[u8],
        slices: Slices,
    ) -> Result<(), VolumeError> {
        self.slices.write(place, block, slices)
    }

    /// Erases a block, so that it is not found again.
    pub(crate) fn erase(&self, (volume_no, block_no): BlockPlace) -> Result<(), VolumeError> {
        let Some(image) = self.image(volume_no, IfMissing::Leave)? else {
            return Ok(());
        };
        image
            .write_all_at(
                &[0; HEADER_BYTES],
                self.geometry.block_size().offset_of(block_no),
            )
            .map_err(VolumeError::io(&self.image_path(volume_no)))
    }

    /// Returns the hash in the header of the block at a place.
    pub(crate) fn tag(
        &self,
        (volume_no, block_no): BlockPlace,
    ) -> Result<Option<BlockHash>, VolumeError> {
        let Some(image) = self.image(volume_no, IfMissing::Leave)? else {
            return Ok(None);
        };
        let mut head = [0; HEADER_BYTES];
        match image.read_exact_at(&mut head, self.geometry.block_size().offset_of(block_no)) {
            Ok(()) => Ok(tag_of(&head)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(VolumeError::io(&self.image_path(volume_no))(error)),
        }
    }

    /// Returns the blocks that all images hold.
    pub(crate) fn load_all(&self) -> Result<Presence, VolumeError> {
        let mut presence = Presence::new(&self.geometry);
        for volume_no in 1..=self.geometry.volume_count() {
            if let Some(bits) = self.load(volume_no)?.filter(|bits| bits.count() > 0) {
                presence.set_volume(volume_no, bits);
            }
        }
        for (place, slices) in self.slices.load_all()? {
            presence.set_slices(place, slices);
        }
        Ok(presence)
    }

    /// Runs [`Self::checkpoint`] for all volumes.
    pub(crate) fn checkpoint_all(&self, presence: &Presence) -> Result<(), VolumeError> {
        self.slices.checkpoint()?;
        for volume_no in 1..=self.geometry.volume_count() {
            if let Some(bits) = presence.volume(volume_no) {
                self.checkpoint(volume_no, bits)?;
            }
        }
        Ok(())
    }

    /// Makes a volume's image durable and then writes its map. The map is only a cache. Without it, or with an old one,
    /// [`Self::load`] finds the rest.
    pub(crate) fn checkpoint(&self, volume_no: u16, present: &Bits) -> Result<(), VolumeError> {
        let Some(image) = self.image(volume_no, IfMissing::Leave)? else {
            return Ok(());
        };
        // The image is synced before its map: a map must never list a block that a crash could lose.
        image
            .sync_data()
            .map_err(VolumeError::io(&self.image_path(volume_no)))?;
        let mut body = Vec::with_capacity(8 + present.words().len() * 8);
        body.extend_from_slice(&u32::from(volume_no).to_le_bytes());
        body.extend_from_slice(&self.geometry.volume_blocks().to_le_bytes());
        for word in present.words() {
            body.extend_from_slice(&word.to_le_bytes());
        }
        let map = envelope::seal(EnvelopeKind::BlockMap, &body);
        replace_file(&self.map_path(volume_no), &map)
    }

    /// Finds the blocks of a volume's image: those that the map lists, and every other whole block. Returns `None` when
    /// there is no image.
    pub(crate) fn load(&self, volume_no: u16) -> Result<Option<Bits>, VolumeError> {
        let Some(image) = self.image(volume_no, IfMissing::Leave)? else {
            return Ok(None);
        };
        let path = self.image_path(volume_no);
        let image_bytes = image.metadata().map_err(VolumeError::io(&path))?.len();
        let block_bytes = self.geometry.block_bytes();
        let held = u32::try_from(image_bytes / block_bytes as u64).unwrap_or(u32::MAX);
        let blocks = self.geometry.volume_blocks();
        let mut present = match self.load_map(volume_no) {
            // A map that lists blocks beyond the image's end belongs to another image.
            Some(map) if (held..blocks).all(|block_no| !map.get(block_no)) => map,
            _ => Bits::new(blocks),
        };
        let mut block = vec![0; block_bytes];
        let mut block_no = 0;
        while block_no < held.min(blocks) {
            if present.get(block_no) {
                block_no += 1;
                continue;
            }
            match next_data_block(&image, self.geometry.block_size(), block_no) {
                Some(next) if next <= block_no => {}
                Some(next) => {
                    block_no = next;
                    continue;
                }
                None => break,
            }
            let expected = header_at(&self.geometry, (volume_no, block_no));
            let offset = self.geometry.block_size().offset_of(block_no);
            image
                .read_exact_at(&mut block[..HEADER_BYTES], offset)
                .map_err(VolumeError::io(&path))?;
            // The header is compared first, because hashing every block of a large image takes long.
            if BlockHeader::peek(&block) == Some(expected) {
                image
                    .read_exact_at(&mut block, offset)
                    .map_err(VolumeError::io(&path))?;
                if BlockHeader::open(&block) == Some(expected) {
                    present.set(block_no);
                }
            }
            block_no += 1;
        }
        Ok(Some(present))
    }

    fn load_map(&self, volume_no: u16) -> Option<Bits> {
        let blocks = self.geometry.volume_blocks();
        let body_bytes = 8 + u64::from(blocks.div_ceil(64)) * 8;
        let path = self.map_path(volume_no);
        let longest = body_bytes + envelope::HEADER_BYTES as u64;
        // A map is only a cache, so one that is too long or damaged is ignored and not an error.
        if fs::metadata(&path).ok()?.len() > longest {
            return None;
        }
        let file = fs::read(&path).ok()?;
        let body = envelope::open(EnvelopeKind::BlockMap, &file, body_bytes).ok()?;
        let (head, words) = body.split_at_checked(8)?;
        let right =
            head[..4] == u32::from(volume_no).to_le_bytes() && head[4..] == blocks.to_le_bytes();
        let word = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).ok();
        let words: Option<Vec<u64>> = words.chunks(8).map(word).collect();
        right.then(|| Bits::from_words(words?, blocks))?
    }
}

/// The hash in a block's header.
pub(crate) type BlockHash = [u8; 16];

/// Returns the hash in a block's header.
pub(crate) fn tag_of(block: &[u8]) -> Option<BlockHash> {
    block.get(HEADER_BYTES - 16..HEADER_BYTES)?.try_into().ok()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IfMissing {
    Create,
    Leave,
}

/// Returns the first block at or behind `block_no` that has data, or `None` when only holes follow. On a file system
/// without holes, everything is data.
fn next_data_block(image: &File, size: BlockSize, block_no: u32) -> Option<u32> {
    match rustix::fs::seek(image, rustix::fs::SeekFrom::Data(size.offset_of(block_no))) {
        Ok(offset) => u32::try_from(offset / size.total(1_u32)).ok(),
        Err(rustix::io::Errno::NXIO) => None,
        Err(_) => Some(block_no),
    }
}

impl Blocks for StagedImages {
    fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    fn read_slices(&self, place: BlockPlace, block: &mut [u8]) -> Result<Slices, VolumeError> {
        self.slices.read(place, block)
    }

    fn read_raw(
        &self,
        (volume_no, block_no): BlockPlace,
        block: &mut [u8],
    ) -> Result<bool, VolumeError> {
        if let Some(shown) = &self.shown {
            let offset = self.geometry.block_size().offset_of(block_no);
            let read = read_some(&*shown.0, offset, block);
            return match read {
                Ok(len) => Ok(volume_no == 1 && len == block.len()),
                Err(error) => Err(VolumeError::io(&self.dir)(error)),
            };
        }
        let Some(image) = self.image(volume_no, IfMissing::Leave)? else {
            return Ok(false);
        };
        match image.read_exact_at(block, self.geometry.block_size().offset_of(block_no)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(VolumeError::io(&self.image_path(volume_no))(error)),
        }
    }
}

/// Writes a small file atomically: beside its place, synced, then renamed.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), VolumeError> {
    let beside = path.with_extension("tmp");
    let write = || -> io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        // Contents first, then the name: after a crash the old file or the new one is complete.
        file.sync_all()?;
        fs::rename(&beside, path)?;
        path.parent()
            .map_or(Ok(()), |dir| File::open(dir)?.sync_all())
    };
    write().map_err(VolumeError::io(path))
}
