//! `check` and `prune`: verify that every release is whole, and free the room of everything else.
//!
//! The walk over recipes finds what a release needs. The store does the rest.

use std::collections::HashSet;
use std::path::PathBuf;

use serde::Serialize;

use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::{Finding, Severity, Subject};
use crate::base::id::{BlobId, ChunkId};
use crate::base::monitor::Monitor;
use crate::base::own::remove_own;
use crate::bundle::receipt::packed::{PACKED_BYTES_MAX, PackedSet};
use crate::bundle::{BundleError, Catalog, FramePlace, UnpackedFrame, read_exactly, read_single};
use crate::content::recipe::walk::{Visitor, Walker};
use crate::content::recipe::{Blob, RecipeError};
use crate::content::release::{ReleaseName, ReleaseRoot, walk};
use crate::oci::pulls::is_own;
use crate::ops::history;
use crate::ops::overlap::check_no_overlap;
use crate::ops::proof::{self, ProvedBlobs};
use crate::ops::{Error, ErrorKind, PULLS, is_fault};
use crate::store::{self, CachedBlobFile, CheckDepth, ChunkSet, Store, WriteOptions};
use crate::volumes::staging::open_all;
use crate::volumes::{SetReader, discover};

/// The result of `check`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct StoreCheckReport {
    /// Releases in the store.
    pub releases: u64,
    /// Packs that were checked.
    pub packs: u64,
    /// Their bytes.
    pub pack_bytes: u64,
    /// Chunks that releases need and that are missing or damaged.
    pub lost_chunks: u64,
    /// Chunks restored from volumes.
    pub healed_chunks: u64,
    /// Releases that are not whole, and which of their items.
    pub damaged: Vec<DamagedRelease>,
    /// Damage that was found.
    pub findings: Vec<Finding>,
    /// What could not be read, so that it is not known whether it is whole or damaged.
    pub faults: Vec<Finding>,
    /// Lines of the history that are missing or changed. No release is hurt by that.
    pub history: Vec<Finding>,
}

impl StoreCheckReport {
    /// Returns whether a release cannot be restored whole.
    pub fn has_loss(&self) -> bool {
        let is_loss = |finding: &Finding| finding.severity == Severity::Loss;
        !self.damaged.is_empty() || self.lost_chunks > 0 || self.findings.iter().any(is_loss)
    }

    /// Returns whether every release can be restored and nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.damaged.is_empty()
            && self.lost_chunks == 0
            && self.findings.is_empty()
            && self.faults.is_empty()
    }
}

/// A release that is not whole.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DamagedRelease {
    /// Its name.
    pub name: ReleaseName,
    /// Items that cannot be restored. Empty when the release's root or its list of items itself is lost.
    pub items: Vec<String>,
}

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
}

/// Checks the store. `heal_from` are volumes that may hold good copies of what is damaged.
///
/// # Errors
/// [`Error`] when the store cannot be read at all or a stop was asked for. Damage is in the report.
pub fn check(
    store: &Store,
    depth: CheckDepth,
    heal_from: &[PathBuf],
    monitor: &dyn Monitor,
) -> Result<StoreCheckReport, Error> {
    check_no_overlap(heal_from, store.dir())?;
    let crate::ops::Roots { roots, bad } = crate::ops::all_roots(store)?;
    let mut report = store.check(depth, live(store, &roots, &mut HashSet::new()).0, monitor)?;
    let mut healed_chunks = 0;
    // A healed list may name further lost chunks, so healing repeats until it gains nothing more.
    while !heal_from.is_empty() && !report.lost_chunks.is_empty() {
        let lost = report.lost_chunks.iter().copied().collect();
        let healed = heal(store, &lost, heal_from, monitor)?;
        report = store.check(depth, live(store, &roots, &mut HashSet::new()).0, monitor)?;
        healed_chunks += healed;
        if healed == 0 {
            break;
        }
    }
    let (mut findings, mut faults) = (report.findings, report.faults);
    let history = match history::audit(store) {
        Ok(found) => found,
        Err(error) => {
            let why = Arg::innermost(&error);
            faults.push(Finding::note(
                Subject::Store,
                diagnostic!("history.not_read", why),
            ));
            Vec::new()
        }
    };
    history.iter().for_each(|each| monitor.finding(each));
    let mut damaged = Vec::new();
    for each in bad {
        monitor.finding(&each.finding);
        if each.is_fault {
            faults.push(each.finding);
        } else {
            findings.push(each.finding);
            let items = Vec::new();
            damaged.push(DamagedRelease {
                name: each.name,
                items,
            });
        }
    }
    if store.has_lost_its_roots()? {
        let finding = Finding::loss(Subject::Store, diagnostic!("store.no_folder_of_roots"));
        monitor.finding(&finding);
        findings.push(finding);
    }
    if let Err(error) = open_all(&store.incoming_dir()) {
        let why = Arg::innermost(&error);
        let what = diagnostic!("store.cannot_be_read_now", why);
        let finding = Finding::note(Subject::Incoming, what);
        monitor.finding(&finding);
        faults.push(finding);
    }
    let changed = match depth {
        CheckDepth::Structure => HashSet::new(),
        CheckDepth::Data => {
            damaged_copies(store, &mut findings, monitor)?;
            changed_streams(store, &roots, &mut findings, monitor)?
        }
    };
    let lost: HashSet<[u8; 16]> = report.lost_chunks.iter().copied().collect();
    for root in &roots {
        match damage(store, root, &lost, &changed) {
            Ok(release) => damaged.extend(release),
            Err(finding) => {
                monitor.finding(&finding);
                faults.push(finding);
            }
        }
    }
    Ok(StoreCheckReport {
        releases: roots.len() as u64,
        packs: report.packs,
        pack_bytes: report.pack_bytes,
        lost_chunks: lost.len() as u64,
        healed_chunks,
        damaged,
        findings,
        faults,
        history,
    })
}

/// Reports cached copies that are wrong. They are not used from then on.
fn damaged_copies(
    store: &Store,
    findings: &mut Vec<Finding>,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let files = store.cached_blob_files()?;
    monitor.start("check", files.iter().map(|file| file.bytes).sum());
    for (id, bytes) in files.iter().flat_map(|file| &file.blobs) {
        monitor.check_stop()?;
        monitor.advance(*bytes);
        if !store.has_cached_blob(id, *bytes) {
            let subject = Subject::Blob(id.short().to_string());
            let finding = Finding::note(subject, diagnostic!("store.ready_copy_damaged"));
            monitor.finding(&finding);
            findings.push(finding);
        }
    }
    monitor.finish();
    Ok(())
}

/// Rebuilds all deflate streams and compares them. Returns the blobs that differ. A stream with a missing chunk counts
/// as a lost chunk.
fn changed_streams(
    store: &Store,
    roots: &[ReleaseRoot],
    findings: &mut Vec<Finding>,
    monitor: &dyn Monitor,
) -> Result<HashSet<BlobId>, Error> {
    let mut changed = HashSet::new();
    for (blob, error) in proof::streams(store, &mut ProvedBlobs::default(), roots, None, monitor)? {
        if matches!(
            error,
            RecipeError::Mismatch(_) | RecipeError::Remake { .. } | RecipeError::Newer(_)
        ) {
            let subject = Subject::Blob(blob.short().to_string());
            let what = diagnostic!("store.stream_changed", why = Arg::caught(error));
            let finding = Finding::loss(subject, what);
            monitor.finding(&finding);
            findings.push(finding);
            changed.insert(blob);
        }
    }
    Ok(changed)
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
    let crate::ops::Roots { roots, bad } = crate::ops::all_roots(store)?;
    crate::ops::must_know_all(store, &bad)?;
    let ready = store.cached_blob_files()?;
    let copies = ready.iter().flat_map(|file| &file.blobs);
    let mut unneeded = copies.map(|(id, _)| *id).collect();
    let (live, unreadable) = live(store, &roots, &mut unneeded);
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
    let pulls = store.dir().join(PULLS);
    remove_own(&pulls, &is_own).map_err(Error::io(&pulls))?;
    let is_unneeded = |file: &&CachedBlobFile| {
        let mut blobs = file.blobs.iter();
        options.drop_ready || blobs.all(|(id, _)| unneeded.contains(id))
    };
    let ready_dropped_bytes = store.drop_cached_blobs(ready.iter().filter(is_unneeded))?;
    let ready_bytes = store.cached_bytes()?;
    let report = store.prune(live, &store::PruneOptions::default(), monitor)?;
    forget_sets(store, &roots)?;
    Ok(StorePruneReport {
        packs_removed: report.packs_removed,
        packs_rewritten: report.packs_rewritten,
        bytes_before: report.bytes_before,
        bytes_after: report.bytes_after,
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

/// The chunks that releases need.
struct Live<'r> {
    chunks: ChunkSet,
    /// Cached copies of blobs that no release needs, as far as was seen.
    unneeded: &'r mut HashSet<BlobId>,
}

impl Visitor for Live<'_> {
    fn chunk(&mut self, id: &ChunkId) -> Result<(), RecipeError> {
        self.chunks.insert(id);
        Ok(())
    }

    fn blob(&mut self, blob: &Blob) -> Result<(), RecipeError> {
        self.unneeded.remove(&blob.id);
        Ok(())
    }
}

/// Returns the chunks that releases need, as far as their lists can be read, and the releases whose lists cannot.
/// Removes the blobs that they need from `unneeded`.
fn live(
    store: &Store,
    roots: &[ReleaseRoot],
    unneeded: &mut HashSet<BlobId>,
) -> (ChunkSet, Vec<(String, RecipeError)>) {
    let mut live = Live {
        chunks: ChunkSet::new(),
        unneeded,
    };
    let mut unreadable = Vec::new();
    let mut walker = Walker::new(store);
    for root in roots {
        if let Err(error) = walk::release(&mut walker, root, &mut live) {
            unreadable.push((root.name.to_string(), error));
        }
    }
    (live.chunks, unreadable)
}

/// Returns the items of a release that need a lost chunk or a changed stream, or whose lists are lost.
///
/// # Errors
/// Returns a finding when something could not be read, so that its state is unknown.
fn damage(
    store: &Store,
    root: &ReleaseRoot,
    lost: &HashSet<[u8; 16]>,
    changed: &HashSet<BlobId>,
) -> Result<Option<DamagedRelease>, Finding> {
    let name = root.name.clone();
    let unread = |error: &RecipeError| {
        let why = Arg::innermost(error);
        Finding::note(
            root.name.to_string(),
            diagnostic!("store.cannot_be_read_now", why),
        )
    };
    let items = match root.read_items(store) {
        Ok(items) => items,
        Err(error) if is_fault(&error) => return Err(unread(&error)),
        Err(_) => {
            let items = Vec::new();
            return Ok(Some(DamagedRelease { name, items }));
        }
    };
    let mut damaged = Vec::new();
    for item in &items {
        let mut inspector = Inspector {
            lost,
            changed,
            is_fine: true,
        };
        let walked = walk::item(&mut Walker::new(store), item, &mut inspector);
        match walked {
            Err(error) if is_fault(&error) => return Err(unread(&error)),
            Ok(()) if inspector.is_fine => {}
            _ => damaged.push(String::from_utf8_lossy(&item.name).into_owned()),
        }
    }
    let items = damaged;
    Ok((!items.is_empty()).then_some(DamagedRelease { name, items }))
}

/// Looks for uses of what is lost or changed.
struct Inspector<'a> {
    lost: &'a HashSet<[u8; 16]>,
    changed: &'a HashSet<BlobId>,
    is_fine: bool,
}

impl Visitor for Inspector<'_> {
    fn chunk(&mut self, id: &ChunkId) -> Result<(), RecipeError> {
        let prefix = id.as_bytes().first_chunk::<16>();
        self.is_fine &= !prefix.is_some_and(|prefix| self.lost.contains(prefix));
        Ok(())
    }

    fn blob(&mut self, blob: &Blob) -> Result<(), RecipeError> {
        self.is_fine &= !self.changed.contains(&blob.id);
        Ok(())
    }
}

/// Puts the lost chunks that the volumes hold.
fn heal(
    store: &Store,
    lost: &HashSet<[u8; 16]>,
    paths: &[PathBuf],
    monitor: &dyn Monitor,
) -> Result<u64, Error> {
    let sets = discover(paths, monitor)?.sets;
    if sets.is_empty() {
        return Err(Error::no_volumes(paths));
    }
    let mut healed = 0;
    let mut failed = None;
    for set in &sets {
        match heal_from_set(store, lost, set, monitor) {
            Ok(chunks) => healed += chunks,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            // A faulty set must not keep the others from helping.
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) if healed == 0 => Err(error),
        _ => Ok(healed),
    }
}

fn heal_from_set(
    store: &Store,
    lost: &HashSet<[u8; 16]>,
    set: &SetReader,
    monitor: &dyn Monitor,
) -> Result<u64, Error> {
    let catalog = Catalog::from_bytes(&set.catalog()?).map_err(BundleError::from)?;
    let places = catalog.places(&set.descriptor()?.payload_bytes);
    let mut writer = store.writer(&WriteOptions::default(), monitor)?;
    let mut healed = 0;
    monitor.start("heal", catalog.payload_bytes());
    let open = |place: &FramePlace| {
        let payload = set.payload_reader(place.volume_no);
        let mut payload =
            payload.map_err(|error| BundleError::Payload(std::io::Error::other(error)))?;
        payload.seek_to(place.offset);
        read_exactly(&mut payload, place.entry.stored_bytes)
    };
    read_single(&places, open, store, monitor, |_, unpacked| {
        // The frame is damaged, missing, or depends on lost chunks itself. Other frames may still help.
        let Ok(UnpackedFrame { frame, .. }) = unpacked else {
            return Ok(());
        };
        for (id, range) in &frame.chunks {
            let is_lost = id
                .as_bytes()
                .first_chunk::<16>()
                .is_some_and(|id| lost.contains(id));
            if is_lost && !writer.contains(id) {
                writer.put(&frame.plain[range.clone()], frame.class)?;
                healed += 1;
            }
        }
        Ok::<(), Error>(())
    })?;
    monitor.finish();
    writer.finish()?;
    Ok(healed)
}
