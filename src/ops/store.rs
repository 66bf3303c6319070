//! Implements the store interface of the operations for the real store. Its roots are the releases.

use std::path::Path;
use std::time::SystemTime;

use super::blob_cache::Keeper;
use super::history::{self, HistoryEntry, HistoryEvent};
use super::{Releases, ReleasesMut, Stored};
use crate::base::backend::BackendError;
use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::Finding;
use crate::base::id::{ChunkId, ReleaseId};
use crate::base::monitor::Monitor;
use crate::content::recipe::RecipeError;
use crate::content::recipe::rebuild::BlobKeeper;
use crate::content::recipe::walk::Walker;
use crate::content::release::{ReleaseName, ReleaseRoot, walk};
use crate::oci::image::Platform;
use crate::ops::Error;
use crate::store::{ChunkSet, Store, StoreError, StoreWriter, WriteOptions};

impl Releases for Store {
    fn place(&self) -> Option<&Path> {
        Some(self.dir())
    }

    fn local_bytes_max(&self) -> u64 {
        Store::local_bytes_max(self)
    }

    fn refresh(&self) -> Result<(), BackendError> {
        Ok(Self::refresh(self)?)
    }

    fn roots(&self) -> Result<Vec<ReleaseRoot>, BackendError> {
        let roots = Store::roots(self)?.into_iter();
        // `list` and `check` report a root that cannot be read.
        let bodies = roots.filter_map(|root| root.body.ok());
        Ok(bodies
            .filter_map(|body| ReleaseRoot::decode(&body).ok())
            .collect())
    }

    fn root(&self, name: &ReleaseName) -> Result<Option<ReleaseRoot>, BackendError> {
        match self.read_root(&name.file_stem()) {
            Ok(body) => ReleaseRoot::decode(&body)
                .map(Some)
                .map_err(|error| BackendError::Failed(error.into())),
            Err(StoreError::NoSuchRoot { .. }) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }

    fn committed_at(&self, name: &ReleaseName) -> Option<SystemTime> {
        Store::committed_at(self, &name.file_stem())
    }

    fn add_history(&self, entry: &HistoryEntry) -> Result<(), BackendError> {
        Ok(history::append(self, entry)?)
    }
}

impl ReleasesMut for Store {
    type Writer<'a> = StoreWriter<'a>;

    fn writer<'a>(&'a self, monitor: &'a dyn Monitor) -> Result<StoreWriter<'a>, BackendError> {
        Ok(Store::writer(self, &WriteOptions::default(), monitor)?)
    }

    fn finish(&self, writer: StoreWriter<'_>) -> Result<Stored, BackendError> {
        let report = writer.finish()?;
        Ok(Stored {
            new_bytes: report.new_bytes,
            stored_bytes: report.stored_bytes,
        })
    }

    fn commit(&self, root: &ReleaseRoot) -> Result<ReleaseId, BackendError> {
        commit_release(self, root)?;
        Ok(root.id())
    }

    fn keeper(&self) -> Option<Box<dyn BlobKeeper + '_>> {
        // Everything works without a keeper, only slower.
        Some(Box::new(Keeper::new(self, 0).ok()?))
    }

    fn cached_bytes(&self) -> u64 {
        Store::cached_bytes(self).unwrap_or(0)
    }
}

/// The roots of a store.
#[derive(Debug, Default)]
pub(crate) struct Roots {
    /// Readable roots, by name.
    pub roots: Vec<ReleaseRoot>,
    /// Unreadable roots.
    pub bad: Vec<BadRoot>,
}

/// A root that cannot be read.
#[derive(Debug)]
pub struct BadRoot {
    /// The release's name, taken from the file name.
    pub name: ReleaseName,
    /// What is wrong.
    pub finding: Finding,
    /// Whether it is a failed read, which may pass.
    pub is_fault: bool,
}

impl BadRoot {
    /// A root whose content is wrong.
    fn damaged(name: &ReleaseName, why: Arg) -> Self {
        let release = name.to_string();
        let what = diagnostic!("store.release_root_damaged", release, why);
        Self {
            name: name.clone(),
            finding: Finding::loss(name.to_string(), what),
            is_fault: false,
        }
    }

    /// A root that the store does not give.
    fn unread(name: &ReleaseName, error: StoreError) -> Self {
        if !is_fault(&error) {
            return Self::damaged(
                name,
                match error {
                    StoreError::BadRoot { source, .. } => Arg::caught(source),
                    other => Arg::caught(other),
                },
            );
        }
        let why = Arg::innermost(&error);
        let what = diagnostic!("store.cannot_be_read_now", why);
        Self {
            name: name.clone(),
            finding: Finding::note(name.to_string(), what),
            is_fault: true,
        }
    }
}

/// Returns whether an error was caused by a failed read or write, however deep. Such a failure may pass, and tells
/// nothing about the content.
pub fn is_fault(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if matches!(error.downcast_ref(), Some(StoreError::Storage(_))) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Commits the root of a release. Everything that it needs must be in the store.
///
/// # Errors
/// What the store reports.
pub(crate) fn commit_release(store: &Store, root: &ReleaseRoot) -> Result<(), StoreError> {
    let stem = root.name.file_stem();
    let needs = || needs_of(store, root);
    // The log says so only once the root survives a power cut.
    store.commit_root_of(&stem, &root.encode(), &needs)?;
    tracing::info!(release = %root.name, id = %root.id(), "release is committed");
    Ok(())
}

/// Returns the chunks that a release needs, all of whose lists were there a moment ago.
fn needs_of(store: &Store, root: &ReleaseRoot) -> Result<ChunkSet, StoreError> {
    let mut needs = ChunkSet::new();
    let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
        needs.insert(id);
        Ok(())
    };
    match walk::release(&mut Walker::new(store), root, &mut note) {
        Ok(()) => Ok(needs),
        Err(RecipeError::Chunk { source, .. }) => match source.downcast::<StoreError>() {
            Ok(error) if is_fault(error.as_ref()) => Err(*error),
            _ => Err(gone(root)),
        },
        Err(_) => Err(gone(root)),
    }
}

fn gone(root: &ReleaseRoot) -> StoreError {
    StoreError::PrunedMeanwhile {
        stem: root.name.file_stem(),
        chunks: 1,
    }
}

/// Returns the roots of a store, with the unreadable ones apart.
///
/// # Errors
/// [`Error::Store`] when they cannot be listed.
pub(crate) fn all_roots(store: &Store) -> Result<Roots, Error> {
    let mut all = Roots::default();
    for entry in Store::roots(store)? {
        // A file without the name of a release does not belong to the store.
        let Ok(name) = ReleaseName::from_file_stem(&entry.stem) else {
            continue;
        };
        match entry.body.map(|body| ReleaseRoot::decode(&body)) {
            Ok(Ok(root)) if root.name == name => all.roots.push(root),
            Ok(Ok(root)) => {
                let other = root.name.to_string();
                let why = diagnostic!("store.root_of_another", other);
                all.bad.push(BadRoot::damaged(&name, why.into()));
            }
            Ok(Err(error)) => all.bad.push(BadRoot::damaged(&name, Arg::caught(error))),
            Err(error) => all.bad.push(BadRoot::unread(&name, error)),
        }
    }
    Ok(all)
}

/// Returns the releases of a store by name, and findings for roots that cannot be read.
///
/// # Errors
/// [`Error::Store`] when they cannot be listed.
pub fn releases(store: &Store) -> Result<(Vec<ReleaseRoot>, Vec<Finding>), Error> {
    let all = all_roots(store)?;
    let findings = all.bad.into_iter().map(|bad| bad.finding).collect();
    Ok((all.roots, findings))
}

/// Checks that every release's root can be read. What a damaged one needs is unknown, and would be treated as unneeded.
///
/// # Errors
/// [`Error::UnreadableReleases`], [`Error::UnreadRoot`], [`Error::RootsGone`], or an error of the store.
pub(crate) fn must_know_all(store: &Store, bad: &[BadRoot]) -> Result<(), Error> {
    if store.has_lost_its_roots()? {
        let path = store.dir().join("releases");
        return Err(Error::RootsGone { path });
    }
    if let Some(unread) = bad.iter().find(|each| each.is_fault) {
        return Err(Error::UnreadRoot {
            name: unread.name.to_string(),
            why: Box::new(unread.finding.what.clone()),
        });
    }
    if bad.is_empty() {
        return Ok(());
    }
    let names = bad.iter().map(|each| each.name.to_string()).collect();
    Err(Error::UnreadableReleases { names })
}

/// Removes a release from a store, even when it cannot be read. Returns whether it could be read. The history gets a line
/// if so: of one that cannot be read, nobody knows what it was.
///
/// # Errors
/// [`Error::NoSuchRelease`]. [`Error::Store`] when it stays.
pub fn remove(store: &Store, name: &ReleaseName, monitor: &dyn Monitor) -> Result<bool, Error> {
    let root = match release(store, name) {
        Err(error @ Error::NoSuchRelease { .. }) => return Err(error),
        read => read.ok().filter(|root| root.name == *name),
    };
    store.remove_root(&name.file_stem())?;
    if let Some(root) = &root {
        let entry = HistoryEntry::now(HistoryEvent::Remove).release(root);
        history::note(store, &entry, monitor);
    }
    Ok(root.is_some())
}

/// Returns the release of this name. A name without an architecture stands for the release of this platform, if there
/// is one.
///
/// # Errors
/// As [`release`].
pub fn release_for(
    store: &Store,
    name: &ReleaseName,
    platform: Option<&Platform>,
) -> Result<ReleaseRoot, Error> {
    let Some(platform) = platform.filter(|_| name.arch().is_none()) else {
        return release(store, name);
    };
    let (roots, _) = releases(store)?;
    let fits = |root: &&ReleaseRoot| {
        let same = root.name.name() == name.name() && root.name.version() == name.version();
        same && root.name.arch().is_some_and(|arch| platform.is_of(arch))
    };
    match roots.iter().find(fits) {
        Some(root) => Ok(root.clone()),
        None => release(store, name),
    }
}

/// Returns the release of this name.
///
/// # Errors
/// [`Error::NoSuchRelease`] with the existing names. [`Error::Store`] when it cannot be read.
pub fn release(store: &Store, name: &ReleaseName) -> Result<ReleaseRoot, Error> {
    match store.read_root(&name.file_stem()) {
        Ok(body) => ReleaseRoot::decode(&body).map_err(|error| Error::Bundle(error.into())),
        Err(StoreError::NoSuchRoot { .. }) => {
            let has = releases(store)?
                .0
                .iter()
                .map(|root| root.name.to_string())
                .collect();
            Err(Error::NoSuchRelease {
                name: name.to_string(),
                has,
            })
        }
        Err(error) => Err(error.into()),
    }
}
