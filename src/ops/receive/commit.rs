//! Commits a set that has come whole to the store: checks what it depends on, puts its chunks, proves and commits its releases.
//!
//! What is missing is no error here, but an answer. Memory: as `prerequisites`, the store's writer and `proof` state.

use std::collections::BTreeSet;

use crate::base::id::ChunkId;
use crate::base::monitor::Monitor;
use crate::base::size::total;
use crate::bundle::{BundleError, Catalog, FramePlace};
use crate::content::frame::Frame;
use crate::content::recipe::RecipeError;
use crate::content::recipe::walk::Walker;
use crate::content::release::{Item, ReleaseRoot, walk};
use crate::ops::Error;
use crate::ops::blob_cache::{self, Keeper};
use crate::ops::proof::{self, ProvedBlobs};
use crate::ops::receive::CommittedRelease;
use crate::ops::receive::overlay;
use crate::ops::receive::prerequisites::{self, MissingPrerequisites};
use crate::ops::receive::restorable;
use crate::ops::receive::staged_set::StagedSet;
use crate::ops::unpack_limits;
use crate::store::{ChunkSet, Store, StoreWriter, WriteOptions};

/// So often a bundle is put, when each time another chunk of the store turns out damaged.
const TRIES: u32 = 8;

/// What became of a set that has come whole.
pub(crate) enum CommitOutcome {
    /// Its releases are in the store.
    In(Vec<CommittedRelease>),
    /// No release was committed: the store lacks what it leans on.
    Lacks(MissingPrerequisites),
}

/// A set on its way into the store.
struct Commit<'a> {
    store: &'a Store,
    set: &'a StagedSet,
    /// Sets that wait, and of which it depends on frames.
    waiting: Vec<StagedSet>,
    roots: Vec<ReleaseRoot>,
    /// The chunks that are needed, if that is known: else all.
    needed: Option<ChunkSet>,
    monitor: &'a dyn Monitor,
}

/// Checks what the bundle depends on, before anything is written. Puts all chunks that are asked for into the store, makes sure
/// that nothing is missing and that streams come back, and commits the releases.
pub(crate) fn commit_set(
    store: &Store,
    set: &StagedSet,
    monitor: &dyn Monitor,
) -> Result<CommitOutcome, Error> {
    let catalog = set.catalog();
    let mut waiting = StagedSet::leaned_on(store, catalog)?;
    for each in &mut waiting {
        each.staging.heal(monitor)?;
    }
    if let Some(missing) = prerequisites::check(store, set, &waiting, monitor)? {
        return Ok(CommitOutcome::Lacks(missing));
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
        // A chunk that the store took to be whole until it was read may be carried: the next time it is put.
        for _ in 0..TRIES {
            let before = std::mem::take(&mut missing);
            missing = self.write_and_look()?;
            if missing.is_empty() {
                return commit(self.store, &self.roots).map(CommitOutcome::In);
            }
            if missing == before {
                break;
            }
        }
        let catalog = self.set.catalog();
        match catalog.releases.first() {
            Some(release) if catalog.leans.is_empty() => Err(Error::BundleIncomplete {
                release: release.name.clone(),
                chunks: missing.len(),
            }),
            _ => Ok(CommitOutcome::Lacks(prerequisites::missing_later(
                self.store,
                catalog,
                &self.waiting,
                &missing,
            ))),
        }
    }

    /// Puts all chunks, and returns those that are missing then, as far as they are known.
    fn write_and_look(&mut self) -> Result<BTreeSet<ChunkId>, Error> {
        if let Err(error) = self.write() {
            return Ok(BTreeSet::from([
                prerequisites::base_of(&error).ok_or(error)?
            ]));
        }
        let mut missing = BTreeSet::new();
        for root in &self.roots {
            missing.append(&mut missing_of(self.store, root)?);
        }
        if missing.is_empty() {
            restorable::check(self.store, &self.roots)?;
            missing.extend(prove(self.store, &self.roots, self.monitor)?);
        }
        Ok(missing)
    }

    /// Puts the chunks of the bundle into the store, as far as they are needed, and those of frames that it depends on in sets
    /// that wait.
    fn write(&mut self) -> Result<(), Error> {
        let (store, set, monitor) = (self.store, self.set, self.monitor);
        let needed = self.needed.as_ref();
        let waiting = self.waiting.iter();
        let leaned: Vec<Vec<FramePlace>> = waiting
            .map(|each| each.leaned_frames(set.catalog()))
            .collect();
        let leaned_bytes: u64 = leaned
            .iter()
            .flatten()
            .map(|place| u64::from(place.entry.stored_bytes))
            .sum();
        // What a catalog claims beyond what its volumes can hold asks for no room.
        blob_cache::make_room(store, growth_bytes(set.held_bytes() + leaned_bytes))?;

        let mut writer = store.writer(&WriteOptions::default(), monitor)?;
        monitor.start("take over", set.selection.payload_bytes() + leaned_bytes);
        let all = |_: &FramePlace| Ok(true);
        set.read_frames(all, store, monitor, |frame| {
            put(&mut writer, &frame, needed)
        })?;
        if !self.waiting.is_empty() {
            // What came now may be what these depend on.
            writer.commit()?;
        }
        for (each, frames) in self.waiting.iter_mut().zip(leaned) {
            let bad = each.read(&frames, store, monitor, |frame| {
                put(&mut writer, &frame, None)
            })?;
            for place in bad {
                each.staging.forget(place)?;
            }
        }
        monitor.finish();
        writer.finish()?;
        Ok(())
    }
}

/// What a store grows by for so much payload. What is packed harder on media takes more room in a store: 1.15 x by default,
/// 1.36 x for the smallest bundles (measured).
pub(crate) fn growth_bytes(payload_bytes: u64) -> u64 {
    (payload_bytes / 5).saturating_mul(7)
}

/// The roots of the releases in a catalog.
pub(crate) fn roots_of(catalog: &Catalog) -> Result<Vec<ReleaseRoot>, Error> {
    let releases = catalog.releases.iter();
    let roots: Result<_, _> = releases
        .map(|release| ReleaseRoot::decode(&release.root).map_err(BundleError::from))
        .collect();
    Ok(roots?)
}

/// Puts the chunks of a frame: those that are needed, if that is known.
fn put(
    writer: &mut StoreWriter<'_>,
    frame: &Frame,
    needed: Option<&ChunkSet>,
) -> Result<(), Error> {
    let is_needed = |id: &ChunkId| needed.is_none_or(|needed| needed.contains(id));
    for (_, range) in frame.chunks.iter().filter(|(id, _)| is_needed(id)) {
        writer.put(&frame.plain[range.clone()], frame.class)?;
    }
    Ok(())
}

/// The chunks that a release needs and the store does not have. Behind a list that is not there may be more.
fn missing_of(store: &Store, root: &ReleaseRoot) -> Result<BTreeSet<ChunkId>, Error> {
    let mut missing = BTreeSet::new();
    let mut check = |id: &ChunkId| -> Result<(), RecipeError> {
        if !store.contains(id) {
            missing.insert(*id);
        }
        Ok(())
    };
    match walk::release(&mut Walker::new(store), root, &mut check) {
        Err(error) if crate::ops::is_fault(&error) => return Err(error.into()),
        Err(RecipeError::Missing(id) | RecipeError::Chunk { id, .. }) => {
            missing.insert(id);
        }
        other => other?,
    }
    Ok(missing)
}

fn commit(store: &Store, roots: &[ReleaseRoot]) -> Result<Vec<CommittedRelease>, Error> {
    let mut committed = Vec::new();
    for root in roots {
        let replaced = crate::ops::release(store, &root.name).is_ok_and(|before| before != *root);
        store.commit_root(&root.name.file_stem(), &root.encode())?;
        committed.push(CommittedRelease {
            name: root.name.to_string(),
            items: root.items.into(),
            bytes: root.bytes,
            replaced,
        });
    }
    Ok(committed)
}

/// Makes what new releases hold again and compares it: chunks are proved by hashes, but who made the recipes was another
/// program. Deflate streams are kept ready on the way, as far as there is room. Returns a chunk that was found damaged by it.
fn prove(
    store: &Store,
    roots: &[ReleaseRoot],
    monitor: &dyn Monitor,
) -> Result<Option<ChunkId>, Error> {
    for root in roots {
        unpack_limits::check(store, |walker, visitor| {
            walk::release(walker, root, visitor)
        })?;
    }
    let mut known = ProvedBlobs::read(store).map_err(Error::Releases)?;
    let keeper = Keeper::new(store)?;
    let failed = proof::streams(store, &mut known, roots, Some(&keeper), monitor)?;
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
                source => return Err(restorable::refused(root, all.get(at).copied(), &source)),
            }
        }
    }
    Ok(damaged)
}

/// Whether the store has every release of the catalog, as the catalog has it and whole.
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
