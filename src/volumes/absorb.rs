//! Reads media into the spool: one pass over each, every block that some set still needs.
//!
//! Which blocks are needed is for `incoming` to say, and nothing is decided here about healing or taking over.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::block::{BLOCK_BYTES, BlockHeader};
use crate::finding::Finding;
use crate::geometry::Geometry;
use crate::id::SetId;
use crate::media::source::find_sources;
use crate::media::{ScanReport, Sighting, scan};
use crate::monitor::Monitor;
use crate::volumes::VolumeError;
use crate::volumes::incoming::{Incoming, Taken, open_all, sweep};

/// Spooled bytes between two checkpoints.
const CHECKPOINT_BYTES: u64 = 256 << 20;
/// Most sets that one call takes in; more than that is no honest medium.
const SETS_MAX: usize = 64;

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
    absorb_noting(incoming_dir, paths, None, wanted, monitor)
}

/// The same; `note` stands beside each set that is begun, from its first block on.
///
/// # Errors
/// As [`absorb`].
pub fn absorb_noting(
    incoming_dir: &Path,
    paths: &[PathBuf],
    note: Option<&[u8]>,
    wanted: &(dyn Fn(&SetId) -> bool + Sync),
    monitor: &dyn Monitor,
) -> Result<AbsorbReport, VolumeError> {
    let sources = find_sources(paths, monitor)?;
    sweep(incoming_dir)?;
    let known = open_all(incoming_dir)?.into_iter();
    let absorber = Absorber {
        incoming_dir,
        note,
        wanted,
        state: Mutex::new(State {
            sets: known
                .map(|set| (set.set_id(), Some(Taking::new(set))))
                .collect(),
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
    let mut state = absorber
        .state
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = state.error.take() {
        return Err(error);
    }
    // Even when a stop was asked for, what came so far is worth a checkpoint.
    for taking in state
        .sets
        .values()
        .flatten()
        .filter(|taking| taking.absorbed.new_blocks > 0)
    {
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
        Self {
            set,
            absorbed: Absorbed::default(),
            met: false,
            misfits: 0,
            since_checkpoint_bytes: 0,
        }
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
    note: Option<&'a [u8]>,
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
                true => Some(Taking::new(Incoming::create(
                    self.incoming_dir,
                    block,
                    geometry,
                    self.note,
                )?)),
                false => None,
            };
            state.sets.insert(set_id, taking);
        }
        let Some(Some(taking)) = state.sets.get_mut(&set_id) else {
            return Ok(());
        };
        taking.met = true;
        match taking.set.take(header, block)? {
            Taken::Misfit => taking.misfits += 1,
            Taken::Known => taking.absorbed.known_blocks += 1,
            Taken::Spared => taking.absorbed.spared_blocks += 1,
            Taken::New => {
                taking.absorbed.new_blocks += 1;
                taking.since_checkpoint_bytes += BLOCK_BYTES as u64;
            }
        }
        if taking.since_checkpoint_bytes >= CHECKPOINT_BYTES {
            taking.since_checkpoint_bytes = 0;
            taking.set.checkpoint()?;
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
                let message = format!(
                    "{} blocks that do not fit this set, ignored",
                    taking.misfits
                );
                report
                    .findings
                    .push(Finding::damage(format!("set {}", set_id.short()), message));
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
