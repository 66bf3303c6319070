//! The roots of releases as small enveloped files. Renaming one into place is the only commit point of a store.
//!
//! The content of a root is opaque here.

use std::path::Path;
use std::time::SystemTime;

use super::{Store, StoreError, pins};
use crate::base::envelope::{self, EnvelopeError, EnvelopeKind, HEADER_BYTES};
use crate::base::term::Action;
use crate::base::term::Flaw;
use crate::store::storage::{self, Storage, StorageError};

const FOLDER: &str = "releases";
const SUFFIX: &str = ".release";
/// Most bytes of a root's body.
const ROOT_MAX: u64 = 1 << 20;
/// Most bytes of a root's name. With the suffix it fits every file system.
const STEM_MAX: usize = 240;

/// A root in a listing.
#[derive(Debug)]
pub struct RootEntry {
    /// The name that it was committed by.
    pub stem: String,
    /// Its body, or why it cannot be read: [`StoreError::BadRoot`] when it is damaged.
    pub body: Result<Vec<u8>, StoreError>,
}

fn name(stem: &str) -> Result<String, StoreError> {
    // Some file systems, such as exFAT, do not allow these characters in names.
    let safe = |byte: u8| byte.is_ascii_graphic() && !b"/\\:*?\"<>|".contains(&byte);
    if stem.is_empty() || stem.len() > STEM_MAX || stem.starts_with('.') || !stem.bytes().all(safe)
    {
        return Err(StoreError::BadRootName {
            stem: stem.chars().take(STEM_MAX).collect(),
        });
    }
    Ok(format!("{FOLDER}/{stem}{SUFFIX}"))
}

/// Makes the folder of roots.
pub(super) fn make_folder(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join(FOLDER);
    match std::fs::create_dir(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => Err(StorageError {
            action: Action::Create,
            path,
            source,
        }
        .into()),
        _ => Ok(()),
    }
}

/// Returns whether there is a readable root. A folder with one is a store.
pub(super) fn holds_a_root(storage: &dyn Storage) -> Result<bool, StoreError> {
    let most = ROOT_MAX + HEADER_BYTES as u64;
    let is_root = |file: &[u8]| envelope::open(EnvelopeKind::Release, file, ROOT_MAX).is_ok();
    let mut objects = storage.list(FOLDER)?.into_iter();
    Ok(objects.any(|object| {
        object.name.ends_with(SUFFIX)
            && storage::read(storage, &object.name, most).is_ok_and(|file| is_root(&file))
    }))
}

impl Store {
    /// Commits a root, which survives a power cut once this returns. Replaces a root of that name, but where other
    /// machines write, only one that this process has read before, and only while it still is the same. The stem is 1 to 240
    /// visible ASCII characters, none of `/ \ : * ? " < > |`, not beginning with a dot.
    ///
    /// # Errors
    /// [`StoreError::BadRootName`], [`StoreError::ReadOnly`], [`StoreError::RootTaken`], or a storage error.
    pub fn commit_root(&self, stem: &str, body: &[u8]) -> Result<(), StoreError> {
        self.must_write()?;
        if self.is_shared() {
            return self.commit_shared_root(stem, body).map(drop);
        }
        let (name, storage) = (name(stem)?, self.storage.as_ref());
        let file = envelope::seal(EnvelopeKind::Release, body);
        // The file is written beside its place and renamed: the rename is the commit.
        Ok(storage::put(storage, &name, &file)?)
    }

    /// Returns whether the root was put, and not there already.
    pub(super) fn commit_shared_root(&self, stem: &str, body: &[u8]) -> Result<bool, StoreError> {
        self.must_write()?;
        let name = name(stem)?;
        let file = envelope::seal(EnvelopeKind::Release, body);
        let known = &self.known_roots;
        known.commit(self.storage.as_ref(), (&name, stem), &file, ROOT_MAX)
    }

    /// Returns all roots, sorted by name. An unreadable one is an error in its place.
    ///
    /// # Errors
    /// A storage error when the folder cannot be listed.
    pub fn roots(&self) -> Result<Vec<RootEntry>, StoreError> {
        let mut roots = Vec::new();
        let most = ROOT_MAX + HEADER_BYTES as u64;
        for object in self.storage.read_all(FOLDER, most)? {
            let stem = object
                .name
                .strip_prefix(FOLDER)
                .and_then(|rest| rest.strip_prefix('/'));
            let stem = stem.and_then(|rest| rest.strip_suffix(SUFFIX));
            // Foreign files in the folder are skipped.
            let Some(stem) = stem.filter(|stem| name(stem).is_ok()) else {
                continue;
            };
            roots.push(RootEntry {
                stem: stem.to_owned(),
                body: self.opened(stem, &object.name, object.bytes),
            });
        }
        roots.sort_unstable_by(|one, other| one.stem.cmp(&other.stem));
        Ok(roots)
    }

    /// Reads the body of a root.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoot`], [`StoreError::BadRoot`], or a storage error.
    pub fn read_root(&self, stem: &str) -> Result<Vec<u8>, StoreError> {
        let name = name(stem)?;
        let file = storage::read(self.storage.as_ref(), &name, ROOT_MAX + HEADER_BYTES as u64);
        self.opened(stem, &name, file)
    }

    /// Opens the file of a root that was read.
    fn opened(
        &self,
        stem: &str,
        name: &str,
        file: Result<Vec<u8>, StorageError>,
    ) -> Result<Vec<u8>, StoreError> {
        if self.storage.is_shared() {
            match &file {
                Ok(file) => self.known_roots.note(name, Some(file), ROOT_MAX),
                Err(error) if error.is_missing() => self.known_roots.note(name, None, ROOT_MAX),
                Err(_) => {}
            }
        }
        let bad = |source| StoreError::BadRoot {
            stem: stem.to_owned(),
            source,
        };
        let file = file.map_err(|error| {
            if error.is_missing() {
                StoreError::NoSuchRoot {
                    stem: stem.to_owned(),
                }
            } else if error.is_too_long() {
                bad(EnvelopeError::Corrupt(Flaw::LongRoot))
            } else {
                error.into()
            }
        })?;
        envelope::open(EnvelopeKind::Release, &file, ROOT_MAX)
            .map(<[u8]>::to_vec)
            .map_err(bad)
    }

    /// Returns whether there are packs but not even the folder of roots. The folder was then lost with its disk, or
    /// removed by hand.
    ///
    /// # Errors
    /// A storage error.
    pub fn has_lost_its_roots(&self) -> Result<bool, StoreError> {
        let is_there = self.dir.join(FOLDER).symlink_metadata().is_ok();
        let has_packs = !self.chunk_index().packs().is_empty();
        Ok(has_packs && !is_there && self.storage.local_path(FOLDER).is_some())
    }

    /// Returns when a root was committed, as far as the storage knows.
    pub fn committed_at(&self, stem: &str) -> Option<SystemTime> {
        let name = name(stem).ok()?;
        let Some(path) = self.storage.local_path(&name) else {
            return self.storage.put_at(&name);
        };
        std::fs::metadata(path).ok()?.modified().ok()
    }

    /// Returns when a root was committed according to the file system, or `None` when it does not tell.
    pub fn root_time(&self, stem: &str) -> Option<std::time::SystemTime> {
        let name = name(stem).ok()?;
        if self.storage.is_shared() {
            return self.storage.put_at(&name);
        }
        let stat = std::fs::symlink_metadata(self.dir.join(name)).ok()?;
        stat.modified().ok()
    }

    /// Removes a root. Its chunks stay until `prune`.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoot`], [`StoreError::ReadOnly`], or a storage error.
    pub fn remove_root(&self, stem: &str) -> Result<(), StoreError> {
        self.must_write()?;
        let name = name(stem)?;
        match self.storage.bytes(&name) {
            Err(error) if error.is_missing() => Err(StoreError::NoSuchRoot {
                stem: stem.to_owned(),
            }),
            Err(error) => Err(error.into()),
            Ok(_) => {
                self.storage.remove(&name)?;
                // The root is removed first, so that a kill in between never leaves the release unmarked.
                Ok(self.storage.remove(&pins::name(stem))?)
            }
        }
    }
}
