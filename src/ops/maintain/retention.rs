//! `keep`, and `prune --keep-last`: decide which releases stay in a store.
//!
//! It only removes roots. `prune` frees their room.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::base::id::ReleaseId;
use crate::base::monitor::Monitor;
use crate::bundle::{Catalog, newest_first};
use crate::content::release::{ReleaseName, ReleaseRoot};
use crate::ops::Error;
use crate::ops::history::{self, HistoryEntry, HistoryEvent};
use crate::store::Store;
use crate::volumes::staging::open_all;

/// The result of `keep`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeepReport {
    /// The release.
    pub release: ReleaseName,
    /// Whether it is kept from now on.
    pub kept: bool,
}

/// Marks a release as one to keep, or removes the mark.
///
/// # Errors
/// [`Error::NoSuchRelease`], or an error when the mark cannot be written.
pub fn keep(store: &Store, name: &ReleaseName, kept: bool) -> Result<KeepReport, Error> {
    crate::ops::release(store, name)?;
    store.pin(&name.file_stem(), kept)?;
    Ok(KeepReport {
        release: name.clone(),
        kept,
    })
}

/// The result of applying retention.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LetGoReport {
    /// Releases that were removed.
    pub removed: Vec<ReleaseName>,
    /// Older releases that stay because they are marked.
    pub kept: Vec<ReleaseName>,
    /// Older releases that stay because a set that is being received depends on them.
    pub awaited: Vec<ReleaseName>,
}

/// Removes all but the `last` newest versions of each name and architecture. Marked releases stay, and so do those that
/// a staged set depends on.
///
/// # Errors
/// [`Error`] when the releases cannot be listed, or one cannot be removed.
pub fn apply_retention(
    store: &Store,
    last: usize,
    monitor: &dyn Monitor,
) -> Result<LetGoReport, Error> {
    let crate::ops::Roots { roots, bad } = crate::ops::all_roots(store)?;
    // A root that cannot be read may be the newest.
    crate::ops::must_know_all(store, &bad)?;
    let marked: HashSet<String> = store.pinned()?.into_iter().collect();
    let awaited = awaited(store)?;
    let mut by_name: BTreeMap<(String, Option<String>), Vec<&ReleaseRoot>> = BTreeMap::new();
    for root in &roots {
        let key = (
            root.name.name().to_owned(),
            root.name.arch().map(str::to_owned),
        );
        by_name.entry(key).or_default().push(root);
    }
    let mut report = LetGoReport::default();
    for roots in by_name.values_mut() {
        roots.sort_by(|one, other| newest_first(&one.name, &other.name));
        for root in roots.iter().skip(last) {
            let (name, stem) = (root.name.clone(), root.name.file_stem());
            if marked.contains(&stem) {
                report.kept.push(name);
            } else if awaited.contains(&root.id()) {
                report.awaited.push(name);
            } else {
                store.remove_root(&stem)?;
                let entry = HistoryEntry::now(HistoryEvent::Remove).release(root);
                history::note(store, &entry, monitor);
                report.removed.push(name);
            }
        }
    }
    Ok(report)
}

/// Returns the releases that staged sets depend on.
fn awaited(store: &Store) -> Result<HashSet<ReleaseId>, Error> {
    let mut awaited = HashSet::new();
    for set in open_all(&store.incoming_dir())? {
        let catalog = set.catalog().ok();
        let catalog = catalog.and_then(|bytes| Catalog::from_bytes(&bytes).ok());
        let leans = catalog
            .into_iter()
            .flat_map(|catalog| catalog.prerequisites);
        awaited.extend(
            leans
                .flat_map(|lean| lean.releases)
                .map(|release| release.id),
        );
    }
    Ok(awaited)
}
