//! Sets that are being received: the staged blocks, what is still needed, and the payload when it is complete.
//!
//! Staging survives a kill at any time. Staged blocks identify themselves, and everything else is a cache. The caller
//! knows what the payload means and when it is committed.

mod damaged;
mod folder;
mod healing;
mod notes;
mod signers;
mod take;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use self::damaged::Copies;
pub(crate) use self::folder::discard_all;
pub use self::folder::open_all;
use self::folder::remove_folder;
pub(super) use self::folder::{open_every, sweep};
use crate::base::id::SetId;
use crate::base::read_at::{ReadAt, read_some};
use crate::volumes::block::{BLOCK_BYTES, BlockHeader};
use crate::volumes::blocks::Blocks;
use crate::volumes::described::{Described, describe, read_descriptor};
use crate::volumes::geometry::Geometry;
use crate::volumes::others::Others;
use crate::volumes::recovery::{
    BlockPlace, Presence, Recovery, RecoveryGoal, SetNeeds, needs_with_rest, recover,
};
use crate::volumes::slices::Slices;
use crate::volumes::staged_images::{StagedImages, replace_file};
use crate::volumes::{PayloadReader, SetDescriptor, VolumeError};

/// Name of the file that holds one whole block of the set, for its numbers.
const SET_FILE: &str = "set.block";
/// Name of the file with the caller's note on the set.
const NOTE_FILE: &str = "wanted";
/// Name of the file with the numbers of volumes whose reading has begun and not finished.
const READING_FILE: &str = "reading";
/// Name of the file that marks a set that was found beside a complete one.
const BESIDE_FILE: &str = "beside";
/// Most bytes of a note.
const NOTE_MAX_BYTES: u64 = 4096;
/// Suffix of the folder of a set that is being removed.
const DONE: &str = "done";

/// Number of wrong blocks by volume.
pub type WrongBlocks = BTreeMap<u16, u64>;

/// A set that is being received.
#[derive(Debug)]
pub struct Staging {
    geometry: Geometry,
    images: StagedImages,
    presence: Presence,
    others: Others,
    /// Damaged copies of blocks that contradict one another.
    copies: Copies,
    goal: RecoveryGoal,
    /// Blocks that parity restored since the set was opened.
    healed: Presence,
    /// Blocks that turned out wrong since the set was opened.
    wrong: WrongBlocks,
    /// Volumes that were read in part and not to their end.
    reading: BTreeSet<u16>,
    described: OnceLock<Described>,
}

/// The staged blocks, and the other blocks for their places.
pub(crate) struct View<'a> {
    images: &'a StagedImages,
    others: &'a Others,
}

impl Blocks for View<'_> {
    fn geometry(&self) -> &Geometry {
        self.images.geometry()
    }

    fn read_raw(&self, place: BlockPlace, block: &mut [u8]) -> Result<bool, VolumeError> {
        self.images.read_raw(place, block)
    }

    fn read_other(
        &self,
        place: BlockPlace,
        number: usize,
        block: &mut [u8],
    ) -> Result<bool, VolumeError> {
        self.others.read(place, number, block)
    }

    fn read_slices(&self, place: BlockPlace, block: &mut [u8]) -> Result<Slices, VolumeError> {
        self.images.read_slices(place, block)
    }
}

/// The outcome for a block that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockOutcome {
    /// It is staged now.
    New,
    /// It was staged already.
    Known,
    /// Another block with a right hash is staged. This one is kept beside it.
    Other,
    /// It is parity of a complete group or stripe, or too many blocks are kept for its place already.
    Spared,
    /// It is damaged, and what is known of it is kept.
    Part,
    /// It claims the set's id with other numbers, or it has a wrong kind.
    Misfit,
}

impl Staging {
    pub(super) fn create(
        incoming_dir: &Path,
        block: &[u8],
        geometry: Geometry,
        note: Option<&[u8]>,
    ) -> Result<Self, VolumeError> {
        let mut dir = incoming_dir.join(geometry.header().set_id.to_string());
        // An empty folder that a killed process made belongs to no set and can be used.
        if Self::open(dir.clone())?.is_some() {
            // Other blocks claim the same id with other numbers. Which ones match the id is known when the catalog is
            // complete.
            let tag = crate::base::id::hash(&block[..40]);
            let tag = u64::from_le_bytes(tag[..8].try_into().unwrap_or_default());
            dir.set_extension(format!("{tag:016x}"));
        }
        fs::create_dir_all(&dir).map_err(VolumeError::io(&dir))?;
        // The note comes first, because the folder counts as a set from its first block on.
        if let Some(note) = note {
            replace_file(&dir.join(NOTE_FILE), note)?;
        }
        replace_file(&dir.join(SET_FILE), block)?;
        Ok(Self {
            presence: Presence::new(&geometry),
            healed: Presence::new(&geometry),
            others: Others::open(dir.clone(), &geometry)?,
            copies: Copies::new(&dir, &geometry),
            images: StagedImages::new(dir, geometry.clone()),
            geometry,
            goal: RecoveryGoal::Payload,
            wrong: WrongBlocks::new(),
            reading: BTreeSet::new(),
            described: OnceLock::new(),
        })
    }

    /// Opens the set in `dir`. Returns `None` when the folder does not identify a set, because the process was killed
    /// before its first block.
    fn open(dir: PathBuf) -> Result<Option<Self>, VolumeError> {
        let path = dir.join(SET_FILE);
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        let read = fs::File::open(&path)
            .and_then(|file| file.take(BLOCK_BYTES as u64).read_to_end(&mut block));
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(VolumeError::io(&path)(error)),
        }
        let Some(header) = BlockHeader::open(&block) else {
            return Ok(None);
        };
        let geometry = Geometry::from_header(&header.set)?;
        let reading = fs::read_to_string(dir.join(READING_FILE)).unwrap_or_default();
        let reading = reading.lines().filter_map(|line| line.parse().ok());
        let reading = reading.filter(|no| (1..=geometry.volume_count()).contains(no));
        let others = Others::open(dir.clone(), &geometry)?;
        let copies = Copies::new(&dir, &geometry);
        let images = StagedImages::new(dir, geometry.clone());
        Ok(Some(Self {
            presence: images.load_all()?,
            healed: Presence::new(&geometry),
            reading: reading.collect(),
            wrong: WrongBlocks::new(),
            described: OnceLock::new(),
            goal: RecoveryGoal::Payload,
            geometry,
            images,
            others,
            copies,
        }))
    }

    /// Shows a set of one volume, of which every block is there, as if it was staged. Nothing is written, and `dir` is no
    /// folder. Returns `None` when it does not begin with a block of such a set.
    ///
    /// # Errors
    /// [`VolumeError`] when its first block cannot be read.
    pub(crate) fn of_shown(
        dir: PathBuf,
        volume: Arc<dyn ReadAt>,
    ) -> Result<Option<Self>, VolumeError> {
        let mut block = vec![0; BLOCK_BYTES];
        let read = read_some(&*volume, 0, &mut block).map_err(VolumeError::io(&dir))?;
        let header = block.get(..read).and_then(BlockHeader::open);
        let geometry = match header {
            Some(header) => Geometry::from_header(&header.set)?,
            None => return Ok(None),
        };
        if geometry.volume_count() != 1 {
            return Ok(None);
        }
        let mut presence = Presence::new(&geometry);
        for block_no in 0..geometry.volume_blocks() {
            presence.add((1, block_no));
        }
        Ok(Some(Self {
            healed: Presence::new(&geometry),
            presence,
            reading: BTreeSet::new(),
            wrong: WrongBlocks::new(),
            described: OnceLock::new(),
            goal: RecoveryGoal::Payload,
            others: Others::open(dir.clone(), &geometry)?,
            copies: Copies::new(&dir, &geometry),
            images: StagedImages::of_shown(dir, geometry.clone(), volume),
            geometry,
        }))
    }

    pub(crate) fn view(&self) -> View<'_> {
        View {
            images: &self.images,
            others: &self.others,
        }
    }

    /// Returns whether descriptor and catalog are complete and match the set's id.
    pub(crate) fn is_described(&self) -> bool {
        self.described().is_ok()
    }

    fn described(&self) -> Result<&Described, VolumeError> {
        if let Some(known) = self.described.get() {
            return Ok(known);
        }
        let described = describe(&self.view(), &self.presence)?;
        Ok(self.described.get_or_init(|| described))
    }

    /// Returns whether some place has more than one block with a right hash.
    pub(crate) fn has_others(&self) -> bool {
        self.others.blocks() > 0
    }

    /// Returns the set's id.
    pub fn set_id(&self) -> SetId {
        self.geometry.header().set_id
    }

    /// Returns the folder that it is staged in.
    pub fn dir(&self) -> &Path {
        self.images.dir()
    }

    /// Limits the wanted payload to these bytes of the data volumes from now on. Needs, healing and readiness then
    /// refer to them alone. Staged blocks do not change.
    pub(crate) fn narrow(&mut self, wanted: impl IntoIterator<Item = (u16, Range<u64>)>) {
        let mut blocks = Presence::new(&self.geometry);
        for (volume_no, bytes) in wanted {
            if volume_no == 0 || !self.geometry.is_data_volume(volume_no) {
                continue;
            }
            for index in self.geometry.blocks_of_payload(bytes) {
                blocks.add((volume_no, self.geometry.data_place(index)));
            }
        }
        self.goal = RecoveryGoal::Part(blocks);
    }

    /// Returns the set's layout.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Returns the bytes that are staged.
    pub(crate) fn staged_bytes(&self) -> u64 {
        self.geometry.block_size().total(self.staged_blocks())
    }

    /// Returns the whole blocks that are staged.
    pub(crate) fn staged_blocks(&self) -> u64 {
        let volumes = 1..=self.geometry.volume_count();
        volumes.map(|no| u64::from(self.presence.count(no))).sum()
    }

    /// Returns which blocks are staged. Parity of groups and stripes that were complete when it was read is not.
    pub fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Computes what can be recovered from the staged blocks.
    pub fn assess(&self) -> Recovery {
        recover(&self.geometry, &self.presence)
    }

    /// Computes what is still needed.
    pub fn needs(&self) -> SetNeeds {
        let half_read = self.half_read();
        needs_with_rest(&self.geometry, &self.presence, &self.goal, &half_read)
    }

    /// Returns how many bytes staging may still take, when every requested volume comes whole and data comes first.
    pub(crate) fn growth_bytes(&self) -> u64 {
        let needs = self.needs();
        let blocks: u64 = needs
            .ask_for
            .iter()
            .map(|no| u64::from(self.geometry.volume_blocks() - self.presence.count(*no)))
            .sum();
        let healed: u64 = if needs.complete {
            self.assess()
                .volumes
                .iter()
                .map(|volume| u64::from(volume.local_blocks) + u64::from(volume.wide_blocks))
                .sum()
        } else {
            0
        };
        self.geometry.block_size().total(blocks + healed)
    }

    /// Returns the set's descriptor.
    ///
    /// # Errors
    /// [`VolumeError::NoSuperblock`].
    pub fn descriptor(&self) -> Result<SetDescriptor, VolumeError> {
        match self.described() {
            Ok(described) => Ok(described.descriptor.clone()),
            // A descriptor that was not checked against the id is good enough for showing people what the set is.
            Err(_) => read_descriptor(&self.view(), &self.presence),
        }
    }

    /// Returns the catalog, checked by its hash and the set's id.
    ///
    /// # Errors
    /// [`VolumeError::CatalogIncomplete`], [`VolumeError::NoSuperblock`], [`VolumeError::Forged`].
    pub fn catalog(&self) -> Result<Vec<u8>, VolumeError> {
        Ok(self.described()?.catalog.clone())
    }

    /// Returns whether every wanted payload block is staged: nothing more is needed and nothing is left to heal.
    pub fn payload_ready(&self) -> bool {
        if let RecoveryGoal::Part(blocks) = &self.goal {
            return self.presence.covers(blocks);
        }
        let data = 1..=self.geometry.header().data_volumes;
        data.into_iter().all(|volume_no| {
            (0..self.geometry.data_blocks()).all(|index| {
                self.presence
                    .has((volume_no, self.geometry.data_place(index)))
            })
        })
    }

    /// Returns a reader of a data volume's payload. Every block is checked before its bytes are given out.
    ///
    /// # Errors
    /// [`VolumeError::NoSuperblock`].
    pub fn payload_reader(&self, volume_no: u16) -> Result<PayloadReader<'_>, VolumeError> {
        let bytes = self.descriptor()?.payload_bytes[usize::from(volume_no) - 1];
        Ok(PayloadReader::new(&self.images, volume_no, bytes))
    }

    /// Removes a staged block that was found damaged. [`Self::heal`] may restore it.
    ///
    /// # Errors
    /// [`VolumeError::Io`] when that cannot be written.
    pub fn forget(&mut self, place: BlockPlace) -> Result<(), VolumeError> {
        self.presence.remove(place);
        match self.presence.volume(place.0) {
            Some(bits) => self.images.checkpoint(place.0, bits),
            None => Ok(()),
        }
    }

    /// Removes the staged set. A kill leaves no part that looks like a set, and the next call of `read_media` removes
    /// the rest.
    ///
    /// # Errors
    /// [`VolumeError::Io`].
    pub fn discard(self) -> Result<(), VolumeError> {
        let dir = self.images.dir();
        // The rename takes the whole set away at once, so a kill while files are removed leaves nothing that looks like
        // a set.
        let done = dir.with_extension(DONE);
        remove_folder(&done)?;
        match fs::rename(dir, &done) {
            // A file of another program keeps the folder, so the set's own files are removed where they are.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => remove_folder(dir),
            renamed => {
                renamed.map_err(VolumeError::io(dir))?;
                remove_folder(&done)
            }
        }
    }

    /// Makes the staged blocks durable and writes the maps.
    pub(super) fn checkpoint(&self) -> Result<(), VolumeError> {
        self.images.checkpoint_all(&self.presence)?;
        self.copies.checkpoint()?;
        self.others.checkpoint()
    }
}
