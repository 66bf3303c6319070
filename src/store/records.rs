//! Small enveloped files that remember things about volume sets: which were received, and which brought the newest
//! releases.
//!
//! Their content is opaque here. When the record of received sets is lost, a volume of such a set is treated like any
//! other. When that of the newest sets is lost, an old set that is shown again is not told from a new one.

use super::{Store, StoreError};
use crate::base::envelope::{self, EnvelopeKind, HEADER_BYTES};
use crate::store::storage;

const RECEIVED: (&str, EnvelopeKind) = ("sets/received", EnvelopeKind::ReceivedSets);
const NEWEST: (&str, EnvelopeKind) = ("sets/newest", EnvelopeKind::NewestSets);

impl Store {
    /// Remembers the received sets, replacing what was remembered before.
    ///
    /// # Errors
    /// A storage error.
    pub fn put_received(&self, body: &[u8]) -> Result<(), StoreError> {
        self.put_record(RECEIVED, body)
    }

    /// Returns the received sets, at most `limit_bytes`. Returns `None` when there are none, or the record is damaged.
    ///
    /// # Errors
    /// A storage error.
    pub fn received(&self, limit_bytes: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.record(RECEIVED, limit_bytes)
    }

    /// Remembers the newest sets, replacing what was remembered before.
    ///
    /// # Errors
    /// A storage error.
    pub fn put_newest_sets(&self, body: &[u8]) -> Result<(), StoreError> {
        self.put_record(NEWEST, body)
    }

    /// Returns the newest sets, at most `limit_bytes`. Returns `None` when there are none, or the record is damaged.
    ///
    /// # Errors
    /// A storage error.
    pub fn newest_sets(&self, limit_bytes: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.record(NEWEST, limit_bytes)
    }

    fn put_record(
        &self,
        (path, kind): (&str, EnvelopeKind),
        body: &[u8],
    ) -> Result<(), StoreError> {
        let sealed = envelope::seal(kind, body);
        Ok(storage::put(self.storage.as_ref(), path, &sealed)?)
    }

    fn record(
        &self,
        (path, kind): (&str, EnvelopeKind),
        limit_bytes: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let limit = limit_bytes + HEADER_BYTES as u64;
        match storage::read(self.storage.as_ref(), path, limit) {
            Err(error) if error.is_missing() || error.is_too_long() => Ok(None),
            Err(error) => Err(error.into()),
            Ok(file) => Ok(envelope::open(kind, &file, limit_bytes)
                .ok()
                .map(<[u8]>::to_vec)),
        }
    }
}
