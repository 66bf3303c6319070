//! A store's roots as releases: the one place where the verbs' seam meets the real store.

use std::path::Path;
use std::time::SystemTime;

use super::ready::Keeper;
use super::{Releases, ReleasesMut, Stored};
use crate::finding::Finding;
use crate::id::ReleaseId;
use crate::image::Platform;
use crate::monitor::Monitor;
use crate::recipe::BoxError;
use crate::recipe::rebuild::BlobKeeper;
use crate::release::{ReleaseName, ReleaseRoot};
use crate::store::{Store, StoreError, StoreWriter, WriteOptions};
use crate::verbs::Error;

/// An interruption stays one, however deep it happened.
fn boxed(error: StoreError) -> BoxError {
    match error {
        StoreError::Interrupted(stop) => Box::new(stop),
        other => Box::new(other),
    }
}

impl Releases for Store {
    fn place(&self) -> Option<&Path> {
        Some(self.dir())
    }

    fn refresh(&self) -> Result<(), BoxError> {
        Ok(Self::refresh(self)?)
    }

    fn roots(&self) -> Result<Vec<ReleaseRoot>, BoxError> {
        let roots = Store::roots(self)?.into_iter();
        // One that cannot be read is told by `list` and `check`.
        let bodies = roots.filter_map(|root| root.body.ok());
        Ok(bodies
            .filter_map(|body| ReleaseRoot::decode(&body).ok())
            .collect())
    }

    fn root(&self, name: &ReleaseName) -> Result<Option<ReleaseRoot>, BoxError> {
        match self.read_root(&name.file_stem()) {
            Ok(body) => Ok(Some(ReleaseRoot::decode(&body)?)),
            Err(StoreError::NoSuchRoot { .. }) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }

    fn committed_at(&self, name: &ReleaseName) -> Option<SystemTime> {
        Store::committed_at(self, &name.file_stem())
    }
}

impl ReleasesMut for Store {
    type Writer<'a> = StoreWriter<'a>;

    fn writer<'a>(&'a self, monitor: &'a dyn Monitor) -> Result<StoreWriter<'a>, BoxError> {
        Store::writer(self, &WriteOptions::default(), monitor).map_err(boxed)
    }

    fn finish(&self, writer: StoreWriter<'_>) -> Result<Stored, BoxError> {
        let report = writer.finish().map_err(boxed)?;
        Ok(Stored {
            new_bytes: report.new_bytes,
            stored_bytes: report.stored_bytes,
        })
    }

    fn commit(&self, root: &ReleaseRoot) -> Result<ReleaseId, BoxError> {
        self.commit_root(&root.name.file_stem(), &root.encode())?;
        Ok(root.id())
    }

    fn keeper(&self) -> Option<Box<dyn BlobKeeper + '_>> {
        // Without it everything works, only slower.
        Some(Box::new(Keeper::new(self).ok()?))
    }

    fn ready_bytes(&self) -> u64 {
        Store::ready_bytes(self).unwrap_or(0)
    }
}

/// The releases of a store by name, and findings for roots that cannot be read.
///
/// # Errors
/// [`Error::Store`] when they cannot be listed.
pub fn releases(store: &Store) -> Result<(Vec<ReleaseRoot>, Vec<Finding>), Error> {
    let mut roots = Vec::new();
    let mut findings = Vec::new();
    for entry in Store::roots(store)? {
        match entry.body.map(|body| ReleaseRoot::decode(&body)) {
            Ok(Ok(root)) => roots.push(root),
            Ok(Err(error)) => {
                let subject = format!("release root {}", entry.stem);
                findings.push(Finding::loss(subject, error.to_string()));
            }
            Err(finding) => findings.push(finding),
        }
    }
    Ok((roots, findings))
}

/// The release of this name. One without an architecture stands for the one of this platform's when that is there.
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

/// The release of this name.
///
/// # Errors
/// [`Error::NoSuchRelease`] with the names that are there; [`Error::Store`] when it cannot be read.
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
