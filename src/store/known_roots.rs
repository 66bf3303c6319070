//! Remembers what a process knew of each root, so that it replaces no other.
//!
//! What was known first counts, because decisions rest on it. Used where no lock keeps other writers out.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::StoreError;
use crate::base::envelope::{self, EnvelopeKind};
use crate::base::id::{ReleaseId, hash};
use crate::store::storage::{Given, Put, Storage};

/// How often a commit is tried when others put the same root at the same time.
const TRIES: u32 = 4;

/// What was known of each root first: which release it was, or that it was not there.
#[derive(Debug, Default)]
pub(super) struct KnownRoots(Mutex<KnownState>);

#[derive(Debug, Default)]
struct KnownState {
    roots: HashMap<String, Option<ReleaseId>>,
}

/// Names the release of a root's file. A damaged file has a name of its own.
fn release_of(file: &[u8], root_max: u64) -> ReleaseId {
    let body = envelope::open(EnvelopeKind::Release, file, root_max);
    ReleaseId(hash(body.unwrap_or(file)))
}

impl KnownRoots {
    fn lock(&self) -> MutexGuard<'_, KnownState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what an object of this name held, or that there was none.
    pub(super) fn note(&self, name: &str, file: Option<&[u8]>, root_max: u64) {
        let mut known = self.lock();
        if !known.roots.contains_key(name) {
            let release = file.map(|file| release_of(file, root_max));
            known.roots.insert(name.to_owned(), release);
        }
    }

    /// Puts a root in place of what was known of it. Of those who do it at once, one succeeds. Who puts what is there
    /// already succeeds too. Returns whether it was put.
    ///
    /// # Errors
    /// [`StoreError::RootTaken`], or a storage error.
    pub(super) fn commit(
        &self,
        storage: &dyn Storage,
        (name, stem): (&str, &str),
        file: &[u8],
        root_max: u64,
    ) -> Result<bool, StoreError> {
        let ours = release_of(file, root_max);
        // A name that was never looked at is taken to be free.
        let known = self.lock().roots.get(name).copied().flatten();
        let mut theirs = None;
        for _ in 0..TRIES {
            let (given, now) = match storage.get(name, root_max + envelope::HEADER_BYTES as u64) {
                Err(error) if error.is_missing() => (Given::Absent, None),
                read => {
                    let (bytes, version) = read?;
                    (
                        Given::Unchanged(version),
                        Some(release_of(&bytes, root_max)),
                    )
                }
            };
            let is_ours = now == Some(ours);
            if !is_ours && now != known {
                theirs = now;
                break;
            }
            if is_ours || matches!(storage.put_if(name, file, &given)?, Put::Done(_)) {
                self.lock().roots.insert(name.to_owned(), Some(ours));
                return Ok(!is_ours);
            }
            // Somebody was faster, or an answer was lost on its way. What is there now tells.
            theirs = now;
        }
        Err(StoreError::RootTaken {
            stem: stem.to_owned(),
            ours,
            theirs,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::storage::memory::FaultyStorage;

    const MAX: u64 = 1 << 20;

    fn root(text: &str) -> Vec<u8> {
        envelope::seal(EnvelopeKind::Release, text.as_bytes())
    }

    #[test]
    fn nobody_replaces_what_it_did_not_know() {
        let storage = FaultyStorage::default();
        let name = ("releases/a.release", "a");
        let (one, other) = (KnownRoots::default(), KnownRoots::default());
        one.note(name.0, None, MAX);
        other.note(name.0, None, MAX);
        assert!(one.commit(&storage, name, &root("first"), MAX).unwrap());
        // The same content is no conflict, whoever was first.
        assert!(!other.commit(&storage, name, &root("first"), MAX).unwrap());
        other.commit(&storage, name, &root("second"), MAX).unwrap();
        let refused = one.commit(&storage, name, &root("third"), MAX).unwrap_err();
        let id = |text: &str| ReleaseId(hash(text.as_bytes()));
        let StoreError::RootTaken { ours, theirs, .. } = refused else {
            panic!("{refused}");
        };
        assert_eq!((ours, theirs), (id("third"), Some(id("second"))));
        // What was seen first counts, and not what is seen just before.
        one.note(name.0, Some(&root("second")), MAX);
        assert!(one.commit(&storage, name, &root("third"), MAX).is_err());
        let late = KnownRoots::default();
        late.note(name.0, Some(&root("second")), MAX);
        late.commit(&storage, name, &root("third"), MAX).unwrap();
        // A damaged root is replaced by whoever saw its damage.
        storage.damage(name.0, |bytes| bytes.truncate(20));
        let healer = KnownRoots::default();
        assert!(healer.commit(&storage, name, &root("third"), MAX).is_err());
        let mut left = root("third");
        left.truncate(20);
        let healer = KnownRoots::default();
        healer.note(name.0, Some(&left), MAX);
        healer.commit(&storage, name, &root("third"), MAX).unwrap();
    }
}
