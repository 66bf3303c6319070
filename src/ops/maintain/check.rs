//! `check`: verifies that every release is whole.
//!
//! The walk over recipes finds what a release needs. The store does the rest.

use std::collections::HashSet;
use std::path::PathBuf;

use serde::Serialize;

use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::{Finding, Severity, Subject};
use crate::base::id::{BlobId, ChunkId};
use crate::base::monitor::Monitor;
use crate::bundle::{BundleError, Catalog, FramePlace, UnpackedFrame, read_exactly, read_single};
use crate::content::recipe::walk::{Visitor, Walker};
use crate::content::recipe::{Blob, RecipeError};
use crate::content::release::{ReleaseName, ReleaseRoot, walk};
use crate::ops::history;
use crate::ops::maintain::prune::live;
use crate::ops::overlap::check_no_overlap;
use crate::ops::proof::{self, ProvedBlobs};
use crate::ops::{Error, ErrorKind, is_fault};
use crate::store::{CheckDepth, ChunkSet, Store, WriteOptions};
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DamagedRelease {
    /// Its name.
    pub name: ReleaseName,
    /// Items that cannot be restored. Empty when the release's root or its list of items itself is lost.
    pub items: Vec<String>,
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
    let mut report = store.check(depth, needed(store, &roots), monitor)?;
    let mut healed_chunks = 0;
    // A healed list may name further lost chunks, so healing repeats until it gains nothing more.
    while !heal_from.is_empty() && !report.lost_chunks.is_empty() {
        let lost = report.lost_chunks.iter().copied().collect();
        let healed = heal(store, &lost, heal_from, monitor)?;
        report = store.check(depth, needed(store, &roots), monitor)?;
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

/// Returns the chunks that releases need, as far as their lists can be read.
fn needed(store: &Store, roots: &[ReleaseRoot]) -> ChunkSet {
    let mut chunks = ChunkSet::new();
    live(store, roots, &mut HashSet::new(), &mut |id| {
        chunks.insert(id);
        Ok(())
    });
    chunks
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
