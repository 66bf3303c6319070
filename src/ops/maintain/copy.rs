//! `copy`: puts releases of one store into another, wherever the two lie.
//!
//! Only what the other store lacks is read and put, frame by frame as it is. What was put before a copy ended early is
//! there already when it is done again. It changes nothing in the first store. Memory: 16 bytes a chunk of a release, and
//! eight frames.

use std::path::Path;

use serde::Serialize;

use crate::base::id::{ChunkId, ReleaseId};
use crate::base::monitor::Monitor;
use crate::content::recipe::RecipeError;
use crate::content::recipe::walk::Walker;
use crate::content::release::{ReleaseName, ReleaseRoot, walk};
use crate::ops::history::{self, HistoryEntry, HistoryEvent};
use crate::ops::space::Space;
use crate::ops::{Error, commit_release};
use crate::store::{ChunkSet, Store, WriteOptions};

/// What became of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CopiedRelease {
    /// Its name.
    pub name: ReleaseName,
    /// Its id.
    pub id: ReleaseId,
    /// Bytes of all items when restored.
    pub bytes: u64,
    /// Whether the other store had it already, whole.
    pub was_there: bool,
}

/// The result of `copy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CopyReport {
    /// The releases, in the order in which they were named.
    pub releases: Vec<CopiedRelease>,
    /// Bytes of chunks that the other store did not have.
    pub new_bytes: u64,
    /// Bytes that these take there.
    pub stored_bytes: u64,
}

/// Puts releases of `from` into `to`. Each is committed when every chunk of it is there.
///
/// # Errors
/// [`Error::NoSuchRelease`], [`Error::NoSpace`], or an error of a store. A release of the same name and other content is
/// not replaced: [`Error::OtherThere`]. Releases that were named before are committed then.
pub fn copy(
    from: &Store,
    to: &Store,
    names: &[ReleaseName],
    monitor: &dyn Monitor,
) -> Result<CopyReport, Error> {
    // All names are looked up first, so that a misspelled one costs no time.
    let mut roots: Vec<ReleaseRoot> = Vec::new();
    for name in names {
        let root = crate::ops::release(from, name)?;
        must_not_replace(to, &root)?;
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    let mut report = CopyReport {
        releases: Vec::new(),
        new_bytes: 0,
        stored_bytes: 0,
    };
    for root in roots {
        let is_there = crate::ops::release(to, &root.name).is_ok();
        let missing = missing(from, to, &root)?;
        let was_there = is_there && missing.is_empty();
        if !was_there {
            put(from, to, missing, &mut report, monitor)?;
            // Every chunk is durable there, as it must be before a root names it.
            commit_release(to, &root)?;
            note(from.shown_as(), to, &root, monitor);
        }
        report.releases.push(CopiedRelease {
            name: root.name.clone(),
            id: root.id(),
            bytes: root.bytes,
            was_there,
        });
    }
    Ok(report)
}

fn must_not_replace(to: &Store, root: &ReleaseRoot) -> Result<(), Error> {
    match crate::ops::release(to, &root.name) {
        Ok(there) if there.id() != root.id() => Err(Error::OtherThere {
            name: root.name.to_string(),
            ours: root.id(),
            theirs: there.id(),
        }),
        Ok(_) | Err(Error::NoSuchRelease { .. }) => Ok(()),
        // A root that is damaged there is replaced by the same release alone, and which one it was is not known.
        Err(error) => Err(error),
    }
}

/// Returns the chunks of a release that the other store does not have.
fn missing(from: &Store, to: &Store, root: &ReleaseRoot) -> Result<ChunkSet, Error> {
    let mut missing = ChunkSet::new();
    let mut look = |id: &ChunkId| -> Result<(), RecipeError> {
        if to.contains(id) {
            return Ok(());
        }
        if !from.contains(id) {
            return Err(RecipeError::Missing(*id));
        }
        missing.insert(id);
        Ok(())
    };
    walk::release(&mut Walker::new(from), root, &mut look)?;
    Ok(missing)
}

fn put(
    from: &Store,
    to: &Store,
    missing: ChunkSet,
    report: &mut CopyReport,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let places = from.places_of(missing);
    if !to.is_shared() {
        Space::in_folder(to.dir(), places.stored_bytes())?.check()?;
    }
    let mut writer = to.writer(&WriteOptions::default(), monitor)?;
    monitor.start("copy", places.stored_bytes());
    from.copy_frames(&places, &mut writer, monitor)?;
    monitor.finish();
    let written = writer.finish()?;
    report.new_bytes += written.new_bytes;
    report.stored_bytes += written.stored_bytes;
    Ok(())
}

fn note(from: &Path, to: &Store, root: &ReleaseRoot, monitor: &dyn Monitor) {
    let entry = HistoryEntry::now(HistoryEvent::Copy).release(root);
    history::note(to, &entry.from([from]), monitor);
}
