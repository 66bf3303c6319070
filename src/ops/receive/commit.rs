//! Commits a complete set to the store: checks its prerequisites, puts its chunks, and proves and commits its releases.
//!
//! Missing prerequisites are an outcome and not an error. Memory: as `prerequisites`, the store's writer and `proof`
//! state.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::base::id::ChunkId;
use crate::base::monitor::Monitor;
use crate::base::size::total;
use crate::bundle::{BundleError, Catalog, FramePlace, UnpackedFrame};
use crate::content::frame::Frame;
use crate::content::recipe::RecipeError;
use crate::content::recipe::walk::Walker;
use crate::content::release::{Item, ReleaseName, ReleaseRoot, walk};
use crate::ops::Error;
use crate::ops::blob_cache::{self, Keeper};
use crate::ops::proof::{self, ProvedBlobs};
use crate::ops::receive::arrivals::{Arrivals, CheckedLists};
use crate::ops::receive::overlay;
use crate::ops::receive::prerequisites::{self, MissingPrerequisites};
use crate::ops::receive::restorable;
use crate::ops::receive::staged_set::StagedSet;
use crate::ops::store::commit_release;
use crate::ops::unpack_limits;
use crate::store::{ChunkSet, Store, StoreWriter, WriteOptions};

/// How often a bundle is put when each time another chunk of the store turns out damaged.
const TRIES: u32 = 8;

/// A release that was received.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CommittedRelease {
    /// Its name.
    pub name: ReleaseName,
    /// Its items.
    pub items: u64,
    /// Bytes of all items.
    pub bytes: u64,
    /// Whether a different release of this name was in the store before.
    pub replaced: bool,
}

/// The outcome for a complete set.
pub(crate) enum CommitOutcome {
    /// Its releases are in the store.
    In(Vec<CommittedRelease>),
    /// No release was committed, because the store does not have all prerequisites.
    Missing(MissingPrerequisites),
}

/// A commit in progress.
struct Commit<'a> {
    store: &'a Store,
    set: &'a StagedSet,
    /// Staged sets with frames that it depends on.
    waiting: Vec<StagedSet>,
    roots: Vec<ReleaseRoot>,
    /// The needed chunks. `None` stands for all.
    needed: Option<ChunkSet>,
    monitor: &'a dyn Monitor,
}

/// Checks the prerequisites before anything is written. Puts all requested chunks into the store, checks that nothing
/// is missing and that streams can be rebuilt, and commits the releases.
pub(crate) fn commit_set(
    store: &Store,
    set: &StagedSet,
    monitor: &dyn Monitor,
) -> Result<CommitOutcome, Error> {
    let catalog = set.catalog();
    let mut waiting = StagedSet::depended_on(store, catalog)?;
    for each in &mut waiting {
        // Healing first makes as many of their frames readable as possible.
        each.staging.heal(monitor)?;
    }
    if let Some(missing) = prerequisites::check(store, set, &waiting, monitor)? {
        return Ok(CommitOutcome::Missing(missing));
    }
    let roots = roots_of(catalog)?;
    let needed = overlay::needed_chunks(store, set, &roots, monitor)?;
    let commit = Commit {
        store,
        set,
        waiting,
        roots,
        needed,
        monitor,
    };
    commit.run()
}

impl Commit<'_> {
    fn run(mut self) -> Result<CommitOutcome, Error> {
        let mut missing = BTreeSet::new();
        // Reading may reveal a damaged chunk in the store that the bundle carries. The next pass puts it again.
        for _ in 0..TRIES {
            let before = std::mem::take(&mut missing);
            missing = self.write_and_look()?;
            if missing.is_empty() {
                return commit(self.store, &self.roots).map(CommitOutcome::In);
            }
            // Another pass would find the same chunks missing, because it puts the same frames.
            if missing == before {
                break;
            }
        }
        let catalog = self.set.catalog();
        match catalog.releases.first() {
            // A bundle without prerequisites has to carry everything, so what is missing was never packed.
            Some(release) if catalog.prerequisites.is_empty() => Err(Error::BundleIncomplete {
                release: release.name.clone(),
                chunks: missing.len(),
            }),
            _ => Ok(CommitOutcome::Missing(prerequisites::missing_later(
                self.store,
                catalog,
                &self.waiting,
                &missing,
            ))),
        }
    }

    /// Puts all chunks, and returns those that are still missing, as far as they are known.
    fn write_and_look(&mut self) -> Result<BTreeSet<ChunkId>, Error> {
        let is_proved = match self.write_and_prove() {
            Ok(is_proved) => is_proved,
            Err(error) => return Ok(BTreeSet::from([overlay::base_of(&error).ok_or(error)?])),
        };
        let mut missing = BTreeSet::new();
        for root in &self.roots {
            missing.append(&mut missing_of(self.store, root)?);
        }
        if missing.is_empty() && !is_proved {
            // Entries are checked before anything is rebuilt from them, because their author may be hostile.
            restorable::check(self.store, &self.roots)?;
            missing.extend(prove(self.store, &self.roots, self.monitor)?);
        }
        Ok(missing)
    }

    /// Puts all chunks, and meanwhile checks the lists and proves the contents. Returns whether all of that is right.
    /// Whatever is not is told by a proof from the store.
    fn write_and_prove(&mut self) -> Result<bool, Error> {
        let (store, monitor) = (self.store, self.monitor);
        // Frames of several sets come in no order that a reader could follow.
        let lists = match self.waiting.is_empty() {
            true => CheckedLists::read(store, self.set, &self.roots, monitor),
            false => None,
        };
        let Some(lists) = lists else {
            self.write(None)?;
            return Ok(false);
        };
        let keeper = Keeper::new(store, growth_bytes(self.set.held_bytes()))?;
        let arrivals = Arrivals::new(store, &lists);
        let roots = self.roots.clone();
        std::thread::scope(|scope| {
            let prover = scope.spawn(|| arrivals.prove(&roots, &keeper, monitor));
            let written = {
                let _last = arrivals.until_the_last();
                self.write(Some(&arrivals))
            };
            let proved = prover.join();
            written?;
            proved.unwrap_or(Ok(false))
        })
    }

    /// Puts the needed chunks of the bundle into the store, and those of the frames of staged sets that it depends on.
    /// Hands the frames of the bundle on.
    fn write(&mut self, arrivals: Option<&Arrivals<'_>>) -> Result<(), Error> {
        let (store, set, monitor) = (self.store, self.set, self.monitor);
        let needed = self.needed.as_ref();
        let waiting = self.waiting.iter();
        let depended: Vec<Vec<FramePlace>> = waiting
            .map(|each| each.depended_frames(set.catalog()))
            .collect();
        let depended_bytes: u64 = depended
            .iter()
            .flatten()
            .map(|place| u64::from(place.entry.stored_bytes))
            .sum();
        // Claims of a catalog beyond what its volumes can hold reserve no room.
        blob_cache::make_room(store, growth_bytes(set.held_bytes() + depended_bytes))?;

        let mut writer = store.writer(&WriteOptions::default(), monitor)?;
        monitor.start("take over", set.selection.payload_bytes() + depended_bytes);
        let all = |_: &FramePlace| Ok(true);
        set.read_frames(all, store, monitor, |unpacked| {
            let frame = put(&mut writer, unpacked, needed)?;
            if let Some(arrivals) = arrivals
                && arrivals.add(frame)
            {
                writer.commit()?;
                arrivals.committed();
            }
            Ok(())
        })?;
        if !self.waiting.is_empty() {
            // The frames below may depend on chunks that were just put.
            writer.commit()?;
        }
        for (each, frames) in self.waiting.iter_mut().zip(depended) {
            let bad = each.read(&frames, store, monitor, |_, frame| {
                put(&mut writer, frame, None).map(drop)
            })?;
            for place in bad {
                // Blocks that have gone bad are forgotten, so that the next heal rebuilds them by parity.
                each.staging.forget(place)?;
            }
        }
        monitor.finish();
        // From here on every chunk is durable, as it must be before a root names it.
        writer.finish()?;
        Ok(())
    }
}

/// Estimates how much a store grows by this much payload. Media are compressed harder than the store: the factor is
/// 1.15 by default, and 1.36 for the smallest bundles (measured).
pub(crate) fn growth_bytes(payload_bytes: u64) -> u64 {
    // A factor of 1.4 covers the largest that was measured.
    (payload_bytes / 5).saturating_mul(7)
}

/// Returns the roots of the releases in a catalog.
pub(crate) fn roots_of(catalog: &Catalog) -> Result<Vec<ReleaseRoot>, Error> {
    let releases = catalog.releases.iter();
    let roots: Result<_, _> = releases
        .map(|release| ReleaseRoot::decode(&release.root).map_err(BundleError::from))
        .collect();
    Ok(roots?)
}

/// Puts the chunks of a frame, or only the needed ones when they are known, and returns the frame.
pub(super) fn put(
    writer: &mut StoreWriter<'_>,
    unpacked: UnpackedFrame,
    needed: Option<&ChunkSet>,
) -> Result<Frame, Error> {
    let is_needed = |id: &ChunkId| needed.is_none_or(|needed| needed.contains(id));
    writer.put_frame(&unpacked.frame, unpacked.kept, is_needed)?;
    Ok(unpacked.frame)
}

/// Returns the chunks that a release needs and the store does not have. Behind a missing list there may be more.
pub(super) fn missing_of(store: &Store, root: &ReleaseRoot) -> Result<BTreeSet<ChunkId>, Error> {
    let mut missing = BTreeSet::new();
    let mut check = |id: &ChunkId| -> Result<(), RecipeError> {
        if !store.contains(id) {
            missing.insert(*id);
        }
        Ok(())
    };
    match walk::release(&mut Walker::new(store), root, &mut check) {
        // A failed read tells nothing about the chunk, so it must not count as missing.
        Err(error) if crate::ops::is_fault(&error) => return Err(error.into()),
        Err(RecipeError::Missing(id) | RecipeError::Chunk { id, .. }) => {
            missing.insert(id);
        }
        other => other?,
    }
    Ok(missing)
}

pub(super) fn commit(store: &Store, roots: &[ReleaseRoot]) -> Result<Vec<CommittedRelease>, Error> {
    let mut committed = Vec::new();
    for root in roots {
        let replaced = crate::ops::release(store, &root.name).is_ok_and(|before| before != *root);
        // All chunks are durable and proved at this point, so a root never names a release that is not whole.
        commit_release(store, root)?;
        committed.push(CommittedRelease {
            name: root.name.clone(),
            items: root.items.into(),
            bytes: root.bytes,
            replaced,
        });
    }
    Ok(committed)
}

/// Rebuilds the contents of new releases and compares them. Hashes prove the chunks, but the recipes come from another
/// program. Caches deflate streams on the way, as far as there is room. Returns a chunk that was found damaged.
pub(super) fn prove(
    store: &Store,
    roots: &[ReleaseRoot],
    monitor: &dyn Monitor,
) -> Result<Option<ChunkId>, Error> {
    for root in roots {
        // The limits come first, because rebuilding a hostile stream could take any amount of time.
        unpack_limits::check(store, |walker, visitor| {
            walk::release(walker, root, visitor)
        })?;
    }
    let mut known = ProvedBlobs::of_contents(store)?;
    let keeper = Keeper::new(store, 0)?;
    let failed = proof::streams(store, &mut known, roots, Some(&keeper), monitor)?;
    // The last group of cached blobs is written when the keeper is dropped.
    drop(keeper);
    let mut damaged = None;
    for (blob, source) in failed {
        match source {
            RecipeError::Missing(id) | RecipeError::Chunk { id, .. } => damaged = Some(id),
            source => return Err(Error::StreamChanged { blob, source }),
        }
    }
    for root in roots {
        if damaged.is_some() {
            break;
        }
        let Ok(items) = root.read_items(store) else {
            continue;
        };
        let all: Vec<&Item> = items.iter().collect();
        monitor.start("compare", total(all.iter().map(|item| item.bytes())));
        let failed = proof::items(store, &known, &all, None, monitor)?;
        monitor.finish();
        for (at, source) in failed {
            match source {
                RecipeError::Missing(id) | RecipeError::Chunk { id, .. } => damaged = Some(id),
                source => return Err(restorable::refused(root, all.get(at).copied(), source)),
            }
        }
    }
    Ok(damaged)
}

/// Returns whether the store has every release of the catalog, identical and whole.
pub(crate) fn all_here(store: &Store, catalog: &Catalog) -> Result<bool, Error> {
    for release in &catalog.releases {
        let root = ReleaseRoot::decode(&release.root).map_err(BundleError::from)?;
        let here = crate::ops::release(store, &root.name).is_ok_and(|have| have == root);
        if !here || !prerequisites::is_whole(store, &root) {
            return Ok(false);
        }
    }
    Ok(true)
}
