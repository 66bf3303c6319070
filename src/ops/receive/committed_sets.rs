//! Remembers which volume sets were committed, so that their other volumes are recognized later.
//!
//! A few hundred sets are remembered, and the oldest are dropped. Memory: all of it, some 100 kB.

use wincode::{SchemaRead, SchemaWrite};

use crate::base::envelope;
use crate::base::id::{ReleaseId, SetId};
use crate::content::release::{ReleaseName, ReleaseRoot};
use crate::oci::image::Platform;
use crate::ops::Error;
use crate::ops::receive::prerequisites;
use crate::store::Store;

/// Sets that are remembered.
const SETS_MAX: usize = 256;
/// Most bytes of the record.
const BYTES_MAX: u64 = 4 << 20;

/// A set that was committed.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct CommittedSet {
    set: SetId,
    /// Its title.
    pub(crate) title: String,
    /// The releases that it brought.
    releases: Vec<CommittedEntry>,
    /// The platforms it was received for. Empty stands for all.
    platforms: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
struct CommittedEntry {
    name: String,
    id: ReleaseId,
}

/// The committed sets, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct CommittedSets(Vec<CommittedSet>);

impl CommittedSets {
    pub(crate) fn read(store: &Store) -> Result<Self, Error> {
        let body = store.received(BYTES_MAX)?;
        let sets = body.and_then(|body| envelope::decode(&body).ok());
        Ok(Self(sets.unwrap_or_default()))
    }

    /// Returns the record of a set when all its releases are still in the store and it covers the request.
    pub(crate) fn of(
        &self,
        store: &Store,
        set: &SetId,
        platforms: &[Platform],
    ) -> Option<&CommittedSet> {
        let known = self.0.iter().find(|known| known.set == *set)?;
        let was_asked = |platform: &Platform| known.platforms.contains(&platform.to_string());
        let all_asked =
            known.platforms.is_empty() || !platforms.is_empty() && platforms.iter().all(was_asked);
        let is_here = known.releases.iter().all(|release| release.is_here(store));
        (all_asked && is_here).then_some(known)
    }

    /// Remembers a set, replacing its earlier record.
    pub(crate) fn remember(
        store: &Store,
        set: SetId,
        title: &str,
        roots: &[ReleaseRoot],
        platforms: &[Platform],
    ) -> Result<(), Error> {
        let mut sets = Self::read(store)?.0;
        sets.retain(|known| known.set != set);
        let releases = roots.iter().map(|root| CommittedEntry {
            name: root.name.to_string(),
            id: root.id(),
        });
        sets.push(CommittedSet {
            set,
            title: title.chars().take(200).collect(),
            releases: releases.collect(),
            platforms: platforms.iter().map(ToString::to_string).collect(),
        });
        let over = sets.len().saturating_sub(SETS_MAX);
        sets.drain(..over);
        while envelope::encode(&sets).len() as u64 > BYTES_MAX && sets.len() > 1 {
            sets.remove(0);
        }
        Ok(store.put_received(&envelope::encode(&sets))?)
    }
}

impl CommittedSet {
    /// Returns the names of the releases that it brought.
    pub(crate) fn release_names(&self) -> Vec<String> {
        let releases = self.releases.iter();
        releases.map(|release| release.name.clone()).collect()
    }
}

impl CommittedEntry {
    fn is_here(&self, store: &Store) -> bool {
        let name = self.name.parse::<ReleaseName>().ok();
        let root = name.and_then(|name| crate::ops::release(store, &name).ok());
        root.is_some_and(|root| root.id() == self.id && prerequisites::is_whole(store, &root))
    }
}
