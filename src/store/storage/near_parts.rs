//! Parts of packs that were read from a bucket, as files of the local folder. What is read while a bundle is planned is
//! read here when it is packed, and here again when the next site gets a bundle.
//!
//! It does not know what the parts hold, and does not check them. Whoever finds one damaged says so, and it goes. Parts
//! and packs have one bound. What was used longest ago goes first, but nothing that this process kept: then what does not
//! fit is not kept, because a release that is longer than the bound would else push out each part before it is read again.
//! Memory: some 100 bytes a part.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::dir::DirStorage;
use super::{Object, Storage, StorageError};

/// Folder of packs. Those that this machine put stay here for a while, because `add` reads back what it wrote, and the next
/// release is packed against it.
pub(super) const PACKS: &str = "packs";
/// File systems note times by clocks of their own, which are behind by some milliseconds, or by two seconds on FAT.
const CLOCK_MARGIN: Duration = Duration::from_secs(2);
/// Folder of parts of packs.
pub(super) const PARTS: &str = "parts";

/// The parts in a folder.
pub(super) struct NearParts {
    near: DirStorage,
    folder: PathBuf,
    /// Bytes of packs and parts together.
    most: u64,
    /// A little before this process began. What was used since stays.
    began: SystemTime,
    known: Mutex<Option<KnownParts>>,
}

/// The parts as they were when the folder was listed, and those that were kept since.
#[derive(Default)]
struct KnownParts {
    /// By the name of the pack, the length of each part by its place.
    parts: HashMap<String, BTreeMap<u64, u64>>,
    /// Bytes of packs and parts.
    bytes: u64,
    /// Whether nothing more is kept.
    is_full: bool,
}

/// Returns the id in the name of a pack.
fn pack_in(name: &str) -> Option<&str> {
    let id = name.rsplit('/').next()?.strip_suffix(".pack")?;
    id.bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then_some(id)
}

fn part_name(pack: &str, offset: u64) -> String {
    format!("{PARTS}/{pack}-{offset}")
}

/// Returns pack and place of a part. A file of any other name is not one.
fn part_of(name: &str) -> Option<(&str, u64)> {
    let (pack, offset) = name
        .strip_prefix(PARTS)?
        .strip_prefix('/')?
        .split_once('-')?;
    let offset = offset.parse().ok()?;
    (part_name(pack, offset) == name).then_some((pack, offset))
}

impl NearParts {
    /// Keeps parts in a folder, which must exist. Packs and parts have at most `most` bytes together.
    pub(super) fn new(folder: &Path, most: u64) -> Self {
        Self {
            near: DirStorage::new(folder),
            folder: folder.to_owned(),
            most,
            began: SystemTime::now() - CLOCK_MARGIN,
            known: Mutex::new(None),
        }
    }

    /// Fills `out` from a part, if there is one with all of the range.
    pub(super) fn read_at(&self, name: &str, offset: u64, out: &mut [u8]) -> bool {
        let Some((part, begin, len)) = self.find(name, offset, out.len() as u64) else {
            return false;
        };
        if self.near.read_at(&part, offset - begin, out).is_err() {
            // Another process made room.
            self.forget(name);
            return false;
        }
        if out.len() as u64 == len {
            let file = File::open(self.folder.join(&part));
            // Without the note it goes a little earlier.
            let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
        }
        true
    }

    /// Returns whether a part begins at a place of a pack.
    pub(super) fn has(&self, name: &str, offset: u64) -> bool {
        self.find(name, offset, 1).is_some()
    }

    fn find(&self, name: &str, offset: u64, len: u64) -> Option<(String, u64, u64)> {
        let pack = pack_in(name)?;
        let known = self.known();
        let parts = known.as_ref()?.parts.get(pack)?;
        let (begin, bytes) = parts.range(..=offset).next_back()?;
        let end = begin.checked_add(*bytes)?;
        (offset.checked_add(len)? <= end).then(|| (part_name(pack, *begin), *begin, *bytes))
    }

    /// Keeps a part that was read, if there is room.
    pub(super) fn keep(&self, name: &str, offset: u64, bytes: &[u8]) {
        let Some(pack) = pack_in(name) else { return };
        let len = bytes.len() as u64;
        if !self.has_room(len) {
            return;
        }
        let kept = self.near.put_unsynced(&part_name(pack, offset), bytes);
        let mut known = self.known();
        let Some(known) = known.as_mut() else { return };
        match kept {
            Ok(()) => {
                let parts = known.parts.entry(pack.to_owned()).or_default();
                parts.insert(offset, len);
            }
            Err(error) => {
                tracing::info!(%error, "no more parts of packs are kept");
                known.is_full = true;
            }
        }
    }

    /// Makes room for so many bytes and counts them, or returns `false`.
    fn has_room(&self, len: u64) -> bool {
        let mut known = self.known();
        let Some(known) = known.as_mut() else {
            return false;
        };
        if !known.is_full && known.bytes.saturating_add(len) > self.most {
            // More than is needed now, so that the folder is not listed for each part.
            let goal = self.most.saturating_sub(len.max(self.most / 8));
            let made = make_room(&self.near, &self.folder, goal, Some(self.began));
            *known = self.listed();
            known.is_full = made.is_err() || known.bytes.saturating_add(len) > self.most;
        }
        if known.is_full {
            return false;
        }
        known.bytes += len;
        true
    }

    /// Removes the parts of a pack. Returns whether there were any.
    pub(super) fn forget(&self, name: &str) -> bool {
        let Some(pack) = pack_in(name) else {
            return false;
        };
        let parts = self.known().as_mut().and_then(|known| {
            let parts = known.parts.remove(pack)?;
            known.bytes = known.bytes.saturating_sub(parts.values().sum());
            Some(parts)
        });
        let Some(parts) = parts else { return false };
        for offset in parts.keys() {
            // What stays is only room, and is not read by this process.
            let _ = self.near.remove(&part_name(pack, *offset));
        }
        true
    }

    fn known(&self) -> MutexGuard<'_, Option<KnownParts>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none() {
            *known = Some(self.listed());
        }
        known
    }

    fn listed(&self) -> KnownParts {
        let mut known = KnownParts::default();
        let listed = |folder| self.near.list(folder).unwrap_or_default();
        for object in listed(PARTS) {
            if let Some((pack, offset)) = part_of(&object.name) {
                let parts = known.parts.entry(pack.to_owned()).or_default();
                parts.insert(offset, object.bytes);
                known.bytes += object.bytes;
            }
        }
        known.bytes += listed(PACKS).iter().map(|pack| pack.bytes).sum::<u64>();
        known
    }
}

/// Removes the packs and parts that were put or used first until the others have at most so many bytes. Leaves what was
/// put or used since a time.
pub(super) fn make_room(
    near: &DirStorage,
    folder: &Path,
    most: u64,
    since: Option<SystemTime>,
) -> Result<(), StorageError> {
    let used_at = |name: &str| {
        let stat = std::fs::metadata(folder.join(name)).ok()?;
        stat.modified().ok()
    };
    let mut kept = near.list(PACKS)?;
    let parts = near.list(PARTS)?.into_iter();
    kept.extend(parts.filter(|part| part_of(&part.name).is_some()));
    let mut kept: Vec<(Option<SystemTime>, Object)> = kept
        .into_iter()
        .map(|object| (used_at(&object.name), object))
        .collect();
    kept.sort_unstable();
    let mut bytes: u64 = kept.iter().map(|(_, object)| object.bytes).sum();
    for (used, object) in kept {
        if bytes <= most || since.is_some_and(|since| used.is_some_and(|used| used >= since)) {
            break;
        }
        near.remove(&object.name)?;
        bytes -= object.bytes;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pack(digit: char) -> String {
        let id: String = std::iter::repeat_n(digit, 64).collect();
        format!("{PACKS}/{digit}{digit}/{id}.pack")
    }

    fn files(folder: &Path) -> usize {
        std::fs::read_dir(folder.join(PARTS)).map_or(0, Iterator::count)
    }

    #[test]
    fn what_was_kept_is_read_also_in_part_and_by_the_next_process() {
        let dir = tempfile::tempdir().unwrap();
        let parts = NearParts::new(dir.path(), 100);
        let mut out = [0; 4];
        assert!(!parts.read_at(&pack('a'), 7, &mut out));
        parts.keep(&pack('a'), 7, &[1, 2, 3, 4, 5]);
        parts.keep("other/place", 7, &[1]);
        for parts in [&parts, &NearParts::new(dir.path(), 100)] {
            assert!(parts.read_at(&pack('a'), 7, &mut out));
            assert_eq!(out, [1, 2, 3, 4]);
            assert!(parts.read_at(&pack('a'), 8, &mut out));
            assert_eq!(out, [2, 3, 4, 5]);
            assert!(!parts.read_at(&pack('a'), 9, &mut out), "it ends before");
            assert!(!parts.read_at(&pack('a'), 6, &mut out));
            assert!(!parts.read_at(&pack('b'), 7, &mut out));
            assert!(parts.has(&pack('a'), 11) && !parts.has(&pack('a'), 12));
        }
        assert!(parts.forget(&pack('a')) && !parts.forget(&pack('a')));
        assert!(!parts.has(&pack('a'), 7));
        assert_eq!(files(dir.path()), 0);
    }

    #[test]
    fn a_part_that_went_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let parts = NearParts::new(dir.path(), 100);
        parts.keep(&pack('a'), 0, &[1; 5]);
        std::fs::remove_dir_all(dir.path().join(PARTS)).unwrap();
        assert!(!parts.read_at(&pack('a'), 0, &mut [0; 5]));
        assert!(!parts.has(&pack('a'), 0));
    }

    #[test]
    fn the_bound_is_kept_and_what_this_process_kept_stays() {
        let dir = tempfile::tempdir().unwrap();
        let stranger = dir.path().join(PARTS).join("notes");
        let before = NearParts::new(dir.path(), 100);
        for offset in [0, 50] {
            before.keep(&pack('a'), offset, &[1; 40]);
        }
        std::fs::write(&stranger, [0; 500]).unwrap();
        let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
        for entry in std::fs::read_dir(dir.path().join(PARTS)).unwrap() {
            let file = File::open(entry.unwrap().path()).unwrap();
            file.set_modified(an_hour_ago).unwrap();
        }
        let parts = NearParts::new(dir.path(), 100);
        parts.keep(&pack('b'), 0, &[2; 40]);
        assert!(parts.has(&pack('b'), 0));
        assert!(!parts.has(&pack('a'), 0), "what was used first went");
        parts.keep(&pack('c'), 0, &[3; 80]);
        assert!(!parts.has(&pack('c'), 0), "it does not fit");
        assert!(parts.has(&pack('b'), 0), "it is of this process");
        assert!(stranger.exists(), "others' files stay");
        // Nothing at all is kept where nothing may be.
        let none = tempfile::tempdir().unwrap();
        let parts = NearParts::new(none.path(), 0);
        parts.keep(&pack('a'), 0, &[1]);
        assert_eq!(files(none.path()), 0);
    }
}
