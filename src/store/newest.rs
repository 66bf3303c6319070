//! Remembers which sets brought the newest releases, in one small enveloped file.
//!
//! Its content is opaque here. When it is lost, an old set that is shown again is not told from a new one.

use super::{Store, StoreError};
use crate::base::envelope::{self, EnvelopeKind, HEADER_BYTES};
use crate::store::storage;

const PATH: &str = "sets/newest";

impl Store {
    /// Remembers the newest sets, replacing what was remembered before.
    ///
    /// # Errors
    /// A storage error.
    pub fn put_newest_sets(&self, body: &[u8]) -> Result<(), StoreError> {
        let sealed = envelope::seal(EnvelopeKind::NewestSets, body);
        Ok(storage::put(self.storage.as_ref(), PATH, &sealed)?)
    }

    /// Returns what is remembered, at most `limit_bytes`. Returns `None` when there is nothing, or it is damaged.
    ///
    /// # Errors
    /// A storage error.
    pub fn newest_sets(&self, limit_bytes: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let limit = limit_bytes + HEADER_BYTES as u64;
        match storage::read(self.storage.as_ref(), PATH, limit) {
            Err(error) if error.is_missing() || error.is_too_long() => Ok(None),
            Err(error) => Err(error.into()),
            Ok(file) => Ok(envelope::open(EnvelopeKind::NewestSets, &file, limit_bytes)
                .ok()
                .map(<[u8]>::to_vec)),
        }
    }
}
