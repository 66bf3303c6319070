//! Small enveloped files that remember things about volume sets: which were received, and which brought the newest
//! releases.
//!
//! Their content is opaque here. When the record of received sets is lost, a volume of such a set is treated like any
//! other. When that of the newest sets is lost, an old set that is shown again is not told from a new one.

use super::{Store, StoreError};
use crate::base::envelope::{self, EnvelopeKind, HEADER_BYTES};
use crate::base::term::Action;
use crate::store::storage::{self, Given, Put, StorageError};

const RECEIVED: (&str, EnvelopeKind) = ("sets/received", EnvelopeKind::ReceivedSets);
const NEWEST: (&str, EnvelopeKind) = ("sets/newest", EnvelopeKind::NewestSets);
/// How often it is tried to change a record that others change at the same time.
const TRIES: u32 = 32;

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

    /// Changes what is remembered of the newest sets, at most `limit_bytes`. `change` gets what is remembered, or `None`,
    /// and returns what is from now on, or `None` when that is the same. Where others write, it is called again when one of
    /// them was faster.
    ///
    /// # Errors
    /// A storage error.
    pub fn change_newest_sets(
        &self,
        limit_bytes: u64,
        change: impl Fn(Option<&[u8]>) -> Option<Vec<u8>>,
    ) -> Result<(), StoreError> {
        let (path, kind) = NEWEST;
        let limit = limit_bytes + HEADER_BYTES as u64;
        for _ in 0..TRIES {
            let (file, given) = match self.storage.get(path, limit) {
                Err(error) if error.is_missing() => (None, Given::Absent),
                Err(error) if error.is_too_long() => {
                    // Nothing of it counts, and it makes room for what does.
                    self.storage.remove(path)?;
                    (None, Given::Absent)
                }
                read => {
                    let (file, version) = read?;
                    (Some(file), Given::Unchanged(version))
                }
            };
            let body = file.as_deref();
            let body = body.and_then(|file| envelope::open(kind, file, limit_bytes).ok());
            let Some(body) = change(body) else {
                return Ok(());
            };
            let sealed = envelope::seal(kind, &body);
            if let Put::Done(_) = self.storage.put_if(path, &sealed, &given)? {
                return Ok(());
            }
        }
        let busy = std::io::Error::from(std::io::ErrorKind::ResourceBusy);
        Err(StorageError::on(Action::Write, path.as_ref())(busy).into())
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
