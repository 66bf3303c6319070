//! Which volume sets were taken in: their other volumes, when they come by later, are known for what they are.
//!
//! A few hundred are remembered, and the oldest go. Memory: all of it, some 100 kB.

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

/// A set that was taken in.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct CommittedSet {
    set: SetId,
    /// Its title.
    pub(crate) title: String,
    /// The releases that came of it.
    releases: Vec<CommittedEntry>,
    /// The platforms it was taken in for; all, when there are none.
    platforms: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
struct CommittedEntry {
    name: String,
    id: ReleaseId,
}

/// The sets that were taken in, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct CommittedSets(Vec<CommittedSet>);

impl CommittedSets {
    pub(crate) fn read(store: &Store) -> Result<Self, Error> {
        let body = store.received(BYTES_MAX)?;
        let sets = body.and_then(|body| envelope::decode(&body).ok());
        Ok(Self(sets.unwrap_or_default()))
    }

    /// What is remembered of a set, when all that came of it is still here, and it is all that is asked for.
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

    /// Remembers a set, in place of what was remembered of it.
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
    /// Names of the releases that came of it.
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
