//! `list`: the releases that a store holds.
//!
//! It reads only release roots.

use serde::Serialize;

use crate::base::finding::Finding;
use crate::base::id::ReleaseId;
use crate::content::release::{ReleaseName, ReleaseRoot};
use crate::ops::Error;
use crate::store::Store;

/// A release in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListedRelease {
    /// Name as people write it.
    pub name: ReleaseName,
    /// Its id.
    pub id: ReleaseId,
    /// How many items it has.
    pub items: u32,
    /// Bytes of all items when restored.
    pub bytes: u64,
}

/// The content of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListReport {
    /// Its releases, by name.
    pub releases: Vec<ListedRelease>,
    /// Roots that cannot be read.
    pub findings: Vec<Finding>,
}

/// Lists the releases of a store.
///
/// # Errors
/// [`Error`] when the releases cannot be listed.
pub fn list(store: &Store) -> Result<ListReport, Error> {
    let (roots, findings) = crate::ops::releases(store)?;
    Ok(ListReport {
        releases: roots.iter().map(ListedRelease::from).collect(),
        findings,
    })
}

impl From<&ReleaseRoot> for ListedRelease {
    fn from(root: &ReleaseRoot) -> Self {
        Self {
            name: root.name.clone(),
            id: root.id(),
            items: root.items,
            bytes: root.bytes,
        }
    }
}
