//! What is remembered of the volume sets that were taken in: one small enveloped file.
//!
//! What it says is opaque here. Nothing depends on it: when it is lost, a volume of such a set is looked at as any other.

use super::{Store, StoreError};
use crate::base::envelope::{self, EnvelopeKind, HEADER_BYTES};
use crate::store::storage;

const PATH: &str = "sets/received";

impl Store {
    /// Remembers the sets that were taken in, in place of what was remembered.
    ///
    /// # Errors
    /// What the storage says.
    pub fn put_received(&self, body: &[u8]) -> Result<(), StoreError> {
        let sealed = envelope::seal(EnvelopeKind::ReceivedSets, body);
        Ok(storage::put(self.storage.as_ref(), PATH, &sealed)?)
    }

    /// What is remembered, at most `limit_bytes`; `None` when that is nothing, or damaged.
    ///
    /// # Errors
    /// What the storage says.
    pub fn received(&self, limit_bytes: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let limit = limit_bytes + HEADER_BYTES as u64;
        match storage::read(self.storage.as_ref(), PATH, limit) {
            Err(error) if error.is_missing() || error.is_too_long() => Ok(None),
            Err(error) => Err(error.into()),
            Ok(file) => Ok(
                envelope::open(EnvelopeKind::ReceivedSets, &file, limit_bytes)
                    .ok()
                    .map(<[u8]>::to_vec),
            ),
        }
    }
}
