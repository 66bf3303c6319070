//! `copy`: puts releases of one store into another, wherever the two lie.
//!
//! Only what the other store lacks is read and put, frame by frame as it is. What was put before a copy ended early is
//! there already when it is done again. What is damaged in the first store is said, and everything else is put: a release
//! is committed when it is whole there, whichever store its chunks were in. It changes nothing in the first store. Memory:
//! 16 bytes a chunk of a release, and eight frames.

use std::path::Path;

use serde::Serialize;

use crate::base::finding::Finding;
use crate::base::id::{ChunkId, ReleaseId};
use crate::base::limits::CostLimits;
use crate::base::monitor::Monitor;
use crate::content::recipe::walk::{Visitor, Walker};
use crate::content::recipe::{ChunkSource, RecipeError};
use crate::content::release::{Item, ReleaseName, ReleaseRoot, walk};
use crate::ops::history::{self, HistoryEntry, HistoryEvent};
use crate::ops::maintain::check::DamagedRelease;
use crate::ops::space::Space;
use crate::ops::{Error, commit_release, is_fault};
use crate::store::{ChunkBytes, ChunkSet, Store, WriteOptions};

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
    /// The releases that are whole in the other store, in the order in which they were named.
    pub releases: Vec<CopiedRelease>,
    /// The others, with the items that are not whole. Of these everything was put that could be read.
    pub damaged: Vec<DamagedRelease>,
    /// Damage that was found in the first store.
    pub findings: Vec<Finding>,
    /// Bytes of chunks that the other store did not have.
    pub new_bytes: u64,
    /// Bytes that these take there.
    pub stored_bytes: u64,
}

/// Puts releases of `from` into `to`. Each is committed when every chunk of it is there.
///
/// # Errors
/// [`Error::NoSuchRelease`], [`Error::NoSpace`], or an error of a store. A release of the same name and other content is
/// not replaced: [`Error::OtherThere`]. Releases that were named before are committed then. Damage is in the report.
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
        damaged: Vec::new(),
        findings: Vec::new(),
        new_bytes: 0,
        stored_bytes: 0,
    };
    let both = BothStores { from, to };
    for root in roots {
        let is_there = crate::ops::release(to, &root.name).is_ok();
        let missing = both.missing(&root)?;
        let was_there = is_there && missing.is_nothing();
        if !was_there {
            let is_hurt = put(from, to, missing, &mut report, monitor)?;
            if is_hurt && let Some(damaged) = both.damage(&root)? {
                report.damaged.push(damaged);
                continue;
            }
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

/// Both stores as one source: what is lost in one may be in the other.
struct BothStores<'s> {
    from: &'s Store,
    to: &'s Store,
}

/// What the other store does not have of a release.
#[derive(Default)]
struct MissingChunks {
    chunks: ChunkSet,
    count: u64,
    /// Whether the first store lacks some of them, or a list that names more.
    is_hurt: bool,
}

impl MissingChunks {
    fn is_nothing(&self) -> bool {
        self.count == 0 && !self.is_hurt
    }
}

impl ChunkSource for BothStores<'_> {
    type Bytes = ChunkBytes;

    fn chunk(&self, id: &ChunkId) -> Result<ChunkBytes, RecipeError> {
        // What is there already is read there, since the first store may be far.
        let (first, second) = match self.to.contains(id) {
            true => (self.to, self.from),
            false => (self.from, self.to),
        };
        let read = ChunkSource::chunk(first, id);
        read.or_else(|error| ChunkSource::chunk(second, id).map_err(|_| error))
    }

    fn prefetch(&self, ids: &[ChunkId]) {
        let (near, far): (Vec<ChunkId>, Vec<ChunkId>) =
            ids.iter().partition(|id| self.to.contains(id));
        self.to.prefetch(&near);
        self.from.prefetch(&far);
    }

    fn contains(&self, id: &ChunkId) -> bool {
        self.to.contains(id) || self.from.contains(id)
    }

    fn limits(&self) -> CostLimits {
        self.from.limits()
    }
}

impl BothStores<'_> {
    /// Looks what the other store lacks of a release. A list that is lost hides what it names, and the rest is found.
    fn missing(&self, root: &ReleaseRoot) -> Result<MissingChunks, Error> {
        let mut missing = MissingChunks::default();
        let mut walker = Walker::new(self);
        let mut look = |id: &ChunkId| -> Result<(), RecipeError> {
            if !self.to.contains(id) {
                missing.is_hurt |= !self.from.contains(id);
                missing.count += 1;
                missing.chunks.insert(id);
            }
            Ok(())
        };
        let mut lists_lost = 0_u32;
        let mut go_on = |walked: Result<(), RecipeError>| match walked {
            Err(error) if is_loss(&error) => {
                lists_lost += 1;
                Ok(())
            }
            walked => walked,
        };
        go_on(walker.stream(&root.manifest, &mut look))?;
        go_on(walker.stream(&root.blobs, &mut look))?;
        match root.read_items(self) {
            Ok(items) => {
                for item in &items {
                    go_on(walk::item(&mut walker, item, &mut look))?;
                }
            }
            Err(error) => go_on(Err(error))?,
        }
        missing.is_hurt |= lists_lost > 0;
        Ok(missing)
    }

    /// Returns what of a release is not whole in the other store.
    fn damage(&self, root: &ReleaseRoot) -> Result<Option<DamagedRelease>, Error> {
        let name = root.name.clone();
        let is_lost = |walked: Result<(), RecipeError>| match walked {
            Ok(()) => Ok(false),
            Err(error) if is_loss(&error) => Ok(true),
            Err(error) => Err(error),
        };
        let mut items = Vec::new();
        let lists = is_lost(self.walk_list(root))?;
        match root.read_items(self) {
            Ok(read) => {
                for item in &read {
                    if is_lost(self.walk_item(item))? {
                        items.push(String::from_utf8_lossy(&item.name).into_owned());
                    }
                }
            }
            Err(error) => {
                is_lost(Err(error))?;
                return Ok(Some(DamagedRelease { name, items }));
            }
        }
        Ok((lists || !items.is_empty()).then_some(DamagedRelease { name, items }))
    }

    fn walk_list(&self, root: &ReleaseRoot) -> Result<(), RecipeError> {
        let mut walker = Walker::new(self);
        let mut look = MustBeThere(self.to);
        walker.stream(&root.manifest, &mut look)?;
        walker.stream(&root.blobs, &mut look)
    }

    /// Each item has a walker of its own: two that share what is lost are both not whole.
    fn walk_item(&self, item: &Item) -> Result<(), RecipeError> {
        walk::item(&mut Walker::new(self), item, &mut MustBeThere(self.to))
    }
}

/// Ends a walk at the first chunk that a store does not have.
struct MustBeThere<'s>(&'s Store);

impl Visitor for MustBeThere<'_> {
    fn chunk(&mut self, id: &ChunkId) -> Result<(), RecipeError> {
        match self.0.contains(id) {
            true => Ok(()),
            false => Err(RecipeError::Missing(*id)),
        }
    }
}

/// Returns whether something is gone or damaged for good. What cannot be read now, or not by this program, ends the work.
fn is_loss(error: &RecipeError) -> bool {
    let is_loss = matches!(
        error,
        RecipeError::Chunk { .. } | RecipeError::Missing(_) | RecipeError::Corrupt(_)
    );
    is_loss && !is_fault(error)
}

/// Puts what is missing. Returns whether some of it could not be read.
fn put(
    from: &Store,
    to: &Store,
    missing: MissingChunks,
    report: &mut CopyReport,
    monitor: &dyn Monitor,
) -> Result<bool, Error> {
    let places = from.places_of(missing.chunks);
    if !to.is_shared() {
        Space::in_folder(to.dir(), places.stored_bytes())?.check()?;
    }
    let mut writer = to.writer(&WriteOptions::default(), monitor)?;
    monitor.start("copy", places.stored_bytes());
    let findings = from.copy_frames(places, &mut writer, monitor)?;
    monitor.finish();
    let written = writer.finish()?;
    report.new_bytes += written.new_bytes;
    report.stored_bytes += written.stored_bytes;
    let is_hurt = missing.is_hurt || !findings.is_empty();
    report.findings.extend(findings);
    Ok(is_hurt)
}

fn note(from: &Path, to: &Store, root: &ReleaseRoot, monitor: &dyn Monitor) {
    let entry = HistoryEntry::now(HistoryEvent::Copy).release(root);
    history::note(to, &entry.from([from]), monitor);
}
