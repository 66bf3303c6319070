//! Sets that are being received: what is spooled of them, what is still needed, and their payload in the end.
//!
//! It survives a kill at any instant: spooled blocks say themselves what they are, everything else is a cache.
//! What the payload means, and when it is taken over, is the caller's affair.

use std::fs;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::block::{BLOCK_BYTES, BlockHeader};
use crate::geometry::{Geometry, Role};
use crate::id::SetId;
use crate::monitor::Monitor;
use crate::recovery::{Goal, Needs, Place, Presence, Recovery, needs, recover};
use crate::storage::own::remove_own;
use crate::volumes::blocks::{header_at, read_catalog, read_descriptor};
use crate::volumes::heal::{HealReport, heal};
use crate::volumes::spool::{Spool, replace_file};
use crate::volumes::{PayloadReader, SetDescriptor, VolumeError};

/// Name of the file that holds one whole block of the set, for its numbers.
const SET_FILE: &str = "set.block";
/// Name of the file with what the caller notes of the set.
const NOTE_FILE: &str = "wanted";
/// A note is no longer.
const NOTE_MAX_BYTES: u64 = 4096;
/// Ending of the folder of a set that is being removed.
const DONE: &str = "done";

/// A set that is being received.
#[derive(Debug)]
pub struct Incoming {
    geometry: Geometry,
    spool: Spool,
    presence: Presence,
    goal: Goal,
}

/// What became of a block that came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is spooled.
    New,
    /// It was there.
    Known,
    /// It is parity of what is whole.
    Spared,
    /// It claims the set's id with other numbers, or a wrong kind.
    Misfit,
}

impl Incoming {
    pub(super) fn create(
        incoming_dir: &Path,
        block: &[u8],
        geometry: Geometry,
        note: Option<&[u8]>,
    ) -> Result<Self, VolumeError> {
        let dir = incoming_dir.join(geometry.header().set_id.to_string());
        fs::create_dir_all(&dir).map_err(VolumeError::io(&dir))?;
        // First, for the set is one from its first block on.
        if let Some(note) = note {
            replace_file(&dir.join(NOTE_FILE), note)?;
        }
        replace_file(&dir.join(SET_FILE), block)?;
        Ok(Self {
            presence: Presence::new(&geometry),
            spool: Spool::new(dir, geometry.clone()),
            geometry,
            goal: Goal::Payload,
        })
    }

    /// Opens the set in `dir`; `None` when nothing in there says what it is: it was killed before its first block.
    fn open(dir: PathBuf) -> Result<Option<Self>, VolumeError> {
        let path = dir.join(SET_FILE);
        let mut block = vec![0; BLOCK_BYTES];
        let read =
            fs::File::open(&path).and_then(|mut file| io::Read::read_exact(&mut file, &mut block));
        match read {
            Ok(()) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(VolumeError::io(&path)(error)),
        }
        let Some(header) = BlockHeader::open(&block) else {
            return Ok(None);
        };
        let geometry = Geometry::from_header(&header.set)?;
        let spool = Spool::new(dir, geometry.clone());
        let mut presence = Presence::new(&geometry);
        for volume_no in 1..=geometry.volume_count() {
            if let Some(bits) = spool.load(volume_no)?.filter(|bits| bits.count() > 0) {
                presence.set_volume(volume_no, bits);
            }
        }
        Ok(Some(Self {
            geometry,
            spool,
            presence,
            goal: Goal::Payload,
        }))
    }

    /// The set.
    pub fn set_id(&self) -> SetId {
        self.geometry.header().set_id
    }

    /// The folder that it is spooled in.
    pub fn dir(&self) -> &Path {
        self.spool.dir()
    }

    /// What was noted of the set, as it came; `None` when nothing was, or no note can be read.
    pub fn note(&self) -> Option<Vec<u8>> {
        let file = fs::File::open(self.dir().join(NOTE_FILE)).ok()?;
        let mut note = Vec::new();
        file.take(NOTE_MAX_BYTES + 1).read_to_end(&mut note).ok()?;
        (note.len() as u64 <= NOTE_MAX_BYTES).then_some(note)
    }

    /// Notes something of the set, in place of what was noted; `None`: nothing.
    ///
    /// # Errors
    /// [`VolumeError::Io`].
    pub fn set_note(&self, note: Option<&[u8]>) -> Result<(), VolumeError> {
        let path = self.dir().join(NOTE_FILE);
        match note {
            Some(note) => replace_file(&path, note),
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(VolumeError::io(&path)(error))
                }
                _ => Ok(()),
            },
        }
    }

    /// From now on these bytes of the data volumes' payload are all that is wanted: what is needed, healed and ready is
    /// said of them alone. What is spooled does not change.
    pub fn narrow(&mut self, wanted: impl IntoIterator<Item = (u16, Range<u64>)>) {
        let mut blocks = Presence::new(&self.geometry);
        for (volume_no, bytes) in wanted {
            if volume_no == 0 || !self.geometry.is_data_volume(volume_no) {
                continue;
            }
            for index in self.geometry.blocks_of_payload(bytes) {
                blocks.add((volume_no, self.geometry.data_place(index)));
            }
        }
        self.goal = Goal::Part(blocks);
    }

    /// The set's layout.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Bytes that are spooled.
    pub fn spooled_bytes(&self) -> u64 {
        let volumes = 1..=self.geometry.volume_count();
        volumes
            .map(|no| u64::from(self.presence.count(no)) * BLOCK_BYTES as u64)
            .sum()
    }

    /// Which blocks are spooled. Parity of what was whole when it came by is not.
    pub fn presence(&self) -> &Presence {
        &self.presence
    }

    /// What can be recovered from what is spooled.
    pub fn assess(&self) -> Recovery {
        recover(&self.geometry, &self.presence)
    }

    /// What is still needed.
    pub fn needs(&self) -> Needs {
        needs(&self.geometry, &self.presence, &self.goal)
    }

    /// Bytes that the spool may still grow by, when every volume that is asked for comes whole and data comes first.
    pub fn growth_bytes(&self) -> u64 {
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
        (blocks + healed) * BLOCK_BYTES as u64
    }

    /// What the set says of itself.
    ///
    /// # Errors
    /// [`VolumeError::NoSuperblock`].
    pub fn descriptor(&self) -> Result<SetDescriptor, VolumeError> {
        read_descriptor(&self.spool, &self.presence)
    }

    /// The catalog, checked by its hash and the set's id.
    ///
    /// # Errors
    /// [`VolumeError::CatalogIncomplete`], [`VolumeError::NoSuperblock`], [`VolumeError::Forged`].
    pub fn catalog(&self) -> Result<Vec<u8>, VolumeError> {
        read_catalog(&self.spool, &self.presence, &self.descriptor()?)
    }

    /// Brings back all payload that can be brought back, into the spool. Killed on the way, it is simply called again.
    ///
    /// # Errors
    /// When the spool cannot be written, or a stop was asked for.
    pub fn heal(&mut self, monitor: &dyn Monitor) -> Result<HealReport, VolumeError> {
        let report = heal(
            &self.spool,
            &mut self.presence,
            &self.spool,
            &self.goal,
            monitor,
        )?;
        self.checkpoint()?;
        Ok(report)
    }

    /// Whether every payload block that is wanted stands in the spool: nothing more is needed and nothing is left to heal.
    pub fn payload_ready(&self) -> bool {
        if let Goal::Part(blocks) = &self.goal {
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

    /// Reads the payload of a data volume; every block is checked before its bytes are given out.
    ///
    /// # Errors
    /// [`VolumeError::NoSuperblock`].
    pub fn payload_reader(&self, volume_no: u16) -> Result<PayloadReader<'_>, VolumeError> {
        let bytes = self.descriptor()?.payload_bytes[usize::from(volume_no) - 1];
        Ok(PayloadReader::new(&self.spool, volume_no, bytes))
    }

    /// Takes out a block that was found damaged in the spool; [`Self::heal`] may bring it back.
    ///
    /// # Errors
    /// [`VolumeError::Io`] when that cannot be noted.
    pub fn forget(&mut self, place: Place) -> Result<(), VolumeError> {
        self.presence.remove(place);
        match self.presence.volume(place.0) {
            Some(bits) => self.spool.checkpoint(place.0, bits),
            None => Ok(()),
        }
    }

    /// Removes the set from the spool. Killed on the way, it leaves no part that looks like a set, and the next
    /// call of `absorb` removes what is left.
    ///
    /// # Errors
    /// [`VolumeError::Io`].
    pub fn discard(self) -> Result<(), VolumeError> {
        let dir = self.spool.dir();
        let done = dir.with_extension(DONE);
        remove_folder(&done)?;
        match fs::rename(dir, &done) {
            // Something that is not the spool's stayed there: what is the spool's goes where it is.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => remove_folder(dir),
            renamed => {
                renamed.map_err(VolumeError::io(dir))?;
                remove_folder(&done)
            }
        }
    }

    /// Brings what is spooled to the disk, and notes it.
    pub(super) fn checkpoint(&self) -> Result<(), VolumeError> {
        for volume_no in 1..=self.geometry.volume_count() {
            if let Some(bits) = self.presence.volume(volume_no) {
                self.spool.checkpoint(volume_no, bits)?;
            }
        }
        Ok(())
    }

    /// Spools a whole block, unless it is there or not worth its room.
    pub(super) fn take(
        &mut self,
        header: &BlockHeader,
        block: &[u8],
    ) -> Result<Taken, VolumeError> {
        let place = (header.volume_no, header.block_no);
        if *self.geometry.header() != header.set || header_at(&self.geometry, place) != *header {
            return Ok(Taken::Misfit);
        }
        if self.presence.has(place) {
            return Ok(Taken::Known);
        }
        if !self.wants(place) {
            return Ok(Taken::Spared);
        }
        self.spool.write(place, block)?;
        self.presence.add(place);
        Ok(Taken::New)
    }

    /// Whether a block is worth its room: parity of what is whole already is not.
    fn wants(&self, (volume_no, block_no): Place) -> bool {
        match self.geometry.role(block_no) {
            Role::Superblock | Role::Catalog(_) => true,
            Role::Data(_) if self.geometry.is_data_volume(volume_no) => true,
            Role::Data(index) => !self.stripe_is_whole(index),
            Role::LocalParity(_) => !self.group_is_whole(volume_no, block_no),
        }
    }

    fn stripe_is_whole(&self, index: u32) -> bool {
        let Some(stripe) = self.geometry.stripe_of(index) else {
            return true;
        };
        self.geometry.stripe_places(stripe).all(|place| {
            let mut data = 1..=self.geometry.header().data_volumes;
            data.all(|volume_no| self.presence.has((volume_no, place)))
        })
    }

    fn group_is_whole(&self, volume_no: u16, block_no: u32) -> bool {
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

/// Opens all sets that are being received in `incoming_dir`; none when the folder is not there.
///
/// # Errors
/// [`VolumeError::Io`]. A folder that holds no set is left alone.
pub fn open_all(incoming_dir: &Path) -> Result<Vec<Incoming>, VolumeError> {
    let entries = match fs::read_dir(incoming_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(VolumeError::io(incoming_dir)(error)),
    };
    let mut dirs = Vec::new();
    for entry in entries {
        let path = entry.map_err(VolumeError::io(incoming_dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| SetId::from_str(name).is_ok()) {
            dirs.push(path);
        }
    }
    dirs.sort();
    let opened = dirs.into_iter().map(Incoming::open);
    opened.filter_map(Result::transpose).collect()
}

/// Removes what a process that was killed left of sets that it was done with.
///
/// # Errors
/// [`VolumeError::Io`].
pub(super) fn sweep(incoming_dir: &Path) -> Result<(), VolumeError> {
    let Ok(entries) = fs::read_dir(incoming_dir) else {
        return Ok(());
    };
    let paths = entries.flatten().map(|entry| entry.path());
    let is_done = |path: &PathBuf| {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        path.extension() == Some(DONE.as_ref())
            && stem.is_some_and(|stem| SetId::from_str(stem).is_ok())
    };
    paths
        .filter(is_done)
        .try_for_each(|path| remove_folder(&path))
}

/// Removes the files of a set. What others put beside them stays, and the folder with it.
fn remove_folder(path: &Path) -> Result<(), VolumeError> {
    remove_own(path, &is_own).map_err(VolumeError::io(path))
}

/// Whether a file in the folder of a set is the set's.
fn is_own(name: &str) -> bool {
    let stem = name
        .strip_suffix(".blocks")
        .or_else(|| name.strip_suffix(".map"))
        .or_else(|| name.strip_suffix(".tmp"));
    let is_volume = |stem: &str| {
        let number = stem.strip_prefix('v').unwrap_or_default();
        number.len() >= 3 && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    [SET_FILE, NOTE_FILE].contains(&name)
        || stem.is_some_and(|stem| is_volume(stem) || ["set", NOTE_FILE].contains(&stem))
}
