//! What is remembered of the sites that bundles are packed for, as one small enveloped file each.
//!
//! What it says is opaque here. Nothing depends on these files: they are written beside readers too, and the last writer wins.

use super::{Store, StoreError};
use crate::base::envelope::{self, EnvelopeKind, HEADER_BYTES};
use crate::store::storage;

const FOLDER: &str = "sites";
const SUFFIX: &str = ".site";
/// Most bytes of a body.
const SITE_MAX: u64 = 4 << 20;

impl Store {
    /// Remembers a site, in place of what was remembered of it. `name` is safe as a file name.
    ///
    /// # Errors
    /// What the storage says.
    pub fn put_site(&self, name: &str, body: &[u8]) -> Result<(), StoreError> {
        let sealed = envelope::seal(EnvelopeKind::Site, body);
        Ok(storage::put(self.storage.as_ref(), &path(name), &sealed)?)
    }

    /// What is remembered of a site; `None` when that is nothing, or damaged: then it is as if it had been forgotten.
    ///
    /// # Errors
    /// What the storage says.
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

    /// Names of the sites that something is remembered of, sorted.
    ///
    /// # Errors
    /// What the storage says.
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

    /// Forgets a site. Says whether there was anything to forget.
    ///
    /// # Errors
    /// What the storage says.
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
