//! `prune`: frees the room of everything that no release needs.
//!
//! The walk over recipes finds what a release needs. The store does the rest.

use std::collections::HashSet;
use std::time::Duration;

use serde::Serialize;

use crate::base::id::{BlobId, ChunkId};
use crate::base::monitor::Monitor;
use crate::base::own::remove_own;
use crate::bundle::receipt::packed::{PACKED_BYTES_MAX, PackedSet};
use crate::content::recipe::walk::{Visitor, Walker};
use crate::content::recipe::{Blob, RecipeError};
use crate::content::release::{ReleaseRoot, walk};
use crate::oci::pulls::is_own;
use crate::ops::{Error, PULLS, is_fault};
use crate::store::{self, CachedBlobFile, LiveChunks, Store};

/// The result of `prune`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct StorePruneReport {
    /// Packs dropped whole.
    pub packs_removed: u64,
    /// Packs whose live part was rewritten.
    pub packs_rewritten: u64,
    /// Bytes of packs before.
    pub bytes_before: u64,
    /// Bytes of packs now.
    pub bytes_after: u64,
    /// Packs in a bucket that are marked, and go when their time of grace is over.
    pub packs_marked: u64,
    /// Bytes of these.
    pub marked_bytes: u64,
    /// Bytes of cached copies that were dropped.
    pub ready_dropped_bytes: u64,
    /// Bytes of the cached copies that stay.
    pub ready_bytes: u64,
}

/// What else `prune` drops.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PruneRequest {
    /// Drops all cached copies, and not only those that no release needs. They take long to rebuild.
    pub drop_ready: bool,
    /// How long a pack stays in a bucket after it was marked, if not as long as the store says.
    pub grace: Option<Duration>,
}

/// Frees the space of chunks that no release needs.
///
/// # Errors
/// [`Error`] when a release cannot be walked. Nothing is dropped then, because it might still be needed.
pub fn prune(
    store: &mut Store,
    options: &PruneRequest,
    monitor: &dyn Monitor,
) -> Result<StorePruneReport, Error> {
    // Releases that come later are seen to by those who commit them.
    store.be_alone()?;
    let crate::ops::Roots { roots, bad } = crate::ops::all_roots(store)?;
    crate::ops::must_know_all(store, &bad)?;
    let ready = store.cached_blob_files()?;
    let copies = ready.iter().flat_map(|file| &file.blobs);
    let mut unneeded = copies.map(|(id, _)| *id).collect();
    let mut needed = LiveChunks::new(store);
    // Where the disk of the local folder is full, this is a fault like any other.
    let unreadable = live(store, &roots, &mut unneeded, &mut |id| {
        needed.insert(id).map_err(RecipeError::store)
    });
    let mut names = Vec::new();
    for (name, error) in unreadable {
        if is_fault(&error) {
            return Err(error.into());
        }
        names.push(name);
    }
    if !names.is_empty() {
        return Err(Error::UnreadableReleases { names });
    }
    if !store.is_shared() {
        // The local folder of a bucket has no lock, and somebody may be pulling into it.
        let pulls = store.dir().join(PULLS);
        remove_own(&pulls, &is_own).map_err(Error::io(&pulls))?;
    }
    let is_unneeded = |file: &&CachedBlobFile| {
        let mut blobs = file.blobs.iter();
        options.drop_ready || blobs.all(|(id, _)| unneeded.contains(id))
    };
    let ready_dropped_bytes = store.drop_cached_blobs(ready.iter().filter(is_unneeded))?;
    let ready_bytes = store.cached_bytes()?;
    let how = store::PruneOptions {
        grace: options.grace,
        ..store::PruneOptions::default()
    };
    let report = store.prune(needed, &how, monitor)?;
    forget_sets(store, &roots)?;
    Ok(StorePruneReport {
        packs_removed: report.packs_removed,
        packs_rewritten: report.packs_rewritten,
        bytes_before: report.bytes_before,
        bytes_after: report.bytes_after,
        packs_marked: report.packs_marked,
        marked_bytes: report.bytes_marked,
        ready_dropped_bytes,
        ready_bytes,
    })
}

/// Forgets packed sets whose releases no longer exist, because no top-up can be made for them.
fn forget_sets(store: &Store, roots: &[ReleaseRoot]) -> Result<(), Error> {
    for set in store.sets()? {
        let body = store.set(&set, PACKED_BYTES_MAX)?;
        let packed = body.and_then(|body| PackedSet::decode(&body).ok());
        let is_of_use = packed.is_some_and(|packed| {
            let mut held = packed.releases.iter();
            held.any(|held| roots.iter().any(|root| held.is(&root.id())))
        });
        if !is_of_use {
            store.forget_set(&set)?;
        }
    }
    Ok(())
}

/// Gives on the chunks that releases need.
struct Live<'r> {
    chunk: &'r mut dyn FnMut(&ChunkId) -> Result<(), RecipeError>,
    /// Cached copies of blobs that no release needs, as far as was seen.
    unneeded: &'r mut HashSet<BlobId>,
}

impl Visitor for Live<'_> {
    fn chunk(&mut self, id: &ChunkId) -> Result<(), RecipeError> {
        (self.chunk)(id)
    }

    fn blob(&mut self, blob: &Blob) -> Result<(), RecipeError> {
        self.unneeded.remove(&blob.id);
        Ok(())
    }
}

/// Visits the chunks that releases need, as far as their lists can be read, and returns the releases whose lists cannot, or
/// for which `chunk` failed. Removes the blobs that they need from `unneeded`.
pub(super) fn live(
    store: &Store,
    roots: &[ReleaseRoot],
    unneeded: &mut HashSet<BlobId>,
    chunk: &mut dyn FnMut(&ChunkId) -> Result<(), RecipeError>,
) -> Vec<(String, RecipeError)> {
    let mut live = Live { chunk, unneeded };
    let mut unreadable = Vec::new();
    let mut walker = Walker::new(store);
    for root in roots {
        if let Err(error) = walk::release(&mut walker, root, &mut live) {
            unreadable.push((root.name.to_string(), error));
        }
    }
    unreadable
}
