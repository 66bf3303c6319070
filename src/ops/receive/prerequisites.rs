//! Checks that a store has the prerequisites of a bundle. Runs before anything of the bundle is written.
//!
//! The check is cheap when the prerequisite releases are here whole. Otherwise it is exact: the payload is unpacked
//! once without keeping it, and the new releases are walked over bundle and store together (`overlay`). The walk
//! includes the frames of staged sets that the bundle depends on.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::base::id::{ChunkId, ReleaseId, SetId};
use crate::base::monitor::Monitor;
use crate::bundle::{BundleError, Catalog, Prerequisite, missing_bases};
use crate::content::recipe::walk::Walker;
use crate::content::recipe::{ChunkSource, RecipeError};
use crate::content::release::{ReleaseName, ReleaseRoot, walk};
use crate::ops::Error;
use crate::ops::receive::overlay::{OverlaySource, base_of};
use crate::ops::receive::staged_set::StagedSet;
use crate::store::Store;

/// Chunks that are listed by id.
const NAMED_MAX: usize = 8;

/// The prerequisites of a bundle that the store is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MissingPrerequisites {
    /// For each recipient that the bundle was cut for, the releases with the missing chunks. Those of one recipient
    /// suffice.
    pub any_of: Vec<Vec<MissingRelease>>,
    /// Sets that should be staged here and are not, or not completely.
    pub sets: Vec<MissingSet>,
    /// Lowest number of missing chunks. 0 as long as it is not known.
    pub chunks: u64,
    /// Some of them.
    pub chunk_ids: Vec<ChunkId>,
}

/// A prerequisite release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MissingRelease {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: ReleaseId,
    /// Its state in this store.
    pub state: MissingState,
}

/// A set with missing frames that a bundle depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MissingSet {
    /// Its id.
    pub set_id: SetId,
    /// Frames that the bundle depends on.
    pub frames: u64,
    /// Frames among them that are missing.
    pub missing: u64,
}

/// The state of a prerequisite release in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingState {
    /// It is here, and whole as far as is known.
    Whole,
    /// It is here, and some of its chunks are lost or damaged.
    Damaged,
    /// A different release of this name is here.
    Different,
    /// It is not here.
    Absent,
}

/// Checks the prerequisite releases and the `waiting` sets. Returns `None` when all are here.
pub(crate) fn quick_check(
    store: &Store,
    catalog: &Catalog,
    waiting: &[StagedSet],
) -> Option<MissingPrerequisites> {
    let mut missing = MissingPrerequisites {
        any_of: Vec::new(),
        sets: Vec::new(),
        chunks: 0,
        chunk_ids: Vec::new(),
    };
    let mut is_here = catalog.prerequisites.is_empty();
    for prerequisite in &catalog.prerequisites {
        let releases = releases_of(store, prerequisite);
        let sets = sets_of(store, prerequisite, catalog, waiting);
        let all_whole = releases
            .iter()
            .all(|release| release.state == MissingState::Whole);
        // The prerequisites of one recipient suffice, because this store is one of the recipients.
        is_here |= all_whole && sets.is_empty();
        missing.any_of.push(releases);
        missing.sets.extend(sets);
    }
    (!is_here).then_some(missing)
}

/// Returns the prerequisite sets with something missing, or that depend on what may be missing.
fn sets_of(
    store: &Store,
    prerequisite: &Prerequisite,
    catalog: &Catalog,
    waiting: &[StagedSet],
) -> Vec<MissingSet> {
    let mut sets = Vec::new();
    for set in &prerequisite.sets {
        let frames: u64 = set.frames.iter().map(|run| u64::from(run.count)).sum();
        let found = waiting.iter().find(|each| each.staging.set_id() == set.set);
        let there = found.map_or(0, |each| each.depended_frames(catalog).len() as u64);
        let missing = frames.saturating_sub(there);
        // A staged set that has missing prerequisites itself cannot be relied on. The empty list ends the recursion
        // here.
        let is_firm = found.is_some_and(|each| quick_check(store, each.catalog(), &[]).is_none());
        if missing > 0 || !is_firm {
            sets.push(MissingSet {
                set_id: set.set,
                frames,
                missing,
            });
        }
    }
    sets
}

/// Does the same for chunks that turned out missing later, when the bundle was read.
pub(crate) fn missing_later(
    store: &Store,
    catalog: &Catalog,
    waiting: &[StagedSet],
    missing: &BTreeSet<ChunkId>,
) -> MissingPrerequisites {
    let prerequisites =
        quick_check(store, catalog, waiting).unwrap_or_else(|| MissingPrerequisites {
            any_of: catalog
                .prerequisites
                .iter()
                .map(|prerequisite| releases_of(store, prerequisite))
                .collect(),
            sets: Vec::new(),
            chunks: 0,
            chunk_ids: Vec::new(),
        });
    prerequisites.with_chunks(missing)
}

impl MissingPrerequisites {
    fn with_chunks(self, missing: &BTreeSet<ChunkId>) -> Self {
        let first = missing.iter().take(NAMED_MAX);
        Self {
            chunks: missing.len() as u64,
            chunk_ids: first.copied().collect(),
            ..self
        }
    }
}

fn releases_of(store: &Store, prerequisite: &Prerequisite) -> Vec<MissingRelease> {
    let releases = prerequisite.releases.iter();
    releases
        .map(|release| {
            let name = release.name.parse::<ReleaseName>().ok();
            let here = name.and_then(|name| crate::ops::release(store, &name).ok());
            let state = match here {
                None => MissingState::Absent,
                // The id binds the content, so a release of the same name does not suffice.
                Some(root) if root.id() != release.id => MissingState::Different,
                Some(root) if is_whole(store, &root) => MissingState::Whole,
                Some(_) => MissingState::Damaged,
            };
            MissingRelease {
                name: release.name.clone(),
                id: release.id,
                state,
            }
        })
        .collect()
}

/// Returns whether everything that a release needs is here, as far as is known without reading it.
pub(crate) fn is_whole(store: &Store, root: &ReleaseRoot) -> bool {
    let mut check = |id: &ChunkId| -> Result<(), RecipeError> {
        if store.contains(id) {
            Ok(())
        } else {
            Err(RecipeError::Missing(*id))
        }
    };
    walk::release(&mut Walker::new(store), root, &mut check).is_ok()
}

/// Checks all prerequisites of the bundle. Its payload and the frames of `waiting` sets must be ready. Returns `None`
/// when all is here.
///
/// # Errors
/// [`Error`] when the payload cannot be read, or a stop was asked for.
pub(crate) fn check(
    store: &Store,
    set: &StagedSet,
    waiting: &[StagedSet],
    monitor: &dyn Monitor,
) -> Result<Option<MissingPrerequisites>, Error> {
    let Some(prerequisites) = quick_check(store, set.catalog(), waiting) else {
        return Ok(None);
    };
    // The releases here differ from the vendor's, but may still have the chunks.
    let mut missing = missing_with_bases(store, set, monitor)?;
    if missing.is_empty() {
        missing = match missing_of_releases(store, set, waiting, monitor) {
            Ok(missing) => missing,
            // The chunk seemed whole until now.
            Err(error) => BTreeSet::from([base_of(&error).ok_or(error)?]),
        };
    }
    Ok((!missing.is_empty()).then(|| prerequisites.with_chunks(&missing)))
}

/// Returns the old chunks that frames are compressed against and the store is missing. Without them the frames cannot
/// be unpacked.
fn missing_with_bases(
    store: &Store,
    set: &StagedSet,
    monitor: &dyn Monitor,
) -> Result<BTreeSet<ChunkId>, Error> {
    let mut missing = BTreeSet::new();
    for run in set.runs() {
        let mut payload = set.staging.payload_reader(run.volume_no)?;
        payload.seek_to(run.offset);
        let first = run.frames.start;
        let frames = &set.catalog().frames[run.frames];
        let is_there = |id: &ChunkId| store.contains(id);
        missing.extend(missing_bases(
            &mut payload,
            frames,
            first,
            monitor,
            is_there,
        )?);
    }
    Ok(missing)
}

/// Returns the chunks that the releases need and neither bundle nor store has.
fn missing_of_releases(
    store: &Store,
    set: &StagedSet,
    waiting: &[StagedSet],
    monitor: &dyn Monitor,
) -> Result<BTreeSet<ChunkId>, Error> {
    let catalog = set.catalog();
    let mut both = OverlaySource::new(store);
    for each in waiting {
        let frames = each.depended_frames(catalog);
        let missing = each.missing_bases(&frames, |id| store.contains(id));
        // Frames of staged sets may be compressed against chunks that the bundle carries, so these are held.
        both.wanted.extend(missing);
    }
    both.read(set, monitor)?;
    for each in waiting {
        both.read_waiting(each, catalog, monitor)?;
    }
    let mut missing: BTreeSet<ChunkId> = BTreeSet::new();
    for release in &catalog.releases {
        monitor.check_stop()?;
        let root = ReleaseRoot::decode(&release.root).map_err(BundleError::from)?;
        let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
            if !both.contains(id) {
                missing.insert(*id);
            }
            Ok(())
        };
        match walk::release(&mut Walker::new(&both), &root, &mut note) {
            // Behind a missing list there may be more.
            Err(RecipeError::Missing(id) | RecipeError::Chunk { id, .. }) => {
                missing.insert(id);
            }
            other => other?,
        }
    }
    Ok(missing)
}
