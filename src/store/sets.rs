//! Remembers the volume sets that were packed, in one enveloped file for each set.
//!
//! The content is opaque here, and nothing depends on these files. They are written beside readers too, and the last
//! writer wins.

use super::{Store, StoreError};
use crate::base::envelope::{self, EnvelopeKind, HEADER_BYTES};
use crate::base::id::SetId;
use crate::store::storage;

const FOLDER: &str = "sets";
const SUFFIX: &str = ".set";

impl Store {
    /// Remembers a set that was packed.
    ///
    /// # Errors
    /// A storage error.
    pub fn put_set(&self, set: &SetId, body: &[u8]) -> Result<(), StoreError> {
        let sealed = envelope::seal(EnvelopeKind::PackedSet, body);
        Ok(storage::put(self.storage.as_ref(), &path(set), &sealed)?)
    }

    /// Returns what is remembered of a set, at most `limit_bytes`. Returns `None` when there is nothing. A damaged file
    /// counts as a forgotten set.
    ///
    /// # Errors
    /// A storage error.
    pub fn set(&self, set: &SetId, limit_bytes: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let limit = limit_bytes + HEADER_BYTES as u64;
        match storage::read(self.storage.as_ref(), &path(set), limit) {
            Err(error) if error.is_missing() || error.is_too_long() => Ok(None),
            Err(error) => Err(error.into()),
            Ok(file) => Ok(envelope::open(EnvelopeKind::PackedSet, &file, limit_bytes)
                .ok()
                .map(<[u8]>::to_vec)),
        }
    }

    /// Returns the remembered sets, sorted.
    ///
    /// # Errors
    /// A storage error.
    pub fn sets(&self) -> Result<Vec<SetId>, StoreError> {
        let objects = self.storage.list(FOLDER)?.into_iter();
        let ids = objects.filter_map(|object| {
            let name = object.name.strip_prefix(FOLDER)?.strip_prefix('/')?;
            name.strip_suffix(SUFFIX)?.parse().ok()
        });
        let mut ids: Vec<SetId> = ids.collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Forgets a set.
    ///
    /// # Errors
    /// A storage error.
    pub fn forget_set(&self, set: &SetId) -> Result<(), StoreError> {
        Ok(self.storage.remove(&path(set))?)
    }
}

fn path(set: &SetId) -> String {
    format!("{FOLDER}/{set}{SUFFIX}")
}
