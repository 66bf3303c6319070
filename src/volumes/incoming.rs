//! Sets that are being received: each medium is read once, its blocks go to a spool, and what is still needed is known.
//!
//! It survives a kill at any instant: spooled blocks say themselves what they are, everything else is a cache.
//! What the payload means, and when it is taken over, is the caller's affair.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use crate::block::{BLOCK_BYTES, BlockHeader};
use crate::finding::Finding;
use crate::geometry::{Geometry, Role};
use crate::id::SetId;
use crate::media::source::find_sources;
use crate::media::{ScanReport, Sighting, scan};
use crate::monitor::Monitor;
use crate::recovery::{Goal, Needs, Place, Presence, Recovery, needs, recover};
use crate::volumes::blocks::{header_at, read_catalog, read_descriptor};
use crate::volumes::heal::{HealReport, heal};
use crate::volumes::spool::{Spool, replace_file};
use crate::volumes::{PayloadReader, SetDescriptor, VolumeError};

/// Spooled bytes between two checkpoints.
const CHECKPOINT_BYTES: u64 = 256 << 20;
/// Most sets that one call takes in; more than that is no honest medium.
const SETS_MAX: usize = 64;
/// Name of the file that holds one whole block of the set, for its numbers.
const SET_FILE: &str = "set.block";

/// A set that is being received.
#[derive(Debug)]
pub struct Incoming {
    geometry: Geometry,
    spool: Spool,
    presence: Presence,
}

/// What one set got out of a call of [`absorb`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Absorbed {
    /// Blocks that were new and are spooled now.
    pub new_blocks: u64,
    /// Blocks that were there already.
    pub known_blocks: u64,
    /// Parity blocks of what is whole already; they are not kept.
    pub spared_blocks: u64,
}

/// What a call of [`absorb`] did.
#[derive(Debug)]
pub struct AbsorbReport {
    /// The sets that were met, and what they got.
    pub sets: Vec<(Incoming, Absorbed)>,
    /// Sets that were met and are not wanted.
    pub unwanted: Vec<SetId>,
    /// What is odd about the media.
    pub findings: Vec<Finding>,
    /// What the scan did.
    pub scan: ScanReport,
}

impl Incoming {
    fn create(incoming_dir: &Path, block: &[u8], geometry: Geometry) -> Result<Self, VolumeError> {
        let dir = incoming_dir.join(geometry.header().set_id.to_string());
        fs::create_dir_all(&dir).map_err(VolumeError::io(&dir))?;
        replace_file(&dir.join(SET_FILE), block)?;
        Ok(Self {
            presence: Presence::new(&geometry),
            spool: Spool::new(dir, geometry.clone()),
            geometry,
        })
    }

    /// Opens the set in `dir`; `None` when nothing in there says what it is: it was killed before its first block.
    fn open(dir: PathBuf) -> Result<Option<Self>, VolumeError> {
        let path = dir.join(SET_FILE);
        let mut block = vec![0; BLOCK_BYTES];
        let read = fs::File::open(&path).and_then(|mut file| io::Read::read_exact(&mut file, &mut block));
        match read {
            Ok(()) => {}
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof) =>
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
        Ok(Some(Self { geometry, spool, presence }))
    }

    /// The set.
    pub fn set_id(&self) -> SetId {
        self.geometry.header().set_id
    }

    /// The folder that it is spooled in.
    pub fn dir(&self) -> &Path {
        self.spool.dir()
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
        needs(&self.geometry, &self.presence)
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
            self.assess().volumes.iter().map(|volume| {
                u64::from(volume.local_blocks) + u64::from(volume.wide_blocks)
            }).sum()
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
        let report = heal(&self.spool, &mut self.presence, &self.spool, &Goal::Payload, monitor)?;
        self.checkpoint()?;
        Ok(report)
    }

    /// Whether every payload block stands in the spool: nothing more is needed and nothing is left to heal.
    pub fn payload_ready(&self) -> bool {
        let data = 1..=self.geometry.header().data_volumes;
        data.into_iter().all(|volume_no| {
            (0..self.geometry.data_blocks())
                .all(|index| self.presence.has((volume_no, self.geometry.data_place(index))))
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

    /// Removes the set from the spool.
    ///
    /// # Errors
    /// [`VolumeError::Io`].
    pub fn discard(self) -> Result<(), VolumeError> {
        fs::remove_dir_all(self.spool.dir()).map_err(VolumeError::io(self.spool.dir()))
    }

    fn checkpoint(&self) -> Result<(), VolumeError> {
        for volume_no in 1..=self.geometry.volume_count() {
            if let Some(bits) = self.presence.volume(volume_no) {
                self.spool.checkpoint(volume_no, bits)?;
            }
        }
        Ok(())
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

/// Takes in every block at or below `paths` that a set still needs, in one pass over them. Sets that are new are
/// begun, if `wanted` says so.
///
/// # Errors
/// When a path is missing, the spool cannot be written, or a stop was asked for: what was spooled by then stays and
/// is found again.
pub fn absorb(
    incoming_dir: &Path,
    paths: &[PathBuf],
    wanted: &(dyn Fn(&SetId) -> bool + Sync),
    monitor: &dyn Monitor,
) -> Result<AbsorbReport, VolumeError> {
    let sources = find_sources(paths, monitor)?;
    let known = open_all(incoming_dir)?.into_iter();
    let absorber = Absorber {
        incoming_dir,
        wanted,
        state: Mutex::new(State {
            sets: known.map(|set| (set.set_id(), Some(Taking::new(set)))).collect(),
            ..State::default()
        }),
    };
    monitor.start("read", sources.iter().map(|source| source.bytes).sum());
    let visit = |sighting: &Sighting<'_>| match sighting {
        Sighting::Whole { header, block, .. } => absorber.take(header, block),
        Sighting::Damaged { .. } => ControlFlow::Continue(()),
    };
    let scanned = scan(&sources, &visit, monitor);
    monitor.finish();
    let mut state = absorber.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = state.error.take() {
        return Err(error);
    }
    // Even when a stop was asked for, what came so far is worth a checkpoint.
    for taking in state.sets.values().flatten().filter(|taking| taking.absorbed.new_blocks > 0) {
        taking.set.checkpoint()?;
    }
    let scan = scanned?;
    Ok(state.report(scan, monitor))
}

struct Taking {
    set: Incoming,
    absorbed: Absorbed,
    met: bool,
    misfits: u64,
    since_checkpoint_bytes: u64,
}

impl Taking {
    fn new(set: Incoming) -> Self {
        Self { set, absorbed: Absorbed::default(), met: false, misfits: 0, since_checkpoint_bytes: 0 }
    }
}

#[derive(Default)]
struct State {
    /// Sets by id; `None` for those that are not wanted.
    sets: BTreeMap<SetId, Option<Taking>>,
    senseless: u64,
    error: Option<VolumeError>,
}

struct Absorber<'a> {
    incoming_dir: &'a Path,
    wanted: &'a (dyn Fn(&SetId) -> bool + Sync),
    state: Mutex<State>,
}

impl Absorber<'_> {
    /// Takes one whole block. Writing under the lock keeps order simple; it goes to the system's memory, and reading
    /// and hashing, which take most of the time, happen outside.
    fn take(&self, header: &BlockHeader, block: &[u8]) -> ControlFlow<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match self.try_take(&mut state, header, block) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                state.error.get_or_insert(error);
                ControlFlow::Break(())
            }
        }
    }

    fn try_take(
        &self,
        state: &mut State,
        header: &BlockHeader,
        block: &[u8],
    ) -> Result<(), VolumeError> {
        let set_id = header.set.set_id;
        if !state.sets.contains_key(&set_id) {
            let Ok(geometry) = Geometry::from_header(&header.set) else {
                state.senseless += 1;
                return Ok(());
            };
            if state.sets.len() >= SETS_MAX {
                state.senseless += 1;
                return Ok(());
            }
            let taking = match (self.wanted)(&set_id) {
                true => Some(Taking::new(Incoming::create(self.incoming_dir, block, geometry)?)),
                false => None,
            };
            state.sets.insert(set_id, taking);
        }
        let Some(Some(taking)) = state.sets.get_mut(&set_id) else {
            return Ok(());
        };
        taking.met = true;
        let set = &mut taking.set;
        let place = (header.volume_no, header.block_no);
        if *set.geometry.header() != header.set || header_at(&set.geometry, place) != *header {
            taking.misfits += 1;
        } else if set.presence.has(place) {
            taking.absorbed.known_blocks += 1;
        } else if !set.wants(place) {
            taking.absorbed.spared_blocks += 1;
        } else {
            set.spool.write(place, block)?;
            set.presence.add(place);
            taking.absorbed.new_blocks += 1;
            taking.since_checkpoint_bytes += BLOCK_BYTES as u64;
            if taking.since_checkpoint_bytes >= CHECKPOINT_BYTES {
                taking.since_checkpoint_bytes = 0;
                set.checkpoint()?;
            }
        }
        Ok(())
    }
}

impl State {
    fn report(self, scan: ScanReport, monitor: &dyn Monitor) -> AbsorbReport {
        let mut report = AbsorbReport {
            sets: Vec::new(),
            unwanted: Vec::new(),
            findings: Vec::new(),
            scan,
        };
        if self.senseless > 0 {
            let message = format!("{} blocks of no volume set, ignored", self.senseless);
            report.findings.push(Finding::damage("media", message));
        }
        for (set_id, taking) in self.sets {
            let Some(taking) = taking else {
                report.unwanted.push(set_id);
                continue;
            };
            if taking.misfits > 0 {
                let message = format!("{} blocks that do not fit this set, ignored", taking.misfits);
                report.findings.push(Finding::damage(format!("set {}", set_id.short()), message));
            }
            if taking.met {
                report.sets.push((taking.set, taking.absorbed));
            }
        }
        for finding in &report.findings {
            monitor.finding(finding);
        }
        report
    }
}
