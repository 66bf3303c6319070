//! Remembers the volume sets that were received, in one small enveloped file.
//!
//! Its content is opaque here, and nothing depends on it. When it is lost, a volume of such a set is treated like any
//! other.

use super::{Store, StoreError};
use crate::base::envelope::{self, EnvelopeKind, HEADER_BYTES};
use crate::store::storage;

const PATH: &str = "sets/received";

impl Store {
    /// Remembers the received sets, replacing what was remembered before.
    ///
    /// # Errors
    /// A storage error.
    pub fn put_received(&self, body: &[u8]) -> Result<(), StoreError> {
        let sealed = envelope::seal(EnvelopeKind::ReceivedSets, body);
        Ok(storage::put(self.storage.as_ref(), PATH, &sealed)?)
    }

    /// Returns what is remembered, at most `limit_bytes`. Returns `None` when there is nothing, or it is damaged.
    ///
    /// # Errors
    /// A storage error.
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
