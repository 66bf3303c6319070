//! The lease of whoever prunes a store in a bucket: an object that is put on condition, renewed while the work goes on,
//! and taken over when it was not.
//!
//! It spares two maintainers from doing the same work, and no more. That nothing is lost does not depend on it: each
//! decision is put on condition that no later maintainer began, which `marks` holds by the number that a lease gives.

use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::StoreError;
use super::marks::put_second;
use crate::base::envelope::{self, EnvelopeError, EnvelopeKind, HEADER_BYTES};
use crate::base::term::Flaw;
use crate::store::storage::{Given, ObjectVersion, Put, Storage};

const NAME: &str = "prune/lease";
/// An object that is put to learn what time it is there.
const CLOCK: &str = "prune/clock";
/// Seconds after which a lease that was not renewed is taken over.
const LEASE_SECONDS: u64 = 15 * 60;
/// How often it is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(60);
const BODY_BYTES: usize = 33;
/// How often it is tried to take a lease that changes meanwhile.
const TRIES: u32 = 4;

/// What the object says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseRecord {
    /// Who holds it, a random name.
    pub owner: [u8; 16],
    /// Larger with each holder.
    pub fence: u64,
    /// How often it was renewed.
    pub renewals: u64,
    /// Whether its holder is done.
    pub is_over: bool,
}

impl LeaseRecord {
    /// Returns the bytes of the object.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(BODY_BYTES);
        body.extend_from_slice(&self.owner);
        body.extend_from_slice(&self.fence.to_le_bytes());
        body.extend_from_slice(&self.renewals.to_le_bytes());
        body.push(u8::from(self.is_over));
        envelope::seal(EnvelopeKind::Lease, &body)
    }

    /// Reads the bytes of the object.
    ///
    /// # Errors
    /// [`EnvelopeError`] when they are damaged or of a newer program.
    pub fn decode(file: &[u8]) -> Result<Self, EnvelopeError> {
        let corrupt = EnvelopeError::Corrupt(Flaw::Record);
        let body = envelope::open(EnvelopeKind::Lease, file, BODY_BYTES as u64)?;
        let body: &[u8; BODY_BYTES] = body.try_into().map_err(|_| corrupt.clone())?;
        let (owner, rest) = body.split_at(16);
        let (fence, rest) = rest.split_at(8);
        let (renewals, end) = rest.split_at(8);
        let number = |bytes: &[u8]| {
            let bytes = bytes.try_into();
            bytes.map(u64::from_le_bytes).map_err(|_| corrupt.clone())
        };
        Ok(Self {
            owner: owner.try_into().map_err(|_| corrupt.clone())?,
            fence: number(fence)?,
            renewals: number(renewals)?,
            is_over: match end {
                [0] => false,
                [1] => true,
                _ => return Err(corrupt),
            },
        })
    }
}

/// A lease that this process holds, until it is dropped.
pub(super) struct Lease {
    held: Arc<HeldLease>,
    stop: Option<SyncSender<()>>,
    renewing: Option<JoinHandle<()>>,
}

struct HeldLease {
    storage: Arc<dyn Storage>,
    /// What was put last, and its version. `None` when somebody else took it over.
    last: Mutex<Option<(LeaseRecord, ObjectVersion)>>,
}

impl Lease {
    /// Takes the lease, with a number that is larger than `fence` and those of all holders before.
    ///
    /// # Errors
    /// [`StoreError::Maintained`] when somebody holds it, or a storage error.
    pub(super) fn take(
        storage: &Arc<dyn Storage>,
        place: &Path,
        fence: u64,
    ) -> Result<Self, StoreError> {
        let mut left = LEASE_SECONDS;
        for _ in 0..TRIES {
            let limit = (BODY_BYTES + HEADER_BYTES) as u64;
            let (given, before) = match storage.get(NAME, limit) {
                Err(error) if error.is_missing() => (Given::Absent, None),
                read => {
                    let (file, version) = read?;
                    let record = LeaseRecord::decode(&file).ok();
                    if !record.is_some_and(|record| record.is_over) {
                        left = seconds_left(storage.as_ref())?;
                        if left > 0 {
                            break;
                        }
                    }
                    (Given::Unchanged(version), record)
                }
            };
            let record = LeaseRecord {
                owner: super::settings::draw_id().0,
                fence: before.map_or(0, |before| before.fence).max(fence) + 1,
                renewals: 0,
                is_over: false,
            };
            if let Put::Done(version) = storage.put_if(NAME, &record.encode(), &given)? {
                return Ok(Self::held(storage, record, version));
            }
        }
        Err(StoreError::Maintained {
            place: place.to_owned(),
            seconds: left,
        })
    }

    fn held(storage: &Arc<dyn Storage>, record: LeaseRecord, version: ObjectVersion) -> Self {
        let held = Arc::new(HeldLease {
            storage: Arc::clone(storage),
            last: Mutex::new(Some((record, version))),
        });
        let (stop, stopped) = sync_channel(0);
        let renewed = Arc::clone(&held);
        // The walk over all releases can take longer than a lease lasts.
        let renewing = thread::spawn(move || {
            while stopped.recv_timeout(RENEW_EVERY) == Err(RecvTimeoutError::Timeout) {
                // A failure here is found out when the next decision is put.
                let _ = renewed.renew(false);
            }
        });
        Self {
            held,
            stop: Some(stop),
            renewing: Some(renewing),
        }
    }

    /// Renews the lease, and returns the number of its holder and what second it is at the server.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] when somebody else took it over, or a storage error.
    pub(super) fn renew(&self) -> Result<(u64, u64), StoreError> {
        let fence = self.held.renew(false)?;
        Ok((fence, put_second(self.held.storage.as_ref(), NAME)?))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(renewing) = self.renewing.take() {
            let _ = renewing.join();
        }
        // Who comes next would wait for it in vain.
        let _ = self.held.renew(true);
    }
}

impl HeldLease {
    fn lock(&self) -> MutexGuard<'_, Option<(LeaseRecord, ObjectVersion)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn renew(&self, is_over: bool) -> Result<u64, StoreError> {
        let mut last = self.lock();
        let (mut record, mut version) = last.clone().ok_or(StoreError::Superseded)?;
        record.renewals += 1;
        record.is_over = is_over;
        let put = |version: &ObjectVersion| {
            let given = Given::Unchanged(version.clone());
            self.storage.put_if(NAME, &record.encode(), &given)
        };
        let mut done = put(&version)?;
        if done == Put::Lost {
            // An answer to a put of its own may have been lost on the way.
            let limit = (BODY_BYTES + HEADER_BYTES) as u64;
            let (file, now) = self.storage.get(NAME, limit)?;
            let is_own =
                |there: &LeaseRecord| (there.owner, there.fence) == (record.owner, record.fence);
            if LeaseRecord::decode(&file).is_ok_and(|there| is_own(&there)) {
                version = now;
                done = put(&version)?;
            }
        }
        let Put::Done(version) = done else {
            *last = None;
            return Err(StoreError::Superseded);
        };
        *last = Some((record, version));
        Ok(record.fence)
    }
}

/// Returns how many seconds a lease still lasts. Both times are the server's.
fn seconds_left(storage: &dyn Storage) -> Result<u64, StoreError> {
    crate::store::storage::put(storage, CLOCK, b"")?;
    let now = put_second(storage, CLOCK)?;
    let renewed = put_second(storage, NAME)?;
    Ok(LEASE_SECONDS.saturating_sub(now.saturating_sub(renewed)))
}
