//! Remembers the sites that bundles are packed for, in one small enveloped file for each site.
//!
//! The content is opaque here, and nothing depends on these files. They are written beside readers too, and the last
//! writer wins.

use std::time::SystemTime;

use super::{Store, StoreError};
use crate::base::envelope::{self, EnvelopeKind, HEADER_BYTES};
use crate::store::storage;

const FOLDER: &str = "sites";
const SUFFIX: &str = ".site";
/// Most bytes of a body.
const SITE_MAX: u64 = 4 << 20;

impl Store {
    /// Remembers a site, replacing what was remembered of it. `name` must be safe as a file name.
    ///
    /// # Errors
    /// A storage error.
    pub fn put_site(&self, name: &str, body: &[u8]) -> Result<(), StoreError> {
        let sealed = envelope::seal(EnvelopeKind::Site, body);
        Ok(storage::put(self.storage.as_ref(), &path(name), &sealed)?)
    }

    /// Returns what is remembered of a site, or `None` when there is nothing. A damaged file counts as a forgotten
    /// site.
    ///
    /// # Errors
    /// A storage error.
    pub fn site(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let limit = SITE_MAX + HEADER_BYTES as u64;
        match storage::read(self.storage.as_ref(), &path(name), limit) {
            Err(error) if error.is_missing() || error.is_too_long() => Ok(None),
            Err(error) => Err(error.into()),
            Ok(file) => Ok(envelope::open(EnvelopeKind::Site, &file, SITE_MAX)
                .ok()
                .map(<[u8]>::to_vec)),
        }
    }

    /// Returns when something was remembered of a site last, as far as the storage knows.
    pub fn site_noted_at(&self, name: &str) -> Option<SystemTime> {
        let path = path(name);
        let Some(local) = self.storage.local_path(&path) else {
            return self.storage.put_at(&path);
        };
        std::fs::metadata(local).ok()?.modified().ok()
    }

    /// Returns the names of the remembered sites, sorted.
    ///
    /// # Errors
    /// A storage error.
    pub fn sites(&self) -> Result<Vec<String>, StoreError> {
        let objects = self.storage.list(FOLDER)?.into_iter();
        let names = objects.filter_map(|object| {
            let name = object.name.strip_prefix(FOLDER)?.strip_prefix('/')?;
            Some(name.strip_suffix(SUFFIX)?.to_owned())
        });
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Forgets a site. Returns whether there was anything to forget.
    ///
    /// # Errors
    /// A storage error.
    pub fn forget_site(&self, name: &str) -> Result<bool, StoreError> {
        let path = path(name);
        let there = match self.storage.bytes(&path) {
            Err(error) if error.is_missing() => false,
            Err(error) => return Err(error.into()),
            Ok(_) => true,
        };
        self.storage.remove(&path)?;
        Ok(there)
    }
}

fn path(name: &str) -> String {
    format!("{FOLDER}/{name}{SUFFIX}")
}
