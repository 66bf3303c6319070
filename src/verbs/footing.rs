//! Whether a store has what a bundle leans on, before anything of the bundle is written to it.
//!
//! Cheap when the releases that are leaned on are here whole. Else exact: the payload is unpacked once without keeping
//! it, and the new releases are walked over bundle and store together. That holds the lists of the new releases, 256 MiB
//! of them at most, and 64 bytes a chunk of the bundle.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;

use crate::bundle::{BundleError, Catalog, Lean, missing_bases, read_frames};
use crate::class::Class;
use crate::id::ChunkId;
use crate::index::prefix;
use crate::monitor::Monitor;
use crate::recipe::walk::Walker;
use crate::recipe::{ChunkSource, RecipeError};
use crate::release::{ReleaseName, ReleaseRoot, walk};
use crate::store::{ChunkBytes, Store};
use crate::verbs::Error;
use crate::volumes::Incoming;

/// Most bytes of lists that are held. A bundle with more of them is judged by the releases it leans on alone.
const LISTS_MAX_BYTES: usize = 256 << 20;
/// Chunks that are named.
const NAMED_MAX: usize = 8;

/// What a bundle leans on and the store lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lacking {
    /// For each receiver that the bundle was cut for, the releases that have what is lacking. Those of one suffice.
    pub any_of: Vec<Vec<LackingRelease>>,
    /// How many chunks are lacking at least; 0 as long as that is not known.
    pub chunks: u64,
    /// Some of them.
    pub chunk_ids: Vec<String>,
}

/// A release that a bundle leans on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LackingRelease {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// How this store stands to it.
    pub state: LackingState,
}

/// How a store stands to a release that a bundle leans on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LackingState {
    /// It is here, and whole as far as is known.
    Whole,
    /// It is here, and some of its chunks are lost or damaged.
    Damaged,
    /// A release of this name is here, and it is another one.
    Different,
    /// It is not here.
    Absent,
}

/// Looks at the releases that are leaned on. `None`: all is here.
pub(super) fn glance(store: &Store, catalog: &Catalog) -> Option<Lacking> {
    let any_of: Vec<Vec<LackingRelease>> = catalog
        .leans
        .iter()
        .map(|lean| releases_of(store, lean))
        .collect();
    let whole = |lean: &Vec<LackingRelease>| {
        lean.iter()
            .all(|release| release.state == LackingState::Whole)
    };
    if any_of.is_empty() || any_of.iter().any(whole) {
        return None;
    }
    Some(Lacking {
        any_of,
        chunks: 0,
        chunk_ids: Vec::new(),
    })
}

fn releases_of(store: &Store, lean: &Lean) -> Vec<LackingRelease> {
    let releases = lean.releases.iter();
    releases
        .map(|release| {
            let name = release.name.parse::<ReleaseName>().ok();
            let here = name.and_then(|name| super::release(store, &name).ok());
            let state = match here {
                None => LackingState::Absent,
                Some(root) if root.id() != release.id => LackingState::Different,
                Some(root) if is_whole(store, &root) => LackingState::Whole,
                Some(_) => LackingState::Damaged,
            };
            LackingRelease {
                name: release.name.clone(),
                id: release.id.to_string(),
                state,
            }
        })
        .collect()
}

/// Whether all that a release needs is here, as far as is known without reading it.
pub(super) fn is_whole(store: &Store, root: &ReleaseRoot) -> bool {
    let mut check = |id: &ChunkId| -> Result<(), RecipeError> {
        if store.contains(id) {
            Ok(())
        } else {
            Err(RecipeError::Missing(*id))
        }
    };
    walk::release(&mut Walker::new(store), root, &mut check).is_ok()
}

/// Checks all that the bundle leans on; its payload must be ready. `None`: all is here.
///
/// # Errors
/// [`Error`] when the payload cannot be read, or a stop was asked for.
pub(super) fn check(
    store: &Store,
    incoming: &Incoming,
    catalog: &Catalog,
    monitor: &dyn Monitor,
) -> Result<Option<Lacking>, Error> {
    let Some(mut lacking) = glance(store, catalog) else {
        return Ok(None);
    };
    // The releases are not here as they were at the vendor's; their chunks may be.
    let mut missing = lacking_bases(store, incoming, catalog, monitor)?;
    if missing.is_empty() {
        missing = lacking_of_releases(store, incoming, catalog, monitor)?;
    }
    if missing.is_empty() {
        return Ok(None);
    }
    lacking.chunks = missing.len() as u64;
    lacking.chunk_ids = missing
        .iter()
        .take(NAMED_MAX)
        .map(ToString::to_string)
        .collect();
    Ok(Some(lacking))
}

/// The old chunks that frames are compressed against and the store lacks: without them nothing can be unpacked.
fn lacking_bases(
    store: &Store,
    incoming: &Incoming,
    catalog: &Catalog,
    monitor: &dyn Monitor,
) -> Result<BTreeSet<ChunkId>, Error> {
    let mut missing = BTreeSet::new();
    let mut frame_no = 0;
    for (volume_no, payload_bytes) in (1..).zip(incoming.descriptor()?.payload_bytes) {
        let frames = catalog.frames_within(frame_no, payload_bytes);
        let mut payload = incoming.payload_reader(volume_no)?;
        let is_there = |id: &ChunkId| store.contains(id);
        missing.extend(missing_bases(
            &mut payload,
            frames,
            frame_no,
            monitor,
            is_there,
        )?);
        frame_no += frames.len();
    }
    Ok(missing)
}

/// The chunks that the releases need and neither bundle nor store has.
fn lacking_of_releases(
    store: &Store,
    incoming: &Incoming,
    catalog: &Catalog,
    monitor: &dyn Monitor,
) -> Result<BTreeSet<ChunkId>, Error> {
    let both = Both::read(store, incoming, catalog, monitor)?;
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
            // Behind a list that is not here there may be more.
            Err(RecipeError::Missing(id) | RecipeError::Chunk { id, .. }) => {
                missing.insert(id);
            }
            other => other?,
        }
    }
    Ok(missing)
}

/// A bundle and a store as one source of lists.
struct Both<'a> {
    store: &'a Store,
    carried: HashSet<[u8; 16]>,
    lists: HashMap<ChunkId, Arc<[u8]>>,
}

impl<'a> Both<'a> {
    fn read(
        store: &'a Store,
        incoming: &Incoming,
        catalog: &Catalog,
        monitor: &dyn Monitor,
    ) -> Result<Self, Error> {
        let mut both = Self {
            store,
            carried: HashSet::new(),
            lists: HashMap::new(),
        };
        let mut held_bytes = 0;
        let mut frame_no = 0;
        monitor.start("check", catalog.payload_bytes());
        for (volume_no, payload_bytes) in (1..).zip(incoming.descriptor()?.payload_bytes) {
            let frames = catalog.frames_within(frame_no, payload_bytes);
            let mut payload = incoming.payload_reader(volume_no)?;
            read_frames(&mut payload, frames, frame_no, store, monitor, |frame| {
                for (id, range) in &frame.chunks {
                    both.carried.insert(prefix(id));
                    if frame.class == Class::Meta && held_bytes < LISTS_MAX_BYTES {
                        held_bytes += range.len();
                        both.lists.insert(*id, frame.plain[range.clone()].into());
                    }
                }
                Ok::<(), Error>(())
            })?;
            frame_no += frames.len();
        }
        monitor.finish();
        Ok(both)
    }
}

/// A chunk of either.
enum BothBytes {
    Carried(Arc<[u8]>),
    Stored(ChunkBytes),
}

impl Deref for BothBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Carried(bytes) => bytes,
            Self::Stored(bytes) => bytes,
        }
    }
}

impl ChunkSource for Both<'_> {
    type Bytes = BothBytes;

    fn chunk(&self, id: &ChunkId) -> Result<BothBytes, RecipeError> {
        match self.lists.get(id) {
            Some(bytes) => Ok(BothBytes::Carried(Arc::clone(bytes))),
            None => ChunkSource::chunk(self.store, id).map(BothBytes::Stored),
        }
    }

    fn prefetch(&self, ids: &[ChunkId]) {
        self.store.prefetch(ids);
    }

    fn contains(&self, id: &ChunkId) -> bool {
        self.carried.contains(&prefix(id)) || self.store.contains(id)
    }
}
