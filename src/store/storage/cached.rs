//! A bucket with a local folder before it: index segments are mapped from there, packs that were put from here and parts
//! that were kept are read there, and small roots that did not change are not fetched again.
//!
//! What the folder holds of the bucket may be removed at any time, and is checked when it is fetched. Two things are in the
//! folder alone, and never in the bucket: copies of blobs (`ready/`), and volumes that are being received, of which nothing
//! is known here. Several processes may use one folder. Memory: 4 ranges of 8 MiB while a segment is fetched.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use super::dir::DirStorage;
use super::near_parts::{NearParts, PACKS, make_room};
use super::object::ObjectStorage;
use super::{Given, NewObject, Object, ObjectVersion, Put, ReadObject, Storage, StorageError};
use crate::base::id::{BlobId, Hasher, PackId, hash};
use crate::base::term::Action;

/// Folder of index segments.
const SEGMENTS: &str = "index";
/// Folder of copies of blobs.
const READY: &str = "ready";
/// Local folder of roots, by name and version.
const ROOTS: &str = "roots";
/// Bytes of a segment that are fetched with one request.
const PIECE_BYTES: u64 = 8 << 20;
/// Such requests at once.
const PIECES: u64 = 4;

/// A bucket and the local folder of this machine for it.
pub struct CachedStorage {
    far: ObjectStorage,
    near: DirStorage,
    parts: NearParts,
    folder: PathBuf,
    bounds: CacheBounds,
    /// Whether packs are read from the bucket alone.
    reads_source: AtomicBool,
}

/// How much the folder may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheBounds {
    /// Bytes of index segments. A store whose index has more is refused.
    pub index_bytes: u64,
    /// Bytes of packs and of parts of them. When there are more, those that were put or used first go.
    pub pack_bytes: u64,
}

fn is_in(name: &str, folder: &str) -> bool {
    name.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl CachedStorage {
    /// Puts a folder, which must exist, before a bucket.
    pub fn new(far: ObjectStorage, folder: &Path, bounds: CacheBounds) -> Self {
        Self {
            far,
            near: DirStorage::new(folder),
            parts: NearParts::new(folder, bounds.pack_bytes),
            folder: folder.to_owned(),
            bounds,
            reads_source: AtomicBool::new(false),
        }
    }

    /// Removes local segments that the bucket does not have, and checks that the others have room.
    fn keep_segments(&self, listed: &[Object]) -> Result<(), StorageError> {
        let bytes: u64 = listed.iter().map(|object| object.bytes).sum();
        if bytes > self.bounds.index_bytes {
            let why = format!(
                "the index has {bytes} bytes, and [cache] index_bytes in carryall.toml allows {}",
                self.bounds.index_bytes
            );
            let error = std::io::Error::new(std::io::ErrorKind::QuotaExceeded, why);
            return Err(StorageError::on(Action::KeepWhatWasRead, &self.folder)(
                error,
            ));
        }
        let names: HashSet<&str> = listed.iter().map(|object| object.name.as_str()).collect();
        for old in self.near.list(SEGMENTS)? {
            if !names.contains(old.name.as_str()) {
                // Another process may have it mapped, which outlives the name.
                self.near.remove(&old.name)?;
            }
        }
        Ok(())
    }

    /// Returns whether the folder has an object of the bucket. Only objects whose names say what is in them are kept.
    fn has(&self, name: &str) -> bool {
        let may_have = self.reads_parts_of(name) || is_in(name, SEGMENTS);
        may_have && self.near.bytes(name).is_ok()
    }

    /// Returns whether parts of packs that are here are read here.
    fn reads_parts_of(&self, name: &str) -> bool {
        is_in(name, PACKS) && !self.reads_source.load(Ordering::Relaxed)
    }

    /// Fetches a segment unless it is there. Its name is the hash of its content.
    fn fetch_segment(&self, name: &str) -> Result<(), StorageError> {
        if self.near.bytes(name).is_ok() {
            return Ok(());
        }
        let bytes = self.far.bytes(name)?;
        let mut object = self.near.create()?;
        let mut hasher = Hasher::new();
        let mut at = 0;
        while at < bytes {
            let end = bytes.min(at + PIECES * PIECE_BYTES);
            let starts = (at..end).step_by(usize::try_from(PIECE_BYTES).unwrap_or(usize::MAX));
            let len = |start: u64| usize::try_from((end - start).min(PIECE_BYTES)).unwrap_or(0);
            let ranges: Vec<(u64, usize)> = starts.map(|start| (start, len(start))).collect();
            for piece in self.far.read_ranges(name, &ranges)? {
                hasher.update_parallel(&piece);
                object.append(&piece)?;
            }
            at = end;
        }
        let id = PackId(hasher.finish());
        if name != format!("{SEGMENTS}/{id}.idx") {
            // It stays what it is in the bucket, and whoever reads it there finds out what is wrong.
            return Err(StorageError::on(Action::Read, Path::new(name))(
                std::io::Error::other("it is not what its name says"),
            ));
        }
        object.publish(name)
    }
}

impl Storage for CachedStorage {
    fn list(&self, folder: &str) -> Result<Vec<Object>, StorageError> {
        if is_in(folder, READY) {
            return self.near.list(folder);
        }
        let listed = self.far.list(folder)?;
        if folder == SEGMENTS {
            self.keep_segments(&listed)?;
        }
        Ok(listed)
    }

    fn bytes(&self, name: &str) -> Result<u64, StorageError> {
        if is_in(name, READY) {
            return self.near.bytes(name);
        }
        if self.has(name) {
            return self.near.bytes(name);
        }
        self.far.bytes(name)
    }

    fn read_at(&self, name: &str, offset: u64, out: &mut [u8]) -> Result<(), StorageError> {
        if is_in(name, READY) {
            return self.near.read_at(name, offset, out);
        }
        if self.has(name) && self.near.read_at(name, offset, out).is_ok() {
            return Ok(());
        }
        // Another process may have made room in this moment.
        if self.reads_parts_of(name) && self.parts.read_at(name, offset, out) {
            return Ok(());
        }
        self.far.read_at(name, offset, out)
    }

    fn read_and_keep(&self, name: &str, offset: u64, out: &mut [u8]) -> Result<(), StorageError> {
        let is_near = self.is_near(name, offset);
        self.read_at(name, offset, out)?;
        if !is_near && self.reads_parts_of(name) {
            self.parts.keep(name, offset, out);
        }
        Ok(())
    }

    fn read_alone(&self, name: &str, offset: u64, out: &mut [u8]) -> Result<(), StorageError> {
        match self.is_near(name, offset) {
            true => self.read_at(name, offset, out),
            false => self.far.read_alone(name, offset, out),
        }
    }

    fn is_near(&self, name: &str, offset: u64) -> bool {
        is_in(name, READY)
            || self.has(name)
            || (self.reads_parts_of(name) && self.parts.has(name, offset))
    }

    fn distrust(&self, name: &str) -> bool {
        let had_parts = self.parts.forget(name);
        // What cannot be removed is not read, since the caller reads once more and no further.
        let had =
            is_in(name, PACKS) && self.near.bytes(name).is_ok() && self.near.remove(name).is_ok();
        had || had_parts
    }

    fn read_ranges(
        &self,
        name: &str,
        ranges: &[(u64, usize)],
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        if is_in(name, READY) {
            return self.near.read_ranges(name, ranges);
        }
        self.far.read_ranges(name, ranges)
    }

    fn whole(&self, name: &str, limit_bytes: u64) -> Result<Vec<u8>, StorageError> {
        if is_in(name, READY) {
            return self.near.whole(name, limit_bytes);
        }
        self.far.whole(name, limit_bytes)
    }

    fn get(&self, name: &str, limit_bytes: u64) -> Result<(Vec<u8>, ObjectVersion), StorageError> {
        self.far.get(name, limit_bytes)
    }

    fn put_if(&self, name: &str, bytes: &[u8], given: &Given) -> Result<Put, StorageError> {
        self.far.put_if(name, bytes, given)
    }

    fn create(&self) -> Result<Box<dyn NewObject>, StorageError> {
        self.far.create()
    }

    fn create_in(&self, folder: &str) -> Result<Box<dyn NewObject>, StorageError> {
        match folder {
            READY => self.near.create(),
            SEGMENTS => Ok(Box::new(KeptObject {
                far: self.far.create()?,
                near: self.near.create().ok(),
                room: None,
                bytes: 0,
            })),
            PACKS if self.bounds.pack_bytes > 0 => Ok(Box::new(KeptObject {
                far: self.far.create()?,
                near: self.near.create().ok(),
                room: Some((
                    self.near.clone(),
                    self.folder.clone(),
                    self.bounds.pack_bytes,
                )),
                bytes: 0,
            })),
            _ => self.far.create(),
        }
    }

    fn read_all(&self, folder: &str, limit_bytes: u64) -> Result<Vec<ReadObject>, StorageError> {
        let listed = self.far.list_states(folder)?;
        let near_name = |name: &str, ObjectVersion(version): &ObjectVersion| {
            let state = format!("{name}\n{version}");
            format!("{ROOTS}/{}", BlobId(hash(state.as_bytes())))
        };
        let names: Vec<String> = listed
            .iter()
            .map(|listed| near_name(&listed.object.name, &listed.version))
            .collect();
        let mut read: Vec<Option<Result<Vec<u8>, StorageError>>> = listed
            .iter()
            .zip(&names)
            .map(|(listed, name)| {
                let bytes = self.near.whole(name, limit_bytes).ok();
                bytes
                    .filter(|bytes| bytes.len() as u64 == listed.object.bytes)
                    .map(Ok)
            })
            .collect();
        let absent: Vec<usize> = (0..listed.len()).filter(|at| read[*at].is_none()).collect();
        let wanted: Vec<String> = absent
            .iter()
            .map(|at| listed[*at].object.name.clone())
            .collect();
        for (at, got) in absent.iter().zip(self.far.get_many(&wanted, limit_bytes)) {
            if let Ok(bytes) = &got {
                // The listing may be older than the object, which is then fetched again under its own version.
                let is_listed = bytes.len() as u64 == listed[*at].object.bytes;
                if is_listed {
                    super::put(&self.near, &names[*at], bytes)?;
                }
            }
            read[*at] = Some(got);
        }
        let kept: HashSet<&String> = names.iter().collect();
        for old in self.near.list(ROOTS)? {
            if !kept.contains(&old.name) {
                self.near.remove(&old.name)?;
            }
        }
        let all = listed.into_iter().zip(read).filter_map(|(listed, bytes)| {
            Some(ReadObject {
                name: listed.object.name,
                bytes: bytes?,
            })
        });
        Ok(all.collect())
    }

    fn list_after(&self, folder: &str, name: &str) -> Result<Vec<Object>, StorageError> {
        self.far.list_after(folder, name)
    }

    fn read_many(&self, names: &[String], limit_bytes: u64) -> Vec<Result<Vec<u8>, StorageError>> {
        self.far.read_many(names, limit_bytes)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn read_source(&self) {
        self.reads_source.store(true, Ordering::Relaxed);
    }

    fn put_at(&self, name: &str) -> Option<SystemTime> {
        self.far.put_at(name)
    }

    fn remove(&self, name: &str) -> Result<(), StorageError> {
        if is_in(name, READY) {
            return self.near.remove(name);
        }
        if is_in(name, SEGMENTS) || is_in(name, PACKS) {
            self.near.remove(name)?;
            self.parts.forget(name);
        }
        self.far.remove(name)
    }

    /// Removes nothing, because other processes may be writing to the folder.
    fn sweep(&self) -> Result<(), StorageError> {
        Ok(())
    }

    fn local_path(&self, name: &str) -> Option<PathBuf> {
        if is_in(name, SEGMENTS) {
            // What fails here fails again when it is read from the bucket, and is told then.
            let fetched = self.fetch_segment(name);
            fetched.ok().map(|()| self.folder.join(name))
        } else {
            is_in(name, READY).then(|| self.folder.join(name))
        }
    }
}

/// An object that goes into the bucket and stays in the folder, so that it is not fetched again.
struct KeptObject {
    far: Box<dyn NewObject>,
    /// `None` since the local disk took no more. The bucket has it all the same.
    near: Option<Box<dyn NewObject>>,
    /// Where older packs go when there are more bytes of them.
    room: Option<(DirStorage, PathBuf, u64)>,
    bytes: u64,
}

impl NewObject for KeptObject {
    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.bytes += bytes.len() as u64;
        if let Some(Err(error)) = self.near.as_mut().map(|near| near.append(bytes)) {
            tracing::info!(%error, "nothing more is kept of an object");
            self.near = None;
        }
        self.far.append(bytes)
    }

    fn publish(self: Box<Self>, name: &str) -> Result<(), StorageError> {
        // The folder must not have what the bucket may not get.
        self.far.publish(name)?;
        if let Some((near, folder, most)) = &self.room {
            make_room(near, folder, most.saturating_sub(self.bytes), None)?;
            if self.bytes > *most {
                return Ok(());
            }
        }
        if let Some(Err(error)) = self.near.map(|near| near.publish(name)) {
            tracing::info!(%error, "an object is not kept");
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::storage::put;

    struct Two {
        dir: tempfile::TempDir,
        far: ObjectStorage,
    }

    impl Two {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let far = ObjectStorage::in_memory(dir.path());
            Self { dir, far }
        }

        fn storage(&self, bytes: u64) -> CachedStorage {
            let bounds = CacheBounds {
                index_bytes: bytes,
                pack_bytes: bytes,
            };
            CachedStorage::new(self.far.clone(), &self.dir.path().join("near"), bounds)
        }
    }

    fn segment(bytes: &[u8]) -> String {
        format!("{SEGMENTS}/{}.idx", PackId(hash(bytes)))
    }

    #[test]
    fn keeps_the_promises_of_storage() {
        let two = Two::new();
        std::fs::create_dir(two.dir.path().join("near")).unwrap();
        super::super::conformance::conformance(&two.storage(1 << 30));
    }

    #[test]
    fn segments_are_fetched_once_checked_and_bounded() {
        let two = Two::new();
        std::fs::create_dir(two.dir.path().join("near")).unwrap();
        let long = vec![7; 40 << 20];
        let (good, bad) = (segment(&long), segment(b"other"));
        put(&two.far, &good, &long).unwrap();
        put(&two.far, &bad, b"not that").unwrap();
        let storage = two.storage(1 << 30);
        let path = storage.local_path(&good).unwrap();
        assert!(std::fs::read(&path).unwrap() == long);
        assert_eq!(
            storage.local_path(&bad),
            None,
            "it is not what its name says"
        );
        // What is here is not asked for there.
        two.far.remove(&good).unwrap();
        assert_eq!(storage.bytes(&good).unwrap(), 40 << 20);
        assert_eq!(storage.local_path(&good), Some(path.clone()));
        // The bucket does not list it any more, so it goes.
        assert_eq!(storage.list(SEGMENTS).unwrap().len(), 1);
        assert!(!path.exists());
        let own = segment(b"new");
        put(&storage, &own, b"new").unwrap();
        assert!(two.far.bytes(&own).is_ok() && two.storage(1 << 30).near.bytes(&own).is_ok());
        let refused = two.storage(10).list(SEGMENTS).unwrap_err();
        assert_eq!(refused.source.kind(), std::io::ErrorKind::QuotaExceeded);
    }

    #[test]
    fn packs_that_were_put_here_are_read_here_while_there_is_room() {
        let two = Two::new();
        std::fs::create_dir(two.dir.path().join("near")).unwrap();
        let storage = two.storage(25);
        let near = DirStorage::new(&two.dir.path().join("near"));
        let put_one = |name: &str| {
            put(&storage, name, &[1; 10]).unwrap();
            // The next one is newer, whatever the file system counts in.
            std::thread::sleep(std::time::Duration::from_millis(20));
        };
        put_one("packs/aa/first");
        two.far.remove("packs/aa/first").unwrap();
        let mut out = [0; 3];
        storage.read_at("packs/aa/first", 7, &mut out).unwrap();
        assert_eq!(out, [1; 3]);
        let checked = two.storage(25);
        checked.read_source();
        assert!(checked.read_at("packs/aa/first", 7, &mut out).is_err());
        put_one("packs/bb/second");
        put_one("packs/aa/third");
        let kept: Vec<String> = near
            .list(PACKS)
            .unwrap()
            .into_iter()
            .map(|o| o.name)
            .collect();
        assert_eq!(
            kept,
            ["packs/aa/third", "packs/bb/second"],
            "the oldest went"
        );
        put(&storage, "packs/cc/long", &[2; 26]).unwrap();
        assert_eq!(near.list(PACKS).unwrap().len(), 0);
        assert_eq!(storage.bytes("packs/cc/long").unwrap(), 26);
        storage.read_at("packs/bb/second", 0, &mut out).unwrap();
    }

    #[test]
    fn parts_that_were_read_are_kept_until_they_are_distrusted() {
        let two = Two::new();
        std::fs::create_dir(two.dir.path().join("near")).unwrap();
        let name = format!("{PACKS}/aa/{}.pack", PackId(hash(b"pack")));
        put(&two.far, &name, &[5; 100]).unwrap();
        let storage = two.storage(1000);
        let mut out = [0; 10];
        storage.read_at(&name, 20, &mut out).unwrap();
        assert!(!storage.is_near(&name, 20), "nobody asked to keep it");
        storage.read_and_keep(&name, 20, &mut out).unwrap();
        assert!(storage.is_near(&name, 20));
        two.far.remove(&name).unwrap();
        // The windows of the requests are those of another process.
        let far = ObjectStorage::in_memory(two.dir.path());
        let near = two.dir.path().join("near");
        let bounds = storage.bounds;
        let storage = CachedStorage::new(far.clone(), &near, bounds);
        out = [0; 10];
        storage.read_and_keep(&name, 20, &mut out).unwrap();
        assert_eq!(out, [5; 10]);
        storage.read_alone(&name, 22, &mut out[..3]).unwrap();
        assert!(storage.distrust(&name) && !storage.distrust(&name));
        assert!(storage.read_at(&name, 20, &mut out).is_err());
        // What is checked is what the bucket has.
        put(&far, &name, &[6; 100]).unwrap();
        storage.read_and_keep(&name, 20, &mut out).unwrap();
        put(&far, &name, &[7; 100]).unwrap();
        let checked = CachedStorage::new(far.clone(), &near, bounds);
        checked.read_source();
        assert!(!checked.is_near(&name, 20));
        storage.remove(&name).unwrap();
        assert!(!storage.is_near(&name, 20));
    }

    #[test]
    fn roots_that_did_not_change_are_not_fetched_again() {
        let two = Two::new();
        std::fs::create_dir(two.dir.path().join("near")).unwrap();
        let read = |storage: &CachedStorage| -> Vec<Vec<u8>> {
            let all = storage.read_all("releases", 100).unwrap().into_iter();
            all.map(|root| root.bytes.unwrap()).collect()
        };
        for number in 0..40_u8 {
            put(&two.far, &format!("releases/{number:02}"), &[number; 9]).unwrap();
        }
        let expected: Vec<Vec<u8>> = (0..40).map(|number| vec![number; 9]).collect();
        assert_eq!(read(&two.storage(0)), expected);
        // The copies here are what is read the second time.
        let near = DirStorage::new(&two.dir.path().join("near"));
        let copies = near.list(ROOTS).unwrap();
        assert_eq!(copies.len(), 40);
        let first = near.whole(&copies[0].name, 100).unwrap();
        put(&near, &copies[0].name, &[99; 9]).unwrap();
        assert!(read(&two.storage(0)).contains(&vec![99; 9]));
        put(&near, &copies[0].name, &first).unwrap();
        // One that changed is read anew, and what is not listed any more goes.
        put(&two.far, "releases/07", &[77; 9]).unwrap();
        two.far.remove("releases/08").unwrap();
        let roots = read(&two.storage(0));
        assert_eq!((roots.len(), &roots[7]), (39, &vec![77; 9]));
        assert_eq!(near.list(ROOTS).unwrap().len(), 39);
        put(&two.far, "releases/99", &[1; 101]).unwrap();
        let all = two.storage(0).read_all("releases", 100).unwrap();
        assert!(all[39].bytes.as_ref().is_err_and(StorageError::is_too_long));
    }
}
